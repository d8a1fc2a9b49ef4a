"""What differs between model families: where the blocks are, what they consist of, and what reads their result.

The place that knows families; what names do not tell of two of them is in `inside.structure`. To add one, add an entry
to FAMILIES, or describe it in the configuration (`family`).
Imported by the Snakefile: nothing heavy in here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

ACTIVATIONS = ("tanh", "gelu", "relu")  # steps of a readout that are no modules
DESCRIBED = "emoscope_family"  # the key of a model's config.json that holds a description from the configuration
DEPTHS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")  # names of the number of blocks in config.json
WIDTHS = ("hidden_size", "n_embd", "dim", "d_model")  # and the width of its residual stream


@dataclass(frozen=True)
class Family:
    """Names of a family's parts: attribute paths from the model, and from one block.

    A block is *pre-norm* if each half reads the residual stream through a norm and adds to it, and *post-norm* if the
    stream itself is normed after each half (`norms`). Whether a description is right is checked when a model is loaded
    (`exactness`).
    """

    blocks: str
    projection: str  # of the attention: from the heads' outputs side by side to the width of the residual stream
    readers: tuple[str, ...]  # projections to queries, keys and values; one if they are fused
    feed_forward: str
    neurons: str  # the feed-forward's last projection, from its neurons
    readout: tuple[str, ...]  # from the pooled token's last residual to the logits: modules, and ACTIVATIONS by name
    embedding: str  # of tokens; the first part of the path is what a checkpoint of the bare model leaves out
    stores_in_out: bool = False  # weights are (in, out), not nn.Linear's (out, in)
    fused_by_head: bool = False  # a fused reader holds query, key and value of one head, then those of the next
    tokenizer: str | None = None  # the class that transformers takes where a folder names none
    attention_norm: str | None = None  # what attention reads the residual stream through (pre-norm models)
    rotary: str | None = None  # what rotates queries and keys by their positions
    rotary_by_type: bool = False  # it depends on the type of a block (`layer_types` of the model's config.json)
    query_norms: tuple[str, ...] = ()  # what each head's queries and keys pass before they meet
    norms: tuple[str, ...] = ()  # of the residual stream, after attention and feed-forward (post-norm models)
    output_norms: tuple[str, ...] = ()  # what attention and feed-forward pass before they are added to the stream
    norms_add_one: bool = False  # norms scale by 1 + weight
    pools_first: bool = False  # the classification head reads the first token, not the last one
    looks_ahead: bool = False  # attention goes to later tokens, too
    returns_tuple: bool = False  # a block returns its output as the first of several things
    masks_blocks: bool = False  # a block gets the attention mask as its second argument, true where allowed
    positions_by_mask: bool = False  # positions are counted from the attention mask
    positions_after_padding: bool = False  # the first position is the one after the padding token's number


def family_named(config: Mapping[str, Any]) -> Family | None:
    """The family that a model's configuration describes or belongs to; None for one that is not known."""
    if described := config.get(DESCRIBED):
        return Family(**{key: tuple(part) if isinstance(part, list) else part for key, part in described.items()})
    return FAMILIES.get(config.get("model_type"))


def unknown(kind: object) -> str:
    """What to say of a model type that is not known."""
    return (
        f"model type {kind!r} is not known; choose one of {', '.join(FAMILIES)}, or say in the configuration what its "
        "blocks are made of: `family` of the model, which docs/families.md explains"
    )


_LLAMA = Family(
    blocks="model.layers",
    projection="self_attn.o_proj",
    readers=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    feed_forward="mlp",
    neurons="mlp.down_proj",
    readout=("model.norm", "score"),
    embedding="model.embed_tokens",
    attention_norm="input_layernorm",
    rotary="model.rotary_emb",
)
_QUERY_NORMS = ("self_attn.q_norm", "self_attn.k_norm")
_GEMMA = replace(_LLAMA, norms_add_one=True)
_GEMMA_2 = replace(_GEMMA, output_norms=("post_attention_layernorm", "post_feedforward_layernorm"))


def _bert(base: str, **differences: Any) -> Family:
    """An encoder built like BERT, whose base model goes by this name."""
    return replace(
        Family(
            blocks=f"{base}.encoder.layer",
            projection="attention.output.dense",
            readers=("attention.self.query", "attention.self.key", "attention.self.value"),
            feed_forward="output.dense",
            neurons="output.dense",
            readout=(f"{base}.pooler.dense", "tanh", "classifier"),
            embedding=f"{base}.embeddings.word_embeddings",
            tokenizer="BertTokenizer",
            norms=("attention.output.LayerNorm", "output.LayerNorm"),
            pools_first=True,
            looks_ahead=True,
        ),
        **differences,
    )


