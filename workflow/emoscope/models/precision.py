"""Which number format to train in."""

import torch

NARROWEST_FOR_BF16 = 256  # below, casting costs more than the faster products give: 0.5x at width 96, measured


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
