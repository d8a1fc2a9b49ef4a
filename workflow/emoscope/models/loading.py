"""Loading classifiers, in float32 and ready to be evaluated."""

from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from emoscope.errors import UserError
from emoscope.models.families import blocks_of
from emoscope.models.onednn import use_onednn


def load_classifier(folder: Path, attention: str | None = None) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a fine-tuned classifier in float32, on the GPU if there is one, ready to be evaluated.

    `attention` names how it is computed; `eager` lets its weights be read, and is slower.
    """
    model = AutoModelForSequenceClassification.from_pretrained(
        folder,
        config=architecture_of(folder),
        dtype=torch.float32,
        use_safetensors=True,
        attn_implementation=attention,
    )
    return use_onednn(model.to(device()).eval()), AutoTokenizer.from_pretrained(folder)


def architecture_of(folder: Path, **changes: object) -> PretrainedConfig:
    """A model folder's configuration; GPT-2's activation by the name of its fused kernel, not of its eight steps."""
    config = AutoConfig.from_pretrained(folder, **changes)
    if getattr(config, "activation_function", None) == "gelu_new":
        config.activation_function = "gelu_pytorch_tanh"  # the same function
    return config


def check_blocks(model: PreTrainedModel, configured: int) -> None:
    """UserError unless the model has as many blocks as the config says, since there is one mask job for each."""
    if (found := len(blocks_of(model))) != configured:
        raise UserError(f"the model has {found} blocks but the config says {configured}; set `blocks: {found}`")


def classes_of(model: PreTrainedModel) -> list[str]:
    """Class names in the order of the logits."""
    return [model.config.id2label[number] for number in range(model.config.num_labels)]


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
