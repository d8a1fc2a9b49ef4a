"""Which planted features act, which way, and beside what."""

import json

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.features.cards import best_matches
from emoscope.experiments.features.measure import save_autoencoders
from emoscope.experiments.features.moves import move_features
from emoscope.experiments.features.names import ACTS, DOES_NOT, FEATURE, MEANS, RANDOM
from emoscope.experiments.features.summarise import BEYOND_MEANS, BEYOND_RANDOM, LOGIT
from emoscope.models.logits import predict_logits
from emoscope.models.planted.circuit import CLASSES, GENDER, GENDER_STRENGTH, plan
from emoscope.models.planted.compiled import DECIDED, compiled, tokenizer_for
from emoscope.models.planted.texts import KIND_OF, sentences
from emoscope.storage.decisions import SEVERAL
from planted_features import CONFIG, FEATURES, PREDICTION, planted
from planted_model import save_planted

ANSWERS = {f"answer {name}": name for name in GENDER.values()}  # behind the block, only gender has written there
WORDS = [number for number, signal in enumerate(FEATURES) if signal in {*KIND_OF.values()} - {"man", "woman"}]


def effect(found, signal: str) -> pd.DataFrame:
    """By measure, what is found of the feature of a signal."""
    return found.effects[found.effects["feature"] == FEATURES.index(signal)].set_index("measure")


@pytest.mark.parametrize("signal", ANSWERS)
def test_what_gender_wrote_acts_on_the_answer(found, signal):
    own = effect(found, signal)
    assert own.loc[BEYOND_RANDOM, "verdict"] == ACTS and set(own["class"]) == {ANSWERS[signal]}
    assert own.loc[FEATURE, "low"] > 0.2 and own.loc[RANDOM, "high"] < 0.1
    assert own.loc[BEYOND_RANDOM, "value"] == pytest.approx(own.loc[FEATURE, "value"] - own.loc[RANDOM, "value"])
    whole = GENDER_STRENGTH * DECIDED * 2 / 3  # above the mean of three logits
    assert own.loc[LOGIT, "value"] == pytest.approx(whole, rel=0.01), "all of it is gone, and nothing else"


def test_what_nothing_reads_any_more_does_not_act(found):
    verdicts = found.effects[found.effects["measure"] == BEYOND_RANDOM].set_index("feature")["verdict"]
    of_words = verdicts[verdicts.index.isin(WORDS)]
    assert len(of_words) >= 3 and (of_words != ACTS).all() and (of_words == DOES_NOT).any()
    itself = found.effects[(found.effects["measure"] == FEATURE) & found.effects["feature"].isin(WORDS)]
    assert (itself["value"].abs() < 1e-3).all()


def test_a_feature_is_judged_where_it_is_active(found):
    moved = found.moves[found.moves["dose"].isna() & (found.moves["way"] == FEATURE)]
    texts = moved.groupby("feature")["text"].nunique()
    assert (texts == effect(found, "answer anger")["texts"].iloc[0])[FEATURES.index("answer anger")]
    assert (texts < 0.5 * CONFIG["judged"]).all() and (texts > 0.1 * CONFIG["judged"]).all()
    assert not found.moves.duplicated(["feature", "way", "draw", "dose", "text"]).any()


def test_other_directions_are_no_features_and_draws_differ(found):
    removed = (
        found.moves[found.moves["dose"].isna()].set_index(["feature", "way", "draw", "text"])["after"].sort_index()
    )
    number = FEATURES.index("answer sadness")
    draws = [removed.loc[number, RANDOM, draw] for draw in range(CONFIG["random"])]
    others = [removed.loc[number, MEANS, 0], *draws]
    own = removed.loc[number, FEATURE, 0]
    assert all((other - own).abs().mean() > 0.05 for other in others)
    assert (draws[0] - draws[1]).abs().max() > 0


