"""Two groups of texts beside each other: an unfair rate is found with its sign, a fair one is not."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emoscope.experiments.fairness.groups import compare_column, compare_groups, named_groups
from emoscope.statistics.adjustment import benjamini_hochberg

CLASSES = ["calm", "angry"]
SIDES = ("male", "female")
OPTIONS = {"margin": 0.02, "alpha": 0.05, "resamples": 300, "seed": 0}


def texts(
    count: int, angry: float, taken_for_angry: float, missed: float, name: str, confidence: float = 0.9
) -> pd.DataFrame:
    """Texts about one group: a share is angry, of which some are missed; of the calm, a share is taken for angry."""
    label = (np.arange(count) < round(angry * count)).astype(int)
    pred = label.copy()
    for wrong, of in ((missed, 1), (taken_for_angry, 0)):
        there = np.flatnonzero(label == of)
        pred[there[: round(wrong * len(there))]] = 1 - of
    words = [f"{name} text {k}" for k in range(count)]
    return pd.DataFrame({"text": words, "label": label, "pred": pred, "confidence": confidence, "group": name})


def compared(*parts: pd.DataFrame) -> pd.DataFrame:
    table = pd.concat(parts, ignore_index=True).rename_axis("id").reset_index()
    groups = table.set_index("id")["group"]
    found = compare_groups(table.drop(columns="group"), groups[groups != "none"], SIDES, CLASSES, **OPTIONS)
    return found.set_index(["measure", "class"])


def test_more_false_alarms_for_one_group_are_found_with_their_sign():
    found = compared(texts(400, 0.5, 0.3, 0.1, "male"), texts(400, 0.5, 0.05, 0.1, "female"))
    row = found.loc[("false positives", "angry")]
    assert (row["first"], row["second"], row["difference"]) == pytest.approx((0.3, 0.05, 0.25))
    assert row["low"] > 0.15 and row["verdict"] == "different" and row["p_adjusted"] < 0.001
    same = found.loc[("true positives", "angry")]
    assert same["difference"] == pytest.approx(0) and same["verdict"] != "different"
    assert found.loc[("true positives", "calm"), "difference"] == pytest.approx(-0.25)  # what is not taken for angry


def test_a_class_missed_in_one_group_is_unequal_opportunity():
    found = compared(texts(400, 0.5, 0.1, 0.4, "male"), texts(400, 0.5, 0.1, 0.1, "female"))
    row = found.loc[("true positives", "angry")]
    assert (row["first"], row["second"]) == pytest.approx((0.6, 0.9)) and row["verdict"] == "different"
    assert row["first_texts"] == row["second_texts"] == 200  # of that class alone
    assert found.loc[("false positives", "angry"), "verdict"] != "different"


def test_another_class_mix_alone_makes_accuracy_differ_and_no_rate():
    """The cheapest explanation of a difference of accuracy: the classifier treats both groups alike."""
    found = compared(texts(1000, 0.8, 0.0, 0.3, "male"), texts(1000, 0.2, 0.0, 0.3, "female"))
    assert found.loc[("accuracy", ""), "difference"] == pytest.approx(-0.18)
    assert found.loc[("accuracy", ""), "verdict"] == "different"
    assert found.loc[("base rate", "angry"), "difference"] == pytest.approx(0.6)
    assert (found.loc[["true positives", "false positives"], "verdict"] != "different").all()


def test_nothing_is_shown_to_be_equal_by_few_texts():
    found = compared(texts(20, 0.5, 0, 0, "male"), texts(20, 0.5, 0, 0, "female"))
    assert (found.loc[["true positives", "false positives", "accuracy"], "verdict"] == "underpowered").all()
    many = compared(texts(4000, 0.5, 0, 0, "male"), texts(4000, 0.5, 0, 0, "female"))
    assert (many.loc[["true positives", "false positives"], "verdict"] == "equivalent").all()
    rates = ["base rate", "accuracy", "true positives", "false positives"]
    assert (many.loc[rates, "detectable"] < found.loc[rates, "detectable"]).all()


def test_fewer_than_eight_texts_have_neither_interval_nor_test():
    found = compared(texts(7, 0.5, 0, 0, "male"), texts(400, 0.5, 0, 0, "female"))
    rates = found.loc[["accuracy", "overconfidence", "calibration error", "false positives"]]
    assert rates[["low", "high", "p", "p_adjusted", "detectable", "first_low"]].isna().all(axis=None)
    assert set(rates["verdict"]) == {""}


def test_a_group_without_texts_is_no_error():
    found = compared(texts(30, 0.5, 0, 0, "female"))
    assert found.loc[("accuracy", ""), "first_texts"] == 0 and found["difference"].isna().all()


def test_overconfidence_is_confidence_that_accuracy_does_not_bear_out():
    found = compared(texts(400, 0.5, 0.4, 0.4, "male"), texts(400, 0.5, 0.1, 0.1, "female"))
    for measure in ("overconfidence", "calibration error"):
        row = found.loc[(measure, "")]
        assert (row["first"], row["second"]) == pytest.approx((0.3, 0))
        assert row["first_low"] < 0.3 < row["first_high"] and row["second_low"] < row["second_high"]
    row = found.loc[("overconfidence", "")]
    assert row["difference"] == pytest.approx(0.3)
    assert row["verdict"] == "different" and row["low"] < row["difference"] < row["high"]
    modest = compared(texts(400, 0.5, 0, 0, "male"), texts(400, 0.5, 0.1, 0.1, "female"))
    assert modest.loc[("overconfidence", ""), "first"] == pytest.approx(-0.1)
    assert modest.loc[("calibration error", ""), "first"] == pytest.approx(0.1)


def test_no_difference_of_calibration_errors_is_told_as_few_texts_alone_make_one():
    """Both groups are calibrated, and the small one has the larger error."""
    rng = np.random.default_rng(1)
    sides = []
    for name, count in (("male", 25), ("female", 400)):
        side = texts(count, 0.5, 0, 0, name).assign(confidence=rng.uniform(0.5, 1, count))
        right = rng.random(count) < side["confidence"]
        sides.append(side.assign(pred=np.where(right, side["label"], 1 - side["label"])))
    row = compared(*sides).loc[("calibration error", "")]
    assert row["first"] > row["second"] + 0.01 and row["first_low"] < row["first_high"], "each has its own interval"
    assert row[["difference", "low", "high", "p", "p_adjusted"]].isna().all() and row["verdict"] == ""


def test_each_text_counts_once_and_texts_of_no_group_do_not():
    male, female = texts(100, 0.5, 0.3, 0.1, "male"), texts(100, 0.5, 0.05, 0.1, "female")
    once = compared(male, female)
    again = compared(male, male, female, texts(50, 0.5, 1, 1, "none"))
    pd.testing.assert_frame_equal(once, again)


def test_a_text_is_of_the_group_that_it_names_alone():
    pairs = pd.DataFrame({
        "id": range(5), "origin": ["natural"] * 3 + ["natural control", "template"],
        "direction": ["female to male", "male to female", "mixed", *["male to female"] * 2], "flags": [[]] * 5,
    })  # fmt: skip
    assert named_groups(pairs).to_dict() == {0: "female", 1: "male"}


@pytest.mark.parametrize("flag", ["uncertain", "half-flipped", "gender-locked"])
def test_a_text_whose_twin_makes_no_sense_is_still_of_its_group(flag):
    """Only women are pregnant, and only `her` can be read in two ways: else one group would lose its own texts."""
    pairs = pd.DataFrame({"id": [0], "origin": ["natural"], "direction": ["female to male"], "flags": [[flag]]})
    assert named_groups(pairs).to_dict() == {0: "female"}


def test_several_labels_are_judged_one_by_one():
    one = pd.concat([texts(400, 0.5, 0.3, 0.1, "male"), texts(400, 0.5, 0.05, 0.1, "female")], ignore_index=True)
    lists = one.assign(labels=one.pop("label").map(lambda k: [k]), pred=one["pred"].map(lambda k: [k]))
    groups, rows = lists["group"].rename_axis("id"), lists.rename_axis("id").reset_index()
    found = compare_groups(rows, groups, SIDES, CLASSES, **OPTIONS).set_index(["measure", "class"])
    assert found.loc[("false positives", "angry"), "difference"] == pytest.approx(0.25)
    both = rows.assign(pred=[[0, 1]] * len(rows))  # whoever gives all labels misses none, and raises every false alarm
    found = compare_groups(both, groups, SIDES, CLASSES, **OPTIONS).set_index(["measure", "class"])
    assert (found.loc[["true positives", "false positives"], "first"] == 1).all()
    assert found.loc[("accuracy", ""), "first"] == 0


def column(*parts: pd.DataFrame) -> pd.DataFrame:
    table = pd.concat(parts, ignore_index=True).rename_axis("id").reset_index()
    return compare_column(table, "dialect", CLASSES, **OPTIONS)


def test_a_column_of_two_groups_compares_the_first_with_the_second():
    north, south = texts(400, 0.5, 0.3, 0.1, "north"), texts(400, 0.5, 0.05, 0.1, "south")
    found = column(south, north, texts(300, 0.5, 1.0, 1.0, "").assign(text="said by nobody"))
    assert set(found["axis"]) == {"column dialect"}
    assert set(found["first_group"]) == {"north"} and set(found["second_group"]) == {"south"}
    row = found.set_index(["measure", "class"]).loc[("false positives", "angry")]
    assert (row["first"], row["second"], row["difference"]) == pytest.approx((0.3, 0.05, 0.25))
    assert row["verdict"] == "different" and row["first_texts"] == row["second_texts"] == 200  # none of the nameless
    same = compared(south.assign(group="female"), north.assign(group="male")).reset_index()  # as groups of a flip are
    numbers = ["difference", "low", "high", "p", "p_adjusted", "detectable"]
    pd.testing.assert_frame_equal(found[numbers], same[numbers])


def test_each_of_three_groups_is_compared_with_the_others_and_p_adjusted_over_all():
    east, north, south = (
        texts(400, 0.5, false, 0.1, name) for name, false in (("east", 0.1), ("north", 0.25), ("south", 0.1))
    )
    found = column(north, east, south)
    angry = found[(found["measure"] == "false positives") & (found["class"] == "angry")].set_index("axis")
    assert list(angry.index) == [f"column dialect: {name}" for name in ("east", "north", "south")]
    assert list(angry["second_group"]) == [f"all but {name}" for name in ("east", "north", "south")]
    row = angry.loc["column dialect: north"]
    assert (row["first"], row["second"]) == pytest.approx((0.25, 0.1)) and row["verdict"] == "different"
    assert (row["first_texts"], row["second_texts"]) == (200, 400)
    assert angry.loc["column dialect: east", "difference"] == pytest.approx(0.1 - 0.175)
    family = found[found["measure"] == "false positives"]
    assert len(family) == 6
    assert family["p_adjusted"].to_numpy() == pytest.approx(benjamini_hochberg(family["p"].to_numpy(float)))


def test_a_group_may_be_called_as_it_likes():
    """Also as the page calls all the others, or as it calls a group's."""
    names = ["all others", "all but n", "n"]
    found = column(*(texts(400, 0.5, false, 0.1, name) for name, false in zip(names, (0.1, 0.25, 0.1), strict=True)))
    angry = found[(found["measure"] == "false positives") & (found["class"] == "angry")].set_index("first_group")
    plain = column(*(texts(400, 0.5, false, 0.1, name) for name, false in zip("abc", (0.1, 0.25, 0.1), strict=True)))
    same = plain[(plain["measure"] == "false positives") & (plain["class"] == "angry")].set_index("first_group")
    numbers = ["first", "second", "difference", "first_texts", "second_texts"]
    assert angry.loc[names, numbers].to_numpy() == pytest.approx(same.loc[list("abc"), numbers].to_numpy())
    assert (angry["first_texts"] == 200).all() and (angry["second_texts"] == 400).all()
    assert (found["first_group"] != found["second_group"]).all()


def test_a_text_that_stands_in_two_groups_counts_once_in_each():
    north, south = (texts(60, 0.5, 0.1, 0.1, name).assign(text=[f"text {k}" for k in range(60)]) for name in ("n", "s"))
    found = column(north, north, south).set_index(["measure", "class"]).loc[("accuracy", "")]
    assert (found["first_texts"], found["second_texts"]) == (60, 60)


def test_what_would_show_is_told_at_the_level_of_the_verdict():
    """Of a class of two, as p is adjusted over both; accuracy is alone in its family."""
    found = compared(texts(400, 0.5, 0, 0.1, "male"), texts(400, 0.5, 0, 0.2, "female"))
    z = stats.norm.isf([0.025, 0.0125, 0.2])
    for measure, wanted in (("accuracy", 1.0), ("false positives", (z[1] + z[2]) / (z[0] + z[2]))):
        rows = found.loc[[measure]]
        assert (rows["detectable"] / rows["detectable_alone"]).to_numpy() == pytest.approx(wanted)
        half = (rows["high"] - rows["low"]).to_numpy() / 2
        assert rows["detectable_alone"].to_numpy() == pytest.approx(half * (z[0] + z[2]) / z[0])
