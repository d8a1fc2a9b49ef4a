"""Which pairs count."""

import pandas as pd
import pytest

from emoscope.perturbation.pairs import (
    beside_neutral,
    countable,
    large,
    largest_change,
    moved,
    pair_classes,
    probabilities,
    scored,
)
from made_up import pairs


def test_uncertain_pairs_are_left_out_and_none_is_no_error():
    table = pairs(6)
    scores = table[["id", "axis", "origin", "term", *table.filter(regex="^(before|after)_").columns]]
    columns = [name for name in table if not name.startswith(("before_", "after_"))]
    kept = table[columns][countable(table)]
    assert scored(kept, scores)["id"].tolist() == [1, 3, 5]
    assert scored(kept[:0], scores[:0]).empty
    assert largest_change(table[:0]).empty


def test_what_happens_to_a_pair():
    """The k-th pair moves P(anger) up by k percent from one half, so every class ties before and anger wins after."""
    table = pairs(30)
    assert [round(change, 2) for change in largest_change(table)] == [k / 100 for k in range(30)]
    assert moved(table).tolist() == [False] + [True] * 29
    assert large(table).drop(10).tolist() == [False] * 10 + [True] * 19, "one tenth is far, but for rounding"
    assert pair_classes(table) == ["joy", "anger"]
    before, after = probabilities(table)
    assert (before == 0.5).all() and (after[1:, 1] > 0.5).all()


@pytest.mark.parametrize("flag", ["uncertain", "half-flipped", "gender-locked", "beyond the context"])
def test_pairs_with_a_doubt_do_not_count(flag):
    assert countable(pd.DataFrame({"flags": [[flag], ["name"], [], ["name", flag]]})).tolist() == [
        False, True, True, False,
    ]  # fmt: skip


def test_swaps_stand_beside_the_pairs_of_their_texts():
    own = pd.DataFrame({"id": [1, 2, 3, 3], "text": ["a", "b", "c", "again"]})
    swaps = pd.DataFrame({"id": [3, 9, 1, 3], "text": ["not c", "of no pair", "not a", "again"]})
    alike, swapped = beside_neutral(own, swaps)
    assert list(alike["text"]) == ["c", "a"] and list(swapped["text"]) == ["not c", "not a"]


def test_the_largest_change_is_that_of_one_class():
    table = pd.DataFrame(
        [[0.2, 0.3, 0.5, 0.5, 0.25, 0.25]], columns=[f"{w}_{c}" for w in ("before", "after") for c in "abc"]
    )
    assert largest_change(table).tolist() == [pytest.approx(0.3)]
