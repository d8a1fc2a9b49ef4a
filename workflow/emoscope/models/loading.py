"""Loading models whole, and classifiers in float32, ready to be evaluated."""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

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
from emoscope.models.inside.structure import prepared
from emoscope.models.onednn import use_onednn

HEADS = (  # of tasks that a model had
    *("lm_head", "score", "classifier", "cls", "qa_outputs", "multiple_choice_head", "head"),
    *("vocab_transform", "vocab_layer_norm", "vocab_projector", "discriminator_predictions", "generator_predictions"),
    *("generator_lm_head", "lm_predictions", "mask_predictions", "predictions", "sop_classifier", "embed_out"),
)
UNUSED = re.compile(
    rf"({'|'.join(HEADS)})\."
    r"|decoder\.(weight|bias)$"
    r"|(\w+\.)?pooler\."  # a language model, and some classifiers, have no use for it
    r"|(.*\.)?((attn|attention)\.(masked_)?bias|position_ids|token_type_ids)$"  # constants that old versions saved
)
POOLER = "pooler"


def load_classifier(folder: Path, attention: str | None = None) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a fine-tuned classifier in float32, on the GPU if there is one, ready to be evaluated.

    `attention` names how it is computed; `eager` lets its weights be read, and is slower.
    """
    model, _ = load_weights(
        AutoModelForSequenceClassification,
        folder,
        config=architecture_of(folder),
        dtype=torch.float32,
        use_safetensors=True,
        attn_implementation=attention,
    )
    tokenizer = load_tokenizer(folder)
    check_vocabulary(tokenizer, model)
    return use_onednn(prepared(model).to(device()).eval()), tokenizer


def load_weights(
    kind: Any, folder: Path, new: tuple[str, ...] = (), **settings: Any
) -> tuple[PreTrainedModel, set[str]]:
    """`kind.from_pretrained(folder, **settings)`, and the names of its weights that were drawn at random.

    Those are of the parts named in `new`, which the folder need not hold. UserError if another weight is missing, is
    left over (a head of another task may be) or has another size: transformers would only warn and go on.
    """
    model, found = kind.from_pretrained(folder, output_loading_info=True, ignore_mismatched_sizes=True, **settings)
    sizes = {name: f"{[*there]} there, {[*due]} by config.json" for name, there, due in found["mismatched_keys"]}

    def is_new(name: str) -> bool:
        return name.removeprefix(f"{model.base_model_prefix}.").split(".")[0] in new

    missing = sorted(name for name in found["missing_keys"] if not is_new(name))
    left = sorted(name for name in found["unexpected_keys"] if not UNUSED.match(name))
    other = sorted(name for name in sizes if not is_new(name) or POOLER in name)
    wrong = [
        f"{len(names)} {what} (the first: {names[0]}{', ' + sizes[names[0]] if names is other else ''})"
        for names, what in ((missing, "are missing"), (left, "are left over"), (other, "have another size"))
        if names
    ]
    if wrong:
        raise UserError(
            f"{folder}: its weights are not those of the {type(model).__name__} that config.json describes: "
            f"{', '.join(wrong)}; save the model again with `save_pretrained`, itself and not what wraps it"
        )
    return model, found["missing_keys"] | sizes.keys()


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """A model folder's tokenizer; UserError if it cannot be read, has learnt no token, has none to pad with, or cannot
    say where in a text its tokens stand."""
    fix = f"save it there with `tokenizer.save_pretrained({str(folder)!r})`"
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # transformers and tokenizers raise many types, Exception itself among them
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{folder}: its tokenizer cannot be read: {reason}; {fix}") from error
    if {*tokenizer.get_vocab()} <= {*tokenizer.all_special_tokens}:  # what transformers makes of files it does not find
        raise UserError(f"{folder}: its tokenizer knows no words; {fix}")
    if not tokenizer.is_fast:
        raise UserError(
            f"{folder}: its tokenizer ({type(tokenizer).__name__}) does not say where in a text a token stands, which "
            "nearly all experiments need; choose a model that has a fast tokenizer (tokenizer.json)"
        )
    if tokenizer.pad_token is None and tokenizer.eos_token is None:
        raise UserError(
            f"{folder}: its tokenizer has neither a pad_token nor an eos_token, so texts cannot be padded; name one in "
            "tokenizer_config.json"
        )
    return tokenizer


def check_vocabulary(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> None:
    """UserError if the tokenizer has a token beyond the model's embedding."""
    tokens, rows = tokenizer.get_vocab(), model.get_input_embeddings().num_embeddings
    if tokens[last := max(tokens, key=tokens.get)] >= rows:
        raise UserError(
            f"{model.name_or_path}: token {last!r} of the tokenizer is number {tokens[last]}, but the embedding ends "
            f"at {rows - 1}; save model and tokenizer together, after `model.resize_token_embeddings(len(tokenizer))`"
        )


def architecture_of(folder: Path, **changes: object) -> PretrainedConfig:
    """A model folder's configuration; GPT-2's activation by the name of its fused kernel, not of its eight steps."""
    config = AutoConfig.from_pretrained(folder, **changes)
    if getattr(config, "activation_function", None) == "gelu_new":
        config.activation_function = "gelu_pytorch_tanh"  # the same function
    return config


def check_blocks(model: PreTrainedModel, configured: int) -> None:
    """UserError unless the model has as many blocks as the config says, since there is one mask job for each."""
    if (found := model.config.num_hidden_layers) != configured:  # ALBERT's share one module until they are separated
        raise UserError(f"the model has {found} blocks but the config says {configured}; set `blocks: {found}`")


def classes_of(model: PreTrainedModel) -> list[str]:
    """Class names in the order of the logits."""
    return [model.config.id2label[number] for number in range(model.config.num_labels)]


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def random_twin(model: PreTrainedModel, seed: int, blocks: int | None = None) -> PreTrainedModel:
    """A model's architecture with weights drawn afresh, in float32, frozen; if given, only its first `blocks`.

    What an architecture gives before it has learnt anything.
    """
    config = deepcopy(model.config)
    config.num_hidden_layers = min(blocks or config.num_hidden_layers, config.num_hidden_layers)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        twin = type(model)._from_config(config, attn_implementation=config._attn_implementation, dtype=torch.float32)
    return use_onednn(prepared(twin).to(device()).eval().requires_grad_(False))
