"""A run that takes a classifier as it is: what it says is checked before anything runs, and it has texts of its own."""

import copy
from pathlib import Path

import pytest
import torch
import yaml

from emoscope.errors import UserError
from emoscope.plan.settings import read_study
from random_models import FAMILIES, change_json

DEFAULT = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())
LABELS = {"LABEL_0": "sadness", "LABEL_1": "joy", "LABEL_2": "love"}


@pytest.fixture
def config(tokenizer, tmp_path):
    """Texts of three classes, and a classifier of three that are called LABEL_0 and so on."""
    torch.manual_seed(0)
    FAMILIES["bert"](len(tokenizer)).save_pretrained(tmp_path / "theirs")
    tokenizer.save_pretrained(tmp_path / "theirs")
    change_json(tmp_path / "theirs/config.json", id2label={str(k): name for k, name in enumerate(LABELS)})
    (tmp_path / "mine.csv").write_text("text,label\n")
    config = copy.deepcopy(DEFAULT) | {"companions": []}
    config["corpora"]["mine"] = {
        "source": "csv",
        "path": str(tmp_path / "mine.csv"),
        "classes": list(LABELS.values()),
    }
    config["models"]["theirs"] = {"source": "path", "path": str(tmp_path / "theirs"), "blocks": 3}
    run = {"name": "theirs", "corpus": "mine", "model": "theirs", "training": "none", "labels": dict(LABELS)}
    return config | {"runs": [run]}


def test_it_has_a_corpus_of_its_own_beside_the_one_whose_texts_it_takes(config):
    study = read_study(config)
    [run] = study.runs.values()
    assert run.adopted and run.name == "theirs-s1"
    assert run.corpus.folder == "data/corpora/mine.theirs" and run.corpus.parent is study.corpora["mine"]
    assert run.corpus.entry is study.corpora["mine"].entry and run.corpus.model is run.model
    assert run.corpus.matching == {"labels": LABELS, "whole": False}
    assert set(study.matched_corpora) == {"mine.theirs"} and "mine" in study.own_corpora
    assert "mine.theirs" not in study.own_corpora


def test_a_label_may_be_called_by_a_number(config):
    """Which YAML reads as one where it is not in quotes."""
    change_json(Path(config["models"]["theirs"]["path"]) / "config.json", id2label={"0": "0", "1": "1", "2": "2"})
    config["runs"][0]["labels"] = {0: "sadness", 1: "joy", "2": "love"}
    assert read_study(config).runs["theirs-s1"].corpus.labels == {"0": "sadness", "1": "joy", "2": "love"}


def test_a_run_that_trains_has_none(config):
    config["runs"] = [{"name": "trained", "corpus": "mine", "model": "theirs"}]
    study = read_study(config)
    [run] = study.runs.values()
    assert not run.adopted and run.corpus is study.corpora["mine"] and not study.matched_corpora


