"""Damaged files and full disks are named."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from emoscope.cli import main
from emoscope.errors import UserError
from emoscope.storage.files import replacing, write_json, write_table
from emoscope.storage.integrity import check_whole, disk_trouble, seal

TABLE = pd.DataFrame({"id": range(2000), "text": [f"text number {n}" for n in range(2000)]})


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    """Where results lie, for jobs that run in the folder above."""
    monkeypatch.chdir(tmp_path)
    return Path("results/mine-s1")


def model(folder):
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_bytes(b"{}" * 500)
    seal(folder)
    return folder


def flip_byte(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


def test_no_changed_byte_changes_a_value_unnoticed(results):
    path = results / "table.parquet"
    write_table(TABLE, path)
    check_whole([path])
    whole, noticed = path.read_bytes(), 0
    values = len(whole) - int.from_bytes(whole[-8:-4], "little") - 8  # before the footer, which names the columns
    for place in range(0, values, 53):
        flip_byte(path, place)
        try:
            check_whole([path])
        except UserError as error:
            assert f"{path}: damaged (" in str(error) and f"; delete {path} and run again" in str(error)
            assert "\n" not in str(error)
            noticed += 1
        else:
            pd.testing.assert_frame_equal(pd.read_parquet(path), TABLE)  # bytes that nobody reads
        path.write_bytes(whole)
    assert noticed > 0.9 * values / 53


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_table_cut_short_is_noticed(tmp_path, share):
    path = tmp_path / "table.parquet"
    write_table(TABLE, path)
    os.truncate(path, int(share * path.stat().st_size))
    with pytest.raises(UserError, match=r"table.parquet: damaged"):
        check_whole([path])


@pytest.mark.parametrize("place", ["results/mine-s1/model", "data/models/mine", ".snakemake/storage/s3/results/m"])
def test_a_changed_or_missing_file_of_a_model_is_noticed(tmp_path, place):
    folder = model(Path(place))
    check_whole([folder])
    flip_byte(folder / "model.safetensors", 700)
    with pytest.raises(
        UserError, match=rf"model.safetensors: damaged \(its SHA-256.*\); delete {folder} and run again"
    ):
        check_whole([folder])
    with pytest.raises(UserError, match=rf"; delete {tmp_path / folder} and run again"):
        check_whole([tmp_path / folder])
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"model.safetensors: damaged \(it is missing\); delete"):
        check_whole([folder])
    for content in ('{"config.jso', "[]", '{"config.json": 7}', '{"config.json": "7"}'):
        (folder / "checksums.json").write_text(content)
        with pytest.raises(UserError, match=rf"checksums.json: damaged \(.*\); delete {folder} and run again"):
            check_whole([folder])


@pytest.mark.parametrize("place", ["mine", "data/mine", "../mine"])
def test_nobody_is_told_to_delete_a_folder_of_their_own(tmp_path, monkeypatch, place):
    (tmp_path / "work here").mkdir()
    monkeypatch.chdir(tmp_path / "work here")
    folder = model(Path(place))
    check_whole([folder])
    flip_byte(folder / "config.json", 7)  # such as a fixed name of a label
    fix = r"{}: \S*/checksums.json does not fit it \({}.*\); remove checksums.json if you changed the folder, else br"
    with pytest.raises(UserError, match=fix.format("config.json", "its SHA-256")):
        check_whole([folder])
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match=fix.format("config.json", "it is missing")):
        check_whole([folder])
    write_table(TABLE, folder.with_suffix(".parquet"))
    os.truncate(folder.with_suffix(".parquet"), 500)
    with pytest.raises(UserError, match=r"mine.parquet: damaged \(.*\); put it there whole and run again"):
        check_whole([folder.with_suffix(".parquet")])


@pytest.mark.parametrize("content", ['{"files": {"a": "b"}}', '["a"]', '{"a": 7}', '{"a": "md5:7"}', "no JSON", "\0"])
def test_another_programs_checksums_are_no_seal(content):
    folder = model(Path("mine"))
    (folder / "checksums.json").write_text(content)
    check_whole([folder])


def test_half_a_json_file_is_noticed_and_absent_files_are_not_our_business(tmp_path):
    path = tmp_path / "corpus.json"
    write_json({"rows": 3}, path)
    check_whole([path, tmp_path / "absent.parquet"])
    path.write_text(path.read_text()[:-3])
    with pytest.raises(UserError, match=r"corpus.json: damaged"):
        check_whole([path])


def test_a_command_looks_at_its_files_first(tmp_path, capsys):
    bad = tmp_path / "predictions.parquet"
    bad.write_bytes(b"PAR1 and not much else")
    options = ["--predictions", str(bad), "--test", str(bad), "--config", "{}", "--output", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match=f"emoscope select-confident: {bad}: damaged") as stop:
        main(["select-confident", *options])
    assert "\n" not in stop.value.code


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/full")
def test_a_full_device_is_named_with_the_file(tmp_path):
    with pytest.raises(OSError) as caught, replacing(tmp_path / "table.csv"), open("/dev/full", "w") as full:
        full.write("x")
    assert disk_trouble(caught.value, []).startswith(
        f"No space left on device, while writing {tmp_path / 'table.csv'};"
    )


def test_other_errors_are_not_taken_for_a_full_disk(tmp_path):
    assert disk_trouble(ValueError("shapes differ"), [tmp_path / "absent" / "file"]) is None
    assert disk_trouble(FileNotFoundError(2, "No such file", "x"), [tmp_path]) is None


def test_a_disk_that_can_only_be_read_is_not_full(tmp_path, monkeypatch):
    """An image, as clusters have models in, never has a free byte."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    assert disk_trouble(ValueError("shapes differ"), [tmp_path]).startswith("No space left on device, on the disk of")
    monkeypatch.setattr("os.access", lambda *_: False)
    assert disk_trouble(ValueError("shapes differ"), [tmp_path]) is None
