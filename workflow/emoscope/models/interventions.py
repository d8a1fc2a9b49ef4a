"""Changing what a module receives or returns while the model runs, by plain PyTorch hooks.

Every intervention counts how often it fired and fails loudly if that is never: a hook on the wrong module would
otherwise report "no effect".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from emoscope.models.parts import after_attention, blocks_of, family_of, head_slice, pooled_tokens, projection_of

Change = Callable[[Tensor], Tensor]


@contextmanager
def changing_input(module: nn.Module, change: Change) -> Iterator[None]:
    """Apply `change` to the first input of `module` each time it runs; RuntimeError if it was never called."""
    with _fired() as fire:
        handle = module.register_forward_pre_hook(lambda _, inputs: (fire(change, inputs[0]), *inputs[1:]))
        with _removed_after(handle):
            yield


@contextmanager
def changing_output(module: nn.Module, change: Change) -> Iterator[None]:
    """Apply `change` to the output of `module` each time it runs; RuntimeError if it was never called.

    Of several outputs it is the first.
    """

    def hook(_, __, output: Tensor | tuple) -> Tensor | tuple:
        return (fire(change, output[0]), *output[1:]) if isinstance(output, tuple) else fire(change, output)

    with _fired() as fire:
        handle = module.register_forward_hook(hook)
        with _removed_after(handle):
            yield


@contextmanager
def recording(module: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Collect the last `input` and `output` of a module; RuntimeError if it was never called."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Change:
        def change(value: Tensor) -> Tensor:
            seen[name] = value
            return value

        return change

    with changing_input(module, keep("input")), changing_output(module, keep("output")):
        yield seen


@contextmanager
def silenced_bias(model: PreTrainedModel, block: int) -> Iterator[None]:
    """Zero ablation of the bias alone of a block's attention output projection: what the authors' code did."""
    bias = projection_of(model, block).bias
    with changing_output(projection_of(model, block), lambda output: output - bias):
        yield


@contextmanager
def fixed_output(module: nn.Module, value: Tensor) -> Iterator[None]:
    """Replace a module's output (batch, tokens, width) by a tensor that expands to it: one vector, or one per token."""
    with changing_output(module, lambda output: value.expand_as(output)):
        yield


@contextmanager
def fixed_head(model: PreTrainedModel, block: int, head: int, value: Tensor | float) -> Iterator[None]:
    """Replace one head's output (batch, tokens, head width) by a tensor that expands to it, or by a number."""
    where = head_slice(model, head)

    def change(heads: Tensor) -> Tensor:
        heads = heads.clone()
        heads[..., where] = value
        return heads

    with changing_input(projection_of(model, block), change):
        yield


@contextmanager
def resumed_at(model: PreTrainedModel, block: int, residual: Tensor) -> Iterator[None]:
    """Run the model from a block on: earlier blocks pass on what they get, `block` gets the saved `residual`.

    `residual` is the block's own input (batch, tokens, width) from a whole run on the same batch; results are
    bit-identical to running every block, and the earlier blocks' work is saved. `block` may be the number of blocks:
    then `residual` is the output of the last one.
    """
    blocks = blocks_of(model)
    with skipping(model, blocks[:block]), changing_input(blocks[0], lambda _: residual):
        yield


def read_out(model: PreTrainedModel, residual: Tensor) -> Tensor:
    """Logits that the model makes of a last residual: those of a classifier (..., classes) if these (..., width) are
    the pooled token's, those of a language model (..., vocabulary) of any token.

    The model itself runs on as many texts of one token, all blocks skipped: so whatever stands between the last block
    and the logits is in them.
    """
    rows = residual.reshape(-1, 1, residual.shape[-1])
    word = int(model.config.pad_token_id == 0)  # any token that is not padding
    ids = torch.full(rows.shape[:2], word, device=rows.device)
    with resumed_at(model, len(blocks_of(model)), rows):
        logits = model(input_ids=ids).logits
    return logits.reshape(*residual.shape[:-1], -1)


