"""Layouts of other people's corpora: every text gets its own labels, every mistake its line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance import DATA_SETS
from emoscope.data.class_names import EMOTIONS, class_names
from emoscope.data.corpus import check_corpus, import_corpus
from emoscope.data.labels import written_labels
from emoscope.errors import UserError
from emoscope.storage.files import read_json

NAMES = ["anger", "joy", "love"]
TABLE = {"text": "text", "label": "label"}


def imported(folder: Path, **config) -> tuple[pd.DataFrame, dict]:
    corpus, source = folder / "corpus.parquet", folder / "source.json"
    import_corpus(config, corpus, source)
    return pd.read_parquet(corpus), read_json(source)


def sets(corpus: pd.DataFrame) -> list[list[int]]:
    return [list(own) for own in corpus["labels"]]


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        folder.joinpath(name.replace("__", ".")).write_bytes(content.encode())
    return folder


PARALLEL = {
    "mapping__txt": "0\tanger\n1\tjoy\n",
    "train_text__txt": 'so "mad"\t; yes\nglad \nangry\u2028me\n',
    "train_labels__txt": "0\n1\n0\n",
    "test_text__txt": "joyful",
    "test_labels__txt": "1",
}


@pytest.mark.parametrize("label", ["0", "0.0"])
def test_numbers_mean_nothing_where_nobody_listed_the_classes(tmp_path, label):
    """The paper's emotions might stand in any order, or be others: 0 is not sadness by default."""
    rows = [f"so {number} {twice},{number}" for number in range(6) for twice in range(2)]
    content = "\n".join(["text,label", "first," + label, *rows])
    config = {"source": "csv", "path": str(write(tmp_path, mine__csv=content) / "mine.csv")} | TABLE
    with pytest.raises(UserError, match=rf"row 2: unknown label '{label}'; known: sadness, .* in the order of"):
        imported(tmp_path, **config)
    corpus, source = imported(tmp_path, **config, classes=["a", "b", "c", "d", "e", "f"])
    assert corpus["label"].tolist()[:3] == [0, 0, 0] and source["classes"][0] == "a"
    named = content.replace("first," + label, "first,joy")
    for number, name in enumerate(EMOTIONS):
        named = named.replace(f",{number}", f",{name}")
    write(tmp_path, mine__csv=named)
    assert imported(tmp_path, **config)[0]["label"].tolist()[:3] == [1, 0, 0]


def test_parallel_files(tmp_path):
    corpus, source = imported(tmp_path, source="parallel", path=str(write(tmp_path / "in", **PARALLEL)))
    assert corpus["text"].tolist() == ["joyful", 'so "mad"\t; yes', "glad ", "angry\u2028me"]
    assert corpus["label"].tolist() == [1, 0, 1, 0] and corpus["part"].tolist() == ["test", *["train"] * 3]
    assert source["classes"] == ["anger", "joy"] and "multilabel" not in source


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train_labels__txt": "0\n1\n"}, r"train_labels.txt: 2 lines, but train_text.txt has 3; the label of each"),
        ({"train_labels__txt": "0\n1\n2\n"}, r"train_text.txt and train_labels.txt: line 3: unknown label '2'"),
        ({"train_text__txt": "a\n \nc\n"}, r"train_text.txt and train_labels.txt: line 2: the text is empty"),
        ({"mapping__txt": "1\tanger\n2\tjoy\n"}, r"mapping.txt: line 1: write `0<tab>name`; numbers count from 0"),
        ({"mapping__txt": "0\tanger\n1\tanger\n"}, r"mapping.txt: line 2: 'anger' is named twice"),
        ({"mapping__txt": "0\tanger\n1\tall\n"}, r"mapping.txt: line 2: 'all' is taken"),
        ({"mapping__txt": "0\tanger\n1\tmicro avg\n"}, r"mapping.txt: line 2: 'micro avg' is taken"),
        ({"mapping__txt": "0\tanger\n1\t \n"}, r"mapping.txt: line 2: '' is no name"),
        (
            {"mapping__txt": "".join(f"{k}\tclass {k}\n" for k in range(101))},
            r"mapping.txt: 101 classes; at most 100 can be handled",
        ),
        ({"mapping__txt": "0\tanger\n"}, r"mapping.txt: 1 classes; at least 2 are needed"),
        ({"val_text__txt": "a\n"}, r"val_labels.txt: no such file; it should hold the label of each line of val"),
    ],
)
def test_bad_parallel_files_are_explained(tmp_path, files, message):
    folder = write(tmp_path / "in", **PARALLEL | files)
    with pytest.raises(UserError, match=message) as error:
        imported(tmp_path, source="parallel", path=str(folder))
    assert "\n" not in str(error.value)


TABBED = {
    "labels__txt": "anger\njoy\nlove\n",
    "train__tsv": 'mad "as\ttab\t0\tid1\nglad\t2,1\tid2\nso so\t\tid3\nmad again\t0,1\tid4\n',
    "test__tsv": "loved\t2\tid5\n",
}


