"""Small random language models of two families."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

MODELS = {
    "gpt2": lambda size: GPT2LMHeadModel(
        GPT2Config(vocab_size=size, n_positions=64, n_embd=24, n_layer=3, n_head=4, pad_token_id=0)
    ),
    "llama": lambda size: LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size,
            hidden_size=24,
            intermediate_size=40,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=64,
            pad_token_id=0,
        )
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request, tokenizer):
    torch.manual_seed(0)
    model = MODELS[request.param](len(tokenizer)).eval().requires_grad_(False)
    for name, parameter in model.named_parameters():
        if "norm" not in name and "ln_" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model
