"""A mistake in the config is one line that names the key and the fix."""

import copy
import dataclasses
import datetime
import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from emoscope.errors import UserError
from emoscope.models.families import FAMILIES, Family
from emoscope.models.folder import check_model_folder
from emoscope.plan.agreement import BESIDE_SUITES
from emoscope.plan.config import check_keys, complete, expand_runs, typed
from emoscope.plan.files import check_files
from emoscope.plan.settings import read_study
from random_models import save_language_model

ROOT = Path(__file__).parents[3]
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


REPEATED = {
    "runs:\n- {name: a}\ncorpora: {}\nruns:\n- {name: b}\n": "line 4: 'runs' stands there again, after line 1",
    "corpora:\n  mine: {path: a}\n  mine: {path: b}\n": "line 3: 'mine' stands there again, after line 2",
    "runs: [{name: a, name: b}]": "line 1: 'name' stands there again, after line 1",
    '{\n\t"runs": [],\n\t"runs": []\n}': "line 3: 'runs' stands there again, after line 2",
    "corpora: &all {mine: {path: a}}\nsuites: {<<: *all, mine: {path: b}}\nruns: [{name: a}, {name: a}]": "",
    "a: b: c": "",  # what Snakemake says something about
}


@pytest.mark.parametrize(("content", "message"), REPEATED.items())
def test_a_key_that_stands_twice_in_a_file_is_named_with_its_line(content, message, tmp_path):
    """YAML and JSON keep the last one: half of the runs would never be made."""
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    if not message:
        return check_keys([file, ROOT / "config.yaml"])
    with pytest.raises(UserError) as error:
        check_keys([ROOT / "config.yaml", file])
    assert str(error.value).startswith(f"{file}: {message}")


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
        (("runs", 0, "seeds", [1.0]), r"runs\[0\].seeds\[0\]: 1.0 is not of type integer \(write 1\)$"),
        (("samples", "per_class", 5.0), r"samples.per_class: 5.0 is not of type integer \(write 5\)$"),
        (("samples", "per_class", 5.5), r"samples.per_class: 5.5 is not of type integer$"),
        (("samples", "per_class", True), r"samples.per_class: true is not of type integer"),
        (("statistics", "margin", float("nan")), r"statistics.margin: NaN is not of type number$"),
        (("runs", 0, "training", "learning_rate", float("inf")), r"learning_rate: Infinity is not of type number$"),
        (("corpora", "calibration", "rowz", 5), "corpora.calibration: unknown key 'rowz'; did you mean 'rows'"),
        (("corpora", "mine", {"source": "cvs"}), "corpora.mine.source.*did you mean 'csv'"),
        (("corpora", "mine", {"source": "csv"}), "corpora.mine: key 'path' is missing"),
        (("corpora", "mine", {"source": "csv", "path": ""}), "corpora.mine.path: '' should be non-empty"),
        (("runs", 0, "training", {"warmup": 1}), r"runs\[0\].training.warmup: 1 is greater than or equal to .* 1"),
        (("masking", None), "masking: null is not of type object"),
        (("masking", "head_conditions", ["nil"]), r"masking.head_conditions\[0\].*zero, mean"),
        (("models", "scratch", "blocks", 0), "models.scratch.blocks"),
        (("suites", "mine", {"source": "csv"}), "suites.mine: key 'path' is missing"),
        (("suites", "mine", {"path": "mine.csv"}), "suites.mine: key 'source' is missing"),
        (("suites", "mine", {"source": "csv", "path": "a", "befor": "x"}), "suites.mine: unknown key 'befor'; did you"),
        (("suites", "mine", {"preset": "ecc", "path": "a"}), "suites.mine.preset.*did you mean 'eec'"),
        (("suites", "mine", {"preset": "cebab", "path": "a", "label": "x"}), "suites.mine: unknown key 'label'"),
        (("suites", "mine", {"preset": "eec", "path": "a", "between": "age"}), "suites.mine.between.*gender, race"),
        (
            ("suites", "gender", {"source": "csv", "path": "a"}),
            "suites.*gender.*none of gender, race, synonyms and words",
        ),
        (("suites", "my_pairs", {"source": "csv", "path": "a"}), "suites.*my_pairs.*holds letters, digits and `-`"),
        (("runs", 0, "suites", ["mien"]), r"runs\[0\].suites: 'mien' is not under `suites`"),
        (("models", "scratch", "width", 100), "models.scratch.width: 100 is not a multiple of `heads`, 12"),
        (("flips", "traced_block", 12), r"flips.traced_block: 12, but the model 'scratch'.*blocks 0 to 11"),
        (("features", "block", 12), r"features.block: 12, but the model 'scratch' .*blocks 0 to 11; name one of them$"),
        (("attention", "corpus", "calibratoin"), "attention.corpus.*did you mean 'calibration'"),
        (("attention", "heads", [[0, 0], [30, 1]]), r"attention.heads\[1\]: block 30.*'smollm2'.*blocks 0 to 29"),
        (("attention", "heads", [[12, 0]]), r"attention.heads\[0\]: block 12.*'scratch' of run 'calibration'.*0 to 11"),
        (("attention", "heads", [[0, 12]]), r"attention.heads\[0\]: head 12.*'scratch' of run 'calibration'.*0 to 11"),
        (
            ("induction", "control", "scratch"),
            "induction.control: 'scratch' is not .* source copier; known: copier",
        ),
        (("induction", "lengths", [60]), "models.copier: .*two halves of 60.*`context` of 121"),
        (
            ("induction", "ablated_heads", [30, 13]),
            r"induction.ablated_heads: 13 or more .* but 'copier' \(induction.control\) has 12; name a smaller",
        ),
        (("companions", ["copier"]), "companions: 'copier' has not read any text"),
        (("runs", 0, "model", "copier"), r"runs\[0\].model: 'copier' knows no words"),
        (("maksing", {}), "unknown key 'maksing'; did you mean 'masking'"),
        (
            ("corpora", "calibration", DEFAULT["corpora"]["calibration"] | {"source": "csv", "path": "a.csv"}),
            "corpora.calibration: unknown key 'rows', which is from the entry of this name in config.yaml, over which",
        ),
        (("runs", 0, "name", "a" * 101), r"runs\[0\].name: 'a+' is too long"),
        (
            ("corpora", "mine", {"source": "cvs", "path": "a"}),
            "source: 'cvs' is not one of: .*tabbed; did you mean 'csv'",
        ),
        (("corpora", "mine", {"source": "xlsx", "path": "a"}), "source: 'xlsx' is not one of: [^;]*tabbed$"),
    ],
)
def test_a_mistake_is_named(change, message):
    with pytest.raises(UserError, match=message) as error:
        complete(with_change(*change))
    assert "\n" not in str(error.value)


