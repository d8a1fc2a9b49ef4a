"""What a model folder lacks, or holds beside what would be used, is named before anything runs."""

import json

import pytest
import torch
from transformers import AutoTokenizer

from emoscope.errors import UserError
from emoscope.models.families import FAMILIES as KNOWN
from emoscope.models.folder import check_model_folder
from emoscope.models.loading import load_tokenizer
from random_models import TEXTS, change_json, change_weights, train_wordpiece

TRAINED = {"GPT2Tokenizer": "BPE", "BertTokenizer": "WordPiece"}


@pytest.fixture
def folder(tmp_path, classifier, tokenizer):
    for part in (classifier, tokenizer):
        part.save_pretrained(tmp_path / "model")
    check_model_folder(tmp_path / "model")
    return tmp_path / "model"


def refused(folder, *said):
    """The one line that refuses the folder, which names it and holds these texts."""
    with pytest.raises(UserError) as error:
        check_model_folder(folder)
    line = str(error.value)
    assert line.startswith(str(folder)) and "; " in line
    assert all(text in line for text in said), line
    return line


def shard(folder, classifier):
    """The folder's weights in files of a few kilobytes each."""
    (folder / "model.safetensors").unlink()
    classifier.save_pretrained(folder, max_shard_size="20KB")
    return sorted(folder.glob("model-*.safetensors"))


@pytest.mark.parametrize("lost", [0, 1, -1])
def test_a_missing_shard_is_named(folder, classifier, lost):
    shards = shard(folder, classifier)
    check_model_folder(folder)
    shards[lost].unlink()
    count = len(shards)
    refused(folder, f"{shards[lost].name} is missing", f"names {count} files, of which {count - 1} are there", "fetch")


def test_all_shards_may_be_missing_and_the_index_too(folder, classifier):
    shards = shard(folder, classifier)
    (folder / "model.safetensors.index.json").rename(folder / "index")
    refused(folder, f"{shards[0].name}, but no model.safetensors and no model.safetensors.index.json")
    (folder / "index").rename(folder / "model.safetensors.index.json")
    for file in shards:
        file.unlink()
    refused(folder, "of which 0 are there; fetch the model again")


@pytest.mark.parametrize("content", ["{}", '{"weight_map": []}', '{"weight_map": null}', "{", "[]"])
def test_a_spoilt_index_is_named(folder, content):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(content)
    refused(folder, "model.safetensors.index.json: ", "fetch the model again")


@pytest.mark.parametrize(
    "names", [["vocab.json"], ["merges.txt"], ["tokenizer.model"], ["vocab.json", "tokenizer.model"]]
)
def test_a_part_of_a_tokenizer_is_none(folder, names):
    (folder / "tokenizer.json").unlink()
    refused(folder, "no tokenizer; save it there with `tokenizer.save_pretrained(")
    for name in names:
        (folder / name).write_text('{"a": 0}')
    for kind in ("GPT2Tokenizer", "BertTokenizer", "PreTrainedTokenizerFast", "LlamaTokenizer"):
        change_json(folder / "tokenizer_config.json", tokenizer_class=kind)
        refused(
            folder, f"{', '.join(sorted(names, key=['vocab.json', 'merges.txt', 'tokenizer.model'].index))} alone is no"
        )


