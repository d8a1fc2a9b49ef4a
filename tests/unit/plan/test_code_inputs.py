"""A rule's inputs list the code it runs, and only that."""

import ast
import json
import re
import subprocess
import sys

import pytest

from emoscope.plan import code_inputs
from emoscope.plan.code_inputs import PACKAGE, code_of, file_of, page_code, python_of
from rule_texts import FILES, RULES

ON_GPU = {name: text for name, text in RULES.items() if re.search(r"^\s+gpu=", text, flags=re.M)}
HEAVY = {"datasets", "lemminflect", "matplotlib", "numpy", "pandas", "torch", "transformers"}
JUDGES = ("verdicts.claims.assess", "perturbation.effects", "experiments.performance.summarise")
JUDGES += ("experiments.masking.samples", "experiments.masking.summarise")


def names(module: str) -> set[str]:
    """A module and what it imports inside the package, by their dotted names."""
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in code_of(file_of(module))}


def test_imports_are_followed():
    found = names("experiments.masking.measure")
    assert {"experiments.masking.measure", "models.interventions", "models.families", "storage.files"} <= found
    assert not {"cli", "experiments.flips.gender", "data.planted.corpus", "experiments.performance.summarise"} & found


def test_no_import_is_overlooked():
    """Wherever it stands in a module: its imports are found by their text, here by Python's grammar."""
    sources = [*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "notebooks").glob("*.ipynb")]
    assert len(sources) > 300
    for source in sources:
        found = {path for path in code_inputs._imported_by(ast.parse(python_of(source)))}
        assert set(code_inputs._imports(source)) == found, source


@pytest.mark.parametrize("page", sorted(path.stem for path in (PACKAGE.parent / "notebooks").glob("*.ipynb")))
def test_a_page_depends_on_every_template_that_its_code_fills(page):
    files = page_code(page)
    code = "\n".join(python_of(path) for path in files if path.suffix in (".py", ".ipynb"))
    filled = set(re.findall(r"""\bpassage(?:\(|, )"(\w+)\"""", code))
    assert filled <= {path.name.removesuffix(".html.j2") for path in files}


def test_light_jobs_do_not_depend_on_the_model_code():
    for module in JUDGES:
        assert not {name for name in names(module) if name.startswith("models.") or name.endswith(".measure")}, module


@pytest.mark.parametrize("module", ["experiments.features.moves", "experiments.features.switches"])
def test_what_reads_autoencoders_does_not_depend_on_how_they_were_trained_and_judged(module):
    assert "models.features.stored" in names(module) and "experiments.features.measure" not in names(module)


def test_notebooks_are_read(tmp_path):
    notebook = tmp_path / "page.ipynb"
    cells = [
        {"cell_type": "markdown", "source": ["from emoscope.statistics import bootstrap"]},
        {"cell_type": "code", "source": ["from emoscope.storage.files import read_json\n", "read_json"]},
    ]
    notebook.write_text(json.dumps({"cells": cells}))
    assert {path.name for path in code_of(notebook)} == {"page.ipynb", "files.py", "errors.py"}


def test_what_the_snakefile_imports_is_light():
    rules = "".join(file.read_text() for file in FILES)
    imports = "\n".join(re.findall(r"^from emoscope.*", rules, flags=re.M))
    code = f"import sys\n{imports}\nprint(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "emoscope.plan.settings" in found and not HEAVY & set(found)


@pytest.mark.parametrize("rule", sorted({*ON_GPU} - {"adopt_model"}))  # it copies a model, as what downloads one does
def test_what_runs_on_a_gpu_depends_on_no_page_no_download_and_no_prose(rule):
    """Or an edit to a sentence would train every model anew."""
    [module] = re.findall(r'code_of\("([\w.]+)"\)', ON_GPU[rule])
    found = names(module)
    assert module in found and len(ON_GPU) > 10
    others = {"models.sources", "data.corpus", "data.paper", "verdicts.model_card"}
    pages = {name for name in found if name.endswith(("page", "figures")) or name.startswith("reporting.")}
    assert not found & others | pages


@pytest.mark.parametrize("rule", ON_GPU)
def test_how_a_model_is_checked_is_an_input_of_what_checks_it(rule):
    """All others read what came of it; and what an experiment needs trains no model anew."""
    [module] = re.findall(r'code_of\("([\w.]+)"\)', ON_GPU[rule])
    found = names(module)
    checking = rule in ("check_exactness", "check_description") or "models.language_models" in found
    assert ("models.inside.routes" in found) == ("models.inside.exactness" in found) == checking
    assert rule != "finetune" or (found > {"models.inside.padding"} and "models.inside.allowed" not in found)


@pytest.mark.parametrize("rule", ON_GPU)
def test_how_a_corpus_is_split_is_no_input_of_what_gets_its_parts(rule):
    [module] = re.findall(r'code_of\("([\w.]+)"\)', ON_GPU[rule])
    assert "data.split" not in names(module)


@pytest.mark.parametrize("rule", ON_GPU)
def test_how_pairs_are_judged_is_no_input_of_what_runs_them(rule):
    [module] = re.findall(r'code_of\("([\w.]+)"\)', ON_GPU[rule])
    assert not {"perturbation.effects", "statistics.rates", "statistics.equivalence"} & names(module)


def test_how_parts_are_looked_for_is_no_input_of_the_search_for_edges():
    assert "experiments.circuits.measure" not in names("experiments.circuits.measure_edges")


@pytest.mark.parametrize("module", ["measure", "head_pairs.measure", "screening.screen", "reference"])
def test_what_pages_call_a_change_is_no_input_of_what_masks(module):
    files = code_of(file_of(f"experiments.masking.{module}"))
    assert not [file.name for file in files if re.search(r"^TITLES\b", file.read_text(), flags=re.M)]
    assert "experiments.masking.readings" not in names(f"experiments.masking.{module}")


def test_a_file_is_read_once_however_many_rules_depend_on_it(monkeypatch):
    read = []
    monkeypatch.setattr(code_inputs, "python_of", lambda path: read.append(path) or python_of(path))
    code_inputs._imports.cache_clear()
    first = names("experiments.masking.measure")
    assert len(read) == len(set(read)) == len(first)
    assert names("experiments.masking.measure") == first and names("experiments.masking.head_pairs.measure") > {
        "models.families"
    }
    assert len(read) == len(set(read))
