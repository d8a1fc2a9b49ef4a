"""oneDNN's products are torch's own, forward and backward, and nothing else changes."""

import platform
from copy import deepcopy

import pytest
import torch
from transformers.pytorch_utils import Conv1D

from emoscope.models import onednn
from emoscope.models.batches import padded_batches
from emoscope.models.onednn import use_onednn
from random_models import TEXTS


@pytest.fixture(autouse=True)
def anywhere(request, monkeypatch):
    """oneDNN is used, however fast it is here."""
    if "where" not in request.node.name:
        monkeypatch.setattr(onednn, "is_faster", lambda: True)


@pytest.mark.parametrize(
    ("processor", "intel", "mkl", "used"),
    [
        ("AVX512", False, True, True),
        ("AVX512", True, True, False),
        ("AVX512", True, False, True),
        ("AVX2", False, True, False),
        ("AVX2", True, True, False),
        ("AVX2", False, False, True),
        ("DEFAULT", False, False, True),
    ],
)
def test_it_is_used_where_it_is_the_faster(monkeypatch, processor, intel, mkl, used):
    monkeypatch.setattr(onednn, "_is_intel", lambda: intel)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: processor)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: mkl)
    assert ("forward" in vars(use_onednn(torch.nn.Linear(2, 2)))) == used


@pytest.mark.parametrize(("maker", "intel"), [("GenuineIntel", True), ("AuthenticAMD", False)])
def test_where_a_processor_is_from_is_read_on_linux_and_asked_elsewhere(monkeypatch, tmp_path, maker, intel):
    told = tmp_path / "cpuinfo"
    monkeypatch.setattr(onednn, "Path", lambda _: told)
    monkeypatch.setattr(platform, "processor", lambda: f"Family 6, {maker}")
    assert onednn._is_intel() is intel
    told.write_text(f"processor\t: 0\nvendor_id\t: {maker}\n")
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert onednn._is_intel() is intel


@pytest.mark.parametrize("kind", [torch.nn.Linear, lambda inputs, outputs: Conv1D(outputs, inputs)])
@pytest.mark.parametrize("shape", [(7, 24), (2, 5, 24), (0, 24)])
def test_a_projection_and_its_gradients_are_the_same(kind, shape):
    torch.manual_seed(0)
    plain = kind(24, 40)
    fast = use_onednn(deepcopy(plain))
    given = torch.randn(shape)
    found = []
    for projection in (plain, fast):
        inputs = given.clone().requires_grad_()
        output = projection(inputs)
        (output**2).sum().backward()
        found.append([output, inputs.grad, projection.weight.grad, projection.bias.grad])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_classifiers_and_their_gradients_are_the_same(classifier, tokenizer):
    [(_, inputs)] = padded_batches(tokenizer, TEXTS, 10_000, torch.device("cpu"))
    fast = use_onednn(deepcopy(classifier))
    for model in (classifier, fast):
        model.zero_grad()
        model(**inputs, labels=torch.tensor([0, 1, 2, 0, 1])).loss.backward()
    for (name, one), other in zip(classifier.named_parameters(), fast.parameters(), strict=True):
        if one.grad is not None:
            torch.testing.assert_close(
                one.grad, other.grad, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: name + text
            )


def test_weights_changed_later_count(classifier, tokenizer):
    [(_, inputs)] = padded_batches(tokenizer, TEXTS, 10_000, torch.device("cpu"))
    fast = use_onednn(deepcopy(classifier))
    with torch.no_grad():
        before = fast(**inputs).logits
        fast.get_submodule("classifier" if hasattr(fast, "classifier") else "score").weight.zero_()
        assert not torch.equal(before, fast(**inputs).logits)


def test_other_precisions_pass(classifier, tokenizer):
    [(_, inputs)] = padded_batches(tokenizer, TEXTS, 10_000, torch.device("cpu"))
    fast = use_onednn(deepcopy(classifier))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(fast(**inputs).logits, classifier(**inputs).logits)
    assert fast.double()(**inputs).logits.dtype == torch.float64
