"""Texts for prompts: planted answers agree with the words, files are read to the letter, mistakes are named."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from emoscope.data.planted import EMOTIONS, GRAMMAR
from emoscope.data.planted_tasks import VALENCE, generate_task
from emoscope.errors import UserError
from emoscope.plan.config import complete
from emoscope.storage.files import read_json
from emoscope.writeups.prompting.tasks import prepare_task, read_part

DEFAULT = yaml.safe_load((Path(__file__).parents[4] / "config.yaml").read_text())
FILES = {"name": "mine", "source": "files", "columns": None, "text": "text", "label": "label", "seed": 1, "alone": None}


def test_generated_labels_are_the_emotions_that_the_words_name():
    table = generate_task("emotion", 400, seed=3)
    words = {name: {*GRAMMAR[f"state_{name}"], *GRAMMAR[f"quality_{name}"]} for name in EMOTIONS}
    affirmed = table[~table["text"].str.contains("dont feel|never feel|was not")]
    for name in EMOTIONS:
        only = words[name].difference(*(words[other] for other in EMOTIONS if other != name))
        told = affirmed["text"].map(lambda text, only=only: any(f" {word} " in f" {text} " for word in only))
        assert affirmed[name][told].all(), name
    assert (table[list(EMOTIONS)].sum(axis=1) > 1).mean() > 0.3
    assert not table["text"].duplicated().any()
    assert table.equals(generate_task("emotion", 400, seed=3))


def test_sentiment_follows_from_the_emotions():
    table = generate_task("sentiment", 400, seed=3)
    balance = sum(table[name].astype(int) * VALENCE[name] for name in EMOTIONS)
    assert ((balance > 0) == (table["good"] == 1)).all()
    assert ((balance < 0) == (table["good"] == 0)).all()
    assert 0.4 < table["good"].mean() < 0.6
    for name in EMOTIONS:
        assert table[name].corr(table["good"]) * VALENCE[name] >= 0.2 * abs(VALENCE[name]), name


def prepared(tmp_path, config):
    prepare_task(config, tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "task.json")
    return (
        pd.read_parquet(tmp_path / "a.parquet"),
        pd.read_parquet(tmp_path / "b.parquet"),
        read_json(tmp_path / "task.json"),
    )


def test_a_tsv_without_header_keeps_its_quotes_and_loses_outer_blanks(tmp_path):
    (tmp_path / "train.tsv").write_text('it \'s a "great journey . \t1\nbleak and "desperate" \t0\nfun \t1\n')
    (tmp_path / "test.tsv").write_text("fun \t1\ndull \t0\n")
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
    assert task["leaked_test_rows"] == 1
    assert (task["kind"], task["classes"]) == ("single", ["bad", "good"])


def test_columns_of_yes_and_no_make_several_labels(tmp_path):
    (tmp_path / "a.csv").write_text("text,joy,fear\none,1,0\ntwo,True,1\nthree,0,false\n")
    paths = {"train": str(tmp_path / "a.csv"), "test": str(tmp_path / "a.csv")}
    config = FILES | paths | {"labels": ["joy", "fear"], "alone": "joy", "train_rows": None, "test_rows": 2}
    train, test, task = prepared(tmp_path, config)
    assert train[["is_joy", "is_fear"]].to_numpy().tolist() == [[1, 0], [1, 1], [0, 0]]
    assert len(test) == 2
    assert task["kind"] == "multiple"


@pytest.mark.parametrize(
    ("content", "change", "message"),
    [
        ("text,joy\na,1\n", {}, r"a.csv: no column 'fear'; it has: text, joy; mend the task 'mine'"),
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


def test_a_label_that_no_training_text_has_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("text,joy,fear\na,1,0\nb,0,0\n")
    paths = {"train": str(tmp_path / "a.csv"), "test": str(tmp_path / "a.csv")}
    config = FILES | paths | {"labels": ["joy", "fear"], "train_rows": None, "test_rows": None}
    with pytest.raises(UserError, match="task mine: every training text has 0 for 'fear'"):
        prepared(tmp_path, config)


HUB = {"name": "a", "source": "hub", "repository": "x/y", "revision": "main", "train": "a.parquet", "test": "b.parquet"}


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([{"name": "a", "source": "generated"}], r"tasks\[0\]: key 'task' is missing"),
        ([{"name": "a", "source": "generated", "task": "mood"}], r"tasks\[0\].task: 'mood' is not one of"),
        ([{"name": "a", "source": "generated", "task": "sentiment", "alone": "joy"}], r"none can stand alone"),
        ([{"name": "a", "source": "generated", "task": "emotion"}] * 2, r"tasks\[1\].name: 'a' is used twice"),
        ([HUB], r"tasks\[0\]: name either `classes`.* or `labels`"),
        ([HUB | {"labels": ["joy", "fear"], "alone": "joi"}], r"tasks\[0\].alone: 'joi'.*did you mean 'joy'"),
        ([HUB | {"labels": ["joy", "fear"], "lable": "x"}], r"unknown key 'lable'; did you mean 'label'"),
    ],
)
def test_a_mistake_in_the_tasks_is_named(tasks, message):
    with pytest.raises(UserError, match=message) as error:
        complete(DEFAULT | {"prompting": {"tasks": tasks}})
    assert "\n" not in str(error.value)
