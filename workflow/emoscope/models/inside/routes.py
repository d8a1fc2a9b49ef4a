"""Two routes to one quantity that must agree, if a model is what its description says: what `exactness` compares.

Each gives pairs of tensors of one shape, on one text in float32: of each block, or of the answer.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.activations import Activations, activations_of
from emoscope.models.inside.padding import Routes
from emoscope.models.inside.visibility import MOST_QUERIES, MOST_TOKENS, additive, answers_seeing, visible_tokens
from emoscope.models.interventions import changing_output, computed_where_read, recording, resumed_at
from emoscope.models.parts import (
    blocks_of,
    head_weights,
    heads_of,
    pooled_token,
    projection_of,
    readers_of,
    residual_norms_of,
    split_readers,
)


@dataclass(frozen=True)
class Text:
    """One text: token ids (1, tokens), the place that the classification head reads, and what the model computes."""

    inputs: dict[str, Tensor]
    place: int
    run: Activations


def read_text(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str) -> Text:
    """One text, cut at the model's context, and a run of the model on it."""
    inputs = dict(tokenizer(text, truncation=True, return_tensors="pt").to(model.device))
    return Text(inputs, pooled_token(model, inputs["input_ids"]), activations_of(model, inputs))


def pooled(model: PreTrainedModel, text: Text) -> Routes:
    """The answer if the last block computed something at one token alone, and what the model says."""

    def alone(output: Tensor) -> Tensor:
        kept = torch.zeros_like(output)
        kept[:, text.place] = output[:, text.place]
        return kept

    with changing_output(blocks_of(model)[-1], alone):
        yield model(**text.inputs).logits[0], text.run.logits
    with computed_where_read(model, text.inputs["input_ids"]):
        yield model(**text.inputs).logits[0], text.run.logits


def halves(model: PreTrainedModel, text: Text) -> Routes:
    """What each block's halves make of its input, and its output."""
    run = text.run
    for block, seen in enumerate(_recorded(model, text, blocks_of(model))):
        before, after = residual_norms_of(model, block) or (nn.Identity(), nn.Identity())
        yield after(before(run.residual[block] + run.attention[block]) + run.feed_forward[block]), seen["output"][0]


def heads(model: PreTrainedModel, text: Text) -> Routes:
    """What the heads write, added up, and the output of the projection."""
    projections = [projection_of(model, block) for block in range(len(blocks_of(model)))]
    for block, seen in enumerate(_recorded(model, text, projections)):
        weights, bias = head_weights(model, block), projections[block].bias
        by_head = text.run.heads[block].unflatten(-1, weights.shape[:2])
        written = torch.einsum("thi,hio->to", by_head, weights)
        yield written if bias is None else written + bias, seen["output"][0]


def _recorded(model: PreTrainedModel, text: Text, modules: Iterable[nn.Module]) -> list[dict[str, Tensor]]:
    """The `input` and `output` of some modules while the model reads the text."""
    with ExitStack() as stack:
        seen = [stack.enter_context(recording(module)) for module in modules]
        model(**text.inputs)
    return seen


def resumed(model: PreTrainedModel, text: Text) -> Routes:
    """The answer of a run that starts at each block, or behind the last, and of a whole one."""
    for block, residual in enumerate(text.run.residual):
        with resumed_at(model, block, residual[None]):
            yield model(**text.inputs).logits[0], text.run.logits


def weights(eager: PreTrainedModel, text: Text) -> Routes:
    """The answer of the model that records its attention weights, and the sums of each token's weights."""
    answer = eager(**text.inputs, output_attentions=True)
    yield answer.logits[0], text.run.logits
    for weights in answer.attentions:
        yield weights.sum(dim=-1), torch.ones_like(weights[..., 0])


def values(eager: PreTrainedModel, text: Text) -> Routes:
    """Recorded attention weights, multiplied with the values, and what the heads put out.

    A bias of the values that the readers do not have adds a constant to every token, since a token's weights sum to 1:
    so outputs are compared with that of the first token.
    """
    numbers = range(len(blocks_of(eager)))
    with ExitStack() as stack:
        readers = [[stack.enter_context(recording(one)) for one in readers_of(eager, number)] for number in numbers]
        outputs = [stack.enter_context(recording(projection_of(eager, number))) for number in numbers]
        attentions = eager(**text.inputs, output_attentions=True).attentions
    for block, weights in enumerate(attentions):
        _, _, values = split_readers(eager, [seen["output"][0] for seen in readers[block]])
        heads = outputs[block]["input"][0].unflatten(-1, (heads_of(eager), -1)).transpose(0, 1)
        values = values.unflatten(-1, (-1, heads.shape[-1])).transpose(0, 1)
        values = values.repeat_interleave(len(heads) // len(values), dim=0)
        found = weights[0] @ values
        yield found + (heads - found)[:, :1], heads


def blocking(eager: PreTrainedModel, text: Text) -> tuple[Tensor, Tensor]:
    """The answer to a text of at most MOST_TOKENS with a mask that hides nothing, and without a mask."""
    tokens = text.inputs["input_ids"][:, :MOST_TOKENS]
    everything = visible_tokens(eager, tokens.shape[1])[None]
    return answers_seeing(eager, tokens, everything), eager(tokens).logits


def beside(model: PreTrainedModel, tokens: Tensor) -> Tensor:
    """Predictions (1, vocabulary) of the last token, asked once more behind many others beside the text that is kept in
    the cache."""
    count, last = tokens.shape[1], tokens.shape[1] - 1
    seen = torch.cat([torch.arange(count) < last, torch.zeros(MOST_QUERIES, dtype=torch.bool)]).tile(MOST_QUERIES, 1)
    seen[:, count:] = torch.eye(MOST_QUERIES, dtype=torch.bool)  # its own key is not the one in the cache
    kept = model(tokens, use_cache=True).past_key_values
    again = tokens[:, -1:].expand(1, MOST_QUERIES)
    options = {"position_ids": torch.full_like(again, last), "past_key_values": kept}
    return model(again, attention_mask=additive(seen.to(tokens.device))[None, None], **options).logits[0, -1:]
