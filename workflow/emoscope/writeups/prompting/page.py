"""What the prompting page says: tables and sentences over the summaries of soft prompts."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import (
    estimate,
    headline,
    html_table,
    listed,
    number,
    outcome,
    p_value,
    percent,
    planted_box,
    plural,
    prose,
    signed,
    unsigned,
)
from emoscope.storage.names import ALL

AVERAGE = " avg"


def main_result(reports: pd.DataFrame, tasks: list[dict], settings: dict) -> Markup:
    """The headline: how right the longest training's prompts are, beside the simplest guess."""
    epochs = max(settings["prompting"]["epochs"])
    parts = []
    for task in tasks:
        own = _own(reports, task, epochs)
        if task["kind"] == "single":
            accuracy, classes = own[own["measure"] == "accuracy"].iloc[0], own["row"].isin(task["classes"])
            parts.append(
                Markup("{name}: accuracy {value} (the most frequent class has {share})").format(
                    name=task["name"],
                    value=_value(accuracy),
                    share=percent(own[classes]["support"].max() / accuracy["support"]),
                )
            )
        else:
            micro = own[(own["measure"] == "f1") & (own["row"] == "micro avg")].iloc[0]
            parts.append(Markup("{}: micro F1 {}").format(task["name"], _value(micro)))
    return headline(
        "What {tokens} and a linear head, trained for {epochs}, make of a frozen language model: {parts}.",
        tokens=plural(settings["prompting"]["tokens"], "learned token"),
        epochs=plural(epochs, "epoch"),
        parts=Markup("; ").join(parts),
    )


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
            "of these known from training": number(task["leaked_test_rows"]),
        }
        for task in tasks
    ]
    text = ("task", "source", "a text has", "classes and their share of the training texts")
    return html_table(rows, "The tasks. Each has prompts and heads of its own.", text=text)


def losses(history: pd.DataFrame) -> pd.DataFrame:
    """The losses by `training`, a name for task and label."""
    alone = history["label"].where(history["label"] != ALL)
    return history.assign(training=history["task"] + (", " + alone + " alone").fillna(""))


def report_tables(reports: pd.DataFrame, task: dict, settings: dict, published: pd.DataFrame) -> Markup:
    """A classification report for each length of training, the published F1 beside ours."""
    theirs, tables = published.set_index("name")["published"], []
    for epochs in settings["prompting"]["epochs"]:
        own = _own(reports, task, epochs)
        rows = []
        for name, scores in own[own["row"] != ALL].groupby("row", sort=False):
            by_measure = scores.set_index("measure")
            paper = theirs.get(f"{task['name']}.{epochs}.f1.{name.replace(' ', '_')}", np.nan)
            measures = {title: _value(by_measure.loc[title.lower()]) for title in ("precision", "recall", "F1")}
            rows.append(
                {"class": name, **measures, "write-up's F1": number(paper, 2), "texts": by_measure["support"].iloc[0]}
            )
        accuracy = own[own["measure"] == "accuracy"].iloc[0]
        meaning = "share of texts that are right" if task["kind"] == "single" else "Jaccard index, averaged over texts"
        caption = Markup("{}, {}: accuracy {} ({}). Support counts test texts; averages as in scikit-learn.").format(
            task["name"], plural(epochs, "epoch"), _value(accuracy), meaning
        )
        tables.append(html_table(rows, caption, text=("class",)))
    return Markup("\n").join(tables)


def within(correlations: pd.DataFrame, tasks: list[dict], settings: dict) -> pd.DataFrame:
    """The correlations of each task's labels with what its own prompts say, after the longest training."""
    own = correlations[correlations["texts"] == correlations["task"]]
    return _longest(own, settings)[
        lambda rows: rows["task"].isin([t["name"] for t in tasks if t["kind"] == "multiple"])
    ]


