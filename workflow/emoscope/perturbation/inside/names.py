"""Names in the tables on pairs seen from inside."""

FLIP, NEUTRAL = "flip", "neutral"  # kinds of pairs
SPREAD = "spread"  # beside them: the usual spread of the dimensions, and no change
PLACES = ("changed", "others", "pooled")  # kinds of place in a text; `pooled` is where the classifier reads
ROUNDING = 1e-4  # logits: a mean total below this is rounding, and has no shares
