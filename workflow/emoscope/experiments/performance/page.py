"""What the performance report says: tables and sentences over `metrics.json`."""

from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.data.paper import shared_with_paper
from emoscope.experiments.performance.confusions import most_frequent_confusion
from emoscope.experiments.performance.estimates import estimates_of
from emoscope.experiments.performance.names import LABEL_METHODS, METHODS
from emoscope.reporting.html import cell, html_table, number, percent
from emoscope.reporting.passages import passage

say = partial(passage, "performance")
SETS = {
    ("train", "all"): "training, all rows",
    ("train", "distinct"): "training, every text once",
    ("test", "all"): "test, all rows",
    ("test", "distinct"): "test, every text once, none in another set",
}
SHORT_SETS = {  # the same, in the order of SETS, as titles of columns
    ("train", "all"): "training",
    ("train", "distinct"): "training, once",
    ("test", "all"): "test",
    ("test", "distinct"): "test, once, new",
}
F1 = {"micro_f1": "micro F1", "macro_f1": "macro F1"}
LABEL_SCORES = {
    "accuracy": "exact matches",
    **F1,
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "auc_ovr": "AUC",
    "average_precision": "average precision",
    "hamming_loss": "Hamming loss",
}
OF_LABEL = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "average_precision": "average precision",
}


def main_result(metrics: dict, settings: dict, published: pd.DataFrame) -> Markup:
    """The headline: test accuracy beside the cheapest classifiers' and, on its corpus, the paper's; of several labels a
    text, F1."""
    ours, several = estimates_of(metrics["test"]["all"]), "micro_f1" in metrics["test"]["all"]
    score = "macro_f1" if several else "accuracy"
    cheap = {method: estimates_of(found["all"])[score]["value"] for method, found in metrics["baselines"].items()}
    if several:
        return say("main_result_of_labels", ours=ours, cheap=cheap)
    theirs = _paper(published)["test_accuracy"] if "corpus" in _shared(settings) else None
    return say("main_result", ours=ours["accuracy"], cheap=cheap, theirs=theirs)


def setting(audit: dict, training: dict, settings: dict, published: pd.DataFrame) -> Markup:
    """What was trained on what, or taken as it is, beside the paper's set-up."""
    model = settings["model"]
    return say(
        "setting",
        audit=audit,
        training=training,
        paper=_paper(published),
        pretrained=model.get("repository") or model.get("package") or model.get("path"),
        comparable=_shared(settings) == {"corpus", "model"},
        left_out=[f"{name} ({number(count)})" for name, count in audit.get("left_out", {}).items()],
        absent=[name for name, count in audit["class_counts"].items() if not count],
        **settings,
    )


def main_table(metrics: dict, published: pd.DataFrame) -> Markup:
    """Accuracy, AUC and F1 of training and test set, of all rows and of distinct texts, beside the paper's."""
    paper, rows = _paper(published), []
    for (part, kind), label in SETS.items():
        found = metrics[part][kind]
        ours = {name: cell(estimate, number) for name, estimate in estimates_of(found).items()}
        theirs = {name: number(paper[f"{part}_{name}"]) if kind == "all" else "" for name in ("accuracy", "auc_ovr")}
        rows.append(
            {
                "set": label,
                "texts": number(found["rows"]),
                "accuracy": ours["accuracy"],
                "paper's accuracy": theirs["accuracy"],
                "AUC": ours["auc_ovr"],
                "paper's AUC": theirs["auc_ovr"],
                "macro F1": ours["macro_f1"],
            }
        )
    resamples = sorted({metrics[part][kind]["resamples"] for part, kind in SETS})
    return html_table(rows, say("main_table", resamples=list(map(number, resamples))), text=("set",))


def label_table(metrics: dict) -> Markup:
    """Scores of several labels a text, over all pairs of text and label (micro) and as means over labels (macro)."""
    rows = [{"": "texts"} | {title: number(metrics[part][kind]["rows"]) for (part, kind), title in SHORT_SETS.items()}]
    rows += [
        {"": title}
        | {short: cell(estimates_of(metrics[part][kind])[name], number) for (part, kind), short in SHORT_SETS.items()}
        for name, title in LABEL_SCORES.items()
    ]
    return html_table(rows, say("label_table"), text=("",))


def label_baselines(metrics: dict, thresholds: dict) -> Markup:
    """What the cheapest classifiers reach on the test set, and the model's scores minus theirs."""
    rows = []
    for method, found in metrics["baselines"].items():
        for name, title in (F1 | {"accuracy": "exact matches"}).items():
            row = {"classifier": LABEL_METHODS[method], "": title}
            for kind, short in (("all", "all"), ("distinct", "once, new")):
                ours = estimates_of(found[kind])
                difference = "difference" if name == "accuracy" else f"{name}_difference"
                row |= {
                    f"{short}: it": cell(ours.get(name), number),
                    f"{short}: model minus it": cell(ours.get(difference)),
                }
            rows.append(row)
    return html_table(rows, say("label_baselines", **thresholds), text=("classifier", ""))


