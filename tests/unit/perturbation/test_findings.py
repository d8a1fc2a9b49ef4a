"""Findings on pairs: an excess over neutral swaps is judged on one side, as its verdict on pages is."""

import numpy as np
import pandas as pd
import pytest

from emoscope.perturbation.findings import beyond_all_neutral, beyond_neutral, cut_off
from emoscope.perturbation.pairs import BEYOND
from emoscope.statistics.rates import excess_interval, excess_verdict, rate_difference_interval

MARGIN, ALPHA = 0.02, 0.05


def pairs(count: int, texts: int, first: int = 0) -> pd.DataFrame:
    """Pairs of which the first so many move."""
    names = [f"text {number}" for number in range(first, first + texts)]
    return pd.DataFrame(
        {"id": names, "text": names, "cluster": names, "origin": "word", "moves": np.arange(texts) < count}
    )


def moves(table: pd.DataFrame) -> pd.Series:
    return table["moves"]


@pytest.mark.parametrize(
    ("own", "neutral", "texts", "verdict"),
    [
        (0, 0, 189, "no more"),
        (0, 0, 180, "not settled"),
        (5, 60, 100, "no more"),  # far fewer
        (60, 5, 100, "more"),
        (20, 20, 100, "not settled"),
        (9, 0, 9, "more"),
        (0, 9, 9, "no more"),
    ],
)
def test_no_more_than_neutral_is_shown_where_the_page_says_so(own, neutral, texts, verdict):
    [one] = beyond_neutral("it", pairs(own, texts), pairs(neutral, texts), moves, MARGIN, ALPHA)
    interval = excess_interval(np.arange(texts) < own, np.arange(texts) < neutral, np.arange(texts))
    assert excess_verdict(interval, MARGIN) == verdict and (one.low, one.high) == interval
    assert (one.within <= ALPHA) == (verdict == "no more")
    assert (one.beyond <= ALPHA) == (one.low > MARGIN) == (verdict == "more")
    assert one.value == pytest.approx((own - neutral) / texts) and not one.rate and one.texts == texts


def test_what_would_show_falls_with_the_number_of_texts():
    few, many = (
        next(beyond_neutral("it", pairs(0, texts), pairs(0, texts), moves, MARGIN, ALPHA)).detectable
        for texts in (20, 2000)
    )
    assert 0.2 < few < 0.4 and 0.001 < many < 0.004


def test_texts_without_a_swap_are_no_part_and_swaps_of_other_texts_are_none():
    [one] = beyond_neutral("it", pairs(3, 10), pairs(1, 6, first=2), moves, MARGIN, ALPHA)
    assert one.note == "1 of 6 texts and 1 of their neutral swaps."
    assert not [*beyond_neutral("it", pairs(3, 10), pairs(1, 6, first=50), moves, MARGIN, ALPHA)]


def test_swaps_of_all_texts_count_each_text_once():
    swaps = pairs(2, 30, first=50)
    one = beyond_all_neutral("it", pairs(3, 10), pd.concat([swaps, swaps]), moves, MARGIN, ALPHA)
    assert one.note == "3 of 10 texts, and 2 of 30 neutral swaps of any word."
    events = np.arange(10) < 3, np.arange(30) < 2
    assert (one.low, one.high) == rate_difference_interval(*events, paired=False)


def test_pairs_that_the_model_does_not_tell_apart_are_counted_if_there_are_any():
    table = pairs(3, 10).assign(flags=[[BEYOND]] * 4 + [["name"]] * 6)
    (one,) = cut_off("it", table)
    assert (one.name, one.value, one.note) == ("it.beyond_context", 4, "Of 10 pairs.")
    assert not list(cut_off("it", table[4:]))
