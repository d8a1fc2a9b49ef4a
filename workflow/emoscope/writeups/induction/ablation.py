"""Ablation on repeated tokens: MLP outputs replaced, heads mean-ablated; measured by the second half's loss."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import DynamicCache, PreTrainedModel

from emoscope.errors import UserError
from emoscope.models.interventions import changing_input, changing_output, fixed_head, recording, resumed_at
from emoscope.models.language_models import load_language_model
from emoscope.models.loading import check_blocks
from emoscope.models.parts import blocks_of, feed_forward_of, head_slice, projection_of
from emoscope.storage.files import write_table
from emoscope.storage.names import EVERYWHERE
from emoscope.writeups.induction.measure import best_heads, trained_scores
from emoscope.writeups.induction.repeats import first_token, fitting_lengths, hits, log_probabilities, repeated_tokens

ROWS_PER_BATCH = 16


def ablate_mlps(model: Path, blocks: int, config: dict, output: Path) -> None:
    """Write `sequence, block, offset, loss, change, own`: the second half's loss with MLP outputs replaced, its rise.

    `change` is the mean rise over the half, `own` that at the replaced position alone: NaN where all are replaced.
    At one position of the second half, a block's MLP output is replaced by that of `length` tokens earlier. Offset 0,
    the seam, is the position that predicts the second half's first token, and gets the output at BOS; at any other
    offset the token earlier is the same, and `EVERYWHERE` stands for all of these at once. With fewer
    `ablated_positions` than the length, evenly spread offsets are tried.
    """
    network, tokens, length = _prepared(model, blocks, config)
    offsets = np.unique(np.linspace(0, length - 1, min(config["ablated_positions"], length)).round().astype(int))
    parts = []
    with tqdm(total=len(tokens) * len(blocks_of(network)), desc="replace MLP outputs", mininterval=2) as progress:
        for rows in torch.arange(len(tokens)).split(ROWS_PER_BATCH):
            baseline, losses = mlp_losses(network, tokens[rows], length, [*offsets.tolist(), EVERYWHERE], progress)
            for (block, offset), loss in losses.items():
                key = {"sequence": rows.numpy(), "block": block, "offset": offset}
                rise = (loss - baseline).cpu().numpy()
                own = np.nan if offset == EVERYWHERE else rise[:, offset]
                found = {"loss": loss.mean(dim=1).cpu().numpy(), "change": rise.mean(axis=1), "own": own}
                parts.append(pd.DataFrame(key | found))
    write_table(pd.concat(parts, ignore_index=True), output)


def ablate_heads(model: Path, blocks: int, heads: Path, config: dict, output: Path) -> None:
    """Write `sequence, kind, heads, draw, loss, accuracy` of the second half with heads replaced by their mean output.

    `kind` is `none`, `induction` or `previous` (the heads with the highest scores) or `random` (as many others, `draw`
    after `draw`, where there are as many); a head's mean is taken over all tokens of all sequences. Numbers of
    heads that the model does not have are left out; UserError if all are.
    """
    network, tokens, length = _prepared(model, blocks, config)
    sets = sets_to_silence(trained_scores(heads), config["ablated_heads"], config["random_heads"], config["seed"])
    means = _mean_outputs(network, tokens)
    parts = []
    with tqdm(total=len(sets) * len(tokens), desc="silence heads", mininterval=2) as progress:
        for rows in torch.arange(len(tokens)).split(ROWS_PER_BATCH):
            found = _without_heads(network, tokens[rows], length, [chosen for *_, chosen in sets], means)
            for (kind, draw, chosen), (loss, accuracy) in zip(sets, found, strict=True):
                key = {"sequence": rows.numpy(), "kind": kind, "heads": len(chosen), "draw": draw}
                parts.append(pd.DataFrame({**key, "loss": loss.cpu().numpy(), "accuracy": accuracy.cpu().numpy()}))
                progress.update(len(rows))
    write_table(pd.concat(parts, ignore_index=True), output)


def sets_to_silence(
    scores: pd.DataFrame, counts: list[int], draws: int, seed: int
) -> list[tuple[str, int, list[tuple[int, int]]]]:
    """(kind, draw, heads): no heads, then for each of the `counts` that the model has the best of each kind and random
    ones; UserError for a model that has none of the counts.

    Random heads are none of the best of either kind, of as large a count as leaves that many others: of a larger one
    there are no random sets.
    """
    heads = sorted(set(zip(scores["block"], scores["head"], strict=True)))
    fitting = [count for count in counts if count <= len(heads)]
    if not fitting:
        raise UserError(
            f"induction.ablated_heads: {min(counts)} or more heads are to be silenced at once, but the model has "
            f"{len(heads)}; name a smaller number, too"
        )
    best = {kind: best_heads(scores, kind, max(fitting)) for kind in ("induction", "previous")}

    def others(count: int) -> list[tuple[int, int]]:
        return [head for head in heads if not any(head in chosen[:count] for chosen in best.values())]

    drawable = max((count for count in fitting if len(others(count)) >= count), default=0)
    rng, free = np.random.default_rng(seed), others(drawable)
    sets: list[tuple[str, int, list[tuple[int, int]]]] = [("none", 0, [])]
    for count in fitting:
        sets += [(kind, 0, chosen[:count]) for kind, chosen in best.items()]
        if count <= drawable:
            drawn = (rng.permutation(len(free))[:count] for _ in range(draws))
            sets += [("random", draw, [free[number] for number in numbers]) for draw, numbers in enumerate(drawn)]
    return sets


@torch.inference_mode()
def mlp_losses(
    model: PreTrainedModel, tokens: Tensor, length: int, offsets: list[int], progress: tqdm | None = None
) -> tuple[Tensor, dict[tuple[int, int], Tensor]]:
    """Loss of the second half's predictions in nats, (sequences, length): as it is, and by (block, offset) replaced.

    Column k is the prediction made at offset k.
    What does not change is not run again: earlier blocks, and earlier positions, whose keys and values are kept.
    """
    blocks = range(len(blocks_of(model)))
    with ExitStack() as stack:
        inputs = [stack.enter_context(recording(blocks_of(model)[block])) for block in blocks]
        written = [stack.enter_context(recording(feed_forward_of(model, block))) for block in blocks]
        whole = model(tokens, use_cache=True)
    baseline = -log_probabilities(whole.logits, tokens)[:, length:]
    kept = [(layer.keys, layer.values) for layer in whole.past_key_values.layers]
    losses = {}
    for block in blocks:
        output = written[block]["output"]
        for offset in offsets:
            first, last = (1, length) if offset == EVERYWHERE else (offset, offset + 1)
            start = length + first
            changed = output[:, start:].clone()
            changed[:, : last - first] = output[:, first:last]
            cache = DynamicCache([(keys[:, :, :start], values[:, :, :start]) for keys, values in kept])
            residual = inputs[block]["input"][:, start:]
            feed_forward = feed_forward_of(model, block)
            with resumed_at(model, block, residual), changing_output(feed_forward, lambda _, new=changed: new):
                logits = model(tokens[:, start:], past_key_values=cache).logits
            rest = -log_probabilities(logits, tokens[:, start:])
            losses[block, offset] = torch.cat([baseline[:, :first], rest], dim=1)
        if progress is not None:
            progress.update(len(tokens))
    return baseline, losses


def _prepared(model: Path, blocks: int, config: dict) -> tuple[PreTrainedModel, Tensor, int]:
    network, tokenizer = load_language_model(model)
    check_blocks(network, blocks)
    length = fitting_lengths(network, config["lengths"])[0]
    first, count = first_token(tokenizer), config["ablated_sequences"]
    # not the sequences that the best heads were chosen on
    tokens = repeated_tokens(network.config.vocab_size, first, length, count, config["seed"] + 1)
    return network, tokens.to(network.device), length


@torch.inference_mode()
def _mean_outputs(model: PreTrainedModel, tokens: Tensor) -> list[Tensor]:
    """Mean over all tokens of every block's heads, side by side (heads x head width,)."""
    sums = [0.0] * len(blocks_of(model))
    for batch in tokens.split(ROWS_PER_BATCH):
        with ExitStack() as stack:
            seen = [stack.enter_context(recording(projection_of(model, block))) for block in range(len(sums))]
            model.base_model(batch, use_cache=False)
        sums = [total + record["input"].sum(dim=(0, 1)) for total, record in zip(sums, seen, strict=True)]
    return [total / tokens.numel() for total in sums]


