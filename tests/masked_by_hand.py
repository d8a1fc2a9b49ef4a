"""What masks put in place, worked out by hand: text by text, so that there is no padding, and position by position."""

from functools import cache

import torch
from torch import Tensor

from emoscope.experiments.masking.reference import Reference, mean_outputs
from emoscope.models.batches import padded_batches
from emoscope.models.interventions import recording
from emoscope.models.parts import family_of, feed_forward_of, projection_of

OTHERS = [  # reference texts: not those that are judged
    "the dog was afraid of the dark",
    "happy",
    "he said that i love the long weekend and that she was angry at the end of the street",
    "what a little house",
    "she loves my dog",
    "so happy",
]


def reference_of(model, tokenizer, seed: int = 1) -> Reference:
    return Reference(OTHERS, mean_outputs(model, tokenizer, OTHERS, 10_000), seed)


@cache
def inputs_of(tokenizer, text: str) -> dict[str, Tensor]:
    [(_, inputs)] = padded_batches(tokenizer, [text], 1000, torch.device("cpu"))
    return inputs


@cache
def outputs_alone(model, tokenizer, text: str, block: int) -> dict[str, Tensor]:
    """What passes each site of a block in one text, (tokens, width)."""
    attention, mlp = projection_of(model, block), feed_forward_of(model, block)
    with recording(attention) as seen, recording(mlp) as written, torch.inference_mode():
        model(**inputs_of(tokenizer, text))
    return {"heads": seen["input"][0], "attention": seen["output"][0], "mlp": written["output"][0]}


def kinds_by_hand(model, tokens: int) -> list[str]:
    if family_of(model).pools_first:
        return ["pooled"] + ["other"] * (tokens - 1)
    return ["first"] * (tokens > 1) + ["other"] * (tokens - 2) + ["pooled"]


def means_by_hand(model, tokenizer, texts: list[str], block: int, site: str) -> dict[str, Tensor]:
    """The mean output of each kind of position."""
    found: dict[str, list[Tensor]] = {}
    for text in texts:
        values = outputs_alone(model, tokenizer, text, block)[site]
        for kind, value in zip(kinds_by_hand(model, len(values)), values, strict=True):
            found.setdefault(kind, []).append(value)
    return {kind: torch.stack(values).mean(dim=0) for kind, values in found.items()}


def at_mean(model, tokenizer, text: str, means: dict[str, Tensor]) -> Tensor:
    """For every token of a text the mean of its kind, (1, tokens, width)."""
    tokens = inputs_of(tokenizer, text)["input_ids"].shape[1]
    return torch.stack([means[kind] for kind in kinds_by_hand(model, tokens)])[None]


def resampled(model, tokenizer, text: str, other: str, block: int, site: str) -> Tensor:
    """For every token of a text what another one puts out at the corresponding place, (1, tokens, width)."""
    values = outputs_alone(model, tokenizer, other, block)[site]
    kinds = kinds_by_hand(model, len(values))
    like = {kind: [place for place, one in enumerate(kinds) if one == kind] for kind in ("first", "pooled", "other")}
    tokens = inputs_of(tokenizer, text)["input_ids"].shape[1]
    places = []
    for place, kind in enumerate(kinds_by_hand(model, tokens)):
        if kind == "other" and like["other"]:
            places.append(place if place in like["other"] else like["other"][(place - 1) % len(like["other"])])
        else:
            places.append((like[kind] or like["pooled"])[0])
    return values[places][None]
