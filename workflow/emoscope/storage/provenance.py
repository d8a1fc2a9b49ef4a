"""Where results come from: settings, seed, versions, commit, machine, and the SHA-256 of what went in.

A commit is recorded by the job that runs, and is the input of none: a new commit reruns what its changed files reach.
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from emoscope import __version__
from emoscope.storage.files import read_json, write_json
from emoscope.storage.hashes import sha256_of

ARCHIVED = Path(__file__).with_name("archived_commit.txt")  # `git archive` writes the commit into it
PACKAGES = (
    *("torch", "transformers", "tokenizers", "safetensors", "accelerate", "numpy", "pandas", "pyarrow", "scipy"),
    *("statsmodels", "scikit-learn", "matplotlib", "seaborn", "snakemake"),
)


def record_provenance(
    settings: dict, inputs: list[Path], input_names: list[str], training: list[Path], results: list[Path],
    result_names: list[str], output: Path,
) -> None:  # fmt: skip
    """Write what a run was made from and what came out; of a folder, every file is listed.

    `input_names` and `result_names` are what `inputs` and `results` are called, in their order; of corpora in thousands
    of files they are too long for one argument of a command. `training` is the history of the fine-tuning,
    if there was one. Nothing in here tells the time, so that the same run gives the same record.
    """
    histories = [read_json(path) for path in training]
    kept = ("trained", "unknown", "labels", "device", "precision", "steps", "parameters", "versions")
    write_json(
        {
            "commit": commit(),
            "settings": settings,
            "versions": versions(),
            "machine": {"system": platform.platform(), "cores": os.cpu_count()},
            "training": {name: history[name] for history in histories for name in kept if name in history},
            "inputs": hashes(inputs, input_names),
            "results": hashes(results, result_names),
        },
        output,
    )


def page_facts(
    paths: dict[str, str | list[str]], settings: dict, names: Iterable[str | Path] | None = None
) -> dict[str, str]:
    """What stands at the foot of a page: data, training, seed, versions, commit, settings, and what the page read.

    `names` are those to show for the files of `paths`, in their order; by default their own.
    """
    facts = {}
    if "audit" in paths:
        audit = read_json(Path(paths["audit"]))
        facts["data"] = f"{audit['source']} ({audit['revision'] or 'local file'}), {audit['rows']:,} rows"
        facts["data SHA-256"] = audit["sha256"]
    if "training" in paths:
        training = read_json(Path(paths["training"]))
        size = f"{training['parameters']:,} parameters"
        if "trained" in training:
            unknown = " and ".join(training["unknown"])
            facts["training"] = f"elsewhere; not known: {unknown}; {size}"
        else:
            facts["training"] = (
                f"{training['seconds']:,} s on {training['device']}, {training['precision']}, "
                f"{training['steps']:,} steps, {size}"
            )
            facts["trained with"] = _listed(training["versions"])
    facts["seed"] = str(settings["run"]["seed"]) if "run" in settings else ""
    facts["rendered with"] = _listed(versions())
    facts["commit"] = commit()
    facts["settings"] = json.dumps(settings, indent=2, ensure_ascii=False) if settings else ""
    read = hashes(files_of(paths), names)
    facts["SHA-256 of what it read"] = "\n".join(f"{digest}  {name}" for name, digest in read.items())
    return {name: fact for name, fact in facts.items() if fact}


def files_of(paths: dict[str, str | list[str]]) -> list[Path]:
    """The files that a page reads, which its parameters hold by name, one or several for each."""
    return [Path(path) for named in paths.values() for path in ([named] if isinstance(named, str) else named)]


def hashes(paths: Iterable[Path], names: Iterable[str | Path] | None = None) -> dict[str, str]:
    """The SHA-256 of every file, and of every file below every folder, by its path, or by names for the paths."""
    paths = list(paths)
    named = zip(paths, paths if names is None else names, strict=True)
    return {str(Path(name, file.relative_to(path))): sha256_of(file) for path, name in named for file in _files(path)}


def versions() -> dict[str, str]:
    """This package, Python and, of the packages that results may depend on, those of the environment that asks."""
    found = {"emoscope": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):  # a page's environment has no torch
            found[name] = version(name)
    return found


def commit() -> str:
    """The commit of the workflow's code, marked if files differ from it; in brackets why it is not known."""
    here = Path(__file__)
    english = {name: value for name, value in os.environ.items() if name != "LANGUAGE"} | {"LC_ALL": "C"}

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here.parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=english).stdout.strip()

    try:
        if not git("ls-files", here.name):  # an unpacked copy inside another repository
            return _archived_commit()
        return git("describe", "--always", "--abbrev=40", "--exclude=*", "--dirty= with changes")
    except FileNotFoundError:
        return _archived_commit("git is not installed")
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        if any("not a git repository" in line for line in said):
            return _archived_commit()
        return f"(unknown: git says: {said[0] if said else 'nothing'})"


def _archived_commit(why_not: str = "this copy of the workflow is no git checkout") -> str:
    """The commit of a release archive, or of a copy that was made of a git reference; else why it is not known."""
    written = ARCHIVED.read_text(encoding="utf-8").strip()
    return f"(unknown: {why_not})" if written.startswith("$") else written


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
    for file in sorted(path.rglob("*")):
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts):
            yield file


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items())
