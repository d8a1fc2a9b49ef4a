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
    with pytest.raises(SystemExit, match="no command 'finetoon'"):
        main(["finetoon"])


def test_flip_is_a_filter():
    found = emoscope("flip", "--axis", "gender", stdin="she is here\nnobody is here\n")
    assert found.stdout == "he is here\nnobody is here\n"
    assert emoscope("flip", "--axis", "age").returncode == 1


def test_replace_is_a_filter():
    maps = ["--map", "know/VERB=understand", "--map", "life/NOUN=existence"]
    assert emoscope("replace", *maps, stdin="i knew it\n").stdout == "i understood it\n"
