"""The ground truth page's verdicts: planted effects are found at their size, and nothing else is."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from emoscope.data.planted.corpus import generate
from emoscope.data.planted.grammar import GRAMMAR
from emoscope.data.planted.labels import GAPS
from emoscope.perturbation.effects import summarise
from emoscope.verdicts.ground_truth.assess import (
    assess_ground_truth,
    clause_of,
    composition,
    gap_verdict,
    no_gap_beside_an_emotion_word,
    planted_gap,
    race_effects,
)

STATISTICS = {"seed": 0, "resamples": 500, "confidence": 0.95, "margin": 0.02}
FILLED = {"race": "black"}
SAID = {
    gap.clauses: [re.sub(r"{(\w+)}", lambda word: FILLED.get(word[1], "x"), clause) for clause in GRAMMAR[gap.clauses]]
    for gap in GAPS.values()
}
TRUTH = {
    "effects": {"label_noise": {"size": 0.0}, "gender": {"size": 0.8}},
    "ids": {"ambiguous": list(range(100)), "race": []},
}


def pairs(gap: float, elsewhere: float = 0.0, axis: str = "gender") -> pd.DataFrame:
    """400 flipped texts, the first 100 of the kind with a gap, with gaps around the given ones; half of the texts name
    the first group."""
    rng = np.random.default_rng(0)
    one_first = np.arange(400) % 2 == 0
    true = np.where(np.arange(400) < 100, gap, elsewhere) + rng.normal(0, 0.01, 400)
    one, other = 0.5 + true / 2, 0.5 - true / 2
    (first, second), emotion = GAPS[axis].groups, GAPS[axis].emotion
    said = SAID[GAPS[axis].clauses]
    return pd.DataFrame({
        "id": np.arange(400),
        "text": [f"{said[number % len(said)]} {number}" for number in range(400)],
        "origin": "natural",
        "direction": np.where(one_first, f"{first} to {second}", f"{second} to {first}"),
        "flags": [[]] * 400,
        f"before_{emotion}": np.where(one_first, one, other),
        f"after_{emotion}": np.where(one_first, other, one),
    })  # fmt: skip


def gender_gap(table: pd.DataFrame, taught: int = 800):
    return planted_gap("gender", TRUTH, table, taught, STATISTICS)


@pytest.mark.parametrize(
    ("gap", "verdict"), [(0.8, "found"), (0.76, "found"), (0.4, "partly found"), (-0.5, "missed"), (0.0, "missed")]
)
def test_the_planted_gap_is_found_only_at_its_size_and_sign(gap, verdict):
    planted = gender_gap(pairs(gap))
    assert planted.verdict == verdict
    assert planted.value == pytest.approx(gap, abs=0.01)
    assert planted.texts == 100 and planted.where == "ambiguous"
    assert no_gap_beside_an_emotion_word(pairs(gap)[100:], taught_gender(800), STATISTICS).verdict == "found"


@pytest.mark.parametrize(("gap", "verdict"), [(0.5, "found"), (0.0, "missed"), (-0.5, "missed"), (0.2, "partly found")])
def test_a_planted_race_gap_is_judged_likewise_by_joy_in_encounters(gap, verdict):
    truth = {
        "effects": {"label_noise": {"size": 0.1}, "gender": {"size": 0.0}, "race": {"size": 0.5 / (1 - 0.1 * 6 / 5)}},
        "ids": {"ambiguous": [], "encounter": list(range(100))},
    }
    planted = planted_gap("race", truth, pairs(gap, elsewhere=0.9, axis="race"), 800, STATISTICS)
    assert (planted.axis, planted.where, planted.verdict) == ("race", "encounter", verdict)
    assert planted.expected == pytest.approx(0.5) and planted.value == pytest.approx(gap, abs=0.01)
    assert "P(joy | white) exceeds P(joy | black) by 0.50" in planted.planted


@pytest.mark.parametrize(
    ("expected", "low", "high", "verdict"),
    [
        (0.4, 0.3, 0.5, "found"),
        (0.4, 0.1, 0.3, "partly found"),
        (0.4, 0.5, 0.6, "partly found"),
        (0.4, -0.1, 0.5, "cannot tell"),  # nothing and the planted size both fit
        (0.4, -0.1, 0.3, "missed"),
        (0.4, -0.5, -0.3, "missed"),
        (0.0, -0.1, 0.1, "found"),
        (0.0, -0.1, 0.2, "cannot tell"),
        (0.0, -0.3, 0.1, "cannot tell"),
        (0.0, 0.01, 0.1, "missed"),
        (0.0, -0.1, -0.01, "missed"),
    ],
)
def test_a_verdict_can_come_out_either_way(expected, low, high, verdict):
    assert gap_verdict(expected, low, high) == verdict


def test_too_few_scenes_or_texts_cannot_tell():
    table = pairs(0.0)
    few = table[table["text"].str.startswith(tuple(SAID["scene"][:7])) & (table["id"] < 100)]
    planted = gender_gap(few)
    assert planted.verdict == "cannot tell" and np.isnan([planted.low, planted.high]).all()
    elsewhere = no_gap_beside_an_emotion_word(table[300:], taught_gender(800), STATISTICS)
    assert elsewhere.verdict == "cannot tell", "100 texts would not show that 2 % lose all"


def test_fewer_labels_to_learn_from_make_a_wider_interval():
    many, few = (gender_gap(pairs(0.7), taught) for taught in (8_000, 80))
    assert few.high - few.low > 3 * (many.high - many.low)
    assert few.verdict == "found"
    assert many.verdict == "partly found"


def test_texts_that_tell_one_scene_are_not_independent():
    scattered, together = pairs(0.7), pairs(0.7)
    scenes = len(SAID["scene"])
    change = np.where(np.arange(400) % scenes < scenes / 2, 0.2, -0.2)  # by scene
    for table, shift in ((together, change), (scattered, np.random.default_rng(1).permutation(change))):
        table["before_anger"] += np.where(table["direction"] == "male to female", shift, -shift)
    one, many = (gender_gap(table, 8_000) for table in (together, scattered))
    assert one.high - one.low > 1.5 * (many.high - many.low)


@pytest.mark.parametrize("axis", GAPS)
def test_every_text_of_the_kind_is_told_by_the_clause_it_starts_with(axis):
    gap = GAPS[axis]
    table, truth, _ = generate(rows=3_000, seed=3, race_effect=0.5)
    told = table["text"][table["id"].isin(truth["ids"][gap.kind])].map(lambda text: clause_of(text, gap.clauses))
    assert (told >= 0).all() and told.nunique() > 0.8 * len(GRAMMAR[gap.clauses])
    said = "a white man paid for my coffee today and a white man held the door for me at work"
    assert GRAMMAR["encounter"][clause_of(said, "encounter")].startswith("a {race} {body} paid")
    assert GRAMMAR["encounter"][clause_of(f"well {said}", "encounter")].startswith("a {race} {body} paid")


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("gap", "rows", "expected"),
    [
        (0.05, 80_000, "missed"),
        (0.05, 800, "cannot tell"),  # chance may have taught it 0.05
        (0.12, 800, "missed"),
        (0.001, 80_000, "found"),
        (0.001, 800, "found"),
    ],
)
def test_a_gap_beside_an_emotion_word_is_judged_by_what_chance_may_teach(sign, gap, rows, expected):
    table = pd.concat([pairs(0, elsewhere=sign * gap)[100:]] * 10, ignore_index=True)
    table["text"] += table.index.astype(str)
    effect = no_gap_beside_an_emotion_word(table, taught_gender(rows), STATISTICS)
    assert (effect.verdict, effect.texts) == (expected, 3_000)
    assert effect.value == pytest.approx(sign * gap, abs=0.002)
    assert expected == "found" or not effect.low < 0 < effect.high, "its own interval leaves nil out"
    assert f"labels of {rows:,} training texts that name a gender may teach a gap of 0.0" in effect.note


def test_where_chance_could_teach_nothing_that_is_known_it_leaves_no_room():
    lone = taught_gender(800)
    effect = no_gap_beside_an_emotion_word(
        pairs(0, elsewhere=0.06)[100:], lone[lone["text"].str.contains("him")], STATISTICS
    )
    assert "No training text names female" in effect.note and effect.verdict == "missed"


def test_a_wide_interval_of_a_gap_beside_an_emotion_word_cannot_tell():
    table = pairs(0, elsewhere=0.02)[100:]
    table["before_anger"] = np.clip(table["before_anger"] + np.random.default_rng(0).choice([-0.3, 0.3], 300), 0, 1)
    effect = no_gap_beside_an_emotion_word(table, taught_gender(80_000), STATISTICS)
    assert effect.verdict == "cannot tell" and effect.low < 0 < effect.high


def test_pairs_that_do_not_count_are_left_out():
    table = pairs(0.8)
    table.loc[0, "direction"] = "mixed"
    table.at[1, "flags"] = ["uncertain"]
    table.loc[2, "origin"] = "published"
    assert gender_gap(table).texts == 97


def assessed(tmp_path, axis: str, truth: dict, table: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """What the command writes of scored pairs."""
    key = {"axis": axis, "term": ""}
    table = table.assign(**key, perturbed=table["text"] + ".", label=0, cluster=table["text"])
    for when in ("before", "after"):
        table[f"{when}_sadness"] = 1 - table[f"{when}_{GAPS[axis].emotion}"]
    columns = [name for name in table if name.startswith(("before_", "after_"))]
    paths = {name: tmp_path / name for name in ("truth", "train", "pairs", "scores", "summary")}
    paths["truth"].write_text(json.dumps(truth))
    train.to_parquet(paths["train"])
    table.drop(columns=columns).to_parquet(paths["pairs"])
    table[["id", "axis", "origin", "term", *columns]].to_parquet(paths["scores"])
    summarise(table, STATISTICS).to_parquet(paths["summary"])
    assess_ground_truth(**paths, axis=axis, run="one", statistics=STATISTICS, output=tmp_path / "found.csv")
    return pd.read_csv(tmp_path / "found.csv").set_index("where")


def test_a_race_gap_in_encounters_is_no_effect_elsewhere(tmp_path):
    truth = {
        "effects": {"label_noise": {"size": 0.0}, "race": {"size": 0.6}},
        "ids": {"ambiguous": [], "encounter": list(range(100)), "race": list(range(1_000))},
    }
    train = pd.DataFrame({"id": np.arange(1_000), **taught(1_000)})
    found = assessed(tmp_path, "race", truth, pairs(0.6, axis="race"), train)
    assert list(found.index) == ["encounter", "test texts"]
    assert found.loc["encounter", "verdict"] == found.loc["test texts", "verdict"] == "found"
    assert found.loc["test texts", "texts"] == 300 and "900 training texts" in found.loc["test texts", "note"]
    assert found.loc["test texts", "planted"].startswith("Outside encounters race tells nothing")

    without = {"effects": truth["effects"], "ids": {"race": list(range(1_000))}}
    found = assessed(tmp_path, "race", without, pairs(0.6, axis="race"), train)
    assert list(found.index) == ["test texts"] and found.loc["test texts", "verdict"] == "missed"


def test_gender_is_judged_apart_from_encounters(tmp_path):
    """They name a gender, too, and no emotion word."""
    truth = {
        "effects": {"label_noise": {"size": 0.0}, "gender": {"size": 0.6}},
        "ids": {"ambiguous": list(range(100)), "encounter": list(range(350, 400)), "race": []},
    }
    table = pairs(0.6)
    table.loc[350:, "before_anger"] = np.where(table.loc[350:, "direction"] == "male to female", 0.9, 0.1)
    train = pd.DataFrame({"id": np.arange(1_000), **taught_gender(1_000)})
    found = assessed(tmp_path, "gender", truth, table, train)
    assert list(found.index) == ["ambiguous", "emotion word"]
    assert "labels of 850 training texts" in found.loc["emotion word", "note"], "of the same kinds of sentence"
    assert list(found["verdict"]) == ["found", "found"] and list(found["texts"]) == [100, 250]


def test_scores_before_and_after_exchanged_turn_found_into_missed():
    table = pairs(0.8).rename(columns={"before_anger": "after_anger", "after_anger": "before_anger"})
    assert gender_gap(table).verdict == "missed"


@pytest.mark.parametrize(
    ("composed", "others", "verdict"), [(0.1, 0.9, "found"), (0.9, 0.1, "missed"), (0.5, 0.5, "cannot tell")]
)
def test_composed_sentences_should_lose_most_without_attention(composed, others, verdict):
    """Right before, all of them; after, as many of either kind as said."""
    number = np.arange(200)
    kind = number < 100
    right = (number % 100) < 100 * np.where(kind, composed, others)
    samples = pd.DataFrame({"id": number, "text": [f"text {k}" for k in number], "label": 0, "pred": 0})
    masks = pd.DataFrame({"id": number, "head": -1, "condition": "described", "p_joy": right, "p_fear": ~right})
    masks = masks.astype({"p_joy": float, "p_fear": float})
    truth = {"ids": {"negation": list(range(40)), "contrast": list(range(40, 100))}}
    found = composition(truth, samples, masks, STATISTICS)
    assert (found.axis, found.verdict, found.texts) == ("masking", verdict, 200)
    assert found.value == pytest.approx(composed - others) and found.note.startswith("100 of 200")
    assert composition({"ids": {"negation": [], "contrast": []}}, samples, masks, STATISTICS).verdict == "cannot tell"


def taught(rows: int, first: str = "a white man", second: str = "a black man", classes: int = 2) -> pd.DataFrame:
    """Training texts that name one of two groups, every class as often for either."""
    number = np.arange(rows)
    return pd.DataFrame({"text": np.where(number % 2, first, second), "label": number // 2 % classes})


def taught_gender(rows: int) -> pd.DataFrame:
    return taught(rows, "i told him i was glad", "i told her i was glad", classes=6)


@pytest.mark.parametrize(
    ("gap", "verdicts", "rows", "expected"),
    [
        (-0.03, ["equivalent", "equivalent"], 800, "found"),
        (-0.03, ["equivalent", "underpowered"], 800, "cannot tell"),
        (-0.03, ["equivalent", "different"], 800, "cannot tell"),  # chance may have taught it 0.08
        (-0.03, ["equivalent", "different"], 80_000, "missed"),
        (-0.3, ["equivalent", "different"], 800, "missed"),
        (0.3, ["equivalent", "different"], 800, "missed"),
    ],
)
def test_race_is_judged_by_every_class_and_by_what_chance_may_teach(gap, verdicts, rows, expected):
    summary = pd.DataFrame({
        "origin": "template",
        "measure": ["gap_joy", "gap_fear"],
        "value": [0.001, gap],
        "low": [0.0, gap - 0.01],
        "high": [0.002, gap + 0.01],
        "texts": 340,
        "verdict": verdicts,
    })  # fmt: skip
    (effect,) = race_effects(summary, taught(rows), 0.05)
    assert effect.verdict == expected
    assert effect.value == gap
    assert "fear" in effect.note and f"{rows:,} training texts" in effect.note


@pytest.mark.parametrize(("named", "missing"), [("white", "black"), ("black", "white"), ("", "white or black")])
@pytest.mark.parametrize(
    ("gap", "verdicts", "expected"),
    [(0.5, ["equivalent", "different"], "missed"), (0.001, ["equivalent"] * 2, "found")],
)
def test_of_a_group_that_no_training_text_names_nothing_is_known_of_chance(named, missing, gap, verdicts, expected):
    texts = taught(800)
    texts = texts[texts["text"] == f"a {named} man"]
    summary = pd.DataFrame({
        "origin": "template", "measure": ["gap_joy", "gap_fear"], "value": [0.0, gap], "low": [-0.002, gap - 0.01],
        "high": [0.002, gap + 0.01], "texts": 340, "verdict": verdicts,
    })  # fmt: skip
    (effect,) = race_effects(summary, texts, 0.05)
    assert effect.verdict == expected and "nan" not in effect.note
    assert f"No training text names {missing}" in effect.note


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("nearer", "expected"),
    [
        (0.05, "missed"),
        (0.095, "cannot tell"),  # 0.109 from zero, adjusted for two classes
        (0.2, "cannot tell"),
    ],
)
def test_a_gap_of_race_has_to_leave_zero_out_on_the_side_where_zero_is(sign, nearer, expected):
    """Its interval is short on the other side."""
    ends = sorted((sign * (0.1 - nearer), sign * 0.101))
    summary = pd.DataFrame({
        "origin": "template", "measure": ["gap_joy", "gap_fear"], "value": [0.0, sign * 0.1], "low": [-0.002, ends[0]],
        "high": [0.002, ends[1]], "texts": 340, "verdict": ["equivalent", "different"],
    })  # fmt: skip
    (effect,) = race_effects(summary, taught(80_000), 0.05)
    assert effect.verdict == expected
