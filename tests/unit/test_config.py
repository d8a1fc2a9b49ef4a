"""A mistake in the config is one line that names the key and the mend."""

import copy
from pathlib import Path

import pytest
import yaml

from emoscope.config import check_files, complete, expand_runs
from emoscope.errors import UserError
from emoscope.model_folder import check_model_folder

ROOT = Path(__file__).parents[2]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def with_change(*path_and_value):
    *path, key, value = path_and_value
    config = copy.deepcopy(DEFAULT)
    place = config
    for part in path:
        place = place[part]
    place[key] = value
    return config


def test_the_default_config_is_complete_as_it_stands():
    completed = complete(DEFAULT)
    for section in ("prediction", "samples", "masking", "flips", "synonyms", "statistics", "corpora", "models"):
        assert completed[section] == DEFAULT[section], f"{section}: the schema's defaults and config.yaml differ"


def test_defaults_are_filled_in_for_a_short_entry():
    config = complete(with_change("corpora", "mine", {"source": "csv", "path": "mine.csv"}))
    assert config["corpora"]["mine"]["text"] == "text"
    assert config["corpora"]["mine"]["split"] == {"method": "shuffled", "test": 0.2, "seed": 10}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("runs", 0, "training", "learning_rate", "5e-5"), r"runs\[0\].training.learning_rate.*5\.0e-5"),
        (("runs", 0, "modle", "scratch"), r"runs\[0\]: unknown key 'modle'; did you mean 'model'"),
        (("runs", 0, "model", "scrach"), r"runs\[0\].model.*did you mean 'scratch'"),
        (("runs", 0, "training", "gpus", 5), r"runs\[0\].training.batch_size: 5 GPUs cannot share 32 texts evenly"),
        (("runs", 0, "seeds", ["one"]), r"runs\[0\].seeds\[0\].*not of type integer"),
        (("corpora", "calibration", "rowz", 5), "corpora.calibration: unknown key 'rowz'; did you mean 'rows'"),
        (("corpora", "mine", {"source": "cvs"}), "corpora.mine.source.*did you mean 'csv'"),
        (("corpora", "mine", {"source": "csv"}), "corpora.mine: key 'path' is missing"),
        (("masking", None), "masking: null is not of type object"),
        (("masking", "head_conditions", ["nil"]), r"masking.head_conditions\[0\].*zero, mean"),
        (("models", "scratch", "blocks", 0), "models.scratch.blocks"),
        (("models", "scratch", "width", 100), "models.scratch.width: 100 is not a multiple of `heads`, 12"),
        (("flips", "traced_block", 12), r"flips.traced_block: 12, but the model 'scratch'.*blocks 0 to 11"),
        (("attention", "corpus", "calibratoin"), "attention.corpus.*did you mean 'calibration'"),
        (("attention", "heads", [[0, 0], [30, 1]]), r"attention.heads\[1\]: block 30.*'smollm2'.*blocks 0 to 29"),
        (
            ("induction", "control", "scratch"),
            "induction.control: 'scratch' is not .* source copier; known: copier",
        ),
        (("induction", "lengths", [60]), "models.copier: .*two halves of 60.*`context` of 121"),
        (("companions", ["copier"]), "companions: 'copier' has not read any text"),
        (("runs", 0, "model", "copier"), r"runs\[0\].model: 'copier' knows no words"),
        (("maksing", {}), "unknown key 'maksing'; did you mean 'masking'"),
    ],
)
def test_a_mistake_is_named(change, message):
    with pytest.raises(UserError, match=message) as error:
        complete(with_change(*change))
    assert "\n" not in str(error.value)


def test_a_name_used_twice_is_named():
    with pytest.raises(UserError, match="'calibration' is used twice"):
        complete(with_change("runs", DEFAULT["runs"] * 2))


def test_seeds_expand_to_runs():
    config = complete(with_change("runs", 0, "seeds", [1, 7]))
    runs = expand_runs(config)
    assert list(runs) == ["calibration-s1", "calibration-s7"]
    assert runs["calibration-s7"]["seed"] == 7


def test_a_missing_corpus_file_is_named():
    config = with_change("corpora", "calibration", {"source": "csv", "path": "nowhere/tweets.csv"})
    with pytest.raises(UserError, match=r"corpora.calibration.path: nowhere/tweets.csv does not exist"):
        check_files(complete(config))


@pytest.mark.parametrize("overlay", sorted((ROOT / "workflow" / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_overlay_is_described_by_the_schema(overlay):
    """Names may come from the overlay below (bert.yaml lies over paper.yaml); keys and types may not be wrong."""
    config = copy.deepcopy(DEFAULT)
    below = {"bert.yaml": ["paper.yaml"], "smollm2.yaml": ["tweets.yaml"]}.get(overlay.name, [])
    for name in [*below, overlay.name]:
        _merge(config, yaml.safe_load((overlay.parent / name).read_text()))
    complete(config)


def _merge(config, overlay):
    for key, value in overlay.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            _merge(config[key], value)
        else:
            config[key] = value


def test_a_model_folder_is_checked(tmp_path):
    with pytest.raises(UserError, match="no such model folder"):
        check_model_folder(tmp_path / "absent")
    with pytest.raises(UserError, match=r"no config.json"):
        check_model_folder(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UserError, match=r"only a pickle \(pytorch_model.bin\).*safe_serialization"):
        check_model_folder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match="no tokenizer"):
        check_model_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    check_model_folder(tmp_path)
