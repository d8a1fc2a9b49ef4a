"""What a reader of the README and docs finds where they point."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from emoscope.plan.pages import EXPLAIN_ALL, EXPLAIN_INDEX
from emoscope.storage.yaml_files import read_yaml
from rule_texts import FILES

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")
OWN_FILE = re.compile(r"`((?:docs|data/(?:reference|lexicons)|envs|profiles|workflow)/[\w./-]+)`")
PAGES = ["README.md", "CONTRIBUTING.md", "benchmarks/README.md", "config/README.md"]
PAGES += ["data/lexicons/README.md", "data/reference/README.md"]
PAGES += sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
MODULE = re.compile(r"`(\w+\.py)`")  # by its name alone
MADE = {"profiles/slurm/partitions.yaml"}  # by a command that the README gives
OF_OTHERS = {"pandas.py", "tokenize.py"}  # files of a user that the pages speak of


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_in_the_repository(page):
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what is in the repository is not known")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    tracked = {*listed, *(str(folder) for name in listed for folder in Path(name).parents)}
    text = (ROOT / page).read_text()
    linked = {os.path.normpath(Path(page).parent / target) for target in LINK.findall(text)}
    named = {name.rstrip("/") for name in OWN_FILE.findall(text)}
    assert not sorted((linked | named) - tracked - MADE)
    assert not sorted({*MODULE.findall(text)} - {Path(name).name for name in listed} - OF_OTHERS)


def test_the_modules_that_the_recipes_name_are_there():
    named = set(re.findall(r"`((?:\w+/)+\w+\.(?:py|smk|yaml))`", (ROOT / "docs" / "extending.md").read_text()))
    assert len(named) > 15
    package = ROOT / "workflow" / "emoscope"
    places = (package, ROOT / "tests" / "unit", ROOT)
    assert not [name for name in named if not any((place / name).is_file() for place in places)]


def test_the_documents_that_explain_pages_are_there():
    named = re.findall(r"^        explained=\((.*)\),$", "".join(file.read_text() for file in FILES), flags=re.M)
    assert len(named) > 10
    names = {*EXPLAIN_ALL, *EXPLAIN_INDEX, *re.findall(r'"([^"]+)"', "".join(named))}
    assert not [name for name in names if not (ROOT / "docs" / name).is_file()]


def test_the_readme_can_be_read_in_one_sitting():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_readme_names_every_page_of_the_documentation():
    text = (ROOT / "README.md").read_text()
    assert not [page for page in PAGES if page.startswith("docs/") and f"`{page}`" not in text]


@pytest.mark.parametrize("profile", ["default", "slurm", "kubernetes"])
def test_files_are_compared_by_content_under_every_profile(profile):
    """Up to the size that the page on targets says."""
    text = (ROOT / "docs" / "targets.md").read_text()
    [megabytes] = re.findall(r"Files of up to (\d+) MB are\s+compared by content", text)
    settings = read_yaml(ROOT / "profiles" / profile / "profile.yaml")
    assert settings["max-checksum-file-size"] == int(megabytes) * 10**6


def test_one_part_of_a_block_has_one_name_for_readers():
    """The MLP; the glossary says what else it is called."""
    told = [*(ROOT / "docs").glob("*.md"), *(ROOT / "workflow/report").rglob("*.j2"), ROOT / "README.md"]
    told += [ROOT / "workflow/schemas/config.schema.yaml", *(ROOT / "workflow/notebooks").glob("*.ipynb")]
    told += [path for name in ("*page", "figures") for path in (ROOT / "workflow/emoscope").rglob(f"{name}.py")]
    assert [path.name for path in told if "feed-forward" in path.read_text().lower()] == ["glossary.md"]


def test_the_repository_has_one_address():
    pages = [(ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "config/README.md")]
    cloned, included = (re.findall(r"github(?:\.com/|\(\")([\w-]+/emoscope)", page) for page in pages)
    assert len(cloned) == 1 and cloned == included
