"""How alike neutral swaps are to the pairs that they are compared with."""

import numpy as np
import pandas as pd
import pytest

from emoscope.perturbation.balance import TOLERANCE, balance, difference
from emoscope.perturbation.edits import perturb
from emoscope.perturbation.frequencies import Frequencies
from emoscope.perturbation.pair_sets import pair_row, pair_table

KNOWN = Frequencies({"dad": 999, "mom": 99, "bus": 99, "tram": 9, "train": 0}, frozenset())


def pair(identity: int, origin: str, text: str, old: str, new: str, flags: tuple = (), term: str = "") -> tuple:
    start = text.index(old)
    made = perturb(text, [(start, start + len(old), new)], flags)
    return pair_row(identity, "gender", origin, term, 0, made)


def measures(*rows: tuple) -> pd.DataFrame:
    return balance(pair_table(rows), KNOWN).set_index("measure")


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
