"""Small random models of two families, and tokens for them."""

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

from attention_tables import SENTENCE

SIZES = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
CONFIGS = {
    "gpt2": lambda size: GPT2Config(vocab_size=size, n_positions=48, n_embd=24, n_layer=3, n_head=4),
    "llama": lambda size: LlamaConfig(vocab_size=size, num_key_value_heads=2, max_position_embeddings=48, **SIZES),
}


@pytest.fixture(scope="module", params=CONFIGS)
def model(request, tokenizer):
    """A random language model with 3 blocks of 4 heads; weights large enough for attention to be uneven."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIGS[request.param](len(tokenizer)), attn_implementation="eager").eval()
    for name, parameter in model.named_parameters():
        if "norm" not in name and "ln_" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def ids(tokenizer) -> list[int]:
    return tokenizer(SENTENCE)["input_ids"]
