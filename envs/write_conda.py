"""Write the conda environments, one for each kind of rule, from the lock; `make lock` runs this where it is installed.

Snakemake copies a conda YAML elsewhere, so it cannot refer to the lock: the pins stand in it.
"""

import tomllib
from collections.abc import Callable, Iterable
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
TABLES = [
    "HanTa",
    "Jinja2",
    "lemminflect",
    "MarkupSafe",
    "numpy",
    "pandas",
    "pyarrow",
    "PyYAML",
    "scikit-learn",
    "scipy",
    "statsmodels",
]
FETCHED = ["datasets", "huggingface_hub"]
PAGES = ["beautifulsoup4", "ipykernel", "matplotlib", "nbconvert", "nbformat", "papermill", "seaborn"]
MODELS = ["accelerate", "gguf", "safetensors", "tokenizers", "torch", "tqdm", "transformers"]
ENVIRONMENTS = {
    "models": ("what runs, trains or fetches a model", [*TABLES, *FETCHED, *MODELS]),
    "tables": ("what reads texts and makes tables", [*TABLES, *FETCHED]),
    "pages": ("what makes pages", [*TABLES, *PAGES]),
}
EXTRAS = {"tables": ["wordnet"]}  # of pyproject.toml: what only some jobs want is not in the lock
TEXT = """\
# For {purpose}, with `--sdm conda`. Generated from requirements.lock by write_conda.py (make lock).
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def pins(lock: str) -> dict[str, str]:
    """The lines of a lock, `name==version`, by the name as indexes spell it."""
    lines = [line for line in lock.splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(line.partition("==")[0]): line for line in lines}


def needed(names: Iterable[str], requires: Callable[[str], list[str] | None] = requires) -> set[str]:
    """Packages and all that they require here, by their names as indexes spell them."""
    done: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        key = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if key in done:
            continue
        done.add(key)
        for need in map(Requirement, requires(wanted.name) or []):
            if not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
                waiting.append(need)
    return {name for name, _ in done}


def extra_pins(name: str) -> list[str]:
    """The pins of the extras that an environment has."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [pin for extra in EXTRAS.get(name, []) for pin in project["optional-dependencies"][extra]]


def environment(purpose: str, names: Iterable[str], lock: str, extra: Iterable[str] = ()) -> str:
    """A conda YAML with the pins of packages and of all that they require, and `extra` pins; what the lock lacks, such
    as the CUDA libraries of another build of torch, is left to pip, as it is with the lock."""
    known = pins(lock)
    found = [*(known[name] for name in sorted(needed(names)) if name in known), *extra]
    return TEXT.format(purpose=purpose) + "".join(f"      - {pin}\n" for pin in found)


if __name__ == "__main__":
    for name, (purpose, names) in ENVIRONMENTS.items():
        lock = (HERE / "requirements.lock").read_text(encoding="utf-8")
        text = environment(purpose, names, lock, extra_pins(name))
        (HERE / f"{name}.yaml").write_text(text, encoding="utf-8")
