"""Every command of README, docs and set-ups, tried: workflows as dry runs, filters on a text, benchmarks by name."""

import importlib
import re
import shlex
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

from documented import PAGES, fenced, inline
from project import ROOT, copy_project, planned, snakemake
from random_models import FAMILIES

SET_UPS = sorted(f"workflow/configs/{path.name}" for path in (ROOT / "workflow" / "configs").glob("*.yaml"))
PIPED = re.compile(r"echo [^|]+ \| emoscope .+")  # a text of the reader's own, and a command that answers
MESSAGE = re.compile(r"^emoscope [\w-]+:|\.\.\. \\?\|")  # what emoscope says, and half a pipe
ELSEWHERE = {  # what another test does, or what needs what is not here
    "snakemake --report": "tests/workflow/test_tiny_run.py",
    "snakemake --forcerun finetune": "tests/faults/test_files.py",
    "snakemake --unlock": "tests/faults/test_killed.py",
    "snakemake --touch": "tests/faults/test_killed.py",
    "snakemake --workflow-profile profiles/slurm": "tests/cluster",
    "snakemake --workflow-profile profiles/kubernetes": "tests/cluster/test_storage.py",
    "snakemake --lint": ".ci/run",
    "emoscope explain": "tests/unit/experiments/words/test_measure.py",
}
CONFIGURING = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
AS_A_MODULE = {"snakemake --cores 2": "mood", "snakemake --cores 2 emoscope_masking": "emoscope_mask_block"}


def at_the_head_of(set_up: str) -> str:
    """The command that a file of settings names for itself."""
    [command] = re.findall(r"^#   (snakemake .*)$", (ROOT / set_up).read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set_up in command
    return command


def documented(tool: str) -> list[str]:
    found = set(map(at_the_head_of, SET_UPS)) if tool == "snakemake" else set()
    for page in PAGES:
        commands = {command for command in fenced(page) + inline(page) if not MESSAGE.search(command)}
        found |= {command for command in commands if command.startswith(f"{tool} ")}
    return sorted(found)


def piped() -> list[str]:
    return sorted({code for page in PAGES for code in inline(page) if PIPED.fullmatch(code)})


@pytest.fixture(scope="module")
def project(tmp_path_factory, tokenizer) -> Path:
    """A project with what the commands' configurations ask a user for."""
    folder = copy_project(tmp_path_factory.mktemp("documented") / "project")
    texts = "".join(f"a;{name}\nb;{name}\n" for name in ("sadness", "joy", "love", "anger", "fear", "surprise"))
    files = {f"tweets/{part}.txt": f"text;label_name\n{texts}" for part in ("train", "test")}
    files |= {"cebab/train.csv": "text,stars\nfine,5\n", "cebab/pairs.csv": "before,after\n"}
    files |= {"goemotions/labels.txt": "joy\nneutral\n"}
    files |= {"sst2/train.tsv": "fine\t1\ndull\t0\n", "sst2/test.tsv": "fine\t1\ndull\t0\n"}
    files |= {f"goemotions/{part}.tsv": "fine\t0,1\ta\n" for part in ("train", "dev", "test")}
    files |= {"tweeteval/mapping.txt": "0\tanger\n1\tjoy\n"}
    for part in ("train", "val", "test"):
        files |= {f"tweeteval/{part}_text.txt": "fine\ndull\n", f"tweeteval/{part}_labels.txt": "1\n0\n"}
    for name, text in files.items():
        (folder / "data" / name).parent.mkdir(exist_ok=True)
        (folder / "data" / name).write_text(text)
    (folder / "mine.csv").write_text("tweet,emotion\nfine,calm\nbad,angry\ndull,sad\n")
    model = FAMILIES["bert"](len(tokenizer))
    model.config.id2label = {number: f"LABEL_{number}" for number in range(3)}
    model.save_pretrained(folder / "my-classifier")
    tokenizer.save_pretrained(folder / "my-classifier")
    return folder


@pytest.mark.parametrize("command", documented("snakemake"))
def test_no_target_stands_where_it_is_taken_for_a_file_of_settings(command):
    behind = shlex.split(command.partition(" --configfile ")[2])
    assert all(word.endswith(".yaml") for word in takewhile(lambda word: not word.startswith("-"), behind))


@pytest.mark.slow
@pytest.mark.parametrize("command", [one for one in documented("snakemake") if "mine.yaml" not in one])
def test_workflows_plan_what_they_say(project, command):
    if command in AS_A_MODULE or any(command.startswith(known) for known in ELSEWHERE):
        return
    _, *arguments = shlex.split(command)
    found = subprocess.run(
        [Path(sys.executable).with_name("snakemake"), "--dry-run", "--quiet", "--cores", "2", *arguments],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_the_readmes_configurations_plan_a_run(project, number):
    lines = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)[number]
    (project / "mine.yaml").write_text(lines)
    found = snakemake(project, "--dry-run", "--quiet", config="mine.yaml")
    assert found.returncode == 0, found.stdout


EXAMPLES = re.findall(
    r"```yaml\n(.*?)```\n\n```\n(snakemake .*?)\n```",
    CONFIGURING,
    flags=re.DOTALL,
)
MEASURED = {
    "words": "attribute_words",
    "probing": "erase_concept",
    "circuits": "find_circuits",
    "features": "learn_features",
    "masking": "mask_block",
}


def test_the_catalog_has_an_example_of_each_kind():
    asked = {target for _, command in EXAMPLES for target in shlex.split(command)}
    assert set(MEASURED) <= asked
    assert len(EXAMPLES) == CONFIGURING.count("```yaml"), "each with the command that goes with it"


@pytest.mark.slow
@pytest.mark.parametrize(("lines", "command"), EXAMPLES)
def test_the_examples_of_the_catalog_plan_what_they_are_for(project, lines, command):
    (project / "mine.yaml").write_text(lines)
    _, *arguments = shlex.split(command)
    *arguments, option, config = arguments
    assert option == "--configfile"
    jobs = planned(project, *arguments, config=config)
    assert {MEASURED[target] for target in arguments if target in MEASURED} <= set(jobs)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "job"), AS_A_MODULE.items())
