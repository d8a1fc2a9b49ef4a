"""Two groups of texts compared: what they are, how often the classifier is right about them, and how sure it is.

Groups are those of flips, texts that name people of one group only, as the word lists find them, or those that a
column of the corpus tells. They differ in more than that, in classes and in length for a start; so a difference of
accuracy, or of any other rate, may be due to it. `gaps.py` measures what is due to the people alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.calibration import bins_of, calibration_error
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.equivalence import detectable_from_interval, equivalence_verdict, interval_test
from emoscope.statistics.rates import rate_difference_interval, rate_interval
from emoscope.storage.decisions import as_matrix, truth_of

BASE_RATE, WORDS, ACCURACY = "base rate", "words", "accuracy"
TRUE_POSITIVES, FALSE_POSITIVES = "true positives", "false positives"
OVERCONFIDENCE, CALIBRATION_ERROR = "overconfidence", "calibration error"
DESCRIBED = (BASE_RATE, WORDS)  # of the texts, not of the classifier
SIDES = ("first", "second")
COLUMN = "column "  # what the axis of groups that a column tells begins with
COLUMNS = ["measure", "class"]
COLUMNS += [f"{side}{part}" for side in SIDES for part in ("", "_low", "_high", "_texts")]
COLUMNS += ["difference", "low", "high", "p", "p_within"]


def named_groups(pairs: pd.DataFrame) -> pd.Series:
    """The group that each test text names, by id, as the words that a flip exchanges have it; texts that name both are
    left out. Flags do not matter: a twin that makes no sense (she is pregnant) leaves the text's own group certain, and
    to leave such texts out would take more from one group than from the other."""
    texts = pairs[(pairs["origin"] == "natural") & pairs["direction"].str.contains(" to ")]
    return texts.set_index("id")["direction"].str.split(" to ").str[0]


def compare_groups(
    predictions: pd.DataFrame, groups: pd.Series, sides: Sequence[str], classes: Sequence[str], margin: float, *,
    alpha: float, resamples: int, seed: int,
) -> pd.DataFrame:  # fmt: skip
    """What sets the predictions on texts of two groups apart; `difference` is of the first minus the second.

    `predictions` has `id, text, label, pred, confidence`, or `labels` and lists of several; `groups` a group for some
    of the ids. Each text counts once in a group.

    - `base rate`: share of texts of a class; `words`: mean number of words;
    - `accuracy`;
    - `true positives`: of the texts of a class, the share predicted so; no difference is equal
      opportunity, Hardt, Price and Srebro (2016), "Equality of opportunity in supervised learning";
    - `false positives`: of the texts of other classes, the share predicted so; with the former, equalised odds;
    - `overconfidence`: mean confidence minus accuracy; `calibration error`: the expected one, Guo et al. (2017), "On
      calibration of modern neural networks". It has no difference: each errs upwards, in few texts further, so that
      groups of two sizes would differ without any cause.

    Rates have exact intervals, differences Newcombe's, p is Fisher's; overconfidence and calibration error are
    bootstrapped, and the p of the first follows from the interval. `p_adjusted` is Benjamini and Hochberg's over the
    classes of a measure. `verdict`: equivalent within the margin, different, or underpowered. A group of fewer than
    FEWEST_CLUSTERS texts has neither intervals nor tests.
    """
    table = predictions.assign(group=predictions["id"].map(groups))
    return judged(_measured(table, sides, classes, margin, alpha, resamples, seed), alpha)


def compare_column(
    predictions: pd.DataFrame, column: str, classes: Sequence[str], margin: float, *, alpha: float, resamples: int,
    seed: int,
) -> pd.DataFrame:  # fmt: skip
    """`compare_groups` with the groups of the column `group` in `predictions`; texts whose group is empty are left out.

    The first of two, by their names, is compared with the second; each of more with all others, `p_adjusted` then being
    over all of them. `axis` says which, `column` being the name in the corpus's source; `first_group` and
    `second_group` name both sides.
    """
    table = predictions[predictions["group"] != ""]
    names = sorted(table["group"].unique())
    parts, several = [], len(names) > 2
    for name in names if several else names[:1]:
        own = table["group"] == name
        sides = (name, "") if several else tuple(names)  # no group is called nothing
        found = _measured(table.assign(group=np.where(own, *sides)), sides, classes, margin, alpha, resamples, seed)
        axis = COLUMN + column + (f": {name}" if several else "")
        parts.append(found.assign(axis=axis, first_group=name, second_group=f"all but {name}" if several else names[1]))
    return judged(pd.concat(parts, ignore_index=True), alpha)


def judged(found: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """What was measured, with p adjusted over the classes, and groups, of a measure; and with verdicts.

    `detectable` is the smallest difference that would show, even if it were the only one of these; `detectable_alone`
    if nothing else were tested.
    """
    family = found.groupby("measure")["p"]
    adjusted = family.transform(lambda p: benjamini_hochberg(p.to_numpy(dtype=float)))
    ends, tests = (found["low"].to_numpy(), found["high"].to_numpy(), alpha), family.transform("count").clip(lower=1)
    alone, one = detectable_from_interval(*ends), detectable_from_interval(*ends, tests=tests.to_numpy())
    verdict = equivalence_verdict(found["p_within"].to_numpy(), adjusted.to_numpy(), alpha)
    untested = found["measure"].isin(DESCRIBED) | found["p"].isna()
    told = {"detectable": one, "detectable_alone": alone, "p_adjusted": adjusted}
    return found.assign(**told, verdict=np.where(untested, "", verdict))


def _measured(
    table: pd.DataFrame, sides: Sequence[str], classes: Sequence[str], margin: float, alpha: float, resamples: int,
    seed: int,
) -> pd.DataFrame:  # fmt: skip
    """The rows of `compare_groups` of a table with the column `group`, not yet judged."""
    table = table[table["group"].isin(sides)].drop_duplicates(["text", "group"])
    places = [(table["group"] == side).to_numpy() for side in sides]
    truth, given = truth_of(table, len(classes)), as_matrix(table["pred"], len(classes))
    right = (truth == given).all(axis=1)
    rows = [
        _rate(BASE_RATE, name, [truth[place, k] for place in places], margin, alpha) for k, name in enumerate(classes)
    ]
    rows.append(_mean_words([table["text"][place] for place in places]))
    rows.append(_rate(ACCURACY, "", [right[place] for place in places], margin, alpha))
    for measure, there in ((TRUE_POSITIVES, truth), (FALSE_POSITIVES, ~truth)):
        for k, name in enumerate(classes):
            rows.append(_rate(measure, name, [given[place & there[:, k], k] for place in places], margin, alpha))
    rows += _confidence(table["confidence"].to_numpy(dtype=float), right, places, margin, alpha, resamples, seed)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rate(measure: str, name: str, events: list[np.ndarray], margin: float, alpha: float) -> tuple:
    sides = []
    for side in events:
        interval = rate_interval(side, np.arange(len(side)), alpha) if _enough(side) else (np.nan, np.nan)
        sides.append((_mean(side), *interval, len(side)))
    if not all(map(_enough, events)):
        return _row(measure, name, sides, (np.nan, np.nan), np.nan, margin, alpha)
    interval = rate_difference_interval(*events, paired=False, alpha=alpha)
    counts = [[side.sum(), (~side).sum()] for side in events]
    return _row(measure, name, sides, interval, float(fisher_exact(counts).pvalue), margin, alpha)


def _mean_words(texts: list[pd.Series]) -> tuple:
    lengths = [side.str.split().str.len() for side in texts]
    sides = [(_mean(side), np.nan, np.nan, len(side)) for side in lengths]
    return (WORDS, "", *sides[0], *sides[1], sides[0][0] - sides[1][0], *[np.nan] * 4)


def _confidence(
    confidence: np.ndarray, right: np.ndarray, places: list[np.ndarray], margin: float, alpha: float, resamples: int,
    seed: int,
) -> Iterator[tuple]:  # fmt: skip
    bins = bins_of(confidence)

    def statistic(weights: np.ndarray) -> np.ndarray:
        over, error = np.full((2, 2), np.nan)
        for side, place in enumerate(places):
            weight = weights * place
            if weight.any():
                over[side] = weight @ (confidence - right) / weight.sum()
                error[side] = calibration_error(confidence, right, bins, weight)
        return np.array([*over, *error, over[0] - over[1]])

    value, rows = statistic(np.ones(len(right))), np.arange(len(right))
    enough = all(_enough(right[place]) for place in places)
    drawn = {"seed": seed, "resamples": resamples, "alpha": alpha}
    low, high = bootstrap_statistic(statistic, rows, **drawn) if enough else np.full((2, *value.shape), np.nan)
    counts = [int(place.sum()) for place in places] * 2
    *sides, (difference, *interval, _) = zip(value, low, high, [*counts, 0], strict=True)
    p = interval_test(difference, *interval, 0.0, alpha)[1] if enough else np.nan
    yield _row(OVERCONFIDENCE, "", sides[:2], tuple(interval), p, margin, alpha)
    yield (CALIBRATION_ERROR, "", *sides[2], *sides[3], *[np.nan] * 5)


def _row(
    measure: str, name: str, sides: list[tuple], interval: tuple[float, float], p: float, margin: float, alpha: float
) -> tuple:
    difference = sides[0][0] - sides[1][0]
    within = interval_test(difference, *interval, margin, alpha)[0] if not np.isnan(p) else np.nan
    return (measure, name, *sides[0], *sides[1], difference, *interval, p, within)


def _mean(values: Sequence) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def _enough(values: Sequence) -> bool:
    return len(values) >= FEWEST_CLUSTERS
