"""What the attention page reads off its tables, beside the findings: which head, and which place."""

import pandas as pd

from emoscope.writeups.attention.published import published_rows
from emoscope.writeups.attention.summarise import looks_in


def most_looking(heads: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """For each kind of place, and for what followed earlier occurrences, the (block, head) that looks there most."""
    looks = [look for look in (*looks_in(heads), "repeated") if look in heads and heads[look].notna().any()]
    tops = {look: heads.loc[heads[look].idxmax()] for look in looks}
    return {look: (int(top["block"]), int(top["head"])) for look, top in tops.items()}


def mostly(heads: pd.DataFrame) -> pd.Series:
    """The kind of place that each head looks at most."""
    return heads[looks_in(heads)].idxmax(axis=1)


def most_agreeing(heads: pd.DataFrame) -> pd.Series:
    """The head whose weights agree best with the effect of blocking."""
    return heads.loc[heads["agreement"].idxmax()]


def first_is_largest(weights: pd.DataFrame, tokens: pd.DataFrame) -> int | None:
    """In how many heads the first token gets the largest weight at the place that the write-up prints; None without."""
    rows = [published_rows(weights, tokens, head) for head in sorted(weights["head"].unique())]
    if rows[0].empty:
        return None
    return sum(table.loc[table["weight"].idxmax(), "target"] == 0 for table in rows)
