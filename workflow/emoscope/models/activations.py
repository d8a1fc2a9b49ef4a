"""What every block of a classifier computes for a text."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from emoscope.models.batches import token_batches
from emoscope.models.interventions import recording
from emoscope.models.parts import attention_of, blocks_of, feed_forward_of, projection_of

Inputs = Mapping[str, Tensor]  # of one text, each of shape (1, tokens)


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


def activations_of(model: PreTrainedModel, inputs: Inputs) -> Activations:
    """Run the classifier on one text and keep what its blocks compute."""
    batch = _recorded(model, {name: values.to(model.device) for name, values in inputs.items()})
    return _one_of(batch, 0, inputs["input_ids"].shape[1])


@torch.inference_mode()
def each_activations(
    model: PreTrainedModel, texts: Sequence[Inputs], tokens_per_batch: int
) -> Iterator[tuple[int, Activations]]:
    """The same for many texts, batch by batch: each text's number and its activations, without padding."""
    lengths = [text["input_ids"].shape[1] for text in texts]
    for rows in token_batches(lengths, tokens_per_batch):
        batch = _recorded(model, one_batch(model, [texts[row] for row in rows]))
        for place, row in enumerate(rows):
            yield int(row), _one_of(batch, place, lengths[row])


def one_batch(model: PreTrainedModel, texts: Sequence[Inputs]) -> dict[str, Tensor]:
    """Texts as one batch on the model's device, padded on the right and masked there."""
    texts = [{**text, "attention_mask": torch.ones_like(text["input_ids"])} for text in texts]
    fill = {"input_ids": model.config.pad_token_id or 0}
    return {
        name: pad_sequence([text[name][0] for text in texts], batch_first=True, padding_value=fill.get(name, 0)).to(
            model.device
        )
        for name in texts[0]
    }


@torch.inference_mode()
def _recorded(model: PreTrainedModel, inputs: Inputs) -> Activations:
    """A batch's activations, (blocks, rows, tokens, width), and logits (rows, classes)."""
    numbers = range(len(blocks_of(model)))
    with ExitStack() as stack:
        blocks, projections, attentions, feed_forwards = (
            [stack.enter_context(recording(part(number))) for number in numbers]
            for part in (
                lambda number: blocks_of(model)[number],
                lambda number: projection_of(model, number),
                lambda number: attention_of(model, number),
                lambda number: feed_forward_of(model, number),
            )
        )
        logits = model(**inputs).logits
    return Activations(
        residual=torch.stack([*(seen["input"] for seen in blocks), blocks[-1]["output"]]),
        heads=torch.stack([seen["input"] for seen in projections]),
        attention=torch.stack([seen["output"] for seen in attentions]),
        feed_forward=torch.stack([seen["output"] for seen in feed_forwards]),
        logits=logits,
    )


def _one_of(batch: Activations, row: int, tokens: int) -> Activations:
    sites = [field.name for field in fields(Activations) if field.name != "logits"]
    own = {site: getattr(batch, site)[:, row, :tokens].clone() for site in sites}  # a slice would keep all of the batch
    return Activations(**own, logits=batch.logits[row].clone())


def unit_means(run: Activations, tokens: Sequence[int], block: int) -> dict[str, np.ndarray]:
    """Means over some tokens, {site: (width,)}: a block's output (`residual`), what attention adds (`attention`)."""
    sites = {"residual": run.residual[block + 1], "attention": run.attention[block]}
    return {site: values[tokens].mean(dim=0).cpu().numpy() for site, values in sites.items()}
