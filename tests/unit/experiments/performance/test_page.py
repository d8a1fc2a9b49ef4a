"""The performance page: every number has its interval."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.performance import page as performance_report
from emoscope.experiments.performance.summarise import metrics
from made_up import words


def test_every_metric_on_the_page_has_its_interval():
    label = np.arange(60) % 3
    pred = np.where(np.arange(60) % 7 == 0, 0, label)
    scores = {f"p_{name}": np.where(pred == k, 0.8, 0.1) for k, name in enumerate("abc")}
    table = pd.DataFrame({"text": map(str, range(60)), "label": label, "pred": pred, "confidence": 0.8} | scores)
    found = metrics(table, list("abc"), alpha=0.05, resamples=100, seed=0)
    published = pd.DataFrame({"metric": [f"{a}_{b}" for a in ("train", "test") for b in ("accuracy", "auc_ovr")]})
    sets = {part: {"all": found, "distinct": found} for part in ("train", "test")}
    page = performance_report.main_table(sets, published.assign(paper_text=0.9))
    assert page.count('class="interval"') == 4 * 3 and "100 resamples" in page
    counts = pd.DataFrame({"label": list("abc"), "rows": 20})
    assert performance_report.per_class(found, dict.fromkeys("abc", 20), counts).count('class="interval"') == 3 * 4
    assert 'class="interval"' in performance_report.calibration(found)
    assert 'class="interval"' in performance_report.confusions(found, 0.05)
    per_class = {name: {"rows": rows, "trials": rows} for name, rows in (("a", 50), ("b", 40))}
    right = performance_report.confusions({"confusion": [[50, 0], [0, 40]], "per_class": per_class}, 0.05)
    assert right == "<p>No text is taken for one of another class.</p>"


def accuracies(low: float | None = 0.7, high: float | None = 0.9) -> tuple[dict, dict]:
    """An audit, and metrics that are all alike, with this interval."""
    rows = {"accuracy": 0.8, "accuracy_interval": [low, high]}
    kinds = {"all": rows, "distinct": rows}
    names = ("test_minus_distinct", "train_minus_test", "train_minus_test_distinct")
    audit = dict.fromkeys(["duplicate_rows", "conflicting_texts", "leaked_test_rows", "test_rows"], 1)
    audit |= {"rows": 10, "leaked_share": 0.1}
    found = {"test": kinds, "train": kinds, "differences": dict.fromkeys(names, rows), "leaked": {"other_label": 7}}
    return audit, found


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.02, "On its training texts it is better than on test texts, by"),
        (-0.02, -0.01, "On its training texts it is worse than on test texts, by"),
        (-0.012, 0.004, "it is not shown to be better or worse than on test texts (a difference of"),
        (None, None, "it is not shown to be better or worse than on test texts (a difference of"),
    ],
)
def test_training_texts_are_easier_only_where_it_is_shown(low, high, said):
    assert said in words(performance_report.leak(*accuracies(low, high), adopted=False))


def test_of_a_classifier_trained_elsewhere_nothing_is_said_of_what_it_saw():
    audit, found = accuracies()
    here, elsewhere = (performance_report.leak(audit, found, adopted) for adopted in (False, True))
    assert "has not seen" in here and "its training texts" in here
    assert "has not seen" not in elsewhere and "its training texts" not in elsewhere and "is not known" in elsewhere
    for told in (here, elsewhere):
        assert "7 of these rows are labelled otherwise" in told and "is not what the leak alone does" in told
        assert "makes a difference" not in told and "validation" not in told
    held = performance_report.leak(audit | {"validation_rows_in_test": 2}, found, False)
    assert "Left out, too, are the test texts that stand in the validation part." in held


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "none of its texts stands in either"),
        (
            {"validation_rows_in_test": 2},
            "of the 9 validation texts, 0 stand in the training set as well, 2 in the test",
        ),
        ({"validation_rows_in_train": 1}, "1 stands in the training set as well, 0 in the test set"),
    ],
)
def test_of_the_validation_part_no_more_is_said_than_is_so(counts, said):
    audit = {"validation_rows": 9} | counts
    judged = {"texts": 9, "kept_epoch": 2.0, "loss": [{"epoch": 1.0, "loss": 0.5}, {"epoch": 2.0, "loss": 0.4}]}
    history = {"tokens_per_epoch": 9, "resumed_from_step": 0, "steps": 3, "seconds": 1, "device": "cpu"}
    history |= {"precision": "fp32", "texts_cut": 0, "validation": judged, "loss": [{"loss": 1.0}, {"loss": 0.5}]}
    shown = [
        performance_report.thresholds({"chosen": "validation", "texts": 9}, audit),
        performance_report.training(history, audit, {"run": {"training": {"epochs": 2}}}),
    ]
    for part in map(words, shown):
        assert said in part
        assert ("none of its texts" in part) == (not counts)


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([1.5], "The loss was 1.500 in 1 step, at"),
        ([1.5, 1.25], "The loss fell from 1.500 to 1.250 in 2 steps"),
        ([1.0, 0.5, 1.5], "The loss went from 1.000 to 1.500 in 3 steps"),
    ],
)
def test_the_loss_of_however_few_steps_is_told(losses, said):
    history = {"tokens_per_epoch": 9, "resumed_from_step": 0, "steps": len(losses), "seconds": 1, "device": "cpu"}
    history |= {"precision": "fp32", "texts_cut": 0, "loss": [{"loss": loss} for loss in losses]}
    assert said in words(performance_report.training(history, {}, {"run": {"training": {"epochs": 1}}}))


def test_the_headline_of_several_labels_names_the_cheapest_answers_of_each_kind():
    rows = {name: 0.5 for name in ("accuracy", "macro_f1", "micro_f1")}
    rows |= {f"{name}_interval": [0.4, 0.6] for name in list(rows)}
    cheap = {method: {"all": rows | {"macro_f1": value}} for method, value in
             (("words", 0.31), ("constant", 0.02), ("every_label", 0.07))}  # fmt: skip
    told = words(performance_report.main_result({"test": {"all": rows}, "baselines": cheap}, {}, pd.DataFrame()))
    assert "a macro F1 of 0.310; every label, given to every text, 0.070; the most frequent set of labels 0.020" in told


@pytest.mark.parametrize(("chosen", "said"), [("validation", "as the model does"), ("config", "more likely than not")])
def test_it_is_said_how_the_bag_of_words_decides(chosen, said):
    rows = {"macro_f1": 0.5, "macro_f1_interval": [0.4, 0.6]}
    found = {"baselines": {"every_label": {"all": rows, "distinct": rows}}}
    told = words(performance_report.label_baselines(found, {"chosen": chosen}))
    assert said in told


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (0, "Every text fits into its context."),
        (1, "Of the 1,200 texts tried, 1 text does not fit into its context and loses its end."),
        (30, "Of the 1,200 texts tried, 30 texts do not fit into its context and lose their ends."),
    ],
)
def test_of_a_classifier_trained_elsewhere_it_is_told_how_many_texts_are_cut(cut, said):
    settings = {
        "model": {"path": "mine", "blocks": 3},
        "corpus": {"source": "csv"},
        "run": {"training": "none", "corpus": "c"},
    }
    audit = {"rows": 1200, "source": "c.csv", "class_counts": {"joy": 600, "anger": 600}}
    history = {"trained": "elsewhere", "unknown": ["how"], "parameters": 9, "texts": 1200, "texts_cut": cut}
    published = pd.DataFrame({"metric": ["epochs", "training_hours"], "paper_text": 2})
    assert said in words(performance_report.setting(audit, history, settings, published))
