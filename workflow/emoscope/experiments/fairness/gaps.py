"""The same text about a person of another group: counterfactual gaps, and paired tests by template and by person.

The two texts of a pair differ in the people alone, so neither class mix nor length can make a gap.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emoscope.perturbation.pairs import NEUTRAL_OF, beside_neutral, countable, probabilities
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.statistics.bounded import CHANGE, SHARE, bounded_interval, bounded_test
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.equivalence import equivalence_verdict

ORIGINS = ("natural", "template")
CHANGES = [
    "origin",
    "class",
    "value",
    "low",
    "high",
    "neutral",
    "excess",
    "excess_low",
    "excess_high",
    "p",
    "detectable",
    "detectable_alone",
]
CHANGES += ["pairs", "clusters", "controls"]
TESTS = ["unit", "name", "class", "value", "low", "high", "p", "p_within", "detectable", "pairs", "clusters"]


def absolute_gaps(pairs: pd.DataFrame, classes: Sequence[str], margin: float, alpha: float) -> pd.DataFrame:
    """For each origin and class, the mean |change| of its probability when the people in a text are flipped.

    It is the counterfactual token fairness gap of Garg et al. (2019), "Counterfactual fairness in text classification
    through robustness", class by class. No two texts get quite the same answer, so `neutral` is that of neutral swaps,
    and `excess` the difference over the texts that have one, with interval, p, p_adjusted (over classes and origins)
    and the smallest that would show, `detectable` even if it were the only one of these, `detectable_alone` if nothing
    else were tested.
    """
    rows, counted = [], pairs[countable(pairs)]
    kinds = [(origin, *_beside(counted, origin)) for origin in ORIGINS if (counted["origin"] == origin).any()]
    tests = len(classes) * sum(len(swapped) > 0 for _, _, swapped in kinds)
    for origin, own, swapped in kinds:
        change = _absolute(own)
        low, high = bounded_interval(change, own["cluster"], SHARE, alpha)
        excess = _excess(own, swapped, margin, alpha, tests)
        for number, name in enumerate(classes):
            more = {part: value[number] for part, value in excess.items()}
            interval = {"value": change[:, number].mean(), "low": low[number], "high": high[number]}
            counts = {"pairs": len(own), "clusters": own["cluster"].nunique(), "controls": len(swapped)}
            rows.append({"origin": origin, "class": name, **interval, **more, **counts})
    table = pd.DataFrame(rows, columns=CHANGES)
    return table.assign(p_adjusted=benjamini_hochberg(table["p"].to_numpy(dtype=float)))


def _beside(pairs: pd.DataFrame, origin: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The pairs of an origin, and the neutral swaps of these."""
    own = pairs[pairs["origin"] == origin]
    return own, pairs[(pairs["origin"] == NEUTRAL_OF[origin]) & pairs["id"].isin(own["id"])]


def _excess(own: pd.DataFrame, swapped: pd.DataFrame, margin: float, alpha: float, tests: int) -> dict[str, np.ndarray]:
    alike, swapped = beside_neutral(own, swapped)
    if swapped.empty:
        parts = ("neutral", "excess", "excess_low", "excess_high", "p", "detectable", "detectable_alone")
        return dict.fromkeys(parts, np.full(probabilities(own)[0].shape[1], np.nan))
    neutral = _absolute(swapped)
    tested = bounded_test(_absolute(alike) - neutral, alike["cluster"].to_numpy(), margin, CHANGE, alpha, tests)
    found = {"neutral": neutral.mean(axis=0), "excess": tested.value, "excess_low": tested.low}
    found |= {"excess_high": tested.high, "p": tested.p_difference}
    return found | {"detectable": tested.detectable_in_family, "detectable_alone": tested.detectable}


def _absolute(pairs: pd.DataFrame) -> np.ndarray:
    before, after = probabilities(pairs)
    return np.abs(after - before)


def paired_tests(
    pairs: pd.DataFrame, sides: Sequence[str], classes: Sequence[str], margin: float, alpha: float
) -> pd.DataFrame:
    """For each template, over its persons, and for each person, over the templates, the mean gap of every class.

    A gap is P(class) with a person of the first group minus P(class) with one of the second.

    As Kiritchenko and Mohammad (2018), "Examining gender and race bias in two hundred sentiment analysis systems", test
    their templates, but by bounded means instead of t, which a rare large gap misleads. Fewer than FEWEST_CLUSTERS
    pairs give no test. `p_adjusted` is Benjamini-Hochberg over all templates, or persons, and classes; `detectable` is
    the smallest gap that would show, even if it were the only one of these.
    """
    own = pairs[(pairs["origin"] == "template") & countable(pairs)].reset_index(drop=True)
    signs = own["direction"].map({" to ".join(sides): 1, " to ".join(reversed(sides)): -1})
    own = own.assign(sign=signs)[signs.notna()]
    own = own.assign(template=own["cluster"], person=[person_in(pair) for pair in own.itertuples()])
    rows = []
    for unit, cluster in (("template", "person"), ("person", "template")):
        parts = [one for one in own.groupby(unit, sort=False) if one[1][cluster].nunique() >= FEWEST_CLUSTERS]
        for name, part in parts:
            before, after = probabilities(part)
            gaps = (before - after) * part["sign"].to_numpy()[:, None]
            tested = bounded_test(gaps, part[cluster], margin, CHANGE, alpha, len(parts) * len(classes))
            counts = {"pairs": len(part), "clusters": part[cluster].nunique()}
            columns = {"value": tested.value, "low": tested.low, "high": tested.high, "p": tested.p_difference}
            columns |= {"p_within": tested.p_within, "detectable": tested.detectable_in_family}
            for number, label in enumerate(classes):
                values = {column: value[number] for column, value in columns.items()}
                rows.append({"unit": unit, "name": name, "class": label, **values, **counts})
    table = pd.DataFrame(rows, columns=TESTS)
    adjusted = table.groupby("unit")["p"].transform(lambda p: benjamini_hochberg(p.to_numpy(dtype=float)))
    verdict = equivalence_verdict(table["p_within"].to_numpy(dtype=float), adjusted.to_numpy(dtype=float), alpha)
    return table.assign(p_adjusted=adjusted, verdict=np.atleast_1d(verdict))


def person_in(pair: tuple) -> str:
    """Who stands in a template's `{person}` beside the group's word, such as `neighbour`: what the pair leaves as it is
    between that word and the end of the frame."""
    tail = pair.cluster.partition("{person}")[2]
    return pair.text.removesuffix(tail)[int(pair.spans[-1][1]) :].strip()
