"""The masking sweep: emoscope beside the authors' way, TransformerLens hooks in batches, and its products alone.

Blocks are masked as described, published and by their mean, and each of their heads is zeroed: 15 variants a block. Of
the 12 blocks four are timed, whose mean depth is that of all. The authors copied the model for each variant and scored
one text at a time with a pipeline; a copy counts as shared by the 600 texts of their sweep. Beside it what resampling
costs for each of its draws, whose texts are run as well. Texts, and then rounds, are as many as fit into BUDGET
seconds: a sweep is of hundreds, and small batches are slower.
"""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy

import torch
from transformers import GPT2LMHeadModel, PreTrainedModel, PreTrainedTokenizerBase, pipeline
from transformers.pytorch_utils import Conv1D

from benchmarks.measuring import as_loaded, ceilings, gpt2_small, seconds, sentences
from emoscope.experiments.masking.masks import Mask, masks_of
from emoscope.experiments.masking.measure import block_scores
from emoscope.experiments.masking.reference import Reference, mean_outputs
from emoscope.models.batches import encode, token_batches
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.onednn import use_onednn
from emoscope.models.parts import blocks_of, heads_of
from emoscope.storage.names import WHOLE_BLOCK

MOST_TEXTS, FEWEST_TEXTS, MOST_ROUNDS = 192, 16, 3
BUDGET = 150  # seconds of the rounds; start, ceilings and rates take about a minute more on two slow cores
AUTHORS_TEXTS = 600  # that the authors scored with each copy of the model
REFERENCE, DRAWS = 160, 3  # as many reference texts for each judged one as in the embedded default
BLOCKS = (0, 4, 7, 11)  # 12, 8, 5 and 1 blocks run under the mask: 6.5 on average, as over all twelve
CONDITIONS = ["described", "published", "mean"]
TOKENS_PER_BATCH = 8192

Shape = tuple[int, int, int]  # of a product: rows, and what goes in and out for each


def measure() -> dict:
    plain, tokenizer = gpt2_small()
    model = as_loaded(plain, tokenizer)
    others = sentences(REFERENCE, seed=2)
    reference = Reference(others, mean_outputs(model, tokenizer, others, TOKENS_PER_BATCH))
    masks = masks_of(model, CONDITIONS, ["zero"], DRAWS)
    resampled = masks_of(model, ["resample", "mlp_resample"], [], DRAWS)

    def sweep(texts: Sequence[str], blocks: Sequence[int], masks: Sequence[Mask]) -> None:
        for block in blocks:
            block_scores(model, tokenizer, texts, block, masks, reference, TOKENS_PER_BATCH, CHECKS)

    few = sentences(FEWEST_TEXTS)
    sweep(few[:1], [0], masks[:1])
    each = seconds(lambda: sweep(few, BLOCKS[1:2], masks[:4])) / len(few) / 4
    fitting = int(BUDGET / 1.5 / each / len(BLOCKS) / (len(masks) + len(resampled)))
    texts = sentences(min(MOST_TEXTS, max(FEWEST_TEXTS, fitting)))

    def score() -> None:
        classify = pipeline("text-classification", model=plain, tokenizer=tokenizer, top_k=None)
        for text in few:
            classify(text)

    routes = {
        "emoscope": (lambda: sweep(texts, BLOCKS, masks), len(texts) * len(BLOCKS) * len(masks)),
        "resampling": (lambda: sweep(texts, BLOCKS, resampled), len(texts) * len(BLOCKS) * len(resampled)),
        "authors' copy": (lambda: deepcopy(plain), AUTHORS_TEXTS),
        "authors' scoring": (score, len(few)),
    }
    lens = transformer_lens(plain, tokenizer, texts)
    if lens:
        routes["transformer_lens"] = (lens, len(texts))
    with torch.inference_mode():
        times = in_turns(routes)
        products = Counter(shape for batch in batches(tokenizer, texts) for shape in remaining(model, masks, *batch))
        bound = sum(count * seconds_of(shape, model) for shape, count in products.items()) / routes["emoscope"][1]
    times["authors"] = times.pop("authors' copy") + times.pop("authors' scoring")
    return {
        "texts": len(texts),
        "ms_per_text_and_variant": {name: round(1000 * found, 2) for name, found in times.items()},
        "over_authors": round(times["authors"] / times["emoscope"], 1),
        "over_transformer_lens": round(times["transformer_lens"] / times["emoscope"], 2) if lens else None,
        "products_alone_ms": round(1000 * bound, 2),
        "of_what_products_allow": round(bound / times["emoscope"], 2),
        "precision": "fp32",
        "ceilings": ceilings(),
    }


