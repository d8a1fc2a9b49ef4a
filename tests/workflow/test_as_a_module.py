"""emoscope as a part of someone's workflow: rules of theirs before and after ours, their settings over our defaults."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from emoscope import __version__
from project import ROOT, copy_project, planned, snakemake
from repositories import committed, released

SETTINGS = {
    "corpora": {
        "theirs": {"source": "csv", "path": "theirs.csv", "text": "said", "label": "mood", "classes": ["calm", "angry"]}
    },
    "models": {"small": {"source": "scratch", "blocks": 2, "heads": 2, "width": 16, "vocabulary": 300, "context": 32}},
    "runs": [{"name": "theirs", "corpus": "theirs", "model": "small", "training": {"epochs": 1}}],
    "companions": [],
}
WORKFLOW = """
rule theirs:
    input: "counted.txt"

rule write_texts:
    output: "theirs.csv"
    run:
        moods = [("fine", "calm"), ("cross", "angry")] * 40
        rows = [f"i am {{word}} {{number}},{{mood}}" for number, (word, mood) in enumerate(moods)]
        Path(output[0]).write_text("\\n".join(["said,mood", *rows]))

module emoscope:
    snakefile: "{snakefile}"
    config: {config}
{more}

use rule * from emoscope as emoscope_*

rule count_texts:
    input: "results/theirs-s1/metrics.json"
    output: "counted.txt"
    run: Path(output[0]).write_text(str(json.loads(Path(input[0]).read_text())["test"]["all"]["rows"]))
"""


IN_SHELLS = """
rule count_texts:
    input: "data/corpora/theirs/corpus.json"
    output: "counted.txt"
    shell: "python -m counting {{input}} > {{output}}"

rule write_texts:
    output: "theirs.csv"
    shell: "python scripts/write.py > {{output}}"

module emoscope:
    snakefile: "{snakefile}"
    config: {config}

use rule * from emoscope as emoscope_*
"""
FILES = {
    "scripts/write.py": "import moods; print(moods.TABLE)",
    "scripts/moods.py": "TABLE = 'said,mood\\n' + '\\n'.join(f'i am {n},calm\\nyou are {n},angry' for n in range(40))",
    "counting.py": "import json, os, sys; print(json.load(open(sys.argv[1]))['rows'], os.environ['WHOSE'])",
    "bin/python": f'#!/bin/sh\n[ "$2" = emoscope ] && exit 9\nWHOSE=theirs exec {sys.executable} "$@"\n',
}
DEPLOYED = """
configfile: "config/config.yaml"

module emoscope:
    snakefile: {snakefile}
    config: config

