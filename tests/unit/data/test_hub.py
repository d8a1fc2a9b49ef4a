"""Data sets of the hub, read as `datasets` reads a folder: labels by name, splits by what they are for."""

import datasets
import pandas as pd
import pytest

from emoscope.data.class_names import EMOTIONS
from emoscope.data.corpus import download_corpus
from emoscope.data.hub import read_split
from emoscope.errors import UserError
from emoscope.plan.config import complete
from emoscope.storage.files import read_json

NAMES = ["joy", "anger", "fear"]  # numbered otherwise than CLASSES, so that a number is never a position by chance
CLASSES = ["anger", "fear", "joy"]
ONE = datasets.ClassLabel(names=NAMES)


def rows(count: int, start: int = 0) -> dict[str, list]:
    numbers = [(start + k) % 3 for k in range(count)]
    return {
        "id": list(range(count)),
        "tweet": [f"text {start + k}" for k in range(count)],
        "feeling": numbers,
        "feelings": [[number, (number + 1) % 3] if number else [] for number in numbers],
        "anger": [number == 1 for number in numbers],
        "fear": [number == 2 for number in numbers],
        "joy": [number != 1 for number in numbers],
        "dialect": [number % 2 for number in numbers],
    }


FEATURES = datasets.Features(
    {"id": datasets.Value("int64"), "tweet": datasets.Value("string"), "feeling": ONE, "feelings": datasets.List(ONE)}
    | {name: datasets.Value("bool") for name in CLASSES}
    | {"dialect": datasets.ClassLabel(names=["north", "south"])}
)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A folder of parquet files as the hub has them, with an unlabelled split, too."""
    folder = tmp_path_factory.mktemp("repository")
    unlabelled = rows(3) | {"feeling": [-1] * 3}
    for name, held in {"train": rows(12), "dev": rows(9, 100), "hidden": unlabelled}.items():
        datasets.Dataset.from_dict(held, FEATURES).to_parquet(folder / f"{name}.parquet")
    lines = ["---", "configs:", "- config_name: plain", "  data_files:"]
    for name in ("train", "dev", "hidden"):
        lines += [f"  - split: {name}", f"    path: {name}.parquet"]
    lines += ["- config_name: small", "  data_files:", "  - split: train", "    path: dev.parquet", "---", ""]
    (folder / "README.md").write_text("\n".join(lines))
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets.disable_progress_bars()


def downloaded(folder, repository, **settings) -> tuple[pd.DataFrame, dict]:
    entry = {"source": "hub", "repository": str(repository), "configuration": "plain", "revision": "main"}
    entry |= {"text": "tweet", "classes": CLASSES} | settings
    entry = {key: value for key, value in entry.items() if key != "classes" or value}
    generated = {"calibration": {"source": "calibration"}}  # what other sections read by default
    config = {"corpora": {"mine": entry} | generated, "models": {"m": {"source": "scratch"}}}
    config |= {"runs": [{"name": "r", "corpus": "mine", "model": "m"}]}
    entry = complete(config)["corpora"]["mine"]
    entry = {key: value for key, value in entry.items() if key not in ("split", "duplicates")}
    download_corpus(entry, folder / "corpus.parquet", folder / "source.json")
    return pd.read_parquet(folder / "corpus.parquet"), read_json(folder / "source.json")


GIVEN = {"splits": {"train": "train", "test": "dev"}, "split": {"method": "given"}}


def test_labels_are_told_by_their_names_and_splits_by_what_they_are_for(tmp_path, repository):
    corpus, source = downloaded(tmp_path, repository, label="feeling", **GIVEN)
    assert corpus["part"].tolist() == ["train"] * 12 + ["test"] * 9  # and none of the hidden ones
    assert corpus["text"].tolist() == [f"text {k}" for k in [*range(12), *range(100, 109)]]
    numbers = [k % 3 for k in range(12)] + [k % 3 for k in range(100, 109)]
    assert [CLASSES[number] for number in corpus["label"]] == [NAMES[number] for number in numbers]
    assert source["revision"] is None and "group" not in source and "multilabel" not in source


def test_numbers_that_the_data_set_names_need_no_classes(tmp_path):
    """The paper's own data set: its features name the six emotions. Where they do not, a number means nothing."""
    held = {"text": [f"text {k}" for k in range(12)], "label": [k % 6 for k in range(12)]}
    for name, label in (("named", datasets.ClassLabel(names=EMOTIONS[::-1])), ("bare", datasets.Value("int64"))):
        features = datasets.Features({"text": datasets.Value("string"), "label": label})
        (tmp_path / name).mkdir()
        datasets.Dataset.from_dict(held, features).to_parquet(tmp_path / name / "train.parquet")
    corpus, source = downloaded(tmp_path, tmp_path / "named", configuration=None, text="text", classes=None)
    assert corpus["label"].tolist()[:3] == [5, 4, 3] and source["classes"] == list(EMOTIONS)
    with pytest.raises(UserError, match="row 0: unknown label '0'; known: sadness"):
        downloaded(tmp_path, tmp_path / "bare", configuration=None, text="text", classes=None)


