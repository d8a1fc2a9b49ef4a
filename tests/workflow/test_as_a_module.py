"""emoscope as a part of someone's workflow: rules of theirs before and after ours, their settings over our defaults."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from project import ROOT, copy_project, snakemake
from repositories import committed

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


def test_a_deployed_workflow_plans_what_its_template_says(tmp_path):
    """As `snakedeploy deploy-workflow` writes it: a Snakefile of this kind beside a copy of config/."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow" / "Snakefile").write_text(
        f'configfile: "config/config.yaml"\nmodule emoscope:\n    snakefile: "{ROOT}/workflow/Snakefile"\n'
        "    config: config\n"
        "use rule * from emoscope\n"
    )
    found = snakemake(tmp_path, "all", "--dry-run", config="config/config.yaml")
    assert found.returncode == 0, found.stdout
    assert "finetune" in found.stdout and "induction" not in found.stdout


def test_texts_that_nobody_makes_are_missed_before_anything_runs(tmp_path):
    """Only of a module may they be missing: other rules may make them."""
    project = copy_project(tmp_path / "project")
    (project / "mine.yaml").write_text(yaml.safe_dump(SETTINGS))
    found = snakemake(project, "all", "--dry-run", config="mine.yaml")
    assert found.returncode == 1 and "config corpora.theirs.path: theirs.csv does not exist" in found.stdout
