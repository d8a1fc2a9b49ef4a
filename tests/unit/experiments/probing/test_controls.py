"""Control labels: dealt out by chance, never the concept, and read by what reads words and nothing else."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.probing.controls import by_sums, by_types, dealt
from emoscope.experiments.probing.names import FEWEST_TYPES
from emoscope.experiments.probing.probe import probed


def examples(kinds: list[str], values: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"text": kinds, "value": values, "kind": kinds, "spans": [[(0, len(kind))] for kind in kinds]})


def test_labels_of_types_are_independent_and_in_the_shares_of_the_values():
    kinds = [{f"word {number % 50}"} for number in range(500)]
    values = np.array([0] * 300 + [3] * 100 + [0] * 75 + [3] * 25)
    drawn = by_types(kinds, values, np.random.default_rng(0))
    draws = np.stack([next(drawn)[:50] for _ in range(400)])
    assert set(np.unique(draws)) == {0, 3} and (draws == 0).mean() == pytest.approx(0.75, abs=0.01)
    shares = (draws == 0).mean(axis=1)
    assert shares.std() == pytest.approx(np.sqrt(0.75 * 0.25 / 50), rel=0.15), "as of tosses, not of a deck of cards"


def test_one_word_in_most_texts_gets_the_label_of_another_half_of_the_time():
    """Of labels that are dealt out in equal shares, `she` nearly always gets what `he` does not."""
    kinds = ["he", "she"] * 80 + ["aunt", "uncle", "king", "queen", "lad", "lass"] * 2
    values = np.array([0, 1] * 80 + [1, 0, 0, 1, 0, 1] * 2)
    drawn = by_types([{kind} for kind in kinds], values, np.random.default_rng(0))
    alike = [labels[0] == labels[1] for labels, _ in zip(drawn, range(300), strict=False)]
    assert np.mean(alike) == pytest.approx(0.5, abs=0.08)


def test_no_control_is_the_concept_or_its_mirror_or_one_label_for_all():
    kinds, values = [{f"w{number % 6}"} for number in range(60)], np.array([0, 1] * 30)
    for labels, _ in zip(by_types(kinds, values, np.random.default_rng(0)), range(300), strict=False):
        assert 0 < np.mean(labels == values) < 1 and 0 < labels.mean() < 1


def test_few_word_types_have_no_control():
    for types in (2, FEWEST_TYPES - 1, FEWEST_TYPES):
        kinds = [f"w{number % types}" for number in range(60)]
        both = examples(kinds[:40], [0, 1] * 20), examples(kinds[40:], [0, 1] * 10)
        controls = dealt(*both, 4, 0)
        assert len(controls) == (4 if types == FEWEST_TYPES else 0)
        assert all(len(learned) == 40 and len(judged) == 20 for learned, judged in controls)


def test_sums_deal_each_value_to_as_many_texts():
    rng, values = np.random.default_rng(0), np.repeat([0, 1, 5], [50, 30, 20])
    sums = rng.normal(size=100)
    labels = by_sums(sums, values, rng)
    assert [np.sum(labels == value) for value in (0, 1, 5)] == [50, 30, 20]
    assert len(np.flatnonzero(np.diff(labels[np.argsort(sums)]))) == 2, "each has a range of its own"


def test_controls_of_types_are_read_where_word_types_are():
    kinds = [f"w{number % 10}" for number in range(200)]
    values = np.array([number % 2 for number in range(200)])
    types = np.eye(10)[[number % 10 for number in range(200)]]
    controls = dealt(examples(kinds[:120], values[:120]), examples(kinds[120:], values[120:]), 4, 0)
    read = [probed(types[:120], types[120:], *labels).mean() for labels in controls]
    assert min(read) > 0.95, "states that are word types"
    read = [probed(values[:120, None], values[120:, None], *labels).mean() for labels in controls]
    assert max(read) < 0.95, "states that are the concept alone"


def test_controls_of_texts_with_several_types_are_read_where_word_types_are():
    """A bag of types tells the concept in every text, and its control, too: which word comes first is not in it."""
    groups = (("he", "his", "man", "boy", "king", "uncle"), ("she", "her", "woman", "girl", "queen", "aunt"))
    rows = [(value, *pair) for value, words in enumerate(groups) for pair in permutations(words, 2)] * 5
    values, types = np.array([value for value, *_ in rows]), sorted({*groups[0], *groups[1]})
    texts = [" ".join(pair) for _, *pair in rows]
    spans = [[(0, len(one)), (len(one) + 1, len(one) + 1 + len(two))] for _, one, two in rows]
    table = pd.DataFrame({"text": texts, "value": values, "kind": [one for _, one, _ in rows], "spans": spans})
    bag = np.array([[name in pair for name in types] for _, *pair in rows]).astype(float)
    read = [probed(bag, bag, *labels).mean() for labels in dealt(table, table, 20, 0)]
    assert probed(bag, bag, values, values).all() and np.mean(read) > 0.95


def test_controls_of_texts_are_read_from_all_of_their_words_and_from_no_single_one():
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.3, (600, 30))
    texts = [" ".join(f"word{number}" for number in np.repeat(range(30), row)) or "word0" for row in counts]
    values = rng.integers(0, 2, 600)
    whole = pd.DataFrame({"text": texts, "value": values, "kind": ""})
    controls = dealt(whole[:400], whole[400:], 3, 0)
    read = [probed(counts[:400], counts[400:], *labels).mean() for labels in controls]
    assert min(read) > 0.85, "states that are a bag of words"
    one = counts[:, :1]
    assert max(probed(one[:400], one[400:], *labels).mean() for labels in controls) < 0.75
    assert len({tuple(labels[0]) for labels in controls}) == 3
