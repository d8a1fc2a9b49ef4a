"""The perturbation sets: of the test texts, with controls that are matched on what the training texts hold."""

from pathlib import Path

import pandas as pd

from emoscope.experiments.flips.axes import AXES
from emoscope.experiments.flips.pair_set import flip_terms
from emoscope.experiments.synonyms.pair_set import replace_words
from emoscope.storage.files import write_json

DATA = Path(__file__).parents[4] / "data"
LEXICONS = DATA / "lexicons"
TRAIN = [("dad mom tea coffee", 0), ("dad mom tea coffee anna emma emma", 1), ("white black busy quiet", 0)]
TEST = [("dad had tea", 1), ("dad met anna", 0), ("dad took the bus", 0), ("a train", 1)]


def written(folder: Path, make, *lists: Path | str) -> tuple[pd.DataFrame, pd.DataFrame]:
    for name, rows in (("train", TRAIN), ("test", TEST)):
        table = pd.DataFrame(rows, columns=["text", "label"])
        table.assign(id=range(10, 10 + len(rows))).to_parquet(folder / f"{name}.parquet")
    pairs, balance = folder / "pairs.parquet", folder / "balance.parquet"
    make(folder / "train.parquet", folder / "test.parquet", *lists, pairs, balance)
    return pd.read_parquet(pairs), pd.read_parquet(balance)


def flipped(folder: Path, axis: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    words = LEXICONS / AXES[axis].words, LEXICONS / "neutral.csv", LEXICONS / "gender.csv"
    return written(folder, flip_terms, *words, DATA / "reference" / "table4_gender_pairs.csv", axis)


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


def test_synonyms_have_controls_by_word(tmp_path):
    TEST.append(("i know tea", 0))
    try:
        write_json({"classes": ["sadness", "joy"]}, tmp_path / "corpus.json")
        lists = tmp_path / "corpus.json", LEXICONS / "synonyms.csv", LEXICONS / "neutral.csv"
        pairs, _ = written(tmp_path, replace_words, *lists)
    finally:
        TEST.pop()
    assert set(pairs["origin"]) == {"published", "word"}  # a noun is no control of a verb
    assert pairs.loc[pairs["origin"] == "word", "term"].tolist() == ["know"]
