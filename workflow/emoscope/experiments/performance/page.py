"""What the performance report says: tables and sentences over `metrics.json`."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.data.paper import shared_with_paper
from emoscope.reporting.html import (
    estimate,
    headline,
    html_table,
    listed,
    number,
    outcome,
    percent,
    plural,
    prose,
    signed,
)
from emoscope.statistics.rates import wilson_interval

CLOSE = 0.02  # an accuracy this near to the ceiling counts as having reached it
BALANCES = {
    "none": "",
    "downsample": "These are drawn from the {} of the training set, as many of each class as the smallest has; the "
    "metrics of the training set cover all of it.",
    "weights": "In the loss, each text weighed by the inverse of its class's frequency.",
}
SETS = {
    ("train", "all"): "training, all rows",
    ("train", "distinct"): "training, every text once",
    ("test", "all"): "test, all rows",
    ("test", "distinct"): "test, every text once, none known from training",
}


def main_result(metrics: dict, published: pd.DataFrame) -> Markup:
    """The headline: test accuracy beside the paper's."""
    found, paper = metrics["test"]["all"], _paper(published)
    return headline(
        "Test accuracy {ours}; the paper reports {theirs}.",
        ours=_cell(found, "accuracy"),
        theirs=number(paper["test_accuracy"]),
    )


def setting(audit: dict, training: dict, settings: dict, published: pd.DataFrame) -> Markup:
    """What was trained on what, beside the paper's set-up."""
    paper, model = _paper(published), settings["model"]
    hub = model.get("repository") or model.get("package") or model.get("path")
    return prose(
        "Here, {start}, with {blocks} blocks and {parameters} parameters, was fine-tuned for {epochs} on {train} of "
        "the {rows} texts of the corpus <em>{corpus}</em> ({source}), which took {minutes} minutes. {balance} The "
        "paper fine-tuned GPT-2 small for {paper_epochs}, about {hours:.0f} hours. {comparable}",
        start=f"the pretrained model {hub}" if hub else "a small GPT-2 that starts from random weights",
        blocks=model["blocks"],
        parameters=number(training["parameters"]),
        epochs=plural(settings["run"]["training"]["epochs"], "epoch"),
        train=number(training["texts"]),
        balance=BALANCES[settings["run"]["training"]["balance"]].format(number(audit["train_rows"])),
        rows=number(audit["rows"]),
        corpus=settings["run"]["corpus"],
        source="generated, with known effects" if settings["corpus"]["source"] == "calibration" else audit["source"],
        minutes=number(training["seconds"] / 60, 1),
        paper_epochs=plural(paper["epochs"], "epoch"),
        hours=paper["training_hours"],
        comparable=""
        if shared_with_paper(settings) == {"corpus", "model"}
        else "With other data or another model than the paper's, agreement with its numbers is not to be expected.",
    )


def main_table(metrics: dict, published: pd.DataFrame) -> Markup:
    """Accuracy, AUC and F1 of training and test set, of all rows and of distinct texts, beside the paper's."""
    paper = _paper(published)
    rows = []
    for (part, kind), label in SETS.items():
        found = metrics[part][kind]
        rows.append(
            {
                "set": label,
                "texts": number(found["rows"]),
                "accuracy": _cell(found, "accuracy"),
                "paper's accuracy": number(paper[f"{part}_accuracy"]) if kind == "all" else "",
                "AUC": _cell(found, "auc_ovr"),
                "paper's AUC": number(paper[f"{part}_auc_ovr"]) if kind == "all" else "",
                "macro F1": _cell(found, "macro_f1"),
            }
        )
    resamples = sorted({metrics[part][kind]["resamples"] for part, kind in SETS})
    caption = (
        "Accuracy, which is also the micro-averaged F1, with its Wilson interval; AUC of each class against the rest "
        "and F1, both averaged over the classes with equal weights, with bootstrap intervals from "
        f"{listed(map(number, resamples))} resamples. In every interval a repeated text counts once."
    )
    return html_table(rows, caption, text=("set",))


def leak(audit: dict, metrics: dict) -> Markup:
    """How many texts stand in both sets, and what they do to the accuracy."""
    known, fresh = metrics["test"]["all"], metrics["test"]["distinct"]
    return prose(
        "{duplicates} of the {rows} rows repeat the text of another row ({share}), and {conflicting} texts occur "
        "with more than one label, so that nobody could get all of their rows right. After the split, {leaked} of "
        "the {test} test rows ({leaked_share}) hold a text that the training set holds as well. On texts that the "
        "classifier has not seen, each counted once, its accuracy is {fresh} instead of {known}: the leak makes a "
        "difference of {difference}. On its training texts it is better than on test texts by {gap}; among texts that "
        "count once and do not leak, by {fresh_gap}.",
        duplicates=number(audit["duplicate_rows"]),
        rows=number(audit["rows"]),
        share=percent(audit["duplicate_rows"] / audit["rows"]),
        conflicting=number(audit["conflicting_texts"]),
        leaked=number(audit["leaked_test_rows"]),
        test=number(audit["test_rows"]),
        leaked_share=percent(audit["leaked_share"]),
        fresh=_cell(fresh, "accuracy"),
        known=_cell(known, "accuracy"),
        **{
            name: _cell(metrics["differences"][difference], "accuracy", form=signed)
            for name, difference in (
                ("difference", "test_minus_distinct"),
                ("gap", "train_minus_test"),
                ("fresh_gap", "train_minus_test_distinct"),
            )
        },
    )


