"""What a model does not read: a pair counts as cut only if cutting made its texts the same."""

import pytest

from emoscope.perturbation.scored_pairs import beyond_context

LONG = "he said that she was afraid of the dark house at the end of the street"


@pytest.fixture
def short_of(tokenizer, bert):
    """A tokenizer that cuts texts to so many tokens; the one of BERT's kind puts a last token behind what is left."""
    _, own = bert

    def cut(kind: str, tokens: int):
        chosen = {"gpt2": tokenizer, "bert": own}[kind]
        before, chosen.model_max_length = chosen.model_max_length, tokens
        undo.append((chosen, before))
        return chosen

    undo = []
    yield cut
    for chosen, before in reversed(undo):
        chosen.model_max_length = before


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_a_pair_is_cut_where_its_texts_differ_behind_the_context_alone(short_of, kind):
    texts = [LONG, LONG, "i love my dog", LONG]
    others = [LONG.replace("street", "house"), LONG.replace("he said", "she said"), "i love my house", LONG]
    assert beyond_context(short_of(kind, 8), texts, others).tolist() == [True, False, False, False]
    assert not beyond_context(short_of(kind, 64), texts, others).any()


def test_a_pair_with_an_exchange_on_either_side_of_the_end_is_read(short_of):
    other = LONG.replace("street", "house").replace("he said", "she said")
    assert beyond_context(short_of("gpt2", 8), [LONG], [other]).tolist() == [False]


def test_words_that_no_vocabulary_knows_are_read_alike_and_not_cut(short_of):
    one, other = "\N{SNOWMAN}", "\N{COMET}"
    tokenizer = short_of("bert", 64)
    assert len({tuple(tokenizer(text)["input_ids"]) for text in (one, other)}) == 1
    assert not beyond_context(tokenizer, [f"i feel {one}"], [f"i feel {other}"]).any()


def test_no_pairs_are_no_error(tokenizer):
    assert beyond_context(tokenizer, [], []).tolist() == []
