"""Settings know their folders, and which part of them each job depends on."""

import copy
import json
import os
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
import yaml

from emoscope.errors import UserError
from emoscope.plan.settings import Study, read_study
from emoscope.plan.subjects import Model
from emoscope.plan.texts import Corpus

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def study(**changes) -> Study:
    return read_study(copy.deepcopy(DEFAULT) | changes)


def test_every_seed_is_a_run_with_its_corpus_and_model():
    run = DEFAULT["runs"][0]
    found = study(runs=[run | {"seeds": [3, 4]}])
    assert list(found.runs) == [f"{run['name']}-s3", f"{run['name']}-s4"]
    one = found.runs[f"{run['name']}-s4"]
    assert one.corpus is found.corpora[run["corpus"]] and one.model is found.models[run["model"]]
    assert one.recipe["seed"] == 4 and one.group == run["name"]
    assert one.folder == f"results/{one.name}/model"


def test_a_mistake_is_a_users_error():
    with pytest.raises(UserError, match="runs"):
        study(runs=[])


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        next(iter(study().runs.values())).name = "another"


def test_where_a_corpus_comes_from_and_how_it_is_split_are_apart():
    """Or another split would generate, import or download the texts anew."""
    corpus = next(iter(study().runs.values())).corpus
    assert set(corpus.division) == {"duplicates", "split"}
    assert corpus.origin | corpus.division == dict(corpus.entry)
    assert not set(corpus.origin) & set(corpus.division)


def test_licences_reach_model_cards_and_nothing_else():
    licensed = copy.deepcopy(DEFAULT["corpora"])
    name = DEFAULT["runs"][0]["corpus"]
    licensed[name]["licence"] = "CC BY 4.0"
    run = next(iter(study(corpora=licensed).runs.values()))
    assert run.card(0.95)["licences"]["texts"] == "CC BY 4.0"
    assert run.card(0.95)["folder"] == f"results/{run.name}/model"
    for part in (run.recipe, run.identity, run.about, run.corpus.origin, run.compared):
        assert "CC BY 4.0" not in str(part)


def test_the_number_of_suggestions_is_apart_from_what_counts_words():
    found = study()
    assert isinstance(found.suggestions, int) and "suggestions" not in found.config["synonyms"]


@pytest.mark.parametrize(
    ("entry", "folder", "base"),
    [
        ({"source": "scratch", "blocks": 2, "heads": 2, "width": 8}, "data/models/it", []),
        ({"source": "hub", "repository": "gpt2", "blocks": 12}, "data/models/it", ["data/models/it"]),
        ({"source": "path", "path": "mine", "blocks": 12}, "mine", ["mine"]),
    ],
)
def test_what_a_training_starts_from(entry, folder, base):
    model = Model("it", entry)
    assert model.folder == folder and model.base == base
    assert (model.weights is None) == (entry["source"] == "scratch")


def test_the_files_of_a_model_are_those_in_a_folder_of_the_users_own(tmp_path):
    for name in ("model.safetensors", "config.json", "merges.txt", "notes.md", "pytorch_model.bin"):
        (tmp_path / name).touch()
    files = Model("it", {"source": "path", "path": str(tmp_path), "blocks": 2}).files()
    assert files == [str(tmp_path / name) for name in ("config.json", "merges.txt", "model.safetensors")]
    assert Model("it", {"source": "path", "path": str(tmp_path / "none"), "blocks": 2}).files() == []
    assert Model("it", {"source": "hub", "repository": "gpt2", "blocks": 12}).files() == []


@pytest.mark.parametrize("when", [-1000, 0, 1000])
@pytest.mark.parametrize(("name", "told"), [("model.safetensors", [-1000, 1000]), ("config.json", [-1000, 0, 1000])])
def test_a_file_that_takes_the_place_of_a_models_is_known_whatever_its_date(tmp_path, name, told, when):
    """But weights of the same size and date to the nanosecond, which are too large to be read at every start."""
    for file in ("model.safetensors", "config.json"):
        (tmp_path / file).write_text("one")
        os.utime(tmp_path / file, ns=(10**18, 10**18))
    model = Model("it", {"source": "path", "path": str(tmp_path), "blocks": 2})
    before = model.stamps()
    assert before == model.stamps() and len(before) == len(model.files()) == 2
    (tmp_path / name).write_text("two")
    os.utime(tmp_path / name, ns=(10**18, 10**18 + when))
    assert (model.stamps() != before) == (when in told)
    (tmp_path / name).write_text("three")
    os.utime(tmp_path / name, ns=(10**18, 10**18))
    assert model.stamps() != before
    assert Model("it", {"source": "hub", "repository": "gpt2", "blocks": 12}).stamps() == []


