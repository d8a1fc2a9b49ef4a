"""The perturbation sets: of the test texts, with controls that are matched on what the training texts hold."""

from pathlib import Path

import pandas as pd

from emoscope.experiments.flips.axes import AXES
from emoscope.experiments.flips.pair_set import flip_terms
from emoscope.experiments.synonyms.pair_set import replace_words
from emoscope.experiments.synonyms.replace import SynonymTable, replace
from emoscope.perturbation.pairs import PAIR_KEY
from emoscope.storage.files import write_json

DATA = Path(__file__).parents[4] / "data"
LEXICONS = DATA / "lexicons"
TRAIN = [("dad mom tea coffee", 0), ("dad mom tea coffee anna emma emma", 1), ("white black busy quiet", 0)]
TEST = [("dad had tea", 1), ("dad met anna", 0), ("dad took the bus", 0), ("a train", 1)]


def uneven(word: str) -> list[tuple[str, int]]:
    """Texts with this word, of which four in forty-four offer rarer neutral ones only."""
    others = [*["road"] * 40, *["door"] * 4]
    orders = [(word, other) if n % 2 else (other, word) for n, other in enumerate(others)]
    return [(f"no{n} {first} left {second} no{n}", 0) for n, (first, second) in enumerate(orders)]


def written(
    folder: Path, make, *lists: Path | str, train: list = TRAIN, test: list = TEST
) -> tuple[pd.DataFrame, pd.DataFrame]:
    for name, rows in (("train", train), ("test", test)):
        table = pd.DataFrame(rows, columns=["text", "label"])
        table.assign(id=range(10, 10 + len(rows))).to_parquet(folder / f"{name}.parquet")
    pairs, balance = folder / "pairs.parquet", folder / "balance.parquet"
    make(folder / "train.parquet", folder / "test.parquet", *lists, pairs, balance)
    return pd.read_parquet(pairs), pd.read_parquet(balance)


def flipped(folder: Path, axis: str, **texts: list) -> tuple[pd.DataFrame, pd.DataFrame]:
    words = LEXICONS / AXES[axis].words, LEXICONS / "neutral.csv", LEXICONS / "gender.csv"
    return written(folder, flip_terms, *words, DATA / "reference" / "table4_gender_pairs.csv", axis, **texts)


def test_controls_and_names_use_words_that_the_training_texts_know(tmp_path):
    pairs, balance = flipped(tmp_path, "gender")
    by = dict(list(pairs.groupby("origin")))
    assert by["natural"]["id"].tolist() == [10, 11, 12]
    control = by["natural control"].iloc[0]
    assert (control["id"], control["perturbed"], control["label"]) == (10, "dad had coffee", 1)
    assert len(by["natural control"]) == 1  # no model has met the bus
    assert by["natural names"]["perturbed"].tolist() == ["dad met emma"]
    assert len(by["published"]) == 2 and set(by) == {"natural", "natural control", "natural names", "published"}
    assert set(balance["origin"]) == {"natural"} and balance["n_all"].max() == 3 and balance["n"].max() == 1


def test_templates_have_controls_and_names_of_their_own(tmp_path):
    pairs, balance = flipped(tmp_path, "race")
    by = dict(list(pairs.groupby("origin")))
    assert set(by["template control"]["id"]) == set(by["template"]["id"])
    assert not by["template control"]["text"].str.contains("white|black").any()
    assert set(by["template names"]["cluster"]) == set(by["template"]["cluster"])
    assert by["template names"]["text"].str.contains("anna|emma").all()
    assert set(balance["origin"]) == {"template"}


def test_controls_that_would_be_unlike_are_left_out(tmp_path):
    write_json({"classes": ["sadness"]}, tmp_path / "corpus.json")
    lists = tmp_path / "corpus.json", LEXICONS / "synonyms.csv", LEXICONS / "neutral.csv"
    people = [("dad mom road path", 0)] * 40 + [("door wall", 0)] * 4  # as many letters in both of each two
    things = [("time period road street", 0)] * 40 + [("door window", 0)] * 4
    made = {
        "natural": flipped(tmp_path, "gender", train=people, test=uneven("dad")),
        "published": written(tmp_path, replace_words, *lists, train=things, test=uneven("time")),
    }
    for origin, (pairs, balance) in made.items():
        held = pairs.loc[pairs["origin"] == f"{origin} control", "text"]
        told = balance[balance["origin"] == origin]
        assert held.str.contains("road").sum() == 40 and held.str.contains("door").sum() < 4
        assert told["balanced"].all() and set(told["n"]) == {len(held)}


def test_synonyms_have_controls_by_word(tmp_path):
    write_json({"classes": ["sadness", "joy"]}, tmp_path / "corpus.json")
    lists = tmp_path / "corpus.json", LEXICONS / "synonyms.csv", LEXICONS / "neutral.csv"
    pairs, _ = written(tmp_path, replace_words, *lists, test=[*TEST, ("i know tea", 0)])
    assert set(pairs["origin"]) == {"published", "word"}  # a noun is no control of a verb
    assert pairs.loc[pairs["origin"] == "word", "term"].tolist() == ["know"]


def test_a_text_with_a_word_in_two_parts_of_speech_is_one_pair(tmp_path):
    write_json({"classes": ["sadness", "joy"]}, tmp_path / "corpus.json")
    table = tmp_path / "synonyms.csv"
    table.write_text("class,word,synonym,pos\njoy,love,adore,VERB\njoy,love,affection,NOUN\n")
    assert SynonymTable.load(table).by_class == {"joy": {"love": "adore"}}, "read without the part, the first counts"
    lists = tmp_path / "corpus.json", table, LEXICONS / "neutral.csv"
    pairs, _ = written(tmp_path, replace_words, *lists, test=[*TEST, ("i love his love for me", 0)])
    assert pairs.loc[pairs["origin"] == "word", "perturbed"].tolist() == ["i adore his affection for me"]
    assert not pairs.duplicated(PAIR_KEY).any()


def test_no_text_that_a_synonym_changes_is_passed_over(tmp_path):
    """A text is looked at only for the synonyms of words that it holds, in whatever form and capitals."""
    write_json({"classes": ["sadness", "joy"]}, tmp_path / "corpus.json")
    lists = tmp_path / "corpus.json", LEXICONS / "synonyms.csv", LEXICONS / "neutral.csv"
    texts = ["i KNEW it", "I know that she knows", "the Times we had", "tea", "scared of time and life", "Knows!"]
    pairs, _ = written(tmp_path, replace_words, *lists, test=[(text, 0) for text in texts])
    table = SynonymTable.load(LEXICONS / "synonyms.csv")
    tried = {
        (number, word, replace(text, {(word, part): synonym}, table.label_bearing))
        for number, text in enumerate(texts, start=10)
        for (word, part), synonym in table.mapping.items()
    }
    expected = sorted((number, word, pair.perturbed) for number, word, pair in tried if pair.n_changed)
    found = pairs.loc[pairs["origin"] == "word", ["id", "term", "perturbed"]]
    assert sorted(found.itertuples(index=False, name=None)) == expected
    assert {number for number, *_ in expected} == {10, 11, 12, 14, 15}
