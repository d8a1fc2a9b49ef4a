"""The whole DAG on a user's own CSV and model folder, for families other than the default's."""

import json

import pandas as pd
import pytest

from benchmarks.families import DESCRIPTIONS, random_model, word_pieces
from emoscope.data.planted.corpus import generate
from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.models.families import DESCRIBED
from project import copy_project, snakemake

CONFIG = """
corpora: {mine: {source: csv, path: mine.csv, text: tweet, label: emotion, duplicates: group}}
models: {mine: {source: path, path: model%s}}
runs: [{name: mine, corpus: mine, model: mine, training: {epochs: 1, batch_size: 64, learning_rate: 1.0e-3}}]
samples: {per_class: 5, by: label}
flips: {averaged_pairs: 6, traced_pairs: 1}
words: {cut: 60, steps: 8, orders: 1}
attention: {sentences: [i feel happy and i feel happy, he said so], texts: 3}
statistics: {resamples: 200}
companions: []
"""
BIASED = {"bert", "roberta", "distilbert", "electra", "deberta-v2, v3's settings", "albert", "gpt_neox", "opt"}
EVERYTHING = {"masking", "tracing", "attention", "flips", "synonyms", "performance", "fairness", "words"}
WHOLE = (
    "bert",
    "llama",
    "roberta",
    "distilbert",
    "deberta-v2, v3's settings",
    "albert",
    "modernbert",
    "gpt_neox",
    "gemma2",
)
MARKED = ("bert",)  # tried for every change, the others for releases
IN_PART = {  # what is refused where the structure does not allow it
    "deberta-v2 with a convolution": {"patching", "attribution", "lens", "attention", "features"},
    "modernbert that pools the mean": {"patching", "attribution", "lens", "attention", "probing"},
}


def project_with(tmp_path, name, settings=""):
    project = copy_project(tmp_path / "project")
    texts, *_ = generate(1200, 3)
    names = ["sadness", "joy", "love", "anger", "fear", "surprise"]
    table = pd.DataFrame({"tweet": texts["text"], "emotion": [names[label] for label in texts["label"]]})
    table.to_csv(project / "mine.csv", index=False)
    tokenizer = word_pieces(texts["text"], 400)
    tokenizer.save_pretrained(project / "model")
    model = random_model(name, len(tokenizer))
    if hasattr(model.config, DESCRIBED):
        delattr(model.config, DESCRIBED)  # the configuration describes it, not the folder
    model.save_pretrained(project / "model")
    (project / "mine.yaml").write_text(CONFIG % settings)
    return project


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in MARKED else pytest.mark.release) for name in WHOLE]
)
def test_every_experiment_works_on_the_family(tmp_path, name):
    project = project_with(tmp_path, name)
    found = snakemake(project, "all", config="mine.yaml")
    assert found.returncode == 0, found.stdout
    results = project / "results" / "mine-s1"
    assert json.loads((results / "exactness.json").read_text())["refused"] == {}
    masks = pd.read_parquet(results / "masking" / "block_1.parquet")
    conditions = {*BLOCKS, *HEADS}
    assert set(masks["condition"]) == (conditions if name in BIASED else conditions - {"published"})
    attention = pd.read_parquet(results / "attention" / "weights.parquet")
    assert (attention["target"] > attention["source"]).any() == (name not in ("llama", "gpt_neox", "gemma2"))
    effects = pd.read_parquet(results / "tracing" / "gender_effects.parquet")
    assert set(effects["measure"]) == {"patching", "attribution", "lens"}
    assert {page.stem for page in (project / "reports" / "mine-s1").glob("*.html")} == EVERYTHING
    assert "left out. It needs" not in "".join(
        page.read_text() for page in (project / "reports" / "mine-s1").glob("*.html")
    )
    assert (project / "reports" / "index.html").exists()
    again = snakemake(project, "all", config="mine.yaml")
    assert "Nothing to be done" in again.stdout


@pytest.mark.release
@pytest.mark.parametrize("name", IN_PART)
def test_what_is_not_exact_is_refused_by_name_and_the_rest_goes_on(tmp_path, name):
    project = project_with(tmp_path, name)
    found = snakemake(project, "all", config="mine.yaml")
    assert found.returncode == 0, found.stdout
    results, reports = project / "results" / "mine-s1", project / "reports" / "mine-s1"
    assert set(json.loads((results / "exactness.json").read_text())["refused"]) == IN_PART[name]
    assert set(pd.read_parquet(results / "masking" / "block_1.parquet")["condition"]) >= {"described", "zero", "mean"}
    assert pd.read_parquet(results / "tracing" / "gender_effects.parquet").empty
    assert pd.read_parquet(results / "attention" / "weights.parquet").empty
    assert {page.stem for page in reports.glob("*.html")} == EVERYTHING
    for title, page in (("Activation patching", "tracing"), ("Attention", "attention")):
        assert f"<strong>{title}</strong>: left out. It needs" in (reports / f"{page}.html").read_text()
    assert "left out. It needs" not in (reports / "masking.html").read_text()


@pytest.mark.release
def test_a_family_that_is_not_known_can_be_described(tmp_path):
    family = json.dumps(DESCRIPTIONS["stablelm"])
    project = project_with(tmp_path, "stablelm, described in the configuration", f", family: {family}")
    found = snakemake(project, "reports/mine-s1/tracing.html", "reports/mine-s1/masking.html", config="mine.yaml")
    assert found.returncode == 0, found.stdout
    assert json.loads((project / "results" / "mine-s1" / "exactness.json").read_text())["refused"] == {}


def test_an_unknown_family_is_named_before_anything_runs(tmp_path):
    project = project_with(tmp_path, "stablelm, described in the configuration")
    found = snakemake(project, "--dry-run", config="mine.yaml")
    assert found.returncode == 1
    assert "model type 'stablelm' is not known" in found.stdout and "`family` of the model" in found.stdout


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(
            {"projection": "attn.out"},
            "has no 'attn.out', which its description calls `projection`",
            marks=pytest.mark.slow,
        ),
        ({"feed_forward": "mlp.up_proj"}, "its blocks add something else to the residual stream than what"),
    ],
    ids=["no such part", "another part"],
)
def test_a_wrong_description_is_named_before_training(tmp_path, wrong, said):
    family = json.dumps(DESCRIPTIONS["stablelm"] | wrong)
    project = project_with(tmp_path, "stablelm, described in the configuration", f", family: {family}")
    found = snakemake(project, "results/mine-s1/training.json", config="mine.yaml")
    assert found.returncode == 1
    assert said in found.stdout and "Traceback" not in found.stdout
    assert not (project / "work").exists(), "nothing was trained"


def test_a_wrong_number_of_blocks_is_named_before_training(tmp_path):
    project = project_with(tmp_path, "bert", ", blocks: 2")
    found = snakemake(project, "results/mine-s1/training.json", config="mine.yaml")
    assert found.returncode == 1
    assert "the model has 3 blocks but the config says 2; set `blocks: 3`" in found.stdout
    assert "Traceback" not in found.stdout
