"""What a fine-tuning starts from: a pretrained model below a new head, or random weights, and a new tokenizer."""

from pathlib import Path

import pandas as pd
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForSequenceClassification,
    GPT2ForSequenceClassification,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from emoscope.errors import UserError
from emoscope.models.families import ACTIVATIONS, DESCRIBED, family_named, unknown
from emoscope.models.loading import (
    POOLER,
    architecture_of,
    check_vocabulary,
    load_weights,
)
from emoscope.models.parts import classification_head_of, family_of, longest_text
from emoscope.models.scratch import small_gpt2
from emoscope.storage.decisions import SEVERAL


def start_model(
    folder: Path | None, tokenizer: PreTrainedTokenizerBase, classes: list[str], config: dict, several: bool = False
) -> PreTrainedModel:
    """A classifier over `classes`: pretrained below a new head, even if the base has one, or random GPT-2.

    `several`: it may give a text several of them, or none.
    """
    labels = {
        "num_labels": len(classes),
        "id2label": dict(enumerate(classes)),
        "label2id": {name: number for number, name in enumerate(classes)},
    }
    if several:
        labels["problem_type"] = SEVERAL
    if folder is None:
        settings = small_gpt2(
            config,
            vocabulary=len(tokenizer),
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            **labels,
        )
        return GPT2ForSequenceClassification(settings)
    settings = architecture_of(folder, **{"problem_type": "single_label_classification"} | labels)
    if config.get("family"):
        setattr(settings, DESCRIBED, config["family"])
    model, drawn = load_weights(
        AutoModelForSequenceClassification,
        folder,
        new=new_parts(settings),
        config=settings,
        dtype=torch.float32,
        use_safetensors=True,
    )
    if f"{family_of(model).readout[-1]}.weight" not in drawn:  # the base's, of other classes, even if they are as many
        draw_head(model)
    check_vocabulary(tokenizer, model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
    tokenizer.padding_side = "right"  # as in prediction; GPT-2 counts positions from the left
    tokenizer.model_max_length = longest_text(model, tokenizer)
    return model


def new_parts(settings: PretrainedConfig) -> tuple[str, ...]:
    """Parts of a classifier that models without a classification head lack, by the names that `load_weights` wants."""
    family = family_named(settings.to_dict())
    if family is None:
        raise UserError(unknown(settings.model_type))
    base = family.embedding.split(".")[0]
    return (POOLER, *{step.split(".")[0] for step in family.readout if step not in ACTIVATIONS} - {base})


def draw_head(model: PreTrainedModel) -> None:
    """Give a classifier new random weights in its classification head, as transformers draws them."""
    head = classification_head_of(model)
    torch.nn.init.normal_(head.weight, std=model.config.initializer_range)
    if head.bias is not None:
        torch.nn.init.zeros_(head.bias)


def train_tokenizer(texts: pd.Series, config: dict) -> PreTrainedTokenizerBase:
    """Learn a byte-level BPE vocabulary, GPT-2's kind, from the training texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|pad|>", "<|endoftext|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=config["vocabulary"],
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=special[0],
        bos_token=special[1],
        eos_token=special[1],
        model_max_length=config["context"],
    )
