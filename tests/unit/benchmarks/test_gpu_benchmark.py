"""What the benchmark of a GPU calls a compiled training is one."""

import pytest

from benchmarks import gpu
from random_models import FAMILIES, TEXTS


@pytest.mark.parametrize(("compiled", "backend"), [(True, "INDUCTOR"), (False, "NO")])
def test_a_training_is_compiled_if_it_says_so(tmp_path, monkeypatch, tokenizer, compiled, backend):
    monkeypatch.setattr(gpu, "tokens_per_second", lambda trainer: trainer)
    model = FAMILIES["gpt2"](len(tokenizer))
    settings = {"precision": "fp32", "torch_compile": compiled}
    trainer = gpu.short_training(model, tokenizer, TEXTS, 1, tmp_path, **settings)
    assert trainer.accelerator.state.dynamo_plugin.backend.value == backend
