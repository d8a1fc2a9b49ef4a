"""Whether predictions do what the writer of a pair meant them to: rise, fall, stay, or become a class.

Rise and fall are of the expected class number, the sum of k P(class k), with classes in the order of the corpus, which
need not be the model's; of whole classes they are of the predicted one. Classes of the model alone have no place in
that order: the expectation is over the others. The rate stands beside that of exchanged goals, each pair given the goal
of any other: what is left over is not due to predictions that move anyhow, nor to one goal being frequent. Pairs that
all ask for the same have nothing to exchange: predictions that move that way anyhow do all that is asked, and no such
pair tells them from those that follow. Then nothing is tested; how often the opposite happens is told beside it.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from emoscope.experiments.suites.readers import DOWN, STAYS, UP
from emoscope.perturbation.pairs import PAIR_KEY, countable, decisions, distinct, moved, probabilities
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.bounded import CHANGE, bounded_test
from emoscope.statistics.rates import excess_interval, rate_interval

FOLLOWS, FOLLOWS_CLASS = "follows", "whole classes"
COLUMNS = ["group", "measure", "value", "low", "high", "chance", "lead", "lead_low", "lead_high", "p", "always"]
COLUMNS += ["commonest", "pairs", "clusters", "opposite", "opposite_low", "opposite_high"]
COLUMNS += ["words", "words_low", "words_high", "above_words", "above_low", "above_high"]
OPPOSITE = {UP: DOWN, DOWN: UP}


def goal_rates(
    pairs: pd.DataFrame, words: pd.DataFrame, classes: Sequence[str], order: Sequence[str], margin: float, alpha: float
) -> pd.DataFrame:
    """For all pairs with a goal (`group` empty) and for each group, how often the prediction does what the goal asks.
    A pair of several groups counts in each of them, and once in all.

    `value` with interval; `chance`, the mean over exchanged goals; `lead`, the difference of the two, with interval, p
    and p_adjusted (Benjamini-Hochberg over the groups, and over all pairs apart); `always`, the share of the commonest
    goal: how often it would be met by predictions that do what that goal asks whatever the pair. Where all pairs ask
    for the same, `chance`, `lead` and p are NaN, and `opposite` is how often predictions rise instead of falling, or
    fall; NaN elsewhere. The parameter `words` holds a bag of words' scores of the pairs with a goal: the
    column `words` is its rate, and `above_words` the model's less that, pair by pair; all with intervals.
    """
    aimed = distinct(pairs[countable(pairs) & (pairs["goal"] != "")], "term")
    cheap = aimed[PAIR_KEY].merge(words, on=PAIR_KEY, how="left", validate="1:1").set_axis(aimed.index)
    groups = [("", distinct(aimed)), *(aimed.groupby("term", sort=False) if aimed["term"].nunique() > 1 else ())]
    settings = classes, order, margin, alpha
    rows = [row for name, own in groups if len(own) for row in _rates(name, own, cheap.loc[own.index], *settings)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    families = table.groupby(["measure", table["group"] == ""])["p"]
    return table.assign(p_adjusted=families.transform(lambda p: benjamini_hochberg(p.to_numpy(dtype=float))))


def _rates(
    name: str,
    pairs: pd.DataFrame,
    words: pd.DataFrame,
    classes: Sequence[str],
    order: Sequence[str],
    margin: float,
    alpha: float,
) -> Iterator[tuple]:
    goals, own = np.unique(pairs["goal"], return_inverse=True)
    shares, clusters = np.bincount(own) / len(own), pairs["cluster"]
    directed = bool({UP, DOWN} - set(classes) & set(goals))
    other = OPPOSITE.get(goals[0]) if len(goals) == 1 and not {UP, DOWN} & set(classes) else None

    def rate(events: np.ndarray) -> tuple[float, float, float]:
        return events.mean(), *rate_interval(events, clusters, alpha)

    for measure in (FOLLOWS, FOLLOWS_CLASS) if directed else (FOLLOWS,):
        options = classes, order, measure == FOLLOWS_CLASS
        met, by_words = (obeyed(scores, goals, *options) for scores in (pairs, words))
        follows, others = (found[np.arange(len(own)), own] for found in (met, by_words))
        chance, opposite = (np.nan,) * 5, (np.nan,) * 3
        if len(goals) > 1:
            exchanged = met @ shares
            tested = bounded_test(follows - exchanged, clusters, margin, CHANGE, alpha)
            chance = exchanged.mean(), tested.value, tested.low, tested.high, tested.p_difference
        if other:
            opposite = rate(obeyed(pairs, [other], *options)[:, 0])
        above = follows.mean() - others.mean(), *excess_interval(follows, others, clusters, alpha)
        yield (
            name, measure, *rate(follows), *chance, shares.max(), goals[shares.argmax()], len(pairs),
            clusters.nunique(), *opposite, *rate(others), *above,
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
