"""Where a fine-tuning starts: pretrained below, a head of its own on top."""

import copy
import re
from pathlib import Path

import pandas as pd
import pytest
import torch

from emoscope.errors import UserError
from emoscope.models.logits import predict_logits
from emoscope.models.parts import classification_head_of
from emoscope.models.precision import IN_FLOAT32
from emoscope.storage.files import occupy, write_json
from emoscope.training.checkpoints import VERSIONS, fingerprint, remove_left
from emoscope.training.finetune import finetune, rows_of, trainer_of, training_arguments
from emoscope.training.start import start_model
from random_models import FAMILIES, LABELS, TEXTS, change_json, change_weights, random_gpt2_lm

RULES = Path(__file__).parents[3] / "workflow" / "rules" / "training.smk"
CLASSES = ["anger", "fear", "joy"]  # as many as the random classifiers have


@pytest.fixture
def base(tmp_path, classifier, tokenizer):
    for part in (classifier, tokenizer):
        part.save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def started(folder, tokenizer, classes=CLASSES, seed=1):
    torch.manual_seed(seed)
    return start_model(folder, copy.deepcopy(tokenizer), classes, {})


@pytest.mark.parametrize("classes", [CLASSES, [*CLASSES, "love", "sadness"], CLASSES[:2]], ids=len)
def test_the_head_is_new_and_the_rest_is_the_base(base, classifier, tokenizer, classes):
    model, again, other = (started(base, tokenizer, classes, seed) for seed in (1, 1, 2))
    heads = [classification_head_of(each) for each in (model, again, other, classifier)]
    assert heads[0].weight.shape[0] == len(classes) == model.config.num_labels
    assert torch.equal(heads[0].weight, heads[1].weight)
    assert not torch.equal(heads[0].weight, heads[2].weight)
    assert heads[0].weight.std() < 0.03 < heads[3].weight.std()  # transformers' 0.02; the base was given 0.3
    assert heads[0].bias is None or not heads[0].bias.any()
    below = model.base_model.state_dict()
    assert all(torch.equal(weight, below[name]) for name, weight in classifier.base_model.state_dict().items())