def test_a_name_used_twice_is_named():
    with pytest.raises(UserError, match="'calibration' is used twice"):
        complete(with_change("runs", DEFAULT["runs"] * 2))
    on_a_disk_without_capitals = [*DEFAULT["runs"], DEFAULT["runs"][0] | {"name": "Calibration"}]
    with pytest.raises(UserError, match=r"runs\[1\].name: 'Calibration' is used twice"):
        complete(with_change("runs", on_a_disk_without_capitals))


@pytest.mark.parametrize("section", ["corpora", "models", "suites", "tasks"])
def test_names_that_differ_in_capitals_only_are_refused(section):
    """On some disks both would have one folder, and one be read for the other."""
    config = complete(DEFAULT | {"suites": {"mine": {"source": "csv", "path": "mine.csv"}}})
    where, found = (config["prompting"], "tasks") if section == "tasks" else (config, section)
    if section == "tasks":
        where[found].append(where[found][0] | {"name": "Sentiment"})
        names = "'sentiment' and 'Sentiment'"
    else:
        first = next(iter(where[found]))
        where[found][first.upper()] = where[found][first]
        names = f"{first!r} and {first.upper()!r}"
    with pytest.raises(UserError, match=f"{section}: {names} differ in capitals only; rename one of them"):
        complete(config)


@pytest.mark.parametrize("name", [*map(str.capitalize, BESIDE_SUITES), "RACE"])
def test_a_suite_that_would_share_the_files_of_flips_is_refused(name):
    with pytest.raises(UserError, match=f'suites: "{name.lower()}" does not do'):  # by the schema
        complete(DEFAULT | {"suites": {name.lower(): {"source": "csv", "path": "mine.csv"}}})
    with pytest.raises(UserError, match=f"suites: '{name}' would share its files with {name.lower()}, where a disk"):
        complete(DEFAULT | {"suites": {name: {"source": "csv", "path": "mine.csv"}}})
    complete(DEFAULT | {"suites": {f"{name}s": {"source": "csv", "path": "mine.csv"}}})


