"""Names that the tables share, and which perturbed pairs count."""

import pandas as pd

WHOLE_BLOCK = -1  # in the column `head`: the whole block, not one of its heads
ALL = "all"  # in the column `group`: the samples of every class together
PAIR_KEY = ["id", "axis", "origin", "term"]  # what identifies a perturbed pair
LARGE = 0.1  # the paper's threshold: a class's probability changes by 10 % or more
UNFIT = {"uncertain", "gender-locked"}  # flags of pairs that no rate counts: a guess, or a text the flip makes absurd


def countable(pairs: pd.DataFrame) -> pd.Series:
    """True for the pairs whose `flags` let them count in rates and means."""
    return pairs["flags"].map(lambda flags: UNFIT.isdisjoint(flags)).astype(bool)
