"""Findings of synonyms: of the words that they name, the paper's two left out where they say so."""

import pandas as pd
import pytest

from emoscope.experiments.synonyms.summarise import findings_of, shared_words
from emoscope.statistics.rates import exact_interval


def pair(origin: str, word: str, number: int, moves: bool) -> dict:
    text = f"{word} {number}"
    after = (0.1, 0.9) if moves else (0.9, 0.1)
    about = {"text": text, "term": word if origin == "word" else "", "cluster": text, "origin": origin, "flags": []}
    chances = {"before_joy": 0.9, "before_anger": 0.1, "after_joy": after[0], "after_anger": after[1]}
    return about | {"spans": [(0, len(word), 0, 0)]} | chances


def found() -> dict:
    """`surprised` always moves the prediction, `life` once in twenty times, `know` never."""
    rows = [
        pair(origin, word, number, number < count)
        for origin in ("published", "word")
        for word, count in {"surprised": 20, "life": 1, "know": 0}.items()
        for number in range(20)
    ]
    return {finding.name: finding for finding in findings_of(pd.DataFrame(rows), margin=0.02, alpha=0.05)}


def test_rewritten_texts_are_counted_with_and_without_the_papers_two_words():
    findings = found()
    assert findings["published"].value == pytest.approx(21 / 60)
    assert findings["published.but_surprising"].value == pytest.approx(1 / 40)


def test_every_word_has_its_own_rate():
    values = {name.removeprefix("word."): one.value for name, one in found().items() if name.startswith("word.")}
    assert values == {"surprised": 1.0, "life": pytest.approx(0.05), "know": 0.0}


def test_the_most_changed_word_is_named():
    findings = found()
    assert "surprised: 20 of 20" in findings["most_changed_word"].note
    assert "life: 1 of 20" in findings["most_changed_word.but_surprising"].note
    assert findings["most_changed_word"].beyond < 0.001 < findings["most_changed_word.but_surprising"].beyond


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
