"""Attribution patching: what patching every head and feed-forward would do, estimated by gradients in one pass.

Patching a part puts its output in one text into the run on another, one run for each part. Its effect on a margin is
estimated by the change of the part's output, times the margin's gradient there (Nanda, "Attribution patching", 2023).
Where the model saturates, a gradient says little of a large change: then gradients are averaged on the way from one
text's embeddings to the other's (integrated gradients; Hanna, Pezzelle and Belinkov 2024, arXiv:2403.17806).
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from emoscope.models.activations import Activations
from emoscope.models.interventions import changing_input, changing_output, resumed_at
from emoscope.models.parts import attention_of, blocks_of, feed_forward_of, heads_of, projection_of

SITES = ("heads", "attention", "feed_forward")  # names of Activations


def estimated_effects(
    model: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    recipient: Activations,
    donor: Activations,
    margin: tuple[int, int],
    steps: int = 0,
) -> dict[str, np.ndarray]:
    """By how many logits the recipient's margin would grow if one part's output were the donor's, for every part:
    `head` (blocks, heads), `attention` and `feed_forward` (blocks,).

    `inputs` (1, tokens) are the recipient's; both texts have as many tokens. `margin` names two classes, the logit of
    the first minus that of the second. Without `steps`, the gradient is taken in the recipient's own run; else it is
    averaged over the middles of so many equal steps from the recipient's embeddings to the donor's.
    """
    on_the_way = embeddings_between(recipient, donor, steps)
    gradients = _gradients(model, inputs, on_the_way, recipient, margin)
    by_place = {site: (getattr(donor, site) - getattr(recipient, site)) * gradients[site] for site in SITES}
    heads = by_place["heads"].unflatten(-1, (heads_of(model), -1)).sum(dim=(1, 3))
    summed = {"head": heads} | {site: by_place[site].sum(dim=(1, 2)) for site in ("attention", "feed_forward")}
    return {site: values.cpu().numpy() for site, values in summed.items()}


def embeddings_between(recipient: Activations, donor: Activations, steps: int) -> Tensor:
    """The middles of so many equal steps from the recipient's embeddings to the donor's, (steps, tokens, width);
    without steps, the recipient's alone. ValueError for texts of different length."""
    if recipient.residual.shape != donor.residual.shape:
        raise ValueError(f"need texts of one length, got {recipient.residual.shape[1]} and {donor.residual.shape[1]}")
    shares = (np.arange(steps) + 0.5) / steps if steps else [0.0]
    start, goal = recipient.residual[0], donor.residual[0]
    return torch.stack([start + float(share) * (goal - start) for share in shares])


def margins_of(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], embedded: Tensor, margin: tuple[int, int]
) -> Tensor:
    """The margins (runs,) of a model that is resumed at these embeddings of one text, (runs, tokens, width)."""
    rows = {name: values.to(embedded.device).expand(len(embedded), -1) for name, values in inputs.items()}
    logits, (rise, fall) = model(**rows).logits, margin
    return logits[:, rise] - logits[:, fall]


def _gradients(
    model: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    embedded: Tensor,
    recipient: Activations,
    margin: tuple[int, int],
) -> dict[str, Tensor]:
    """The margin's gradient by what each site puts out, (blocks, tokens, width), averaged over runs that start from
    these embeddings (runs, tokens, width)."""
    shifts = {site: _nothing(len(embedded), getattr(recipient, site)) for site in SITES}
    with torch.enable_grad(), ExitStack() as stack:
        stack.enter_context(resumed_at(model, 0, embedded))
        for block in range(len(blocks_of(model))):
            heads, attention, feed_forward = (_shifted_by(shifts[site][block]) for site in SITES)
            stack.enter_context(changing_input(projection_of(model, block), heads))
            stack.enter_context(changing_output(attention_of(model, block), attention))
            stack.enter_context(changing_output(feed_forward_of(model, block), feed_forward))
        margins = margins_of(model, inputs, embedded, margin)
        found = iter(torch.autograd.grad(margins.sum(), [shift for site in SITES for shift in shifts[site]]))
    return {site: torch.stack([next(found).mean(dim=0) for _ in shifts[site]]) for site in SITES}


def _nothing(runs: int, site: Tensor) -> list[Tensor]:
    """What may be added to a site in so many runs, zeros (runs, tokens, width) for each block, to take gradients by."""
    return [torch.zeros(runs, *block.shape, device=site.device, dtype=site.dtype).requires_grad_() for block in site]


def _shifted_by(shift: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda values: values + shift
