"""Changes of the residual stream at exchanged words, against what a single text gives."""

import numpy as np
import pandas as pd
import torch

from emoscope.experiments.tracing.dimensions import activation_variance, change_table, unrelated_texts, word_changes
from emoscope.models.activations import activations_of
from emoscope.perturbation.inside.alignment import align
from traced_pair import BUDGET, FLIPPED, SPANS, TEXT

SHORT = ("he left", "she left", [(0, 2, 0, 3)])


def pairs(*rows, origin="natural"):
    table = pd.DataFrame(rows, columns=["text", "perturbed", "spans"])
    return table.assign(id=range(len(rows)), origin=origin, term="", cluster=table["text"], flags=[[]] * len(rows))


def test_dimensions_are_measured_at_exchanged_words_whatever_else_is_in_the_batch(classifier, tokenizer):
    changes = word_changes(classifier, tokenizer, pairs(SHORT, (TEXT, FLIPPED, SPANS)), 1, 10_000)
    assert list(changes.index) == ["he/she", "he/she", "he/she", "her/his"] and changes.shape[1] == 24
    for row, (text, other, spans, unit) in enumerate(
        [(*SHORT, 0), (TEXT, FLIPPED, SPANS, 0), (TEXT, FLIPPED, SPANS, 3)]
    ):
        aligned = align(tokenizer, text, other, spans)
        before, after = (activations_of(classifier, side).residual[2] for side in (aligned.original, aligned.flipped))
        unit = aligned.units[unit]
        wanted = after[unit.flipped_tokens].mean(dim=0) - before[unit.tokens].mean(dim=0)
        np.testing.assert_allclose(changes.iloc[[0, 1, 2][row]], wanted**2, atol=1e-4)


def test_the_usual_spread_is_that_of_the_tokens_without_padding(classifier, tokenizer):
    texts = pd.Series([TEXT, SHORT[0]])
    runs = [activations_of(classifier, tokenizer(text, return_tensors="pt")).residual[2] for text in texts]
    found = activation_variance(classifier, tokenizer, texts, 1, 10_000)
    np.testing.assert_allclose(found, torch.cat(runs).var(dim=0, correction=0), rtol=1e-3)


def test_flips_and_as_many_neutral_swaps_are_averaged_by_word_pair(classifier, tokenizer):
    neutral = pairs(("the dog left", "the end left", [(4, 7, 4, 7)]), ("a dog", "a end", [(2, 5, 2, 5)]))
    table = pd.concat([pairs(SHORT), neutral.assign(origin="natural control")], ignore_index=True)
    found = change_table(classifier, tokenizer, table, pd.Series([TEXT]), 1, BUDGET, 0)
    assert list(found["kind"]) == ["flip", "neutral", "spread"]
    assert list(found["words"][:2]) == ["he/she", "dog/end"] and list(found["changes"][:2]) == [1, 1]
    more = pd.concat([table, pairs(("she left", "he left", [(0, 3, 0, 2)])).assign(id=7)], ignore_index=True)
    found = change_table(classifier, tokenizer, more, pd.Series([TEXT]), 1, BUDGET, 0).set_index("words")
    assert list(found["changes"][:2]) == [2, 2], "he/she and she/he are one word pair"
    own = word_changes(classifier, tokenizer, neutral, 1, BUDGET).mean()
    np.testing.assert_allclose(found.loc["dog/end"].iloc[2:].astype(float), own, atol=1e-5)
    templates = pairs(("he ran", "she ran", [(0, 2, 0, 3)]), ("so he left", "so she left", [(3, 5, 3, 6)]))
    swapped = pairs(("my dog ran", "my end ran", [(3, 6, 3, 6)]), ("this dog", "this end", [(5, 8, 5, 8)]))
    made = [templates.assign(origin="template"), swapped.assign(origin="template control")]
    found = change_table(classifier, tokenizer, pd.concat([table, *made]), pd.Series([TEXT]), 1, BUDGET, 0)
    assert list(found["changes"][:2]) == [1, 1], "templates, which are much alike, do not count"


def test_where_every_text_can_be_flipped_all_of_them_tell_the_usual_spread():
    texts, flipped = (
        pd.Series(["he left", "a dog", "a dog", "she left"]),
        pd.DataFrame({"text": ["he left", "she left"]}),
    )
    assert list(unrelated_texts(texts, flipped)) == ["a dog"]
    assert list(unrelated_texts(texts[[0, 3]], flipped)) == ["he left", "she left"]
