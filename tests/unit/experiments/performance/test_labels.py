"""The metrics of several labels a text, with scikit-learn as oracle, and what they are held against."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn import metrics as oracle

from emoscope.experiments.performance.baselines import predict_baselines
from emoscope.experiments.performance.beside import on_equal_terms
from emoscope.experiments.performance.labels import f1_beside, label_statistic
from emoscope.experiments.performance.summarise import evaluate, metrics
from emoscope.models.logits import prediction_table
from emoscope.reporting.findings import read_findings
from emoscope.storage.decisions import as_column
from emoscope.storage.files import read_json, write_table

CLASSES = ["glad", "sad", "mad", "odd"]
ROWS = 300
OPTIONS = {"alpha": 0.05, "resamples": 200, "seed": 0}
LEAST = np.array([0.5, 0.4, 0.6, 0.5], dtype=np.float32)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Predictions that are often right, of labels of unequal frequency."""
    rng = np.random.default_rng(0)
    truth = rng.random((ROWS, 4)) < [0.5, 0.3, 0.2, 0.05]
    logits = (rng.normal(scale=1.5, size=(ROWS, 4)) + np.where(truth, 1.5, -1.5)).astype("float32")
    texts = pd.DataFrame(
        {"id": range(ROWS), "labels": as_column(truth), "text": [f"text {n % 280}" for n in range(ROWS)]}
    )
    return prediction_table(texts, logits, CLASSES, LEAST).assign(text=texts["text"])


def matrices(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth, given = (np.array([[k in own for k in range(4)] for own in table[name]]) for name in ("labels", "pred"))
    return truth, given, table.filter(regex="^p_").to_numpy()


def test_metrics_are_scikit_learns(table):
    truth, given, scores = matrices(table)
    np.testing.assert_array_equal(given, scores >= LEAST)
    found = metrics(table, CLASSES, **OPTIONS)
    wanted = {
        "accuracy": oracle.accuracy_score(truth, given),
        "hamming_loss": oracle.hamming_loss(truth, given),
        "auc_ovr": oracle.roc_auc_score(truth, scores),
        "average_precision": oracle.average_precision_score(truth, scores),
    }
    for average in ("micro", "macro"):
        wanted[f"{average}_f1"] = oracle.f1_score(truth, given, average=average)
        wanted[f"{average}_precision"] = oracle.precision_score(truth, given, average=average)
        wanted[f"{average}_recall"] = oracle.recall_score(truth, given, average=average)
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)
    for k, name in enumerate(CLASSES):
        own = found["per_class"][name]
        assert own["rows"] == truth[:, k].sum()
        assert own["precision"] == pytest.approx(oracle.precision_score(truth[:, k], given[:, k]))
        assert own["recall"] == pytest.approx(oracle.recall_score(truth[:, k], given[:, k]))
        assert own["f1"] == pytest.approx(oracle.f1_score(truth[:, k], given[:, k]))
        assert own["auc"] == pytest.approx(oracle.roc_auc_score(truth[:, k], scores[:, k]))
        assert own["average_precision"] == pytest.approx(oracle.average_precision_score(truth[:, k], scores[:, k]))
    assert found["given"] == [[int((truth[:, i] & given[:, j]).sum()) for j in range(4)] for i in range(4)]
    assert "confusion" not in found
    for name, value in wanted.items():
        low, high = found[f"{name}_interval"]
        assert low < value < high, name


def test_the_share_of_right_answers_is_held_against_the_confidence_in_the_whole_answer(table):
    found = metrics(table, CLASSES, **OPTIONS)["calibration"]
    assert sum(bin["rows"] for bin in found) == ROWS
    truth, given, scores = matrices(table)
    confidence = np.where(given, scores, 1 - scores).prod(axis=1)
    top = confidence >= np.floor(confidence.max() * 10) / 10
    assert found[-1]["rows"] == top.sum()
    assert found[-1]["accuracy"] == pytest.approx((truth == given).all(axis=1)[top].mean())


def test_weights_count_rows_over_again(table):
    truth, given, scores = matrices(table)
    weights = np.random.default_rng(1).integers(0, 3, ROWS)
    drawn = np.repeat(np.arange(ROWS), weights)
    found = label_statistic(truth, given, scores)(weights.astype(float))
    again = label_statistic(truth[drawn], given[drawn], scores[drawn])(np.ones(len(drawn)))
    np.testing.assert_allclose(found, again)


def test_f1_is_the_models_minus_the_baselines(table):
    truth, given, _ = matrices(table)
    other = np.roll(given, 1, axis=0)
    found = f1_beside(truth, given, other, np.arange(ROWS), **OPTIONS)
    for average in ("micro", "macro"):
        theirs = oracle.f1_score(truth, other, average=average)
        ours = oracle.f1_score(truth, given, average=average)
        assert found[f"{average}_f1"][0] == pytest.approx(theirs)
        value, low, high = found[f"{average}_f1_difference"]
        assert value == pytest.approx(ours - theirs) and 0 < low < value < high


def test_baselines_give_sets_of_labels(tmp_path):
    words = {0: "happy", 1: "tearful", 2: "furious"}
    labels = [[0], [1], [0, 1], [2], []] * 12 + [[0, 1]] * 6
    texts = [" ".join(["so", *(words[k] for k in own), str(n % 7)]) for n, own in enumerate(labels)]
    table = pd.DataFrame({"id": range(len(labels)), "text": texts, "labels": labels})
    asked = table[:5].assign(id=range(100, 105))
    found = predicted(tmp_path, table, table[:0], asked.assign(labels=[[2]] * 5))
    assert set(found.index.levels[0]) == {"words", "constant", "every_label"}, "no validation part, no thresholds"
    assert [list(own) for own in found["words"]] == labels[:5]
    assert [list(own) for own in found["constant"]] == [[0, 1]] * 5, "the most frequent set"
    assert [list(own) for own in found["every_label"]] == [[0, 1, 2]] * 5
    assert found["words"].index.tolist() == asked["id"].tolist()


