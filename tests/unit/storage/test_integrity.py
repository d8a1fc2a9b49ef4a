"""Damaged files and full disks are named."""

import os
import sys

import pandas as pd
import pytest

from emoscope.cli import main
from emoscope.errors import UserError
from emoscope.storage.files import replacing, write_json, write_table
from emoscope.storage.integrity import check_whole, disk_trouble, seal

TABLE = pd.DataFrame({"id": range(2000), "text": [f"text number {n}" for n in range(2000)]})


def flip_byte(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


def test_no_changed_byte_changes_a_value_unnoticed(tmp_path):
    path = tmp_path / "table.parquet"
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


def test_a_changed_or_missing_file_of_a_model_is_noticed(tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes(b"{}" * 500)
    seal(tmp_path)
    check_whole([tmp_path])
    flip_byte(tmp_path / "model.safetensors", 700)
    with pytest.raises(
        UserError, match=rf"model.safetensors: damaged \(its SHA-256.*\); delete {tmp_path} and run again"
    ):
        check_whole([tmp_path])
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"model.safetensors: damaged \(it is missing\)"):
        check_whole([tmp_path])
    os.truncate(tmp_path / "checksums.json", 10)
    with pytest.raises(UserError, match=r"checksums.json: damaged \("):
        check_whole([tmp_path])


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
