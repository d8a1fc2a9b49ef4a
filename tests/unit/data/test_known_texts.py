"""Texts that stand in two tables are found, letter by letter."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from emoscope.data.known_texts import stand_in

TEXTS = st.lists(st.text("aß \U0001f600\n", max_size=3))


@given(TEXTS, TEXTS, st.sampled_from(["str", "object"]))
def test_a_text_stands_among_others_if_it_is_one_of_them_to_the_letter(texts, others, dtype):
    rows = pd.Series(texts, range(5, 5 + len(texts)), dtype=dtype)
    expected = pd.Series([text in others for text in texts], rows.index, dtype=bool)
    pd.testing.assert_series_equal(stand_in(rows, pd.Series(others, dtype=dtype)), expected)
