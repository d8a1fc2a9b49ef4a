"""The epoch that is kept is the one that the validation texts say, and the test set has no part in it."""

import copy
import json

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from torch.nn.functional import cross_entropy

from emoscope.errors import UserError
from emoscope.models.loading import load_classifier
from emoscope.models.logits import predict_logits
from emoscope.plan.config import complete
from emoscope.plan.files import check_files
from emoscope.plan.settings import read_study
from emoscope.storage.files import occupy, read_json, write_table
from emoscope.training.finetune import finetune

EPOCHS = 6
MODEL = {"source": "scratch", "blocks": 1, "heads": 2, "width": 16, "vocabulary": 300, "context": 16}
RECIPE = {"epochs": EPOCHS, "batch_size": 8, "learning_rate": 2e-2, "weight_decay": 0.0, "schedule": "linear"}
RECIPE |= {"warmup": 0, "precision": "fp32", "balance": "none", "gpus": 1}
WORDS = ["glad", "sad"]


def texts(labels: list[int]) -> pd.DataFrame:
    """Texts that name their label; where the label is not the word's, what is learned in training is wrong there."""
    count = len(labels)
    words = [f"so {WORDS[k % 2]} {k // 2}" for k in range(count)]
    return pd.DataFrame({"id": range(count), "text": words, "label": labels})


def trained(folder, validation: pd.DataFrame | None, **recipe) -> tuple[dict, np.ndarray]:
    """The history and the logits of the validation texts, or of the training texts without such."""
    folder.mkdir(exist_ok=True)
    train = texts([0, 1] * 24)
    write_table(train, folder / "train.parquet")
    (folder / "corpus.json").write_text(json.dumps({"classes": WORDS}))
    held = []
    if validation is not None:
        held = [folder / "validation.parquet"]
        write_table(validation, held[0])
    config = {"model": MODEL, "training": RECIPE | recipe, "seed": 1}
    outputs = {"checkpoints": folder / "work", "output": folder / "model", "history": folder / "training.json"}
    occupy(folder / "work" / "left by other settings").close()
    finetune(folder / "train.parquet", folder / "corpus.json", [], config, validation=held, **outputs)
    assert {path.name for path in (folder / "work").iterdir()} == {"lock", "wanted"}
    judged = train if validation is None else validation
    return read_json(outputs["history"]), predict_logits(
        *load_classifier(outputs["output"]), judged["text"].tolist(), 512
    )


def test_the_best_epoch_is_kept(tmp_path):
    """Validation labels that are the other way round make the first epoch the best, as overfitting would."""
    against = texts([1, 0] * 6)
    history, logits = trained(tmp_path / "best", against, keep="best")
    found = history["validation"]
    losses = [judged["loss"] for judged in found["loss"]]
    assert [judged["epoch"] for judged in found["loss"]] == [*range(1, EPOCHS + 1)] and found["texts"] == 12
    assert found["kept_epoch"] == 1 + int(np.argmin(losses)) < EPOCHS and losses[-1] > min(losses) + 0.1
    loss = cross_entropy(torch.tensor(logits), torch.tensor(against["label"].to_numpy(int)))
    assert loss.item() == pytest.approx(min(losses), abs=1e-4)  # the weights are that epoch's

    history, logits = trained(tmp_path / "good", texts([0, 1] * 6), keep="best")
    assert history["validation"]["kept_epoch"] > 1
    assert (logits.argmax(axis=1) == [0, 1] * 6).all()


def test_a_training_that_outlived_its_snakemake_makes_way_for_other_settings(tmp_path, monkeypatch):
    """New settings are refused while it is at work, and what it learned by the old ones is not written over theirs."""

    def meanwhile(trainer, **_):
        monkeypatch.undo()
        with pytest.raises(UserError, match=r"work: another process is at work in it; wait for it or end it"):
            trained(tmp_path / "run", None, learning_rate=1e-3)

    monkeypatch.setattr("transformers.Trainer.train", meanwhile)
    with pytest.raises(UserError, match="model: not written, since a training with other settings was started"):
        trained(tmp_path / "run", None)
    assert not (tmp_path / "run" / "model").exists()
    trained(tmp_path / "run", None, learning_rate=1e-3)
    assert (tmp_path / "run" / "model" / "config.json").is_file()


