"""Which experiment is exact in which family of models: small random models of each, through every check.

`python -m benchmarks families` writes the table of docs/families.md.
"""

from copy import deepcopy
from math import isfinite
from pathlib import Path

import torch
from tokenizers import BertWordPieceTokenizer
from tokenizers.processors import BertProcessing
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from emoscope.models.families import DESCRIBED, family_named
from emoscope.models.inside.allowed import NEEDS
from emoscope.models.inside.exactness import checks_of, language_checks
from emoscope.models.inside.padding import LIMIT, Check
from emoscope.models.inside.structure import prepared

TEXTS = [
    "i feel happy about the long weekend",
    "i am so angry",
    "he said that she was afraid of the dark house at the end of the street and of the little dog",
    "what a surprise",
    "love",
]
ROOT = Path(__file__).parents[1]
BLOCKS, HEADS, WIDTH = 3, 4, 32
SIZES = {"hidden_size": WIDTH, "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS, "intermediate_size": 48}
DECODER = SIZES | {"num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64}
ENCODER = SIZES | {"max_position_embeddings": 64, "type_vocab_size": 2}
DEBERTA = ENCODER | {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
WINDOW = {"sliding_window": 4}  # shorter than some of the texts
CONFIGS = {  # by name: model type and the settings of a small model
    "gpt2": ("gpt2", {"n_embd": WIDTH, "n_layer": BLOCKS, "n_head": HEADS, "n_positions": 64}),
    "bert": ("bert", ENCODER),
    "roberta": ("roberta", ENCODER),
    "xlm-roberta": ("xlm-roberta", ENCODER),
    "distilbert": ("distilbert", {"dim": WIDTH, "n_layers": BLOCKS, "n_heads": HEADS, "hidden_dim": 48}),
    "electra": ("electra", ENCODER | {"embedding_size": 16}),
    "deberta": ("deberta", DEBERTA),
    "deberta-v2": ("deberta-v2", DEBERTA),
    "deberta-v2, v3's settings": (
        "deberta-v2",
        DEBERTA | {"position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True, "type_vocab_size": 0},
    ),
    "deberta-v2 with a convolution": ("deberta-v2", DEBERTA | {"conv_kernel_size": 3, "conv_act": "gelu"}),
    "albert": ("albert", ENCODER | {"embedding_size": 16}),
    "modernbert": ("modernbert", SIZES | {"max_position_embeddings": 64, "classifier_pooling": "cls"}),
    "modernbert that pools the mean": ("modernbert", SIZES | {"classifier_pooling": "mean"}),
    "gpt_neox": ("gpt_neox", SIZES | {"max_position_embeddings": 64}),
    "gpt_neo": (
        "gpt_neo",
        {
            "hidden_size": WIDTH,
            "num_layers": BLOCKS,
            "num_heads": HEADS,
            "attention_types": [[["global", "local", "global"], 1]],
            "max_position_embeddings": 64,
        },
    ),
    "opt": ("opt", SIZES | {"ffn_dim": 48, "word_embed_proj_dim": WIDTH, "max_position_embeddings": 64}),
    "llama": ("llama", DECODER),
    "mistral": ("mistral", DECODER | {"sliding_window": None}),
    "mistral with a short window": ("mistral", DECODER | WINDOW),
    "qwen2": ("qwen2", DECODER),
    "qwen3": ("qwen3", DECODER),
    "phi3": ("phi3", DECODER),
    "gemma": ("gemma", DECODER),
    "gemma2": ("gemma2", DECODER),
    "gemma3": ("gemma3_text", DECODER),
    "stablelm, described in the configuration": ("stablelm", DECODER | {"use_qkv_bias": True}),
    "phi, described in the configuration": ("phi", DECODER),
}
NAMED = {  # as in most decoders
    "blocks": "model.layers",
    "readers": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    "feed_forward": "mlp",
    "embedding": "model.embed_tokens",
    "attention_norm": "input_layernorm",
    "rotary": "model.rotary_emb",
}
DESCRIPTIONS = {  # of model types that are no families of ours
    "stablelm": NAMED
    | {"projection": "self_attn.o_proj", "neurons": "mlp.down_proj", "readout": ["model.norm", "score"]},
    # the halves of a block stand side by side, which nothing in its config.json says
    "phi": NAMED
    | {"projection": "self_attn.dense", "neurons": "mlp.fc2", "readout": ["model.final_layernorm", "score"]},
}
LABELS = {
    "num_labels": 3,
    "id2label": {0: "sadness", 1: "joy", 2: "love"},
    "label2id": {"sadness": 0, "joy": 1, "love": 2},
}


def word_pieces(texts: list[str] = TEXTS, size: int = 300) -> PreTrainedTokenizerFast:
    """A tokenizer of BERT's kind, [CLS] before and [SEP] after each text, which serves every model here."""
    tokenizer = BertWordPieceTokenizer()
    tokenizer.train_from_iterator(texts, vocab_size=size, min_frequency=1, show_progress=False)
    names = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
    tokenizer.post_processor = BertProcessing(*((name, tokenizer.token_to_id(name)) for name in ("[SEP]", "[CLS]")))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer._tokenizer, model_max_length=48, **names)


def settings_of(name: str, vocabulary: int) -> AutoConfig:
    """The configuration of a small model."""
    kind, sizes = CONFIGS[name]
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
    config = AutoConfig.for_model(kind, vocab_size=vocabulary, **sizes, **ends, **LABELS)
    if kind in DESCRIPTIONS:
        setattr(config, DESCRIBED, DESCRIPTIONS[kind])
    return config


def random_model(
    name: str, vocabulary: int, seed: int = 0, kind: type = AutoModelForSequenceClassification
) -> PreTrainedModel:
    """A small model in which every weight, norm and bias matters: fresh norms are ones, and fresh biases zeros."""
    torch.manual_seed(seed)
    model = kind.from_config(settings_of(name, vocabulary)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
            else:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


def checks(name: str, precision: torch.dtype = torch.float32) -> list[Check]:
    """Every check of one small model."""
    tokenizer = word_pieces()
    model = random_model(name, len(tokenizer)).to(precision)
    eager = deepcopy(model)
    eager.set_attn_implementation("eager")
    return checks_of(prepared(model), prepared(eager), tokenizer, TEXTS)


def language_model_checks(name: str) -> list[Check]:
    """Every check of a small language model; none for a family without one that reads from left to right."""
    vocabulary = len(word_pieces())
    if family_named(settings_of(name, vocabulary).to_dict()).looks_ahead:
        return []
    model = random_model(name, vocabulary, kind=AutoModelForCausalLM)
    model.set_attn_implementation("eager")
    return language_checks(prepared(model), blocked=True)


COLUMNS = {  # of the table, and what each needs
    "masks of blocks": ("halves",),
    "masks of heads": NEEDS["head masks"],
    "patching": NEEDS["patching"],
    "attribution": NEEDS["attribution"],
    "lens": NEEDS["lens"],
    "attention": NEEDS["attention"],
}


def table() -> str:
    """What is exact for each family, and what is refused and why, in Markdown."""
    heads = ["model", *COLUMNS, "write-ups", "their attention"]
    rows = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name in CONFIGS:
        found = {check.check: check for check in checks(name)}
        cells = [cell([found[need] for need in needs]) for needs in COLUMNS.values()]
        if not found["resumed"].exact:
            cells[0] += ", run whole"
        language = language_model_checks(name)
        cells += [cell([check for check in language if check.check != "blocking"]), cell(language)]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def cell(found: list[Check]) -> str:
    """The largest error, or which checks fail with what."""
    if not found:
        return "-"
    if all(check.exact for check in found):
        return f"{max(check.error for check in found):.0e}"
    failed = [check for check in found if not check.exact]
    return "**refused**: " + ", ".join(
        f"{check.check} {check.error:.1g}" if isfinite(check.error) else check.check for check in failed
    )


BEGIN, END = "<!-- written by python -m benchmarks families -->", "<!-- end -->"


def measure(path: str = "docs/families.md") -> dict:
    """Rewrite the table in the page of documentation."""
    page = ROOT / path
    start, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    page.write_text(f"{start}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return {"families": len(CONFIGS), "limit": LIMIT}
