"""The answer to a text when only some parts of the model go on as in this text, and all others put out what they do in
another one: what a circuit is worth."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from emoscope.models.activations import Activations, one_batch
from emoscope.models.batches import token_batches
from emoscope.models.inside.nodes import Node, nodes_in
from emoscope.models.interventions import changing_input, changing_output
from emoscope.models.parts import blocks_of, feed_forward_of, heads_of, projection_of


class Trial(NamedTuple):
    """A text's inputs, (1, tokens), the run on another one that corresponds token for token, and which of `nodes_of`
    go on as in the text itself, bool (nodes,)."""

    inputs: Mapping[str, Tensor]
    other: Activations
    kept: np.ndarray


def nodes_of(model: PreTrainedModel) -> list[Node]:
    """What circuits are made of. Embeddings stay the text's own; so do biases of attention, which are no text's."""
    return nodes_in(len(blocks_of(model)), heads_of(model))


def kept_logits(model: PreTrainedModel, trials: Sequence[Trial], tokens_per_batch: int) -> np.ndarray:
    """Logits (trials, classes). What is kept is computed anew from what comes in, as in the circuits of Wang et al.
    2022 (arXiv:2211.00593); where both texts are read at the same token, keeping nothing gives the other's answer."""
    blocks, heads = len(blocks_of(model)), heads_of(model)
    logits = np.empty((len(trials), model.config.num_labels), dtype=np.float32)
    for rows in token_batches([trial.inputs["input_ids"].shape[1] for trial in trials], tokens_per_batch):
        chosen = [trials[row] for row in rows]
        kept = torch.from_numpy(np.stack([trial.kept for trial in chosen])).to(model.device)
        of_heads = kept[:, : blocks * heads].unflatten(1, (blocks, heads))
        of_feed_forwards = kept[:, blocks * heads :]
        others = [trial.other for trial in chosen]
        with torch.inference_mode(), ExitStack() as stack:
            for block in range(blocks):
                width = others[0].heads.shape[-1] // heads
                own = of_heads[:, block].repeat_interleave(width, dim=1)
                replacing = _keeping(own, [other.heads[block] for other in others])
                stack.enter_context(changing_input(projection_of(model, block), replacing))
                replacing = _keeping(of_feed_forwards[:, block, None], [other.feed_forward[block] for other in others])
                stack.enter_context(changing_output(feed_forward_of(model, block), replacing))
            logits[rows] = model(**one_batch(model, [trial.inputs for trial in chosen])).logits.cpu().numpy()
    return logits


def _keeping(own: Tensor, others: Sequence[Tensor]) -> Callable[[Tensor], Tensor]:
    """Leave of values (rows, tokens, width) what is `own`, bool (rows, width or 1); the rest is the others', each
    (tokens, width)."""
    return lambda values: torch.where(own[:, None], values, pad_sequence(others, batch_first=True))
