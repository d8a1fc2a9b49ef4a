"""Which texts are masked."""

import pytest

from emoscope.experiments.masking.samples import most_confident
from made_up import predictions


@pytest.mark.parametrize("by", ["predicted", "label"])
def test_the_most_confident_of_each_class(by):
    table = predictions(200).assign(text="x")
    chosen = most_confident(table, 10, by)
    column = "pred" if by == "predicted" else "label"
    assert (chosen["group"] == chosen[column]).all()
    for number, group in chosen.groupby("group"):
        left = table[(table[column] == number) & ~table["id"].isin(group["id"])]
        assert len(group) == 10 and group["confidence"].min() >= left["confidence"].max()
