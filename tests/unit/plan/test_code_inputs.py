"""A rule's inputs list the code it runs, and only that."""

import json

from emoscope.plan.code_inputs import PACKAGE, code_of, file_of

HEAVY = {"torch", "transformers", "pandas", "numpy", "datasets", "matplotlib"}
JUDGES = ("verdicts.claims.assess", "perturbation.effects", "experiments.performance.summarise")
JUDGES += ("experiments.masking.samples", "experiments.masking.summarise")


def names(module: str) -> set[str]:
    """A module and what it imports inside the package, by their dotted names."""
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in code_of(file_of(module))}


def test_imports_are_followed():
    found = names("experiments.masking.measure")
    assert {"experiments.masking.measure", "models.interventions", "models.families", "storage.files"} <= found
    assert not {"cli", "experiments.flips.flip", "data.planted", "experiments.performance.summarise"} & found


def test_light_jobs_do_not_depend_on_the_model_code():
    for module in JUDGES:
        assert not {name for name in names(module) if name.startswith("models.") or name.endswith(".measure")}, module


def test_notebooks_are_read(tmp_path):
    notebook = tmp_path / "page.ipynb"
    cells = [
        {"cell_type": "markdown", "source": ["from emoscope.statistics import estimates"]},
        {"cell_type": "code", "source": ["from emoscope.storage.files import read_json\n", "read_json"]},
    ]
    notebook.write_text(json.dumps({"cells": cells}))
    assert {path.name for path in code_of(notebook)} == {"page.ipynb", "files.py", "errors.py"}


def test_what_the_snakefile_imports_is_light():
    for path in code_of(file_of("plan.config"), file_of("plan.code_inputs")):
        lines = path.read_text().splitlines()
        imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
        assert not imported & HEAVY, path
