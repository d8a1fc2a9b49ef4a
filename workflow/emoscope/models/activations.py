"""What every block of a classifier computes for one text."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from emoscope.models.families import blocks_of, feed_forward_of, projection_of
from emoscope.models.interventions import recording


@dataclass(frozen=True)
class Activations:
    """One text's activations, each (blocks, tokens, width), and its logits (classes,).

    `residual` has one more entry: the input of every block, and last the output of the last one. `heads` are the heads'
    outputs side by side, (blocks, tokens, heads x head width); `attention` and `feed_forward` are what the block's two
    halves add to the residual stream.
    """

    residual: Tensor
    heads: Tensor
    attention: Tensor
    feed_forward: Tensor
    logits: Tensor


@torch.inference_mode()
def activations_of(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Activations:
    """Run the classifier on one text, `inputs` of shape (1, tokens), and keep what its blocks compute."""
    numbers = range(len(blocks_of(model)))
    with ExitStack() as stack:
        blocks, projections, feed_forwards = (
            [stack.enter_context(recording(part(number))) for number in numbers]
            for part in (
                lambda number: blocks_of(model)[number],
                lambda number: projection_of(model, number),
                lambda number: feed_forward_of(model, number),
            )
        )
        logits = model(**{name: values.to(model.device) for name, values in inputs.items()}).logits[0]
    return Activations(
        residual=torch.cat([*(seen["input"] for seen in blocks), blocks[-1]["output"]]),
        heads=torch.cat([seen["input"] for seen in projections]),
        attention=torch.cat([seen["output"] for seen in projections]),
        feed_forward=torch.cat([seen["output"] for seen in feed_forwards]),
        logits=logits,
    )


def unit_means(run: Activations, tokens: Sequence[int], block: int) -> dict[str, np.ndarray]:
    """Means over some tokens, {site: (width,)}: a block's output (`residual`), what attention adds (`attention`)."""
    sites = {"residual": run.residual[block + 1], "attention": run.attention[block]}
    return {site: values[tokens].mean(dim=0).cpu().numpy() for site, values in sites.items()}
