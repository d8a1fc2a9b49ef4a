"""What the masking report says of a screen that chose which heads to mask."""

from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.masking.conditions import HEADS
from emoscope.experiments.masking.screening.screened import screen_findings
from emoscope.reporting.findings import Finding
from emoscope.reporting.passages import passage

say = partial(passage, "masking")


def screening(screen: pd.DataFrame, alpha: float) -> Markup:
    """Which heads were masked, and how far the screen that chose them can be trusted."""
    found = {finding.name: finding for finding in screen_findings(screen, alpha)}
    conditions = [
        {
            "title": HEADS[name].title,
            "error": found[f"screen.error.{name}"].value,
            "slope_error": found[f"screen.slope_error.{name}"].value,
            "rank_correlation": getattr(found.get(f"screen.rank_correlation.{name}"), "value", None),
            "largest": found[f"screen.missed.{name}"]._asdict(),
            "verdict": missed(found[f"screen.missed.{name}"], alpha),
            "beyond": round(found[f"screen.beyond.{name}"].value * rows["random"].sum()),
            "low": found[f"screen.beyond.{name}"].low,
            "high": found[f"screen.beyond.{name}"].high,
            "margin": rows["equivalence_margin"].max(),
        }
        for name, rows in screen.groupby("condition", sort=False)
        if f"screen.beyond.{name}" in found
    ]
    heads = screen.drop_duplicates(["block", "head"])
    largest, drawn = int(heads["largest"].sum()), int(heads["random"].sum())
    counts = {"heads": len(heads), "masked": largest + drawn, "left": len(heads) - largest}
    return say("screening", conditions=conditions, largest=largest, drawn=drawn, **counts)


def missed(largest: Finding, alpha: float) -> str:
    """Whether the screen left out heads that matter, by the tests of those drawn by chance: `missed`, `none` shown to
    be missed, or `cannot tell`."""
    return "missed" if largest.beyond <= alpha else "none" if largest.within <= alpha else "cannot tell"
