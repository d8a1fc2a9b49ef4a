"""A soft prompt after a text: a few learned input embeddings that a frozen language model reads behind it, and a linear
head on the final hidden state of the last of them.

The model's keys and values of a text do not depend on the prompt. So they are computed once, without gradient, and the
prompt reads them through the key-value cache. Every position is explicit: the prompt follows the real end of its text,
whatever padding its batch needs, so what else is in a batch never changes an output.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.batches import token_batches
from emoscope.storage.files import replacing

TOKENS_PER_BATCH = 4096  # padded tokens of one pass over texts: 0.2 GB of keys and values in SmolLM2


class SoftPrompt(NamedTuple):
    """Input embeddings (tokens, width), and the weight (outputs, width) and bias (outputs,) of a linear head."""

    tokens: Tensor
    weight: Tensor
    bias: Tensor


class States(NamedTuple):
    """What a prompt reads of some texts: for each block keys and values, (texts, key heads, longest, head width),
    padded on the right; `mask` (texts, longest) is 1 where there is a token."""

    blocks: list[tuple[Tensor, Tensor]]
    mask: Tensor


class Texts:
    """Texts as a frozen model's keys and values, kept where they fit into a budget, else computed when asked for."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        texts: Sequence[str],
        max_tokens: int,
        budget: float,
    ) -> None:
        """Cut texts to `max_tokens`; keep their states if all of them take at most `budget` bytes."""
        self.model = model
        encoded = tokenizer(list(texts))["input_ids"]
        if not all(encoded):
            raise UserError(f"text {encoded.index([])} has no token that the model knows; remove it")
        self.cut = sum(len(ids) > max_tokens for ids in encoded)
        self.ids = [torch.tensor(ids[:max_tokens], device=model.device) for ids in encoded]
        bytes_per_token = sum(part[0, :, 0].nbytes for block in self._compute([0])[0].blocks for part in block)
        fits = bytes_per_token * sum(map(len, self.ids)) <= budget
        self.kept, self._means = self._read(keep=True) if fits else (None, None)

    def __len__(self) -> int:
        return len(self.ids)

    def batches(self, rows: Sequence[int], tokens: int = TOKENS_PER_BATCH) -> list[np.ndarray]:
        """Positions in `rows` in batches of at most `tokens` padded tokens, longest texts first."""
        return token_batches([len(self.ids[row]) for row in rows], tokens)

    def states(self, rows: Sequence[int]) -> States:
        """The states of some texts, in the order of `rows`."""
        if self.kept is None:
            return self._compute(rows)[0]
        chosen = [self.kept[row] for row in rows]  # each (blocks, 2, key heads, tokens, head width)
        mask = self._mask(rows)
        blocks, two, heads, _, width = chosen[0].shape
        padded = chosen[0].new_zeros(blocks, two, len(rows), heads, mask.shape[1], width)
        for place, state in enumerate(chosen):
            padded[:, :, place, :, : state.shape[3]] = state
        return States([(keys, values) for keys, values in padded], mask)

    def means(self) -> Tensor:
        """The mean of each text's final hidden states, one a token, float32 (texts, width)."""
        if self._means is None:
            _, self._means = self._read(keep=False)
        return self._means

    @torch.no_grad()
    def _compute(self, rows: Sequence[int]) -> tuple[States, Tensor]:
        """The states of some texts and their means."""
        ids = nn.utils.rnn.pad_sequence([self.ids[row] for row in rows], batch_first=True)
        output = self.model.base_model(input_ids=ids, use_cache=True)  # causal: padding comes after
        mask = self._mask(rows)
        hidden = output.last_hidden_state.float() * mask[..., None]
        states = States([(layer.keys, layer.values) for layer in output.past_key_values.layers], mask)
        return states, hidden.sum(dim=1) / mask.sum(dim=1, keepdim=True)

    def _read(self, keep: bool) -> tuple[list[Tensor] | None, Tensor]:
        """The states of every text, if they are to be kept, and all means."""
        kept, means = ([torch.empty(0)] * len(self) for _ in range(2))
        with tqdm(total=len(self), desc="read texts", unit="text", mininterval=2) as progress:
            for rows in self.batches(range(len(self))):
                computed, found = self._compute(rows)
                states = torch.stack([torch.stack(block) for block in computed.blocks]) if keep else None
                for place, row in enumerate(rows):
                    means[row] = found[place]
                    if states is not None:
                        kept[row] = states[:, :, place, :, : len(self.ids[row])].clone()
                progress.update(len(rows))
        return (kept if keep else None), torch.stack(means)

    def _mask(self, rows: Sequence[int]) -> Tensor:
        lengths = torch.tensor([len(self.ids[row]) for row in rows], device=self.model.device)
        return (torch.arange(int(lengths.max()), device=lengths.device) < lengths[:, None]).long()


