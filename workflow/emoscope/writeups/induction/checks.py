"""What a model that copies must show, and whether it was found."""

import numpy as np
import pandas as pd

MORE_OFTEN_THAN_NOT = 0.5  # right, as the claim that the second half is predicted asks for
OVER_RANDOM = 2  # how many times the best score of random weights


def circuit_checks(found: pd.DataFrame) -> dict[str, bool | None]:
    """Whether a model that copies shows what it must have, by the name of the finding that says so.

    True if the finding's interval lies beyond what it is held against, False if not even its value does, else None; None
    without an interval, or without random heads or pairs to hold it against.
    """
    above = {"known_accuracy": MORE_OFTEN_THAN_NOT}
    above |= {f"{line}_score": OVER_RANDOM * found.loc[f"random_{line}_score", "high"] for line in ("induction", "previous")}
    if "composition_embedding_random" in found.index:
        above["composition_embedding"] = found.loc["composition_embedding_random", "high"]
    checks = {name: _beyond(*found.loc[name, ["value", "low"]], bound) for name, bound in above.items()}
    fall, compared = most_silenced(found)
    value, high = found.loc[fall, ["value", "high"]]
    return checks | {fall: _beyond(-value, -high, 0) if compared else None}


def most_silenced(found: pd.DataFrame) -> tuple[str, bool]:
    """The finding of what silencing induction heads does beyond as many random ones, of the most heads at once that it
    was tried with, and True; if it was tried with none, that of what silencing the most does, and False."""
    for kind, compared in (("beyond_random", True), ("induction", False)):
        names = found.index[found.index.str.fullmatch(rf"accuracy_without_\d+_{kind}")]
        if len(names):
            return max(names, key=lambda name: int(name.split("_")[2])), compared
    raise ValueError("nothing was silenced")


def _beyond(value: float, bound_of_it: float, other: float) -> bool | None:
    """Whether a value is larger than another by its lower bound, and not even by itself."""
    if np.isnan([bound_of_it, other]).any():
        return None
    return True if bound_of_it > other else False if value <= other else None
