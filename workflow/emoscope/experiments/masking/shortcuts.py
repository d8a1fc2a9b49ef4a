"""What runs under masks need not compute, each only where a model gives the same answer without it.

Blocks before the first mask get what they got without it; so do the projections that read what no mask has touched. In
the last block the classification head reads one token of each text. What stands under a mask that replaces it is not
computed at all.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from torch import Tensor, nn
from transformers import PreTrainedModel

from emoscope.models.interventions import (
    Calls,
    answered,
    computed_where_read,
    idle,
    noted,
    recording,
    resumed_at,
    skipping,
)
from emoscope.models.parts import blocks_of, projection_of, projections_of, readers_of, width_given


@dataclass(frozen=True)
class Start:
    """Where runs of a batch start: a block, what it gets, (rows, tokens, width), and what projections made of it."""

    block: int
    residual: Tensor
    calls: Calls = field(default_factory=dict)


def starts(
    model: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    blocks: Sequence[int],
    exact: Collection[str],
    known: Callable[[PreTrainedModel, int], Sequence[nn.Module]] = projections_of,
) -> dict[int, Start]:
    """By block, the starts of runs in which nothing before it is masked; one run, through the last block, gives all.

    What the `known` projections of each block give is kept: all of GPT-2 small's are 50 kB a token, its readers 12.
    """
    with ExitStack() as stack:
        stack.enter_context(skipping(model, blocks_of(model)[max(blocks) + 1 :]))
        calls = {block: stack.enter_context(noted(known(model, block))) for block in blocks}
        seen = {block: stack.enter_context(recording(blocks_of(model)[block])) for block in blocks}
        stack.enter_context(read_alone(model, inputs, exact))
        model(**inputs)
    return {block: Start(block, seen[block]["input"], calls[block]) for block in blocks}


def masked_starts(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> list[Start]:
    """The start of a run at each block, where all before it are masked as they are now; the last block is not run."""
    blocks = range(len(blocks_of(model)))
    with ExitStack() as stack:
        stack.enter_context(skipping(model, blocks_of(model)[-1:]))
        seen = [stack.enter_context(recording(blocks_of(model)[block])) for block in blocks]
        model(**inputs)
    return [Start(block, record["input"]) for block, record in enumerate(seen)]


@contextmanager
def spared(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], start: Start, exact: Collection[str]
) -> Iterator[None]:
    """Spare what masks of a block and later ones cannot change: the blocks before it, its projections as long as they
    read what they read at the `start`, and most of what follows the last block's attention."""
    with ExitStack() as stack:
        if "resumed" in exact:
            stack.enter_context(resumed_at(model, start.block, start.residual))
        stack.enter_context(answered(start.calls))
        stack.enter_context(read_alone(model, inputs, exact))
        yield


@contextmanager
def read_alone(model: PreTrainedModel, inputs: Mapping[str, Tensor], exact: Collection[str]) -> Iterator[None]:
    """Spare the last block all tokens but the one that the classification head reads, once attention is done."""
    with ExitStack() as stack:
        if "pooled" in exact:
            stack.enter_context(computed_where_read(model, inputs["input_ids"]))
        yield


@contextmanager
def unread_attention(model: PreTrainedModel, block: int, exact: Collection[str]) -> Iterator[None]:
    """Spare a block the projections of its attention, whose output a mask replaces."""
    with ExitStack() as stack:
        if "values" in exact:  # so that what they give is queries, keys and values, and nothing else
            for module in [*readers_of(model, block), projection_of(model, block)]:
                stack.enter_context(idle(module, width_given(model, module)))
        yield