def thresholds(found: dict, audit: dict) -> Markup:
    """Where the thresholds are from."""
    return say("thresholds", held=say("held", audit=audit), **found)


def label_scores(found: dict, thresholds: dict) -> Markup:
    """Scores of each of several labels, the most frequent first."""
    rows = [
        {
            "label": name,
            "test texts": number(scores["rows"]),
            "threshold": number(thresholds["thresholds"][name]),
            **{title: cell(estimates_of(scores)[score], number) for score, title in OF_LABEL.items()},
        }
        for name, scores in sorted(found["per_class"].items(), key=lambda one: -one[1]["rows"])
    ]
    return html_table(rows, say("label_scores"), text=("label",))


def baseline_table(metrics: dict) -> Markup:
    """The accuracy of the cheapest classifiers on the test set, and the model's minus theirs."""
    rows = [
        {
            "set": SETS["test", kind],
            "classifier": METHODS[method],
            "texts": number(rows["rows"]),
            "its accuracy": cell(estimates_of(rows)["accuracy"], number),
            "model minus it": cell(estimates_of(rows)["difference"]),
        }
        for kind in ("all", "distinct")
        for method, found in metrics["baselines"].items()
        for rows in [found[kind]]
    ]
    return html_table(rows, say("baseline_table"), text=("set", "classifier"))


def baseline_reading(metrics: dict, adopted: bool) -> Markup:
    """Whether the model does better than a bag of words on texts that it has not seen, or, `adopted`, may have seen."""
    found = estimates_of(metrics["baselines"]["words"]["distinct"])
    return say("baselines", difference=found["difference"], words=found["accuracy"], adopted=adopted)


def leak(audit: dict, metrics: dict, adopted: bool) -> Markup:
    """How many texts stand in both sets, and what they do to the accuracy."""
    accuracies = {
        "known": metrics["test"]["all"],
        "fresh": metrics["test"]["distinct"],
        "leaked": metrics["differences"]["test_minus_distinct"],
        "gap": metrics["differences"]["train_minus_test"],
        "fresh_gap": metrics["differences"]["train_minus_test_distinct"],
    }
    told = {name: estimates_of(found)["accuracy"] for name, found in accuracies.items()}
    return say("leak", audit=audit, adopted=adopted, other_label=metrics["leaked"]["other_label"], **told)


def confusions(found: dict, alpha: float) -> Markup:
    """The most frequent confusion of a set; of several labels a text, which is given most to the texts of another."""
    names, several = list(found["per_class"]), "given" in found
    rows, trials = ([scores[of] for scores in found["per_class"].values()] for of in ("rows", "trials"))
    most = most_frequent_confusion(found["given" if several else "confusion"], rows, trials, alpha)
    if most is None:
        return say("no_confusion")
    true, taken, share = most
    return say("given" if several else "confusions", share=share, label=names[true], taken=names[taken])


def per_class(found: dict, counts: dict[str, int], published: pd.DataFrame) -> Markup:
    """Precision, recall, F1 and AUC of each class, and how common it is."""
    paper = published.set_index("label")["rows"]
    rows = [
        {
            "class": name,
            "test texts": number(scores["rows"]),
            **{
                title: cell(estimates_of(scores)[title.lower()], number)
                for title in ("precision", "recall", "F1", "AUC")
            },
            "share of the corpus": percent(counts[name] / sum(counts.values())),
            "share in the paper": percent(paper[name] / paper.sum()) if name in paper else "n/a",
        }
        for name, scores in found["per_class"].items()
    ]
    return html_table(rows, say("per_class"), text=("class",))


def calibration(found: dict) -> Markup:
    """The expected calibration error of a set."""
    return say("calibration", error=estimates_of(found)["calibration_error"])


def training(history: dict, audit: dict, settings: dict) -> Markup:
    """How the training went, as far as that is known."""
    if "trained" in history:
        return say("trained_elsewhere", unknown=history["unknown"])
    tokens = history["tokens_per_epoch"] * settings["run"]["training"]["epochs"]
    done_here = 1 - history["resumed_from_step"] / history["steps"]
    first, last = (history["loss"][place]["loss"] for place in (0, -1))
    rate = round(tokens * done_here / history["seconds"])
    return say("training", history=history, first=first, last=last, rate=rate, held=say("held", audit=audit))


def _shared(settings: dict) -> set[str]:
    """What the run shares with the paper."""
    return shared_with_paper(settings["corpus"], settings["model"], settings["run"]["training"])


def _paper(published: pd.DataFrame) -> pd.Series:
    return published.set_index("metric")["paper_text"]
