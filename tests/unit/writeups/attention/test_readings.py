"""What is read out of the tables of attention: which head, which sentence, which place."""

import pandas as pd
import pytest

from attention_tables import MAIA, weights_of
from emoscope.writeups.attention.published import published_rows
from emoscope.writeups.attention.readings import first_is_largest, most_agreeing, most_looking, mostly
from emoscope.writeups.attention.summarise import most_repetitive

# block 1, head 0 looks at itself most; block 0, head 1 at what came before; agreement is best where looks are not
HEADS = pd.DataFrame({
    "block": [0, 0, 1, 1],
    "head": [0, 1, 0, 1],
    "first": [0.5, 0.1, 0.2, 0.8],
    "itself": [0.3, 0.2, 0.7, 0.1],
    "previous": [0.1, 0.6, 0.1, 0.1],
    "repeated": [0.0, 0.2, 0.4, 0.3],
    "agreement": [-0.9, 0.3, 0.1, 0.2],
    "divergence": [4.0, 3.0, 2.0, 1.0],
})  # fmt: skip


def test_each_place_has_the_head_that_looks_there_most():
    assert most_looking(HEADS) == {"first": (1, 1), "itself": (1, 0), "previous": (0, 1), "repeated": (1, 0)}
    assert "repeated" not in most_looking(HEADS.assign(repeated=float("nan"))), "no sentence repeats a token"
    ahead = HEADS.assign(next=[0, 0, 0, 1.0], last=[1.0, 0, 0, 0])
    assert list(most_looking(ahead).items())[3:5] == [("next", (1, 1)), ("last", (0, 0))]


def test_each_head_has_the_place_that_it_looks_at_most():
    """What followed an earlier occurrence is another question: those places are among the others."""
    assert mostly(HEADS.assign(repeated=0.9)).tolist() == ["first", "previous", "itself", "first"]


def test_the_head_that_agrees_best_is_not_the_one_with_the_largest_effect():
    best = most_agreeing(HEADS)
    assert (best["block"], best["head"], best["agreement"]) == (0, 1, 0.3), "nor the one that disagrees most"


def test_the_sentence_that_repeats_most_is_measured_by_its_share():
    tokens = pd.DataFrame({"sentence": [0] * 6 + [1] * 4, "id": [1, 2, 3, 1, 5, 6, 7, 8, 7, 9]})
    assert most_repetitive(tokens) == 1, "1 of 4 tokens, not 1 of 6"
    assert most_repetitive(tokens.assign(id=tokens["id"].replace({2: 1, 3: 1}))) == 0


def test_published_rows_are_of_one_head_and_one_source():
    weights, tokens = weights_of(MAIA, blocks=2)
    rows = published_rows(weights, tokens)
    assert (rows["block"] == 0).all() and (rows["head"] == 9).all() and (rows["source"] == 10).all()
    assert rows["target"].tolist() == list(range(11)), "what explore looks at, not what looks at it"
    assert (published_rows(weights, tokens, head=3)["head"] == 3).all()
    elsewhere = tokens.assign(sentence=1)
    assert published_rows(weights, elsewhere).empty
    elsewhere = weights.assign(sentence=1)
    other = pd.concat([tokens.assign(text="Another."), tokens.assign(sentence=1)])
    assert len(published_rows(pd.concat([weights, elsewhere]), other)) == 11, "of its sentence alone"


def test_heads_that_rest_on_the_first_token_are_counted_at_the_published_place():
    weights, tokens = weights_of(MAIA, heads=10)
    assert first_is_largest(weights, tokens) == 0, "these weights grow with the target"
    at_first = (weights["source"] == 10) & (weights["target"] == 0)
    rested = weights.assign(weight=weights["weight"].mask(at_first & weights["head"].isin([2, 9]), 5.0))
    assert first_is_largest(rested, tokens) == 2
    column = weights.assign(weight=weights["weight"].mask((weights["source"] == 3) & (weights["target"] == 0), 5.0))
    assert first_is_largest(column, tokens) == 0, "other sources do not count"
    assert first_is_largest(*weights_of(MAIA[1:])) is None


@pytest.mark.parametrize("block", [0, 1])
def test_only_the_published_block_counts(block):
    weights, tokens = weights_of(MAIA, blocks=2)
    rested = (weights["block"] == block) & (weights["target"] == 0)
    found = first_is_largest(weights.assign(weight=weights["weight"].mask(rested, 5.0)), tokens)
    assert found == (10 if block == 0 else 0)
