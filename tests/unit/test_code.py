"""A rule's inputs list the code it runs, and only that."""

import json
from pathlib import Path

from emoscope.code import PACKAGE, code_of

HEAVY = {"torch", "transformers", "pandas", "numpy", "datasets", "matplotlib"}


def names(*sources):
    return {path.stem for path in code_of(*sources)}


def test_imports_are_followed():
    found = names(PACKAGE / "masking.py")
    assert {"masking", "interventions", "architectures", "files", "errors"} <= found
    assert not {"cli", "flips", "calibration", "evaluate", "stats"} & found


def test_light_jobs_do_not_depend_on_the_model_code():
    for module in ("claims", "effects", "evaluate", "samples", "masking_summary"):
        assert not {"models", "architectures", "masking", "interventions"} & names(PACKAGE / f"{module}.py"), module


def test_notebooks_are_read(tmp_path):
    notebook = tmp_path / "page.ipynb"
    cells = [
        {"cell_type": "markdown", "source": ["from emoscope import stats"]},
        {"cell_type": "code", "source": ["from emoscope.files import read_json\n", "read_json"]},
    ]
    notebook.write_text(json.dumps({"cells": cells}))
    assert {path.name for path in code_of(notebook)} == {"page.ipynb", "files.py", "errors.py"}


def test_what_the_snakefile_imports_is_light():
    for module in ("config", "code", "model_folder", "wordnet", "errors"):
        for path in code_of(PACKAGE / f"{module}.py"):
            lines = Path(path).read_text().splitlines()
            imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
            assert not imported & HEAVY, path