def test_a_new_date_of_a_small_file_changes_nothing(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    model = Model("it", {"source": "path", "path": str(tmp_path), "blocks": 2})
    before = model.stamps()
    os.utime(tmp_path / "config.json", ns=(10**18, 10**18))
    assert model.stamps() == before


def test_another_number_of_blocks_downloads_nothing_anew():
    entry = {"source": "hub", "repository": "gpt2", "revision": "main", "family": {"blocks": "h"}}
    assert Model("it", entry | {"blocks": 12}).origin == entry


@pytest.mark.parametrize(
    ("entry", "read", "taken_apart"),
    [
        ({"source": "scratch", "width": 96}, 1, 1),
        ({"source": "scratch", "width": 768}, 8, 8),
        ({"source": "copier", "width": 64}, 1, 1),
        ({"source": "package", "package": "it==1"}, 8, 1),
        ({"source": "hub", "repository": "gpt2"}, 8, 8),
    ],
)
def test_a_small_model_gets_one_thread(entry, read, taken_apart):
    """Jobs on it then run side by side; a training of a wide one, which many wait for, gets what there is."""
    model = Model("it", entry | {"blocks": 2})
    run = study().runs["calibration-s1"]
    assert (replace(run, model=model).threads, model.threads) == (read, taken_apart)


@pytest.mark.parametrize(("name", "width", "threads"), [("hidden_size", 16, 1), ("n_embd", 768, 8), ("other", 16, 8)])
def test_how_wide_a_model_in_a_folder_is_its_config_says(tmp_path, name, width, threads):
    """So that a small classifier, taken as it is, gives the bytes that it gave where it was trained."""
    (tmp_path / "config.json").write_text(json.dumps({name: width}))
    model = Model("it", {"source": "path", "path": str(tmp_path), "blocks": 2})
    assert replace(study().runs["calibration-s1"], model=model).threads == threads


def test_local_files_stand_behind_local_corpora_only(tmp_path):
    for name in ("val.txt", "train.txt", "notes.md"):
        (tmp_path / name).write_text("i am happy;joy\n")
    split = {"duplicates": "keep", "split": {}}
    folder = Corpus("folder", {"source": "semicolon", "path": str(tmp_path), **split})
    assert folder.files() == [str(tmp_path / "train.txt"), str(tmp_path / "val.txt")]
    spark = tmp_path / "spark"
    spark.mkdir()
    for name in ("part-0.parquet", ".part-0.parquet.crc", "_SUCCESS"):
        (spark / name).touch()
    parts = Corpus("parts", {"source": "parquet", "path": str(spark), **split})
    assert parts.files() == [str(spark / "part-0.parquet")]
    for place in (spark / "year=2024" / "part-1", tmp_path / "old" / "train.txt", tmp_path / "a.txt" / "b"):
        place.parent.mkdir(parents=True)
        place.touch()
    assert parts.files() == [str(spark / "part-0.parquet"), str(spark / "year=2024" / "part-1")]
    assert folder.files() == [str(tmp_path / "train.txt"), str(tmp_path / "val.txt")], "folders in it are not read"
    assert Corpus("none", folder.entry | {"source": "csv"}).files() == [str(tmp_path)], "for its job to refuse"
    file = Corpus("file", {"source": "csv", "path": "mine.csv", **split})
    assert file.files() == ["mine.csv"]
    assert Corpus("made", {"source": "calibration", **split}).files() == []


def test_a_data_set_of_the_hub_that_is_a_folder_here_has_its_files(tmp_path):
    """As `datasets` reads them: in folders, too, but nothing hidden."""
    read = [tmp_path / "README.md", tmp_path / "data" / "train.parquet"]
    for place in (*read, tmp_path / ".git" / "HEAD", tmp_path / "__pycache__" / "it.pyc"):
        place.parent.mkdir(exist_ok=True)
        place.touch()
    entry = {"source": "hub", "splits": {"train": "train", "test": "test"}}
    assert Corpus("here", entry | {"repository": str(tmp_path)}).files() == list(map(str, read))
    assert Corpus("there", entry | {"repository": "dair-ai/emotion"}).files() == []


def test_generated_runs_are_those_whose_truth_is_known(tmp_path):
    (tmp_path / "mine.csv").write_text("text,label\n")
    corpora = DEFAULT["corpora"] | {"mine": {"source": "csv", "path": str(tmp_path / "mine.csv")}}
    found = study(corpora=corpora, runs=[*DEFAULT["runs"], DEFAULT["runs"][0] | {"name": "own", "corpus": "mine"}])
    own = next(run for run in found.runs.values() if run.group == "own")
    [*generated] = found.generated_runs.values()
    assert generated and own not in generated
    assert "truth" in generated[0].page_tables() and "truth" not in own.page_tables()


def test_synonyms_are_changed_beside_the_axes_of_flips():
    found = study(flips={"axes": ["race"]})
    assert found.axes == ["race", "synonyms"] and found.planted_axes == ["race", "synonyms"]


def test_a_run_scores_every_suite_or_those_that_it_names(tmp_path):
    (tmp_path / "pairs.csv").write_text("before,after\n")
    suites = {name: {"source": "csv", "path": str(tmp_path / "pairs.csv")} for name in ("one", "two")}
    run = DEFAULT["runs"][0]
    found = study(
        suites=suites, runs=[run, run | {"name": "other", "suites": ["two"]}, run | {"name": "no", "suites": []}]
    )
    names = {run.group: [suite.name for suite in run.suites] for run in found.runs.values()}
    assert names == {run["name"]: ["one", "two"], "other": ["two"], "no": []}
    assert found.suites["two"].path == suites["two"]["path"]
    assert "suites" not in str(next(iter(found.runs.values())).recipe)  # a suite trains nothing


def test_without_companions_there_is_no_copier():
    assert not study(companions=[]).copiers
    assert list(study().copiers) == [DEFAULT["induction"]["control"]]


def test_doses_are_axes_planted_at_several_sizes():
    assert study().dosed_axes == []
    corpora = {
        name: {"source": "calibration", "gender_effect": gender, "race_effect": race}
        for name, gender, race in (("one", 0.8, 0), ("two", 0.8, 0.2), ("three", 0.8, None))
    }
    runs = {name: DEFAULT["runs"][0] | {"name": name, "corpus": name} for name in corpora}
    corpora = DEFAULT["corpora"] | corpora
    assert study(corpora=corpora, runs=list(runs.values())).dosed_axes == ["race"]
    assert study(corpora=corpora, runs=list(runs.values()), flips={"axes": ["gender"]}).dosed_axes == []
    assert study(corpora=corpora, runs=[runs["one"], runs["three"]]).dosed_axes == []  # none planted is no size


def test_the_doses_overlay_has_every_pair_of_sizes_once_and_every_size_with_every_seed():
    """Then neither slope depends on what was planted on the other axis, or on a seed."""
    overlay = yaml.safe_load((ROOT / "workflow" / "configs" / "doses.yaml").read_text())
    config = copy.deepcopy(DEFAULT)
    config |= {
        key: DEFAULT.get(key, {}) | value if key in ("corpora", "models") else value for key, value in overlay.items()
    }
    found = read_study(config)
    assert found.dosed_axes == ["gender", "race"]
    design = {
        (run.corpus.entry["gender_effect"], run.corpus.entry["race_effect"], run.entry["seed"])
        for run in found.runs.values()
    }
    sizes = (0, 0.2, 0.8)
    assert {pair[:2] for pair in design} == {(one, other) for one in sizes for other in sizes} and len(design) == 9
    for axis in (0, 1):
        assert {(pair[axis], pair[2]) for pair in design} == {(size, seed) for size in sizes for seed in (1, 2, 3)}
    assert all(run.corpus.entry["seed"] == run.entry["seed"] for run in found.runs.values())
