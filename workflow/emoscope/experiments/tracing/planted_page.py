"""What the page on flips from inside says of a corpus whose truth is known: whether what was planted was found."""

from collections.abc import Mapping
from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.experiments.tracing.path import HALF, ends, residual
from emoscope.perturbation.inside.margins import moves_further
from emoscope.perturbation.inside.names import FLIP, NEUTRAL
from emoscope.reporting.html import outcome, planted_box
from emoscope.reporting.passages import Findings, passage

say = partial(passage, "tracing")
FURTHER = 0.25  # of how far neutral swaps move the margin: by less than this more, a flip moves it no further


def planted(axes: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], truth: Mapping, findings: pd.DataFrame) -> Markup:
    """What was planted in a generated corpus, and whether patching shows it; `axes` hold averaged pairs and shares.

    The path is judged by `_path_verdict`; of fewer than three blocks, which have no early and late, it cannot be told.
    A planted difference of size is found if the intervals of flips and neutral swaps lie apart; a planted absence, if
    even the upper end for flips lies within FURTHER of the lower end for neutral swaps.
    """
    found, rows = Findings(findings), []
    sizes = {axis: truth["effects"][axis]["size"] for axis in ("gender", "race")}
    if "gender" in axes and sizes["gender"]:
        averaged, shares = axes["gender"]
        used = averaged[averaged["kind"] == FLIP].dropna(subset="total")
        ambiguous = used["id"].isin(truth["ids"]["ambiguous"]) & (used["origin"] == "natural")
        changed, pooled = residual(shares, FLIP, "changed"), residual(shares, FLIP, "pooled")
        if len(changed) and len(used):
            early, late = ends(shares)
            told = _path_verdict(pooled.loc[early], pooled.loc[late])
            rows.append(
                {
                    "planted": say("planted_path", size=sizes["gender"]),
                    "found": say(
                        "found_path",
                        ambiguous=int(ambiguous.sum()),
                        pairs=len(used),
                        share=used.loc[ambiguous, "total"].sum() / used["total"].sum(),
                        blocks=pooled.index.max(),
                        before=changed.loc[early],
                        then=pooled.loc[early],
                        after=pooled.loc[late],
                    ),
                    "verdict": told if early < late else "cannot tell",
                }
            )
    for axis, size in sizes.items():
        names = [f"{axis}.{kind}.margin" for kind in (FLIP, NEUTRAL)]
        if axis in axes and all(name in found for name in names):
            flip, neutral = (found[name] for name in names)
            more, less = moves_further(flip, neutral), moves_further(neutral, flip)
            no_further = flip["high"] < (1 + FURTHER) * neutral["low"]
            rows.append(
                {
                    "planted": say("planted_size", axis=axis, size=size, further=FURTHER),
                    "found": say("found_size", flip=flip, neutral=neutral),
                    "verdict": outcome(more if size else no_further, less if size else more),
                }
            )
    return planted_box(rows) if rows else Markup()


def _path_verdict(early: pd.Series, late: pd.Series) -> str:
    """Whether less than half of the difference is where the classifier reads after the first block, and more than half
    before the last one, with the whole interval each.

    An end is right, wrong (the whole interval lies on the other side), or open; with an open end it cannot be told. A
    wrong start is missed wherever the difference arrives: behind the last block all of it is where the classifier reads
    by construction, so that it is nearly there before is next to given, and does not make half a find.
    """
    starts, wrong = early["high"] < HALF, early["low"] > HALF
    arrives, stays_away = late["low"] > HALF, late["high"] < HALF
    return outcome(starts and arrives, wrong and (arrives or stays_away), partly=starts and stays_away)
