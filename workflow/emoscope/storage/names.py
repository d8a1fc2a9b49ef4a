"""Names and numbers in the tables that several experiments agree on."""

EVERYWHERE = -1  # in place of a position: all positions at once
WHOLE_BLOCK = -1  # in the column `head`: the whole block, not one of its heads
ALL = "all"  # in the column `group`: the samples of every class together
NONE = -1  # in place of a block, head, unit or depth: of no single one
TOP = 0.05  # share of the dimensions that count as the largest
