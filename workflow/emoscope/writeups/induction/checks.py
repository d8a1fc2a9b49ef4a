"""What a model that copies must show, and whether it was found."""

import numpy as np
import pandas as pd

GIVEN = "known_accuracy"  # no check: a copier that has not learnt to copy is not kept
MORE_OFTEN_THAN_NOT = 0.5  # right
OVER_RANDOM = 2  # how many times the best score of random weights


def circuit_checks(found: pd.DataFrame) -> dict[str, bool | None]:
    """Whether a model that copies shows what it must have, by the name of the finding that says so.

    True if the finding's interval lies beyond what it is held against, False if not even its value does, else None. So
    it is without an interval, without random heads to hold it against, and where the model does not copy.
    """
    lines = ("induction", "previous")
    bounds = {f"{line}_score": OVER_RANDOM * found.loc[f"random_{line}_score", "high"] for line in lines}
    if "composition_embedding_random" in found.index:
        bounds["composition_embedding"] = found.loc["composition_embedding_random", "high"]
    checks = {name: _beyond(*found.loc[name, ["value", "low"]], bound) for name, bound in bounds.items()}
    fall, compared = most_silenced(found)
    checks[fall] = _beyond(*-found.loc[fall, ["value", "high"]], 0) if compared else None
    return checks if copies(found) else dict.fromkeys(checks)


def copies(found: pd.DataFrame) -> bool | None:
    """Whether the model copies these sequences at all, without which there is nothing that it must show."""
    return _beyond(*found.loc[GIVEN, ["value", "low"]], MORE_OFTEN_THAN_NOT)


def most_silenced(found: pd.DataFrame) -> tuple[str, bool]:
    """The finding of what silencing induction heads does beyond as many random ones, of the most heads at once that it
    was tried with, and True; if it was tried with none, that of what silencing the most does, and False."""
    for kind, compared in (("beyond_random", True), ("induction", False)):
        names = found.index[found.index.str.fullmatch(rf"accuracy_without_\d+_{kind}")]
        if len(names):
            return max(names, key=lambda name: int(name.split("_")[2])), compared
    raise ValueError("nothing was silenced")


def _beyond(value: float, near_end: float, other: float) -> bool | None:
    """Whether a value is larger than another by the near end of its interval, and not even by itself."""
    if np.isnan([near_end, other]).any():
        return None
    return True if near_end > other else False if value <= other else None
