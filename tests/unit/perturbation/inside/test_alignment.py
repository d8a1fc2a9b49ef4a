"""Alignment: every token belongs to one unit of a pair, whatever the lengths."""

from hypothesis import given
from hypothesis import strategies as st

from emoscope.perturbation.inside.alignment import align, aligned_units
from traced_pair import FLIPPED, SPANS, TEXT

WORDS = st.lists(st.sampled_from(["he", "she", "a", "feels", "mother in law"]), min_size=1, max_size=8)


@given(WORDS, WORDS)
def test_units_line_up_whatever_the_lengths(words, others):
    """Each `he` is one changed span; its counterpart may have any number of words."""
    text, perturbed, spans = "", "", []
    for number, word in enumerate(words):
        space = " " if number else ""
        other = others[number % len(others)] if word == "he" else word
        start, other_start = len(text + space), len(perturbed + space)
        text, perturbed = text + space + word, perturbed + space + other
        if word == "he":
            spans.append((start, len(text), other_start, len(perturbed)))
    units = aligned_units(text, perturbed, spans)
    for (start, end), (other_start, other_end) in units:
        same = text[start:end] == perturbed[other_start:other_end]
        assert same or (start, end, other_start, other_end) in spans
    assert " ".join(text[start:end] for (start, end), _ in units) == text


def test_every_token_belongs_to_one_unit(tokenizer):
    aligned = align(tokenizer, TEXT, FLIPPED, SPANS)
    assert [unit.word for unit in aligned.units] == TEXT.split()
    assert [unit.flipped_word for unit in aligned.units] == FLIPPED.split()
    for text, side in ((aligned.original, "tokens"), (aligned.flipped, "flipped_tokens")):
        places = [place for unit in aligned.units for place in getattr(unit, side)]
        assert places == list(range(text["input_ids"].shape[1]))


def test_special_tokens_are_units_of_their_own(bert):
    _, own = bert
    aligned = align(own, TEXT, FLIPPED, SPANS)
    assert [unit.word for unit in aligned.units] == ["[CLS]", *TEXT.split(), "[SEP]"]
    assert [unit.flipped_word for unit in aligned.units] == ["[CLS]", *FLIPPED.split(), "[SEP]"]
    assert sorted(place for unit in aligned.units for place in unit.tokens) == list(
        range(aligned.original["input_ids"].shape[1])
    )


def test_words_that_share_a_token_are_one_unit(tokenizer):
    # the span ends inside a word, as where `he` in `hes` becomes `she`
    aligned = align(tokenizer, "i think hes happy", "i think shes happy", [(8, 10, 8, 11)])
    words = [(unit.word, unit.flipped_word) for unit in aligned.units]
    assert "".join(word for word, _ in words) == "ithinkheshappy"
    places = [place for unit in aligned.units for place in unit.tokens]
    assert places == list(range(aligned.original["input_ids"].shape[1]))


def test_a_unit_beyond_the_context_is_left_out(tokenizer):
    long = "dog " * 100
    aligned = align(tokenizer, "he " + long + "he", "she " + long + "she", [(0, 2, 0, 3), (403, 405, 404, 407)])
    assert aligned.units[0].flipped_word == "she"
    assert aligned.units[-1].word == "dog"
