"""What the prompting page says: tables and sentences over the summaries of soft prompts."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import (
    cell,
    estimate,
    html_table,
    number,
    outcome,
    p_value,
    percent,
    planted_box,
    signed,
    unsigned,
)
from emoscope.reporting.passages import passage
from emoscope.statistics.equivalence import detectable_from_interval
from emoscope.storage.names import ALL
from emoscope.writeups.prompting.comparisons import told_apart
from emoscope.writeups.prompting.correlations import longest, planted_signs
from emoscope.writeups.prompting.reports import OVERALL, headline_score, of_training

say = partial(passage, "prompting")
CHECKS = {
    "composite head": "all prompts asked in one batch, through one head that joins theirs",
    "explicit positions": "beside the longest text of the set; the prompt follows its own text (ours)",
    "implicit positions": "beside the longest text of the set; the prompt follows the padding (the write-up's)",
}
METHODS = {
    "constant": "one answer for all texts",
    "words": "a bag of words",
    "probe": "a linear probe",
    "random probe": "a probe of random weights",
}
MEASURES = {"f1": "F1", "pearson": "Pearson correlation of the probability"}


def main_result(reports: pd.DataFrame, compared: pd.DataFrame, tasks: list[dict], settings: Mapping) -> Markup:
    """The headline: how right the longest training's prompts are, beside the cheapest classifiers."""
    prompting = settings["prompting"]
    epochs = max(prompting["epochs"])
    scores = [
        {
            "name": task["name"],
            "kind": task["kind"],
            "score": headline_score(reports, task, epochs),
            "beside": _beside(compared, task).to_dict("index"),
        }
        for task in tasks
    ]
    return say("main_result", tokens=prompting["tokens"], epochs=epochs, tasks=scores)


def baseline_table(compared: pd.DataFrame, reports: pd.DataFrame) -> Markup:
    """Every prompt's scores beside those of the cheapest classifiers."""
    prompts = reports.set_index(["task", "epochs", "row", "measure"])
    rows = [
        {
            "task": row["task"],
            "epochs": row["epochs"],
            "score": _score_name(row),
            "classifier": METHODS[row["method"]],
            "its score": cell(row, number),
            "prompt": number(prompts.loc[(row["task"], row["epochs"], row["row"], row["measure"]), "value"]),
            "prompt minus it": estimate(row["difference"], row["difference_low"], row["difference_high"]),
            "detectable": number(row["detectable"]),
        }
        for row in compared.sort_values(["task", "epochs"], kind="stable").to_dict("records")
    ]
    return html_table(rows, say("baseline_table"), text=("task", "score", "classifier"))


def baseline_rows(compared: pd.DataFrame) -> pd.DataFrame:
    """Prompt minus each cheap classifier after the longest training, as rows of a forest plot."""
    rows = longest(compared)
    scores = [_score_name(row) for row in rows.to_dict("records")]
    drawn = {"value": rows["difference"], "low": rows["difference_low"], "high": rows["difference_high"]}
    return pd.DataFrame({"name": rows["task"] + ", " + scores, "series": rows["method"].map(METHODS), **drawn})


def baseline_reading(compared: pd.DataFrame, tasks: list[dict], alpha: float) -> Markup:
    """What the test texts can tell of prompts and the cheapest classifiers, by the score that stands for a task."""
    beside, told = pd.concat([_beside(compared, task) for task in tasks]), []
    beside["told"] = told_apart(beside, alpha)
    ends = [beside[f"difference_{end}"].to_numpy() for end in ("low", "high")]
    beside["detectable"] = detectable_from_interval(*ends, alpha, tests=max(int(np.isfinite(ends[0]).sum()), 1))
    for task in tasks:
        rows = beside[beside["task"] == task["name"]]
        kinds = {kind: rows[rows["told"] == sign] for kind, sign in (("better", 1), ("worse", -1), ("open", 0))}
        names = {kind: [METHODS[method] for method in found.index] for kind, found in kinds.items()}
        hidden = kinds["open"]["detectable"].max()
        told.append(names | {"name": task["name"], "texts": rows["texts"].max(), "detectable": hidden})
    return say("baselines", tasks=told)


def _beside(compared: pd.DataFrame, task: dict) -> pd.DataFrame:
    """A task's baselines by method: the score that stands for it, and the longest training's difference to it."""
    row, measure = OVERALL[task["kind"]][0]
    own = (compared["task"] == task["name"]) & (compared["row"] == row) & (compared["measure"] == measure)
    return longest(compared[own]).set_index("method")


def _score_name(row: Mapping) -> str:
    return "accuracy" if row["row"] == ALL else f"{row['row'].removesuffix(' avg')} F1"


def task_table(tasks: list[dict]) -> Markup:
    """Where each task's texts come from, and how many there are."""
    rows = [
        {
            "task": task["name"],
            "source": task["source"],
            "a text has": "one class" if task["kind"] == "single" else "any number of labels",
            "classes and their share of the training texts": ", ".join(
                f"{name} {percent(rate, 0)}" for name, rate in task["train_rates"].items()
            ),
            "training texts": number(task["train_rows"]),
            "test texts": number(task["test_rows"]),
            "left out, known from training": number(task["leaked_test_rows"]),
        }
        for task in tasks
    ]
    text = ("task", "source", "a text has", "classes and their share of the training texts")
    return html_table(rows, say("task_table"), text=text)


