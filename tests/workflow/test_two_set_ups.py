"""Several runs side by side, from a configuration to the page."""

import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup

from project import copy_project, snakemake

NO_LANGUAGE_MODEL = "there is no language model to take apart; name one under `companions`"
RECIPE = {"corpus": "calibration", "seeds": [1, 2], "training": {"epochs": 1, "batch_size": 64, "learning_rate": 0.003}}
SEVERAL = {
    "runs": [{"name": "cold", "model": "scratch", **RECIPE}, {"name": "warm", "model": "language", **RECIPE}],
    "flips": {"axes": ["gender"]},
    "companions": [],
}


def test_one_run_has_nothing_to_be_compared_with(changeable):
    found = snakemake(changeable, "comparison")
    assert found.returncode == 1 and "Traceback" not in found.stdout
    line = "emoscope: nothing to compare tiny-s1 with; add a seed to `seeds` or a run to `runs`"
    assert line in found.stdout.splitlines()
    assert not (changeable / "reports" / "comparison.html").exists()


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("ground_truth", "no run has generated texts; name one with a corpus of source calibration"),
        ("suites", "no run has pairs of texts that others wrote; name some under `suites`"),
        ("induction", NO_LANGUAGE_MODEL),
        pytest.param("prompting", NO_LANGUAGE_MODEL, marks=pytest.mark.slow),
        pytest.param("residual", NO_LANGUAGE_MODEL, marks=pytest.mark.slow),
    ],
)
def test_what_there_is_nothing_for_is_told(tmp_path, target, line):
    project = copy_project(tmp_path / "project")
    (project / "mine.csv").write_text("text,label\n")
    settings = yaml.safe_load((project / "tiny.yaml").read_text()) | {"companions": []}
    settings["corpora"]["mine"] = {"source": "csv", "path": "mine.csv"}
    settings["runs"] = [settings["runs"][0] | {"corpus": "mine"}]
    (project / "tiny.yaml").write_text(yaml.safe_dump(settings))
    found = snakemake(project, target, "--dry-run")
    assert found.returncode == 1 and f"emoscope: {line}" in found.stdout.splitlines()


@pytest.mark.slow
def test_seeds_and_models_side_by_side(tmp_path):
    project = copy_project(tmp_path / "project")
    settings = yaml.safe_load((project / "tiny.yaml").read_text()) | SEVERAL
    settings["models"]["scratch"]["blocks"] = 4  # as many as a rank correlation needs
    (project / "tiny.yaml").write_text(yaml.safe_dump(settings))
    found = snakemake(project, "comparison")
    assert found.returncode == 0, found.stdout
    measures = pd.read_parquet(project / "results/comparison/measures.parquet")
    assert set(measures["run"]) == {"all", "cold-s1", "cold-s2", "warm-s1", "warm-s2"}
    whole = measures[measures["run"] == "all"]
    assert (whole["seeds"] == 2).all() and set(whole["topic"]) == {"performance", "gender", "synonyms"}
    correlations = pd.read_parquet(project / "results/comparison/correlations.parquet")
    heads = correlations[correlations["part"] == "heads"]
    assert set(heads["first_group"]) == set(heads["second_group"]) == {"warm"}  # cold heads have only numbers in common
    page = BeautifulSoup((project / "reports/comparison.html").read_text(), "html.parser")
    assert "2 set-ups with 4 runs in all" in page.select_one(".headline").text
    assert len(page.select("figure img")) >= 4
    again = snakemake(project, "--dry-run", "all")
    assert "reports/comparison.html" in again.stdout  # the index leads to it
