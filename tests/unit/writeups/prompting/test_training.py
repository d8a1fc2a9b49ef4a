"""Training of soft prompts, and the scores of what it learned."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from emoscope.errors import UserError
from emoscope.models.language_models import load_language_model
from emoscope.storage.files import write_json
from emoscope.writeups.prompting import measure as prompt_scores
from emoscope.writeups.prompting import training as prompt_training
from emoscope.writeups.prompting.soft_prompts import (
    Texts,
    load_prompts,
    logits_of,
)
from random_models import TEXTS

CONFIG = {
    "tokens": 5, "epochs": [2, 8], "batch_size": 8, "learning_rate": 0.02, "max_tokens": 30, "checked_texts": 6,
    "cache_gb": 1.0, "seed": 0, "precision": "fp32",
}  # fmt: skip


def test_positive_weights_are_negatives_over_positives():
    truth = torch.tensor([[1, 0], [0, 1], [0, 1], [0, 1]])
    assert prompt_training.positive_weight(truth).tolist() == pytest.approx([3, 1 / 3])


def test_positives_of_several_labels_are_weighted_and_one_class_is_a_choice():
    logits, truth = torch.tensor([[0.0, 2.0]]), torch.tensor([[0, 1]])
    choice = prompt_training.loss_of(logits, truth, "single", torch.tensor([5.0, 5.0]))
    assert choice.item() == pytest.approx(np.log1p(np.exp(-2)))
    several = prompt_training.loss_of(logits, truth, "multiple", torch.tensor([5.0, 3.0]))
    assert several.item() == pytest.approx((np.log(2) + 3 * np.log1p(np.exp(-2))) / 2)


def test_training_and_scoring_of_two_tasks(tmp_path, model, tokenizer):
    """The whole way of two small tasks: the model stays as it is, losses fall, shorter trainings are stations of longer
    ones, and the tables hold every prompt on every task's texts."""
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    words = [f"{text} {end}" for end in ("now", "today", "at home", "and so on") for text in TEXTS]
    happy = np.array(["love" in text or "happy" in text for text in words], dtype="int8")
    long = np.array([len(text) > 30 for text in words], dtype="int8")
    tasks = {
        "mood": ("multiple", ["joy", "long"], np.column_stack([happy, long]), "joy"),
        "size": ("single", ["short", "long"], np.column_stack([1 - long, long]), None),
    }
    for name, (kind, classes, truth, alone) in tasks.items():
        table = pd.DataFrame({"id": range(len(words)), "text": words})
        table[[f"is_{one}" for one in classes]] = truth
        table.to_parquet(tmp_path / f"{name}.parquet")
        write_json({"name": name, "kind": kind, "classes": classes, "alone": alone}, tmp_path / f"{name}.json")
        prompt_training.train_prompts(
            tmp_path / "model", tmp_path / f"{name}.parquet", tmp_path / f"{name}.json", CONFIG,
            tmp_path / f"{name}.safetensors", tmp_path / f"{name}.csv", tmp_path / f"{name}-means.safetensors",
        )  # fmt: skip
        history = pd.read_csv(tmp_path / f"{name}.csv")
        losses = history[history["label"] == "all"].set_index("epoch")["loss"]
        assert len(losses) == 8
        assert losses[8] < losses[1]
    assert set(load_prompts(tmp_path / "mood.safetensors", torch.device("cpu"))) == {"all/2", "all/8", "joy/2", "joy/8"}
    files = [[tmp_path / f"{name}.{kind}" for name in tasks] for kind in ("parquet", "json", "safetensors")]
    prompt_scores.score_prompts(
        tmp_path / "model", *files, CONFIG, *(tmp_path / f"{name}.parquet" for name in ("scores", "checks")),
        tmp_path / "-means.safetensors",
    )  # fmt: skip
    scores, checks = pd.read_parquet(tmp_path / "scores.parquet"), pd.read_parquet(tmp_path / "checks.parquet")
    assert len(scores) == 2 * len(words) * 2 * (
        2 + 2 + 2
    )  # texts of two tasks, two lengths, three prompts of two outputs
    tested, trained = (load_file(tmp_path / f"{name}-means.safetensors") for name in ("", "mood"))
    assert set(tested) == set(tasks)
    np.testing.assert_allclose(tested["mood"], trained["mood"], atol=1e-4, err_msg="here the same texts in one order")
    wide = scores.pivot(index=["texts", "task", "label", "epochs", "id"], columns="class", values="logit")
    read = Texts(*load_language_model(tmp_path / "model"), words, CONFIG["max_tokens"], budget=1e9)
    for name, label, columns in (("mood", "all", ["joy", "long"]), ("mood", "joy", ["not joy", "joy"]),
                                 ("size", "all", ["short", "long"])):  # fmt: skip
        prompts = load_prompts(tmp_path / f"{name}.safetensors", torch.device("cpu"))
        for epochs in (2, 8):
            own = logits_of(read.model, read.states(range(len(words))), prompts[f"{label}/{epochs}"]).numpy()
            for texts in tasks:
                found = wide.loc[texts, name, label, epochs][columns]
                np.testing.assert_allclose(found, own, atol=1e-4, err_msg=f"{name}, {label}, {epochs}, {texts}")
    alone, joint = wide.loc["mood", "mood", "joy", 8], wide.loc["mood", "mood", "all", 8]
    assert (alone["joy"] - alone["not joy"])[happy == 1].mean() > (alone["joy"] - alone["not joy"])[happy == 0].mean()
    assert joint["joy"][happy == 1].mean() > joint["joy"][happy == 0].mean(), "what was learnt is joy"
    size = wide.loc["size", "size", "all", 8]
    assert (size["long"] - size["short"])[long == 1].mean() > (size["long"] - size["short"])[long == 0].mean()
    largest = checks.groupby("check")["moved"].max()
    assert largest["composite head"] < 1e-5
    assert largest["explicit positions"] < 1e-5
    assert largest["implicit positions"] > 1e-3


