"""Verdicts on features, each of which can come out in three ways."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.features.names import (
    ACTS,
    AS_MUCH,
    DOES_NOT,
    FEATURE,
    LESS,
    MEANS,
    MORE,
    NOT_SETTLED,
    NOT_SHOWN,
    NOT_TOLD,
    RANDOM,
    STAYS,
    SWITCHED,
)
from emoscope.experiments.features.page import ACTING, IDLE, OPEN, main_result, verdict
from emoscope.experiments.features.summarise import (
    BEYOND_MEANS,
    BEYOND_RANDOM,
    effects_found,
    effects_table,
    switched_table,
)
from planted_features import STATISTICS


def moves(texts: int = 400, spread: float = 0.02, **falls: tuple[float, float, float]) -> pd.DataFrame:
    """Of features by name, what falls along themselves, random directions and the means, in each of so many texts."""
    rng, parts = np.random.default_rng(1), []
    for feature, each in falls.items():
        for way, fall in zip((FEATURE, RANDOM, MEANS), each, strict=True):
            after = 0.6 - fall + rng.uniform(-spread, spread, texts)
            table = pd.DataFrame({"way": way, "text": range(texts), "before": 0.6, "after": after})
            parts.append(table.assign(feature=feature, draw=0, dose=np.nan, logit_before=0.0, logit_after=-fall))
    return pd.concat(parts, ignore_index=True).assign(**{"class": "joy"})


def verdicts(table: pd.DataFrame, measure: str) -> dict[str, str]:
    return table[table["measure"] == measure].set_index("feature")["verdict"].to_dict()


def test_a_feature_acts_if_it_does_more_than_random_directions_and_more_than_nothing():
    table = effects_table(
        moves(more=(0.2, 0.05, 0.0), as_random=(0.2, 0.2, 0.0), nothing=(0.0, 0.0, 0.0),
              backwards=(-0.2, 0.0, 0.0), beside_worse=(0.0, -0.2, 0.0)),
        STATISTICS,
    )  # fmt: skip
    found = verdicts(table, BEYOND_RANDOM)
    assert found == {"more": ACTS} | dict.fromkeys(("as_random", "nothing", "backwards", "beside_worse"), DOES_NOT)


def test_few_texts_show_neither():
    found = verdicts(
        effects_table(moves(10, more=(0.1, 0.05, 0.0), nothing=(0.0, 0.0, 0.0)), STATISTICS), BEYOND_RANDOM
    )
    assert found == {"more": NOT_SHOWN, "nothing": NOT_SHOWN}


def test_p_values_are_adjusted_over_the_features():
    one = effects_table(moves(30, a=(0.3, 0.0, 0.0)), STATISTICS)
    many = effects_table(moves(30, **{name: (0.3, 0.0, 0.0) for name in "abcdefghij"}), STATISTICS)
    p = [table.loc[table["measure"] == BEYOND_RANDOM, "p_adjusted"].iloc[0] for table in (one, many)]
    assert p[1] == pytest.approx(min(1, 10 * p[0]), rel=0.5) and p[1] > 5 * p[0]


def test_beside_the_means_it_is_more_as_much_or_less():
    table = effects_table(moves(a=(0.3, 0.0, 0.1), b=(0.3, 0.0, 0.3), c=(0.3, 0.0, 0.5)), STATISTICS)
    assert verdicts(table, BEYOND_MEANS) == {"a": MORE, "b": AS_MUCH, "c": LESS}
    few = effects_table(moves(10, a=(0.3, 0.0, 0.25)), STATISTICS)
    assert verdicts(few, BEYOND_MEANS) == {"a": NOT_TOLD}


def test_draws_of_random_directions_are_averaged():
    table = moves(a=(0.2, 0.0, 0.0))
    other = table[table["way"] == RANDOM].assign(draw=1, after=lambda rows: rows["after"] - 0.2)
    found = effects_table(pd.concat([table, other]), STATISTICS).set_index("measure")["value"]
    assert found[RANDOM] == pytest.approx(0.1, abs=0.01) and found[BEYOND_RANDOM] == pytest.approx(0.1, abs=0.01)


def test_without_chosen_features_nothing_is_said():
    table = effects_table(moves(a=(0.2, 0.0, 0.0)).head(0), STATISTICS)
    assert table.empty and [finding.value for finding in effects_found(table)] == [0, 0]


def switches(rates: dict[int, tuple[float, float]], pairs: int = 400) -> pd.DataFrame:
    """In so many flips, the shares in which a feature is active in the text of the first group, and of the second; of
    neutral swaps, the reverse."""
    parts = []
    for feature, (first, second) in rates.items():
        sides = [np.arange(pairs) < share * pairs for share in (first, second)]
        for kind, (one, other) in (("flip", sides), ("neutral", sides[::-1])):
            table = pd.DataFrame({"pair": range(pairs), "first": one, "second": other})
            parts.append(table.assign(kind=kind, feature=feature, cluster=[f"text {pair}" for pair in range(pairs)]))
    return pd.concat(parts, ignore_index=True)


def test_a_flip_switches_a_feature_or_it_stays():
    table = switched_table(switches({3: (0.9, 0.1), 5: (0.1, 0.9), 8: (0.5, 0.5), 9: (0.0, 0.0)}), STATISTICS)
    table = table.set_index("feature")
    assert table["verdict"].to_dict() == {3: SWITCHED, 5: SWITCHED, 8: STAYS, 9: STAYS}
    assert table["value"].round(3).to_dict() == {3: 0.8, 5: -0.8, 8: 0, 9: 0}, (
        "the first group's text minus the other's"
    )
    few = switched_table(switches({3: (0.2, 0.1), 9: (0.0, 0.0)}, pairs=20), STATISTICS)
    assert set(few["verdict"]) == {NOT_SETTLED}


def test_the_headline_comes_out_in_three_ways(found):
    assert verdict(pd.Series([ACTS, DOES_NOT, NOT_SHOWN])) == ACTING
    assert verdict(pd.Series([DOES_NOT, DOES_NOT])) == IDLE
    assert verdict(pd.Series([DOES_NOT, NOT_SHOWN])) == verdict(pd.Series([], dtype=object)) == OPEN
    said = str(main_result(found.effects, found.findings, ["gender", "race"]))
    assert said.startswith('<p class="headline">\nFeatures act') and "Flips of gender are shown to switch" in said
    idle = found.effects.assign(verdict=found.effects["verdict"].replace(ACTS, NOT_SHOWN))
    assert "That features act is not shown" in str(main_result(idle, found.findings, ["gender"]))
    none = str(main_result(found.effects.head(0), found.findings, ["gender"]))
    assert "none was chosen" in none