def test_lines_with_several_numbers(tmp_path):
    corpus, source = imported(tmp_path, source="tabbed", path=str(write(tmp_path / "in", **TABBED)))
    assert corpus["text"].tolist() == ["loved", 'mad "as\ttab', "glad", "so so", "mad again"]
    assert sets(corpus) == [[2], [0], [1, 2], [], [0, 1]] and "label" not in corpus
    assert corpus["labels"][2].dtype == np.int8
    assert source["classes"] == NAMES and source["multilabel"] is True


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"test__tsv": "loved\t3\tid\n"}, r"test.tsv: line 1: unknown label '3'; known: anger, joy, love"),
        ({"test__tsv": "loved\t2\n"}, r"test.tsv: line 1: 2 cells; write `text<tab>label numbers<tab>id`"),
        ({"test__tsv": "a\t2\tid\n \t2\tid\n"}, r"test.tsv: line 2: the text is empty"),
        ({"labels__txt": "anger\njoy\nlove\nfear\n"}, r"class 'fear' has 0 rows, at least 2 are needed"),
    ],
)
def test_bad_lines_are_explained(tmp_path, files, message):
    folder = write(tmp_path / "in", **TABBED | files)
    with pytest.raises(UserError, match=message) as error:
        imported(tmp_path, source="tabbed", path=str(folder))
    assert "\n" not in str(error.value)


def test_missing_names_are_explained(tmp_path):
    with pytest.raises(UserError, match=r"labels.txt: no such file; it should name the classes"):
        class_names({"source": "tabbed", "path": str(tmp_path)})


def as_tsv(texts: list[str], held: list[list[int]], names: list[str]) -> str:
    rows = [[f"id{number}", text, *map(str, row)] for number, (text, row) in enumerate(zip(texts, held, strict=True))]
    return "".join("\t".join(cells) + "\n" for cells in [["ID", "Tweet", *names], *rows])


def test_columns_of_0_and_1(tmp_path):
    held = [[1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 1, 1]]
    files = {"train__txt": as_tsv(['"I', *"bcd"], held, NAMES), "gold__txt": as_tsv(["e"], [[0, 0, 1]], NAMES)}
    folder = write(tmp_path / "in", **files)
    config = {"source": "tsv", "path": str(folder), "text": "Tweet", "label": "label"}
    parts = {"train": "train.txt", "test": "gold.txt"}
    corpus, source = imported(tmp_path, **config, labels=NAMES, splits=parts)
    assert sets(corpus) == [[0], [1, 2], [], [0, 1, 2], [2]] and corpus["text"][0] == '"I'
    assert corpus["part"].tolist() == ["train"] * 4 + ["test"] and source["classes"] == NAMES
    turned, _ = imported(tmp_path, **config, labels=NAMES[::-1], splits=parts)
    assert sets(turned) == [[2], [0, 1], [], [0, 1, 2], [0]]


@pytest.mark.parametrize("value", ["2", "NONE", ""])
def test_other_values_in_columns_of_0_and_1_are_explained(tmp_path, value):
    text = as_tsv(["a", "b"], [[1, 0, 0], [0, value, 1]], NAMES)
    path = write(tmp_path / "in", a__tsv=text) / "a.tsv"
    with pytest.raises(UserError, match=rf"a.tsv: row 3: column 'joy' holds '{value}'; it should be 0 or 1"):
        imported(tmp_path, source="tsv", path=str(path), text="Tweet", label="label", labels=NAMES)


LISTS = ["joy|love", '["joy", "anger"]', "['love']", "", "[]", "anger", " joy | love ", "1|0"]
SETS = [[1, 2], [0, 1], [2], [], [], [0], [1, 2], [0, 1]]


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
def test_a_column_of_lists(tmp_path, kind):
    table = pd.DataFrame({"text": list("abcdefgh"), "label": LISTS})
    path = tmp_path / f"mine.{kind}"
    if kind == "tsv":
        path.write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in table.to_numpy()))
    else:
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    corpus, source = imported(tmp_path, source=kind, path=str(path), **TABLE, multilabel=True, classes=NAMES)
    assert sets(corpus) == SETS and source["multilabel"] is True


def test_lists_in_parquet(tmp_path):
    pd.DataFrame({"text": list("abcd"), "label": [[2, 0], [1], [], [0, 1, 2]]}).to_parquet(tmp_path / "mine.parquet")
    path = str(tmp_path / "mine.parquet")
    corpus, _ = imported(tmp_path, source="parquet", path=path, **TABLE, multilabel=True, classes=NAMES)
    assert sets(corpus) == [[0, 2], [1], [], [0, 1, 2]]


@pytest.mark.parametrize("cell", ["[joy", "[joy, love]", "[" * 5000, "[1]+[2]"])
def test_what_is_no_list_is_explained(cell):
    with pytest.raises(UserError, match=r"here: .* is no list of labels; write `joy\|love` or"):
        written_labels(cell, "here")