def test_training_in_bf16_learns_prompts_in_float32(model, tokenizer):
    model = copy.deepcopy(model).to(torch.bfloat16)
    texts = Texts(model, tokenizer, TEXTS * 4, max_tokens=30, budget=1e9)
    truth = torch.tensor([["love" not in text, "love" in text] for text in TEXTS * 4]).long()
    losses, prompts = zip(
        *[step[1:] for step in prompt_training.train_prompt(texts, truth, "single", CONFIG)], strict=True
    )
    assert losses[-1] < losses[0]
    assert {part.dtype for prompt in prompts for part in prompt} == {torch.float32}


def test_a_probe_learns_from_states_of_the_precision_that_it_is_asked_in(tmp_path, model, tokenizer):
    """Prompts may be trained in bf16; test texts are always read in float32, and so are the training texts' means."""
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    own = ["love" in text for text in TEXTS]
    table = pd.DataFrame({"id": range(len(TEXTS)), "text": TEXTS, "is_no": np.logical_not(own), "is_yes": own})
    table.astype({"is_no": "int8", "is_yes": "int8"}).to_parquet(tmp_path / "train.parquet")
    about = {"name": "mood", "kind": "single", "classes": ["no", "yes"], "alone": None}
    write_json(about, tmp_path / "task.json")
    exact = Texts(*load_language_model(tmp_path / "model"), TEXTS, CONFIG["max_tokens"], budget=0).means()
    for precision in ("bf16", "fp32"):
        prompt_training.train_prompts(
            *(tmp_path / name for name in ("model", "train.parquet", "task.json")),
            CONFIG | {"epochs": [1], "precision": precision},
            *(tmp_path / name for name in ("prompts.safetensors", "history.csv", "means.safetensors")),
        )
        found = load_file(tmp_path / "means.safetensors")["mood"]
        np.testing.assert_allclose(found, exact, atol=1e-5, err_msg=precision)


def test_texts_and_prompt_must_fit_into_the_context(model):
    with pytest.raises(UserError, match=r"max_tokens and tokens make 65.*at most 64.*max_tokens to 59 or less"):
        prompt_training.check_context(model, CONFIG | {"max_tokens": 60})
