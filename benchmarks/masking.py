"""The masking sweep: emoscope beside the authors' way and batched TransformerLens hooks, seconds per text and variant.

Blocks are masked as described, published and by their mean, and each of their heads is zeroed: 15 variants a block. Of
the 12 blocks four are timed, whose mean depth is that of all. The authors copied the model for each variant and scored
one text at a time with a pipeline. Beside it what resampling costs for each of its draws, whose texts are run as well.
"""

import statistics
from collections.abc import Callable
from copy import deepcopy

import torch
from transformers import GPT2LMHeadModel, PreTrainedModel, PreTrainedTokenizerBase, pipeline

from benchmarks.measuring import as_loaded, ceilings, gpt2_small, seconds, sentences
from emoscope.experiments.masking.measure import block_scores, masks_of
from emoscope.experiments.masking.reference import Reference, mean_outputs
from emoscope.models.families import projection_of

TEXTS, ROUNDS = 192, 3
REFERENCE, DRAWS = 160, 3  # as many reference texts for each judged one as in the embedded default
BLOCKS = (0, 4, 7, 11)  # 12, 8, 5 and 1 blocks run under the mask: 6.5 on average, as over all twelve
CONDITIONS = ["described", "published", "mean"]


def measure() -> dict:
    plain, tokenizer = gpt2_small()
    model = as_loaded(plain, tokenizer)
    texts = sentences(TEXTS)
    few = texts[:16]
    others = sentences(REFERENCE, seed=2)
    reference = Reference(others, mean_outputs(model, tokenizer, others, 8192))
    masks = masks_of(model, CONDITIONS, ["zero"], DRAWS)
    resampled = masks_of(model, ["resample", "mlp_resample"], [], DRAWS)

    def ours() -> None:
        for block in BLOCKS:
            block_scores(model, tokenizer, texts, block, masks, reference, 8192)

    def resampling() -> None:
        for block in BLOCKS:
            block_scores(model, tokenizer, texts, block, resampled, reference, 8192)

    def authors() -> None:
        copy = deepcopy(plain)
        with torch.no_grad():
            projection_of(copy, 0).bias.zero_()
        classify = pipeline("text-classification", model=copy, tokenizer=tokenizer, top_k=None)
        for text in few:
            classify(text)

    routes = {
        "authors": (authors, len(few)),
        "emoscope": (ours, TEXTS * len(BLOCKS) * len(masks)),
        "resampling": (resampling, TEXTS * len(BLOCKS) * len(resampled)),
    }
    lens = transformer_lens(plain, tokenizer, texts)
    if lens:
        routes["transformer_lens"] = (lens, TEXTS)
    times: dict[str, list[float]] = {name: [] for name in routes}
    with torch.inference_mode():
        lens and lens()
        authors()
        for _ in range(ROUNDS):
            for name, (route, count) in routes.items():
                times[name].append(seconds(route) / count)
    each = {name: statistics.median(found) for name, found in times.items()}
    return {
        "ms_per_text_and_variant": {name: round(1000 * found, 2) for name, found in each.items()},
        "over_authors": round(each["authors"] / each["emoscope"], 1),
        "over_transformer_lens": round(each["transformer_lens"] / each["emoscope"], 2) if lens else None,
        "precision": "fp32",
        "ceilings": ceilings(),
    }


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
    inputs = tokenizer(texts, padding=True, return_tensors="pt").to(model.device)

    def silence(heads: torch.Tensor, hook: object) -> torch.Tensor:
        heads = heads.clone()
        heads[:, :, 3] = 0.0
        return heads

    hooks = [("blocks.5.attn.hook_z", silence)]
    return lambda: bridge.run_with_hooks(
        inputs["input_ids"], attention_mask=inputs["attention_mask"], return_type=None, fwd_hooks=hooks
    )
