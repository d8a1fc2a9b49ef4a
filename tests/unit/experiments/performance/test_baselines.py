"""The cheapest classifiers of a corpus: what they learn from, and what they are held against."""

import json

import numpy as np
import pandas as pd
import pytest

from emoscope.data.paper import PAPER, SPLIT
from emoscope.experiments.performance import page
from emoscope.experiments.performance.baselines import predict_baselines
from emoscope.experiments.performance.beside import beside_baseline
from emoscope.experiments.performance.findings import baseline_findings
from emoscope.experiments.performance.summarise import evaluate, leaked
from emoscope.reporting.findings import read_findings
from emoscope.storage.files import read_json

WORDS = {"joy": "happy", "fear": "afraid", "love": "dear"}
CLASSES = list(WORDS)


def texts_of(labels: list[int], first: int = 0) -> pd.DataFrame:
    texts = [f"so {WORDS[CLASSES[label]]} today {n % 7}" for n, label in enumerate(labels)]
    return pd.DataFrame({"id": range(first, first + len(labels)), "text": texts, "label": labels})


def predicted(folder, train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    train.to_parquet(folder / "train.parquet")
    train[:0].to_parquet(folder / "validation.parquet")
    test.to_parquet(folder / "test.parquet")
    about = {"classes": CLASSES, "rows": 60, "duplicate_rows": 3, "class_counts": dict.fromkeys(CLASSES, 20)}
    (folder / "corpus.json").write_text(json.dumps(about))
    parts = (folder / f"{name}.parquet" for name in ("train", "validation", "test"))
    predict_baselines(*parts, folder / "corpus.json", folder / "baselines.parquet")
    return pd.read_parquet(folder / "baselines.parquet")


TRAIN, TEST = [0, 1, 2, 2] * 10, [2, 0, 1, 1]


def test_baselines_learn_from_the_training_texts_alone(tmp_path):
    found = predicted(tmp_path, texts_of(TRAIN), texts_of(TEST, first=40)).set_index(["method", "id"])["pred"]
    assert found["words"].to_dict() == {40: 2, 41: 0, 42: 1, 43: 1}, "classes keep their order"
    assert found["constant"].tolist() == [2] * 4, "most frequent in training, not among these texts"
    lied = texts_of(TEST, first=40).assign(label=0)
    other = predicted(tmp_path, texts_of(TRAIN), lied).set_index(["method", "id"])["pred"]
    assert other.equals(found), "the test labels leak"


def test_a_class_without_a_training_text_is_never_predicted(tmp_path):
    found = predicted(tmp_path, texts_of([0, 1] * 10), texts_of([2, 0]))
    assert found[found["method"] == "words"]["pred"].isin([0, 1]).all()


def judged(label, pred, other, texts=None) -> dict:
    ids = range(len(label))
    table = pd.DataFrame({"id": ids, "label": label, "pred": pred, "text": texts or [f"text {n}" for n in ids]})
    shuffled = pd.Series(other, index=pd.Index(ids, name="id")).sample(frac=1, random_state=0)
    return beside_baseline(table, shuffled, 0.05)


def test_the_difference_is_model_minus_baseline_row_by_row():
    label = np.arange(60) % 3
    model, baseline = label.copy(), label.copy()
    model[:3] += 1
    baseline[:15] += 1
    found = judged(label, model, baseline)
    assert found["accuracy"] == 0.75 and found["rows"] == 60
    assert found["difference"] == pytest.approx(0.2)
    low, high = found["difference_interval"]
    assert 0.08 < low < 0.2 < high < 0.33
    turned = judged(label, baseline, model)
    assert turned["difference"] == pytest.approx(-0.2) and turned["accuracy"] == pytest.approx(0.95)


def test_repeated_texts_count_once():
    label = np.arange(30) % 3
    baseline = label.copy()
    baseline[:10] += 1
    once = judged(label, label, baseline)
    ids = np.repeat(np.arange(30), 3)
    thrice = judged(label[ids], label[ids], baseline[ids], texts=[f"text {n}" for n in ids])
    for name in ("accuracy_interval", "difference_interval"):
        assert thrice[name] == pytest.approx(once[name], abs=0.02), name


def test_a_text_that_stands_very_often_makes_no_accuracy_sure():
    label, baseline = np.zeros(200, dtype=int), np.array([0] * 150 + [1] * 50)
    found = judged(label, label, baseline, texts=["ok"] * 100 + [f"text {n}" for n in range(100)])
    assert (found["accuracy"], found["difference"]) == (0.75, 0.25)
    for name in ("accuracy_interval", "difference_interval"):
        assert found[name][1] - found[name][0] > 0.4, name


def test_no_text_tells_nothing():
    assert np.isnan(judged([], [], [])["difference"])


@pytest.fixture
def evaluated(tmp_path) -> tuple[dict, dict]:
    """A model that is right of all test texts but one; one of the four test rows leaks from training."""
    return with_parts(tmp_path, texts_of(TRAIN)[:0])


def with_parts(tmp_path, validation: pd.DataFrame) -> tuple[dict, dict]:
    train, test = texts_of(TRAIN), texts_of(TEST, first=40).assign(text=lambda rows: rows["text"] + " again")
    test.loc[0, "text"] = train["text"].iloc[2].upper()
    predicted(tmp_path, train, test)
    validation.to_parquet(tmp_path / "validation.parquet")
    both = pd.concat([train, test])
    pred = both["label"].where(both["id"] != 43, 0)
    scores = {f"p_{name}": np.where(pred == k, 0.8, 0.1) for k, name in enumerate(CLASSES)}
    both[["id", "label"]].assign(pred=pred, confidence=0.8, **scores).to_parquet(tmp_path / "predictions.parquet")
    evaluate(
        [tmp_path / "predictions.parquet"], tmp_path / "baselines.parquet", tmp_path / "train.parquet",
        tmp_path / "validation.parquet", tmp_path / "test.parquet", tmp_path / "corpus.json", [],
        {"seed": 0, "resamples": 50, "confidence": 0.95}, tmp_path / "metrics.json", tmp_path / "findings.csv",
    )  # fmt: skip
    return read_json(tmp_path / "metrics.json"), read_findings(tmp_path / "findings.csv")


def test_training_and_test_set_stay_apart(evaluated):
    metrics, findings = evaluated
    assert findings["accuracy.train"].value == 1 and findings["accuracy.test"].value == 0.75
    assert (metrics["train"]["all"]["rows"], metrics["test"]["all"]["rows"]) == (40, 4)
    assert metrics["test"]["distinct"]["rows"] == 3, "the text that leaks is left out"
    assert findings["accuracy.words"].value == 1 and findings["accuracy.above_words"].value == -0.25
    assert findings["accuracy.constant"].value == 0.25 and findings["accuracy.above_constant"].value == 0.5
    assert findings["accuracy.constant.distinct"].value == 0
    assert findings["accuracy.above_words.distinct"].value == pytest.approx(-1 / 3)
    assert findings["accuracy.above_words.distinct"].texts == 3


def test_texts_that_a_choice_was_made_on_are_not_new(tmp_path):
    validation = texts_of(TEST, first=80).assign(text=lambda rows: rows["text"] + " again")[1:2]
    metrics, _ = with_parts(tmp_path, validation)
    assert metrics["test"]["distinct"]["rows"] == 2, "one leaks from training, one stands in the validation part"


def test_leaked_rows_with_another_label_are_counted():
    train = pd.DataFrame({"text": ["a b", "a b", "c", "d"], "label": [0, 1, 0, 0]})
    test = pd.DataFrame({"text": ["A  B", "a b", "c ", "e"], "label": [1, 2, 1, 0]})
    assert leaked(train, test) == {"rows": 3, "other_label": 2}
    several = [part.assign(labels=[[k] for k in part["label"]]).drop(columns="label") for part in (train, test)]
    assert leaked(*several) == {"rows": 3, "other_label": 2}


def test_the_confusion_matrix_has_true_classes_in_rows(evaluated):
    metrics, _ = evaluated
    assert metrics["test"]["all"]["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 1]], "a fear was taken for joy"
    per_class = metrics["test"]["all"]["per_class"]
    assert (per_class["fear"]["recall"], per_class["joy"]["precision"]) == (0.5, 0.5)
    assert (per_class["fear"]["precision"], per_class["joy"]["recall"]) == (1, 1)


def test_the_page_says_which_does_better(evaluated):
    metrics, _ = evaluated
    published = pd.DataFrame({"metric": ["test_accuracy"], "paper_text": [0.937]})
    own = {"corpus": {"source": "csv"}, "model": {"source": "scratch"}, "run": {"training": "none"}}
    paper = {**PAPER["corpus"], "split": SPLIT}
    for corpus, ending in ((own["corpus"], "."), (paper, "; the paper reports 0.937.")):
        said = " ".join(page.main_result(metrics, own | {"corpus": corpus}, published).split())
        assert said.endswith(f"a bag of words reaches 1.000, the most frequent class 0.250{ending}</p>")
    table = page.baseline_table(metrics)
    assert table.count("a bag of words") == 2 and table.count("the most frequent class") == 2

    def reading(low: float | None, high: float | None, adopted: bool = False) -> str:
        rows = {"accuracy": 0.8, "accuracy_interval": [0.7, 0.9], "difference": 0.0}
        found = {"words": {"distinct": rows | {"difference_interval": [low, high]}}}
        return page.baseline_reading({"baselines": found}, adopted)

    assert "the model does better" in reading(0.1, 0.2)
    assert "the model does worse" in reading(-0.2, -0.1)
    assert "cannot tell" in reading(-0.1, 0.1) and "that neither has seen its" in reading(-0.1, 0.1)
    assert "neither has seen" not in reading(-0.1, 0.1, adopted=True)
    assert "No test text is new to both" in reading(None, None) and "cannot tell" not in reading(None, None)


def test_findings_of_baselines_are_named_by_method_and_set():
    rows = {
        "accuracy": 0.8,
        "accuracy_interval": [0.7, 0.9],
        "difference": 0.1,
        "difference_interval": [0, 0.2],
        "rows": 9,
    }
    fresh = rows | {"accuracy": None, "accuracy_interval": [None, None], "difference": 0.3}
    found = {finding.name: finding for finding in baseline_findings({"words": {"all": rows, "distinct": fresh}}, 0.05)}
    assert list(found) == [
        "accuracy.words", "accuracy.above_words", "accuracy.words.distinct", "accuracy.above_words.distinct",
    ]  # fmt: skip
    assert np.isnan(found["accuracy.words.distinct"].value) and found["accuracy.above_words.distinct"].value == 0.3
    assert found["accuracy.above_words"][1:4] == (0.1, 0, 0.2)