def predicted(folder, train: pd.DataFrame, validation: pd.DataFrame, test: pd.DataFrame) -> pd.Series:
    """What the baselines give to the test texts, by method and id."""
    parts = {"train": train, "validation": validation, "test": test}
    for name, part in parts.items():
        write_table(part, folder / f"{name}.parquet")
    (folder / "corpus.json").write_text(json.dumps({"classes": CLASSES[:3]}))
    files = (folder / f"{name}.parquet" for name in parts)
    predict_baselines(*files, folder / "corpus.json", folder / "baselines.parquet")
    return pd.read_parquet(folder / "baselines.parquet").set_index(["method", "id"])["pred"]


def test_the_bag_of_words_gets_thresholds_chosen_as_the_models_are(tmp_path):
    """A label of one text in four behind its word: never more likely than not, yet best given from there on."""
    texts = [f"{word} {n % 9}" for n in range(90) for word in ("odd", "even")]
    labels = [[0] if word.startswith("odd") and n % 4 == 0 else [1] for n, word in enumerate(texts)]
    table = pd.DataFrame({"id": range(180), "text": texts, "labels": labels})
    test = table[:20].assign(id=range(200, 220), labels=[[2]] * 20)
    found = predicted(
        tmp_path, table, table[100:].assign(labels=[[0] if "odd" in text else [1] for text in texts[100:]]), test
    )
    odd = np.array(["odd" in text for text in test["text"]])
    assert not any(0 in own for own in found["words"])
    np.testing.assert_array_equal([0 in own for own in found["words_chosen"]], odd)
    lied = predicted(tmp_path, table, table[100:].assign(labels=[[2]] * 80), test)
    assert not any(0 in own for own in lied["words_chosen"]), "chosen on the validation part and nothing else"


def test_a_run_is_held_against_a_bag_of_words_with_thresholds_like_its_own(tmp_path):
    rows = [("words", [0]), ("words_chosen", [1]), ("constant", [2])]
    table = pd.DataFrame([{"id": 7, "method": method, "pred": pred} for method, pred in rows])
    for chosen, wanted in (("config", [0]), ("validation", [1])):
        (tmp_path / "thresholds.json").write_text(json.dumps({"chosen": chosen}))
        found = on_equal_terms(table, [tmp_path / "thresholds.json"])
        assert {method: pred.to_dict() for method, pred in found.items()} == {
            "words": {7: wanted},
            "constant": {7: [2]},
        }
    assert set(on_equal_terms(table[table["method"] != "words_chosen"], [])) == {"words", "constant"}


def test_everything_is_written_with_findings(tmp_path, table):
    train, test = table[:200], table[200:]
    for name, part in {"train": train, "test": test}.items():
        write_table(part[["id", "text", "labels"]], tmp_path / f"{name}.parquet")
    write_table(table.drop(columns="text"), tmp_path / "predictions.parquet")
    rows = [test[["id"]].assign(method=method, pred=pred) for method, pred in
            (("words", test["labels"]), ("constant", [[0]] * len(test)))]  # fmt: skip
    write_table(pd.concat(rows), tmp_path / "baselines.parquet")
    about = {"classes": CLASSES, "rows": ROWS, "duplicate_rows": 20, "class_counts": dict.fromkeys(CLASSES, 5)}
    (tmp_path / "corpus.json").write_text(json.dumps(about | {"multilabel": True}))
    statistics = {"confidence": 0.95, "resamples": 200, "seed": 0, "margin": 0.02}
    write_table(train[:0][["id", "text", "labels"]], tmp_path / "validation.parquet")
    parts = [tmp_path / f"{name}.parquet" for name in ("baselines", "train", "validation", "test")]
    files = [*parts, tmp_path / "corpus.json"]
    evaluate(
        [tmp_path / "predictions.parquet"], *files, [], statistics, tmp_path / "metrics.json", tmp_path / "findings.csv"
    )
    found = read_json(tmp_path / "metrics.json")
    words = found["baselines"]["words"]["all"]
    assert words["accuracy"] == words["macro_f1"] == words["micro_f1"] == 1
    assert words["difference"] < 0 and words["macro_f1_difference"] == pytest.approx(
        found["test"]["all"]["macro_f1"] - 1
    )
    quoted = read_findings(tmp_path / "findings.csv")
    for name in ("macro_f1", "micro_f1", "average_precision", "hamming_loss"):
        assert quoted[f"{name}.test"].value == pytest.approx(found["test"]["all"][name])
    assert quoted["macro_f1.above_words"].value == pytest.approx(words["macro_f1_difference"])
    assert "exact" in quoted["accuracy.test"].note


def test_sigmoid_and_not_softmax_stands_in_the_table():
    logits = np.array([[2.0, 1.0, 0.0, -1.0]], dtype=np.float32)
    found = prediction_table(pd.DataFrame({"id": [0], "labels": [[0]]}), logits, CLASSES, LEAST)
    np.testing.assert_allclose(found.filter(regex="^p_").to_numpy(), expit(logits))
