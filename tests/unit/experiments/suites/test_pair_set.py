"""A suite as a perturbation set: what differs is marked, goals stay with their pairs, and only words have a null."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import UserError
from emoscope.experiments.suites.pair_set import changed_spans, import_suite
from emoscope.perturbation.pair_sets import COLUMNS

NEUTRAL = Path(__file__).parents[4] / "data/lexicons/neutral.csv"


def pieces(before: str, after: str) -> list[tuple[str, str]]:
    return [(before[a:b], after[c:d]) for a, b, c, d in changed_spans(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("he is late", "she is late", [("he", "she")]),
        ("my son saw him", "my daughter saw her", [("son", "daughter"), ("him", "her")]),
        ("the old man left", "the young girl left", [("old", "young"), ("man", "girl")]),  # word by word, if as many
        ("the man left", "the very old girl left", [("man", "very old girl")]),
        ("good food", "good food, really", [("", ", really")]),
        ("food and wine", "food", [("and wine", "")]),
        ("so it is", "it is", [("so", "")]),
        ("don't go", "do go", [("don't", "do")]),
        ("he left", "he  left", [("he left", "he  left")]),  # blanks alone
    ],
)
def test_what_differs_is_marked(before, after, changed):
    assert pieces(before, after) == changed


WORDS = st.lists(st.sampled_from(["he", "she", "is", ",", "late", "é", "don't"]), max_size=8).map(" ".join)


@given(WORDS, WORDS)
def test_marks_stand_in_order_and_all_else_is_the_same(before, after):
    if before == after:
        return
    spans, rest = changed_spans(before, after), []
    for text, sides in ((before, [span[:2] for span in spans]), (after, [span[2:] for span in spans])):
        assert sides == sorted(sides) and all(start <= end <= len(text) for start, end in sides)
        kept, at = "", 0
        for start, end in sides:
            kept, at = kept + text[at:start], end
        rest.append("".join((kept + text[at:]).split()))
    assert rest[0] == rest[1]


@pytest.fixture
def made(tmp_path) -> pd.DataFrame:
    """The set of ten pairs of one word, ten in which a word becomes three, and ten texts with three ends each."""
    word = [("my son saw the bus in the street", "my daughter saw the bus in the street", "up")]
    word += [("my son saw the bus in the street", "my big red daughter saw the bus in the street", "up")]
    text = "the train was late {k}"
    kinds = ("words", "clauses")
    rows = [
        (f"{before} {k}", f"{after} {k}", goal, kind)
        for k in range(10)
        for kind, (before, after, goal) in zip(kinds, word, strict=True)
    ]
    rows += [
        (text.format(k=k), text.format(k=k) + f" and cold {n}", "down", "more") for k in range(10) for n in range(3)
    ]
    pd.DataFrame(rows, columns=["before", "after", "goal", "kind"]).to_csv(tmp_path / "mine.csv", index=False)
    common = "my son and my big red daughter saw the bus and the train in the street"
    texts = [common] * 38 + ["the train was late 3", "the train was late 5 and cold 1"]
    pd.DataFrame({"id": range(40), "text": texts, "label": [0, 1] * 20}).to_parquet(tmp_path / "train.parquet")
    (tmp_path / "corpus.json").write_text(json.dumps({"classes": ["joy", "fear"]}))
    config = {"source": "csv", "path": str(tmp_path / "mine.csv"), "before": "before", "after": "after"}
    config |= {"group": "kind", "cluster": None, "direction": "goal", "label": None}
    files = {name: tmp_path / f"{name}.parquet" for name in ("train", "pairs", "balance")}
    import_suite("mine", config, audit=tmp_path / "corpus.json", neutral=NEUTRAL, **files)
    return pd.read_parquet(files["pairs"])


def test_every_pair_is_there_with_its_goal_and_group(made):
    own = made[made["origin"] == "suite"]
    assert set(COLUMNS) <= set(made.columns) and len(own) == 50 and own["id"].is_unique
    assert set(own["axis"]) == {"mine"}
    by_kind = own.groupby("term")["goal"].unique().map(list).to_dict()
    assert by_kind == {"words": ["up"], "clauses": ["up"], "more": ["down"]}
    assert set(own.groupby("term")["cluster"].nunique()) == {10}


def test_pairs_with_a_text_of_the_training_set_are_marked(made):
    """In one spelling or another: the classifier learned the first text of a pair, or the second."""
    own = made[made["origin"] == "suite"]
    first, second = own["text"] == "the train was late 3", own["perturbed"] == "the train was late 5 and cold 1"
    assert own["known"].tolist() == (first | second).tolist() and own["known"].sum() == 4


def test_only_an_exchange_of_words_has_neutral_swaps_and_these_ask_for_nothing(made):
    swaps = made[made["origin"] == "suite control"]
    assert len(swaps) and set(swaps["term"]) == {"words"} and set(swaps["goal"]) == {""}
    own = made[made["origin"] == "suite"].set_index("id")
    for swap in swaps.itertuples():
        assert swap.text == own.loc[swap.id, "text"] and swap.cluster == own.loc[swap.id, "cluster"]
        assert " son " in swap.perturbed and swap.perturbed != own.loc[swap.id, "perturbed"]


@pytest.mark.parametrize(
    "about",
    [{"classes": ["sad", "calm"], "order": ["calm", "sad"]}, {"classes": ["calm", "sad"], "left_out": {"mad": 3}}],
)
def test_numbers_of_labels_mean_those_of_the_corpus_and_never_a_models_own(tmp_path, about):
    rows = pd.DataFrame({"before": [f"he {k}" for k in range(9)], "after": [f"she {k}" for k in range(9)]})
    pd.DataFrame({"id": range(4), "text": "so", "label": [0, 1, 0, 1]}).to_parquet(tmp_path / "train.parquet")
    config = {"source": "csv", "path": str(tmp_path / "mine.csv"), "before": "before", "after": "after"}
    config |= {"group": None, "cluster": None, "direction": None, "label": "label"}
    files = {name: tmp_path / f"{name}.parquet" for name in ("train", "pairs", "balance")}

    def made(label: object, about: dict) -> list[int]:
        rows.assign(label=label).to_csv(tmp_path / "mine.csv", index=False)
        (tmp_path / "corpus.json").write_text(json.dumps(about))
        import_suite("mine", config, audit=tmp_path / "corpus.json", neutral=NEUTRAL, **files)
        return pd.read_parquet(files["pairs"])["label"].unique().tolist()

    with pytest.raises(UserError, match="unknown label '0'"):
        made(0, about)
    assert made("calm", about) == [about["classes"].index("calm")]
    assert made(0, {"classes": about["classes"], "order": about["classes"], "left_out": {}}) == [0]
    if "left_out" in about:
        assert made("mad", about) == [-1]


def test_several_labels_have_no_order_to_rise_in(tmp_path):
    rows = pd.DataFrame(
        {"before": [f"he {k}" for k in range(9)], "after": [f"she {k}" for k in range(9)], "goal": "up"}
    )
    rows.to_csv(tmp_path / "mine.csv", index=False)
    pd.DataFrame({"id": range(4), "text": "so", "labels": [[0], [], [0, 1], [1]]}).to_parquet(
        tmp_path / "train.parquet"
    )
    (tmp_path / "corpus.json").write_text(json.dumps({"classes": ["joy", "fear"]}))
    config = {"source": "csv", "path": str(tmp_path / "mine.csv"), "before": "before", "after": "after"}
    config |= {"group": None, "cluster": None, "direction": "goal", "label": None}
    files = {name: tmp_path / f"{name}.parquet" for name in ("train", "pairs", "balance")}
    with pytest.raises(UserError, match=r"mine\.csv: up and down need one class a text"):
        import_suite("mine", config, audit=tmp_path / "corpus.json", neutral=NEUTRAL, **files)
    rows.assign(goal="joy").to_csv(tmp_path / "mine.csv", index=False)
    import_suite("mine", config, audit=tmp_path / "corpus.json", neutral=NEUTRAL, **files)
    assert set(pd.read_parquet(files["pairs"])["goal"]) == {"joy"}