use rule * from emoscope
"""  # as snakedeploy writes it
CONFIGURING = (ROOT / "config" / "README.md").read_text(encoding="utf-8")


def plan(folder: Path, snakefile: str, more: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(SETTINGS))
    text = WORKFLOW.format(snakefile=snakefile, config=SETTINGS, more=more)
    (folder / "Snakefile").write_text("import json\nfrom pathlib import Path\n" + text)


def repository(folder: Path) -> str:
    """A git repository with what makes up the workflow."""
    copy_project(folder)
    committed(folder)
    return f"git+file://{folder}/workflow/Snakefile@HEAD"


@pytest.mark.parametrize(
    "source", [pytest.param("folder", marks=pytest.mark.release), pytest.param("git", marks=pytest.mark.slow)]
)
def test_their_rules_before_and_after_ours(tmp_path, source):
    place = repository(tmp_path / "repository") if source == "git" else str(ROOT / "workflow" / "Snakefile")
    plan(tmp_path / "theirs", place)
    found = snakemake(tmp_path / "theirs", config="config.yaml", warm=False)  # their first rule, not our `all`
    assert found.returncode == 0, found.stdout
    assert (tmp_path / "theirs" / "counted.txt").read_text() == "16"  # a fifth of 80, our default
    again = snakemake(tmp_path / "theirs", "--dry-run", config="config.yaml")
    assert "Nothing to be done" in again.stdout


def test_jobs_of_their_own_rules_are_left_as_they_are(tmp_path):
    """They run their user's Python and what lies beside their scripts or in their folder, and ours run neither."""
    (tmp_path / "Snakefile").write_text(IN_SHELLS.format(snakefile=ROOT / "workflow" / "Snakefile", config=SETTINGS))
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "bin" / "python").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    found = subprocess.run(
        [Path(sys.executable).with_name("snakemake"), "--cores", "1"],
        cwd=tmp_path,
        env=environment | {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert found.returncode == 0, found.stdout
    assert (tmp_path / "counted.txt").read_text() == "80 theirs\n"


def test_what_cannot_be_moved_is_said(tmp_path):
    plan(tmp_path / "theirs", str(ROOT / "workflow" / "Snakefile"), more='    prefix: "elsewhere"')
    found = snakemake(tmp_path / "theirs", "--dry-run", config="config.yaml")
    assert found.returncode == 1 and "emoscope: `prefix` moves a module's files without its jobs" in found.stdout


@pytest.mark.parametrize("given", [[], ["--configfile", "twice.yaml"]])
def test_a_section_written_twice_is_named_before_anything_runs(tmp_path, given):
    """Also in what their workflow reads by itself."""
    text = "runs: [{name: a}]\nruns: [{name: b}]\n"
    (tmp_path / "twice.yaml").write_text(text)
    own = "" if given else 'configfile: "twice.yaml"\n'
    (tmp_path / "Snakefile").write_text(f'{own}include: "{ROOT}/workflow/Snakefile"\n')
    command = [sys.executable, "-m", "snakemake", "--dry-run", *given]
    found = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True)
    assert found.returncode == 1
    assert "twice.yaml: line 2: 'runs' stands there again, after line 1" in found.stderr


def test_a_deployed_workflow_plans_what_its_template_says(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "workflow").mkdir()
    text = DEPLOYED.format(snakefile=f'"{ROOT}/workflow/Snakefile"')
    (tmp_path / "workflow" / "Snakefile").write_text(text)
    jobs = planned(tmp_path, "all", config="config/config.yaml")
    assert "finetune" in jobs and "score_heads" not in jobs


@pytest.mark.release
def test_snakedeploy_deploys_a_release_that_is_planned(tmp_path, monkeypatch):
    """As the catalog tells its readers, where git takes a folder of this machine for github.com."""
    [place] = re.findall(r'github\("(.*?)", path="workflow/Snakefile", tag="v[\d.]+"\)', CONFIGURING)
    repository = released(tmp_path / "hub" / place)
    for name, text in {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{tmp_path / 'hub'}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),  # of Snakemake, for clones
    }.items():
        monkeypatch.setenv(name, text)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    command = ["deploy-workflow", f"https://github.com/{place}", ".", "--tag", f"v{__version__}"]
    subprocess.run([installed("snakedeploy==0.17.1", tmp_path / "venv"), *command], cwd=theirs, check=True)
    [declared] = re.findall(r"github\(.*?\)", CONFIGURING)
    text = (theirs / "workflow" / "Snakefile").read_text()
    assert " ".join(DEPLOYED.format(snakefile=declared).split()) in " ".join(re.sub("#.*", "", text).split())
    for name in ("config/config.yaml", "profiles/default/profile.yaml"):
        assert (theirs / name).read_text() == (repository / name).read_text()
    jobs = planned(theirs, config="config/config.yaml")
    assert "finetune" in jobs and "score_heads" not in jobs
    found = snakemake(theirs, "data/corpora/calibration/test.parquet", config="config/config.yaml")
    assert found.returncode == 0, found.stdout


def installed(package: str, folder: Path) -> Path:
    """The program of a package from PyPI, in an environment of its own."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "pip", "install", "--quiet", package]
    found = subprocess.run(pip, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if "(from versions: none)" in found.stdout:
        pytest.skip(f"PyPI cannot be reached for {package}")
    assert found.returncode == 0, found.stdout
    return folder / "bin" / package.partition("==")[0]


def test_texts_that_nobody_makes_are_missed_before_anything_runs(tmp_path):
    """Only of a module may they be missing: other rules may make them."""
    project = copy_project(tmp_path / "project")
    (project / "mine.yaml").write_text(yaml.safe_dump(SETTINGS))
    found = snakemake(project, "all", "--dry-run", config="mine.yaml")
    assert found.returncode == 1 and "config corpora.theirs.path: theirs.csv does not exist" in found.stdout
