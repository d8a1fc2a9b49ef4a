"""Names in the tables of circuits."""

INTEGRATED, GRADIENT, PATCHING = "integrated gradients", "one gradient", "patching"  # how effects are found
MASKING, RANDOM = "masking", "random"  # other orders in which parts are kept
KEPT, REPLACED = "kept", "replaced"  # what is done with the first of an order; the others get the opposite
NODE = ["site", "block", "head"]
EDGE = [f"{end}_{name}" for end in ("source", "target") for name in NODE]
PASSED_OVER = "passed over"  # kind of a flip that could not be looked into
CLASS = "class"  # beside the axes of flips: texts whose classes differ, or do not


def called(axis: str) -> tuple[str, str]:
    """What a pair of an axis is called, and one of those beside them."""
    return ("cross-class pair", "same-class pair") if axis == CLASS else ("flip", "neutral swap")
