"""Pretrained language models: loading them for the companion write-ups."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from emoscope.errors import UserError
from emoscope.models.inside.exactness import assert_readable
from emoscope.models.inside.structure import prepared
from emoscope.models.loading import architecture_of, check_vocabulary, device, load_tokenizer, load_weights
from emoscope.models.onednn import use_onednn


def load_language_model(folder: Path, blocked: bool = False) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model in float32, on the GPU if there is one, frozen and ready to be evaluated.

    Attention is computed eagerly, so that its weights can be read. UserError for a model without a language-model head,
    and for one of which something that is read would not be what it computes, or blocked, if it is to be `blocked`.
    """
    config = architecture_of(folder)
    causal = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(config.model_type)
    if not causal or causal not in (config.architectures or []):
        raise UserError(
            f"{folder}: {', '.join(config.architectures or [config.model_type])} has no language-model head that reads "
            "from left to right; name a model such as GPT-2 or SmolLM2 under `companions`"
        )
    model, _ = load_weights(
        AutoModelForCausalLM,
        folder,
        config=config,
        dtype=torch.float32,
        use_safetensors=True,
        attn_implementation="eager",
    )
    tokenizer = load_tokenizer(folder)
    check_vocabulary(tokenizer, model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token  # GPT-2 has none; padding is masked anyway
    model = use_onednn(prepared(model).to(device()).eval().requires_grad_(False))
    assert_readable(model, blocked)
    return model, tokenizer
