"""A small GPT-2 that learns nothing but to copy repeated tokens: an induction circuit that is sure to be there."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.nn import functional
from tqdm import tqdm
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from emoscope.errors import UserError
from emoscope.files import replacing, write_json
from emoscope.models import device
from emoscope.repeats import hits, log_probabilities, repeated_tokens

FIRST = 0  # the token every sequence starts with
SHORTEST = 4  # halves of many lengths: with a single one, a head could count positions instead of looking for the token
WORKS = 0.9  # accuracy on the second half below which the control would prove nothing


def train_copier(config: dict, output: Path) -> None:
    """Train on the second halves of repeated random tokens and write a plain model folder; `history.json` beside it.

    UserError if the copying was not learned.
    """
    torch.manual_seed(config["seed"])
    model = GPT2LMHeadModel(settings(config)).to(device())
    longest, steps = (config["context"] - 1) // 2, config["steps"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["learning_rate"], betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config["learning_rate"], total_steps=steps)
    lengths = torch.randint(SHORTEST, longest + 1, (steps,)).tolist()
    history = []
    for step, length in enumerate(tqdm(lengths, desc="train copier", unit="step", mininterval=2)):
        seed = config["seed"] + 1 + step
        tokens = repeated_tokens(config["vocabulary"], FIRST, length, config["batch_size"], seed).to(device())
        logits = model(tokens, use_cache=False).logits
        loss = -log_probabilities(logits, tokens)[:, length:].mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        history.append({"step": step + 1, "length": length, "loss": loss.item()})
    accuracy = copying_accuracy(model.eval(), config)
    if accuracy < WORKS:
        raise UserError(
            f"the copier copies only {accuracy:.0%} of the repeated tokens, {WORKS:.0%} are needed for a control; give it "
            "more `steps`"
        )
    with replacing(output) as folder:
        model.save_pretrained(folder)
        word_tokenizer(config["vocabulary"], config["context"]).save_pretrained(folder)
        write_json(history, folder / "history.json")


def settings(config: dict) -> GPT2Config:
    """GPT-2's architecture at the configured size; the output layer has weights of its own."""
    return GPT2Config(
        vocab_size=config["vocabulary"],
        n_positions=config["context"],
        n_embd=config["width"],
        n_layer=config["blocks"],
        n_head=config["heads"],
        initializer_range=0.5 / config["width"] ** 0.5,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=FIRST,
        eos_token_id=FIRST,
        tie_word_embeddings=False,
    )


def word_tokenizer(vocabulary: int, context: int) -> PreTrainedTokenizerFast:
    """A tokenizer whose words are t1, t2, ...; the copier needs none, but a model folder without one is not usable."""
    words = {"<|bos|>": FIRST} | {f"t{number}": number for number in range(1, vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<|bos|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|bos|>", model_max_length=context)


@torch.inference_mode()
def copying_accuracy(model: GPT2LMHeadModel, config: dict) -> float:
    """Share of the second halves' tokens, on fresh sequences of full length, that are predicted; its first is left out."""
    length = (config["context"] - 1) // 2
    tokens = repeated_tokens(config["vocabulary"], FIRST, length, 64, config["seed"]).to(model.device)
    return hits(model(tokens, use_cache=False).logits, tokens)[:, length + 1 :].float().mean().item()
