"""What is traced, and which tables a pair gets."""

import numpy as np
import pandas as pd

from emoscope.experiments.tracing.measure import COLUMNS, inside, strongest
from emoscope.models.activations import activations_of
from emoscope.perturbation.inside.alignment import align
from made_up import CLASSES
from traced_pair import BUDGET, FLIPPED, SPANS, TEXT


def test_a_flip_reaches_the_answer_through_the_token_before_the_text(bert):
    """Also where a pooler reads it: every table names [CLS], where no word stands."""
    model, own = bert
    aligned = align(own, TEXT, FLIPPED, SPANS)
    tables = inside(model, aligned, 1, BUDGET)
    end = tables["patching"].query("site == 'residual' and block == 3")
    assert end["word"].iloc[0] == "[CLS]"
    np.testing.assert_allclose(end.loc[end["word"] == "[CLS]", "share"], 1, atol=1e-4)
    np.testing.assert_allclose(end.loc[end["word"] != "[CLS]", "share"], 0, atol=1e-4)
    logits = model(**aligned.original).logits[0].detach()
    sums = tables["attribution"].query("version == 'original'").groupby("class")["contribution"].sum()
    np.testing.assert_allclose(sums[CLASSES], logits, atol=1e-4)
    last = tables["lens"].query("version == 'original' and depth == 3").set_index("class")["logit"]
    np.testing.assert_allclose(last[CLASSES], logits, atol=1e-4)


def test_a_pair_gets_every_table(classifier, tokenizer):
    tables = inside(classifier, align(tokenizer, TEXT, FLIPPED, SPANS), 1, BUDGET)
    for name, columns in COLUMNS.items():
        assert set(columns) == set(tables[name]) - {"pair", "id", "origin"}, name
        assert not tables[name].isna().any(axis=None), name
    assert set(tables["patching"]["direction"]) == {"flipped into original", "original into flipped"}


def test_neutral_swaps_are_not_traced():
    pairs = pd.DataFrame({
        "text": ["a", "b"], "flags": [[], []], "origin": ["natural control", "natural"],
        "before_joy": [0.1, 0.1], "after_joy": [0.9, 0.2],
    })  # fmt: skip
    assert list(strongest(pairs, 5)["text"]) == ["b"]


def test_the_pairs_that_move_most_are_traced():
    """By any class, in either direction; a text only once."""
    pairs = pd.DataFrame({
        "text": ["a", "b", "c", "c", "d"], "flags": [[]] * 5, "origin": "natural",
        "before_joy": [0.5, 0.5, 0.9, 0.9, 0.5], "after_joy": [0.6, 0.5, 0.1, 0.8, 0.8],
        "before_fear": 0.1, "after_fear": 0.1,
    })  # fmt: skip
    assert strongest(pairs, 2)["text"].tolist() == ["c", "d"]
    assert strongest(pairs, 9)["text"].tolist() == ["c", "d", "a"], "b does not move"


def test_traces_are_of_each_text_at_the_block_that_was_asked_for(classifier, tokenizer):
    aligned = align(tokenizer, TEXT, FLIPPED, SPANS)
    table = inside(classifier, aligned, 1, BUDGET)["traces"]
    runs = {
        "original": activations_of(classifier, aligned.original),
        "flipped": activations_of(classifier, aligned.flipped),
    }
    for number, unit in enumerate(aligned.units):
        for version, tokens in (("original", unit.tokens), ("flipped", unit.flipped_tokens)):
            own = table[(table["unit"] == number) & (table["site"] == "residual")].sort_values("dimension")
            wanted = runs[version].residual[2][tokens].mean(dim=0)
            np.testing.assert_allclose(own[version], wanted, atol=1e-4)


def test_a_pair_gets_only_the_tables_that_are_exact(classifier, tokenizer):
    aligned = align(tokenizer, TEXT, FLIPPED, SPANS)
    assert set(inside(classifier, aligned, 1, BUDGET, ["lens"])) == {"traces", "lens"}
    assert set(inside(classifier, aligned, 1, BUDGET, [])) == {"traces"}
