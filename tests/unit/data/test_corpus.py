"""Reading texts: what is right is kept to the letter, what is wrong is named with its file and row."""

import csv

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.data.corpus import check_corpus
from emoscope.data.labels import written_labels
from emoscope.data.readers import read_semicolon, read_table
from emoscope.data.split import split
from emoscope.errors import UserError
from emoscope.storage.files import write_table

CLASSES = ["sadness", "joy"]


def from_csv(tmp_path, content, classes=CLASSES, text="text", label="label"):
    path = tmp_path / "mine.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return check_corpus(read_table(path, "csv", text, label, classes), classes)


GOOD = 'text,label\ni am sad,sadness\n"null, or NA",0\ni am glad,joy\nso glad,1\n'


def test_names_and_numbers_are_labels_and_nothing_is_taken_for_missing(tmp_path):
    corpus = from_csv(tmp_path, GOOD)
    assert corpus["text"].tolist() == ["i am sad", "null, or NA", "i am glad", "so glad"]
    assert corpus["label"].tolist() == [0, 0, 1, 1]
    assert corpus["label"].dtype == np.int8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("tweet,label\na,joy\n", r"mine.csv: no column 'text'; it has: tweet, label; name the right one as `text`"),
        ("text,emotion\na,joy\n", r"mine.csv: no column 'label'; it has: text, emotion"),
        (GOOD + "so so,hapiness\n", r"mine.csv: row 6: unknown label 'hapiness'; known: sadness, joy(?!.*Unicode)"),
        (GOOD + "  ,joy\n", r"mine.csv: row 6: the text is empty"),
        (GOOD + ",joy\n", r"mine.csv: row 6: the text is empty"),
        (GOOD.encode() + b"caf\xe9,joy\n", r"mine.csv: line 6: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("text,label\na,sadness\nb,sadness\nc,joy\n", r"mine.csv: class 'joy' has 1 rows, at least 2 are needed"),
        ("", r"mine.csv: not a CSV file"),
    ],
)
def test_a_bad_csv_is_explained(tmp_path, content, message):
    with pytest.raises(UserError, match=message) as error:
        from_csv(tmp_path, content)
    assert "\n" not in str(error.value)


def test_a_parquet_file_with_a_missing_text_is_explained(tmp_path):
    path = tmp_path / "mine.parquet"
    pd.DataFrame({"text": ["a", None, "b", "c"], "label": [0, 0, 1, 1]}).to_parquet(path)
    with pytest.raises(UserError, match=r"mine.parquet: row 1: the text is empty"):
        check_corpus(read_table(path, "parquet", "text", "label", CLASSES), CLASSES)


@pytest.mark.parametrize("name", ["nan", "None"])
def test_a_missing_label_is_no_class_of_that_name(tmp_path, name):
    path, classes = tmp_path / "mine.parquet", ["x", name]
    pd.DataFrame({"text": list("abcde"), "label": ["x", name, None, "x", name]}).to_parquet(path)
    with pytest.raises(UserError, match=r"mine.parquet: row 2: no label; write one"):
        check_corpus(read_table(path, "parquet", "text", "label", classes), classes)


def test_a_missing_label_in_a_list_is_no_class_of_that_name():
    assert written_labels(np.array(["a", "None"], dtype=object), "row 2") == ["a", "None"]
    for missing in (None, float("nan")):
        with pytest.raises(UserError, match="row 2: a label in the list is missing"):
            written_labels(np.array(["a", missing], dtype=object), "row 2")


def test_a_class_may_be_called_as_a_column_of_texts_usually_is(tmp_path):
    path = tmp_path / "mine.parquet"
    table = pd.DataFrame({"tweet": ["a", "b"], "text": [0, 1], "label": [1, 1]})
    table.to_parquet(path)
    found = read_table(path, "parquet", "tweet", "", ["text", "label"], columns=True)
    assert found["text"].tolist() == ["a", "b"] and found["label"].tolist() == [["label"], ["text", "label"]]
    table.drop(columns="tweet").to_parquet(path)
    with pytest.raises(UserError, match="no column 'tweet'; it has: text, label; name the right one as `text` of"):
        read_table(path, "parquet", "tweet", "", ["text", "label"], columns=True)


