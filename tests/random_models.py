"""Small random models of every family, and texts for them."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from tokenizers import BertWordPieceTokenizer
from tokenizers.processors import BertProcessing
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from emoscope.models.features.autoencoder import TopKAutoencoder
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.inside.exactness import record
from emoscope.models.inside.padding import Check
from emoscope.storage.files import write_json
from emoscope.training.start import train_tokenizer
from emoscope.writeups.residual.autoencoder import Trained

TEXTS = [
    "i feel happy about the long weekend",
    "i am so angry",
    "he said that she was afraid of the dark house at the end of the street",
    "what a surprise",
    "i love my little dog and my dog loves me",
]
SIZES = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
LABELS = {"num_labels": 3, "pad_token_id": 0, "id2label": {0: "sadness", 1: "joy", 2: "love"}}
LANGUAGE = {"bos_token_id": 0, "eos_token_id": 0, "initializer_range": 0.2, "attn_implementation": "eager"}


def _gpt2(vocabulary):
    config = GPT2Config(vocab_size=vocabulary, n_positions=64, n_embd=24, n_layer=3, n_head=4, **LABELS)
    return GPT2ForSequenceClassification(config)


def _bert(vocabulary):
    return BertForSequenceClassification(BertConfig(vocab_size=vocabulary, **SIZES, **LABELS))


def _llama(vocabulary):
    config = LlamaConfig(vocab_size=vocabulary, num_key_value_heads=2, **SIZES, **LABELS)
    return LlamaForSequenceClassification(config)


def train_wordpiece(texts: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """A tokenizer of BERT's kind, which puts [CLS] before and [SEP] after each text."""
    tokenizer = BertWordPieceTokenizer()
    tokenizer.train_from_iterator(texts, vocab_size=vocabulary, min_frequency=1, show_progress=False)
    names = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
    tokenizer.post_processor = BertProcessing(*((name, tokenizer.token_to_id(name)) for name in ("[SEP]", "[CLS]")))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer._tokenizer, model_max_length=64, **names)


FAMILIES = {"gpt2": _gpt2, "bert": _bert, "llama": _llama}


def with_large_weights(model: PreTrainedModel) -> PreTrainedModel:
    """The model with weights and biases drawn anew, so large that every part matters; its norms stay."""
    for name, parameter in model.named_parameters():
        if "norm" not in name.lower() and "ln_" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    """Write a model folder's weights anew, as a function makes them of the old ones."""
    file = folder / "model.safetensors"
    save_file(change(load_file(file)), file, metadata={"format": "pt"})


def change_json(file: Path, **settings: object) -> None:
    """Set keys of a JSON file, which need not be there."""
    old = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(old | settings))


def write_exactness(folder: Path, *failed: str) -> Path:
    """What `check_exactness` writes of a model for which all holds but some checks."""
    checks = [Check(name, 1.0 if name in failed else 0.0) for name in CHECKS]
    write_json(record(checks), folder / "exactness.json")
    return folder / "exactness.json"


def random_gpt2_lm(vocabulary: int) -> GPT2LMHeadModel:
    """A language model with weights so large that its heads and MLPs matter."""
    config = GPT2Config(vocab_size=vocabulary, n_positions=64, n_embd=24, n_layer=3, n_head=4, **LANGUAGE)
    return GPT2LMHeadModel(config).eval()


def random_llama_lm(vocabulary: int) -> LlamaForCausalLM:
    """The same with rotary positions, shared keys, RMSNorm and tied embeddings."""
    config = LlamaConfig(vocab_size=vocabulary, num_key_value_heads=2, max_position_embeddings=64, **SIZES, **LANGUAGE)
    return LlamaForCausalLM(config).eval()


def save_language_model(folder: Path) -> None:
    """Write a random GPT-2 with a language-model head and its tokenizer: 2 blocks of 2 heads, width 16."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(pd.Series(TEXTS * 3), {"vocabulary": 320, "context": 64})
    sizes = {"n_positions": 64, "n_embd": 16, "n_layer": 2, "n_head": 2}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), **sizes, **ends)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def random_autoencoder(model, features: int = 32, active: int = 4, block: int = 1) -> Trained:
    """An untrained autoencoder of the residual stream after a block of the model."""
    width = model.config.hidden_size
    found = TopKAutoencoder(width, features, active)
    found.start(torch.randn(100, width), torch.Generator().manual_seed(0))
    found.requires_grad_(False)
    samples = torch.randn(features, width)
    return Trained(found, block, torch.rand(features), torch.randn(width), torch.eye(width), samples)