def test_without_a_word_the_last_epoch_is_kept(tmp_path):
    history, logits = trained(tmp_path / "last", None)
    assert "validation" not in history and (logits.argmax(axis=1) == [0, 1] * 24).all()


@pytest.mark.parametrize(("held", "told"), [("eval", False), ("dev", True), ("Valid", True)])
@pytest.mark.parametrize("chosen", [{"training": {"keep": "best"}}, {"thresholds": "validation"}])
def test_a_folder_says_before_any_training_whether_it_has_validation_texts(tmp_path, chosen, held, told):
    for name in ("train", "test", held):
        (tmp_path / f"{name}.tsv").write_text("a\t0\ti\n")
    (tmp_path / "labels.txt").write_text("joy\nlove\n")
    corpus = {"source": "tabbed", "path": str(tmp_path)}
    runs = [{"name": "r", "corpus": "mine", "model": "m", **chosen}]
    config = complete(CONFIG | {"corpora": CONFIG["corpora"] | {"mine": corpus}, "runs": runs})
    if told:
        return check_files(config)
    with pytest.raises(UserError, match=r"runs\[0\]: 'mine' has no part for validation, .* it has: eval, test, train;"):
        check_files(config)


def test_no_validation_texts_no_best_epoch(tmp_path):
    with pytest.raises(UserError, match="has no validation part, so no epoch can be chosen by it; leave `keep`"):
        trained(tmp_path / "none", texts([]), keep="best")


@pytest.mark.parametrize("keep", [{}, {"keep": "best"}])
def test_a_training_that_diverged_leaves_no_model(tmp_path, monkeypatch, keep):
    """With validation texts it is their loss that is no number, after which no epoch is the best."""
    whole = transformers.Trainer.train

    def diverged(trainer, **settings):
        whole(trainer, **settings)
        if keep:
            trainer.state.best_global_step = None  # as after losses of NaN
        else:
            next(trainer.model.parameters()).data[0] = torch.nan

    monkeypatch.setattr("transformers.Trainer.train", diverged)
    what = "losses" if keep else "weights"
    with pytest.raises(UserError, match=rf"model: the training diverged, so that its {what} .* lower `learning_rate`"):
        trained(tmp_path / "run", texts([0, 1] * 6) if keep else None, **keep)
    assert not (tmp_path / "run" / "model").exists()


CORPUS = {"source": "csv", "path": "mine.csv", "classes": WORDS}
CONFIG = {
    "corpora": {"calibration": {"source": "calibration"}, "mine": CORPUS},
    "models": {"m": {"source": "scratch"}},
    "runs": [{"name": "r", "corpus": "mine", "model": "m", "training": {"keep": "best"}}],
}


def configured(**corpus) -> dict:
    config = copy.deepcopy(CONFIG)
    config["corpora"]["mine"] |= corpus
    return config


@pytest.mark.parametrize(
    ("corpus", "lack"),
    [
        ({}, "'mine' is cut into training and test texts alone"),
        ({"split": {"method": "given", "validation": "train"}}, "the validation part of 'mine' is trained on"),
        (
            {"split": {"method": "given"}, "splits": {"train": "a.csv", "test": "b.csv"}},
            "`splits` of 'mine' names no validation part",
        ),
    ],
)
def test_a_corpus_without_such_a_part_is_refused_before_anything_runs(corpus, lack):
    with pytest.raises(UserError, match=rf"config runs\[0\].training.keep: {lack}; leave `keep` out"):
        complete(configured(**corpus))


def test_the_validation_texts_reach_the_training(tmp_path):
    config = configured(split={"method": "given"}, path=str(tmp_path))
    assert read_study(config).runs["r-s1"].judging_epochs == ["data/corpora/mine/validation.parquet"]
    config["runs"][0]["training"] = {"keep": "last"}
    assert read_study(config).runs["r-s1"].judging_epochs == []