@pytest.mark.parametrize(
    ("kind", "files", "fits"),
    [
        ("GPT2Tokenizer", ("vocab.json", "merges.txt"), True),
        ("GPT2TokenizerFast", ("vocab.json", "merges.txt"), True),
        ("BertTokenizer", ("vocab.txt",), True),
        ("GPT2Tokenizer", ("vocab.txt",), False),
        ("BertTokenizer", ("vocab.json", "merges.txt"), False),
        ("TokenizersBackend", ("vocab.json", "merges.txt"), False),
        ("PreTrainedTokenizerFast", ("vocab.txt",), False),
    ],
)
def test_a_tokenizers_class_reads_its_own_files_alone(folder, tokenizer, kind, files, fits):
    """What passes is what transformers reads; what does not gives it an error, or an empty vocabulary."""
    kept = tokenizer if "merges.txt" in files else train_wordpiece(TEXTS * 3, 320)
    model = json.loads(kept._tokenizer.to_str())["model"]
    (folder / "tokenizer.json").unlink()
    for name in files:
        text = "\n".join(model["vocab"]) if name == "vocab.txt" else json.dumps(model["vocab"])
        (folder / name).write_text("\n".join(map(" ".join, model["merges"])) if name == "merges.txt" else text)
    (folder / "tokenizer_config.json").unlink()
    change_json(folder / "tokenizer_config.json", tokenizer_class=kind)
    if fits:
        check_model_folder(folder)
        assert len(load_tokenizer(folder)) > 100
    else:
        refused(folder, f"{', '.join(files)} alone is no tokenizer")
        with pytest.raises(UserError, match=r"cannot be read|no words"):
            load_tokenizer(folder)


@pytest.mark.parametrize("kind", ["GPT2Tokenizer", "GPT2TokenizerFast", "BertTokenizer", "BertTokenizerFast"])
def test_a_class_that_makes_something_else_of_a_vocabulary_is_refused(folder, tokenizer, kind):
    due = TRAINED[kind.removesuffix("Fast")]
    for found, kept in (("BPE", tokenizer), ("WordPiece", train_wordpiece(TEXTS * 3, 320))):
        kept.save_pretrained(folder)
        change_json(folder / "tokenizer_config.json", tokenizer_class=kind)
        if found == due:
            check_model_folder(folder)
        else:
            refused(folder, f"tokenizer.json is of type {found}, but {kind.removesuffix('Fast')}, which would read it")


@pytest.mark.parametrize(
    "content", ["{}", '{"model": {}}', '{"model": {"vocab": {}}}', '{"model": {"vocab": 7}}', "[1]"]
)
def test_a_tokenizer_without_a_vocabulary_is_refused(folder, content):
    (folder / "tokenizer.json").write_text(content)
    refused(folder, "tokenizer.json")


@pytest.mark.parametrize(
    "name", ["adapter_config.json", "adapter_model.safetensors", "adapter_model-00001.safetensors"]
)
@pytest.mark.parametrize("alone", [True, False])
def test_an_adapter_is_refused_alone_and_beside_a_model(folder, name, alone):
    if alone:
        for file in folder.iterdir():
            file.unlink()
    (folder / name).write_text("{}")
    refused(folder, f"an adapter ({name}), which would be left out; merge it into its model")


@pytest.mark.parametrize(
    "kind", [torch.int8, torch.uint8, torch.int32, torch.float8_e4m3fn, torch.int64], ids=lambda kind: str(kind)[6:]
)
def test_quantised_weights_are_refused(folder, kind):
    change_weights(folder, lambda weights: weights | {"transformer.h.0.mlp.weight": torch.ones(4).to(kind)})
    refused(folder, "quantised weights (transformer.h.0.mlp.weight is ", "dequantize()")


@pytest.mark.parametrize("method", ["bitsandbytes", "gptq", "awq"])
def test_a_quantised_config_is_refused(folder, method):
    change_json(folder / "config.json", quantization_config={"quant_method": method})
    refused(folder, "quantised weights (quantization_config in config.json)")
    change_json(folder / "config.json", quantization_config=None)
    check_model_folder(folder)


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16], ids=lambda kind: str(kind)[6:])
def test_floats_of_any_width_and_old_constants_will_do(folder, kind):
    constants = {
        "transformer.h.0.attn.bias": torch.ones(1, 1, 4, 4, dtype=torch.uint8),
        "h.1.attn.bias": torch.ones(1, 1, 4, 4, dtype=torch.bool),
        "bert.embeddings.position_ids": torch.arange(8)[None],
    }
    change_weights(folder, lambda weights: {name: weight.to(kind) for name, weight in weights.items()} | constants)
    check_model_folder(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"added_tokens": [{"id": 320, "content": "<|new|>"}]},
        {"added_tokens": [{"id": 5, "content": "a"}, {"id": 999, "content": "b"}]},
        {"model": {"type": "BPE", "vocab": {"a": 0, "beyond": 320}}},
        {"model": {"type": "Unigram", "vocab": [[f"t{number}", 0.0] for number in range(321)]}},
    ],
    ids=["added", "two added", "learnt", "unigram"],
)
def test_a_token_beyond_the_embedding_is_refused(folder, change):
    change_json(folder / "tokenizer.json", **change)
    refused(folder, "of the tokenizer is number ", "but the embedding ends at 319", "resize_token_embeddings")