def test_lists_of_named_labels_are_several_labels(tmp_path, repository):
    corpus, source = downloaded(tmp_path, repository, label="feelings", multilabel=True)
    names = [{CLASSES[number] for number in own} for own in corpus["labels"]]
    assert names[:3] == [set(), {"anger", "fear"}, {"fear", "joy"}] and source["multilabel"]
    assert set(corpus["part"]) == {"train", "dev", "hidden"}  # without `splits`, all by their own names


def test_columns_of_true_and_false_are_several_labels(tmp_path, repository):
    corpus, _ = downloaded(tmp_path, repository, labels=CLASSES, **GIVEN)
    names = [{CLASSES[number] for number in own} for own in corpus["labels"]]
    assert names[:3] == [{"joy"}, {"anger"}, {"fear", "joy"}]


def test_groups_are_told_by_their_names(tmp_path, repository):
    corpus, source = downloaded(tmp_path, repository, label="feeling", group="dialect", **GIVEN)
    assert corpus["group"].tolist()[:3] == ["north", "south", "north"] and source["group"] == "dialect"


def test_a_configuration_of_its_own(tmp_path, repository):
    corpus, _ = downloaded(tmp_path, repository, label="feeling", configuration="small")
    assert corpus["text"].tolist() == [f"text {k}" for k in range(100, 109)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"text": "words"}, r"no column 'words'; it has: id, tweet, .*; name the right one as `text` of the corpus"),
        ({"label": "mood"}, r"split train: no column 'mood'; .*as `label`"),
        ({"labels": ["anger", "text"]}, r"split train: no column 'text'; .*as `labels`"),
        ({"label": "feeling", "group": "place"}, r"split train: no column 'place'; .*as `group`"),
        ({"text": "id", "label": "feeling"}, r"column 'id' holds int64, not texts; name another one as `text`"),
        ({"text": "feelings", "label": "feeling"}, r"column 'feelings' holds List\(.*\), not texts"),
        ({"label": "feelings"}, r"column 'feelings' holds lists; write `multilabel: true`"),
        ({"label": "feeling"}, r"split hidden, row 0: unknown label '-1'; known: anger, fear, joy"),
        ({"label": "feeling", "configuration": "large"}, r"the hub did not give .*'large' not found"),
        (
            {"label": "feeling", "splits": {"train": "train", "test": "tests"}, "split": {"method": "given"}},
            r"no split 'tests'; it has: train, dev, hidden; fix `splits.test`",
        ),
    ],
)
def test_what_a_data_set_lacks_is_named(tmp_path, repository, settings, message):
    with pytest.raises(UserError, match=message) as error:
        downloaded(tmp_path, repository, **settings)
    assert "\n" not in str(error.value)


def test_splits_need_to_be_kept(tmp_path, repository):
    with pytest.raises(UserError, match=r"corpora.mine.splits: .*write `split: \{method: given\}`"):
        downloaded(tmp_path, repository, label="feeling", splits={"train": "train", "test": "dev"})


def test_a_missing_list_is_no_label():
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.List(ONE)})
    split = datasets.Dataset.from_dict({"text": list("abc"), "label": [[0, 2], None, []]}, features)
    settings = {"text": "text", "label": "label", "multilabel": True}
    found = read_split(split, "mine: split train", settings, CLASSES, "train")
    assert found["label"].tolist() == [["joy", "fear"], [], []]


def test_a_column_may_be_called_where():
    split = datasets.Dataset.from_dict({"text": list("abc"), "where": CLASSES})
    found = read_split(split, "mine: split train", {"text": "text", "label": "where"}, CLASSES, "train")
    assert found["label"].tolist() == CLASSES and found["where"][1] == "mine: split train, row 1"
