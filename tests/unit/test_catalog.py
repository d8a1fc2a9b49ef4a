"""What the Snakemake workflow catalog asks of a workflow for its area of standardised usage, rule by rule.

After the catalog's page "Adding workflows"; CONTRIBUTING.md lists the rules, each with the test that holds it.
"""

import re
from pathlib import Path

import pytest

from emoscope.storage.yaml_files import read_yaml

ROOT = Path(__file__).parents[2]
SETTINGS = read_yaml(ROOT / ".snakemake-workflow-catalog.yml")
RULES = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk"))
SNAKEFILE = (ROOT / "workflow" / "Snakefile").read_text(encoding="utf-8")
DEPLOYMENTS = {"conda", "apptainer", "apptainer+conda"}
ROW = re.compile(r"^\|.*\| `(tests/[\w/]+\.py)::(\w+)` \|$", flags=re.MULTILINE)


def test_the_readme_has_the_words_that_are_searched_for():
    words = set(re.findall(r"\w+", (ROOT / "README.md").read_text(encoding="utf-8").lower()))
    assert {"snakemake", "workflow", "emoscope"} <= words
    assert {path.suffix for path in (ROOT / "workflow" / "rules").iterdir() if path.is_file()} == {".smk"}


def test_the_workflow_is_defined_where_it_is_looked_for():
    assert re.search(r'^include: "rules/\w+\.smk"$', SNAKEFILE, flags=re.MULTILINE)
    assert re.search(r'^include: "workflow/Snakefile"$', (ROOT / "Snakefile").read_text(), flags=re.MULTILINE)


def test_beside_the_configuration_stands_what_can_be_set():
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# ") and read_yaml(ROOT / "config" / "config.yaml").keys()
    sections = read_yaml(ROOT / "config.yaml").keys()
    assert {"corpora", "models", "runs", "suites"} <= {key for key in sections if f"`{key}`" in text}


def test_the_catalogs_file_has_the_keys_and_values_that_it_may_have():
    assert SETTINGS.keys() == {"usage"}
    usage = SETTINGS["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    flags, deployment = usage["mandatory-flags"], usage["software-stack-deployment"]
    assert flags.keys() == {"desc", "flags"} and all(isinstance(text, str) for text in flags.values())
    assert deployment.keys() == DEPLOYMENTS and {*map(type, deployment.values()), type(usage["report"])} == {bool}


@pytest.mark.parametrize("kind", sorted(DEPLOYMENTS))
def test_software_comes_by_the_ways_that_the_catalog_is_told(kind):
    """A rule's environment or image is what Snakemake deploys: without one, `--sdm` does nothing."""
    ways = {"conda": "conda:" in RULES, "apptainer": re.search(r"^ *container(ized)?:", SNAKEFILE + RULES, flags=re.M)}
    expected = all(ways[way] for way in kind.split("+"))
    assert SETTINGS["usage"]["software-stack-deployment"][kind] == expected


def test_a_report_can_be_asked_for():
    assert SETTINGS["usage"]["report"] == bool(re.search(r"^report: ", SNAKEFILE, flags=re.M) and "report(" in RULES)


def test_every_push_is_checked_in_public_and_as_the_catalog_checks():
    ci = read_yaml(ROOT / ".github" / "workflows" / "ci.yml")
    assert {"run": "bash .ci/run"} in ci["jobs"]["checks"]["steps"]
    done = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert {"snakemake --lint", "snakefmt --check Snakefile workflow"} <= set(done)


def test_each_rule_is_listed_with_the_test_that_holds_it():
    rows = ROW.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert len(rows) == 7
    for place, name in rows:
        assert f"\ndef {name}(" in (ROOT / place).read_text(encoding="utf-8"), name