def in_turns(routes: dict[str, tuple[Callable[[], object], int]]) -> dict[str, float]:
    """Median seconds of each route over what it scores, in rounds that stop before they would outlast BUDGET."""
    times: dict[str, list[float]] = {name: [] for name in routes}
    start = time.perf_counter()
    for number in range(1, MOST_ROUNDS + 1):
        for name, (route, count) in routes.items():
            times[name].append(seconds(route) / count)
        if (time.perf_counter() - start) * (number + 1) / number > BUDGET:
            break
    return {name: statistics.median(found) for name, found in times.items()}


def batches(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[tuple[int, int]]:
    """Tokens, padding included, and texts of each batch."""
    lengths = [len(ids) for ids in encode(tokenizer, texts)["input_ids"]]
    rows = token_batches(lengths, TOKENS_PER_BATCH)
    return [(len(batch) * max(lengths[row] for row in batch), len(batch)) for batch in rows]


def remaining(model: PreTrainedModel, masks: Sequence[Mask], tokens: int, texts: int) -> Iterator[Shape]:
    """The products of weights that one batch of GPT-2 needs at the least, with masks of attention on each of BLOCKS.

    One run without masks gives every block's input and what its attention gives. Under a mask of a head its part of the
    projection is taken away; of the last block all but keys and values is needed at one token of each text.
    """
    width, last = model.config.n_embd, len(blocks_of(model)) - 1

    def reading(rows: int, parts: int) -> list[Shape]:
        return [(rows, width, parts * width)]

    def rest(rows: int) -> list[Shape]:
        return [(rows, width, 4 * width), (rows, 4 * width, width)]

    attention = [*reading(tokens, 3), (tokens, width, width)]
    yield from (attention + rest(tokens)) * max(BLOCKS) + attention
    for block in BLOCKS:
        for mask in masks:
            where = texts if block == last else tokens
            if mask.head != WHOLE_BLOCK:
                yield where, width // heads_of(model), width
            yield from rest(where)
            if block < last:
                yield from (attention + rest(tokens)) * (last - block - 1)
                yield from [*reading(tokens, 2), *reading(texts, 1), (texts, width, width), *rest(texts)]


def seconds_of(shape: Shape, model: PreTrainedModel) -> float:
    """What one such product takes, alone, the best of four."""
    rows, inputs, outputs = shape
    layer = use_onednn(Conv1D(outputs, inputs).to(model.device))
    values = torch.randn(rows, inputs, device=model.device)
    return min(seconds(lambda: layer(values)) for _ in range(4))


def transformer_lens(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: list[str]
) -> Callable[[], object] | None:
    """One variant, a head zeroed, of all texts in one batch by a TransformerLens hook; None where it is not installed.

    It has no classifiers, so it gets a language model around the same blocks whose vocabulary are the classes.
    """
    try:
        from transformer_lens.model_bridge.sources import build_bridge_from_module
    except ImportError:
        return None
    language_model = GPT2LMHeadModel(model.config).eval()
    language_model.transformer = deepcopy(model.transformer)
    language_model.lm_head = torch.nn.Linear(model.config.n_embd, model.config.num_labels, bias=False)
    bridge = build_bridge_from_module(
        language_model.to(model.device), "GPT2LMHeadModel", hf_config=model.config, dtype=torch.float32
    )
    inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(model.device)

    def silence(heads: torch.Tensor, hook: object) -> torch.Tensor:
        heads = heads.clone()
        heads[:, :, 0] = 0.0
        return heads

    hooks = [(f"blocks.{BLOCKS[1]}.attn.hook_z", silence)]
    return lambda: bridge.run_with_hooks(
        inputs["input_ids"], attention_mask=inputs["attention_mask"], return_type=None, fwd_hooks=hooks
    )
