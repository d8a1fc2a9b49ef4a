"""How often words occur, and which of them tell a class."""

import pandas as pd
import pytest

from emoscope.perturbation.null.frequencies import Frequencies


def texts(*rows: tuple[str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["text", "label"])


def test_every_occurrence_counts_whatever_its_case():
    found = Frequencies.of(texts(("Tea, tea!", 0), ("no tea", -1)), [])
    assert found.counts["tea"] == 3
    assert found.log10("TEA") == pytest.approx(0.60206) and found.log10("coffee") == 0
    assert found.log10("no tea") == pytest.approx(0.30103)  # a phrase is as rare as its rarest word


def test_words_of_one_class_are_telling_and_even_ones_are_not():
    rows = [("bus grin", 0)] * 50 + [("bus cry", 1)] * 50 + [("tea", 0)] * 50 + [("tea", 1)] * 50
    found = Frequencies.of(texts(*rows), ["bus", "grin", "cry", "nowhere"])
    assert found.telling == {"grin", "cry"}
    assert found.neutral("bus") and not found.neutral("grin") and not found.neutral("nowhere")


def test_a_word_met_twice_or_hardly_uneven_tells_nothing():
    rows = [("bus", 0)] * 5000 + [("bus", 1)] * 5000 + [("x", 0)] * 4000 + [("x", 1)] * 4000 + [("odd", 0)] * 2
    rows += [("slight", 0)] * 540 + [("slight", 1)] * 460
    assert Frequencies.of(texts(*rows), ["bus", "odd", "slight"]).telling == frozenset()


def test_many_words_are_not_told_by_chance():
    rows = [(f"w{k}", k % 2) for k in range(40) for _ in range(5)] + [("x", 0), ("x", 1)] * 500
    assert Frequencies.of(texts(*rows[:5], *rows[200:]), ["w0"]).telling == frozenset()  # p = 0.07
    rows = [("six", 0)] * 6 + [("x", 0), ("x", 1)] * 500
    assert Frequencies.of(texts(*rows), ["six"]).telling == {"six"}
    others = [f"o{k}" for k in range(30)]
    rows += [(" ".join(others), 0), (" ".join(others), 1)]
    assert Frequencies.of(texts(*rows), ["six", *others]).telling == frozenset()


def test_texts_without_labels_or_of_one_class_tell_nothing():
    assert Frequencies.of(texts(("tea", -1), ("bus", -1)), ["tea"]).telling == frozenset()
    assert Frequencies.of(texts(("tea", 0), ("bus", 0)), ["tea"]).telling == frozenset()
