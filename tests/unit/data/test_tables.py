"""Files of strangers arrive to the letter, row by row, or are refused with file and place: no row is lost."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.data.corpus import check_corpus
from emoscope.data.readers import read_table
from emoscope.data.tables import load_table, read_csv
from emoscope.errors import UserError

CLASSES = ["sadness", "joy"]
GOOD = [f"i am {word},{CLASSES[number % 2]}" for number, word in enumerate(["sad", "glad"] * 200)]


def corpus_of(path: Path, content: str | bytes, kind: str = "csv") -> pd.DataFrame:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return check_corpus(read_table(path, kind, "text", "label", CLASSES), CLASSES)


def with_rows(rows: dict[int, str], end: str = "\n") -> str:
    """400 good rows below a header, those of these numbers replaced."""
    return "\n".join(["text,label", *(rows.get(number, row) for number, row in enumerate(GOOD, start=2))]) + end


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({100: '"this is open,joy'}, r"line 100: a quotation mark opens here and is never closed"),
        ({401: '"on the last line,joy'}, r"line 401: .*never closed"),
        ({2: '"on the first line,joy'}, r"line 2: .*never closed"),
        ({100: '"this,joy', 300: '"that,sadness'}, r"line 100: .* text follows the one that closes it on line 300"),
        ({100: '"well" she said,joy'}, r"line 100: .* text follows the one that closes it on line 100"),
        ({100: '"this,joy', 101: "she is 5' 2\",joy"}, r"row 100: .* runs over 2 lines that look like rows themselves"),
        ({100: '"this,joy', 399: "she is 5' 2\",joy"}, r"row 100: .* runs over 300 lines"),
        ({100: '"this, joy', 101: "that, joy", 399: '5",joy'}, r"row 100: .* look like rows"),
    ],
)
def test_a_quotation_mark_that_swallows_rows_is_refused_where_it_opens(tmp_path, rows, message):
    with pytest.raises(UserError, match=message) as error:
        corpus_of(tmp_path / "mine.csv", with_rows(rows))
    assert "double" in str(error.value) and "\n" not in str(error.value)


def test_a_swallowed_row_is_seen_whatever_the_order_of_columns(tmp_path):
    lines = ["label,id,text", 'joy,1,"open', "sadness,2,swallowed", 'joy,3,5"', *(f"sadness,{n},a" for n in "456")]
    with pytest.raises(UserError, match=r"mine.csv: row 2: .*3 lines that look like rows"):
        corpus_of(tmp_path / "mine.csv", "\n".join(lines))


@pytest.mark.parametrize(
    "text", ["one\ntwo", "one, two\nthree, four\n", "Pain, joy\nand all the rest", 'a "b"\r\nc', "\r"]
)
def test_texts_of_several_lines_stay_whole(tmp_path, text):
    rows = [(f"x{text}", "joy"), ("b", "sadness"), (f"c{text}", "joy"), ("d", "sadness")]
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([("text", "label"), *rows])
    assert corpus_of(tmp_path / "mine.csv", buffer.getvalue())["text"].tolist() == [row[0] for row in rows]


ROWS = st.lists(
    st.tuples(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(str.strip),
        st.sampled_from(CLASSES),
    ),
    min_size=1,
    max_size=30,
)


@given(ROWS, st.sampled_from(["csv", "pandas", "quoted"]))
def test_as_many_labelled_rows_arrive_as_were_written(tmp_path_factory, rows, writer):
    rows = [*rows, *(("a", name) for name in CLASSES * 2)]
    path = tmp_path_factory.getbasetemp() / "any.csv"
    if writer == "pandas":
        pd.DataFrame(rows, columns=["text", "label"]).to_csv(path, index=False)
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            style = csv.writer(stream, quoting=csv.QUOTE_ALL if writer == "quoted" else csv.QUOTE_MINIMAL)
            style.writerows([("text", "label"), *rows])
    corpus = check_corpus(read_table(path, "csv", "text", "label", CLASSES), CLASSES)
    assert corpus["text"].tolist() == [text for text, _ in rows]
    assert corpus["label"].tolist() == [CLASSES.index(label) for _, label in rows]


@pytest.mark.parametrize("text", ["plain", "with, a comma, or two"])
@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_another_separator_is_named(tmp_path, separator, name, text):
    content = with_rows({}).replace(",", separator) + f"{text}{separator}joy\n"
    with pytest.raises(UserError, match=rf"mine.csv: its cells are separated by {name}, not by commas"):
        corpus_of(tmp_path / "mine.csv", content)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("text,label\na,joy\n\n\nb,hapiness\n", "row 5:"),  # blank rows count, as in a spreadsheet
        ('text,label\n"a\nb\nc",joy\nb,hapiness\n', "row 3, line 5:"),  # a text of three lines is one row
        ('text,label\n\n"a\nb",joy\n\nb,hapiness\n', "row 5, line 6:"),
        ("text,label\r\na,joy\r\nb,hapiness\r\n", "row 3:"),
        ("text,label\ra,joy\rb,hapiness\r", "row 3:"),  # old Macs
    ],
)
def test_rows_have_the_numbers_of_a_spreadsheet(tmp_path, content, place):
    with pytest.raises(UserError, match=f"mine.csv: {place} unknown label 'hapiness'"):
        corpus_of(tmp_path / "mine.csv", content)


@pytest.mark.parametrize("row", ["a,b,joy", "joy", "a,joy,"])
def test_a_row_of_another_width_is_named(tmp_path, row):
    with pytest.raises(
        UserError, match=r"mine.csv: row 7, line 7: .*the header has 2; quote texts that contain commas"
    ):
        corpus_of(tmp_path / "mine.csv", with_rows({7: row}))


def test_a_column_that_stands_twice_is_named(tmp_path):
    with pytest.raises(UserError, match="2 columns are called 'text'"):
        corpus_of(tmp_path / "mine.csv", "text,label,text\na,joy,b\n")


def test_folders_of_files_are_read_as_one_table(tmp_path):
    parts = [[("a", "joy"), ("b", "sadness")], [("c", "joy"), ("d", "sadness")]]
    for number, part in enumerate(parts):
        table = pd.DataFrame(part, columns=["text", "label"])
        for kind in ("csv", "parquet"):
            folder = tmp_path / kind
            folder.mkdir(exist_ok=True)
            (folder / "_SUCCESS").touch()
            (folder / f".part-{number}.{kind}.crc").write_bytes(b"crc")
            file = folder / f"part-{number}.snappy.{kind}"
            table.to_csv(file, index=False) if kind == "csv" else table.to_parquet(file)
    for kind in ("csv", "parquet"):
        corpus = check_corpus(read_table(tmp_path / kind, kind, "text", "label", CLASSES), CLASSES)
        assert corpus["text"].tolist() == ["a", "b", "c", "d"], kind
        assert corpus["id"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
@pytest.mark.parametrize("other", [["text", "Label"], ["text", "label", "note"], ["text"]])
def test_files_of_a_folder_that_have_other_columns_are_named(tmp_path, kind, other):
    """Joined, their rows would have no labels, or be left out."""
    for name, columns in (("a", ["label", "text"]), ("b", ["text", "label"]), ("c", other)):
        table = pd.DataFrame([["x"] * len(columns)] * 2, columns=columns, index=[3, 4])
        path = tmp_path / f"{name}.{kind}"
        table.to_parquet(path) if kind == "parquet" else table.to_csv(path, index=False, sep=",\t"[kind == "tsv"])
        if name == "b":
            assert len(load_table(tmp_path, kind)) == 4, "their order is no matter"
    with pytest.raises(
        UserError, match=rf"c\.{kind}: only one of this file and b\.{kind} has a column '(Label|note|label)'"
    ):
        load_table(tmp_path, kind)


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no .csv files in this folder"):
        load_table(tmp_path, "csv")


def test_quotes_of_a_tsv_file_are_plain_characters(tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text('text\tlabel\n"open\tjoy\n')
    assert read_csv(path, separator="\t", quoted=False).to_numpy().tolist() == [['"open', "joy"]]


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_folders_in_a_folder_are_not_read(tmp_path, kind):
    (tmp_path / f"old.{kind}").mkdir()
    (tmp_path / f"old.{kind}" / f"old.{kind}").write_text("text\nold\n")
    (tmp_path / f"new.{kind}").write_text("text\nnew\n")
    assert load_table(tmp_path, kind)["text"].tolist() == ["new"]