def losses(history: pd.DataFrame) -> pd.DataFrame:
    """The losses by `training`, a name for task and label."""
    alone = history["label"].where(history["label"] != ALL)
    return history.assign(training=history["task"] + (", " + alone + " alone").fillna(""))


def report_tables(reports: pd.DataFrame, task: dict, settings: Mapping, published: pd.DataFrame) -> Markup:
    """A classification report for each length of training, the published F1 beside ours."""
    theirs, tables = published.set_index("name")["published"], []
    for epochs in settings["prompting"]["epochs"]:
        own = of_training(reports, task, epochs)
        rows = []
        for name, scores in own[own["row"] != ALL].groupby("row", sort=False):
            by_measure = scores.set_index("measure")
            paper = theirs.get(f"{task['name']}.{epochs}.f1.{name.replace(' ', '_')}", np.nan)
            measures = {title: cell(by_measure.loc[title.lower()], number) for title in ("precision", "recall", "F1")}
            rows.append(
                {"class": name, **measures, "write-up's F1": number(paper, 2), "texts": by_measure["support"].iloc[0]}
            )
        accuracy = own[own["measure"] == "accuracy"].iloc[0]
        caption = say("report_table", task=task["name"], kind=task["kind"], epochs=epochs, accuracy=accuracy)
        tables.append(html_table(rows, caption, text=("class",)))
    return Markup("\n").join(tables)


def correlation_table(rows: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """Pearson correlations as a table: of probabilities, and of predictions as the write-up took them."""
    theirs, lines = published.set_index("name")["published"], []
    for (texts, task, of, said), both in rows.groupby(["texts", "task", "of", "with"], sort=False):
        measured = both.set_index("measure")
        stem = f"{texts}.by_{task}" if texts != task else texts
        pair = f"{of}.{said}" if texts != task else said
        name = f"{stem}.{both['epochs'].iloc[0]}.pearson.prediction.{pair}"
        line = {"texts of": texts, "their": of, "said of them": said}
        line |= {"probability": cell(measured.loc["score"], value="r")}
        line |= {"prediction": cell(measured.loc["prediction"], value="r")}
        line |= {"p of the prediction's, adjusted": p_value(measured.loc["prediction", "p_adjusted"])}
        if both["planted"].notna().any():
            line["planted"] = signed(both["planted"].iloc[0])
        lines.append(line | {"write-up": signed(theirs.get(name, np.nan))})
    return html_table(lines, say("correlation_table"), text=("texts of", "their", "said of them"))


def forest_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Correlations as rows of a forest plot: `name`, `series`, `value`, `low`, `high`."""
    names = np.where(rows["texts"] == rows["task"], rows["with"], rows["of"] + " / " + rows["with"])
    meaning = {"score": "with the probability", "prediction": "with the prediction"}
    drawn = rows.assign(name=names, series=rows["measure"].map(meaning), value=rows["r"])
    planted = drawn[rows["planted"].notna() & (rows["measure"] == "score")]
    planted = planted.assign(series="planted", value=planted["planted"], low=np.nan, high=np.nan)
    return pd.concat([drawn, planted])[["name", "series", "value", "low", "high"]].dropna(subset="value")


def controls(correlations: pd.DataFrame) -> Markup:
    """Planted cross-task correlations beside those found; nothing where no truth is known."""
    rows = [
        {
            "planted": say("planted", signs=signs),
            "found": say("signs_found", signs=signs),
            "verdict": outcome(signs.right == signs.planted, missed=True, partly=signs.right > 0),
        }
        for signs in planted_signs(correlations)
    ]
    return planted_box(rows) if rows else Markup()


def alone_table(alone: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """One label's own prompt beside the joint one."""
    theirs = published.set_index("name")["published"]
    rows = [
        {
            "label": row["label"],
            "epochs": row["epochs"],
            "measure": MEASURES.get(row["measure"], row["measure"]),
            "joint prompt": number(row["joint"]),
            "its own prompt": number(row["alone"]),
            "joint minus own": cell(row, value="difference"),
            "McNemar p": "" if np.isnan(row["p"]) else p_value(row["p"]),
            "write-up, its own prompt": number(
                theirs.get(f"{row['task']}.{row['label']}_alone.{row['epochs']}.{row['measure']}", np.nan), 2
            ),
        }
        for row in alone.to_dict("records")
    ]
    return html_table(rows, say("alone_table"), text=("label", "measure"))


def alone_verdict(alone: pd.DataFrame) -> Markup:
    """What the comparison says in words, after the longest training.

    By the correlation with the probability: the two had different losses, so that F1 would judge their thresholds, too.
    """
    rows = alone[(alone["measure"] == "pearson") & (alone["epochs"] == alone["epochs"].max())]
    return say("alone", rows=rows.to_dict("records")) if len(rows) else Markup()


def check_table(checks: pd.DataFrame) -> Markup:
    """What a composite head and the company of a longer text change about the outputs."""
    rows = [
        {
            "what was changed": CHECKS[check],
            "texts": len(rows),
            "largest change of a logit": unsigned(rows["moved"].max()),
            "mean of each text's largest": unsigned(rows["moved"].mean()),
            "texts with another prediction": "" if check == "composite head" else number(int(rows["flipped"].sum())),
        }
        for check, rows in checks.groupby("check", sort=False)
    ]
    return html_table(rows, say("check_table"), text=("what was changed",))
