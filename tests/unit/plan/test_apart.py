"""What a user gives lies apart from what rules write: they would delete it before they read it."""

import copy
from pathlib import Path

import pytest
import torch
import yaml

from emoscope.errors import UserError
from emoscope.plan.settings import read_study
from random_models import FAMILIES, change_json, save_language_model

DEFAULT = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())
MOODS = {"classes": ["joy", "love"]}
GIVEN = {"split": {"method": "given"}}


def study(**changes):
    """The default's plan, without language models, with these changes, a section's laid over that section."""
    config = copy.deepcopy(DEFAULT) | {"companions": []}
    for section, change in changes.items():
        config[section] = config[section] | change if isinstance(change, dict) else change
    return read_study(config)


def written(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("text,label\n")


def run(**settings):
    return {"runs": [{"name": "mine", "corpus": "calibration", "model": "scratch"} | settings]}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def classifier(tokenizer):
    """What a run called mine has left: a classifier that a plan may take as it is."""
    torch.manual_seed(0)
    folder = Path("results/mine-s1/model")
    FAMILIES["bert"](len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    change_json(folder / "config.json", id2label={"0": "joy", "1": "love", "2": "fear"})
    written("mine.csv")
    corpora = {"mine": {"source": "csv", "path": "mine.csv", **MOODS}}
    return {"models": {"mine": {"source": "path", "path": str(folder), "blocks": 3}}, "corpora": corpora}


def test_a_runs_own_model_is_not_taken_as_its_start(classifier):
    mine = {"corpus": "mine", "model": "mine", "training": "none"}
    lies = r"config models.mine: results/mine-s1/model lies in results/mine-s1, where this workflow writes and"
    with pytest.raises(UserError, match=lies):
        study(**classifier, **run(**mine))
    with pytest.raises(UserError, match=lies):
        study(**classifier, **run(corpus="mine", model="mine"))  # to be trained further
    with pytest.raises(UserError, match=lies):
        others = [{"name": "next", **mine}, {"name": "mine", "corpus": "mine", "model": "scratch"}]
        study(**classifier, runs=others)  # a run of this plan writes it
    assert list(study(**classifier, **run(name="next", **mine)).runs) == ["next-s1"], "what another plan has left"
    assert list(study(**classifier, **run(seeds=[2], corpus="mine", model="mine")).runs) == ["mine-s2"]


@pytest.mark.parametrize("path", ["data of {2020}/mine.csv", "{corpus}.csv", "a}.csv"])
def test_a_path_with_braces_is_refused(path):
    """Snakemake would look for another file, or for none."""
    written(path)
    with pytest.raises(UserError, match=r"config corpora.mine: .*csv: Snakemake takes what stands in braces for a"):
        study(corpora={"mine": {"source": "csv", "path": path, **MOODS}}, **run(corpus="mine"))


def test_links_lead_nowhere_either(classifier):
    mine = {"corpus": "mine", "model": "mine", "training": "none"}
    Path("link").symlink_to(Path("results/mine-s1/model"))
    classifier["models"]["mine"]["path"] = "link"
    with pytest.raises(UserError, match=r"config models.mine: link lies in results/mine-s1,"):
        study(**classifier, **run(**mine))
    assert study(**classifier, **run(name="next", **mine))


def test_a_link_in_a_folder_that_is_written_would_be_removed():
    written("mine.csv", "data/corpora/a.csv")
    Path("data/corpora/mine.csv").symlink_to(Path("mine.csv").absolute())
    with pytest.raises(UserError, match=r"config corpora.mine: data/corpora/mine.csv lies in data/corpora,"):
        study(corpora={"mine": {"source": "csv", "path": "data/corpora/mine.csv", **MOODS}}, **run(corpus="mine"))


@pytest.mark.parametrize(
    ("entry", "names", "lies"),
    [
        ({"source": "csv", "path": "data/corpora/mine/mine.csv"}, ["data/corpora/mine/mine.csv"], "data/corpora"),
        ({"source": "csv", "path": "data/models/"}, ["data/models/mine.csv"], "data/models"),
        (
            {"source": "csv", "path": "reports/../data/tasks/mine.csv"},
            ["data/tasks/mine.csv", "reports/a"],
            "data/tasks",
        ),
        ({"source": "tsv", "path": "results/mine-s1"}, ["results/mine-s1/a.tsv"], "results/mine-s1"),
        ({"source": "parquet", "path": "data"}, ["data/tasks/moods/train.parquet"], "data/tasks"),
        (
            {"source": "parquet", "path": "data/corpora/mine", "splits": {"train": "a", "test": "b"}, **GIVEN},
            ["data/corpora/mine/a", "data/corpora/mine/b"],
            "data/corpora",
        ),
        (
            {"source": "csv", "path": ".", "splits": {"train": "a", "test": "reports/b"}, **GIVEN},
            ["a", "reports/b"],
            "reports",
        ),
        ({"source": "hub", "repository": "data/corpora/mine", "revision": "x"}, ["data/corpora/mine/a.csv"], "data/c"),
    ],
)
def test_texts_lie_apart(entry, names, lies):
    written(*names)
    with pytest.raises(UserError, match=f"config corpora.mine: .* lies in {lies}.*; keep your own files in another"):
        study(corpora={"mine": entry | MOODS}, **run(corpus="mine"))


def test_texts_beside_what_is_written_are_read():
    written("data/mine.csv", "mine.csv", "data/corpora.csv", "results/other-s1/mine.csv", "reports/a.csv")
    for path in ("data/mine.csv", ".", "data/corpora.csv", "results/other-s1/mine.csv"):
        assert study(corpora={"mine": {"source": "csv", "path": path, **MOODS}}, **run(corpus="mine"))
    assert study(corpora={"mine": {"source": "csv", "path": "reports/a.csv", **MOODS}}), "what no run reads"


def test_pairs_lie_apart():
    written("data/corpora/calibration/pairs.csv")
    columns = {"before": "text", "after": "label"}
    suites = {"mine": {"source": "csv", "path": "data/corpora/calibration/pairs.csv", **columns}}
    with pytest.raises(UserError, match=r"config suites.mine: .*pairs.csv lies in data/corpora,"):
        study(suites=suites)
    assert study(suites=suites, **run(suites=[]))


@pytest.mark.parametrize("part", ["train", "test"])
def test_texts_of_tasks_lie_apart(part):
    files = {"train": "train.parquet", "test": "test.parquet"} | {part: f"data/tasks/moods/{part}.parquet"}
    written(*files.values())
    tasks = [
        DEFAULT["prompting"]["tasks"][0],
        {"name": "moods", "source": "files", **files, "classes": ["bad", "good"]},
    ]
    with pytest.raises(UserError, match=rf"config prompting.tasks\[1\]: .*{part}.parquet lies in data/tasks,"):
        study(companions=DEFAULT["companions"], prompting={"tasks": tasks})


def test_language_models_and_their_texts_lie_apart():
    save_language_model(Path("results/models/mine"))
    models = {"mine": {"source": "path", "path": "results/models/mine", "blocks": 2}}
    residual = {"autoencoder": DEFAULT["residual"]["autoencoder"] | {"block": 0}}
    with pytest.raises(UserError, match=r"config models.mine: results/models/mine lies in results/models/mine,"):
        study(models=models, companions=["mine"], attention={"heads": []}, residual=residual)
    written("work/mine.csv")
    corpora = {"mine": {"source": "csv", "path": "work/mine.csv", **MOODS}}
    for part in ("attention", "residual"):
        with pytest.raises(UserError, match=r"config corpora.mine: work/mine.csv lies in work,"):
            study(corpora=corpora, companions=DEFAULT["companions"], **{part: {"corpus": "mine"}})