def test_seeds_expand_to_runs():
    config = complete(with_change("runs", 0, "seeds", [1, 7]))
    runs = expand_runs(config)
    assert list(runs) == ["calibration-s1", "calibration-s7"]
    assert runs["calibration-s7"]["seed"] == 7


def test_a_missing_corpus_file_is_named():
    config = with_change("corpora", "calibration", {"source": "csv", "path": "nowhere/tweets.csv"})
    here = re.escape(str(Path.cwd()))
    with pytest.raises(UserError, match=rf"corpora.calibration.path: nowhere/tweets.csv does not exist in {here};"):
        check_files(complete(config))
    config["corpora"]["calibration"]["path"] = "/nowhere/tweets.csv"
    with pytest.raises(UserError, match=r"/nowhere/tweets.csv does not exist;"):
        check_files(complete(config))


@pytest.mark.parametrize(
    ("header", "settings", "message"),
    [
        (
            "tweet,mood",
            {"text": "twet", "label": "mood"},
            r"corpora.calibration.text: .* no column 'twet'; did you mean 'tweet'",
        ),
        ("tweet,mood", {"text": "tweet"}, "calibration.label: .* no column 'label'; known: tweet, mood"),
        ("tweet,mood", {"text": "tweet", "label": "mood", "group": "who"}, "calibration.group: .* no column 'who'"),
        ("tweet,sad", {"text": "tweet", "labels": ["sad", "joy"]}, "calibration.labels: .* no column 'joy'"),
        ("\ufefftweet,mood", {"text": "tweet", "label": "mood"}, None),
        ('\n"tweet",mood', {"text": "tweet", "label": "mood"}, None),
        ("tweet;mood", {"text": "tweet", "label": "mood"}, None),  # its reader says what is wrong
    ],
)
def test_a_column_that_is_not_there_is_named_before_anything_runs(tmp_path, header, settings, message):
    (tmp_path / "mine.csv").write_text(f"{header}\na,b\n", encoding="utf-8")
    table = {"source": "csv", "path": str(tmp_path / "mine.csv"), **settings}
    classes = {} if "labels" in settings else {"classes": ["sad", "joy"]}
    config = complete(with_change("corpora", "calibration", table | classes) | {"companions": []})
    if message is None:
        return check_files(config)
    with pytest.raises(UserError, match=message):
        check_files(config)


MOODS = {"label": "mood", "text": "tweet", "classes": ["sad", "joy"]}


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        (
            "csv",
            b'tweet,"mood\n' + b"a,b\n" * 50_000,
            r"mine.csv: line 1: a quotation mark opens here and is never closed",
        ),
        (
            "csv",
            b'tweet,"mood"x\na,b\n',
            r"mine.csv: line 1: a quotation mark opens here, and text follows the one that",
        ),
        (
            "csv",
            "tweet,mood\na,b\n".encode("utf-16"),
            r"mine.csv: line 1: byte 0xff is not UTF-8; save the file as UTF-8",
        ),
        (
            "csv",
            "tweet,mood\na,b\n".encode("utf-16-le"),
            r"mine.csv: line 1: byte 0x00 is no text; save the file as UTF-",
        ),
        (
            "csv",
            "tweet,möd\na,b\n".encode("latin-1"),
            r"mine.csv: line 1: byte 0xf6 is not UTF-8; save the file as UTF-8",
        ),
        ("csv", b"tweet,mood,\0\na,b,c\n", r"mine.csv: line 1: byte 0x00 is no text; save the file as UTF-8"),
        ("csv", b"tweet,mood\n" + b"x" * 200_000 + b",b\n", None),
        (
            "csv",
            b'" ",\n\ntweet,mood\n',
            "no column 'tweet'",
        ),  # cells that are blank are a header, a blank line is none
        ("csv", b" \ntweet,mood\n", None),
        ("csv", b"tweet,mood\n" + b"a,b\n" * 50_000 + b'"\n\xf6', None),  # far below the header
        ("tsv", b'tweet\tmood\t"x\n' + b"a\tb\tc\n" * 50_000, None),  # a plain character there
        ("tsv", b'"tweet"\tmood\na\tb\n', r"calibration.text: .*mine.tsv has no column 'tweet'; did you mean"),
        ("csv", b"", None),
    ],
)
def test_a_header_is_read_as_the_reader_of_the_texts_reads_it(tmp_path, kind, content, message):
    """And refused in the reader's words; below it, only the reader looks."""
    (tmp_path / f"mine.{kind}").write_bytes(content)
    table = {"source": kind, "path": str(tmp_path / f"mine.{kind}"), **MOODS}
    config = complete(with_change("corpora", "calibration", table) | {"companions": []})
    if message is None:
        return check_files(config)
    with pytest.raises(UserError, match=message):
        check_files(config)


