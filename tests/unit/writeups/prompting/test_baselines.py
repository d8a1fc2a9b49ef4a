"""The cheapest classifiers learn from the training texts and speak of the test texts, class by class."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from emoscope.models.loading import random_twin
from emoscope.storage.files import write_json
from emoscope.writeups.prompting.baselines import baselines, score_baselines
from emoscope.writeups.prompting.soft_prompts import Texts, save_means

MOODS = ["so happy now", "so afraid now", "happy and afraid", "it is a day"]
TRUTH = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])


def mood_table(rows: list[int], turned: bool = False) -> pd.DataFrame:
    truth = TRUTH[rows] ^ turned
    return pd.DataFrame({
        "id": np.arange(len(rows)) + 100, "text": [f"{MOODS[row]} {n}" for n, row in enumerate(rows)],
        "is_joy": truth[:, 0], "is_fear": truth[:, 1],
    })  # fmt: skip


MOOD = {"name": "mood", "kind": "multiple", "classes": ["joy", "fear"]}


def test_what_is_learnt_comes_from_the_training_texts_alone():
    train, test = mood_table([0, 1, 2, 3] * 6), mood_table([1, 0, 3])
    states = {"probe": (TRUTH[[0, 1, 2, 3] * 6].astype(float), TRUTH[[1, 0, 3]].astype(float))}
    found = baselines(train, test, MOOD, states)
    for method in ("words", "probe"):
        assert (found[method] > 0).tolist() == TRUTH[[1, 0, 3]].astype(bool).tolist(), method
    other = baselines(train, mood_table([1, 0, 3], turned=True), MOOD, states)
    for method, logits in found.items():
        np.testing.assert_array_equal(logits, other[method], err_msg=f"{method} saw the answers")


def test_the_constant_is_the_training_texts_answer():
    found = baselines(mood_table([0, 0, 0, 1, 3]), mood_table([1, 1, 1]), MOOD, {})
    assert (found["constant"] > 0).tolist() == [[True, False]] * 3
    single = {"name": "view", "kind": "single", "classes": ["bad", "good"]}
    train = pd.DataFrame({"text": MOODS, "is_bad": [0, 0, 1, 0], "is_good": [1, 1, 0, 1]})
    assert baselines(train, train, single, {})["constant"].argmax(axis=1).tolist() == [1] * 4


def test_labels_of_several_are_weighted_as_in_the_prompts_loss():
    """With one joyful text in eight and nothing to tell it by, a weighted probe says joy as often as not."""
    train = mood_table([0, 1, 1, 1, 1, 1, 1, 1])
    nothing = {"probe": (np.zeros((8, 2)), np.zeros((1, 2)))}
    assert abs(baselines(train, mood_table([3]), MOOD, nothing)["probe"][0, 0]) < 0.1
    one = MOOD | {"kind": "single"}
    assert baselines(train, mood_table([3]), one, nothing)["probe"][0, 0] < -1


@pytest.fixture(scope="module")
def written(tmp_path_factory, model, tokenizer):
    """The baselines of two tasks whose trained means are made up, so that they cannot be exchanged unseen."""
    folder = tmp_path_factory.mktemp("baselines")
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    train, test = mood_table([0, 1, 2, 3] * 5), mood_table([1, 0, 3])
    signs = {"mood": 1, "doom": -1}
    for name in signs:
        train.to_parquet(folder / f"{name}-train.parquet")
        test.to_parquet(folder / f"{name}-test.parquet")
        write_json(MOOD | {"name": name}, folder / f"{name}.json")
        save_means({name: torch.tensor(TRUTH[[0, 1, 2, 3] * 5]).float()}, folder / f"{name}-means.safetensors")
    save_means({name: sign * torch.tensor(TRUTH[[1, 0, 3]]).float() for name, sign in signs.items()}, folder / "means")
    lists = [[folder / f"{name}{end}" for name in signs] for end in
             ("-train.parquet", "-test.parquet", ".json", "-means.safetensors")]  # fmt: skip
    config = {"seed": 0, "max_tokens": 30}
    score_baselines(folder / "model", *lists, folder / "means", config, folder / "scores.parquet")
    return folder, pd.read_parquet(folder / "scores.parquet")


def test_every_method_speaks_of_every_test_text(written):
    _, scores = written
    assert scores.groupby(["texts", "method"], sort=False).size().tolist() == [3 * 2] * 8
    assert scores["id"].unique().tolist() == [100, 101, 102] and scores["class"].tolist()[:2] == ["joy", "fear"]


def test_the_probe_reads_the_tasks_own_means(written):
    _, scores = written
    found = scores[scores["method"] == "probe"].set_index(["texts", "id", "class"])["logit"]
    assert found["mood", 100, "fear"] > 0 > found["mood", 100, "joy"]
    assert found["doom", 100, "fear"] < 0, "whose test means have the other sign"


def test_the_random_probe_reads_neither_the_trained_model_nor_its_means(written, model, tokenizer):
    folder, scores = written
    found = scores[(scores["method"] == "random probe") & (scores["texts"] == "mood")]["logit"].to_numpy()
    doom = scores[(scores["method"] == "random probe") & (scores["texts"] == "doom")]["logit"].to_numpy()
    np.testing.assert_allclose(found, doom, err_msg="its texts are the same")
    train, test = (pd.read_parquet(folder / f"mood-{part}.parquet") for part in ("train", "test"))

    def probed(model) -> np.ndarray:
        means = [Texts(model, tokenizer, table["text"], 30, 0).means().numpy() for table in (train, test)]
        return baselines(train, test, MOOD, {"probe": tuple(means)})["probe"].ravel()

    np.testing.assert_allclose(found, probed(random_twin(model, 0, 6)), atol=1e-3)
    assert np.abs(found - probed(model)).max() > 0.05
    assert load_file(folder / "means").keys() == {"mood", "doom"}
