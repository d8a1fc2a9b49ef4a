"""The prompting page holds planted correlations against those that were found."""

import pandas as pd
from bs4 import BeautifulSoup
from scipy import stats

from emoscope.reporting.notebook import load
from emoscope.storage.files import read_json, write_csv
from emoscope.writeups.prompting import page as prompting_report
from made_up import words


def test_the_planted_cross_task_correlations_are_held_against_what_was_found(summary):
    related = pd.read_parquet(summary["correlations"])
    box = prompting_report.controls(related)
    assert "joy go with good sentiment and fear with bad" in box
    assert box.count("badge good") == 2
    flipped = related.assign(planted=-related["planted"])
    assert "badge bad" in prompting_report.controls(flipped)


SETTINGS = {"prompting": {"epochs": [2], "tokens": 5}}


def test_the_headline_puts_the_cheapest_classifiers_beside_the_prompts(summary):
    reports, compared = (pd.read_parquet(summary[name]) for name in ("reports", "compared"))
    said = words(prompting_report.main_result(reports, compared, read_json(summary["tasks"]), SETTINGS))
    cheap = compared.set_index(["task", "method", "row"])["value"]
    assert "5 learned tokens and a linear head, trained for 2 epochs" in said
    assert f"(a bag of words {cheap['view', 'words', 'all']:.3f}" in said
    assert f"a linear probe {cheap['mood', 'probe', 'micro avg']:.3f}, one answer for all texts" in said
    accuracy = reports.query("task == 'view' and measure == 'accuracy'")["value"].item()
    assert f"an accuracy of {accuracy:.3f} [" in said and "] on view (a bag of words" in said and said.endswith(").")


def test_every_cheap_classifier_is_judged_by_its_interval(summary):
    compared, tasks = pd.read_parquet(summary["compared"]), read_json(summary["tasks"])
    bounds = {"constant": (0.1, 0.3), "words": (-0.1, 0.1), "probe": (-0.3, -0.1), "random probe": (0.1, 0.3)}
    columns = ["difference", "difference_low", "difference_high"]
    for method, (low, high) in bounds.items():
        compared.loc[compared["method"] == method, columns] = (low + high) / 2, low, high
    said = words(prompting_report.baseline_reading(compared, tasks, 0.05))
    for name in ("mood", "view"):
        assert f"{name}: the prompt does better than one answer for all texts and a probe of random weights;" in said
    assert "the prompt does worse than a linear probe; 80 test texts cannot tell it from a bag of words;" in said
    lost = 0.1 * (stats.norm.isf(0.025 / 8) + stats.norm.isf(0.2)) / stats.norm.isf(0.025)  # of eight comparisons
    assert f"differences below {lost:.3f} may well stay hidden, if there is no other." in said
    better = compared.assign(difference=0.15, difference_low=0.1, difference_high=0.2)
    better = words(prompting_report.baseline_reading(better, tasks, 0.05))
    assert "cannot tell" not in better and "worse than" not in better


def test_a_cheap_classifier_is_named_only_if_the_difference_holds_among_all_that_are_compared(summary):
    """Two tasks with four classifiers each: eight differences, of which one leaves zero out by little."""
    compared, tasks = pd.read_parquet(summary["compared"]), read_json(summary["tasks"])
    compared = compared.assign(difference=0.0, difference_low=-0.2, difference_high=0.2, detectable=0.3)
    one = (compared["task"] == "view") & (compared["method"] == "words")
    compared.loc[one, ["difference", "difference_low", "difference_high"]] = 0.2, 0.02, 0.38
    said = words(prompting_report.baseline_reading(compared, tasks, 0.05))
    assert "does better than" not in said and "(Holm)" in said
    without = compared.assign(difference=0.4, difference_low=float("nan"), difference_high=float("nan"))
    assert "does better than" not in words(prompting_report.baseline_reading(without, tasks, 0.05)), "too few texts"
    unknown = words(prompting_report.baseline_reading(without.assign(detectable=float("nan")), tasks, 0.05))
    assert "cannot tell" in unknown and "n/a" not in unknown and "differences below" not in unknown
    compared.loc[one, "difference_low"] = 0.1
    said = words(prompting_report.baseline_reading(compared, tasks, 0.05))
    assert "view: the prompt does better than a bag of words;" in said and said.count("does better than") == 1


def test_a_label_called_none_keeps_its_curve(tmp_path):
    rows = [("all", 1, 0.5, "hate"), ("None", 1, 0.4, "hate")]
    write_csv(pd.DataFrame(rows, columns=["label", "epoch", "loss", "task"]), tmp_path / "history.csv")
    read = load({"history": str(tmp_path / "history.csv")}).history
    assert prompting_report.losses(read)["training"].tolist() == ["hate", "hate, None alone"]


def test_a_label_alone_is_judged_without_a_threshold_and_its_other_loss_is_said(summary):
    """A joint prompt with weighted positives and one without may differ by F1 and tell texts apart as well."""
    alone = pd.read_parquet(summary["alone"]).assign(low=0.1, high=0.2)
    alone.loc[alone["measure"] == "pearson", ["low", "high"]] = -0.2, -0.1
    said = words(prompting_report.alone_verdict(alone))
    assert "different losses" in said and "on joy, the prompt of its own does better." in said
    alone.loc[alone["measure"] == "pearson", "high"] = 0.1
    assert "on joy, the test texts cannot tell which does better." in words(prompting_report.alone_verdict(alone))


def test_the_table_holds_prompt_and_classifier_of_one_training(summary):
    compared, reports = pd.read_parquet(summary["compared"]), pd.read_parquet(summary["reports"])
    soup = BeautifulSoup(prompting_report.baseline_table(compared, reports), "html.parser")
    rows = [[cell.get_text() for cell in line.select("td, th")] for line in soup.select("tbody tr")]
    assert len(rows) == 4 * (2 + 1)
    macro = next(row for row in rows if row[0] == "mood" and row[2] == "macro F1" and row[3] == "a bag of words")
    own = reports.query("task == 'mood' and row == 'macro avg' and measure == 'f1'")["value"].item()
    assert macro[1] == "2" and macro[5] == f"{own:.3f}"
    drawn = prompting_report.baseline_rows(compared)
    one = drawn[(drawn["name"] == "view, accuracy") & (drawn["series"] == "a linear probe")].iloc[0]
    expected = compared[(compared["task"] == "view") & (compared["method"] == "probe")].iloc[0]
    assert (one["value"], one["low"]) == (expected["difference"], expected["difference_low"])
