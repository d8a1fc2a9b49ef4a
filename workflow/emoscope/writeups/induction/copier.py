"""A small GPT-2 that learns nothing but to copy repeated tokens: an induction circuit that is sure to be there."""

import random
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from tqdm import tqdm
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from emoscope.errors import UserError
from emoscope.models.loading import device
from emoscope.models.scratch import small_gpt2
from emoscope.storage.files import replacing, write_json
from emoscope.storage.integrity import seal
from emoscope.writeups.induction.repeats import hits, log_probabilities, repeated_tokens

FIRST = 0  # the token every sequence starts with
SHORTEST = 4  # copies of many lengths: with a single one, a head could count positions instead of looking for tokens
WORKS = 0.9  # accuracy on the second half below which the copier would prove nothing


def train_copier(config: dict, output: Path) -> None:
    """Train on random tokens that repeat to the end of the context; write a plain model folder and its `history.json`.

    UserError if the copying was not learned.
    """
    torch.manual_seed(config["seed"])
    model = GPT2LMHeadModel(settings(config)).to(device())
    steps = config["steps"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["learning_rate"], betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config["learning_rate"], total_steps=steps)
    rng, history = random.Random(config["seed"]), []
    for step in tqdm(range(steps), desc="train copier", unit="step", mininterval=2):
        window = window_at(step / steps, config["context"])
        length = rng.randint(SHORTEST, 2 * window // 3)
        seed = config["seed"] + 1 + step
        tokens = repeated_tokens(config["vocabulary"], FIRST, length, config["batch_size"], seed).to(device())
        copies = [tokens[:, 1 : length + 1]] * (window // length + 1)
        tokens = torch.cat([tokens[:, :1], *copies], dim=1)[:, :window]
        logits = model(tokens, use_cache=False).logits
        loss = -log_probabilities(logits, tokens)[:, length + 1 :].mean()  # what cannot be known is not asked for
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        history.append({"step": step + 1, "length": length, "loss": loss.item()})
    accuracy = copying_accuracy(model.eval(), config)
    if accuracy < WORKS:
        raise UserError(
            f"the copier copies only {accuracy:.0%} of the repeated tokens, less than {WORKS:.0%}; give it more `steps`"
        )
    with replacing(output) as folder:
        model.save_pretrained(folder)
        word_tokenizer(config["vocabulary"], config["context"]).save_pretrained(folder)
        write_json(history, folder / "history.json")
        seal(folder)


def window_at(progress: float, context: int) -> int:
    """Tokens in a sequence at this share of the training; after a third they have grown to fill the context.

    In short windows the circuit forms in a few hundred steps; in long ones from the start it takes many times more.
    """
    return min(context, max(25, int(3 * context * progress)))


def settings(config: dict) -> GPT2Config:
    """GPT-2's architecture at the configured size; the output layer has weights of its own."""
    ends = {"bos_token_id": FIRST, "eos_token_id": FIRST}
    return small_gpt2(config, config["vocabulary"], n_inner=config["width"], tie_word_embeddings=False, **ends)


def word_tokenizer(vocabulary: int, context: int) -> PreTrainedTokenizerFast:
    """A tokenizer whose words are t1, t2, ...; the copier needs none, but a model folder without one is not usable."""
    words = {"<|bos|>": FIRST} | {f"t{number}": number for number in range(1, vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<|bos|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = {"bos_token": "<|bos|>", "eos_token": "<|bos|>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **ends, model_max_length=context)


@torch.inference_mode()
def copying_accuracy(model: GPT2LMHeadModel, config: dict) -> float:
    """Share of the second halves' tokens, on fresh sequences of full length, that are predicted; but the first."""
    length = (config["context"] - 1) // 2
    tokens = repeated_tokens(config["vocabulary"], FIRST, length, 64, config["seed"]).to(model.device)
    return hits(model(tokens, use_cache=False).logits, tokens)[:, length + 1 :].float().mean().item()
