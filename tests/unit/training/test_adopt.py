"""A classifier that was trained elsewhere is taken as it is, and its corpus speaks of its classes."""

import re

import numpy as np
import pandas as pd
import pytest
import torch

from emoscope.data.split import audit_corpus
from emoscope.errors import UserError
from emoscope.models.inside.padding import padding_check
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import predict_logits
from emoscope.storage.files import read_json, write_json, write_table
from emoscope.storage.integrity import check_whole
from emoscope.training.adopt import adopt_model
from emoscope.training.checkpoints import begin, check_wanted
from emoscope.training.match import match_labels
from random_models import FAMILIES, TEXTS, change_json, change_weights

CLASSES = ["anger", "joy", "sadness", "fear"]
OWN = ["SADNESS", "joy", "love"]  # of the model, in the order of its logits


@pytest.fixture(params=FAMILIES)
def base(request, tokenizer, tmp_path):
    torch.manual_seed(1)
    model = FAMILIES[request.param](len(tokenizer))
    model.config.id2label, model.config.label2id = dict(enumerate(OWN)), {name: k for k, name in enumerate(OWN)}
    model.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    (tmp_path / "base" / "README.md").write_text("its own card\n")
    return tmp_path / "base"


def corpus(folder, labels, column="label"):
    """Training, validation and test set with these labels, 12 texts each but for the second, which has none; they share
    none."""
    table = pd.DataFrame({"id": range(12), "text": [f"text {k}" for k in range(12)], column: labels})
    if column == "label":
        table = table.astype({"label": "int8"})
    asked = table.assign(id=range(12, 24), text=[f"another text {k}" for k in range(12)])
    for name, part in (("train", table), ("validation", table[:0]), ("test", asked)):
        write_table(part, folder / f"{name}.parquet")
    about = {"source": "mine", "classes": CLASSES, **audit_corpus(table, CLASSES)}
    write_json(about | ({"multilabel": True} if column == "labels" else {}), folder / "corpus.json")


def match(base, folder, **config):
    own = folder / "own"
    own.mkdir(exist_ok=True)
    sets = {name: folder / f"{name}.parquet" for name in ("train", "validation", "test")}
    matched = {f"matched_{name}": own / f"{name}.parquet" for name in sets}
    settings = {"labels": {}, "whole": False} | config
    match_labels(
        base, **sets, audit=folder / "corpus.json", config=settings, **matched, matched_audit=own / "corpus.json"
    )
    return [pd.read_parquet(path) for path in matched.values()], read_json(own / "corpus.json")


def adopt(base, folder):
    texts = [folder / f"own/{name}.parquet" for name in ("train", "test")]
    files = [folder / "work", folder / "model", folder / "training.json"]
    adopt_model(base, folder / "own/corpus.json", *texts, {"blocks": 3}, *files)
    return folder / "model", read_json(folder / "training.json")


def test_labels_get_the_numbers_of_the_logits_and_other_texts_are_left_out(base, tmp_path):
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    (train, validation, test), about = match(base, tmp_path)
    assert about["classes"] == ["sadness", "joy", "love"] and about["order"] == ["joy", "sadness"]
    assert train["label"].tolist() == [1, 0] * 3 and train["id"].tolist() == [1, 2, 5, 6, 9, 10]
    assert test["label"].tolist() == [1, 0] * 3 and test["id"].tolist() == [13, 14, 17, 18, 21, 22]
    assert train["label"].dtype == np.int8 and validation.empty and list(validation) == ["id", "text", "label"]
    assert about["left_out"] == {"anger": 6, "fear": 6} and about["class_counts"] == {"sadness": 6, "joy": 6, "love": 0}
    assert (about["rows"], about["train_rows"], about["test_rows"], about["source"]) == (12, 6, 6, "mine")


def test_of_several_labels_those_that_the_model_lacks_are_left_out(base, tmp_path):
    change_json(base / "config.json", problem_type="multi_label_classification")
    corpus(tmp_path, [[1, 2], [0, 2], [3], []] * 3, "labels")
    (train, _, _), about = match(base, tmp_path)
    assert [list(own) for own in train["labels"]] == [[0, 1], [0], [], []] * 3
    assert train["labels"][0].dtype == np.int8 and about["left_out"] == {"anger": 6, "fear": 6}


