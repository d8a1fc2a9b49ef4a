"""Which pairs count."""

from emoscope.perturbation.pairs import countable, largest_change, scored
from made_up import pairs


def test_uncertain_pairs_are_left_out_and_none_is_no_error():
    table = pairs(6)
    scores = table[["id", "axis", "origin", "term", *table.filter(regex="^(before|after)_").columns]]
    columns = [name for name in table if not name.startswith(("before_", "after_"))]
    kept = table[columns][countable(table)]
    assert scored(kept, scores)["id"].tolist() == [1, 3, 5]
    assert scored(kept[:0], scores[:0]).empty
    assert largest_change(table[:0]).empty
