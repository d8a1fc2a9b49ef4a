"""Write emoscope.yaml from the lock file: Snakemake copies a conda YAML elsewhere, so it cannot refer to the lock."""

from pathlib import Path

HERE = Path(__file__).parent
HEADER = """\
# Generated from requirements.lock by write_conda.py (make lock); used with `--sdm conda`.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def conda_environment(lock: str) -> str:
    """The text of the YAML for the text of the lock."""
    return HEADER + "".join(f"      - {line}\n" for line in lock.splitlines() if line and not line.startswith("#"))


if __name__ == "__main__":
    (HERE / "emoscope.yaml").write_text(conda_environment((HERE / "requirements.lock").read_text()))
