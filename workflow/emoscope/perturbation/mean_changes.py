"""By how much a perturbation moves each class's probability in the mean, and how far apart two groups of people are."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from emoscope.perturbation.pairs import named_first, probabilities
from emoscope.statistics.bounded import CHANGE, bounded_test
from emoscope.statistics.clusters import MeanTest, shown_by_all

MEANS = ("change", "gap")


def terms_of(pairs: pd.DataFrame) -> dict[str, int]:
    """Of how many terms of an origin each of MEANS is tested, a family together with the classes."""
    directed = sum(bool(named_first(own).any()) for _, own in pairs.groupby("term"))
    return dict(zip(MEANS, (pairs["term"].nunique(), directed), strict=True))


def mean_changes(
    pairs: pd.DataFrame, margin: float, alpha: float, terms: Mapping[str, int]
) -> Iterator[tuple[str, pd.DataFrame, MeanTest]]:
    """Each of MEANS with the pairs that it is over and its test, (classes,): after minus before, and the first group
    minus the second, over the pairs that name one of them. Of so many `terms` these pairs are one.

    Where the same `people` stand in all texts, what is made of single ones does not average out over the texts. So they
    are taken for clusters, too, as texts are, and only what both show is shown.
    """
    before, after = probabilities(pairs)
    sign = named_first(pairs)
    for name, differences in zip(MEANS, (after - before, (before - after) * sign[:, None]), strict=True):
        chosen = np.ones(len(pairs), dtype=bool) if name == "change" else sign != 0
        if chosen.any():
            own, tests = pairs[chosen], terms[name] * before.shape[1]
            kinds = [column for column in ("cluster", "people") if column in own and own[column].ne("").all()]
            found = [
                bounded_test(differences[chosen], own[kind].to_numpy(), margin, CHANGE, alpha, tests) for kind in kinds
            ]
            yield name, own, shown_by_all(found)
