"""Names that the tables share."""

WHOLE_BLOCK = -1  # in the column `head`: the whole block, not one of its heads
ALL = "all"  # in the column `group`: the samples of every class together
PAIR_KEY = ["id", "axis", "origin", "term"]  # what identifies a perturbed pair
LARGE = 0.1  # the paper's threshold: a class's probability changes by 10 % or more
