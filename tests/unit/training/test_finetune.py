"""Where a fine-tuning starts: pretrained below, a head of its own on top."""

import copy

import pytest
import torch

from emoscope.errors import UserError
from emoscope.models.families import last_and_head_of
from emoscope.training.finetune import start_model
from random_models import FAMILIES, LABELS, TEXTS, change_json, change_weights, random_gpt2_lm

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
    heads = [last_and_head_of(each)[1] for each in (model, again, other, classifier)]
    assert heads[0].weight.shape[0] == len(classes) == model.config.num_labels
    assert torch.equal(heads[0].weight, heads[1].weight)
    assert not torch.equal(heads[0].weight, heads[2].weight)
    assert heads[0].weight.std() < 0.03 < heads[3].weight.std()  # transformers' 0.02; the base was given 0.3
    assert heads[0].bias is None or not heads[0].bias.any()
    below = model.base_model.state_dict()
    assert all(torch.equal(weight, below[name]) for name, weight in classifier.base_model.state_dict().items())


def test_a_head_is_new_where_the_base_has_none(tmp_path, tokenizer):
    random_gpt2_lm(len(tokenizer)).save_pretrained(tmp_path)
    weights = [last_and_head_of(started(tmp_path, tokenizer, seed=seed))[1].weight for seed in (1, 1, 2)]
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
