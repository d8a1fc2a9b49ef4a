"""Dimensions of the residual stream: planted ones are found, and chance finds none."""

import numpy as np
import pandas as pd
import torch

from emoscope.experiments.tracing.alignment import align
from emoscope.experiments.tracing.dimensions import activation_spread, dimension_tables, unrelated_texts, word_changes
from emoscope.models.activations import activations_of
from traced_pair import FLIPPED, SPANS, TEXT


def test_dimensions_are_measured_at_flipped_words(classifier, tokenizer):
    pairs = pd.DataFrame({"text": [TEXT], "perturbed": [FLIPPED], "spans": [SPANS]})
    changes = word_changes(classifier, tokenizer, pairs, 1)
    assert list(changes.index) == ["he/she", "he/she", "her/his"] and changes.shape[1] == 24
    aligned = align(tokenizer, TEXT, FLIPPED, SPANS)
    before, after = (activations_of(classifier, text).residual[2] for text in (aligned.original, aligned.flipped))
    unit = aligned.units[0]
    wanted = (after[unit.flipped_tokens].mean(dim=0) - before[unit.tokens].mean(dim=0)).abs()
    np.testing.assert_allclose(changes.iloc[0], wanted, atol=1e-5)
    spread = activation_spread(classifier, tokenizer, pd.Series([TEXT, FLIPPED]), 1)
    np.testing.assert_allclose(spread, torch.cat([before, after]).std(dim=0, correction=0), atol=1e-5)


STATISTICS = {"confidence": 0.95, "resamples": 400, "seed": 0}
EVEN = np.linspace(0.99, 1.01, 96)  # the spread of dimensions that are much the same


def changes_of(words, width, rng, planted=None, spread=1.0):
    changes = np.abs(rng.normal(size=(3 * words, width))) * spread
    if planted is not None:
        changes[:, planted] *= 6
    return pd.DataFrame(changes, index=pd.Index([f"w{n % words}" for n in range(3 * words)], name="words"))


def test_where_every_text_can_be_flipped_all_of_them_tell_the_usual_spread():
    texts, pairs = pd.Series(["he left", "a dog", "a dog", "she left"]), pd.DataFrame({"text": ["he left", "she left"]})
    assert list(unrelated_texts(texts, pairs)) == ["a dog"]
    assert list(unrelated_texts(texts[[0, 3]], pairs)) == ["he left", "she left"]


def test_a_dimension_that_every_word_pair_changes_is_found_and_no_other():
    rng = np.random.default_rng(0)
    dimensions, summary = dimension_tables(changes_of(12, 96, rng, planted=41), EVEN, **STATISTICS)
    found = dimensions[dimensions["p_adjusted"] < 0.05]
    assert set(found["dimension"]) == {41}
    assert (found["low"] > 2).all()
    assert (summary.set_index("measure").loc["largest", "p"] < 0.01).all()


def test_chance_finds_no_dimension():
    rng = np.random.default_rng(1)
    hits = sum(
        (dimension_tables(changes_of(8, 96, rng), EVEN, **STATISTICS)[0]["p_adjusted"] < 0.05).any() for _ in range(20)
    )
    assert hits <= 4


def test_a_dimension_that_is_large_in_every_text_is_found_only_as_long_as_nobody_divides_by_its_spread():
    rng = np.random.default_rng(2)
    spread = EVEN.copy()
    spread[17] = 10
    dimensions, summary = dimension_tables(changes_of(12, 96, rng, spread=spread), spread, **STATISTICS)
    found = dimensions[dimensions["p_adjusted"] < 0.05].groupby("scale")["dimension"].apply(set)
    assert found["plain"] == {17}
    assert "standardised" not in found
    assert set(summary["measure"]) == {"largest", "overlap", "follows spread"}


def test_texts_that_repeat_one_word_pair_prove_nothing():
    rng = np.random.default_rng(3)
    dimensions, summary = dimension_tables(changes_of(1, 96, rng, planted=3), EVEN, **STATISTICS)
    assert dimensions["p"].isna().all()
    assert summary["p"].isna().all() and summary["value"].dtype == float
    assert (summary["words"] == 1).all()
    empty, _ = dimension_tables(pd.DataFrame(np.empty((0, 96))), EVEN, **STATISTICS)
    assert empty.empty
