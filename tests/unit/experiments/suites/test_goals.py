"""Whether predictions do what pairs ask: the right way, of the right class, and more often than by chance."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.suites.goals import FOLLOWS, FOLLOWS_CLASS, goal_rates, obeyed

STARS = ["1", "2", "3"]


def pairs(before: list[list[float]], after: list[list[float]], goals: list[str], **columns) -> pd.DataFrame:
    count = len(goals)
    texts = [f"text {k}" for k in range(count)]
    table = pd.DataFrame({
        "id": range(count), "origin": "suite", "term": "", "text": texts, "perturbed": [f"{text}!" for text in texts],
        "cluster": texts, "flags": [[]] * count, "goal": goals,
    }).assign(**columns)  # fmt: skip
    for when, values in (("before", before), ("after", after)):
        table[[f"{when}_{name}" for name in STARS]] = np.array(values, dtype=float)
    return table


LOW, MIDDLE, HIGH, RATHER_LOW = [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.7, 0.2, 0.1]


@pytest.mark.parametrize(
    ("before", "after", "whole", "met"),
    [
        (LOW, HIGH, False, {"up", "3"}),
        (HIGH, LOW, False, {"down", "1"}),
        (LOW, RATHER_LOW, False, {"up", "stays", "1"}),  # the mean rises, the class stays
        (LOW, RATHER_LOW, True, {"stays", "1"}),
        (MIDDLE, HIGH, True, {"up", "3"}),
        (HIGH, MIDDLE, True, {"down", "2"}),
        (MIDDLE, MIDDLE, False, {"stays", "2"}),
    ],
)
def test_a_goal_is_met_or_not(before, after, whole, met):
    goals = ["up", "down", "stays", *STARS]
    found = obeyed(pairs([before], [after], ["up"]), goals, STARS, STARS, whole=whole)
    assert found.shape == (1, 6) and {goal for goal, right in zip(goals, found[0], strict=True) if right} == met


def test_up_is_up_in_the_order_of_the_corpus_whatever_that_of_the_model():
    """Who was trained elsewhere may begin with its best class, and have classes that the corpus lacks."""
    table, goals = pairs([LOW, LOW], [HIGH, MIDDLE], ["up", "up"]), ["up", "down"]
    forth, back, some = ["1", "2", "3"], ["3", "2", "1"], ["1", "3"]
    assert obeyed(table, goals, STARS, forth, whole=False).tolist() == [[True, False]] * 2
    assert obeyed(table, goals, STARS, back, whole=False).tolist() == [[False, True]] * 2
    assert obeyed(table, goals, STARS, some, whole=False).tolist() == [[True, False]] * 2
    assert obeyed(table, goals, STARS, some, whole=True).tolist() == [[True, False], [False, False]]


def test_a_class_called_up_is_a_class():
    table = pairs([LOW], [HIGH], ["up"])
    table.columns = [name.replace("_1", "_up") for name in table.columns]
    assert not obeyed(table, ["up"], ["up", "2", "3"], ["up", "2", "3"], whole=False).any()


def test_of_several_labels_the_named_one_has_to_be_among_them():
    table = pairs([LOW] * 2, [HIGH] * 2, ["3"] * 2).assign(pred_before=[[0], [0, 1]], pred_after=[[0, 2], [0, 1]])
    assert obeyed(table, ["3", "stays"], STARS, STARS, whole=False).tolist() == [[True, False], [False, True]]


def rates(table: pd.DataFrame) -> pd.DataFrame:
    return goal_rates(table, STARS, STARS, 0.02, 0.05).set_index(["group", "measure"])


def test_a_classifier_that_follows_is_seen_to():
    goals = ["up", "down"] * 40
    found = rates(pairs([MIDDLE] * 80, [HIGH, LOW] * 40, goals)).loc[("", FOLLOWS)]
    assert found["value"] == 1 and found["chance"] == found["always"] == 0.5
    assert found["lead"] == 0.5 and found["lead_low"] > 0 and found["p_adjusted"] < 0.01
    against = rates(pairs([MIDDLE] * 80, [LOW, HIGH] * 40, goals)).loc[("", FOLLOWS)]
    assert against["value"] == 0 and against["lead"] == -0.5 and against["lead_high"] < 0


def test_one_that_always_rises_follows_no_more_than_its_goals_are_frequent():
    found = rates(pairs([LOW] * 80, [HIGH] * 80, ["up", "up", "up", "down"] * 20)).loc[("", FOLLOWS)]
    assert found["value"] == found["chance"] == found["always"] == 0.75 and found["commonest"] == "up"
    assert found["lead"] == pytest.approx(0) and found["p_adjusted"] > 0.5


def test_what_asks_for_nothing_is_left_out_and_groups_stand_apart():
    after, goals = [HIGH, LOW, LOW, LOW] * 10, ["up", "down", "up", ""] * 10
    found = rates(pairs([MIDDLE] * 40, after, goals, term=["a", "a", "b", "b"] * 10))
    assert found.loc[("", FOLLOWS), "pairs"] == 30 and found.loc[("", FOLLOWS), "value"] == pytest.approx(2 / 3)
    assert found.loc[("a", FOLLOWS), ["pairs", "value"]].tolist() == [20, 1]
    assert found.loc[("b", FOLLOWS), ["pairs", "value"]].tolist() == [10, 0]
    assert set(found.index.get_level_values("measure")) == {FOLLOWS, FOLLOWS_CLASS}


def test_named_classes_are_not_counted_twice():
    found = rates(pairs([LOW] * 20, [HIGH] * 20, ["3", "stays"] * 10))
    assert set(found.index.get_level_values("measure")) == {FOLLOWS}
    assert found.loc[("", FOLLOWS), "value"] == 0.5


def test_pairs_of_one_original_count_as_one():
    table = pairs([MIDDLE] * 80, [HIGH, LOW] * 40, ["up", "down"] * 40)
    apart, together = (
        rates(table.assign(cluster=ids)).loc[("", FOLLOWS)] for ids in (range(80), [k // 8 for k in range(80)])
    )
    assert together["clusters"] == 10 and together["low"] < apart["low"] and together["p"] > apart["p"]


def test_a_suite_that_asks_for_nothing_has_no_rates():
    assert goal_rates(pairs([LOW], [HIGH], [""]), STARS, STARS, 0.02, 0.05).empty
