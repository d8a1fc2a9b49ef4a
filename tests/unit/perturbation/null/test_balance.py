"""How alike neutral swaps are to the pairs that they are compared with."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.perturbation.edits import perturb
from emoscope.perturbation.null.balance import TOLERANCE, balance, balanced, difference
from emoscope.perturbation.null.frequencies import Frequencies
from emoscope.perturbation.pair_sets import pair_row, pair_table

KNOWN = Frequencies({"dad": 999, "mom": 99, "bus": 99, "tram": 9, "train": 0}, frozenset())


def pair(identity: int, origin: str, text: str, old: str, new: str, flags: tuple = (), term: str = "") -> tuple:
    start = text.index(old)
    made = perturb(text, [(start, start + len(old), new)], flags)
    return pair_row(identity, "gender", origin, term, 0, made)


def measures(*rows: tuple) -> pd.DataFrame:
    return balance(*sides(rows), KNOWN).set_index("measure")


def sides(rows: Iterable[tuple]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs, and neutral swaps."""
    table = pair_table(rows)
    neutral = table["origin"].str.endswith("control")
    return table[~neutral], table[neutral]


def test_what_is_changed_stands_beside_what_the_control_changes():
    found = measures(
        pair(1, "natural", "dad took the bus", "dad", "mom"),
        pair(1, "natural control", "dad took the bus", "bus", "train"),
    )
    row = found.loc["log10 frequency"]
    assert (row["all"], row["with_null"], row["null"]) == (3, 3, 2)
    assert found.loc["change of log10 frequency", ["with_null", "null"]].tolist() == [-1, -2]
    assert found.loc["ten times rarer", ["with_null", "null"]].tolist() == [1, 1]
    assert found.loc["place", ["with_null", "null"]].tolist() == [0, 1]
    assert found.loc["last word changed", ["with_null", "null"]].tolist() == [0, 1]
    assert found.loc["characters added", ["with_null", "null"]].tolist() == [0, 2]
    assert found.loc["noun", ["with_null", "null", "difference"]].tolist() == [1, 1, 0]
    assert found.loc["noun", "balanced"] and not found.loc["place", "balanced"]


def test_only_pairs_with_a_control_of_their_own_are_compared_and_all_are_told():
    found = measures(
        pair(1, "natural", "dad took the bus", "dad", "mom"),
        pair(2, "natural", "we like the mom", "mom", "dad"),
        pair(3, "natural", "we like mom", "mom", "dad", flags=("uncertain",)),
        pair(1, "natural control", "dad took the bus", "bus", "tram"),
    )
    assert found.loc["place", ["all", "with_null"]].tolist() == [0.5, 0]
    assert found.loc["words changed", ["n", "n_all"]].tolist() == [1, 2]
    assert found.loc["place", "unit"] == "word" and found.loc["words changed", "unit"] == "text"


def test_a_word_is_compared_with_its_own_controls():
    found = measures(
        pair(1, "word", "dad took the bus", "dad", "mom", term="dad"),
        pair(1, "word", "dad took the bus", "bus", "tram", term="bus"),
        pair(1, "word control", "dad took the bus", "bus", "tram", term="dad"),
    )
    assert found.loc["place", ["all", "with_null", "null", "n"]].tolist() == [0.5, 0, 1, 1]


def test_without_controls_there_is_no_balance():
    assert measures(pair(1, "natural", "dad took the bus", "dad", "mom")).empty


def test_differences_are_in_standard_deviations_and_signed():
    first, second = np.array([1.0, 3.0]), np.array([0.0, 2.0])
    assert difference(first, second) == 1 and difference(second, first) == -1
    assert difference(np.array([1.0, 1, 0, 0]), np.array([1.0, 0, 0, 0])) == pytest.approx(0.25 / np.sqrt(0.21875))
    assert difference(np.ones(3), np.ones(3)) == 0 and difference(np.ones(3), np.zeros(3)) == np.inf
    assert TOLERANCE == 0.25


# A flipped word, what becomes of it, its control and what becomes of that: as frequent, rarer, commoner.
ALIKE, RARER, COMMONER = ("mom", "sis", "bus", "van"), ("mom", "sis", "cab", "jet"), ("dad", "pop", "bus", "van")
OFTEN, SELDOM = ("mom", "sis", "bus", "van"), ("cab", "jet", "dad", "pop")
EVEN = Frequencies(dict.fromkeys(OFTEN, 99) | dict.fromkeys(SELDOM, 9), frozenset())


def compared(*kinds: tuple) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs whose places are those of their controls, since every other text is turned round."""
    rows = []
    for number, (old, new, word, other) in enumerate(kinds):
        first, second = (word, old) if number % 2 else (old, word)
        text = f"no{number} my {first} and my {second} too"
        rows += [pair(number, "natural", text, old, new), pair(number, "natural control", text, word, other)]
    return sides(rows)


def test_controls_of_rarer_words_are_left_out_until_all_is_balanced():
    own, swaps = compared(*[ALIKE] * 40, *[RARER] * 4)
    left = balanced(own, swaps, EVEN)
    before, after = (balance(own, table, EVEN).set_index("measure") for table in (swaps, left))
    assert before.loc["log10 frequency", "difference"] > TOLERANCE >= after.loc["log10 frequency", "difference"] > 0
    assert set(range(40)) < set(left["id"])
    assert after["balanced"].all()


def test_what_is_unlike_both_ways_may_stay():
    own, swaps = compared(*[ALIKE] * 12, *[RARER] * 4, *[COMMONER] * 4)
    assert len(balanced(own, swaps, EVEN)) == 20


def test_controls_of_commoner_words_are_left_out_and_not_those_of_rarer_ones():
    own, swaps = compared(*[ALIKE] * 20, *[COMMONER] * 6, *[RARER] * 2)
    left = balanced(own, swaps, EVEN)
    gone = set(swaps["id"]) - set(left["id"])
    assert gone and gone < set(range(20, 26))


@pytest.mark.parametrize(
    ("unlike", "alike", "left"),
    [(6, 8, 8), (6, 7, 13), (20, 20, 20), (21, 20, 41), (30, 0, 30)],  # at least eight, and at least half
)
def test_too_few_to_be_balanced_all_stay(unlike, alike, left):
    own, swaps = compared(*[RARER] * unlike, *[ALIKE] * alike)
    kept = balanced(own, swaps, EVEN)
    assert len(kept) == left and (left > alike or set(kept["id"]) == set(range(unlike, unlike + alike)))


def test_without_controls_there_is_nothing_to_balance():
    own, swaps = compared(ALIKE)
    assert balanced(own, swaps.iloc[:0], EVEN).empty


@given(st.lists(st.sampled_from([ALIKE, RARER, COMMONER]), min_size=1, max_size=40))
def test_controls_are_balanced_or_all_there(kinds):
    own, swaps = compared(*kinds)
    left = balanced(own, swaps, EVEN)
    assert len(left) == len(swaps) or balance(own, left, EVEN)["balanced"].all()
    assert left.equals(swaps.loc[left.index])