def test_a_model_and_texts_with_too_little_in_common_are_refused(base, tmp_path):
    corpus(tmp_path, [0, 1, 3, 3] * 3)
    with pytest.raises(UserError, match="fewer than 2 of its classes occur in the training set; use other texts"):
        match(base, tmp_path)


def test_texts_that_were_dropped_stay_counted_and_what_is_left_out_does_not(base, tmp_path):
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    kept = match(base, tmp_path)[1]
    assert (kept["rows"], kept["duplicate_rows"], kept["conflicting_texts"]) == (12, 0, 0)
    held = pd.read_parquet(tmp_path / "train.parquet").iloc[[0]].assign(id=30, text="anger alone")
    write_table(held, tmp_path / "validation.parquet")
    repeats = {"rows": 40, "duplicate_rows": 15, "duplicate_texts": 9, "conflicting_texts": 2}
    counted = {"validation_rows": 1, "validation_rows_in_train": 0, "validation_rows_in_test": 0}
    change_json(tmp_path / "corpus.json", **repeats, **counted)
    about = match(base, tmp_path)[1]
    assert {name: about[name] for name in repeats} == repeats, "as in runs that were trained on this corpus"
    assert not any(name.startswith("validation") for name in about), "no text of the validation part is left"
    assert (about["train_rows"], about["test_rows"], about["class_counts"]["joy"]) == (6, 6, 6)


def test_texts_of_which_none_is_new_are_refused(base, tmp_path):
    """Of those of its own classes, whatever the others are."""
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    train, test = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("train", "test"))
    own = test["label"].isin([1, 2])
    write_table(test.assign(text=test["text"].mask(own, train["text"])), tmp_path / "test.parquet")
    with pytest.raises(UserError, match="of its classes: every test text also stands in the training or val"):
        match(base, tmp_path)


def test_an_adopted_classifier_answers_as_it_did(base, tmp_path):
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    match(base, tmp_path)
    folder, history = adopt(base, tmp_path)
    for name in ("model.safetensors", "tokenizer.json", "README.md"):
        assert (folder / name).read_bytes() == (base / name).read_bytes(), name
    check_whole([folder])
    old, new = load_classifier(base), load_classifier(folder)
    assert np.array_equal(predict_logits(*new, TEXTS, 512), predict_logits(*old, TEXTS, 512))
    assert classes_of(old[0]) == OWN and classes_of(new[0]) == ["sadness", "joy", "love"]
    assert history["trained"] == "elsewhere" and history["labels"] == {
        "SADNESS": "sadness",
        "joy": "joy",
        "love": "love",
    }
    assert history["parameters"] == old[0].num_parameters() and "the texts it was trained on" in history["unknown"]


def test_blanks_around_a_label_are_no_part_of_its_name(base, tmp_path):
    """Or predictions would have a column of another name than the corpus' class."""
    change_json(base / "config.json", id2label={"0": "anger", "1": "joy ", "2": " fear"})
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    match(base, tmp_path)
    folder, _ = adopt(base, tmp_path)
    assert classes_of(load_classifier(folder)[0]) == ["anger", "joy", "fear"]


def test_a_folder_that_says_everything_stays_as_it_is_to_the_byte(base, tmp_path):
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    match(base, tmp_path, labels={"love": "fear", "SADNESS": "anger"})
    first, _ = adopt(base, tmp_path)
    (first / "checksums.json").rename(tmp_path / "seal")
    again = tmp_path / "again"
    again.mkdir()
    write_json({"classes": ["anger", "joy", "fear"]}, tmp_path / "own/corpus.json")
    texts = [tmp_path / "own/test.parquet"] * 2
    made = [again / "work", again / "model", again / "training.json"]
    adopt_model(first, tmp_path / "own/corpus.json", *texts, {"blocks": 3}, *made)
    assert not made[0].exists(), "nothing was trained there"
    files = sorted(file.name for file in first.iterdir())
    assert [file.name for file in sorted((again / "model").iterdir()) if file.name != "checksums.json"] == files
    for name in files:
        assert (again / "model" / name).read_bytes() == (first / name).read_bytes(), name


