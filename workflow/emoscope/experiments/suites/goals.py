"""Whether predictions do what the writer of a pair meant them to: rise, fall, stay, or become a class.

Rise and fall are of the expected class number, the sum of k P(class k), with classes in the order of the corpus, which
need not be the model's; of whole classes they are of the predicted one. Classes of the model alone have no place in
that order: the expectation is over the others. The rate stands beside that of exchanged goals, each pair given the goal
of any other: what is left over is not due to predictions that move anyhow, nor to one goal being frequent.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from emoscope.experiments.suites.readers import DOWN, STAYS, UP
from emoscope.perturbation.pairs import countable, decisions, distinct, moved, probabilities
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.bounded import CHANGE, bounded_test
from emoscope.statistics.rates import rate_interval

FOLLOWS, FOLLOWS_CLASS = "follows", "whole classes"
COLUMNS = ["group", "measure", "value", "low", "high", "chance", "lead", "lead_low", "lead_high", "p", "always"]
COLUMNS += ["commonest", "pairs", "clusters"]


def goal_rates(
    pairs: pd.DataFrame, classes: Sequence[str], order: Sequence[str], margin: float, alpha: float
) -> pd.DataFrame:
    """For all pairs with a goal (`group` empty) and for each group, how often the prediction does what the goal asks.

    `value` with interval; `chance`, the mean over exchanged goals; `lead`, the difference of the two, with interval, p
    and p_adjusted (Benjamini-Hochberg over the groups, and over all pairs apart); `always`, the share of the commonest
    goal: how often it would be met by predictions that do what that goal asks whatever the pair.
    """
    aimed = distinct(pairs[countable(pairs) & (pairs["goal"] != "")])
    groups = [("", aimed), *(aimed.groupby("term", sort=False) if aimed["term"].nunique() > 1 else ())]
    rows = [row for name, group in groups if len(group) for row in _rates(name, group, classes, order, margin, alpha)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    families = table.groupby(["measure", table["group"] == ""])["p"]
    return table.assign(p_adjusted=families.transform(lambda p: benjamini_hochberg(p.to_numpy(dtype=float))))


def _rates(
    name: str, pairs: pd.DataFrame, classes: Sequence[str], order: Sequence[str], margin: float, alpha: float
) -> Iterator[tuple]:
    goals, own = np.unique(pairs["goal"], return_inverse=True)
    shares, clusters = np.bincount(own) / len(own), pairs["cluster"]
    directed = bool({UP, DOWN} - set(classes) & set(goals))
    for measure in (FOLLOWS, FOLLOWS_CLASS) if directed else (FOLLOWS,):
        met = obeyed(pairs, goals, classes, order, whole=measure == FOLLOWS_CLASS)
        follows, exchanged = met[np.arange(len(own)), own], met @ shares
        tested = bounded_test(follows - exchanged, clusters, margin, CHANGE, alpha)
        yield (
            name, measure, follows.mean(), *rate_interval(follows, clusters, alpha), exchanged.mean(), tested.value,
            tested.low, tested.high, tested.p_difference, shares.max(), goals[shares.argmax()], len(pairs),
            clusters.nunique(),
        )  # fmt: skip


def obeyed(
    pairs: pd.DataFrame, goals: Sequence[str], classes: Sequence[str], order: Sequence[str], whole: bool
) -> np.ndarray:
    """Whether each pair's prediction does what each goal asks, bool (pairs, goals); `whole`: rise by a class at least.

    A class of the name of a direction is meant as a class; of several labels, it has to be among them.
    """
    before, after = decisions(pairs) if whole else probabilities(pairs)
    ranks = np.array([order.index(name) if name in order else np.nan for name in classes])
    rise = _expected(after, ranks) - _expected(before, ranks)
    outcome = {UP: rise > 0, DOWN: rise < 0, STAYS: ~moved(pairs).to_numpy()}
    outcome |= dict(zip(classes, decisions(pairs)[1].T, strict=True))
    return np.column_stack([outcome[goal] for goal in goals])


def _expected(values: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """The mean rank (rows,) by values (rows, classes) such as probabilities; NaN where they are all of classes without
    one."""
    known = ~np.isnan(ranks)
    if known.all():
        return values.astype(float) @ ranks
    with np.errstate(invalid="ignore"):
        return values[:, known].astype(float) @ ranks[known] / values[:, known].sum(axis=1)