@torch.inference_mode()
def _without_heads(
    model: PreTrainedModel, tokens: Tensor, length: int, sets: list[list[tuple[int, int]]], means: list[Tensor]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Loss and accuracy of each second half, (sequences,) each, with every set of heads fixed at their mean output.

    What a set does not change is not run again: blocks before its first, and all of them for no heads.
    """
    half = tokens[:, length:]  # what comes before is given
    with ExitStack() as stack:
        inputs = [stack.enter_context(recording(block)) for block in blocks_of(model)]
        stack.enter_context(_asked_from(model, length))
        whole = model(tokens, use_cache=False).logits
    for heads in sets:
        logits = whole
        if heads:
            first = min(block for block, _ in heads)
            with ExitStack() as stack:
                stack.enter_context(resumed_at(model, first, inputs[first]["input"]))
                stack.enter_context(_asked_from(model, length))
                for block, head in heads:
                    mean = means[block][head_slice(model, head)]
                    stack.enter_context(fixed_head(model, block, head, mean))
                logits = model(tokens, use_cache=False).logits
        yield -log_probabilities(logits, half).mean(dim=1), hits(logits, half).float().mean(dim=1)


def _asked_from(model: PreTrainedModel, position: int) -> AbstractContextManager[None]:
    """Let a language model give logits from a position on: those of a large vocabulary are a fifth of its work."""
    return changing_input(model.get_output_embeddings(), lambda states: states[:, position:])
