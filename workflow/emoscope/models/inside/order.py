"""In which order the halves of a block read the residual stream."""

from weakref import WeakKeyDictionary

import torch
from transformers import PreTrainedModel

from emoscope.models.interventions import changing_output, recording
from emoscope.models.parts import attention_of, blocks_of, feed_forward_of

_SIDE_BY_SIDE: WeakKeyDictionary[PreTrainedModel, bool] = WeakKeyDictionary()  # what was measured, by model


def reads_beside_attention(model: PreTrainedModel) -> bool:
    """Whether a block's feed-forward reads what its attention does, not what that made of it (GPT-NeoX, Phi).

    Measured, as no name of a part tells: whatever attention adds, in no block does the feed-forward get anything else.
    No hooks may be on the model when it is asked first.
    """
    if model not in _SIDE_BY_SIDE:
        _SIDE_BY_SIDE[model] = not any(_follows_attention(model, block) for block in range(len(blocks_of(model))))
    return _SIDE_BY_SIDE[model]


@torch.inference_mode()
def _follows_attention(model: PreTrainedModel, block: int) -> bool:
    """Whether a feed-forward gets something else when attention adds its block's input backwards: that is as large as
    what it is added to, and no constant, which a norm would take out again."""
    word = torch.full((1, 1), int(model.config.pad_token_id == 0), device=model.device)  # any that is not padding
    with recording(blocks_of(model)[block]) as stream, recording(feed_forward_of(model, block)) as fed:
        model(word)
        as_it_was = fed["input"].clone()
        with changing_output(attention_of(model, block), lambda _: stream["input"].flip(-1)):
            model(word)
    return not torch.equal(fed["input"], as_it_was)