def read_prompt(model: PreTrainedModel, states: States, tokens: Tensor, explicit: bool = True) -> Tensor:
    """Final hidden state of the last prompt token, float32 (texts, width), for prompts (texts, tokens, width).

    Without `explicit` positions the model numbers the prompt from the padded length on, as the write-up's code did.
    """
    rows, count = tokens.shape[:2]
    length = states.mask.sum(dim=1, keepdim=True)
    output = model.base_model(
        inputs_embeds=tokens.to(model.dtype),
        attention_mask=torch.cat([states.mask, states.mask.new_ones(rows, count)], dim=1),
        position_ids=length + torch.arange(count, device=length.device) if explicit else None,
        past_key_values=DynamicCache(states.blocks),  # a new one each time: the model appends to what it is given
        use_cache=True,
    )
    return output.last_hidden_state[:, -1].float()


def logits_of(model: PreTrainedModel, states: States, prompt: SoftPrompt, explicit: bool = True) -> Tensor:
    """The head's outputs, (texts, outputs), of one prompt behind every text."""
    hidden = read_prompt(model, states, prompt.tokens.expand(len(states.mask), -1, -1), explicit)
    return nn.functional.linear(hidden, prompt.weight, prompt.bias)


def composite_logits(model: PreTrainedModel, states: States, prompts: Sequence[SoftPrompt]) -> list[Tensor]:
    """Ask every text for every task in one batch, through one head that joins those of all prompts.

    Row `text x prompts + prompt` of the batch carries that task's prompt; of the joined head's outputs it keeps those
    of its task. Returns, for each prompt, (texts, its outputs).
    """
    count, texts = len(prompts), len(states.mask)
    asked = States(
        [tuple(part.repeat_interleave(count, dim=0) for part in block) for block in states.blocks],
        states.mask.repeat_interleave(count, dim=0),
    )
    tokens = torch.stack([prompt.tokens for prompt in prompts]).repeat(texts, 1, 1)
    weight, bias = torch.cat([prompt.weight for prompt in prompts]), torch.cat([prompt.bias for prompt in prompts])
    outputs = nn.functional.linear(read_prompt(model, asked, tokens), weight, bias).unflatten(0, (texts, count))
    own = outputs.split([len(prompt.bias) for prompt in prompts], dim=-1)
    return [part[:, number] for number, part in enumerate(own)]


def new_prompt(model: PreTrainedModel, tokens: int, outputs: int) -> SoftPrompt:
    """A prompt that starts as random tokens of the vocabulary, with a freshly drawn head, all trainable."""
    vocabulary = model.get_input_embeddings().weight.detach()
    drawn = vocabulary[torch.randint(len(vocabulary), (tokens,)).to(vocabulary.device)].clone()
    head = nn.Linear(vocabulary.shape[1], outputs, device=vocabulary.device)
    return SoftPrompt(drawn.float().requires_grad_(), head.weight, head.bias)


def save_prompts(prompts: dict[str, SoftPrompt], path: Path) -> None:
    """Write prompts by name as safetensors."""
    parts = {f"{name}.{part}": tensor for name, prompt in prompts.items() for part, tensor in prompt._asdict().items()}
    with replacing(path) as temporary:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in parts.items()}, temporary)


def load_prompts(path: Path, device: torch.device) -> dict[str, SoftPrompt]:
    """Read what `save_prompts` wrote."""
    parts = load_file(path, device=str(device))
    names = dict.fromkeys(name.rpartition(".")[0] for name in parts)
    return {name: SoftPrompt(*(parts[f"{name}.{part}"] for part in SoftPrompt._fields)) for name in names}


def save_means(means: dict[str, Tensor], path: Path) -> None:
    """Write the means of the texts of tasks by name, as safetensors."""
    with replacing(path) as temporary:
        save_file({name: tensor.cpu().contiguous() for name, tensor in means.items()}, temporary)