def test_the_header_of_each_part_is_read(tmp_path):
    parts = {"splits": {"train": "a.csv", "test": "b.csv"}, "split": {"method": "given"}}
    table = {"source": "csv", "path": str(tmp_path), **MOODS, **parts}
    config = complete(with_change("corpora", "calibration", table) | {"companions": []})
    for name, header in (("a.csv", "tweet,mood"), ("b.csv", "tweets,mood")):
        (tmp_path / name).write_text(f"{header}\nfine,good\n")
    with pytest.raises(UserError, match=r"calibration.text: .*b.csv has no column 'tweet'; did you mean"):
        check_files(config)


@pytest.mark.parametrize(("key", "column"), [("before", "befor"), ("group", "kind")])
def test_columns_that_a_file_of_pairs_lacks_are_told_before_anything_runs(tmp_path, key, column):
    (tmp_path / "pairs.csv").write_text("before,after,kinds\na,b,c\n")
    entry = {"source": "csv", "path": str(tmp_path / "pairs.csv")}
    check_files(complete(with_change("suites", "mine", entry)))
    config = complete(with_change("suites", "mine", entry | {key: column}))
    with pytest.raises(UserError, match=f"suites.mine.{key}: .*pairs.csv has no column '{column}'; did you mean"):
        check_files(config)
    for run in config["runs"]:
        run["suites"] = []
    check_files(config)


def test_what_cannot_be_read_is_told_in_one_line(tmp_path):
    """Such as a folder that its owner keeps to himself; here, a name that is too long for any disk."""
    config = with_change("corpora", "calibration", {"source": "csv", "path": "a" * 5000, **MOODS})
    with pytest.raises(UserError, match=r"aaa: File name too long; name a file or folder that can be read$"):
        read_study(config)


def test_where_a_job_runs_texts_need_not_be(tmp_path):
    config = with_change("suites", "mine", {"source": "csv", "path": "nowhere/pairs.csv"})
    files = {"splits": {"train": "a.csv", "test": "b.csv"}, "split": {"method": "given"}}
    config["corpora"]["calibration"] = {"source": "csv", "path": "nowhere"} | files
    tasks = [
        {
            "name": "mine",
            "source": "files",
            "train": "nowhere/a.csv",
            "test": "nowhere/b.csv",
            "classes": ["bad", "good"],
        }
    ]
    config["prompting"] = {"tasks": tasks}
    check_files(complete(config), made_later=True)
    for missing in (r"corpora.calibration.path", r"corpora.calibration.splits.train", r"tasks\[0\].train"):
        with pytest.raises(UserError, match=missing):
            check_files(complete(config))
        if "path" in missing:
            config["corpora"]["calibration"]["path"] = str(tmp_path)
        else:
            (tmp_path / "a.csv").touch()
            (tmp_path / "b.csv").touch()
            config["suites"] = {}


def test_a_suite_that_a_run_scores_has_its_file(tmp_path):
    config = complete(with_change("suites", "mine", {"source": "csv", "path": str(tmp_path / "mine.csv")}))
    assert config["suites"]["mine"]["before"] == "before" and config["suites"]["mine"]["group"] is None
    with pytest.raises(UserError, match=r"config suites.mine.path: .*mine.csv is no file; put the pairs there"):
        check_files(config)
    config["runs"][0]["suites"] = []
    check_files(config)