def test_what_batches_need_is_written_down(base, tmp_path):
    """A tokenizer without a padding token, as GPT-2's, gets the one by whose number the model reads its last token."""
    settings = read_json(base / "tokenizer_config.json")
    settings = {key: value for key, value in settings.items() if key not in ("pad_token", "model_max_length")}
    write_json(settings | {"padding_side": "left"}, base / "tokenizer_config.json")
    change_json(base / "config.json", pad_token_id=None)
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    match(base, tmp_path)
    model, tokenizer = load_classifier(adopt(base, tmp_path)[0])
    assert tokenizer.pad_token_id == model.config.pad_token_id == tokenizer.eos_token_id
    assert tokenizer.padding_side == "right" and tokenizer.model_max_length == model.config.max_position_embeddings


def test_errors_name_the_folder_that_the_user_gave(base, tmp_path):
    """Not the copy, which is gone when they are read."""
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    match(base, tmp_path)
    change_weights(base, lambda weights: weights | {"adapter.weight": torch.ones(3)})
    with pytest.raises(UserError, match=rf"^{re.escape(str(base))}: its weights are not those .*adapter.weight"):
        adopt(base, tmp_path)


@torch.no_grad()
@pytest.mark.parametrize("base", ["gpt2", "llama"], indirect=True)
def test_a_model_whose_tokenizer_pads_with_another_token_is_told_so(base, tmp_path):
    """It would read what its texts are padded with: no fault of the model's, which does mask its own padding."""
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    match(base, tmp_path)
    change_json(base / "tokenizer_config.json", pad_token="<|endoftext|>")
    with pytest.raises(
        UserError, match=r"says pad_token_id 0, but the tokenizer pads with '<\|endoftext\|>', number 1,"
    ):
        adopt(base, tmp_path)
    model, tokenizer = load_classifier(base)
    assert not padding_check(model, tokenizer, TEXTS).exact
    change_json(base / "config.json", pad_token_id=1)
    assert padding_check(*load_classifier(adopt(base, tmp_path)[0]), TEXTS).exact


@torch.no_grad()
@pytest.mark.parametrize("base", ["bert"], indirect=True)
def test_what_an_encoder_pads_with_does_not_matter(base, tmp_path):
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    match(base, tmp_path)
    change_json(base / "tokenizer_config.json", pad_token="<|endoftext|>")
    assert padding_check(*load_classifier(adopt(base, tmp_path)[0]), TEXTS).exact


def test_another_number_of_blocks_is_refused_and_nothing_is_left(base, tmp_path):
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    match(base, tmp_path)
    with pytest.raises(UserError, match="the model has 3 blocks but the config says 4"):
        texts, files = [tmp_path / "own/test.parquet"] * 2, [tmp_path / name for name in ("work", "model", "history")]
        adopt_model(base, tmp_path / "own/corpus.json", *texts, {"blocks": 4}, *files)
    assert not (tmp_path / "model").exists()


def test_a_training_of_the_run_that_is_still_at_work_is_refused_and_writes_nothing_over_the_classifier(base, tmp_path):
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    match(base, tmp_path)
    scratch = tmp_path / "work" / "trained"
    locks = begin(scratch)
    check_wanted(scratch, tmp_path / "model")
    with pytest.raises(UserError, match=r"work: another process is at work in it; wait for it or end it"):
        adopt(base, tmp_path)
    with pytest.raises(UserError, match="model: not written, since a training with other settings was started"):
        check_wanted(scratch, tmp_path / "model")
    for lock in locks:
        lock.close()
    adopt(base, tmp_path)
    assert {path.name for path in (tmp_path / "work").iterdir()} == {"lock", "wanted"}, "what the training left is gone"
    with pytest.raises(UserError, match="not written"):  # where there are no locks
        check_wanted(scratch, tmp_path / "model")


def test_texts_that_do_not_fit_into_its_context_are_counted(base, tmp_path):
    corpus(tmp_path, [0, 1, 2, 3] * 3)
    match(base, tmp_path)
    table = pd.read_parquet(tmp_path / "own/test.parquet")
    table.loc[:1, "text"] = "i love my dog " * 20
    write_table(table, tmp_path / "own/test.parquet")
    change_json(base / "tokenizer_config.json", model_max_length=40)
    _, history = adopt(base, tmp_path)
    assert (history["texts"], history["texts_cut"]) == (12, 2)