@contextmanager
def computed_at(module: nn.Module, places: Tensor) -> Iterator[None]:
    """Run a module at one token of each text, `places` (rows,), and let it return zero at all others.

    For what works on each token alone and of whose output nothing else is read, such as the last block's MLP.
    """
    forward, rows = module.forward, torch.arange(len(places), device=places.device)

    def at_places(values: Tensor) -> Tensor:
        chosen = forward(values[rows, places])
        output = chosen.new_zeros(*values.shape[:-1], chosen.shape[-1])
        output[rows, places] = chosen
        return output

    with _running(module, at_places):
        yield


@contextmanager
def computed_where_read(model: PreTrainedModel, input_ids: Tensor) -> Iterator[None]:
    """Run what follows the attention of the last block only at the tokens that the classification head reads.

    Its queries, keys and values stay whole, and so does its residual stream at all tokens.
    """
    places = pooled_tokens(model, input_ids)
    with ExitStack() as stack:
        for module in after_attention(model, len(blocks_of(model)) - 1):
            stack.enter_context(computed_at(module, places))
        yield


Calls = Mapping[nn.Module, list[tuple[Tensor, Tensor]]]  # what modules got and gave, call by call


@contextmanager
def noted(modules: Iterable[nn.Module]) -> Iterator[Calls]:
    """Collect what modules get and give, before any hook changes it; copies, for models may change theirs in place."""
    calls: Calls = {module: [] for module in modules}

    def noting(module: nn.Module, forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        def run(values: Tensor) -> Tensor:
            gave = forward(values)
            calls[module].append((values.clone(), gave.clone()))
            return gave

        return run

    with ExitStack() as stack:
        for module in calls:
            stack.enter_context(_running(module, noting(module, module.forward)))
        yield calls


@contextmanager
def answered(calls: Calls) -> Iterator[None]:
    """Let modules that get what they got once, number for number, give what they gave then, without running.

    So results are those of a run without it, bit for bit, whatever a model is made of.
    """

    def answering(known: list[tuple[Tensor, Tensor]], forward: Callable[[Tensor], Tensor]):
        def run(values: Tensor) -> Tensor:
            for got, gave in known:
                if torch.equal(got, values):
                    return gave.clone()
            return forward(values)

        return run

    with ExitStack() as stack:
        for module, known in calls.items():
            stack.enter_context(_running(module, answering(known, module.forward)))
        yield


@contextmanager
def idle(module: nn.Module, width: int) -> Iterator[None]:
    """Let a module return zeros (..., width) without running: for what is computed and not read."""
    with _running(module, lambda values: values.new_zeros(*values.shape[:-1], width)):
        yield


@contextmanager
def skipping(model: PreTrainedModel, blocks: Iterable[nn.Module]) -> Iterator[None]:
    """Turn blocks of a model into the identity: they return their input. Hooks on them still fire."""
    pass_on = _pass_on_among_others if family_of(model).returns_tuple else _pass_on
    with ExitStack() as stack:
        for module in blocks:
            stack.enter_context(_running(module, pass_on))
        yield


def _pass_on(hidden_states: Tensor, *_, **__) -> Tensor:
    return hidden_states


def _pass_on_among_others(hidden_states: Tensor, *_, **__) -> tuple[Tensor, None]:
    return hidden_states, None


@contextmanager
def _running(module: nn.Module, forward: Callable) -> Iterator[None]:
    """Let a module run another `forward`; hooks on it still fire."""
    own = vars(module).get("forward")  # oneDNN's, for one
    module.forward = forward
    try:
        yield
    finally:
        if own is None:
            del module.forward
        else:
            module.forward = own


@contextmanager
def _fired() -> Iterator[Callable[[Change, Tensor], Tensor]]:
    calls = 0

    def fire(change: Change, value: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return change(value)

    yield fire
    if not calls:
        raise RuntimeError("the intervention never fired: the model did not call the hooked module")


@contextmanager
def _removed_after(handle: torch.utils.hooks.RemovableHandle) -> Iterator[None]:
    try:
        yield
    finally:
        handle.remove()
