"""A model is loaded whole or not at all: no weight is random, left over or of another size without a word."""

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertForMaskedLM,
    BertForPreTraining,
    BertModel,
    GPT2Config,
    GPT2DoubleHeadsModel,
    GPT2ForTokenClassification,
    GPT2Model,
    LlamaModel,
)

from benchmarks.families import random_model, word_pieces
from emoscope.errors import UserError
from emoscope.models.folder import check_model_folder
from emoscope.models.language_models import load_language_model
from emoscope.models.loading import POOLER, load_classifier, load_tokenizer, load_weights
from emoscope.models.parts import family_of
from emoscope.models.sources import _load_plain, copy_files
from random_models import FAMILIES, change_json, change_weights, random_gpt2_lm, random_llama_lm

LANGUAGE = {"gpt2": random_gpt2_lm, "llama": random_llama_lm}
MASKS = {  # constants that old versions of transformers wrote beside the weights
    "gpt2": {
        "transformer.h.0.attn.bias": torch.ones(1, 1, 64, 64, dtype=torch.uint8),
        "transformer.h.0.attn.masked_bias": torch.tensor(-1e4),
    },
    "bert": {
        "bert.embeddings.position_ids": torch.arange(512)[None],
        "bert.embeddings.token_type_ids": torch.zeros(1, 512, dtype=torch.long),
    },
    "llama": {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(3)},
}
PARTS = {
    "gpt2": ("score", "wte", "ln_f", "h.2", "attn.c_proj.bias"),
    "bert": ("classifier", "word_embeddings", "pooler", "layer.2", "output.LayerNorm"),
    "llama": ("score", "embed_tokens", "model.norm", "layers.2", "k_proj"),
}


def bert_config():
    return FAMILIES["bert"](320).config


def gpt2_config():
    return GPT2Config(vocab_size=320, n_positions=64, n_embd=24, n_layer=3, n_head=4)


BASES = {  # what a fine-tuning may start from
    **{f"{name} classifier": (lambda name=name: FAMILIES[name](320)) for name in FAMILIES},
    **{f"{name} language model": (lambda name=name: LANGUAGE[name](320)) for name in LANGUAGE},
    "bert masked language model": lambda: BertForMaskedLM(bert_config()),
    "bert as pretrained": lambda: BertForPreTraining(bert_config()),
    "bert without head": lambda: BertModel(bert_config()),
    "bert without pooler": lambda: BertModel(bert_config(), add_pooling_layer=False),
    "gpt2 without head": lambda: GPT2Model(gpt2_config()),
    "gpt2 with two heads": lambda: GPT2DoubleHeadsModel(gpt2_config()),
    "gpt2 tagger": lambda: GPT2ForTokenClassification(gpt2_config()),
    "llama without head": lambda: LlamaModel(random_llama_lm(320).config),
}


def with_prefix(prefix):
    return lambda weights: {f"{prefix}{name}": weight for name, weight in weights.items()}


def with_more(**more):
    return lambda weights: weights | more


def without(part):
    return lambda weights: {name: weight for name, weight in weights.items() if part not in name}


@pytest.fixture
def folder(tmp_path, classifier, tokenizer):
    for part in (classifier, tokenizer):
        part.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("base", BASES)
def test_every_base_loads_under_a_new_head(tmp_path, base):
    torch.manual_seed(0)
    model = BASES[base]()
    model.save_pretrained(tmp_path)
    loaded, drawn = load_weights(AutoModelForSequenceClassification, tmp_path, new=("score", "classifier", POOLER))
    head = family_of(loaded).readout[-1]
    assert {name.split(".")[0] for name in drawn} <= {head, "bert"}
    assert all(POOLER in name for name in drawn if not name.startswith(head))
    found = dict(loaded.base_model.named_parameters())  # a pooler more, where one was drawn
    for name, own in model.base_model.named_parameters():
        assert torch.equal(own, found[name]), name


@pytest.mark.parametrize("base", BASES)
def test_every_package_loads_below_its_head(tmp_path, tokenizer, base):
    torch.manual_seed(0)
    BASES[base]().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    once, again = (_load_plain(tmp_path)[0].state_dict() for _ in range(2))
    assert all(torch.equal(weight, again[name]) for name, weight in once.items())


