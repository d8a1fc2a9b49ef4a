"""How far the screen of heads can be trusted: its estimates beside what masking the chosen heads did."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from emoscope.experiments.masking.measures import MASK
from emoscope.reporting.findings import Finding
from emoscope.statistics.adjustment import holm
from emoscope.statistics.ranks import FEWEST_TARGETS, rank_agreement
from emoscope.statistics.rates import exact_interval
from emoscope.storage.names import ALL, WHOLE_BLOCK

EFFECT = ["change", "low", "high", "p_adjusted", "equivalence_margin", "p_equivalence", "p_beyond"]


def heads_in(screen: pd.DataFrame) -> int:
    """How many heads were looked at to choose those that are masked."""
    return len(screen[["block", "head"]].drop_duplicates())


def with_effects(screen: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """The screen, and of the heads that were masked the change of the logit margin in texts of all classes together,
    columns EFFECT; NaN for the others."""
    masked = summary[(summary["head"] != WHOLE_BLOCK) & (summary["group"] == ALL) & (summary["measure"] == "margin")]
    return screen.merge(masked[[*MASK, *EFFECT]], on=MASK, how="left", validate="one_to_one")


def screen_findings(table: pd.DataFrame, alpha: float) -> Iterator[Finding]:
    """Of the table of `with_effects`, by condition. `screen.masked.{condition}`: the share of heads that were masked.
    Of those drawn by chance among the heads that the screen left out: `screen.rank_correlation` and `screen.error` of
    its estimates, and `screen.slope_error` of what gradients alone say; errors in logits.

    `screen.missed`: the largest change among them, with an interval that spans those of all, the p that one of them
    reaches the margin that counts as no effect (`within`), and the p that none exceeds it (`beyond`, Bonferroni's).
    `screen.beyond`: the share of them that are shown to exceed it (Holm), with an interval for all that were left out:
    from the exact one of that share to the exact one of those that are not shown to stay within.
    """
    for condition, rows in table.groupby("condition", sort=False):
        drawn = rows[rows["random"].astype(bool)]
        heads, left = len(rows), int((~rows["largest"].astype(bool)).sum())
        masked = int(rows["change"].notna().sum())
        yield Finding(f"screen.masked.{condition}", masked / heads, note=f"{masked} of {heads} heads.")
        if drawn.empty:
            continue
        note = f"{len(drawn)} of {left} heads that the screen left out, drawn by chance."
        slope, estimate, change = (drawn[name].to_numpy(dtype=float) for name in ("slope", "estimate", "change"))
        if len(drawn) >= FEWEST_TARGETS:
            alike = rank_agreement(estimate[None], change[None])[0]
            yield Finding(f"screen.rank_correlation.{condition}", alike, note=note)
        yield Finding(f"screen.error.{condition}", np.abs(estimate - change).mean(), note=note)
        yield Finding(f"screen.slope_error.{condition}", np.abs(slope - change).mean(), note=note)
        p_beyond = holm(drawn["p_beyond"].to_numpy(dtype=float))
        yield Finding(
            f"screen.missed.{condition}",
            change[np.abs(change).argmax()],
            drawn["low"].min(skipna=False),
            drawn["high"].max(skipna=False),
            note,
            within=drawn["p_equivalence"].max(skipna=False),
            beyond=p_beyond.min(),
        )
        shown, open_ = int((p_beyond <= alpha).sum()), int((~(drawn["p_equivalence"] <= alpha)).sum())
        low, high = shown / len(drawn), open_ / len(drawn)
        if len(drawn) < left:
            low, high = exact_interval(shown, len(drawn), alpha).low, exact_interval(open_, len(drawn), alpha).high
        yield Finding(f"screen.beyond.{condition}", shown / len(drawn), low, high, note)
