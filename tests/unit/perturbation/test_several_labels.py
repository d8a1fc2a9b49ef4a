"""Pairs of texts that may be given several labels: when a prediction changes, what is gained, and how far it moved."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from emoscope.experiments.flips.pair_set import flip_terms
from emoscope.experiments.synonyms.pair_set import count_words, replace_words
from emoscope.models.logits import predict_logits
from emoscope.perturbation.edits import perturb
from emoscope.perturbation.effects import summarise
from emoscope.perturbation.null.frequencies import Frequencies
from emoscope.perturbation.pair_examples import most_changed
from emoscope.perturbation.pair_sets import joined, pair_row, pair_table
from emoscope.perturbation.pairs import decisions, distances, moved, scored
from emoscope.perturbation.scored_pairs import score_perturbation
from emoscope.statistics.distances import total_variation
from emoscope.storage.decisions import SEVERAL
from emoscope.storage.files import write_json, write_table
from project import ROOT

CLASSES = ["sadness", "joy", "love"]
STATISTICS = {"confidence": 0.95, "margin": 0.02}
BEFORE = [[0.9, 0.6, 0.1], [0.2, 0.3, 0.1], [0.1, 0.9, 0.8], [0.6, 0.5, 0.2]]
AFTER = [[0.6, 0.9, 0.1], [0.2, 0.6, 0.1], [0.1, 0.9, 0.3], [0.5, 0.6, 0.2]]
GIVEN = [[0, 1], [], [1, 2], [0]], [[0, 1], [1], [1], [0]]  # by thresholds of 0.5, 0.55 or 0.65, 0.5


@pytest.fixture
def pairs() -> pd.DataFrame:
    table = pd.DataFrame({"id": range(4), "axis": "gender", "origin": "natural", "term": "", "cluster": list("abcd")})
    table = table.assign(text=list("abcd"), label=[[0, 1], [1], None, [0]], flags=[[]] * 4)
    table["direction"] = ["male to female", "female to male"] * 2
    for when, values, given in zip(("before", "after"), (BEFORE, AFTER), GIVEN, strict=True):
        table[[f"{when}_{name}" for name in CLASSES]] = values
        table[f"pred_{when}"] = given
    return table


def test_a_prediction_changes_with_any_label_and_not_with_the_most_probable_one(pairs):
    assert moved(pairs).tolist() == [False, True, True, False]
    assert moved(pairs.drop(columns=["pred_before", "pred_after"])).tolist() == [True, False, False, True]
    before, after = decisions(pairs)
    assert (before & ~after).nonzero() == ([2], [2]) and (after & ~before).nonzero() == ([1], [1])


def test_distances_are_means_over_labels(pairs):
    found = distances(pairs, total_variation)
    np.testing.assert_allclose(found, np.abs(np.subtract(BEFORE, AFTER)).mean(axis=1))


def test_rates_and_accuracy_and_labels_gained_and_lost(pairs):
    found = summarise(pairs, STATISTICS).set_index("measure")["value"]
    assert found["changed"] == 0.5
    assert (found["gained_joy"], found["lost_joy"], found["gained_love"], found["lost_love"]) == (0.25, 0, 0, 0.25)
    assert (found["gained_sadness"], found["lost_sadness"]) == (0, 0)
    # the third text has no labels that are known; the second becomes right
    assert found[["accuracy_before", "accuracy_after"]].tolist() == pytest.approx([2 / 3, 1])
    assert (found["accuracy_gained"], found["accuracy_lost"]) == (pytest.approx(1 / 3), 0)
    assert found["change_joy"] == pytest.approx((0.3 + 0.3 + 0 + 0.1) / 4)


def test_one_known_label_has_to_be_among_those_given(pairs):
    """Pairs that others wrote name one label; a classifier that gives it and another is right of that."""
    found = summarise(pairs.assign(label=[1, 0, 2, -1]), STATISTICS).set_index("measure")["value"]
    assert found[["accuracy_before", "accuracy_after"]].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert (found["accuracy_gained"], found["accuracy_lost"]) == (0, pytest.approx(1 / 3))


def test_scores_hold_what_is_decided_by_each_labels_own_threshold(tmp_path, classifier, tokenizer, monkeypatch):
    monkeypatch.setattr(classifier.config, "problem_type", SEVERAL)
    for part in (classifier, tokenizer):
        part.save_pretrained(tmp_path / "model")
    one = ("he is happy about the weekend", "she is happy about the weekend")
    rows = [pair_row(n, "gender", "natural", "", [1], perturb(one[0], [(0, 2, "she")])) for n in range(2)]
    write_table(pair_table(rows), tmp_path / "pairs.parquet")
    before, after = expit(predict_logits(classifier, tokenizer, one, 64))
    least = dict(zip(CLASSES, map(float, [before[0] + 0.001, before[1] - 0.001, 0.0]), strict=True))
    write_json({"thresholds": least}, tmp_path / "thresholds.json")
    files = (tmp_path / "model", tmp_path / "pairs.parquet", "1-of-1", {"tokens_per_batch": 64})
    score_perturbation(*files, tmp_path / "scores.parquet", [tmp_path / "thresholds.json"])
    table = scored(pd.read_parquet(tmp_path / "pairs.parquet"), pd.read_parquet(tmp_path / "scores.parquet"))
    np.testing.assert_allclose(table.filter(regex="^before_").iloc[0], before, rtol=1e-5)
    np.testing.assert_allclose(table.filter(regex="^after_").iloc[0], after, rtol=1e-5)
    assert list(table["pred_before"][0]) == [1, 2]
    wanted = [k for k, name in enumerate(CLASSES) if after[k] >= np.float32(least[name])]
    assert list(table["pred_after"][0]) == wanted


def test_sets_keep_lists_of_labels_beside_texts_that_have_none():
    made = pair_table([pair_row(1, "x", "natural", "", [0, 2], perturb("he", [(0, 2, "she")]))])
    other = pair_table([pair_row(-1, "x", "template", "", -1, perturb("he", [(0, 2, "she")]))])
    assert other["label"].tolist() == [-1] and other["label"].dtype == "int8"
    assert joined([made, other])["label"].tolist() == [[0, 2], None]
    assert joined([other, other])["label"].dtype == "int8"
    lone = pair_table([pair_row(-1, "x", "template", "", None, perturb("he", [(0, 2, "she")]))])
    assert lone["label"].tolist() == [None] and joined([lone, other])["label"].tolist() == [None, None]


@pytest.fixture
def corpus(tmp_path):
    texts = ["he feels happy and gloomy", "she feels happy", "a gloomy day for him", "he likes tea", "happy him"] * 3
    labels = [[0, 1], [1], [0], [], [1, 2]] * 3
    table = pd.DataFrame({"id": range(15), "text": texts, "labels": labels})
    for name in ("train", "test"):
        write_table(table, tmp_path / f"{name}.parquet")
    write_json({"classes": CLASSES, "multilabel": True}, tmp_path / "corpus.json")
    return tmp_path


def test_words_are_counted_under_every_label_of_their_text(corpus):
    stop_words = ROOT / "data/lexicons/stopwords.txt"
    count_words(corpus / "test.parquet", corpus / "corpus.json", stop_words, {"words_per_class": 9}, corpus / "words")
    words = pd.read_parquet(corpus / "words").query("stop_words == 'published'")
    counts = words.set_index(["class", "word"])["count"]
    assert [counts.get((name, "happy"), 0) for name in CLASSES] == [3, 9, 3]
    assert [counts.get((name, "gloomy"), 0) for name in CLASSES] == [6, 3, 0]
    assert not (words["word"] == "tea").any()


def test_published_replacement_takes_the_words_of_every_label(corpus):
    (corpus / "synonyms.csv").write_text(
        "class,word,synonym,pos\nsadness,gloomy,dismal,ADJ\njoy,happy,cheerful,ADJ\nlove,tea,coffee,NOUN\n"
    )
    files = {name: corpus / f"{name}.parquet" for name in ("train", "test", "pairs", "balance")}
    neutral = ROOT / "data/lexicons/neutral.csv"
    replace_words(audit=corpus / "corpus.json", synonyms=corpus / "synonyms.csv", neutral=neutral, **files)
    table = pd.read_parquet(corpus / "pairs.parquet")
    published = table[table["origin"] == "published"].set_index("id")
    assert published.loc[0, "perturbed"] == "he feels cheerful and dismal", "both labels' words"
    assert published.loc[1, "perturbed"] == "she feels cheerful" and published.loc[4, "perturbed"] == "cheerful him"
    assert 3 not in published.index, "a text without labels has no words to replace"
    assert list(published.loc[0, "label"]) == [0, 1] and list(published.loc[2, "label"]) == [0]


def test_flips_carry_the_labels_of_their_texts(corpus):
    files = {name: corpus / f"{name}.parquet" for name in ("train", "test", "pairs", "balance")}
    lexicons, reference = ROOT / "data/lexicons", ROOT / "data/reference"
    flip_terms(
        axis="gender",
        lexicon=lexicons / "gender.csv",
        neutral=lexicons / "neutral.csv",
        names=lexicons / "gender.csv",
        published=reference / "table4_gender_pairs.csv",
        **files,
    )
    table = pd.read_parquet(corpus / "pairs.parquet")
    natural = table[table["origin"] == "natural"]
    labels = pd.read_parquet(corpus / "test.parquet").set_index("id")["labels"]
    assert len(natural) == 15
    for row in natural.itertuples():
        assert list(row.label) == list(labels[row.id])
    assert table.loc[table["origin"] == "template", "label"].isna().all()


def test_words_tell_a_label_whichever_else_their_texts_have():
    rows = [("tea", [0, 1]), ("tea", [0]), ("bus", [1]), ("bus", [])] * 60
    texts = pd.DataFrame(rows, columns=["text", "labels"])
    assert Frequencies.of(texts, ["tea", "bus"]).telling == {"tea", "bus"}
    even = pd.DataFrame([("tea", [0, 1]), ("bus", [0, 1])] * 60, columns=["text", "labels"])
    assert Frequencies.of(even, ["tea", "bus"]).telling == frozenset()


def test_of_many_classes_a_table_shows_those_that_change_most():
    classes = [f"c{number}" for number in range(20)]
    pair = {f"before_{name}": 0.5 for name in classes}
    pair |= {f"after_{name}": 0.5 + 0.01 * (-1) ** number * number for number, name in enumerate(classes)}
    assert most_changed(pair, classes) == classes[12:]
    assert most_changed(pair, classes, ["c3", "elsewhere"]) == ["c3", *classes[12:]]
    assert most_changed(pair, classes[:14]) == classes[:14]
