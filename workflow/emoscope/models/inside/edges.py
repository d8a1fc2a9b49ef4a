"""Attribution patching of edges: what one part reads of another, as in another text, estimated by gradients.

The residual stream is a sum of what the embedding, heads and feed-forwards write; heads, feed-forwards and the answer
read it. Patching an edge puts a writer's output in another text into what one reader gets, and into nothing else. Its
effect on a margin is estimated by the change of that output, times the margin's gradient by what the reader gets
(Syed, Rager and Conmy 2023, arXiv:2310.10348), averaged on the way to the other text in the integrated form (Hanna,
Pezzelle and Belinkov 2024, arXiv:2403.17806). So what a part's edges carry sums to its own estimate.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from emoscope.models.activations import Activations
from emoscope.models.inside.estimates import embeddings_between, margins_of
from emoscope.models.inside.nodes import Node
from emoscope.models.inside.order import reads_beside_attention
from emoscope.models.interventions import Change, changing_input, changing_output, resumed_at
from emoscope.models.parts import (
    attention_norm_of,
    attention_of,
    blocks_of,
    feed_forward_of,
    head_weights,
    heads_of,
    output_norms_of,
    projection_of,
    readers_of,
    reading_weights,
    residual_norms_of,
    split_readers,
)
from emoscope.storage.names import NONE

EMBEDDING, ANSWER = ("embedding", NONE, NONE), ("answer", NONE, NONE)


def sources_of(model: PreTrainedModel) -> list[Node]:
    """What writes to the residual stream, first to last: the embedding, and each block's heads and feed-forward."""
    return [EMBEDDING, *_parts_of(model)]


def targets_of(model: PreTrainedModel) -> list[Node]:
    """What reads the residual stream, first to last: each block's heads and feed-forward, and the answer."""
    return [*_parts_of(model), ANSWER]


def _parts_of(model: PreTrainedModel) -> list[Node]:
    blocks, heads = range(len(blocks_of(model))), range(heads_of(model))
    return [
        part for block in blocks for part in (*(("head", block, head) for head in heads), ("feed_forward", block, NONE))
    ]


def edges_of(model: PreTrainedModel) -> np.ndarray:
    """Which sources a target reads, bool (sources, targets): those that write before it reads."""
    side_by_side = reads_beside_attention(model)

    def read(node: Node) -> int:
        site, block, _ = node
        return 2 * (len(blocks_of(model)) if node == ANSWER else block) + (site == "feed_forward" and not side_by_side)

    def written(node: Node) -> int:
        site, block, _ = node
        return 2 * block + (site == "feed_forward")

    return np.array([[written(one) < read(other) for other in targets_of(model)] for one in sources_of(model)])


def edge_effects(
    model: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    recipient: Activations,
    donor: Activations,
    margin: tuple[int, int],
    steps: int = 0,
) -> np.ndarray:
    """By how many logits the recipient's margin would grow if a target read a source's output as in the donor,
    (sources, targets); zero where no edge is. Arguments as for `estimated_effects`.

    What is read is the stream before the norm through which attention or the feed-forward looks at it; a head's edge
    counts queries, keys and values together. The norms that a post-norm model applies to the stream itself are passed
    by their derivative, statistics and all, where the run is: so a part's edges sum to its estimate there, too.
    """
    read = _gradients(model, inputs, embeddings_between(recipient, donor, steps), margin)
    changed = Activations(
        *(other - own for own, other in zip(vars(recipient).values(), vars(donor).values(), strict=True))
    )
    return torch.stack([_by_source(model, blocks, answer, changed) for blocks, answer in read]).mean(0).cpu().numpy()


class Passed(NamedTuple):
    """A block in one run: the stream that it gets, what its projection and its two halves put out, and the stream
    between them, (tokens, width) each; and the margin's gradients by what its heads read, (heads, tokens, width), and
    by what its feed-forward does, (1, tokens, width)."""

    stream: Tensor
    projected: Tensor
    attention: Tensor
    between: Tensor
    feed_forward: Tensor
    by_heads: Tensor
    by_feed_forward: Tensor


@torch.no_grad()
def _by_source(model: PreTrainedModel, blocks: list[Passed], answer: Tensor, changed: Activations) -> Tensor:
    """The effects (sources, targets) in one run; gradients by what is read go back along the stream to where sources
    write, the last first."""
    reading, rows = answer[None], []  # the gradients of all later targets, (targets, tokens, width)

    def write(what: Tensor, reading: Tensor) -> None:
        effects = torch.einsum("utw,vtw->uv", what, reading)
        rows.insert(0, torch.cat([effects.new_zeros(len(what), targets - len(reading)), effects], dim=1))

    targets = len(targets_of(model))
    for block in reversed(range(len(blocks))):
        seen = blocks[block]
        between, after = residual_norms_of(model, block) or (None, None)
        before, *_ = output_norms_of(model, block) or (None,)
        reading = _back(after, seen.between + seen.feed_forward, reading)
        write(changed.feed_forward[block][None], reading)
        if not reads_beside_attention(model):
            reading = torch.cat([seen.by_feed_forward, reading])
        reading = _back(between, seen.stream + seen.attention, reading)
        weights = head_weights(model, block)
        heads = torch.einsum("thi,hio->hto", changed.heads[block].unflatten(-1, weights.shape[:2]), weights)
        write(heads, _back(before, seen.projected, reading))
        if reads_beside_attention(model):
            reading = torch.cat([seen.by_feed_forward, reading])
        reading = torch.cat([_back(attention_norm_of(model, block), seen.stream, seen.by_heads), reading])
    write(changed.residual[0][None], reading)
    return torch.cat(rows)


