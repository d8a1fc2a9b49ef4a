"""Two groups of texts compared: what they are, how often the classifier is right about them, and how sure it is.

Groups are those of flips: texts that name people of one group only, as the word lists find them. They differ in more
than the people they name, in classes and in length for a start; so a difference of accuracy, or of any other rate, may
be due to that. `gaps.py` measures what is due to the people alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from emoscope.perturbation.pairs import countable
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.calibration import bins_of, calibration_error
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.equivalence import detectable_from_interval, equivalence_verdict, interval_test
from emoscope.statistics.families import benjamini_hochberg
from emoscope.statistics.rates import rate_difference_interval, rate_interval

BASE_RATE, WORDS, ACCURACY = "base rate", "words", "accuracy"
TRUE_POSITIVES, FALSE_POSITIVES = "true positives", "false positives"
OVERCONFIDENCE, CALIBRATION_ERROR = "overconfidence", "calibration error"
DESCRIBED = (BASE_RATE, WORDS)  # of the texts, not of the classifier
SIDES = ("first", "second")
COLUMNS = ["measure", "class"]
COLUMNS += [f"{side}{part}" for side in SIDES for part in ("", "_low", "_high", "_texts")]
COLUMNS += ["difference", "low", "high", "p", "p_within", "detectable"]


def named_groups(pairs: pd.DataFrame) -> pd.Series:
    """The group that each test text names, by id, from the pairs of a flip that count; texts that name both are left
    out."""
    texts = pairs[(pairs["origin"] == "natural") & countable(pairs) & pairs["direction"].str.contains(" to ")]
    return texts.set_index("id")["direction"].str.split(" to ").str[0]


def compare_groups(
    predictions: pd.DataFrame, groups: pd.Series, sides: Sequence[str], classes: Sequence[str], margin: float, *,
    alpha: float, resamples: int, seed: int,
) -> pd.DataFrame:  # fmt: skip
    """What sets the predictions on texts of two groups apart; `difference` is of the first minus the second.

    `predictions` has `id, text, label, pred, confidence`; `groups` a group for some of the ids. Each text counts once.

    - `base rate`: share of texts of a class; `words`: mean number of words;
    - `accuracy`;
    - `true positives`: of the texts of a class, the share predicted so; no difference is equal
      opportunity, Hardt, Price and Srebro (2016), "Equality of opportunity in supervised learning";
    - `false positives`: of the texts of other classes, the share predicted so; with the former, equalised odds;
    - `overconfidence`: mean confidence minus accuracy; `calibration error`: the expected one, Guo et al. (2017), "On
      calibration of modern neural networks".

    Rates have exact intervals, differences Newcombe's, p is Fisher's; overconfidence and calibration error are
    bootstrapped, and their p follows from the interval. `p_adjusted` is Benjamini and Hochberg's over the classes of a
    measure. `verdict`: equivalent within the margin, different, or underpowered. A group of fewer than FEWEST_CLUSTERS
    texts has neither intervals nor tests.
    """
    table = predictions.assign(group=predictions["id"].map(groups)).drop_duplicates("text")
    parts = [table[table["group"] == side] for side in sides]
    rows = [*_rates(parts, classes, margin, alpha), *_confidence(parts, margin, alpha, resamples, seed)]
    found = pd.DataFrame(rows, columns=COLUMNS)
    adjusted = found.groupby("measure")["p"].transform(lambda p: benjamini_hochberg(p.to_numpy(dtype=float)))
    verdict = equivalence_verdict(found["p_within"].to_numpy(), adjusted.to_numpy(), alpha)
    judged = np.where(found["measure"].isin(DESCRIBED) | found["p"].isna(), "", verdict)
    return found.assign(p_adjusted=adjusted, verdict=judged)


def _rates(parts: list[pd.DataFrame], classes: Sequence[str], margin: float, alpha: float) -> Iterator[tuple]:
    for number, name in enumerate(classes):
        yield _rate(BASE_RATE, name, [part["label"] == number for part in parts], margin, alpha)
    yield _mean_words(parts)
    yield _rate(ACCURACY, "", [part["label"] == part["pred"] for part in parts], margin, alpha)
    for measure, of_class in ((TRUE_POSITIVES, True), (FALSE_POSITIVES, False)):
        for number, name in enumerate(classes):
            judged = [part[(part["label"] == number) == of_class] for part in parts]
            yield _rate(measure, name, [part["pred"] == number for part in judged], margin, alpha)


def _rate(measure: str, name: str, events: list[pd.Series], margin: float, alpha: float) -> tuple:
    first, second = (np.asarray(side, dtype=bool) for side in events)
    sides = [(_mean(side), *rate_interval(side, np.arange(len(side)), alpha), len(side)) if _enough(side)
             else (_mean(side), np.nan, np.nan, len(side)) for side in (first, second)]  # fmt: skip
    if not (_enough(first) and _enough(second)):
        return _row(measure, name, sides, (np.nan, np.nan), np.nan, margin, alpha)
    interval = rate_difference_interval(first, second, paired=False, alpha=alpha)
    counts = [[side.sum(), (~side).sum()] for side in (first, second)]
    return _row(measure, name, sides, interval, float(fisher_exact(counts).pvalue), margin, alpha)


def _mean_words(parts: list[pd.DataFrame]) -> tuple:
    lengths = [part["text"].str.split().str.len() for part in parts]
    sides = [(_mean(side), np.nan, np.nan, len(side)) for side in lengths]
    return _row(WORDS, "", sides, (np.nan, np.nan), np.nan, 1.0, 0.05)


def _confidence(parts: list[pd.DataFrame], margin: float, alpha: float, resamples: int, seed: int) -> Iterator[tuple]:
    both = pd.concat(parts)
    of_first = np.arange(len(both)) < len(parts[0])
    confidence, right = both["confidence"].to_numpy(dtype=float), (both["label"] == both["pred"]).to_numpy()
    bins = bins_of(confidence)

    def statistic(weights: np.ndarray) -> np.ndarray:
        found = []
        for chosen in (of_first, ~of_first):
            weight = weights * chosen
            if weight.any():
                over = weight @ (confidence - right) / weight.sum()
                found.append((over, calibration_error(confidence, right, bins, weight)))
            else:
                found.append((np.nan, np.nan))
        return np.array([*found, np.subtract(*found)])  # (first, second, difference) of both measures

    enough = all(map(_enough, parts))
    value = statistic(np.ones(len(both)))
    unknown = np.full((2, *value.shape), np.nan)
    low, high = (
        bootstrap_statistic(statistic, np.arange(len(both)), seed=seed, resamples=resamples, alpha=alpha)
        if enough
        else unknown
    )
    for number, measure in enumerate((OVERCONFIDENCE, CALIBRATION_ERROR)):
        sides = [(value[k, number], low[k, number], high[k, number], len(part)) for k, part in enumerate(parts)]
        interval = low[2, number], high[2, number]
        p = interval_test(value[2, number], *interval, 0.0, alpha)[1] if enough else np.nan
        yield _row(measure, "", sides, interval, p, margin, alpha)


def _row(
    measure: str, name: str, sides: list[tuple], interval: tuple[float, float], p: float, margin: float, alpha: float
) -> tuple:
    difference = sides[0][0] - sides[1][0]
    within = interval_test(difference, *interval, margin, alpha)[0] if not np.isnan(p) else np.nan
    detectable = detectable_from_interval(*interval, alpha)
    return (measure, name, *sides[0], *sides[1], difference, *interval, p, within, detectable)


def _mean(values: Sequence) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def _enough(values: Sequence) -> bool:
    return len(values) >= FEWEST_CLUSTERS
