"""The workflow read from a git reference lies in the working directory: whole, once, whoever else starts there."""

import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from repositories import committed

RULES = Path(__file__).parents[3] / "workflow" / "rules" / "checkout.smk"


@pytest.fixture
def checkout_of(monkeypatch, tmp_path):
    names = {}
    exec(compile(RULES.read_text(), RULES, "exec"), names)  # no rules in there
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return names["checkout_of"]


@pytest.fixture
def rules(tmp_path):
    """As Snakemake describes a folder of rules in a repository, of one commit."""
    place = tmp_path / "repository"
    place.mkdir()
    (place / "Snakefile").write_text("rule all:\n")
    return SimpleNamespace(ref="HEAD", repo_path=committed(place))


def test_a_reference_is_unpacked_once(checkout_of, rules):
    folder = checkout_of(rules)
    assert (folder / "Snakefile").read_text() == "rule all:\n" and folder.parent == Path(".snakemake").absolute()
    (folder / "Snakefile").write_text("rule mine:\n")
    assert checkout_of(rules) == folder and (folder / "Snakefile").read_text() == "rule mine:\n"


def test_two_starts_at_once_have_the_same_checkout(checkout_of, rules, monkeypatch):
    """One unpacks and is done while the other, which saw nothing there, is about to."""
    opened, first = tarfile.open, []

    def late(*arguments, **options):
        monkeypatch.setattr(tarfile, "open", opened)
        first.append(checkout_of(rules))
        return opened(*arguments, **options)

    monkeypatch.setattr(tarfile, "open", late)
    assert checkout_of(rules) == first[0]
    assert list(Path(".snakemake").iterdir()) == [Path(".snakemake", first[0].name)]
    assert (first[0] / "Snakefile").read_text() == "rule all:\n"


def test_what_cannot_be_put_there_is_an_error(checkout_of, rules, monkeypatch):
    def refuse(self, target):
        raise PermissionError(f"{target}: not yours")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError, match="not yours"):
        checkout_of(rules)
