"""Attention in float32 within a training in bf16."""

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, LlamaConfig, LlamaForSequenceClassification

from emoscope.models.precision import attending_in_float32

TEXTS = torch.tensor([[5, 6, 7, 0, 0], [8, 9, 10, 11, 12]])
SIZE = {"hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 96, "vocab_size": 50, "num_labels": 3}
SIZE |= {"initializer_range": 0.3}  # so that it matters which tokens are seen
MODELS = {
    "llama": lambda: LlamaForSequenceClassification(
        LlamaConfig(**SIZE, num_attention_heads=4, num_key_value_heads=2, pad_token_id=0)
    ),
    "bert": lambda: BertForSequenceClassification(BertConfig(**SIZE, num_attention_heads=4, pad_token_id=0)),
}


@pytest.fixture(params=MODELS)
def model(request):
    torch.manual_seed(0)
    return MODELS[request.param]().eval()


def attended(model, monkeypatch) -> tuple[torch.Tensor, set[torch.dtype]]:
    """A model's logits in bf16 for a short and a long text, and in which formats it attended."""
    plain, formats = torch.nn.functional.scaled_dot_product_attention, set()

    def seen(query, *others, **options):
        output = plain(query, *others, **options)
        formats.add(output.dtype)
        return output

    with monkeypatch.context() as patch, torch.autocast("cpu", torch.bfloat16):
        patch.setattr(torch.nn.functional, "scaled_dot_product_attention", seen)
        logits = model(input_ids=TEXTS, attention_mask=TEXTS.ne(0).long()).logits
    return logits.float(), formats


def test_a_model_that_trains_in_bf16_attends_in_float32_to_the_same_tokens(model, monkeypatch):
    before, formats = attended(model, monkeypatch)
    assert formats == {torch.bfloat16}
    after, formats = attended(attending_in_float32(model), monkeypatch)
    assert formats == {torch.float32}
    torch.testing.assert_close(after, before, atol=0.1, rtol=0)


def test_what_is_saved_does_not_know_of_it_and_eager_attention_stays(model):
    model.set_attn_implementation("eager")
    assert attending_in_float32(model).config._attn_implementation == "eager"
    model.set_attn_implementation("sdpa")
    saved = model.config.to_json_string()
    assert attending_in_float32(model).config.to_json_string() == saved
