"""Whether predictions do what pairs ask: the right way, of the right class, and more often than by chance."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.suites.goals import FOLLOWS, FOLLOWS_CLASS, goal_rates, obeyed
from emoscope.perturbation.pairs import PAIR_KEY

STARS = ["1", "2", "3"]


def pairs(before: list[list[float]], after: list[list[float]], goals: list[str], **columns) -> pd.DataFrame:
    count = len(goals)
    texts = [f"text {k}" for k in range(count)]
    table = pd.DataFrame({
        "id": range(count), "axis": "mine", "origin": "suite", "term": "", "text": texts,
        "perturbed": [f"{text}!" for text in texts], "cluster": texts, "flags": [[]] * count, "goal": goals,
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


def rates(table: pd.DataFrame, words: pd.DataFrame | None = None) -> pd.DataFrame:
    scores = (table if words is None else words)[[*PAIR_KEY, *table.filter(regex="^(before|after)_")]]
    return goal_rates(table, scores, STARS, STARS, 0.02, 0.05).set_index(["group", "measure"])


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


def test_a_pair_of_two_groups_counts_in_both_and_once_in_all():
    one = pairs([MIDDLE] * 20, [HIGH, LOW] * 10, ["up", "down"] * 10, term="a")
    found = rates(pd.concat([one, one.assign(id=range(20, 40), term="b")], ignore_index=True))["pairs"]
    assert [found[name, FOLLOWS] for name in ("", "a", "b")] == [20, 20, 20]


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
    assert rates(pairs([LOW], [HIGH], [""])).empty


TESTED = ["chance", "lead", "lead_low", "lead_high", "p", "p_adjusted"]


@pytest.mark.parametrize(
    ("after", "value", "opposite"), [([LOW] * 40, 1, 0), ([HIGH] * 40, 0, 1), ([LOW, HIGH] * 20, 0.5, 0.5)]
)
def test_pairs_that_all_ask_for_the_same_leave_nothing_to_exchange(after, value, opposite):
    """Whoever follows, goes against it or does neither: nothing is tested, and the opposite is told."""
    found = rates(pairs([MIDDLE] * 40, after, ["down"] * 40))
    assert found.index.get_level_values("measure").tolist() == [FOLLOWS, FOLLOWS_CLASS]
    for _, row in found.iterrows():
        assert row[TESTED].isna().all() and (row["value"], row["opposite"]) == (value, opposite)
        assert row["opposite_low"] <= opposite <= row["opposite_high"]


def test_of_a_class_or_of_staying_there_is_no_opposite():
    for goal in ("stays", "1"):
        found = rates(pairs([MIDDLE] * 40, [LOW] * 40, [goal] * 40)).loc[("", FOLLOWS)]
        assert found[[*TESTED, "opposite", "opposite_low", "opposite_high"]].isna().all()
    assert rates(pairs([MIDDLE] * 80, [HIGH, LOW] * 40, ["up", "down"] * 40))["opposite"].isna().all()


def test_groups_without_anything_to_exchange_are_no_tests_of_the_family():
    """Three groups ask for one thing each; the fourth is adjusted for itself alone."""
    groups = [name for name in "abcd" for _ in range(20)]
    goals = ["up"] * 20 + ["down"] * 20 + ["stays"] * 20 + ["up", "down"] * 10
    found = rates(pairs([MIDDLE] * 80, [HIGH, LOW] * 40, goals, term=groups)).xs(FOLLOWS, level="measure")
    assert found.loc[["a", "b", "c"], TESTED].isna().all(axis=None) and found.loc["", TESTED].notna().all()
    assert found.loc["d", "p_adjusted"] == found.loc["d", "p"] < 0.05


def test_a_bag_of_words_is_compared_pair_by_pair():
    goals = ["up", "down"] * 40
    table = pairs([MIDDLE] * 80, [HIGH, LOW] * 40, goals)
    words = pairs([MIDDLE] * 80, [HIGH, LOW] * 20 + [LOW, HIGH] * 20, goals).sample(frac=1, random_state=0)
    found = rates(table, words).loc[("", FOLLOWS)]
    assert found[["value", "words", "above_words"]].tolist() == [1, 0.5, 0.5]
    assert found["words_low"] < 0.5 < found["words_high"] and 0.3 < found["above_low"] < 0.5 < found["above_high"]
    first = table.iloc[:40]
    assert rates(first, words).loc[("", FOLLOWS), "above_words"] == 0
    again = rates(table.assign(cluster=[k // 8 for k in range(80)]), words).loc[("", FOLLOWS)]
    assert again["above_low"] < found["above_low"], "pairs of one original count as one"
