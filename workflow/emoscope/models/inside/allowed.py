"""Which checks of a model there are, and what its experiments do only where some of them hold.

Read by nearly every command that runs a model: what makes the checks is in `padding` and `exactness`.
"""

from collections.abc import Collection
from pathlib import Path

from emoscope.storage.files import read_json

NEEDS = {  # what the experiments do, by the checks without which it would be wrong
    "head masks": ("heads",),
    "patching": ("heads", "pooled", "resumed"),
    "attribution": ("heads", "pooled", "parts"),
    "lens": ("pooled", "lens"),
    "attention": ("values", "weights", "blocking", "heads", "pooled", "resumed"),
    "probing": ("pooled",),
    "features": ("resumed",),
}
CHECKS = ("padding", "pooled", "halves", "heads", "resumed", "lens", "parts", "values", "weights", "blocking")


def exact_checks(file: Path) -> frozenset[str]:
    """The checks that hold, by what `check_exactness` wrote."""
    return frozenset(check["check"] for check in read_json(file)["checks"] if check["exact"])


def allowed(what: str, exact: Collection[str]) -> bool:
    """Whether nothing that an experiment needs (NEEDS) is missing."""
    return set(NEEDS[what]) <= set(exact)