_ROBERTA = _bert(
    "roberta",
    readout=("classifier.dense", "tanh", "classifier.out_proj"),
    tokenizer="RobertaTokenizer",
    positions_after_padding=True,
)

FAMILIES = {
    "gpt2": Family(
        blocks="transformer.h",
        projection="attn.c_proj",
        stores_in_out=True,
        readers=("attn.c_attn",),
        feed_forward="mlp",
        neurons="mlp.c_proj",
        readout=("transformer.ln_f", "score"),
        embedding="transformer.wte",
        tokenizer="GPT2Tokenizer",
        attention_norm="ln_1",
    ),
    "bert": _bert("bert"),
    "roberta": _ROBERTA,
    "xlm-roberta": replace(_ROBERTA, tokenizer="XLMRobertaTokenizer"),
    "distilbert": _bert(
        "distilbert",
        blocks="distilbert.transformer.layer",
        projection="attention.out_lin",
        readers=("attention.q_lin", "attention.k_lin", "attention.v_lin"),
        feed_forward="ffn",
        neurons="ffn.lin2",
        readout=("pre_classifier", "relu", "classifier"),
        norms=("sa_layer_norm", "output_layer_norm"),
    ),
    "electra": _bert("electra", readout=("classifier.dense", "gelu", "classifier.out_proj")),
    "deberta": _bert(
        "deberta",
        readers=("attention.self.in_proj",),
        fused_by_head=True,
        readout=("pooler.dense", "gelu", "classifier"),
        tokenizer="DebertaTokenizer",
        returns_tuple=True,
        masks_blocks=True,
    ),
    "deberta-v2": _bert(
        "deberta",
        readers=("attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj"),
        readout=("pooler.dense", "gelu", "classifier"),
        tokenizer="DebertaV2Tokenizer",
        returns_tuple=True,
        masks_blocks=True,
    ),
    "albert": _bert(
        "albert",
        blocks="albert.encoder.albert_layer_groups",
        projection="albert_layers.0.attention.dense",
        readers=tuple(f"albert_layers.0.attention.{name}" for name in ("query", "key", "value")),
        feed_forward="albert_layers.0.ffn_output",
        neurons="albert_layers.0.ffn_output",
        readout=("albert.pooler", "tanh", "classifier"),
        norms=("albert_layers.0.attention.LayerNorm", "albert_layers.0.full_layer_layer_norm"),
        tokenizer="AlbertTokenizer",
    ),
    "modernbert": Family(
        blocks="model.layers",
        projection="attn.Wo",
        readers=("attn.Wqkv",),
        feed_forward="mlp",
        neurons="mlp.Wo",
        readout=("model.final_norm", "head.dense", "gelu", "head.norm", "classifier"),
        embedding="model.embeddings.tok_embeddings",
        attention_norm="attn_norm",
        pools_first=True,
        looks_ahead=True,
    ),
    "gpt_neox": Family(
        blocks="gpt_neox.layers",
        projection="attention.dense",
        readers=("attention.query_key_value",),
        fused_by_head=True,
        feed_forward="mlp",
        neurons="mlp.dense_4h_to_h",
        readout=("gpt_neox.final_layer_norm", "score"),
        embedding="gpt_neox.embed_in",
        tokenizer="GPTNeoXTokenizer",
        attention_norm="input_layernorm",
        rotary="gpt_neox.rotary_emb",
    ),
    "gpt_neo": Family(
        blocks="transformer.h",
        projection="attn.attention.out_proj",
        readers=("attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj"),
        feed_forward="mlp",
        neurons="mlp.c_proj",
        readout=("transformer.ln_f", "score"),
        embedding="transformer.wte",
        tokenizer="GPT2Tokenizer",
        attention_norm="ln_1",
        returns_tuple=True,
    ),
    "opt": Family(
        blocks="model.decoder.layers",
        projection="self_attn.out_proj",
        readers=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        feed_forward="fc2",
        neurons="fc2",
        readout=("model.decoder.final_layer_norm", "score"),
        embedding="model.decoder.embed_tokens",
        tokenizer="GPT2Tokenizer",
        attention_norm="self_attn_layer_norm",
        positions_by_mask=True,
    ),
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": replace(_LLAMA, query_norms=_QUERY_NORMS),
    "phi3": replace(_LLAMA, readers=("self_attn.qkv_proj",)),
    "gemma": _GEMMA,
    "gemma2": _GEMMA_2,
    "gemma3_text": replace(_GEMMA_2, query_norms=_QUERY_NORMS, rotary_by_type=True),
}
