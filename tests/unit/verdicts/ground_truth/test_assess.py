"""The ground truth page's verdicts: planted effects are found at their size, and nothing else is."""

import re

import numpy as np
import pandas as pd
import pytest

from emoscope.data.planted import GRAMMAR, generate
from emoscope.verdicts.ground_truth.assess import SCENES, gender_effects, race_effects, synonym_effects

STATISTICS = {"seed": 0, "resamples": 500, "confidence": 0.95, "margin": 0.02}
SAID = [re.sub(r"{\w+}", "x", scene) for scene in GRAMMAR["scene"]]
TRUTH = {
    "effects": {"label_noise": {"size": 0.0}, "gender": {"size": 0.8}, "misleading_synonyms": {"size": 1.0}},
    "ids": {"ambiguous": list(range(100))},
}


def pairs(gap: float, elsewhere: float = 0.0) -> pd.DataFrame:
    """400 flipped texts, the first 100 ambiguous, with gaps around the given ones; half of the texts are male."""
    rng = np.random.default_rng(0)
    male_first = np.arange(400) % 2 == 0
    true = np.where(np.arange(400) < 100, gap, elsewhere) + rng.normal(0, 0.01, 400)
    male, female = 0.5 + true / 2, 0.5 - true / 2
    return pd.DataFrame({
        "id": np.arange(400),
        "text": [f"{SAID[number % len(SAID)]} {number}" for number in range(400)],
        "origin": "natural",
        "direction": np.where(male_first, "male to female", "female to male"),
        "flags": [[]] * 400,
        "before_anger": np.where(male_first, male, female),
        "after_anger": np.where(male_first, female, male),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("gap", "verdict"), [(0.8, "found"), (0.76, "found"), (0.4, "partly found"), (-0.5, "missed"), (0.0, "missed")]
)
def test_the_planted_gap_is_found_only_at_its_size_and_sign(gap, verdict):
    planted, elsewhere = gender_effects(TRUTH, pairs(gap), 800, STATISTICS)
    assert planted.verdict == verdict
    assert planted.value == pytest.approx(gap, abs=0.01)
    assert planted.texts == 100
    assert elsewhere.verdict == "found"


def test_too_few_scenes_or_texts_cannot_tell():
    table = pairs(0.0)
    few = table[table["text"].str.startswith(tuple(SAID[:7])) & (table["id"] < 100)]
    planted, elsewhere = gender_effects(TRUTH, pd.concat([few, table[300:]]), 800, STATISTICS)
    assert planted.verdict == "cannot tell" and np.isnan([planted.low, planted.high]).all()
    assert elsewhere.verdict == "cannot tell", "100 texts would not show that 2 % lose all"


def test_fewer_labels_to_learn_from_make_a_wider_interval():
    (many, _), (few, _) = (gender_effects(TRUTH, pairs(0.7), taught, STATISTICS) for taught in (8_000, 80))
    assert few.high - few.low > 3 * (many.high - many.low)
    assert few.verdict == "found"
    assert many.verdict == "partly found"


def test_texts_that_tell_one_scene_are_not_independent():
    scattered, together = pairs(0.7), pairs(0.7)
    change = np.where(np.arange(400) % len(SAID) < len(SAID) / 2, 0.2, -0.2)  # by scene
    for table, shift in ((together, change), (scattered, np.random.default_rng(1).permutation(change))):
        table["before_anger"] += np.where(table["direction"] == "male to female", shift, -shift)
    (one, _), (many, _) = (gender_effects(TRUTH, table, 8_000, STATISTICS) for table in (together, scattered))
    assert one.high - one.low > 1.5 * (many.high - many.low)


def test_every_ambiguous_text_tells_one_scene():
    table, truth = generate(rows=3_000, seed=3)
    for text in table["text"][table["id"].isin(truth["ids"]["ambiguous"])]:
        assert sum(bool(scene.search(text)) for scene in SCENES) == 1, text


def test_a_gap_beside_an_emotion_word_is_not_overlooked():
    _, elsewhere = gender_effects(TRUTH, pairs(0.8, elsewhere=0.05), 800, STATISTICS)
    assert elsewhere.verdict == "missed"


def test_pairs_that_do_not_count_are_left_out():
    table = pairs(0.8)
    table.loc[0, "direction"] = "mixed"
    table.at[1, "flags"] = ["uncertain"]
    planted, _ = gender_effects(TRUTH, table, 800, STATISTICS)
    assert planted.texts == 98


def taught(rows: int) -> pd.DataFrame:
    """Training texts of two classes that name a race, both classes as often for either."""
    number = np.arange(rows)
    return pd.DataFrame({"text": np.where(number % 2, "a white man", "a black man"), "label": number // 2 % 2})


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
    assert "fear" in effect.note and f"{rows} training texts" in effect.note


def words(**verdicts: str) -> pd.DataFrame:
    rate = {"origin": "word", "measure": "changed", "value": 0.5, "low": 0.2, "high": 0.8, "texts": 9}
    return pd.DataFrame(
        [{"term": term, "verdict": verdict.replace("_", " "), **rate} for term, verdict in verdicts.items()]
    )


@pytest.mark.parametrize(
    ("want", "overwhelmed", "expected"),
    [
        ("not_flagged", "flagged", ["found", "cannot tell", "found"]),
        ("flagged", "flagged", ["found", "cannot tell", "missed"]),
        ("not_flagged", "not_flagged", ["missed", "cannot tell", "found"]),
    ],
)
def test_misleading_synonyms_should_be_flagged_and_no_others(want, overwhelmed, expected):
    found = list(synonym_effects(TRUTH, words(want=want, overwhelmed=overwhelmed), 0.05))
    assert [effect.verdict for effect in found] == expected
    assert ("want" in found[-1].note) == (want == "flagged")