def _back(norm: nn.Module | None, at: Tensor, gradients: Tensor) -> Tensor:
    """Gradients (targets, tokens, width) by what a norm gives, as those by what it gets, (tokens, width)."""
    if norm is None:
        return gradients
    at = at.expand_as(gradients).clone().requires_grad_()
    with torch.enable_grad():
        [found] = torch.autograd.grad(norm(at), at, gradients)
    return found


def _gradients(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], embedded: Tensor, margin: tuple[int, int]
) -> Iterator[tuple[list[Passed], Tensor]]:
    """Of each run from these embeddings (runs, tokens, width): its blocks, and the margin's gradient by the last one's
    output, (tokens, width)."""
    with torch.enable_grad(), ExitStack() as stack:
        stack.enter_context(resumed_at(model, 0, embedded.clone().requires_grad_()))
        kept = [_keeping(model, block, stack) for block in range(len(blocks_of(model)))]
        margins = margins_of(model, inputs, embedded, margin)
    wanted = [part for seen in kept for part in (seen["heads"], seen["feed_forward"])] + [kept[-1]["output"]]
    *found, answer = torch.autograd.grad(margins.sum(), wanted, retain_graph=True)
    blocks = []
    for block, seen in enumerate(kept):
        by_heads = _by_heads(model, block, seen, found[2 * block])
        read = seen["stream"] if reads_beside_attention(model) else seen["between"]
        [by_feed_forward] = torch.autograd.grad(seen["feed_forward"], read, found[2 * block + 1], retain_graph=True)
        names = ("stream", "projected", "attention", "between", "feed_forward")
        blocks.append([*(seen[name].detach() for name in names), by_heads, by_feed_forward[:, None]])
    for run in range(len(embedded)):
        yield [Passed(*(part[run] for part in parts)) for parts in blocks], answer[run]


def _keeping(model: PreTrainedModel, block: int, stack: ExitStack) -> dict[str, Tensor]:
    """Will hold what a block computes, within the graph of gradients. Without norms on the stream itself, the gradient
    by what attention adds is that by the stream between: they differ by what is no part of it."""
    kept: dict[str, Tensor] = {}

    def keep(*names: str) -> Change:
        def change(values: Tensor) -> Tensor:
            for name in names:
                kept.setdefault(name, values)  # some models project their positions by the same readers, later
            return values

        return change

    norms = residual_norms_of(model, block)
    for number, reader in enumerate(readers_of(model, block)):
        stack.enter_context(changing_output(reader, keep(f"read {number}")))
    stack.enter_context(changing_input(blocks_of(model)[block], keep("stream")))
    stack.enter_context(changing_input(projection_of(model, block), keep("heads")))
    stack.enter_context(changing_output(projection_of(model, block), keep("projected")))
    stack.enter_context(changing_output(attention_of(model, block), keep("attention", *([] if norms else ["between"]))))
    if norms:
        stack.enter_context(changing_output(norms[0], keep("between")))
    stack.enter_context(changing_output(feed_forward_of(model, block), keep("feed_forward")))
    stack.enter_context(changing_output(blocks_of(model)[block], keep("output")))
    return kept


@torch.no_grad()
def _by_heads(model: PreTrainedModel, block: int, seen: dict[str, Tensor], gradient: Tensor) -> Tensor:
    """The margin's gradients (runs, heads, tokens, width) by what each head reads, through its queries, keys and values
    together, of those by what the heads put out (runs, tokens, heads x head width).

    Keys and values may be shared by several heads: then one of each group is looked at after another.
    """
    readers = [seen[f"read {number}"] for number in range(len(readers_of(model, block)))]
    weights, heads = reading_weights(model, block), heads_of(model)
    width = weights[0].shape[1] // heads
    groups = weights[1].shape[1] // width
    by_group = gradient.unflatten(-1, (groups, heads // groups, -1))

    def part(values: Tensor, member: int) -> Tensor:
        """One head of each group, of the queries; the only one, of keys and values: (..., groups, head width)."""
        of_groups = values.unflatten(-1, (groups, -1, width))
        return of_groups[..., member % of_groups.shape[-2], :]

    found = []
    for member in range(heads // groups):
        only = torch.zeros_like(by_group)
        only[..., member, :] = by_group[..., member, :]
        slopes = torch.autograd.grad(seen["heads"], readers, only.flatten(2), retain_graph=True)
        pairs = zip(split_readers(model, slopes), weights, strict=True)
        ways = [(part(slope, member), part(weight, member)) for slope, weight in pairs]
        found.append(sum(torch.einsum("rthd,whd->rhtw", slope, weight) for slope, weight in ways))
    return torch.stack(found, dim=2).flatten(1, 2)
