"""Texts that stand in two tables are found, whatever their case and blanks."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from emoscope.data import known_texts
from emoscope.data.known_texts import one_stands_in, repeats, stand_in

TEXTS = st.lists(st.text("aASß \U0001f600\n", max_size=3))


def plain(text: str) -> str:
    return " ".join(text.casefold().split())


@given(TEXTS, TEXTS, st.sampled_from(["str", "object"]))
def test_a_text_stands_among_others_if_it_is_one_of_them_but_for_case_and_blanks(texts, others, dtype):
    rows = pd.Series(texts, range(5, 5 + len(texts)), dtype=dtype)
    expected = pd.Series([plain(text) in map(plain, others) for text in texts], rows.index, dtype=bool)
    pd.testing.assert_series_equal(stand_in(rows, pd.Series(others, dtype=dtype)), expected)


def test_case_and_blanks_make_no_other_text_and_marks_do():
    texts = pd.Series(["So sad", "so  sad ", "so sad!", "STRASSE", "straße"])
    assert repeats(texts).tolist() == [False, True, False, False, True]
    assert stand_in(texts, pd.Series([" SO\nSAD"])).tolist() == [True, True, False, False, False]


def test_a_pair_is_known_by_either_text_and_the_known_ones_are_read_once(monkeypatch):
    read, keys_of = [], known_texts.keys_of
    monkeypatch.setattr(known_texts, "keys_of", lambda texts: read.append(len(texts)) or keys_of(texts))
    pairs = pd.DataFrame({"text": ["a", "b", "c"], "perturbed": ["d", "E ", "f"]}, index=[7, 3, 5])
    others = pd.Series(["e", "c", "g", "h"])
    assert one_stands_in(pairs, others).tolist() == [False, True, True]
    assert sorted(read) == [len(others), 2 * len(pairs)]
    assert one_stands_in(pairs[["text"]], others).tolist() == [False, False, True]
    assert one_stands_in(pairs[:0], others).tolist() == []
