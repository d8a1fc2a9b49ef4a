"""The console command: help, errors in one line, no traceback for what a user can cause."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emoscope.cli import COMMANDS, main, parser_of

ROOT = Path(__file__).parents[2]


def emoscope(*arguments, stdin=""):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    command = [sys.executable, "-m", "emoscope", *arguments]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, env=environment)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_explains_itself(name):
    module, function = COMMANDS[name].split(":")
    command = getattr(importlib.import_module(f"emoscope.{module}"), function)
    assert command.__doc__, name
    assert "usage: emoscope" in parser_of(command, name).format_help()


def test_a_user_error_is_one_line_and_status_1(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("tweet,label\nhello,joy\n")
    config = json.dumps(
        {"source": "csv", "path": str(bad), "text": "text", "label": "label", "classes": ["joy", "fear"]}
    )
    found = emoscope(
        "import-corpus", "--config", config, "--corpus", str(tmp_path / "c"), "--source", str(tmp_path / "s")
    )
    assert found.returncode == 1
    assert found.stdout == ""
    assert found.stderr.startswith(f"emoscope import-corpus: {bad}: no column 'text'; it has: tweet, label")
    assert found.stderr.count("\n") == 1


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    assert "mask-block" in capsys.readouterr().out


def test_an_unknown_command_is_named():
    with pytest.raises(SystemExit, match="no command 'finetoon'; did you mean 'finetune'"):
        main(["finetoon"])


@pytest.mark.parametrize("threads", [[], ["two", "flip"], ["0", "flip"], ["flip"]])
def test_threads_are_a_number(threads):
    with pytest.raises(SystemExit, match=r"^emoscope: --threads: write how many"):
        main(["--threads", *threads])


def test_flip_is_a_filter():
    found = emoscope("flip", "--axis", "gender", stdin="she is here\nnobody is here\n")
    assert found.stdout == "he is here\nnobody is here\n"
    assert emoscope("flip", "--axis", "age").returncode == 1


def test_replace_is_a_filter():
    maps = ["--map", "know/VERB=understand", "--map", "life/NOUN=existence"]
    assert emoscope("replace", *maps, stdin="i knew it\n").stdout == "i understood it\n"


@pytest.mark.parametrize(
    ("given", "flipped"),
    [
        (b"she left\r\nhe stayed\r\n", b"he left\r\nshe stayed\r\n"),  # line ends stay as they are
        (b"she left", b"he left"),
        (b"\n\nshe\rhe\x0c\n", b"\n\nhe\rshe\x0c\n"),  # a carriage return ends no line
        ("she 😀 caf\u0301e\n".encode(), "he 😀 caf\u0301e\n".encode()),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_filter_changes_words_and_nothing_else(given, flipped, encoding):
    found = filtered(given, PYTHONIOENCODING=encoding)
    assert (found.stdout, found.returncode) == (flipped, 0)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (b"caf\xe9\n", b"line 1: byte 0xe9"),
        (b"she\nshe\n\xff\xfes", b"line 3: byte 0xff"),
        (b"a\nb\x80", b"line 2: byte 0x80"),
    ],
)
def test_a_filter_names_what_is_not_utf8(given, place):
    found = filtered(given)
    assert found.returncode == 1 and place in found.stderr and found.stderr.count(b"\n") == 1


@pytest.mark.parametrize("lines", [1, 10, 5000])
def test_a_reader_that_has_seen_enough_ends_a_filter_quietly(lines):
    command = f"{sys.executable} -m emoscope flip --axis gender | head -n {lines} | wc -l"
    found = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        input=b"she left\n" * 20_000,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")},
    )
    assert (found.stdout.strip(), found.stderr, found.returncode) == (str(lines).encode(), b"", 0)


def filtered(given: bytes, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "emoscope", "flip", "--axis", "gender"],
        input=given,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")} | environment,
    )
