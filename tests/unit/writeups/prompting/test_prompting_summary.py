"""Summaries of prompts: the numbers are scikit-learn's and scipy's, and what was put in is found."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr
from sklearn.metrics import classification_report

from emoscope.storage.files import write_json
from emoscope.writeups.prompting import page as prompting_report
from emoscope.writeups.prompting.summarise import report_values, summarise_prompting, weighted_correlations

CLASSES = ["anger", "joy", "trust"]
AVERAGES = ["micro avg", "macro avg", "weighted avg", "samples avg"]
tables = arrays(bool, (12, 3))


@given(tables, tables)
def test_reports_are_scikit_learns(truth, predicted):
    expected = classification_report(truth, predicted, target_names=CLASSES, output_dict=True, zero_division=0)
    found = report_values(truth, predicted, np.ones(12))
    for name, row in zip(CLASSES + AVERAGES, found, strict=True):
        wanted = [expected[name][measure] for measure in ("precision", "recall", "f1-score")]
        assert row == pytest.approx(wanted), name


@given(tables, tables, arrays(int, 12, elements=st.integers(0, 3)).filter(lambda weights: weights.sum() > 0))
def test_a_weight_counts_as_so_many_copies(truth, predicted, weights):
    copies = [np.repeat(values, weights, axis=0) for values in (truth, predicted)]
    found = report_values(truth, predicted, weights.astype(float))
    assert found == pytest.approx(report_values(*copies, np.ones(weights.sum())))


def test_correlations_are_scipys_and_nan_without_spread():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 3))
    y[:, 2] = 1
    found = weighted_correlations(x, y, np.ones(30))
    assert found[1, 0] == pytest.approx(pearsonr(x[:, 1], y[:, 0]).statistic)
    assert np.isnan(found[:, 2]).all()


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    """Two tasks of 80 texts: the prompts of `mood` answer by the truth, with some noise; so do those of `size`."""
    folder, rng = tmp_path_factory.mktemp("prompting"), np.random.default_rng(0)
    joy, fear = rng.random(80) < 0.5, rng.random(80) < 0.3
    good = joy & ~fear
    known = {
        "mood": ("multiple", ["joy", "fear"], np.column_stack([joy, fear]), "joy"),
        "view": ("single", ["bad", "good"], np.column_stack([~good, good]), None),
    }
    scores = []
    for texts, (kind, classes, truth, alone) in known.items():
        table = pd.DataFrame({"id": range(80), "text": [f"text {row}" for row in range(80)]})
        table[[f"is_{name}" for name in classes]] = truth.astype("int8")
        table[["planted_joy", "planted_fear", "planted_good"]] = np.column_stack([joy, fear, good]).astype(float)
        table.to_parquet(folder / f"{texts}.parquet")
        rates = dict(zip(classes, truth.mean(axis=0).tolist(), strict=True))
        about = {
            "name": texts,
            "kind": kind,
            "classes": classes,
            "alone": alone,
            "source": "generated",
            "revision": None,
        }
        write_json(
            about | {"train_rows": 9, "test_rows": 80, "train_rates": rates, "leaked_test_rows": 0},
            folder / f"{texts}.json",
        )
        pd.DataFrame({"label": "all", "epoch": [1, 2], "loss": [0.9, 0.5], "seconds": [1, 2]}).to_csv(
            folder / f"{texts}.csv"
        )
        asked = [(task, "all", names, values) for task, (_, names, values, _) in known.items()]
        asked.append(("mood", "joy", ["not joy", "joy"], np.column_stack([~joy, joy])))
        for task, label, names, values in asked:
            logits = 4.0 * values - 2 + rng.normal(size=values.shape) * (0.5 if label == "joy" else 1.5)
            scores.append(pd.DataFrame({
                "texts": texts, "id": np.repeat(range(80), 2), "task": task, "label": label, "epochs": 2,
                "class": np.tile(names, 80), "logit": logits.ravel(),
            }))  # fmt: skip
    pd.concat(scores).to_parquet(folder / "scores.parquet")
    pd.DataFrame({
        "texts": "mood", "id": 0, "check": ["composite head", "explicit positions", "implicit positions"],
        "moved": [1e-6, 2e-6, 0.7], "flipped": [False, False, True],
    }).to_parquet(folder / "checks.parquet")  # fmt: skip
    names = ("reports.parquet", "correlations.parquet", "alone.parquet", "history.csv", "tasks.json", "findings.csv")
    outputs = {name.split(".")[0]: folder / f"out_{name}" for name in names}
    lists = {key: [folder / f"{task}.{end}" for task in known] for key, end in
             {"tests": "parquet", "about": "json", "histories": "csv"}.items()}  # fmt: skip
    statistics = {"resamples": 200, "confidence": 0.95, "margin": 0.02, "seed": 0}
    summarise_prompting(folder / "scores.parquet", folder / "checks.parquet", statistics=statistics, **lists, **outputs)
    return outputs


def test_findings_hold_every_number_with_its_interval(summary):
    found = pd.read_csv(summary["findings"]).set_index("name")
    assert not found.index.duplicated().any()
    for name in ("view.2.accuracy", "mood.2.f1.micro_avg", "mood.2.pearson.prediction.joy",
                 "mood.by_view.2.pearson.score.joy.good", "view.by_mood.2.pearson.score.good.fear"):  # fmt: skip
        row = found.loc[name]
        assert row["low"] <= row["value"] <= row["high"], name
        assert row["high"] - row["low"] < 0.6, name
    assert found.loc["view.by_mood.2.pearson.score.good.joy", "low"] > 0
    assert found.loc["view.by_mood.2.pearson.score.good.fear", "high"] < 0
    assert found.loc["mood.joy_alone.2.pearson.difference", "high"] < 0  # its own prompt has less noise
    assert found.loc["composite_head.moved", "value"] == pytest.approx(1e-6)
    assert found.loc["implicit_positions.flipped", "value"] == 1


def test_the_planted_cross_task_correlations_are_held_against_what_was_found(summary):
    related = pd.read_parquet(summary["correlations"])
    settings = {"prompting": {"epochs": [2], "tokens": 5}}
    box = prompting_report.controls(related, settings)
    assert "joy go with good sentiment and fear with bad" in box
    assert box.count("badge good") == 2
    flipped = related.assign(planted=-related["planted"])
    assert "badge bad" in prompting_report.controls(flipped, settings)
