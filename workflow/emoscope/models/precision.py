"""Which number format to train in."""

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NARROWEST_FOR_BF16 = 256  # below, casting costs more than the faster products give: 0.5x at width 96, measured
IN_FLOAT32 = "sdpa_float32"  # transformers' name for `_attended`


def use_bf16(precision: str, width: int) -> bool:
    """Whether to train in bf16; `auto` asks the hardware and the model's width."""
    if precision != "auto":
        return precision == "bf16"
    return hardware_has_bf16() and (torch.cuda.is_available() or width >= NARROWEST_FOR_BF16)


def hardware_has_bf16() -> bool:
    """Whether bf16 is multiplied natively by what models are computed on, the GPU if there is one."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def attending_in_float32(model: PreTrainedModel) -> PreTrainedModel:
    """Let a model that trains in bf16 on the CPU attend in float32, if it does so by torch's fused kernel.

    On the way back that kernel takes seven to fourteen times as long in bf16 for texts of 22 tokens, five for 128.
    """
    if model.config._attn_implementation == "sdpa":
        AttentionInterface.register(IN_FLOAT32, _attended)
        AttentionMaskInterface.register(IN_FLOAT32, sdpa_mask)
        model.set_attn_implementation(IN_FLOAT32)
    return model


def _attended(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **options
) -> tuple[Tensor, None]:
    """transformers' attention by the fused kernel, of queries, keys and values (rows, heads, tokens, head width)."""
    with torch.autocast(query.device.type, enabled=False):
        wide = (part.float() for part in (query, key, value))
        mask = mask.float() if mask is not None and mask.is_floating_point() else mask
        output, weights = sdpa_attention_forward(module, *wide, mask, **options)
    return output.to(query.dtype), weights
