"""What the masking report says of pairs of heads."""

from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.masking.cells import change_cell
from emoscope.experiments.masking.conditions import chooses_pairs
from emoscope.reporting.html import badge, html_table, signed
from emoscope.reporting.passages import passage
from emoscope.statistics.equivalence import largest
from emoscope.storage.names import WHOLE_BLOCK

say = partial(passage, "masking")


def pair_findings(pairs: pd.DataFrame, summary: pd.DataFrame, alpha: float) -> Markup:
    """How the pairs of heads divide by verdict, and what such pairs cannot show; nothing without pairs."""
    margins = pairs[pairs["measure"] == "margin"]
    strongest, heads = None, {row[side] for row in _heads(margins) for side in (0, 1)}
    if len(margins):
        place, (low, high) = largest(*margins[["change", "low", "high"]].to_numpy(dtype=float).T, alpha)
        strongest = margins.iloc[place].to_dict() | {"low": low, "high": high}
    chosen_by = chooses_pairs(set(summary.loc[summary["head"] != WHOLE_BLOCK, "condition"]))
    counts = margins["verdict"].value_counts()
    return say("pair_findings", counts=counts, heads=len(heads), strongest=strongest, chosen_by=chosen_by)


def pair_table(pairs: pd.DataFrame, alpha: float) -> Markup:
    """Every two of the costliest heads: what each does alone, both together, and the interaction with its verdict."""
    margins, accuracies = (pairs[pairs["measure"] == measure].to_dict("records") for measure in ("margin", "accuracy"))
    rows = [
        {
            "heads": f"{pair[0]} and {pair[1]}",
            "first alone": signed(margin["first"]),
            "second alone": signed(margin["second"]),
            "both": signed(margin["together"]),
            "interaction": change_cell(margin, alpha),
            "verdict": badge(margin["verdict"]),
            "interaction in accuracy": change_cell(accuracy, alpha),
        }
        for pair, margin, accuracy in zip(_heads(pd.DataFrame(margins)), margins, accuracies, strict=True)
    ]
    return html_table(rows, say("pair_table", alpha=alpha), text=("heads", "verdict"))


def _heads(pairs: pd.DataFrame) -> list[tuple[str, str]]:
    """Both heads of each pair, by block and head."""
    return [
        (f"{row['first_block']}.{row['first_head']}", f"{row['second_block']}.{row['second_head']}")
        for row in pairs.to_dict("records")
    ]
