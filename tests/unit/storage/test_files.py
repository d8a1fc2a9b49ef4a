"""Files are whole or absent, and no text in a table is a formula."""

import errno
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import UserError
from emoscope.storage import files
from emoscope.storage.files import occupy, remove_if_left, replacing, write_csv, write_json, write_tables


def unlockable(*_):
    raise OSError(errno.ENOLCK, "No locks available")


def test_an_error_leaves_the_old_file_and_what_a_killed_writer_left_is_removed(tmp_path):
    path = tmp_path / "table.json"
    write_json([1], path)
    (tmp_path / ".table.json.12345.tmp").write_text("half")
    (tmp_path / ".other.json.12345.tmp").write_text("half")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half")
        1 / 0  # noqa: B018
    assert json.loads(path.read_text()) == [1]
    assert sorted(file.name for file in tmp_path.iterdir()) == [".other.json.12345.tmp", "table.json"]


def test_a_file_takes_the_place_of_no_folder_and_a_folder_that_of_a_folder(tmp_path):
    (tmp_path / "home" / "kept").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        write_json([1], tmp_path / "home")
    assert [path.name for path in tmp_path.iterdir()] == ["home"] and (tmp_path / "home" / "kept").is_dir()
    with replacing(tmp_path / "home") as temporary:
        (temporary / "new").mkdir(parents=True)
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["new"]


def test_a_folder_has_one_worker_at_a_time(tmp_path):
    lock = occupy(tmp_path / "work")
    with pytest.raises(UserError, match="work: another process is at work in it"):
        occupy(tmp_path / "work")
    lock.close()
    occupy(tmp_path / "work").close()


def test_only_what_was_occupied_and_is_left_is_removed(tmp_path, monkeypatch):
    folder = tmp_path / "work"
    folder.mkdir()
    assert not remove_if_left(folder), "a folder of somebody else's"
    with occupy(folder):
        assert not remove_if_left(folder)
    with monkeypatch.context() as patched:
        patched.setattr(files.fcntl, "flock", unlockable)
        assert not remove_if_left(folder)
        patched.setattr(files, "fcntl", None)
        assert not remove_if_left(folder)
    assert folder.is_dir() and remove_if_left(folder) and not folder.exists()


def test_where_there_are_no_locks_a_line_says_so(tmp_path, monkeypatch, capsys):
    occupy(tmp_path / "work").close()
    assert capsys.readouterr().err == ""

    monkeypatch.setattr(files.fcntl, "flock", unlockable)
    occupy(tmp_path / "work").close()
    monkeypatch.setattr(files, "fcntl", None)  # a system without them
    occupy(tmp_path / "work").close()
    assert capsys.readouterr().err.count("work: no locks here (") == 2


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1"])
def test_no_text_is_a_formula(tmp_path, text):
    write_csv(pd.DataFrame({"text": [text, "plain"], "change": [-0.5, 1]}), tmp_path / "t.csv")
    table = pd.read_csv(tmp_path / "t.csv")
    assert table["text"].tolist() == ["'" + text, "plain"]
    assert table["change"].tolist() == [-0.5, 1]


def test_numbers_written_as_text_stay_numbers(tmp_path):
    write_csv(pd.DataFrame({"ours": ["-0.25", "+3", "-1e-7"]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "ours\n-0.25\n+3\n-1e-7\n"


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_tables_written_one_after_another_are_their_concatenation(tmp_path_factory, lengths):
    path = tmp_path_factory.mktemp("tables") / "all.parquet"
    tables = [pd.DataFrame({"id": np.arange(length), "p": np.ones(length, dtype="float32")}) for length in lengths]
    write_tables(iter(tables), path)
    pd.testing.assert_frame_equal(pd.read_parquet(path), pd.concat(tables, ignore_index=True))