@pytest.mark.parametrize("overlay", sorted((ROOT / "workflow" / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_overlay_is_described_by_the_schema(overlay):
    """Names may come from the overlay below (bert.yaml lies over paper.yaml); keys and types may not be wrong."""
    config = copy.deepcopy(DEFAULT)
    tweets = {f"{name}.yaml": ["tweets.yaml"] for name in ("balanced", "tweets-inside", "tweets-pretrained")}
    below = {"bert.yaml": ["paper.yaml"], **tweets}.get(overlay.name, [])
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
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UserError, match=r"only a pickle \(pytorch_model.bin\).*safe_serialization"):
        check_model_folder(tmp_path)
    save_file({"weight": np.ones(500)}, tmp_path / "model.safetensors")
    with pytest.raises(UserError, match="no tokenizer"):
        check_model_folder(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"model": {"vocab": {"a": 0}}}')
    check_model_folder(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    for length in (0, 5, 8, 50, len(whole) // 2, len(whole) - 1):
        (tmp_path / "model.safetensors").write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"model.safetensors: cut short or damaged; fetch the model again"):
            check_model_folder(tmp_path)
    for header in (b"{", b"[]", b"7", b'{"weight": 1}', b'{"weight": {}}', b'{"weight": {"data_offsets": []}}'):
        (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
        with pytest.raises(UserError, match=r"model.safetensors: cut short or damaged"):
            check_model_folder(tmp_path)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_a_model_with_code_of_its_own_is_refused_and_its_code_is_not_run(tmp_path, file):
    save_language_model(tmp_path / "model")
    check_model_folder(tmp_path / "model")
    ran = tmp_path / "ran"
    (tmp_path / "model" / "evil.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    settings = json.loads((tmp_path / "model" / file).read_text())
    settings["auto_map"] = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model", "AutoTokenizer": ["evil.T", None]}
    (tmp_path / "model" / file).write_text(json.dumps(settings))
    with pytest.raises(
        UserError, match=rf"model: {file} names code .*\(auto_map\), which is never run; choose a model"
    ):
        check_files(complete(with_model_folder(tmp_path / "model")))
    assert not ran.exists()


def test_a_model_folder_with_a_pickle_alone_is_refused_before_anything_runs(tmp_path):
    save_language_model(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").rename(tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"only a pickle \(pytorch_model.bin\), which can run code when loaded"):
        check_files(complete(with_model_folder(tmp_path / "model")))


@pytest.mark.parametrize("content", ["", "[]", '"text"', '{"model_type": '])
def test_a_spoilt_model_config_is_named(tmp_path, content):
    save_language_model(tmp_path)
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(UserError, match=r"config.json: .*; fetch the model again") as error:
        check_model_folder(tmp_path)
    assert "\n" not in str(error.value)


def with_model_folder(folder):
    config = with_change("models", "mine", {"source": "path", "path": str(folder), "blocks": 2})
    config["runs"][0] |= {"model": "mine"}
    return config | {"companions": []}


NAMES = [
    "../../outside",
    "/tmp/outside",
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "a b",
    "a\n",
    "$(id)",
    "{run}",
    "-rf",
    "_a",
    "ä",
    "a\0",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["corpora", "models", "runs", "tasks"])
def test_no_name_leaves_its_folder(place, name):
    config = copy.deepcopy(DEFAULT)
    if place == "runs":
        config["runs"][0]["name"] = name
    elif place == "tasks":
        config["prompting"]["tasks"][0]["name"] = name
    else:
        config[place][name] = config[place][next(iter(config[place]))]
    with pytest.raises(UserError, match="letters, digits, `_` and `-`") as error:
        complete(config)
    assert "\n" not in str(error.value)


def test_a_package_is_no_option_of_pip():
    package = {"source": "package", "package": "--index-url==example.org", "sha256": "0" * 64, "blocks": 1}
    with pytest.raises(UserError, match=r"models\.mine\.package"):
        complete(with_change("models", "mine", package))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)


def places(value, path=()):
    """Every place in a configuration."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@given(st.sampled_from([path for path in places(DEFAULT) if path]), VALUES)
def test_any_value_anywhere_is_accepted_or_explained_in_one_line(path, value):
    try:
        complete(with_change(*path, value))
    except UserError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("config ")


@given(st.sampled_from([path for path in places(DEFAULT) if path]), st.text())
def test_any_unknown_key_is_explained_in_one_line(path, key):
    section = DEFAULT
    for part in path:
        section = section[part]
    if not isinstance(section, dict) or key in section:
        return
    try:
        complete(with_change(*path, key, 1))
    except UserError as error:
        assert "\n" not in str(error)
    else:
        raise AssertionError(f"{path}: {key!r} was taken")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpus": "calibrate"}, "residual.corpus: 'calibrate' is not under `corpora`; did you mean 'calibration'"),
        ({"corpus": "lists"}, "residual.corpus: a text of 'lists' may have several labels; name one of one label each"),
        ({"autoencoder": {"block": 30}}, "residual.autoencoder.block: 30, but 'smollm2' has blocks 0 to 29"),
        (
            {"autoencoder": {"active": 99, "features": 64}},
            "residual.autoencoder.active: 99 is more than `features`, 64",
        ),
        ({"autoencoder": {"features": "many"}}, "residual.autoencoder.features.*not of type integer"),
        ({"lens_text": 3}, "residual: unknown key 'lens_text'; did you mean 'lens_texts'"),
    ],
)
def test_a_mistake_in_a_write_ups_settings_is_one_line(change, message):
    with pytest.raises(UserError, match=message) as error:
        complete({**DEFAULT, "corpora": DEFAULT["corpora"] | {"lists": LISTS}, "residual": change})
    assert "\n" not in str(error.value)


def test_the_schemas_defaults_of_a_write_up_are_those_of_the_config_file():
    assert complete({**DEFAULT, "residual": {}})["residual"] == DEFAULT["residual"]


HUB = {"name": "a", "source": "hub", "repository": "x/y", "revision": "main", "train": "a.parquet", "test": "b.parquet"}


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([{"name": "a", "source": "generated"}], r"tasks\[0\]: key 'task' is missing"),
        ([{"name": "a", "source": "generated", "task": "mood"}], r"tasks\[0\].task: 'mood' is not one of"),
        ([{"name": "a", "source": "generated", "task": "sentiment", "alone": "joy"}], r"none can stand alone"),
        ([{"name": "a", "source": "generated", "task": "emotion"}] * 2, r"tasks\[1\].name: 'a' is used twice"),
        ([HUB], r"tasks\[0\]: name either `classes`.* or `labels`"),
        ([HUB | {"labels": ["joy", "fear"], "alone": "joi"}], r"tasks\[0\].alone: 'joi'.*did you mean 'joy'"),
        ([HUB | {"labels": ["joy", "fear"], "lable": "x"}], r"unknown key 'lable'; did you mean 'label'"),
    ],
)
def test_a_mistake_in_the_tasks_is_named(tasks, message):
    with pytest.raises(UserError, match=message) as error:
        complete(DEFAULT | {"prompting": {"tasks": tasks}})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"samples": {"per_class": "3"}}, {"samples": {"per_class": 3}}),
        ({"flips": {"axes": ["gender"]}}, {"flips": {"axes": ["gender"]}}),
        ({"masking": {"head_conditions": []}}, {"masking": {"head_conditions": []}}),
        ({"runs": [{"name": "a", "seeds": ["1", "2"]}]}, {"runs": [{"name": "a", "seeds": [1, 2]}]}),
        ({"a": {"b": "true", "c": "null", "d": "0.5"}}, {"a": {"b": True, "c": None, "d": 0.5}}),
        ({"a": {"b": "x: y", "c": "", "d": "2020-01-01"}}, {"a": {"b": "x: y", "c": "", "d": "2020-01-01"}}),
        ({"companions": "3"}, {"companions": "3"}),  # outside of braces Snakemake has read it
    ],
)
def test_numbers_in_braces_on_the_command_line_are_numbers(given, read):
    assert typed(given) == read


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([True, False], r"classes\[0\]: true is not of type string \(YAML reads yes, no, on and off .* in quotes\)"),
        ([1, 2], r"classes\[0\]: 1 is not of type string \(put it in quotes\)"),
        (["a", None], r"classes\[1\]: null is not of type string \(put it in quotes\)"),
        ([datetime.date(2020, 1, 1), "b"], r'classes\[0\]: "2020-01-01" is not of type string \(put it in quotes\)'),
        (["joy ", "b"], r'classes\[0\]: "joy " does not do: a class name is any text of one line'),
        (["joy\n", "b"], r"classes\[0\]: .* does not do"),
        (["", "b"], r"classes\[0\]: .* does not do"),
        (["all", "b"], r'classes\[0\]: "all" is taken'),
        (["a", "macro avg"], r'classes\[1\]: "macro avg" is taken'),
    ],
)
def test_classes_that_yaml_reads_as_something_else_are_explained(classes, message):
    with pytest.raises(UserError, match=message):
        complete(with_change("corpora", "mine", {"source": "csv", "path": "mine.csv", "classes": classes}))


def test_class_names_may_be_any_text_of_one_line():
    names = ["no emotion", "überraschung", "joy/fun", "yes", "50 % {x}", "Gefühl: <b>", "-", "$x$"]
    config = complete(with_change("corpora", "mine", {"source": "csv", "path": "mine.csv", "classes": names}))
    assert config["corpora"]["mine"]["classes"] == names


@pytest.mark.parametrize("path", [("statistics",), ("runs", 0, "seeds"), ("corpora", "calibration"), ("induction",)])
def test_a_seed_that_no_generator_takes_is_named(path):
    value = [2**32] if path[-1] == "seeds" else 2**32
    change = with_change(*path, value) if path[-1] == "seeds" else with_change(*path, "seed", value)
    with pytest.raises(UserError, match=r"4294967296 is greater than the maximum of 4294967295"):
        complete(change)


def folder_model(tmp_path, **settings):
    save_language_model(tmp_path / "model")
    config = with_model_folder(tmp_path / "model")
    del config["models"]["mine"]["blocks"]
    config["models"]["mine"] |= settings
    return config


def test_the_number_of_blocks_is_read_from_the_folder(tmp_path):
    assert complete(folder_model(tmp_path))["models"]["mine"]["blocks"] == 2
    assert complete(folder_model(tmp_path, blocks=2))["models"]["mine"]["blocks"] == 2
    with pytest.raises(UserError, match=r"mine.blocks: the model has 2 blocks but the config says 3; set `blocks: 2`"):
        complete(folder_model(tmp_path, blocks=3))
    for name in ("num_hidden_layers", "n_layers", "num_layers"):
        config = folder_model(tmp_path)
        file = tmp_path / "model" / "config.json"
        settings = json.loads(file.read_text())
        settings[name] = settings.pop("n_layer") + 3
        file.write_text(json.dumps(settings))
        assert complete(config)["models"]["mine"]["blocks"] == 5
    file.write_text('{"model_type": "gpt2"}')
    with pytest.raises(
        UserError, match=r"models.mine: .*config.json does not say how many blocks it has; set `blocks`"
    ):
        complete(config)
    file.unlink()
    with pytest.raises(UserError, match=r"no config.json"):
        complete(config)
    config["models"]["mine"]["blocks"] = 5
    assert complete(config)["models"]["mine"]["blocks"] == 5
    assert (
        "blocks"
        not in complete(DEFAULT | {"models": DEFAULT["models"] | {"other": {"source": "path", "path": "no"}}})[
            "models"
        ]["other"]
    ), "what no run uses is not looked at"


def test_a_family_is_described_in_full_or_the_mistake_is_named(tmp_path):
    family = {name: "part" for name in ("blocks", "projection", "feed_forward", "neurons", "embedding")}
    family |= {"readers": ["part"], "readout": ["part"]}
    config = folder_model(tmp_path, family=family)
    assert complete(config)["models"]["mine"]["family"] == family
    with pytest.raises(UserError, match=r"models.mine.family: key 'neurons' is missing"):
        complete(folder_model(tmp_path, family={key: value for key, value in family.items() if key != "neurons"}))
    with pytest.raises(UserError, match=r"models.mine.family: unknown key 'block'; did you mean 'blocks'"):
        complete(folder_model(tmp_path, family=family | {"block": "h"}))
    with pytest.raises(UserError, match=r"companions: 'mine' is described by `family`, which only classifiers can be"):
        complete(config | {"companions": ["mine"]})


def test_every_field_of_a_family_can_be_described():
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())["$defs"]["family"]
    fields = {field.name: field for field in dataclasses.fields(Family)}
    assert set(schema["properties"]) == set(fields)
    needed = {name for name, field in fields.items() if field.default is dataclasses.MISSING}
    assert set(schema["required"]) == needed
    assert all("description" in entry for entry in schema["properties"].values())


def test_a_described_model_is_checked_as_its_family(tmp_path):
    config = folder_model(tmp_path)
    file = tmp_path / "model" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model_type": "mine"}))
    with pytest.raises(UserError, match=r"model type 'mine' is not known; choose one of gpt2, .*`family` of the model"):
        check_files(complete(config))
    described = dataclasses.asdict(FAMILIES["gpt2"])
    config["models"]["mine"]["family"] = {
        key: list(value) if isinstance(value, tuple) else value for key, value in described.items() if value
    }
    check_files(complete(config))


LISTS = {"source": "csv", "path": "lists.csv", "classes": ["joy", "love"], "multilabel": True}
SEVERAL = [
    ({"thresholds": 0.5}, {}, r"runs\[0\].thresholds: a text of 'mine' has one label"),
    ({"training": {"balance": "downsample"}}, LISTS, r"runs\[0\].training.balance: downsample .* weights, or none"),
    ({"thresholds": "validation"}, LISTS, r"runs\[0\].thresholds: 'mine' is cut into training and test texts alone"),
    (
        {"thresholds": "validation"},
        LISTS | {"split": {"method": "given", "validation": "train"}},
        r"runs\[0\].thresholds: the validation part of 'mine' is trained on; .*or write a number",
    ),
    (
        {"thresholds": "validation"},
        LISTS | {"path": ".", "split": {"method": "given"}, "splits": {"train": "lists.csv", "test": "lists.csv"}},
        r"runs\[0\].thresholds: `splits` of 'mine' names no validation part; .*or write a number",
    ),
    ({"thresholds": {"hope": 0.5}}, LISTS, r"runs\[0\].thresholds: 'hope' is no label of 'mine'; known: joy, love"),
    ({"thresholds": {"jo": 0.5}}, LISTS, r"runs\[0\].thresholds: 'jo' is no label of 'mine'; did you mean 'joy'"),
    ({"thresholds": 1.5}, LISTS, r"runs\[0\].thresholds"),
]


@pytest.mark.parametrize(("run", "corpus", "message"), SEVERAL)
def test_what_only_texts_with_several_labels_have(run, corpus, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lists.csv").write_text("text,label\n")
    config = with_change("corpora", "mine", {"source": "csv", "path": "lists.csv"} | corpus)
    config |= {"runs": [{"name": "mine", "corpus": "mine", "model": "scratch"} | run], "companions": []}
    with pytest.raises(UserError, match=message):
        check_files(complete(config))


@pytest.mark.parametrize(("source", "file"), [("tabbed", "labels.txt"), ("parallel", "mapping.txt")])
def test_where_a_job_runs_the_names_of_labels_need_not_be(tmp_path, source, file):
    config = folder_model(tmp_path)
    config["corpora"]["mine"] = {"source": source, "path": str(tmp_path)}
    several = {"thresholds": {"joy": 0.4}} if source == "tabbed" else {"training": "none", "labels": {"a": "joy"}}
    config |= {"runs": [{"name": "r", "corpus": "mine", "model": "mine"} | several], "companions": []}
    check_files(complete(config), made_later=True)
    with pytest.raises(UserError, match=rf"{file}: no such file; it should name the classes"):
        check_files(complete(config))
    (tmp_path / file).write_text("0\tlove\n1\tfear\n" if source == "parallel" else "love\nfear\n")
    with pytest.raises(UserError, match="'joy'"):  # what can be read is checked at once
        check_files(complete(config), made_later=True)


@pytest.mark.parametrize("thresholds", [0.3, {"joy": 0.4}, "validation"])
def test_thresholds_of_texts_with_several_labels(thresholds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lists.csv").write_text("text,label\n")
    config = with_change("corpora", "mine", LISTS | {"split": {"method": "given"}})
    run = {"name": "mine", "corpus": "mine", "model": "scratch", "thresholds": thresholds}
    config |= {"runs": [run], "companions": []}
    check_files(complete(config))
    [found] = read_study(config).runs.values()
    assert found.asked_thresholds == {"thresholds": thresholds}
    assert found.thresholds == ["results/mine-s1/thresholds.json"]
    assert found.validation == (["data/corpora/mine/validation.parquet"] if thresholds == "validation" else [])
    assert read_study(DEFAULT).runs["calibration-s1"].thresholds == [], "one label a text has none"