@given(st.lists(st.lists(st.sampled_from(NAMES), max_size=5), min_size=1, max_size=20))
def test_every_text_keeps_its_own_labels(lists):
    table = pd.DataFrame({"text": "x", "label": [*lists, NAMES, NAMES], "part": "", "where": "here: row"})
    found = sets(check_corpus(table, NAMES, several=True))
    assert found == [sorted({NAMES.index(name) for name in own}) for own in [*lists, NAMES, NAMES]]


@pytest.mark.skipif(not (DATA_SETS / "tweeteval-emotion").is_dir(), reason="TweetEval is not here")
def test_tweeteval(tmp_path):
    corpus, source = imported(tmp_path, source="parallel", path=str(DATA_SETS / "tweeteval-emotion"))
    assert corpus["part"].value_counts().to_dict() == {"train": 3257, "test": 1421, "val": 374}
    assert source["classes"] == ["anger", "joy", "optimism", "sadness"]
    test = corpus[corpus["part"] == "test"].reset_index()
    assert test["text"][0].startswith("#Deppression is real") and test["label"][0] == 3


@pytest.mark.skipif(not (DATA_SETS / "goemotions").is_dir(), reason="GoEmotions is not here")
def test_goemotions(tmp_path):
    corpus, source = imported(tmp_path, source="tabbed", path=str(DATA_SETS / "goemotions"))
    assert corpus["part"].value_counts().to_dict() == {"train": 43_410, "test": 5427, "dev": 5426}
    assert len(source["classes"]) == 28 and source["classes"][27] == "neutral"
    train = corpus[corpus["part"] == "train"].reset_index()
    assert list(train["labels"][0]) == [27] and train["labels"].map(len).gt(1).sum() > 5000


def grouped(folder: Path, kind: str, table: pd.DataFrame, **config) -> tuple[pd.DataFrame, dict]:
    path = folder / f"mine.{kind}"
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    return imported(folder, source=kind, path=str(path), classes=NAMES[:2], **TABLE, **config)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_of_groups(tmp_path, kind):
    dialect = ["north", " south ", None, "north"]
    table = pd.DataFrame({"text": list("abcd"), "label": ["joy", "anger"] * 2, "dialect": dialect})
    corpus, source = grouped(tmp_path, kind, table, group="dialect")
    assert corpus["group"].tolist() == ["north", "south", "", "north"] and source["group"] == "dialect"
    corpus, source = grouped(tmp_path, kind, table)
    assert "group" not in corpus and "group" not in source


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_may_be_called_where(tmp_path, kind):
    table = pd.DataFrame({"text": list("abcd"), "label": ["joy", "anger"] * 2, "where": ["here", "there"] * 2})
    corpus, _ = grouped(tmp_path, kind, table, group="where")
    assert corpus["group"].tolist() == ["here", "there"] * 2
    table["label"] = "rage"
    with pytest.raises(UserError, match=rf"mine.{kind}: row {2 if kind == 'csv' else 0}: unknown label 'rage'"):
        grouped(tmp_path, kind, table)


@pytest.mark.parametrize(
    ("written", "read"), [(pd.Categorical(["b", "a", None, "b"]), ["b", "a", "", "b"]),
                          (pd.array([2, 1, None, 2], dtype="Int64"), ["2", "1", "", "2"])]
)  # fmt: skip
def test_gaps_in_a_column_of_groups_that_is_no_text(tmp_path, written, read):
    table = pd.DataFrame({"text": list("abcd"), "label": pd.Categorical(["joy", "anger"] * 2), "kind": written})
    corpus, _ = grouped(tmp_path, "parquet", table, group="kind")
    assert corpus["group"].tolist() == read and corpus["label"].tolist() == [1, 0] * 2


def test_a_gap_in_a_column_of_lists_is_no_label(tmp_path):
    table = pd.DataFrame({"text": list("abcde"), "label": pd.array([*["joy|anger"] * 4, None], dtype="string")})
    corpus, _ = grouped(tmp_path, "parquet", table, multilabel=True)
    assert sets(corpus) == [[0, 1]] * 4 + [[]]


def test_a_column_of_groups_that_is_none(tmp_path):
    table = pd.DataFrame({"text": [f"text {k}" for k in range(30)], "label": ["joy", "anger"] * 15, "one": "all"})
    table["each"] = range(30)
    with pytest.raises(
        UserError, match=r"mine.csv: no column 'dialect'; .*name the right one as `group` of the corpus"
    ):
        grouped(tmp_path, "csv", table, group="dialect")
    with pytest.raises(
        UserError, match=r"mine.csv: 1 groups in the column that `group` of the corpus names; .*2 to 20"
    ):
        grouped(tmp_path, "csv", table, group="one")
    with pytest.raises(UserError, match=r"mine.csv: 30 groups in the column"):
        grouped(tmp_path, "csv", table, group="each")