def confusions(found: dict, classes: list[str], alpha: float) -> Markup:
    """The most frequent confusion of a set."""
    counts = np.array(found["confusion"], dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    true, taken = np.unravel_index(shares.argmax(), shares.shape)
    return prose(
        "The most frequent confusion: {share} of the {true} texts are taken for {taken}.",
        share=estimate(
            shares[true, taken], *wilson_interval(*counts[true, [taken]], counts[true].sum(), alpha), percent
        ),
        true=classes[true],
        taken=classes[taken],
    )


def per_class(found: dict, counts: dict[str, int], published: pd.DataFrame) -> Markup:
    """Precision, recall, F1 and AUC of each class, and how common it is."""
    paper = published.set_index("label")["rows"]
    rows = [
        {
            "class": name,
            "test texts": number(scores["rows"]),
            **{title: _cell(scores, title.lower()) for title in ("precision", "recall", "F1", "AUC")},
            "share of the corpus": percent(counts[name] / sum(counts.values())),
            "share in the paper": percent(paper[name] / paper.sum()) if name in paper else "n/a",
        }
        for name, scores in found["per_class"].items()
    ]
    caption = (
        "Each class on all rows of the test set, and how common it is: Wilson intervals for precision and recall, "
        "bootstrap intervals for F1 and AUC."
    )
    return html_table(rows, caption, text=("class",))


def calibration(found: dict) -> Markup:
    """The expected calibration error of a set."""
    return prose(
        "A classifier is calibrated if, of the predictions made with a confidence of 0.8, four in five are right. "
        "On the test set confidence and accuracy differ by {error} on average (expected calibration error, ten "
        "bins; chance alone makes it positive, so that its bootstrap interval errs upwards). The masking experiment "
        "works on the texts with the highest confidence, the right end of this curve.",
        error=_cell(found, "calibration_error"),
    )


def training(history: dict, settings: dict) -> Markup:
    """How the training went."""
    losses = [entry["loss"] for entry in history["loss"]]
    tokens = history["tokens_per_epoch"] * settings["run"]["training"]["epochs"]
    resumed = history["resumed_from_step"]
    return prose(
        "The loss fell from {first} to {last} in {steps} steps, at {rate} tokens a second on {device} ({precision}). "
        "{resumed} {cut}",
        first=number(losses[0]),
        last=number(losses[-1]),
        steps=number(history["steps"]),
        rate=number(round(tokens * (1 - resumed / history["steps"]) / history["seconds"])),
        resumed=f"The training was interrupted; times are those after step {resumed}." if resumed else "",
        device=history["device"],
        precision=history["precision"],
        cut=f"{plural(history['texts_cut'], 'training text')} did not fit into the model's context and lost their ends."
        if history["texts_cut"]
        else "Every training text fits into the model's context.",
    )


def controls(
    truth: dict, metrics: dict, audit: dict, predictions: pd.DataFrame, test: pd.DataFrame, alpha: float
) -> list:
    """Planted effects that accuracy should show; `predictions` cover all texts, `test` is the test set."""
    fresh = metrics["test"]["distinct"]
    low, high = fresh["accuracy_interval"]
    ceiling, effects = truth["ceiling"], truth["effects"]
    rate = audit["duplicate_rows"] / audit["rows"]
    rows = [
        {
            "planted": f"Label noise and ambiguous sentences; no classifier can beat an accuracy of {ceiling:.3f}.",
            "found": estimate(fresh["accuracy"], low, high, form=number),
            "verdict": outcome(low <= ceiling and high >= ceiling - CLOSE, missed=True, partly=0.5 < low <= ceiling),
        },
        {
            "planted": f"{percent(effects['duplicates']['size'])} of the rows repeat another's text.",
            "found": percent(rate),
            "verdict": outcome(abs(rate - effects["duplicates"]["size"]) < 0.005, missed=True),
        },
    ]
    clean = predictions[predictions["id"].isin(test["id"]) & ~predictions["id"].isin(truth["ids"]["noisy"])]
    for kind, meaning in (
        ("negation", "negate a feeling; a count of words fails on half of them"),
        ("contrast", "name a past and a present feeling; a count of words cannot tell which holds"),
    ):
        chosen = clean[clean["id"].isin(truth["ids"][kind])]
        right = int((chosen["label"] == chosen["pred"]).sum())
        interval = wilson_interval(right, len(chosen), alpha)
        rows.append(
            {
                "planted": f"{percent(effects[kind]['size'], 0)} of the sentences {meaning}.",
                "found": Markup("accuracy {}, {} texts").format(
                    estimate(right / len(chosen) if len(chosen) else np.nan, *interval, form=number), len(chosen)
                ),
                "verdict": outcome(interval.low > 0.5, missed=interval.high < 0.5),
            }
        )
    return rows


def _cell(found: dict, name: str, form: Callable[[float], str] = number) -> Markup:
    """A number of `metrics.json` with its interval."""
    return estimate(found[name], *found[f"{name}_interval"], form=form)


def _paper(published: pd.DataFrame) -> pd.Series:
    return published.set_index("metric")["paper_text"]
