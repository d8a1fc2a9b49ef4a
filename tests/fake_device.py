"""A device that is not the CPU, for tests on machines that have no other.

What lies there is computed by the CPU, bit for bit, but refuses what a GPU's tensors refuse: numpy cannot read it, and
no operation takes it together with tensors that lie on the CPU, but for copies, single numbers (0-dim) and indices.

It goes by the name of `lazy`: a type of device that torch knows in every build and that has no kernels of its own until
they are asked for. So all that torch decides in C++ by the device of a tensor is decided as for a GPU, gradients among
it, and nothing has to be compiled. What it cannot show: what GPUs lack of dtypes, memory, and results in other bits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import safetensors
import torch
from torch.utils._pytree import tree_leaves, tree_map

ELSEWHERE = torch.device("lazy", 0)
FACTORIES = [  # all others come down to these
    *("empty.memory_format", "empty_strided", "arange", "arange.start", "arange.start_step", "eye", "eye.m"),
    *("linspace", "tril_indices", "triu_indices"),
]
COPIES = {"_to_copy", "copy_"}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}  # GPUs take indices from the CPU, too
NO_SCALARS = {"embedding", "cat", "stack", "index_select", "gather", "index_add", "index_add_"}
PRODUCTS = {"mm", "addmm", "bmm", "baddbmm", "mv", "dot"}  # GPUs have them for floats alone


class Elsewhere(torch.Tensor):
    """A tensor on the fake device, of what lies in a tensor on the CPU."""

    held: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> "Elsewhere":
        return torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=ELSEWHERE,
        )

    def __init__(self, held: torch.Tensor) -> None:
        self.held = held

    def tolist(self) -> Any:
        return self.cpu().tolist()  # torch's own is not for subclasses

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None) -> Any:
        return _run(operation, *args, **(kwargs or {}))


@contextmanager
def fake_device() -> Iterator[torch.device]:
    """The device, which torch has within this context."""
    library = torch.library.Library("aten", "IMPL")
    swaps = torch.__future__.get_swap_module_params_on_conversion()
    try:
        for name in FACTORIES:
            packet, _, overload = name.partition(".")
            operation = getattr(getattr(torch.ops.aten, packet), overload or "default")
            library.impl(name, partial(_run, operation), "Lazy")
        library.impl("_copy_from", _copy_from, "Lazy")  # what torch itself does within `torch.tensor`
        torch.__future__.set_swap_module_params_on_conversion(True)  # or moved modules would share no parameters
        yield ELSEWHERE
    finally:
        torch.__future__.set_swap_module_params_on_conversion(swaps)
        library._destroy()


class Opened:
    """`safetensors.safe_open`, which knows the devices of real machines alone."""

    def __init__(self, *args: object, device: str = "cpu", **options: object) -> None:
        self.file, self.device = safetensors.safe_open(*args, **options), device

    def __enter__(self) -> "Opened":
        self.file.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.file.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def get_tensor(self, name: str) -> torch.Tensor:
        return self.file.get_tensor(name).to(self.device)


def _run(operation, *args: Any, **kwargs: Any) -> Any:
    """Compute an operation on what the tensors hold, unless a GPU would refuse it; what comes out lies elsewhere if
    that is asked for, or else if anything of what goes in does."""
    if (found := operation.decompose(*args, **kwargs)) is not NotImplemented:
        return found
    inputs = tree_leaves((args, kwargs))
    asked = kwargs.get("device")
    far = any(isinstance(value, Elsewhere) for value in inputs) if asked is None else asked.type == ELSEWHERE.type
    _check(operation, args, kwargs, far)
    if asked is not None:
        kwargs["device"] = torch.device("cpu")
    found = operation(*tree_map(_held, args), **tree_map(_held, kwargs))
    if not far:
        return found
    known = {id(value.held): value for value in inputs if isinstance(value, Elsewhere)}
    return tree_map(lambda value: _wrapped(value, known), found)


def _copy_from(source: torch.Tensor, target: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
    _held(target).copy_(_held(source))
    return target


def _held(value: Any) -> Any:
    return value.held if isinstance(value, Elsewhere) else value


def _wrapped(value: Any, known: dict[int, Elsewhere]) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    if (found := known.get(id(value))) is None:
        return Elsewhere(value)
    if found.shape != value.shape or found.stride() != value.stride():
        raise NotImplementedError("the fake device cannot change the shape of a tensor in place")
    return found


def _check(operation, args: tuple, kwargs: dict, far: bool) -> None:
    """RuntimeError or NotImplementedError for what a GPU refuses."""
    name = operation.overloadpacket.__name__
    if name in COPIES:
        return
    drawn = [value for value in tree_leaves((args, kwargs)) if isinstance(value, torch.Generator)]
    if far and any(generator.device.type == "cpu" for generator in drawn):
        raise RuntimeError(f"{name}: expected a generator on {ELSEWHERE}, but found one on the CPU")
    indices = args[1] if name in INDEXING else ()
    others = (args[0], *args[2:]) if name in INDEXING else args
    tensors = [value for value in tree_leaves((others, kwargs)) if isinstance(value, torch.Tensor)]
    there = [value for value in tensors if isinstance(value, Elsewhere)]
    here = [value for value in tensors if not isinstance(value, Elsewhere) and (value.ndim or name in NO_SCALARS)]
    if here and (there or any(isinstance(value, Elsewhere) for value in indices)):
        raise RuntimeError(
            f"{name}: expected all tensors to be on the same device, but found at least two, cpu and {ELSEWHERE}"
        )
    if there and name in PRODUCTS and not there[0].is_floating_point():
        raise NotImplementedError(f"{name}: a GPU has no product of {there[0].dtype}")
