"""Texts for prompts: files are read to the letter, mistakes are named."""

import pandas as pd
import pytest

from emoscope.errors import UserError
from emoscope.storage.files import read_json
from emoscope.writeups.prompting.tasks import prepare_task, read_part

FILES = {"name": "mine", "source": "files", "columns": None, "text": "text", "label": "label", "seed": 1, "alone": None}


def prepared(tmp_path, config):
    prepare_task(config, tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "task.json")
    return (
        pd.read_parquet(tmp_path / "a.parquet"),
        pd.read_parquet(tmp_path / "b.parquet"),
        read_json(tmp_path / "task.json"),
    )


def test_a_tsv_without_header_keeps_its_quotes_and_loses_outer_blanks(tmp_path):
    (tmp_path / "train.tsv").write_text('it \'s a "great journey . \t1\nbleak and "desperate" \t0\nfun \t1\n')
    (tmp_path / "test.tsv").write_text("fun \t1\ndull \t0\nfine \t1\n")
    paths = {part: str(tmp_path / f"{part}.tsv") for part in ("train", "test")}
    config = (
        FILES
        | paths
        | {"columns": ["text", "label"], "classes": ["bad", "good"], "train_rows": None, "test_rows": None}
    )
    train, test, task = prepared(tmp_path, config)
    assert train["text"].tolist() == ["it 's a \"great journey .", 'bleak and "desperate"', "fun"]
    assert train["is_good"].tolist() == [1, 0, 1]
    assert (test["is_bad"] + test["is_good"] == 1).all()
    assert test["text"].tolist() == ["dull", "fine"], "what was in training is not asked"
    assert test["id"].tolist() == [0, 1]
    assert (task["leaked_test_rows"], task["test_rows"]) == (1, 2)
    assert (task["kind"], task["classes"]) == ("single", ["bad", "good"])


def test_columns_of_yes_and_no_make_several_labels(tmp_path):
    (tmp_path / "a.csv").write_text("text,joy,fear\none,1,0\ntwo,True,1\nthree,0,false\n")
    (tmp_path / "b.csv").write_text("text,joy,fear\nfour,1,0\nfive,True,1\nsix,0,false\n")
    paths = {"train": str(tmp_path / "a.csv"), "test": str(tmp_path / "b.csv")}
    config = FILES | paths | {"labels": ["joy", "fear"], "alone": "joy", "train_rows": None, "test_rows": 2}
    train, test, task = prepared(tmp_path, config)
    assert train[["is_joy", "is_fear"]].to_numpy().tolist() == [[1, 0], [1, 1], [0, 0]]
    assert len(test) == 2
    assert task["kind"] == "multiple"


@pytest.mark.parametrize(
    ("content", "change", "message"),
    [
        ("text,joy\na,1\n", {}, r"a.csv: no column 'fear'; it has: text, joy; fix the task 'mine'"),
        ("text,joy,fear\na,1,2\n", {}, r"a.csv: row 2: column 'fear' holds '2'; it should be 0 or 1"),
        ("text,joy,fear\na,1,0\n ,1,0\n", {}, r"a.csv: row 3: the text is empty"),
        (
            "text,label\na,bad\nb,awful\n",
            {"labels": [], "classes": ["bad", "good"]},
            "row 3: unknown label 'awful'; known",
        ),
        ("text,mood\na,bad\n", {"labels": [], "classes": ["bad", "good"]}, "no column 'label'"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path, content, change, message):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(UserError, match=message) as error:
        read_part(tmp_path / "a.csv", FILES | {"labels": ["joy", "fear"]} | change, None)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ("b,0,1", "task mine: all 2 test texts stand among the training texts, too; name"),
        ("b,0,0", "task mine: every training text has 0 for 'fear'"),
    ],
)
def test_texts_that_can_teach_or_judge_nothing_are_refused(tmp_path, last, message):
    (tmp_path / "a.csv").write_text(f"text,joy,fear\na,1,0\n{last}\n")
    paths = {"train": str(tmp_path / "a.csv"), "test": str(tmp_path / "a.csv")}
    config = FILES | paths | {"labels": ["joy", "fear"], "train_rows": None, "test_rows": None}
    with pytest.raises(UserError, match=message):
        prepared(tmp_path, config)


def test_generated_texts_are_split_once_and_know_their_answers(tmp_path):
    config = {"name": "mood", "source": "generated", "task": "emotion", "train_rows": 40, "test_rows": 20, "seed": 1}
    train, test, task = prepared(tmp_path, config | {"alone": "joy"})
    assert (len(train), len(test), task["train_rows"], task["test_rows"]) == (40, 20, 40, 20)
    assert not set(train["text"]) & set(test["text"]) and task["leaked_test_rows"] == 0
    assert task["train_rates"]["joy"] == train["is_joy"].mean() != test["is_joy"].mean()
    assert (train["is_joy"] == train["planted_joy"]).all() and task["kind"] == "multiple"
    train, _, task = prepared(tmp_path, config | {"task": "sentiment", "alone": None})
    assert (train["is_good"] == train["planted_good"]).all() and (train["is_bad"] == 1 - train["is_good"]).all()
    assert (task["kind"], task["classes"]) == ("single", ["bad", "good"])


@pytest.mark.parametrize(("text", "message"), [(None, "the text is empty"), ("a\0b", "holds a NUL character")])
def test_a_text_that_is_none_is_refused(tmp_path, text, message):
    table = pd.DataFrame({"text": ["fine", text], "label": ["good", "bad"]})
    table.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(UserError, match=rf"a.parquet: row 1: .*{message}"):
        read_part(tmp_path / "a.parquet", FILES | {"classes": ["bad", "good"]}, None)
