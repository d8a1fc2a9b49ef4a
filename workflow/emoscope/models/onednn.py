"""Matrix products in float32 on the CPU, by oneDNN where that is the faster.

torch leaves them to MKL, which on AMD processors with AVX-512 uses half of the vector width. oneDNN, a part of torch,
too, uses all of it: 2.2 times the products a second at GPT-2 small's sizes, 3 times in small batches. Without AVX-512,
and on Intel's own processors, it is MKL that is faster, up to twice with GPT-2's transposed weights
(benchmarks/README.md).
"""

import platform
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D


def use_onednn(model: PreTrainedModel) -> PreTrainedModel:
    """Let a model's projections use oneDNN, if it is the faster, wherever they get float32 on the CPU; weights, hooks
    and results stay.

    Results differ from MKL's in the last bits, as a sum's do when its terms change places.
    """
    if is_faster():
        for module in model.modules():
            if isinstance(module, nn.Linear | Conv1D):
                module.forward = partial(_project, module)
    return model


def is_faster() -> bool:
    """Whether oneDNN's products are faster than torch's own: by the kind of processor, so that a machine gives the same
    bits every time."""
    halved = torch.backends.cpu.get_cpu_capability() == "AVX512" and not _is_intel()  # the width that MKL uses
    return torch.backends.mkldnn.is_available() and (halved or not torch.backends.mkl.is_available())


def _is_intel() -> bool:
    told = Path("/proc/cpuinfo")
    return "GenuineIntel" in (told.read_text() if told.exists() else platform.processor())


def _project(module: nn.Linear | Conv1D, inputs: Tensor) -> Tensor:
    plain = inputs.device.type == "cpu" and inputs.dtype == module.weight.dtype == torch.float32
    if not plain or not inputs.numel() or torch.is_autocast_enabled("cpu"):
        return type(module).forward(module, inputs)
    weight = module.weight.T if isinstance(module, Conv1D) else module.weight
    return _Projection.apply(inputs, weight, module.bias)


class _Projection(torch.autograd.Function):
    """`inputs` (..., in) times `weight` (out, in), plus `bias` (out,)."""

    @staticmethod
    def forward(ctx, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        return _product(inputs, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        rows = gradient.flatten(0, -2)
        return (
            _product(gradient, weight.T) if wanted[0] else None,
            _product(rows.T, inputs.flatten(0, -2).T) if wanted[1] else None,
            rows.sum(dim=0) if wanted[2] else None,
        )


def _product(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")
