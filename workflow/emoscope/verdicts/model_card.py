"""The model card of a run: what its classifier is, what it can do and what not, how to use it; Markdown."""

from pathlib import Path

import pandas as pd

from emoscope.experiments.performance.names import LABEL_METHODS, METHODS, OF_SEVERAL
from emoscope.perturbation.pair_tables import beyond, control_texts, found
from emoscope.reporting.html import MOST_NAMED, cell, estimate, number, percent
from emoscope.reporting.several_labels import is_several
from emoscope.reporting.templates import fill
from emoscope.storage.files import read_json, write_text

UNSURE = 0.05  # a recall whose interval reaches further to either side is not known well
METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "auc_ovr": "AUC, one class against the rest",
    "calibration_error": "expected calibration error",
}
LABEL_METRICS = {  # where a text may have several labels
    "accuracy": "texts whose labels are all right",
    OF_SEVERAL: "micro F1",
    "average_precision": "average precision, mean over labels",
    "hamming_loss": "Hamming loss",
    "auc_ovr": "AUC, one label against its absence",
}
SCORES = ("precision", "recall", "f1")
CHANGES = {
    "natural": "With the {axis} of people flipped in {texts} test texts,",
    "template": "With the {axis} of people flipped in {texts} sentences made from templates,",
    "published": "With frequent words replaced by synonyms in {texts} test texts,",
}


def write_model_card(
    audit: Path,
    training: Path,
    metrics: Path,
    effects: list[Path],
    model: Path,
    base: list[Path],
    settings: dict,
    output: Path,
) -> None:
    """Write a run's model card.

    `effects` are the summaries of its perturbations, by axis; `base` is the folder that its training started from, if
    there is one. `settings` hold the run's name, corpus, model, training, seed, confidence, the `folder` of its
    classifier, and `licences`, of `texts` and of the starting `model`, each a text or null.
    """
    corpus, measured, tokenizer = read_json(audit), read_json(metrics), read_json(model / "tokenizer_config.json")
    source = base[0] / "source.json" if base else None
    licences = {part: " ".join((text or "not stated").split()) for part, text in settings["licences"].items()}
    card = fill(
        "model_card.md.j2",
        **(settings | {"licences": licences}),
        origin=read_json(source) if source and source.is_file() else {},
        own_card="model/README.md" if (model / "README.md").is_file() else "",
        tolerance=UNSURE,
        architecture=read_json(model / "config.json")["architectures"][0],
        longest=tokenizer["model_max_length"],
        audit=corpus,
        history=read_json(training),
        several=is_several(corpus),
        metrics=[*metric_rows(measured), *baseline_rows(measured)],
        scores=class_rows(measured, corpus["class_counts"]),
        fresh=plain(measured["test"]["distinct"], "accuracy"),
        unsure=unsure_classes(measured["test"]["all"]["per_class"]),
        findings=[
            finding
            for path in effects
            for finding in perturbation_findings(path.stem.removesuffix("_summary"), pd.read_parquet(path))
        ],
        most_named=MOST_NAMED,
    )
    write_text(card, output)


def metric_rows(metrics: dict) -> list[list[str]]:
    """A metric's name, then its value on all test texts and on those that do not leak, each counted once."""
    titles = METRICS if OF_SEVERAL not in metrics["test"]["all"] else METRICS | LABEL_METRICS
    return [
        [title, *(plain(metrics["test"][kind], name) for kind in ("all", "distinct"))] for name, title in titles.items()
    ]


def baseline_rows(metrics: dict) -> list[list[str]]:
    """The same of the cheapest classifiers: their accuracy and, of several labels, F1."""
    several = OF_SEVERAL in metrics["test"]["all"]
    names, titles = (LABEL_METHODS, METRICS | LABEL_METRICS) if several else (METHODS, METRICS)
    return [
        [f"{names[method]}: {titles[score]}", *(plain(found[kind], score) for kind in ("all", "distinct"))]
        for method, found in metrics["baselines"].items()
        for score in ("accuracy", "macro_f1", OF_SEVERAL)
        if score in found["all"]
    ]


def class_rows(metrics: dict, counts: dict[str, int]) -> list[list[str]]:
    """A class's name, its texts in the corpus and the test set, then its scores on all test texts."""
    return [
        [name, number(counts[name]), number(scores["rows"]), *(plain(scores, score) for score in SCORES)]
        for name, scores in metrics["test"]["all"]["per_class"].items()
    ]


def unsure_classes(per_class: dict[str, dict]) -> list[str]:
    """The classes whose recall is not known to UNSURE, each with its number of test texts."""
    return [
        f"{name} ({number(scores['rows'])})"
        for name, scores in per_class.items()
        if scores["rows"] and max(abs(bound - scores["recall"]) for bound in scores["recall_interval"]) > UNSURE
    ]


def perturbation_findings(axis: str, summary: pd.DataFrame) -> list[str]:
    """What exchanging words did to the predictions, a line for each kind of text, and whether neutral words of the same
    texts did as much; the paper's pairs are left out."""
    findings = []
    for origin in ("published",) if axis == "synonyms" else ("natural", "template"):
        rows = summary[summary["origin"] == origin]
        if rows.empty:
            continue
        done = CHANGES[origin].format(axis=axis, texts=number(control_texts(rows)[0]))
        rate = cell(found(rows, "changed"), percent).striptags()
        findings.append(f"{done} the prediction changes in {rate}. {beyond(rows).striptags()}")
    return findings


def plain(found: dict, name: str) -> str:
    """A number of `metrics.json` with its interval, without markup."""
    return estimate(found[name], *found[f"{name}_interval"], form=number).striptags()