def test_constants_beside_the_weights_do_no_harm(folder, classifier):
    change_weights(folder, with_more(**MASKS[classifier.config.model_type]))
    loaded, _ = load_classifier(folder)
    assert all(torch.equal(own, loaded.state_dict()[name]) for name, own in classifier.state_dict().items())


@pytest.mark.parametrize(
    ("kind", "attention"), [("gpt_neox", "gpt_neox.layers.0.attention"), ("gpt_neo", "transformer.h.0.attn.attention")]
)
def test_constants_as_pythia_and_gpt_neo_were_published_with_do_no_harm(tmp_path, kind, attention):
    own = word_pieces()
    model = random_model(kind, len(own))
    for part in (model, own):
        part.save_pretrained(tmp_path)
    masks = {f"{attention}.bias": torch.ones(1, 1, 64, 64, dtype=torch.uint8)}
    change_weights(tmp_path, with_more(**masks, **{f"{attention}.masked_bias": torch.tensor(-1e9)}))
    check_model_folder(tmp_path)
    loaded, _ = load_classifier(tmp_path)
    assert all(torch.equal(own, loaded.state_dict()[name]) for name, own in model.state_dict().items())
    change_weights(tmp_path, with_more(**{f"{attention}.dense.bias": torch.ones(4, dtype=torch.uint8)}))
    with pytest.raises(UserError, match=rf"quantised weights \({attention}.dense.bias is U8\)"):
        check_model_folder(tmp_path)


def test_old_names_of_norms_are_known(tmp_path, tokenizer):
    model = FAMILIES["bert"](320)
    for part in (model, tokenizer):
        part.save_pretrained(tmp_path)
    names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    change_weights(tmp_path, lambda weights: {_renamed(name, names): weight for name, weight in weights.items()})
    loaded, _ = load_classifier(tmp_path)
    assert all(torch.equal(own, loaded.state_dict()[name]) for name, own in model.state_dict().items())


def _renamed(name, names):
    return next((name.replace(new, old) for new, old in names.items() if new in name), name)


@pytest.mark.parametrize("prefix", ["module.", "net.encoder.", "_orig_mod.", "base_model.model."])
def test_weights_under_other_names_are_refused(folder, classifier, prefix):
    change_weights(folder, with_prefix(prefix))
    count = len(list(classifier.parameters()))
    with pytest.raises(UserError) as error:
        load_classifier(folder)
    said = str(error.value)
    assert f"{folder}: its weights are not those of the {type(classifier).__name__}" in said
    assert f"{count} are missing (the first: " in said and f"(the first: {prefix}" in said and "save_pretrained" in said


@pytest.mark.parametrize("extra", ["encoder.layer.0.attention.self.distance_embedding.weight", "adapter.weight", "x"])
def test_a_left_over_weight_is_refused(folder, extra):
    change_weights(folder, with_more(**{extra: torch.ones(3)}))
    with pytest.raises(UserError, match=rf"describes: 1 are left over \(the first: {extra}\); save"):
        load_classifier(folder)


def test_a_missing_weight_is_refused(folder, classifier):
    whole = (folder / "model.safetensors").read_bytes()
    for part in PARTS[classifier.config.model_type]:
        (folder / "model.safetensors").write_bytes(whole)
        change_weights(folder, without(part))
        lost = sum(part in name for name in classifier.state_dict())
        with pytest.raises(UserError, match=rf"describes: {lost} are missing \(the first: [\w.]*{part}[\w.]*\); save"):
            load_classifier(folder)


@pytest.mark.parametrize("rows", [300, 319, 330])
def test_a_weight_of_another_size_is_refused(folder, classifier, rows):
    change_json(folder / "config.json", vocab_size=rows)
    with pytest.raises(UserError, match=rf"1 have another size \(the first: .*, \[320, 24\] there, \[{rows}, 24\] by"):
        load_classifier(folder)


def test_a_classifiers_own_head_must_fit(folder):
    change_json(folder / "config.json", id2label={str(number): str(number) for number in range(5)}, label2id={})
    with pytest.raises(UserError, match=r"have another size \(the first: (score|classifier)"):
        load_classifier(folder)


