"""A device that is not the CPU, for tests on machines that have no other.

What lies there is computed by the CPU, bit for bit, but refuses what a GPU's tensors refuse: numpy cannot read it, and
no operation takes it together with tensors that lie on the CPU, but for copies, single numbers (0-dim) and indices.

It goes by the name of `lazy`: a type of device that torch knows in every build and that has no kernels of its own until
they are asked for. So all that torch decides in C++ by the device of a tensor is decided as for a GPU, gradients among
it, and nothing has to be compiled. What it cannot show: what GPUs lack of dtypes, memory, and results in other bits.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import safetensors
import torch
from torch import Tensor

ELSEWHERE = torch.device("lazy", 0)
FACTORIES = [  # all others come down to these
    *("empty.memory_format", "empty_strided", "arange", "arange.start", "arange.start_step", "eye", "eye.m"),
    *("linspace", "tril_indices", "triu_indices"),
]
COPIES = {"_to_copy", "copy_"}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}  # GPUs take indices from the CPU, too
NO_SCALARS = {"embedding", "cat", "stack", "index_select", "gather", "index_add", "index_add_"}
PRODUCTS = {"mm", "addmm", "bmm", "baddbmm", "mv", "dot"}  # GPUs have them for floats alone


class Elsewhere(Tensor):
    """A tensor on the fake device, of what lies in a tensor on the CPU."""

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: Tensor) -> "Elsewhere":
        return Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=ELSEWHERE,
        )

    def __init__(self, held: Tensor) -> None:
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

    def get_tensor(self, name: str) -> Tensor:
        return self.file.get_tensor(name).to(self.device)

    def get_tensors(self) -> dict[str, Tensor]:
        return {name: self.get_tensor(name) for name in self.keys()}


def _run(operation, *args: Any, **kwargs: Any) -> Any:
    """Compute an operation on what the tensors hold, unless a GPU would refuse it; what comes out lies elsewhere if
    that is asked for, or else if anything of what goes in does."""
    if _is_composed(operation):
        return operation.decompose(*args, **kwargs)
    inputs = [*_leaves(args), *_leaves(kwargs.values())]
    there = [value for value in inputs if isinstance(value, Elsewhere)]
    asked = kwargs.get("device")
    far = bool(there) if asked is None else asked.type == ELSEWHERE.type
    _check(operation.overloadpacket.__name__, args, inputs, there, far)
    if asked is not None:
        kwargs["device"] = torch.device("cpu")
    found = operation(*_held(args), **{name: _held(value) for name, value in kwargs.items()})
    if not far:
        return found
    known = {id(value.held): value for value in there}
    if not operation.is_view or not there:
        return _wrapped(found, known)
    with torch.inference_mode(all(value.is_inference() for value in there)):  # what is looked at may get gradients
        return _wrapped(found, known)


@cache
def _is_composed(operation) -> bool:
    return torch._C._dispatch_has_kernel_for_dispatch_key(operation.name(), "CompositeImplicitAutograd")


def _copy_from(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    _held(target).copy_(_held(source))
    return target


def _leaves(values: Iterable) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _leaves(value)
        else:
            yield value


def _held(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_held, value))
    return value.held if isinstance(value, Elsewhere) else value


def _wrapped(value: Any, known: dict[int, Elsewhere]) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_wrapped(one, known) for one in value)
    if not isinstance(value, Tensor):
        return value
    if (found := known.get(id(value))) is None:
        return Elsewhere(value)
    if found.shape != value.shape or found.stride() != value.stride():
        raise NotImplementedError("the fake device cannot change the shape of a tensor in place")
    return found


def _check(name: str, args: tuple, inputs: list, there: list[Elsewhere], far: bool) -> None:
    """RuntimeError or NotImplementedError for what a GPU refuses."""
    if name in COPIES:
        return
    if there and name in PRODUCTS and not there[0].is_floating_point():
        raise NotImplementedError(f"{name}: a GPU has no product of {there[0].dtype}")
    if far and any(isinstance(value, torch.Generator) and value.device.type == "cpu" for value in inputs):
        raise RuntimeError(f"{name}: expected a generator on {ELSEWHERE}, but found one on the CPU")
    allowed = [id(value) for value in args[1]] if name in INDEXING else []
    here = [value for value in inputs if isinstance(value, Tensor) and not isinstance(value, Elsewhere)]
    if there and any((value.ndim or name in NO_SCALARS) and id(value) not in allowed for value in here):
        raise RuntimeError(
            f"{name}: expected all tensors to be on the same device, but found at least two, cpu and {ELSEWHERE}"
        )