@pytest.mark.parametrize("number", [320, 321, 50257])
def test_a_token_added_in_the_settings_counts(folder, number):
    change_json(folder / "tokenizer_config.json", added_tokens_decoder={str(number): {"content": "[PAD]"}})
    refused(folder, f"token '[PAD]' of the tokenizer is number {number}")
    change_json(folder / "tokenizer_config.json", added_tokens_decoder={"1": {"content": "<|endoftext|>"}})
    check_model_folder(folder)
    change_json(folder / "config.json", pad_token_id=number)
    refused(folder, f"pad_token_id of config.json is number {number}, but the embedding ends at 319")


@pytest.mark.parametrize("added", [["[PAD]"], {"320": "[PAD]"}, {"last": {"content": "[PAD]"}}, {"320": {}}])
def test_spoilt_tokens_in_the_settings_are_named(folder, added):
    change_json(folder / "tokenizer_config.json", added_tokens_decoder=added)
    refused(folder, "tokenizer_config.json has a spoilt added_tokens_decoder")


@pytest.mark.parametrize("kind", ["PreTrainedTokenizerFast", "TokenizersBackend", None])
def test_a_tokenizer_that_cannot_pad_is_refused(folder, classifier, kind):
    (folder / "tokenizer_config.json").unlink()
    change_json(folder / "tokenizer_config.json", tokenizer_class=kind, bos_token="<|endoftext|>")
    if kind or classifier.config.model_type == "llama":
        refused(folder, "neither a pad_token nor an eos_token")
        with pytest.raises(UserError, match="neither a pad_token nor an eos_token"):
            load_tokenizer(folder)
    for name in ("pad_token", "eos_token"):
        if kind or KNOWN[classifier.config.model_type].tokenizer is None:
            (folder / "special_tokens_map.json").write_text(json.dumps({name: "<|pad|>"}))
            check_model_folder(folder)
            assert getattr(AutoTokenizer.from_pretrained(folder), name) == "<|pad|>"


@pytest.mark.parametrize("kind", ["mamba", "t5", "GPT2", "", None, 7])
def test_an_unknown_family_is_named(folder, kind):
    change_json(folder / "config.json", model_type=kind)
    refused(
        folder, f"config.json says model type {kind!r} is not known", "gpt2, bert, roberta", "`family` of the model"
    )


@pytest.mark.parametrize("positions", ["relative_key", "relative_key_query", "rotary"])
def test_positions_that_would_be_left_out_are_named(folder, positions):
    change_json(folder / "config.json", position_embedding_type=positions)
    refused(folder, f"position_embedding_type {positions!r}")
    change_json(folder / "config.json", position_embedding_type="absolute")
    check_model_folder(folder)


@pytest.mark.parametrize("prefix", ["module.", "net.encoder.", "_orig_mod.", "student."])
@pytest.mark.parametrize("bare", [True, False], ids=["base", "whole"])
def test_a_prefix_is_seen_in_the_header(folder, classifier, prefix, bare):
    part = classifier.base_model if bare else classifier
    part.save_pretrained(folder)
    check_model_folder(folder)
    change_weights(folder, lambda weights: {f"{prefix}{name}": weight for name, weight in weights.items()})
    refused(folder, f"names of its weights begin with {prefix!r} (such as {prefix}", "save the model itself")
