"""What differs between model families: where the blocks are, what they consist of, and what reads their result.

The only place that knows families. To add one, add a line to FAMILIES.
Imported by the Snakefile: nothing heavy in here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Names of a family's parts: attribute paths from the model, and from one block."""

    blocks: str
    projection: str
    stores_in_out: bool  # weights are (in, out), not nn.Linear's (out, in)
    readers: tuple[str, ...]  # projections to queries, keys and values; one if they are fused
    feed_forward: str
    neurons: str  # the feed-forward's last projection, from its neurons
    last: str  # between the last block and the head: the final norm; in BERT the pooler
    head: str
    embedding: str  # of tokens; the first part of the path is what a checkpoint of the model below the head leaves out
    tokenizer: str | None = None  # the class that transformers takes where a folder names none
    attention_norm: str | None = None  # what attention reads the residual stream through (pre-norm models)
    rotary: str | None = None  # what rotates queries and keys by their positions
    norms: tuple[str, str] | None = None  # of the residual stream, after attention and feed-forward (post-norm models)
    pools_first: bool = False  # the head reads the first token, not the last one
    looks_ahead: bool = False  # attention goes to later tokens, too


FAMILIES = {
    "gpt2": Family(
        blocks="transformer.h",
        projection="attn.c_proj",
        stores_in_out=True,
        readers=("attn.c_attn",),
        feed_forward="mlp",
        neurons="mlp.c_proj",
        last="transformer.ln_f",
        head="score",
        embedding="transformer.wte",
        tokenizer="GPT2Tokenizer",
        attention_norm="ln_1",
    ),
    "bert": Family(
        blocks="bert.encoder.layer",
        projection="attention.output.dense",
        stores_in_out=False,
        readers=("attention.self.query", "attention.self.key", "attention.self.value"),
        feed_forward="output.dense",
        neurons="output.dense",
        last="bert.pooler",
        head="classifier",
        embedding="bert.embeddings.word_embeddings",
        tokenizer="BertTokenizer",
        norms=("attention.output.LayerNorm", "output.LayerNorm"),
        pools_first=True,
        looks_ahead=True,
    ),
    "llama": Family(
        blocks="model.layers",
        projection="self_attn.o_proj",
        stores_in_out=False,
        readers=("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        feed_forward="mlp",
        neurons="mlp.down_proj",
        last="model.norm",
        head="score",
        embedding="model.embed_tokens",
        attention_norm="input_layernorm",
        rotary="model.rotary_emb",
    ),
}
