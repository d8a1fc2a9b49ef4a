"""Findings of synonyms: of the words that they name, the paper's two left out where they say so."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.synonyms.summarise import findings_of, shared_words
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.rates import exact_interval, excess_interval, minimum_detectable_rate, rate_difference_interval


def pair(origin: str, word: str, number: int, moves: bool) -> dict:
    text = f"{word} {number}"
    after = (0.1, 0.9) if moves else (0.9, 0.1)
    about = {"id": text, "text": text, "term": "" if origin.startswith("published") else word, "cluster": text}
    about |= {"origin": origin, "flags": []}
    chances = {"before_joy": 0.9, "before_anger": 0.1, "after_joy": after[0], "after_anger": after[1]}
    return about | {"spans": [(0, len(word), 0, 0)]} | chances


def found(swaps: dict | None = None, **words: tuple[int, int]) -> dict:
    """Of each word, how many predictions it moves in how many texts: `surprised` always, `life` once in twenty times,
    `know` never, unless told. `swaps`: the same of its neutral swaps."""
    words = words or {"surprised": (20, 20), "life": (1, 20), "know": (0, 20)}
    rows = [
        pair(f"{origin}{control}", word, number, number < count)
        for origin in ("published", "word")
        for control, rates in (("", words), (" control", swaps or {}))
        for word, (count, texts) in rates.items()
        for number in range(texts)
    ]
    return {finding.name: finding for finding in findings_of(pd.DataFrame(rows), margin=0.02, alpha=0.05)}


def test_rewritten_texts_are_counted_with_and_without_the_papers_two_words():
    findings = found()
    assert findings["published"].value == pytest.approx(21 / 60)
    assert findings["published.but_surprising"].value == pytest.approx(1 / 40)


def test_every_word_has_its_own_rate():
    values = {name.removeprefix("word."): one.value for name, one in found().items() if name.startswith("word.")}
    assert values == {"surprised": 1.0, "life": pytest.approx(0.05), "know": 0.0}, "and no other without swaps"
    assert not [name for name in found() if name.endswith("beyond_neutral")]


def test_a_word_is_held_against_the_neutral_swaps_of_its_own_texts():
    """A quarter of the texts of `life` move whatever is swapped in them; `know` has swaps in none of its texts."""
    one = found({"life": (5, FEWEST_CLUSTERS)}, life=(15, 20), know=(4, 20))["word.life.beyond_neutral"]
    events = np.ones(FEWEST_CLUSTERS, bool), np.arange(FEWEST_CLUSTERS) < 5
    assert one.value == 1 - 5 / 8 and one.note == "8 of 8 texts and 5 of their neutral swaps."
    assert (one.low, one.high) == excess_interval(*events, np.arange(8)) and one.texts == 8


def test_of_a_word_whose_texts_offer_too_few_swaps_those_of_all_words_are_the_baseline():
    swaps = {"life": (0, FEWEST_CLUSTERS - 1), "know": (2, 13)}
    findings = found(swaps, life=(15, 20), know=(4, 20))
    one, whole = findings["word.life.beyond_neutral"], (np.arange(20) < 15, np.arange(20) < 2)
    assert one.value == pytest.approx(15 / 20 - 2 / 20) and one.texts == 20
    assert one.note == "15 of 20 texts, and 2 of 20 neutral swaps of any word."
    assert (one.low, one.high) == rate_difference_interval(*whole, paired=False)
    assert findings["word.know.beyond_neutral"].note == "4 of 13 texts and 2 of their neutral swaps.", "has enough"


def test_rewritten_texts_are_held_against_their_own_swaps_with_and_without_the_papers_two_words():
    findings = found({"surprised": (0, 10), "know": (4, 10)}, surprised=(20, 20), know=(3, 20))
    assert findings["published.beyond_neutral"].value == pytest.approx((10 + 3) / 20 - 4 / 20)
    assert findings["published.but_surprising.beyond_neutral"].value == pytest.approx(3 / 10 - 4 / 10)
    assert "published.but_surprising.beyond_neutral" not in found({"surprised": (0, 10)}, surprised=(1, 9), know=(3, 9))


def test_the_most_changed_word_is_named():
    findings = found()
    assert "surprised: 20 of 20" in findings["most_changed_word"].note
    assert "life: 1 of 20" in findings["most_changed_word.but_surprising"].note
    assert findings["most_changed_word"].beyond < 0.001 < findings["most_changed_word.but_surprising"].beyond


def test_the_most_changed_word_is_told_with_its_own_texts_and_the_rarest_beside_it():
    one = found(life=(12, 200), know=(0, 5))["most_changed_word"]
    assert (one.value, one.texts) == (0.06, 200)
    assert one.detectable == pytest.approx(minimum_detectable_rate(200, 0.02, 0.05 / 2))
    assert one.note.startswith("Decided by life: 12 of 200 texts.") and one.note.endswith("stands in 5 texts.")


def test_a_word_that_is_shown_to_change_nothing_does_not_stand_for_one_in_few_texts():
    """What would have gone undetected, and how many texts it takes, are those of a word that leaves it open."""
    one = found(life=(1, 500), know=(0, 5), mad=(0, 9))["most_changed_word"]
    assert (one.value, one.texts) == (0, 5) and "Decided by know" in one.note
    assert one.within == pytest.approx(0.98**5) and "Of 3 words, 1 are shown" in one.note
    every = found(life=(1, 500), know=(0, 400))["most_changed_word"]
    assert every.texts == 500 and every.within <= 0.05 and "2 are shown" in every.note


def test_the_most_changed_word_beyond_neutral_is_chosen_by_what_goes_beyond():
    """`life` moves most, and so do the neutral swaps of its texts."""
    swaps = {"life": (50, 100), "know": (0, 100), "mad": (0, 300)}
    findings = found(swaps, life=(60, 100), know=(40, 100), mad=(0, 300))
    raw, one = findings["most_changed_word"], findings["most_changed_word.beyond_neutral"]
    assert "Decided by life" in raw.note and "Decided by know" in one.note
    assert one.value == 0.4 and one.within > 0.9, "though mad is shown to do no more"
    know = findings["word.know.beyond_neutral"]
    assert one.low < know.low and one.high > know.high, "the interval allows for three words"
    events = np.arange(100) < 40, np.zeros(100, bool)
    assert (one.low, one.high) == excess_interval(*events, np.arange(100), 0.05 / 3)


def test_frequent_words_are_compared_class_by_class():
    columns = ["stop_words", "class", "word"]
    rows = [("published", "joy", "life"), ("published", "joy", "dont"), ("stripped", "joy", "love")]
    words = pd.DataFrame([*rows, ("published", "fear", "love")], columns=columns)
    printed = pd.DataFrame({"class": ["joy", "joy", "fear", "anger"], "word": ["life", "love", "afraid", "mad"]})
    shared = {finding.name: finding.value for finding in shared_words(words, printed)}
    assert shared == {"frequent_words.joy": 1, "frequent_words.fear": 0}, "a class that we lack has no number"


def test_that_no_word_changes_predictions_has_to_be_shown_of_every_word():
    every, but = (found()[f"most_changed_word{ending}"] for ending in ("", ".but_surprising"))
    assert every.within == pytest.approx(1), "though `know` never does"
    assert but.beyond == pytest.approx(2 * (1 - 0.98**20)), "the larger of two words"
    assert (but.low, but.high) == pytest.approx(exact_interval(1, 20, 0.05 / 2))


def test_texts_of_which_the_model_does_not_read_the_word_are_none():
    rows = [pair(origin, "life", number, number < 5) for origin in ("published", "word") for number in range(20)]
    flags = [["beyond the context"] if row["id"].split()[1] in map(str, range(5, 15)) else [] for row in rows]
    found = {one.name: one for one in findings_of(pd.DataFrame(rows).assign(flags=flags), margin=0.02, alpha=0.05)}
    assert found["word.life"].value == found["published"].value == 5 / 10
    assert found["words.beyond_context"].value == found["published.beyond_context"].value == 10