def test_a_folder_of_semicolon_files(tmp_path):
    (tmp_path / "train.txt").write_text("text;label_name\ni am; sad;sadness\nglad;joy\n")
    (tmp_path / "test.txt").write_text("text;label_name\nvery sad;sadness\nvery glad;joy\n")
    corpus = check_corpus(read_semicolon(tmp_path), CLASSES)
    assert corpus["text"].tolist() == ["very sad", "very glad", "i am; sad", "glad"]
    training, _, testing = split(corpus, "keep", "given", 0.2, 10)
    assert testing["text"].tolist() == ["very sad", "very glad"]
    assert len(training) == 2


def test_a_bad_semicolon_file_is_explained(tmp_path):
    file = tmp_path / "train.txt"
    file.write_text("tweet;emotion\n")
    with pytest.raises(UserError, match=r"train.txt: line 1 should read `text;label_name`"):
        read_semicolon(file)
    file.write_text("text;label_name\nno label here\n")
    with pytest.raises(UserError, match=r"train.txt: line 2: no semicolon"):
        read_semicolon(tmp_path)


def test_a_text_with_an_unquoted_comma_is_refused_not_halved(tmp_path):
    with pytest.raises(UserError, match="quote texts that contain commas"):
        from_csv(tmp_path, "text,label\nhello, world,joy\ndear, world,sadness\n")


def test_class_names_that_are_numbers_are_names(tmp_path):
    corpus = from_csv(tmp_path, "text,label\na,5\nb,5\nc,1\nd,1\n", classes=["5", "1"])
    assert corpus["label"].tolist() == [0, 0, 1, 1]


STRANGE = [
    "<script>alert(1)</script> &amp; </td>",
    '=HYPERLINK("http://example.org")',
    "+1",
    "-1",
    "@SUM(A1)",
    "tab\there",
    "bell \a escape \x1b[31m next line \x85 separators \u2028 \u2029",
    "carriage\rreturn",
    "right to left \u05e9\u05dc\u05d5\u05dd \u202e override",
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467 flag \U0001f1e9\U0001f1ea combining e\u0301\u0302",
    'quotes " and "" and \' and ` and ; and , and \\',
    "NaN",
    "\ufeffmarked",
    "  spaces around  ",
    "x" * 100_000,
    "so " * 33_333 + "far",
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)


def as_csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerows([("text", "label"), *rows])


def labelled(texts):
    return [(text, CLASSES[number % 2]) for number, text in enumerate(texts)]


def assert_csv_keeps(folder, texts):
    as_csv(folder / "mine.csv", labelled(texts))
    corpus = check_corpus(read_table(folder / "mine.csv", "csv", "text", "label", CLASSES), CLASSES)
    assert corpus["text"].tolist() == list(texts)


def assert_parquet_keeps(folder, texts):
    table = pd.DataFrame(labelled(texts), columns=["text", "label"])
    write_table(table, folder / "mine.parquet")
    corpus = check_corpus(read_table(folder / "mine.parquet", "parquet", "text", "label", CLASSES), CLASSES)
    assert corpus["text"].tolist() == list(texts)


def assert_semicolon_keeps(folder, texts):
    lines = ["text;label_name", *(f"{text};{label}" for text, label in labelled(texts))]
    (folder / "mine.txt").write_bytes("\n".join(lines).encode())
    corpus = check_corpus(read_semicolon(folder / "mine.txt"), CLASSES)
    assert corpus["text"].tolist() == list(texts)


@pytest.mark.parametrize("keeps", [assert_csv_keeps, assert_parquet_keeps, assert_semicolon_keeps])
def test_strange_texts_are_kept_to_the_letter(tmp_path, keeps):
    keeps(tmp_path, STRANGE)


@pytest.mark.parametrize("keeps", [assert_csv_keeps, assert_parquet_keeps, assert_semicolon_keeps])
def test_any_text_is_kept_to_the_letter(tmp_path, keeps):
    @given(st.lists(TEXTS, min_size=4, max_size=8))
    def check(texts):
        one_line = keeps is assert_semicolon_keeps
        keeps(tmp_path, [text.replace("\n", " ") + "." for text in texts] if one_line else texts)

    check()


