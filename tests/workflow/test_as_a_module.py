"""emoscope as a part of someone's workflow: rules of theirs before and after ours, their settings over our defaults."""

import shutil
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