def correlation_table(rows: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """Pearson correlations as a table: of probabilities, and of predictions as the write-up took them."""
    theirs, lines = published.set_index("name")["published"], []
    for (texts, task, of, said), both in rows.groupby(["texts", "task", "of", "with"], sort=False):
        measured = both.set_index("measure")
        stem = f"{texts}.by_{task}" if texts != task else texts
        pair = f"{of}.{said}" if texts != task else said
        name = f"{stem}.{both['epochs'].iloc[0]}.pearson.prediction.{pair}"
        line = {"texts of": texts, "their": of, "said of them": said}
        line |= {"probability": _r(measured.loc["score"]), "prediction": _r(measured.loc["prediction"])}
        line |= {"p of the prediction's, adjusted": p_value(measured.loc["prediction", "p_adjusted"])}
        if both["planted"].notna().any():
            line["planted"] = signed(both["planted"].iloc[0])
        lines.append(line | {"write-up": signed(theirs.get(name, np.nan))})
    caption = (
        "Pearson correlations with bootstrap intervals over texts; p values adjusted for the number of labels "
        "(Benjamini-Hochberg)."
    )
    return html_table(lines, caption, text=("texts of", "their", "said of them"))


def forest_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Correlations as rows of a forest plot: `name`, `series`, `value`, `low`, `high`."""
    names = np.where(rows["texts"] == rows["task"], rows["with"], rows["of"] + " / " + rows["with"])
    meaning = {"score": "with the probability", "prediction": "with the prediction"}
    drawn = rows.assign(name=names, series=rows["measure"].map(meaning), value=rows["r"])
    planted = drawn[rows["planted"].notna() & (rows["measure"] == "score")]
    planted = planted.assign(series="planted", value=planted["planted"], low=np.nan, high=np.nan)
    return pd.concat([drawn, planted])[["name", "series", "value", "low", "high"]].dropna(subset="value")


def crossed(correlations: pd.DataFrame, settings: dict, texts: str, task: str) -> pd.DataFrame:
    """The correlations of one task's texts with what another's prompts say of them, strongest first."""
    chosen = correlations[(correlations["texts"] == texts) & (correlations["task"] == task)]
    longest = _longest(chosen, settings)
    order = longest[longest["measure"] == "score"].sort_values("r", ascending=False)[["of", "with"]].agg(tuple, axis=1)
    rank = {pair: place for place, pair in enumerate(order)}
    return longest.assign(rank=longest[["of", "with"]].agg(tuple, axis=1).map(rank)).sort_values("rank", kind="stable")


def controls(correlations: pd.DataFrame, settings: dict) -> Markup:
    """Planted cross-task correlations beside those found; nothing where no truth is known."""
    rows = []
    chosen = _longest(correlations[correlations["measure"] == "score"], settings).dropna(subset="planted")
    for (texts, task), group in chosen[chosen["planted"].abs() > 0.1].groupby(["texts", "task"], sort=False):
        sign = np.sign(group["planted"])
        right = (group[["low", "high"]].mul(sign, axis=0) > 0).all(axis=1)
        wrong = (group[["low", "high"]].mul(sign, axis=0) < 0).all(axis=1)
        names = group["with"] if group["with"].nunique() > 1 else group["of"]
        pole = [listed(names[group["planted"] * side > 0]) for side in (1, -1)]
        rows.append({
            "planted": f"In the texts of {texts}, {pole[0]} go with good sentiment and {pole[1]} with bad.",
            "found": f"{right.sum()} of {len(group)} correlations with what the prompts of {task} say have their sign "
            "for certain (interval on one side of zero).",
            "verdict": outcome(right.all(), missed=wrong.any() or not right.any(), partly=right.any()),
        })  # fmt: skip
    return planted_box(rows) if rows else Markup()


def alone_table(alone: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """One label's own prompt beside the joint one."""
    theirs, rows = published.set_index("name")["published"], []
    for row in alone.itertuples():
        name = f"{row.task}.{row.label}_alone.{row.epochs}.{row.measure}"
        rows.append(
            {
                "label": row.label,
                "epochs": row.epochs,
                "measure": {"f1": "F1", "pearson": "Pearson correlation of the probability"}.get(
                    row.measure, row.measure
                ),
                "joint prompt": number(row.joint),
                "its own prompt": number(row.alone),
                "joint minus own": estimate(row.difference, row.low, row.high),
                "McNemar p": "" if np.isnan(row.p) else p_value(row.p),
                "write-up, its own prompt": number(theirs.get(name, np.nan), 2),
            }
        )
    caption = "One label of a task, judged by the task's joint prompt and by a prompt that was trained for it alone."
    return html_table(rows, caption, text=("label", "measure"))


def alone_verdict(alone: pd.DataFrame) -> Markup:
    """What the comparison says in words, measured by F1 after the longest training."""
    rows = alone[(alone["measure"] == "f1") & (alone["epochs"] == alone["epochs"].max())]
    sentences = []
    for row in rows.itertuples():
        better = "the joint prompt does better" if row.low > 0 else "the prompt of its own does better"
        told = better if row.low > 0 or row.high < 0 else "the test texts cannot tell which does better"
        sentences.append(f"On {row.label}, {told}.")
    caution = "One training each was run: how much another start would change is not in the intervals."
    return prose("{told}", told=" ".join([*sentences, caution])) if sentences else Markup()


def check_table(checks: pd.DataFrame) -> Markup:
    """What a composite head and the company of a longer text change about the outputs."""
    meaning = {
        "composite head": "all prompts asked in one batch, through one head that joins theirs",
        "explicit positions": "beside the longest text of the set; the prompt follows its own text (ours)",
        "implicit positions": "beside the longest text of the set; the prompt follows the padding (the write-up's)",
    }
    rows = [
        {
            "what was changed": meaning[check],
            "texts": len(rows),
            "largest change of a logit": unsigned(rows["moved"].max()),
            "mean of each text's largest": unsigned(rows["moved"].mean()),
            "texts with another prediction": "" if check == "composite head" else number(int(rows["flipped"].sum())),
        }
        for check, rows in checks.groupby("check", sort=False)
    ]
    return html_table(rows, "The same texts and prompts, asked in another way.", text=("what was changed",))


def _own(reports: pd.DataFrame, task: dict, epochs: int) -> pd.DataFrame:
    return reports[(reports["task"] == task["name"]) & (reports["epochs"] == epochs)]


def _longest(rows: pd.DataFrame, settings: dict) -> pd.DataFrame:
    return rows[rows["epochs"] == max(settings["prompting"]["epochs"])]


def _value(row: pd.Series) -> Markup:
    return estimate(row["value"], row["low"], row["high"], form=number)


def _r(row: pd.Series) -> Markup:
    return estimate(row["r"], row["low"], row["high"])
