"""Erasure against its guarantee, and on models that are known to use the concept."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from emoscope.models.inside.erasure import (
    Eraser,
    direction_eraser,
    erasing,
    largest_dimensions,
    least_eraser,
    mean_difference,
)
from emoscope.models.inside.structure import prepared
from emoscope.models.interventions import recording
from emoscope.models.parts import blocks_of
from emoscope.models.planted.circuit import CLASSES, plan
from emoscope.models.planted.compiled import LAYOUTS, compiled, tokenizer_for
from emoscope.models.planted.texts import VOCABULARY, sentences


def correlated(texts=400, width=12, seed=0):
    """States whose dimensions go together, and a concept spread over several of them."""
    generator = torch.Generator().manual_seed(seed)
    member = torch.rand(texts, generator=generator) < 0.4
    mixing = torch.randn(width, width, generator=generator, dtype=torch.float64)
    states = torch.randn(texts, width, generator=generator, dtype=torch.float64) @ mixing
    return states + 2 * member[:, None] * torch.randn(width, generator=generator, dtype=torch.float64), member


def covariance(states, concept):
    states, concept = states - states.mean(dim=0), concept.double() - concept.double().mean(dim=0)
    return states.T @ concept / len(states)


def best_accuracy(states, member):
    fitted = LogisticRegression(C=1e6, max_iter=5000).fit(states.numpy(), member.numpy())
    return fitted.score(states.numpy(), member.numpy())


def moved(eraser, states):
    return float((eraser(states) - states).square().sum(dim=1).mean())


def test_nothing_linear_is_left():
    states, member = correlated()
    erased = least_eraser(states, member)(states)
    assert covariance(states, member).abs().max() > 0.1
    assert covariance(erased, member).abs().max() < 1e-10
    majority = max(float(member.double().mean()), 1 - float(member.double().mean()))
    assert best_accuracy(states, member) > majority + 0.1
    assert best_accuracy(erased, member) == pytest.approx(majority, abs=1e-9)


def test_nothing_of_several_classes_is_left():
    states, _ = correlated()
    classes = torch.eye(3, dtype=torch.float64)[torch.arange(len(states)) % 3]
    states = states + classes @ torch.randn(3, states.shape[1], dtype=torch.float64)
    eraser = least_eraser(states, classes)
    assert covariance(eraser(states), classes).abs().max() < 1e-10
    assert torch.linalg.matrix_rank(eraser.removed) == 2  # three classes whose sum is constant


def test_it_changes_less_than_projecting_the_direction_out():
    states, member = correlated()
    least, direction = least_eraser(states, member), direction_eraser(states, mean_difference(states, member))
    assert covariance(direction(states), member).abs().max() < 1e-10
    assert moved(least, states) < 0.95 * moved(direction, states)


def test_the_mean_stays_and_erasing_twice_changes_nothing_more():
    states, member = correlated()
    eraser = least_eraser(states, member)
    torch.testing.assert_close(eraser(states).mean(dim=0), states.mean(dim=0))
    torch.testing.assert_close(eraser(eraser(states)), eraser(states))


def test_states_that_lie_in_a_few_directions():
    states, member = correlated(width=4)
    wide = states @ torch.randn(4, 20, dtype=torch.float64)
    erased = least_eraser(wide, member)(wide)
    assert erased.isfinite().all() and covariance(erased, member).abs().max() < 1e-9


def test_a_concept_that_nothing_tells_erases_nothing():
    states, member = correlated()
    constant = torch.ones_like(member)
    torch.testing.assert_close(least_eraser(states, constant)(states), states)


def test_a_few_dimensions_or_a_random_direction_leave_a_spread_concept():
    states, member = correlated()
    for directions in (largest_dimensions(states, member, 2), torch.randn(1, states.shape[1], dtype=torch.float64)):
        erased = direction_eraser(states, directions)(states)
        torch.testing.assert_close(erased @ directions.T, (states.mean(dim=0) @ directions.T).expand(len(states), -1))
        assert covariance(erased, member).abs().max() > 0.1


def test_the_dimensions_are_those_where_the_means_differ_most():
    states, member = torch.zeros(6, 5), torch.tensor([True, False] * 3)
    states[member, 3], states[~member, 1] = 2.0, 5.0
    chosen = largest_dimensions(states, member, 2)
    assert chosen.argmax(dim=1).tolist() == [1, 3]
    assert mean_difference(states, member).tolist() == [[0, -5, 0, 2, 0]]


def test_it_agrees_with_concept_erasure():
    concept_erasure = pytest.importorskip("concept_erasure", reason="needs `pip install -e '.[crosscheck]'`")
    states, member = correlated()
    fitter = concept_erasure.LeaceFitter.fit(states, member.long(), shrinkage=False, constrain_cov_trace=False)
    torch.testing.assert_close(least_eraser(states, member)(states), fitter.eraser(states), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_model_that_uses_gender_loses_it_and_nothing_else(layout):
    """All gender is at the gendered words; man decides for anger, woman for sadness, where nothing else does."""
    circuit, tokenizer = plan(0), tokenizer_for(layout)
    model = prepared(compiled(circuit, layout))
    table = sentences(60, seed=1)
    inputs = dict(tokenizer(table["text"].tolist(), padding=True, return_tensors="pt", return_token_type_ids=False))
    ids = inputs["input_ids"]
    people = {kind: torch.tensor(tokenizer.convert_tokens_to_ids(list(VOCABULARY[kind]))) for kind in ("man", "woman")}
    man, woman = (torch.isin(ids, words) for words in people.values())
    [block] = [node[1] for node, role in circuit.roles.items() if role == "gender"]
    with torch.inference_mode(), recording(blocks_of(model)[block]) as seen:
        before = model(**inputs).logits.numpy()
    states, member = seen["input"][man | woman], man[man | woman]
    label, keyword = table["label"].to_numpy(), table["text"].str.split().map(lambda words: _has_keyword(words))
    generator = torch.Generator().manual_seed(0)
    erasers = {
        "least": least_eraser(states, member),
        "direction": direction_eraser(states, mean_difference(states, member)),
        "random": direction_eraser(states, torch.randn(1, states.shape[1], generator=generator)),
    }
    gaps = {}
    for name, eraser in erasers.items():
        with torch.inference_mode(), erasing(model, block, eraser):
            logits = model(**inputs).logits.numpy()
        lone = ~keyword.to_numpy()
        gaps[name] = gap(logits[lone], man.any(dim=1).numpy()[lone])
        if name != "random":
            assert (logits.argmax(axis=1) == label)[~lone].all()
    whole = gap(before[lone], man.any(dim=1).numpy()[lone])
    assert whole > 4 and gaps["random"] > 0.5 * whole
    assert abs(gaps["least"]) < 0.05 and abs(gaps["direction"]) < 0.05


def _has_keyword(words):
    return any(word in VOCABULARY[name] for name in CLASSES for word in words)


def gap(logits, man):
    anger = CLASSES.index("anger")
    return float(logits[man, anger].mean() - logits[~man, anger].mean())


def test_it_is_applied_at_the_depth_that_is_named():
    model = prepared(compiled(plan(0), "gpt2"))
    ids = torch.arange(3, 9)[None]
    nothing = Eraser(torch.zeros(64), torch.eye(64))
    for depth in range(len(blocks_of(model)) + 1):
        with torch.inference_mode(), erasing(model, depth, nothing):
            if depth < len(blocks_of(model)):
                with recording(blocks_of(model)[depth]) as seen:
                    model(ids)
                assert seen["input"].abs().max() == 0
            else:
                logits = model(ids).logits.numpy()
                np.testing.assert_array_equal(logits, 0)