def test_what_is_published_reaches_the_claims_and_no_other_job(config):
    plain = read_study(copy.deepcopy(config)).runs["theirs-s1"]
    config["runs"][0]["published"] = {"accuracy": 0.93, "source": "its card"}
    run = read_study(config).runs["theirs-s1"]
    assert run.identity == plain.identity | {"published": {"accuracy": 0.93, "source": "its card"}}
    assert run.corpus.matching == plain.corpus.matching and run.model == plain.model


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"labels": None},
            r"runs\[0\]: of the model's labels, none is a class of the corpus, .*LABEL_0.*: sadness",
        ),
        ({"seeds": [1, 2]}, r"runs\[0\].seeds: 2 seeds, but with `training: none` each would give the same classifier"),
        (
            {"training": {}},
            r"runs\[0\].labels: they are for a classifier that is taken as it is; write `t",
        ),
        ({"training": "off"}, r"runs\[0\].training: 'off' is not one of: none"),
        ({"labels": {"LABEL_7": "joy"}}, r"runs\[0\].labels: the model has no label 'LABEL_7'; .*LABEL_0, LABEL_1"),
        (
            {"labels": {"LABEL_0": "glee"}},
            r"runs\[0\].labels: the corpus has no class 'glee'; its classes: sadness",
        ),
        ({"labels": {"LABEL_0": "joy", "LABEL_1": "joy"}}, r"runs\[0\].labels: 'LABEL_0' and 'LABEL_1' .* 'joy'"),
        ({"model": "scratch"}, r"runs\[0\].training: none, but the weights of the model 'scratch' are random"),
        ({"published": {"accuracy": 93}}, r"runs\[0\].published.accuracy: 93 is greater than the maximum of 1"),
        (
            {"corpus": "calibration"},
            r"runs\[0\]: the model has no label for anger, fear, surprise, and generated",
        ),
    ],
)
def test_a_mistake_is_one_line(config, change, message):
    run = {key: value for key, value in (config["runs"][0] | change).items() if value is not None}
    with pytest.raises(UserError, match=f"^(config )?{message}") as error:
        read_study(config | {"runs": [run]})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"architectures": ["GPT2LMHeadModel"]}, "architectures GPT2LMHeadModel, no classifier of texts"),
        ({"problem_type": "regression"}, r"gives a number \(regression\)"),
        ({"problem_type": "multi_label_classification"}, "gives any number of labels to a text"),
    ],
)
def test_a_model_that_is_no_classifier_is_refused(config, settings, message):
    change_json(Path(config["models"]["theirs"]["path"]) / "config.json", **settings)
    with pytest.raises(UserError, match=message):
        read_study(config)
    config["runs"] = [{"name": "trained", "corpus": "mine", "model": "theirs"}]
    read_study(config)  # as a start of a training it will do


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"source": "tsv", "labels": ["a", "b"], "multilabel": True},
            "`labels` names columns of 0 and 1, `multi",
        ),
        ({"source": "csv", "splits": {"train": "a", "test": "b"}}, "splits: a test part is named, but `split` would"),
        (
            {"source": "csv", "splits": {"train": "a.csv", "test": "b.csv"}, "split": {"method": "given"}},
            "splits.train: a.csv is no file of ",
        ),
        ({"source": "csv", "splits": {"train": "a.csv"}}, "splits: key 'test' is missing"),
        ({"source": "parallel", "classes": ["a", "b"]}, "unknown key 'classes'"),
        ({"source": "csv", "split": {"validation": "drop"}}, "split.validation: 'drop' is not one of: keep, train"),
    ],
)
def test_a_mistake_in_the_layout_of_a_corpus_is_one_line(config, tmp_path, entry, message):
    config["corpora"]["odd"] = {"path": str(tmp_path)} | entry
    config["runs"] = [{"name": "odd", "corpus": "odd", "model": "scratch"}]
    with pytest.raises(UserError, match=f"corpora.odd.*{message}") as error:
        read_study(config)
    assert "\n" not in str(error.value)


def test_the_files_of_every_layout_are_known(config, tmp_path):
    names = ["a_text.txt", "labels.txt", "mapping.txt", "other.csv", "train.tsv"]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).touch()
    given = {"split": {"method": "given"}}
    layouts = {
        "parallel": ({"source": "parallel"}, ["a_text.txt", "labels.txt", "mapping.txt"], False),
        "tabbed": ({"source": "tabbed"}, ["labels.txt", "train.tsv"], True),
        "tsv": ({"source": "tsv", "labels": ["a", "b"]}, ["train.tsv"], True),
        "csv": ({"source": "csv", "multilabel": True}, ["other.csv"], True),
        "named": (
            {"source": "tsv", "splits": {"train": "labels.txt", "test": "a_text.txt"}, **given},
            ["labels.txt", "a_text.txt"],
            False,
        ),
    }
    for name, (entry, _, _) in layouts.items():
        config["corpora"][name] = {"path": str(tmp_path / "in")} | entry
    study = read_study(config)
    for name, (_, files, several) in layouts.items():
        assert [Path(file).name for file in study.corpora[name].files()] == files, name
        assert study.corpora[name].multilabel == several, name
    assert study.corpora["parallel"].division["split"]["method"] == "given"