@given(st.binary(max_size=300))
def test_any_bytes_are_a_corpus_or_explained_in_one_line(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("bytes")
    for name, read in {
        "mine.csv": lambda path: read_table(path, "csv", "text", "label", CLASSES),
        "mine.parquet": lambda path: read_table(path, "parquet", "text", "label", CLASSES),
        "mine.txt": read_semicolon,
    }.items():
        for head in (b"", b"text,label\n", b"text;label_name\n"):
            (folder / name).write_bytes(head + content)
            try:
                check_corpus(read(folder / name), CLASSES)
            except UserError as error:
                assert str(error).startswith(str(folder))
                assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("content", [b"text,label\nso\0glad,joy\n", "text,label\nglad,joy\n".encode("utf-16-le")])
def test_nul_bytes_are_refused(tmp_path, content):
    with pytest.raises(UserError, match=r"mine.csv: line \d: byte 0x00 is no text; save the file as UTF-8"):
        from_csv(tmp_path, content)
    (tmp_path / "mine.txt").write_bytes(b"text;label_name\nso\0glad;joy\n")
    with pytest.raises(UserError, match=r"mine.txt: line 2: byte 0x00 is no text"):
        read_semicolon(tmp_path / "mine.txt")
    pd.DataFrame({"text": ["a", "b\0", "c", "d"], "label": [0, 0, 1, 1]}).to_parquet(tmp_path / "mine.parquet")
    with pytest.raises(UserError, match=r"mine.parquet: row 1: the text holds a NUL character; remove it"):
        check_corpus(read_table(tmp_path / "mine.parquet", "parquet", "text", "label", CLASSES), CLASSES)


NO_TEXTS = {
    "ndarray": [["i", "feel"], ["fine"], ["so"], ["glad"]],
    "float64": [None, 17.0, 18.5, 19.0],
    "int64": [1, 2, 3, 4],
    "bytes": [b"a", b"b", b"c", b"d"],
}


@pytest.mark.parametrize(("kind", "cells"), NO_TEXTS.items())
def test_a_column_of_no_texts_is_refused(tmp_path, kind, cells):
    """`['i' 'feel']`, or 17.0, would be what the classifier reads."""
    path = tmp_path / "mine.parquet"
    pd.DataFrame({"tokens": cells, "label": [0, 0, 1, 1]}).to_parquet(path)
    with pytest.raises(UserError, match=rf"mine.parquet: row \d: {kind}, not text, in the column of texts; name"):
        check_corpus(read_table(path, "parquet", "tokens", "label", CLASSES), CLASSES)


def test_texts_of_few_kinds_are_texts(tmp_path):
    path = tmp_path / "mine.parquet"
    pd.DataFrame({"text": pd.Categorical(list("abba")), "label": [0, 0, 1, 1]}).to_parquet(path)
    corpus = check_corpus(read_table(path, "parquet", "text", "label", CLASSES), CLASSES)
    assert corpus["text"].tolist() == list("abba")


def test_whole_numbers_written_as_floats_are_labels_and_others_are_not(tmp_path):
    path = tmp_path / "mine.parquet"
    pd.DataFrame({"text": list("abcd"), "label": [0.0, 1.0, 1.0, 0.0]}).to_parquet(path)
    assert check_corpus(read_table(path, "parquet", "text", "label", CLASSES), CLASSES)["label"].tolist() == [
        0,
        1,
        1,
        0,
    ]
    assert from_csv(tmp_path, "text,label\na,0.0\nb,1.0\nc,1\nd,sadness\n")["label"].tolist() == [0, 1, 1, 0]
    for wrong in (0.5, 2.0, float("nan"), float("inf"), -1.0):
        pd.DataFrame({"text": list("abcd"), "label": [0.0, 1.0, wrong, 0.0]}).to_parquet(path)
        told = "no label" if wrong != wrong else f"unknown label '{wrong}'; known: sadness, joy"
        with pytest.raises(UserError, match=f"mine.parquet: row 2: {told}"):
            check_corpus(read_table(path, "parquet", "text", "label", CLASSES), CLASSES)


def test_a_name_in_another_unicode_form_is_told_as_such(tmp_path):
    """Composed in the config and decomposed in the file, or the other way round, the two look the same."""
    composed, decomposed = "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"
    for name, label in ((composed, decomposed), (decomposed, composed)):
        table = pd.DataFrame({"text": list("abcd"), "label": [label, "b", label, "b"]})
        table.to_csv(tmp_path / "mine.csv", index=False)
        with pytest.raises(UserError, match=r"row 2: unknown label .*Unicode's forms NFC and NFD\); write both alike"):
            check_corpus(read_table(tmp_path / "mine.csv", "csv", "text", "label", [name, "b"]), [name, "b"])
