"""Texts that stand in two tables are found, whatever their case and blanks."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from emoscope.data.known_texts import repeats, stand_in

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