def test_a_head_is_new_where_the_base_has_none(tmp_path, tokenizer):
    random_gpt2_lm(len(tokenizer)).save_pretrained(tmp_path)
    weights = [classification_head_of(started(tmp_path, tokenizer, seed=seed)).weight for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("problem", ["regression", "multi_label_classification", "single_label_classification"])
@pytest.mark.parametrize("labels", [1, 3, 4])
def test_any_task_before_gives_way_to_one_label_a_text(tmp_path, classifier, tokenizer, problem, labels):
    if (problem, labels) == ("single_label_classification", 1):
        problem = None  # transformers knows no such model
    family = FAMILIES[classifier.config.model_type]
    old = {"num_labels": labels, "id2label": {number: f"old {number}" for number in range(labels)}}
    config = family(len(tokenizer)).config.__class__(**classifier.config.to_dict() | old | {"problem_type": problem})
    type(classifier)(config).save_pretrained(tmp_path)
    model = started(tmp_path, tokenizer)
    inputs = copy.deepcopy(tokenizer)(TEXTS, padding=True, return_tensors="pt")
    inputs.pop("token_type_ids", None)
    truth = torch.tensor([0, 1, 2, 0, 1])
    found = model.eval()(**inputs, labels=truth)
    torch.testing.assert_close(found.loss, torch.nn.functional.cross_entropy(found.logits, truth))
    assert list(model.config.id2label.values()) == CLASSES != list(LABELS["id2label"].values())


@pytest.mark.parametrize("prefix", ["module.", "net.encoder.", "_orig_mod."])
def test_training_does_not_start_from_random_weights(base, tokenizer, prefix):
    change_weights(base, lambda weights: {f"{prefix}{name}": weight for name, weight in weights.items()})
    with pytest.raises(UserError, match=rf"base: its weights are not those .* left over \(the first: {prefix}"):
        started(base, tokenizer)


@pytest.mark.parametrize("blocks", [1, 2, 4])
def test_a_base_of_another_depth_than_it_says_is_refused(base, classifier, tokenizer, blocks):
    name = {"gpt2": "n_layer"}.get(classifier.config.model_type, "num_hidden_layers")
    change_json(base / "config.json", **{name: blocks})
    with pytest.raises(UserError, match="are missing" if blocks == 4 else "are left over"):
        started(base, tokenizer)


@pytest.mark.parametrize("token", ["[NEW]", "<|pad2|>", "zzz"])
def test_a_token_beyond_the_embedding_is_refused(base, tokenizer, token):
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.add_special_tokens({"pad_token": token})
    with pytest.raises(UserError, match=r"of the tokenizer is number 320, but the embedding ends at 319"):
        started(base, tokenizer)


def test_each_text_goes_with_its_own_label(tokenizer):
    rows = rows_of(tokenizer, TEXTS, [0, 1, 2, 0, 1])
    assert [row["labels"] for row in rows] == [0, 1, 2, 0, 1]
    assert [tokenizer.decode(row["input_ids"]).strip() for row in rows] == TEXTS


def test_classes_keep_their_numbers(tokenizer):
    sizes = {"blocks": 1, "heads": 1, "width": 8, "context": 16}
    assert start_model(None, tokenizer, CLASSES, sizes).config.id2label == {0: "anger", 1: "fear", 2: "joy"}


def test_the_recipe_reaches_the_trainer(tmp_path):
    recipe = {"epochs": 3, "batch_size": 7, "learning_rate": 2e-3, "weight_decay": 0.03}
    recipe |= {"schedule": "cosine", "warmup": 0.2, "precision": "fp32"}
    found = training_arguments(recipe, 11, 64, tmp_path)
    assert (found.num_train_epochs, found.per_device_train_batch_size, found.learning_rate) == (3, 7, 2e-3)
    assert (found.weight_decay, found.lr_scheduler_type, found.warmup_steps) == (0.03, "cosine", 0.2)
    assert (found.seed, found.bf16, found.output_dir) == (11, False, str(tmp_path))


def test_checkpoints_are_named_after_all_that_trains(tmp_path, monkeypatch, base):
    """Settings, texts, the files of the model to start from, but not what else lies there, and the code that the rule
    hands over: what other code began is not gone on with."""
    named = []

    def fingerprint(config, files):
        named.extend(files)
        raise InterruptedError("before it trains")

    monkeypatch.setattr("emoscope.training.finetune.fingerprint", fingerprint)
    train, code = tmp_path / "train.parquet", [tmp_path / "finetune.py", tmp_path / "loading.py"]
    pd.DataFrame({"id": range(len(TEXTS)), "text": TEXTS, "label": 0}).to_parquet(train)
    write_json({"classes": CLASSES}, tmp_path / "corpus.json")
    sizes = {"blocks": 1, "heads": 1, "width": 8, "context": 16, "vocabulary": 300}
    outputs = {name: tmp_path / name for name in ("checkpoints", "output", "history")}
    with pytest.raises(InterruptedError):
        finetune(train, tmp_path / "corpus.json", [], {"model": sizes, "seed": 1}, code=code, **outputs)
    assert named == [train, *code]
    (base / ".config.json.swp").touch(), (base / "notes.md").touch()
    with pytest.raises(InterruptedError):
        finetune(train, tmp_path / "corpus.json", [base], {"model": {"blocks": 3}, "seed": 1}, code=code, **outputs)
    assert {file.name for file in named[3:]} >= {"train.parquet", "config.json", "model.safetensors"}
    assert not {".config.json.swp", "notes.md"} & {file.name for file in named}
    [rule] = re.findall(r"^rule finetune:.*?^rule ", RULES.read_text(), flags=re.M | re.S)
    assert 'code=code_of("training.finetune"),' in rule and "--code {input.code:q} " in rule


@pytest.mark.parametrize("library", ["torch", "transformers"])
def test_another_version_of_a_library_starts_anew(monkeypatch, library):
    before = fingerprint({"seed": 1}, [])
    monkeypatch.setitem(VERSIONS, library, "another")
    assert fingerprint({"seed": 1}, []) != before


def test_what_other_settings_left_is_removed_unless_it_is_worked_on(tmp_path, capsys):
    for name in ("left", "worked on", "own"):
        (tmp_path / name / "checkpoint-10").mkdir(parents=True)
    (tmp_path / "a user's" / "notes").mkdir(parents=True)
    occupy(tmp_path / "left").close()
    own, lock = occupy(tmp_path / "own"), occupy(tmp_path / "worked on")
    remove_left(tmp_path / "own")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a user's", "own", "worked on"]
    assert capsys.readouterr().err == f"{tmp_path / 'left'}: removed; a training with other settings had left it\n"
    own.close(), lock.close()


def test_a_text_that_changes_starts_anew(tmp_path):
    file = tmp_path / "train.parquet"
    prints = []
    for content in ("a", "b", "a"):
        file.write_text(content)
        prints.append(fingerprint({"seed": 1}, [file]))
    assert prints[0] == prints[2] != prints[1] != fingerprint({"seed": 2}, [file])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_few_texts_are_learnt_with_their_labels(tmp_path, tokenizer, precision):
    """Nothing but training can tell labels of texts that are drawn by chance."""
    torch.manual_seed(0)
    sizes = {"blocks": 1, "heads": 1, "width": 32, "context": 64}
    recipe = {"epochs": 25, "batch_size": 5, "learning_rate": 1e-2, "weight_decay": 0.0}
    recipe |= {"schedule": "constant", "warmup": 0, "precision": precision}
    model = start_model(None, tokenizer, CLASSES, sizes)
    labels = [2, 0, 1, 1, 2]
    arguments = training_arguments(recipe, 1, 32, tmp_path)
    arguments.disable_tqdm, arguments.save_strategy = True, "no"
    trainer = trainer_of(model, tokenizer, rows_of(tokenizer, TEXTS, labels), arguments)
    assert model.config._attn_implementation == {"fp32": "sdpa", "bf16": IN_FLOAT32}[precision]
    trainer.train()
    assert predict_logits(model.eval(), tokenizer, TEXTS, 64).argmax(axis=1).tolist() == labels
