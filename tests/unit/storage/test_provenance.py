"""A commit is recorded only if it is that of the code that ran; otherwise the record says why it is not known."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from emoscope import __version__
from emoscope.storage import provenance
from emoscope.storage.files import read_json
from repositories import git
from rule_texts import RULES

PACKAGE = Path(__file__).parents[3] / "workflow" / "emoscope"
SAY = "from emoscope.storage.provenance import commit; print(commit())"


def recorded(folder: Path, **environment: str) -> str:
    """What a copy of the package in a folder takes for its commit."""
    found = subprocess.run(
        [sys.executable, "-c", SAY],
        env=os.environ | {"PYTHONPATH": str(folder), "GIT_CEILING_DIRECTORIES": "/tmp"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.strip()


@pytest.fixture
def copy(tmp_path) -> Path:
    """A repository of somebody else, in which a copy of the package lies that is not part of it."""
    for part in ("errors.py", "__init__.py", "storage"):
        source, target = PACKAGE / part, tmp_path / "outer" / "unpacked" / "emoscope" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy2(source, target)
    outer = tmp_path / "outer"
    placeholder = outer / "unpacked" / "emoscope" / "storage" / "archived_commit.txt"
    placeholder.write_text("$Format:%H$\n")  # in a release the commit stands there
    (outer / "thesis.tex").write_text("A thesis.")
    git(outer, "init", "--quiet")
    git(outer, "add", "thesis.tex")
    git(outer, "commit", "--quiet", "--message", "Chapter one")
    return outer / "unpacked"


def test_the_commit_of_another_repository_is_not_ours(copy):
    assert recorded(copy) == "(unknown: this copy of the workflow is no git checkout)"
    (copy.parent / ".gitignore").write_text("unpacked\n")
    assert recorded(copy) == "(unknown: this copy of the workflow is no git checkout)"


def test_a_copy_outside_of_any_repository_has_none(copy):
    shutil.rmtree(copy.parent / ".git")
    assert recorded(copy) == "(unknown: this copy of the workflow is no git checkout)"


def test_an_archive_knows_the_commit_that_it_was_made_of(copy):
    shutil.copy2(PACKAGE.parents[1] / ".gitattributes", copy)
    attributes = (copy / ".gitattributes").read_text().replace("workflow/", "")
    (copy / ".gitattributes").write_text(attributes)
    shutil.rmtree(copy.parent / ".git")
    git(copy, "init", "--quiet")
    git(copy, "add", ".")
    git(copy, "commit", "--quiet", "--message", "The workflow")
    commit = git(copy, "rev-parse", "HEAD")
    git(copy, "archive", "--output", str(copy.parent / "release.tar"), "HEAD")
    shutil.unpack_archive(copy.parent / "release.tar", copy.parent / "release")
    assert recorded(copy.parent / "release") == commit
    assert recorded(copy.parent / "release", PATH="/nowhere") == commit  # a container has no git


def test_the_commit_of_a_checkout_is_recorded_with_its_changes(copy):
    git(copy.parent, "add", "unpacked")
    git(copy.parent, "commit", "--quiet", "--message", "The workflow")
    commit = git(copy.parent, "rev-parse", "HEAD")
    assert recorded(copy) == commit
    with (copy / "emoscope" / "errors.py").open("a") as file:
        file.write("# a remark\n")
    assert recorded(copy) == f"{commit} with changes"


def test_a_checkout_of_someone_else_says_so(copy):
    git(copy.parent, "add", "unpacked")
    found = recorded(copy, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert found.startswith("(unknown: git says: fatal: detected dubious ownership")


def test_where_git_speaks_another_language_an_archive_knows_its_commit(copy, tmp_path):
    (copy / "emoscope" / "storage" / "archived_commit.txt").write_text("ab12\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").write_text(
        '#!/bin/sh\nif [ "$LC_ALL$LANGUAGE" = C ]; then echo "fatal: not a git repository" >&2\n'
        'else echo "Schwerwiegend: Kein Git-Repository" >&2; fi; exit 128\n'
    )
    (tmp_path / "bin" / "git").chmod(0o755)
    programs = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    assert recorded(copy, LC_ALL="de_DE.UTF-8", LANGUAGE="de:en", **programs) == "ab12"


def test_without_git_the_record_says_so(copy):
    assert recorded(copy, PATH="/nowhere") == "(unknown: git is not installed)"


def test_packages_that_an_environment_lacks_are_left_out_and_no_others(monkeypatch):
    def version(name: str) -> str:
        if name == "scipy":
            raise PackageNotFoundError(name)
        return f"{name} 1"

    monkeypatch.setattr(provenance, "version", version)
    found = provenance.versions()
    assert list(found) == ["emoscope", "python", *(name for name in provenance.PACKAGES if name != "scipy")]
    assert found["emoscope"] == __version__ and found["transformers"] == "transformers 1"


def test_a_corpus_of_thousands_of_files_has_a_record(tmp_path):
    """Linux takes no argument of more than 128 KiB: each name is one of its own."""
    files = [tmp_path / f"part-{number:05}-{'0' * 80}.csv" for number in range(1800)]
    for file in files:
        file.write_text(file.name)
    command = [sys.executable, "-m", "emoscope", "record-provenance", "--settings", "{}", "--training"]
    command += ["--inputs", *files, "--input-names", *(file.name for file in files)]
    command += ["--results", files[0], "--result-names", "first", "--output", tmp_path / "provenance.json"]
    subprocess.run(command, check=True)
    found = read_json(tmp_path / "provenance.json")
    assert list(found["inputs"]) == [file.name for file in files] and list(found["results"]) == ["first"]
    assert "--input-names {params.input_names:q}" in RULES["record_provenance"]
    assert "--result-names {params.result_names:q}" in RULES["record_provenance"]


def test_files_are_recorded_under_the_names_that_they_are_given(tmp_path):
    (tmp_path / "stored" / "model" / "deep").mkdir(parents=True)
    (tmp_path / "stored" / "model" / "deep" / "weights").write_text("w")
    (tmp_path / "stored" / "table").write_text("t")
    places = [tmp_path / "stored" / "model", tmp_path / "stored" / "table"]
    found = provenance.hashes(places, ["results/model", "results/table"])
    assert list(found) == ["results/model/deep/weights", "results/table"]
    assert list(provenance.hashes(places)) == [f"{places[0]}/deep/weights", str(places[1])]
    with pytest.raises(ValueError):
        provenance.hashes(places, ["results/model"])