def test_more_of_a_feature_raises_its_class(found):
    rows = found.doses.set_index(["feature", "way"])
    for signal in ANSWERS:
        rose, beside = (rows.loc[(FEATURES.index(signal), way), "value"] for way in (FEATURE, RANDOM))
        assert rose > 0.01 and rose > 2 * abs(beside), "a keyword, which is stronger, decides in most texts"
    assert (found.doses["texts"] == 200).all(), "also where it is not active"


def test_beside_the_means_is_less_where_the_means_hold_several_features(found):
    own = effect(found, "negated")
    assert own.loc[BEYOND_MEANS, "value"] == pytest.approx(own.loc[FEATURE, "value"] - own.loc[MEANS, "value"])


def test_what_words_say_is_told_by_the_token(found):
    cards = found.cards.set_index("feature")
    words = cards.loc[cards.index.isin(WORDS), "by_token"]
    assert (words > 0.99).all() and cards.loc[FEATURES.index("answer anger"), "by_token"] < 0.5


def test_the_other_seed_has_the_same_features(found):
    assert found.cards["match"].to_numpy() == pytest.approx(1) and found.cards["random_match"].between(0.15, 0.4).all()
    assert best_matches(planted().decoder, []).isnan().all()


def test_the_texts_of_a_word_are_marked_at_the_word(found):
    top = found.texts[found.texts["feature"].isin(WORDS)]
    words = [text[start:end] for text, start, end in zip(top["text"], top["start"], top["end"], strict=True)]
    assert [KIND_OF[word] for word in words] == [FEATURES[number] for number in top["feature"]]
    assert (found.texts.groupby("feature")["place"].max() == 5).all()


def test_features_are_chosen_on_training_texts(found, tmp_path):
    known = sentences(300, 3)
    known[~known["text"].str.split().map(lambda words: any(KIND_OF.get(word) in CLASSES for word in words))].to_parquet(
        tmp_path / "train.parquet"
    )
    files = {name: tmp_path / f"{name}.parquet" for name in ("moves", "cards", "texts")}
    move_features(
        found.folder / "model", tmp_path / "train.parquet", found.folder / "test.parquet",
        found.folder / "weights.safetensors", CONFIG | {"judged": 40, "chosen": 24}, PREDICTION, **files,
    )  # fmt: skip
    chosen = [FEATURES[number] for number in pd.read_parquet(files["cards"])["feature"]]
    assert set(ANSWERS) <= set(chosen)
    assert not [name for name in chosen if name.startswith(("sure", "found"))], "no training text has a keyword"


def test_a_label_that_every_text_reaches_gets_no_feature(tmp_path):
    """As thresholds say: that of the first class is 0, others are reached by few texts."""
    model, texts = compiled(plan(1), "gpt2"), sentences(120, 1).assign(id=range(120))
    model.config.problem_type = SEVERAL
    save_planted(model, tmp_path / "model")
    logits = predict_logits(model, tokenizer_for("gpt2"), texts["text"].tolist(), 512)
    most = np.quantile(1 / (1 + np.exp(-logits)), 0.75, axis=0)
    least = dict(zip(CLASSES, [0.0, *map(float, most[1:])], strict=True))
    (tmp_path / "thresholds.json").write_text(json.dumps({"thresholds": least}))
    save_autoencoders([planted()], 1, tmp_path / "weights")
    texts[:100].to_parquet(tmp_path / "train.parquet")
    texts[100:].to_parquet(tmp_path / "test.parquet")
    files = {name: tmp_path / f"{name}.parquet" for name in ("moves", "cards", "texts")}
    move_features(
        tmp_path / "model", tmp_path / "train.parquet", tmp_path / "test.parquet", tmp_path / "weights",
        CONFIG | {"random": 1}, PREDICTION, **files, thresholds=[tmp_path / "thresholds.json"],
    )  # fmt: skip
    assert set(pd.read_parquet(files["cards"])["class"]) == set(CLASSES[1:])
