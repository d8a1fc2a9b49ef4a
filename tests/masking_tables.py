"""Summaries of masks, made up, and how numbers on the masking page are read."""

import pandas as pd

from emoscope.reporting.html import MINUS
from emoscope.storage.names import ALL, WHOLE_BLOCK


def masking_summary(blocks: int, heads: int, groups: list[str], conditions: tuple[str, ...]) -> pd.DataFrame:
    """Effects of a mask, made up: block b changes every measure by -b / 100."""
    keys = [(b, WHOLE_BLOCK, c) for b in range(blocks) for c in conditions]
    keys += [(b, h, "zero") for b in range(blocks) for h in range(heads)]
    kinds = ("equivalent", "different", "underpowered")
    rows = [
        (
            b,
            h,
            c,
            group,
            measure,
            -b / 100,
            -b / 100 - 0.01,
            -b / 100 + 0.01,
            0.01,
            5,
            0.02,
            0.02,
            0.5,
            1e-4,
            0.03,
            kinds[b % 3],
        )
        for b, h, c in keys
        for group in [*groups, ALL]
        for measure in ("probability", "first_class", "margin", "accuracy")
    ]
    names = ["block", "head", "condition", "group", "measure", "change", "low", "high", "p", "texts"]
    names += ["p_adjusted", "equivalence_margin", "p_equivalence", "p_beyond", "detectable", "verdict"]
    return pd.DataFrame(rows, columns=names)


def masking_samples(classes: list[str], group: int) -> pd.DataFrame:
    others = {f"p_{name}": [0.01, 0.02] for name in classes}
    fixed = {"id": [1, 2], "label": group, "pred": group, "confidence": [0.98, 0.97], "group": group}
    return pd.DataFrame(others | fixed | {f"p_{classes[group]}": [0.98, 0.97]})


def plain(text: str) -> str:
    return text.replace(MINUS, "-")
