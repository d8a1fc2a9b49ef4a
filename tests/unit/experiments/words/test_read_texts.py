"""Words, tokens, and which token belongs to which word."""

from copy import deepcopy

import numpy as np
import pytest

from emoscope.data.text_words import words_of
from emoscope.experiments.words.methods import SPECIAL
from emoscope.experiments.words.read_texts import owners_of, read_texts, rewritten
from random_models import TEXTS, train_wordpiece


@pytest.fixture(params=["bpe", "wordpiece"])
def any_tokenizer(request, tokenizer):
    return tokenizer if request.param == "bpe" else train_wordpiece(TEXTS * 3, 300)


def test_words_are_cut_at_spaces_and_marks():
    text = "it's so-so, isn\u2019t it?! \U0001f600"
    assert [text[start:end] for start, end in words_of(text)] == [
        "it's",
        "so-so",
        ",",
        "isn\u2019t",
        "it",
        "?!",
        "\U0001f600",
    ]


def test_the_tokens_of_a_word_read_as_the_word(any_tokenizer):
    for reading in read_texts(any_tokenizer, [*TEXTS, "unbelievably happy, isn't it?"]):
        for number in range(len(reading.words)):
            ids = [
                token for token, own in zip(reading.inputs["input_ids"], reading.owners, strict=True) if own == number
            ]
            said = any_tokenizer.decode(ids).replace(" ", "")
            assert said == reading.word(number) or any_tokenizer.unk_token in said, reading.word(number)


def test_tokens_that_the_tokenizer_adds_belong_to_no_word():
    [reading] = read_texts(train_wordpiece(TEXTS * 3, 300), ["i am so angry"])
    assert reading.owners[0] == reading.owners[-1] == SPECIAL and (reading.owners[1:-1] != SPECIAL).all()


def test_a_space_goes_with_the_word_that_follows_and_the_end_with_the_last():
    words = [(0, 2), (3, 6)]
    assert owners_of([(0, 2), (2, 3), (3, 6), (6, 7)], [0, 0, 0, 0], words).tolist() == [0, 1, 1, 1]


def test_words_beyond_the_context_are_left_out(tokenizer):
    [reading] = read_texts(tokenizer, ["happy " * 200])
    assert len(reading.words) < 200 and reading.owners.max() == len(reading.words) - 1 and reading.cut


def test_a_text_is_cut_where_the_context_ends_and_not_where_the_tokenizer_passes_over_its_end(tokenizer):
    [long] = read_texts(tokenizer, ["happy" * 200])
    assert len(long.words) == 1 and long.cut, "it ends within a word"
    [passed] = read_texts(train_wordpiece(TEXTS * 3, 300), ["i am happy \u200b"])
    assert len(passed.words) == 3 and not passed.cut, "a sign without width is no token of it"


def test_scores_of_tokens_are_summed_by_word_and_special_ones_come_last():
    [reading] = read_texts(train_wordpiece(TEXTS * 3, 300), ["i am so angry"])
    scores = np.arange(len(reading.owners), dtype=float)
    summed = reading.by_word(scores)
    assert summed[-1] == scores[0] + scores[-1]
    for number in range(len(reading.words)):
        assert summed[number] == scores[reading.owners == number].sum()


@pytest.mark.parametrize("context", [16, 400])
def test_of_a_long_text_the_beginning_is_read(tokenizer, monkeypatch, context):
    """Where the model reads more than is explained, what it says is asked of that beginning, too."""
    monkeypatch.setattr("emoscope.experiments.words.read_texts.LONGEST", 32)
    own, text = deepcopy(tokenizer), "  and so on \N{SLICE OF PIZZA} he said" * 40
    own.model_max_length = context
    [short, long] = read_texts(own, ["i am so angry", text])
    assert (short.text, short.cut, long.cut) == ("i am so angry", False, True)
    assert len(long.owners) == min(context, 32) and long.words[-1][1] <= len(long.text)
    if context < 32:
        assert long.text == text, "which the model cuts by itself"
    else:
        assert text.startswith(long.text) and own(long.text)["input_ids"] == long.inputs["input_ids"]


def test_words_are_cut_out_or_replaced(tokenizer):
    [reading] = read_texts(tokenizer, ["i am so angry, really"])
    assert rewritten(reading, np.array([1, 1, 0, 1, 1, 1], dtype=bool)) == "i am angry, really"
    assert rewritten(reading, np.array([1, 1, 1, 0, 1, 1], dtype=bool), ["x"] * 6) == "i am so x, really"
    assert rewritten(reading, np.zeros(6, dtype=bool)) == ""