def test_the_module_of_the_catalogs_page_plans_what_is_said_of_it(project, tmp_path, command, job):
    assert f"`{command}`" in CONFIGURING
    [text] = re.findall(r"```python\n(.*?)```", CONFIGURING, flags=re.DOTALL)
    text, replaced = re.subn(r"github\(.*\)", repr(str(ROOT / "workflow" / "Snakefile")), text)
    assert replaced == 1
    [own, *_] = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    (tmp_path / "Snakefile").write_text(text)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"emoscope": yaml.safe_load(own)}))
    shutil.copy(project / "mine.csv", tmp_path)
    shutil.copytree(project / "my-classifier", tmp_path / "my-classifier")
    _, *arguments = shlex.split(command)
    assert job in planned(tmp_path, *arguments, config="config.yaml")


@pytest.mark.parametrize("command", documented("emoscope"))
def test_filters_change_a_text(command):
    if command in ELSEWHERE:
        return
    found = subprocess.run(
        [sys.executable, "-m", *shlex.split(command)],
        input="i know that he feels fine\n",
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout not in ("", "i know that he feels fine\n")


def test_the_readme_says_how_to_ask_which_words_decide():
    assert any("emoscope explain --model results/" in command for command in piped())


@pytest.mark.slow
@pytest.mark.parametrize("command", piped())
def test_pipes_answer_a_text_word_by_word(project, command):
    text, _, command = command.partition(" | ")
    [_, text], [_, *arguments] = map(shlex.split, (text, command))
    arguments = [re.sub(r"^results/[^/]+/model$", "my-classifier", argument) for argument in arguments]
    assert "my-classifier" in arguments
    found = subprocess.run(
        [sys.executable, "-m", "emoscope", *arguments],
        cwd=project,
        input=f"{text}\n",
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    rows = [line.split("\t") for line in found.stdout.splitlines()]
    assert {row[1] for row in rows} == {"LABEL_0", "LABEL_1", "LABEL_2"}
    assert all([pair.rpartition(":")[0] for pair in row[3].split()] == text.split() for row in rows)


@pytest.mark.parametrize(("command", "place"), ELSEWHERE.items())
def test_what_is_tried_elsewhere_is_named_there(command, place):
    files = sorted((ROOT / place).rglob("*.py")) or [ROOT / place]
    there = "".join(file.read_text(encoding="utf-8") for file in files)
    for word in command.split()[1:]:
        assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", there), word


@pytest.mark.parametrize("command", documented("python -m benchmarks"))
def test_benchmarks_are_there(command):
    name = shlex.split(command)[3]
    if name == "NAME":
        return
    assert callable(importlib.import_module(f"benchmarks.{name}").measure)
