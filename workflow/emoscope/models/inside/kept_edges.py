"""The answer to a text when parts read only some of the others as in this text, and the rest as in another one."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from emoscope.models.activations import Activations
from emoscope.models.inside.edges import targets_of
from emoscope.models.inside.order import reads_beside_attention
from emoscope.models.interventions import changing_input, changing_output
from emoscope.models.parts import (
    attention_norm_of,
    attention_of,
    blocks_of,
    feed_forward_of,
    head_weights,
    heads_of,
    joined_readers,
    output_norms_of,
    projection_of,
    readers_of,
    reading_weights,
    residual_norms_of,
    split_readers,
    width_given,
)

STREAMS = 2**14  # tokens that are followed at once, one for each target; bounds memory


def kept_edge_logits(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], other: Activations, kept: np.ndarray
) -> np.ndarray:
    """Logits (trials, classes) of a text (1, tokens) with only the edges `kept`, bool (trials, sources, targets).

    Each target gets a residual stream of its own: what it keeps is what sources write in this very run, and what it
    does not, what they write in the `other` text, of as many tokens. So keeping all gives the text's answer, none the
    other's, and all but one is the exact patch of that edge. Where heads share keys and values, a head's are computed
    from its own stream.
    """
    at_once = max(1, STREAMS // (inputs["input_ids"].shape[1] * len(targets_of(model))))
    parts = [_logits(model, inputs, other, kept[start : start + at_once]) for start in range(0, len(kept), at_once)]
    return np.concatenate(parts) if parts else np.empty((0, model.config.num_labels), dtype=np.float32)


def without_each(possible: np.ndarray, places: np.ndarray) -> np.ndarray:
    """All `possible` edges but one at each of `places` (edges, 2): what is kept to patch each, bool (edges, sources,
    targets)."""
    kept = np.repeat(possible[None], len(places), axis=0)
    kept[np.arange(len(places)), places[:, 0], places[:, 1]] = False
    return kept


@torch.inference_mode()
def _logits(model: PreTrainedModel, inputs: Mapping[str, Tensor], other: Activations, kept: np.ndarray) -> np.ndarray:
    streams = _Streams(model, other, torch.from_numpy(kept).to(other.residual))
    rows = {name: values.to(model.device).expand(len(kept) * streams.shared, -1) for name, values in inputs.items()}
    with ExitStack() as stack:
        for block in range(len(blocks_of(model))):
            _follow(streams, block, stack)
        stack.enter_context(changing_output(blocks_of(model)[-1], lambda _: streams.one()))
        return model(**rows).logits[:: streams.shared].cpu().numpy()


def _follow(streams: "_Streams", block: int, stack: ExitStack) -> None:
    """Let a block compute of the streams instead of its own."""
    model = streams.model
    stack.enter_context(changing_input(blocks_of(model)[block], partial(streams.enter, block)))
    for number, reader in enumerate(readers_of(model, block)):
        stack.enter_context(changing_output(reader, partial(streams.read, number)))
    stack.enter_context(changing_input(projection_of(model, block), partial(streams.attended, block)))
    if not streams.side_by_side:
        between, *_ = residual_norms_of(model, block) or [attention_of(model, block)]
        stack.enter_context(changing_output(between, partial(streams.between, block)))
    stack.enter_context(changing_output(feed_forward_of(model, block), partial(streams.fed, block)))


class _Streams:
    """What each target still to come has been given so far, (trials, targets, tokens, width), while the model runs.

    Each trial runs as often as heads share keys and values, once for every head of a group, which then computes them.
    """

    def __init__(self, model: PreTrainedModel, other: Activations, kept: Tensor) -> None:
        self.model, self.other = model, other
        self.kept = kept  # (trials, sources, targets) still to come, 0 or 1
        queries, keys, _ = reading_weights(model, 0)
        self.shared = queries.shape[1] // keys.shape[1]
        self.side_by_side = reads_beside_attention(model)

    def next(self, count: int) -> Tensor:
        """The streams of the targets that read next, (targets, trials, tokens, width)."""
        read, self.streams, self.kept = self.streams[:, :count], self.streams[:, count:], self.kept[:, :, count:]
        return read.transpose(0, 1)

    def one(self) -> Tensor:
        """That of the only target which reads next, for every run of the model, (runs, tokens, width)."""
        return self.next(1)[0].repeat_interleave(self.shared, dim=0)

    def written(self, own: Tensor, others: Tensor) -> Tensor:
        """What the next sources write for each target, added up, (trials, targets, tokens, width): their `own` output
        (trials, sources, tokens, width) where it is kept, else that in the other text (sources, tokens, width)."""
        kept, self.kept = self.kept[:, : len(others)], self.kept[:, len(others) :]
        return torch.einsum("ruv,rutw->rvtw", kept, own - others).add_(others.sum(dim=0))

    def enter(self, block: int, values: Tensor) -> Tensor:
        """The heads of a block read; so does its feed-forward if it stands beside them."""
        if block == 0:
            self.streams = self.written(values[:: self.shared, None], self.other.residual[:1])
        heads, norm = self.next(heads_of(self.model)), attention_norm_of(self.model, block)
        self.given = dict(enumerate(self.queried(block, heads if norm is None else norm.forward(heads))))
        self.entered = self.one() if self.side_by_side else values
        return self.entered

    def queried(self, block: int, read: Tensor) -> list[Tensor]:
        """What the readers give, each head's part of what that head read, (heads, trials, tokens, width)."""
        model, weights, found = self.model, reading_weights(self.model, block), []
        readers = readers_of(model, block)
        empty = [read.new_zeros(width_given(model, reader)) for reader in readers]
        biases = [zero if reader.bias is None else reader.bias for reader, zero in zip(readers, empty, strict=True)]
        width = weights[0].shape[1] // len(read)
        for weight, bias in zip(weights, split_readers(model, biases), strict=True):
            by_head = weight.unflatten(1, (-1, width))
            grouped = read.unflatten(0, (by_head.shape[1], -1))  # of each group, one head in each run
            given = torch.einsum("gmrtw,wgd->rmtgd", grouped, by_head).flatten(-2) + bias
            found.append(given.expand(-1, self.shared, -1, -1).flatten(0, 1))
        return joined_readers(model, found)

    def read(self, number: int, values: Tensor) -> Tensor:
        return self.given.pop(number, values)  # some models project their positions by the same readers, later

    def attended(self, block: int, values: Tensor) -> Tensor:
        """The heads of a block write."""
        model, weights = self.model, head_weights(self.model, block)
        by_run = values.unflatten(0, (-1, self.shared)).unflatten(-1, (-1, self.shared, weights.shape[1]))
        own = by_run.diagonal(dim1=1, dim2=4).movedim(-1, 3).flatten(2, 3)  # what each run computed for its own heads
        others = self.other.heads[block].unflatten(-1, weights.shape[:2])
        added = self.written(*(torch.einsum("...thi,hio->...hto", heads, weights) for heads in (own, others)))
        if (bias := projection_of(model, block).bias) is not None:
            added.add_(bias)
        for norm in output_norms_of(model, block)[:1]:
            added = norm.forward(added)
        self.add(block, 0, added)
        return values

    def between(self, block: int, _: Tensor) -> Tensor:
        """The feed-forward of a block reads: of a pre-norm model what its attention has added to what came in."""
        stream = self.one()
        return stream if residual_norms_of(self.model, block) else stream - self.entered

    def fed(self, block: int, values: Tensor) -> Tensor:
        """The feed-forward of a block writes."""
        self.add(block, 1, self.written(values[:: self.shared, None], self.other.feed_forward[block][None]))
        return values

    def add(self, block: int, half: int, added: Tensor) -> None:
        self.streams.add_(added)  # in place, and so are the sums before: they are what takes time
        for norm in residual_norms_of(self.model, block)[half : half + 1]:
            self.streams = norm.forward(self.streams)
