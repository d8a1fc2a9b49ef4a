"""Whether flips move the margin further than neutral swaps: before that, nothing inside is of flips alone."""

from collections.abc import Mapping


def moves_further(flips: Mapping, neutral: Mapping | None) -> bool:
    """Whether flips are shown to move the margin further than neutral swaps: by intervals, `low` and `high`, that do
    not meet; without neutral swaps nothing is shown. A margin is that of the classes which a pair moves most, so that
    whatever is exchanged moves one."""
    return neutral is not None and bool(flips["low"] > neutral["high"])
