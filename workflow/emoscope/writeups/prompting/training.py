"""Training soft prompts and their heads; the language model stays as it is."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from tqdm import tqdm
from transformers import PreTrainedModel

from emoscope.errors import UserError
from emoscope.models.language_models import load_language_model
from emoscope.models.parts import seen_by_all
from emoscope.models.precision import use_bf16
from emoscope.storage.files import read_json, write_csv
from emoscope.storage.names import ALL
from emoscope.writeups.prompting.soft_prompts import SoftPrompt, Texts, logits_of, new_prompt, save_means, save_prompts

GIGABYTE = 1e9


def train_prompts(
    model: Path, train: Path, about: Path, config: dict, prompts: Path, history: Path, means: Path
) -> None:
    """Write a task's prompts, `{label}/{epochs}`, the loss of every epoch, and the `means` of the texts for a probe.

    The label is `all` for the prompt of the whole task. A task's label that is to stand `alone` gets prompts of its
    own, trained to tell texts with it from texts without it.
    """
    table, task = pd.read_parquet(train), read_json(about)
    language_model, tokenizer = load_language_model(model)
    check_context(language_model, config)
    reading, exact = (language_model, tokenizer, table["text"], config["max_tokens"]), None
    if use_bf16(config["precision"], language_model.config.hidden_size):
        exact = Texts(*reading, budget=0).means()  # a probe is asked with states of float32, so it learns from such
        language_model.to(torch.bfloat16)  # prompts and heads stay in float32; scores are computed in float32
    truth = torch.tensor(table[[f"is_{name}" for name in task["classes"]]].to_numpy(), device=language_model.device)
    kinds = {ALL: (truth, task["kind"])}
    if task["alone"]:
        chosen = truth[:, task["classes"].index(task["alone"])]
        kinds[task["alone"]] = (torch.stack([1 - chosen, chosen], dim=1), "single")
    texts = Texts(*reading, budget=config["cache_gb"] * GIGABYTE)
    print(
        f"{len(texts)} texts, {texts.cut} cut, states {'kept' if texts.kept else 'computed anew each time'}", flush=True
    )
    save_means({task["name"]: texts.means() if exact is None else exact}, means)
    trained, rows = {}, []
    for label, (targets, kind) in kinds.items():
        for epoch, loss, prompt in train_prompt(texts, targets, kind, config):
            rows.append((label, epoch, loss))
            print(f"{task['name']}, {label}: epoch {epoch}, mean loss {loss:.4f}", flush=True)
            if epoch in config["epochs"]:
                trained[f"{label}/{epoch}"] = prompt
    save_prompts(trained, prompts)
    write_csv(pd.DataFrame(rows, columns=["label", "epoch", "loss"]), history)


def train_prompt(texts: Texts, truth: Tensor, kind: str, config: dict) -> Iterator[tuple[int, float, SoftPrompt]]:
    """Yield (epoch, mean loss of its batches, the prompt so far) after every epoch; `truth` is 0/1, (texts, classes).

    Adam with a constant rate, as the write-up: so a training of ten epochs passes through that of three.
    """
    torch.manual_seed(config["seed"])
    prompt = new_prompt(texts.model, config["tokens"], truth.shape[1])
    optimizer = torch.optim.Adam(prompt, lr=config["learning_rate"])
    weight = positive_weight(truth)
    with tqdm(
        total=max(config["epochs"]) * -(-len(texts) // config["batch_size"]), desc="train", unit="batch", mininterval=2
    ) as progress:
        for epoch in range(1, max(config["epochs"]) + 1):
            losses = []
            for rows in torch.randperm(len(texts)).split(config["batch_size"]):
                logits = logits_of(texts.model, texts.states(rows.tolist()), prompt)
                loss = loss_of(logits, truth[rows.to(truth.device)], kind, weight)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                progress.update()
            yield epoch, sum(losses) / len(losses), SoftPrompt(*(part.detach().clone() for part in prompt))


def loss_of(logits: Tensor, truth: Tensor, kind: str, positive: Tensor) -> Tensor:
    """Cross-entropy between classes for kind `single`; for `multiple` the mean binary one, positives weighted."""
    if kind == "single":
        return cross_entropy(logits, truth.argmax(dim=1))
    return binary_cross_entropy_with_logits(logits, truth.to(logits.dtype), pos_weight=positive)


def positive_weight(truth: Tensor) -> Tensor:
    """For each class negatives over positives, so that both sides weigh the same; (classes,)."""
    positives = truth.sum(dim=0)
    return (len(truth) - positives) / positives


def check_context(model: PreTrainedModel, config: dict) -> None:
    """UserError unless the model sees the longest text and the prompt at once."""
    context = seen_by_all(model)
    if (wanted := config["max_tokens"] + config["tokens"]) > context:
        raise UserError(
            f"config prompting: max_tokens and tokens make {wanted}, but the model sees at most {context} tokens at "
            f"once; set prompting.max_tokens to {context - config['tokens']} or less"
        )