@pytest.mark.parametrize("family", LANGUAGE)
@pytest.mark.parametrize("change", [with_prefix("module."), without("1.mlp"), with_more(x=torch.ones(1))])
def test_language_models_and_packages_are_held_to_the_same(tmp_path, tokenizer, family, change):
    for part in (LANGUAGE[family](320), tokenizer):
        part.save_pretrained(tmp_path)
    load_language_model(tmp_path), _load_plain(tmp_path)
    change_weights(tmp_path, change)
    for load in (load_language_model, _load_plain):
        with pytest.raises(UserError, match=r"its weights are not those of|names of its weights begin with 'module\.'"):
            load(tmp_path)


def test_an_embedding_kept_as_the_output_alone_is_no_embedding_of_a_classifier(tmp_path, tokenizer):
    """Tied weights, of which another writer kept the other name: the language model has them, a classifier not."""
    config = random_llama_lm(320).config
    config.tie_word_embeddings = True
    for part in (random_llama_lm(320).__class__(config), tokenizer):
        part.save_pretrained(tmp_path)
    change_weights(tmp_path, lambda weights: weights | {"lm_head.weight": weights.pop("model.embed_tokens.weight")})
    load_language_model(tmp_path)
    with pytest.raises(UserError, match=r"1 are missing \(the first: model.embed_tokens.weight\)"):
        load_weights(AutoModelForSequenceClassification, tmp_path, new=("score",))


@pytest.mark.parametrize("pad", [{}, {"pad_token": "[PAD]"}, {"eos_token": "</s>", "pad_token": "<|new|>"}])
def test_a_token_beyond_the_embedding_is_refused(folder, pad):
    change_json(folder / "tokenizer_config.json", **pad)
    if not pad:
        load_classifier(folder)
        return
    with pytest.raises(UserError, match=r"model: token '.*' of the tokenizer is number 32\d, but .* ends at 319"):
        load_classifier(folder)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"tokenizer_class": "TokenizersBackend"}, "neither a pad_token nor an eos_token"),
        ({"tokenizer_class": "GPT2Tokenizer", "eos_token": None}, "neither a pad_token nor an eos_token"),
        ({"tokenizer_class": "TokenizersBackend", "pad_token": 7}, "cannot be read: .*; save it there with"),
    ],
)
def test_a_tokenizer_that_cannot_work_is_named(tmp_path, tokenizer, content, said):
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    change_json(tmp_path / "tokenizer_config.json", **content)
    FAMILIES["bert"](320).config.save_pretrained(tmp_path)
    with pytest.raises(UserError, match=rf"{tmp_path}: its tokenizer .*{said}"):
        load_tokenizer(tmp_path)


def test_a_tokenizer_that_does_not_know_places_is_refused_before_training(tmp_path):
    """BERTweet's, of which transformers has no other; its model is of the family roberta."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there/vocab.txt").write_text("so 3\nangry 2\n")
    (tmp_path / "there/bpe.codes").write_text("s o</w> 1\n")
    change_json(tmp_path / "there/tokenizer_config.json", tokenizer_class="BertweetTokenizer")
    FAMILIES["bert"](320).config.save_pretrained(tmp_path / "there")
    copy_files(tmp_path / "there", tmp_path / "copied")
    for folder in ("there", "copied"):
        with pytest.raises(
            UserError, match=rf"/{folder}: its tokenizer \(BertweetTokenizer\) does not say where .* fast"
        ):
            load_tokenizer(tmp_path / folder)


@pytest.mark.parametrize("kind", ["GPT2Tokenizer", "BertTokenizer", "LlamaTokenizer"])
def test_a_tokenizer_without_words_is_refused(tmp_path, kind):
    """What transformers makes, without a word, of a folder whose files it does not look for."""
    FAMILIES["gpt2"](320).config.save_pretrained(tmp_path)
    change_json(tmp_path / "tokenizer_config.json", tokenizer_class=kind)
    (tmp_path / "words.txt").write_text("a\nb\n")
    with pytest.raises(UserError, match=r"its tokenizer knows no words; save it there with"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("content", ["{}", '{"model": {"type": "BPE", "vocab": {}}}', '{"model": '])
def test_a_spoilt_tokenizer_is_named(tmp_path, content):
    FAMILIES["llama"](320).config.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError, match=r"its tokenizer cannot be read: .*; save it there with"):
        load_tokenizer(tmp_path)
