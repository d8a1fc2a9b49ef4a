"""What the comparison says: the headline, how well all runs do, and what flips and synonyms change in each."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.flips.axes import AXES
from emoscope.experiments.performance.names import METHODS, OF_SEVERAL, WORDS
from emoscope.perturbation.pair_tables import ORIGINS
from emoscope.reporting.html import details, html_table, listed, number, percent, plural, signed, unsigned
from emoscope.reporting.passages import passage
from emoscope.reporting.several_labels import how_to_read_groups
from emoscope.storage.names import ALL
from emoscope.verdicts.comparison.leaders import leading_blocks
from emoscope.verdicts.comparison.scores import ABOVE, CHEAP, CLASS_SCORES
from emoscope.verdicts.comparison.summarise import agreement, first_block_verdicts
from emoscope.verdicts.comparison.tables import both, seeds_of, spread_told, tally, unbroken, with_spread

say = partial(passage, "comparison")
SCORES = {"accuracy": "accuracy", "auc_ovr": "AUC", "macro_f1": "macro F1"}
RATES = {
    "changed": "predictions that change",
    "control_changed": "with neutral words instead",
    "excess_changed": "beyond the neutral words",
    "excess_large": "moved by 10 % or more, beyond",
}


def main_result(measures: pd.DataFrame, masks: pd.DataFrame, correlations: pd.DataFrame, alpha: float) -> Markup:
    """The headline: the range of accuracy, beside the cheapest classifiers', whether only the first block matters, and
    how far the profiles agree."""
    performance, several = _test_scores(measures), groups_of_several_labels(measures)
    performance = performance[performance["run"] == ALL]
    alike = performance[~performance["group"].isin(several)]  # exact matches are no accuracy of one label a text
    judged = performance if alike.empty else alike
    leaders, verdicts = leading_blocks(masks, alpha), first_block_verdicts(masks, alpha)
    between = agreement(correlations, "blocks", "described", "margin").dropna(subset="mean")
    kinds = {"between seeds": between[between["within"]], "between set-ups": between[~between["within"]]}
    return say(
        "main_result",
        setups=performance["group"].nunique(),
        runs=len(leaders),
        judged=judged["group"].nunique(),
        accuracy=_range_of(judged, "accuracy"),
        cheap={METHODS[method]: _range_of(judged, measure) for measure, method in CHEAP.items()},
        first=int(((leaders["block"] == 0) & leaders["certain"]).sum()),
        open=int((~leaders["certain"]).sum()),
        probability=tally(verdicts["probability"]),
        margin=tally(verdicts["margin"]),
        agreements=[
            f"{signed(rows['mean'].mean())} {name}"
            + f" ({signed(rows['lowest'].min())} to {signed(rows['highest'].max())})" * bool(rows["pairs"].max() > 1)
            for name, rows in kinds.items()
            if len(rows)
        ],
    )


def _range_of(rows: pd.DataFrame, measure: str) -> str:
    """The lowest and the highest value of a measure, or the one that all have."""
    values = rows.loc[rows["measure"] == measure, "value"]
    return " to ".join(dict.fromkeys((unsigned(values.min()), unsigned(values.max()))))


def groups_of_several_labels(measures: pd.DataFrame) -> list[str]:
    """The groups whose texts may have several labels."""
    return list(dict.fromkeys(measures.loc[measures["measure"] == OF_SEVERAL, "group"]))


def how_to_read(measures: pd.DataFrame) -> Markup:
    """What numbers mean in those groups; nothing without any."""
    return how_to_read_groups(groups_of_several_labels(measures))


def setups(runs: Mapping[str, Mapping], models: Mapping[str, Mapping], trainings: Mapping[str, Mapping]) -> Markup:
    """What each group is, and what its trainings took."""
    rows = []
    for group, names in seeds_of(runs).items():
        run = runs[names[0]]
        model, training = models[run["model"]], run["training"]
        rows.append(
            {
                "set-up": unbroken(group),
                "seeds": listed(runs[name]["seed"] for name in names),
                "corpus": run["corpus"],
                "model": run["model"],
                "starts from": model.get("repository") or model.get("package") or model.get("path") or "random weights",
                "blocks": number(model["blocks"]),
                "parameters": number(trainings[names[0]]["parameters"]),
                **_trained(training, [trainings[name] for name in names]),
            }
        )
    text = ("set-up", "seeds", "corpus", "model", "starts from", "training")
    return html_table(rows, say("setups"), text)


def _trained(training: Mapping | str, histories: list[Mapping]) -> dict[str, str]:
    """How the classifiers of a set-up were trained, and what that took."""
    if training == "none":
        return {"training": "elsewhere", "seconds": ""}
    seconds = np.array([history["seconds"] for history in histories])
    spread = f" \N{PLUS-MINUS SIGN} {seconds.std(ddof=1):,.0f}" if len(seconds) > 1 else ""
    resumed = ", resumed" if any(history["resumed_from_step"] for history in histories) else ""
    return {
        "training": f"{plural(training['epochs'], 'epoch')}, {histories[0]['precision']}",
        "seconds": f"{seconds.mean():,.0f}{spread}{resumed}",
    }


def reading(runs: Mapping[str, Mapping], statistics: Mapping) -> Markup:
    """What an interval of a group covers, and for which groups it covers less."""
    seeds = seeds_of(runs)
    lone, two = ([group for group, names in seeds.items() if len(names) == count] for count in (1, 2))
    return say("reading", confidence=statistics["confidence"], lone=lone, two=two, several=len(seeds) > 1)


def score_panels(measures: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Accuracy, AUC and F1 on the test set, for `group_intervals`."""
    rows = _test_scores(measures)
    return {title: rows[rows["measure"] == name] for name, title in SCORES.items()}


def score_table(measures: pd.DataFrame) -> Markup:
    """Accuracy, beside the cheapest classifiers', AUC and F1 of every group, with the spread between its seeds; of runs
    to unfold."""
    found = {
        ("all", "accuracy"): "accuracy",
        **{("all", measure): METHODS[method] for measure, method in CHEAP.items()},
        ("all", ABOVE): f"model minus {METHODS[WORDS]}",
        **{("all", name): title for name, title in SCORES.items()},
        ("distinct", "accuracy"): "accuracy, texts not known from training",
    }
    rows = measures[measures["topic"] == "performance"]
    caption = say("scores", spread=spread_told(rows))
    return both(rows, found, caption, unsigned)


def class_table(measures: pd.DataFrame) -> Markup:
    """Recall and precision of every class in every group, to unfold."""
    rows = _test_scores(measures)
    rows = rows[rows["run"] == ALL]
    tables = []
    for score in CLASS_SCORES:
        found = rows[rows["measure"].str.startswith(f"{score}_")]
        by_class = [
            {"class": name.removeprefix(f"{score}_")}
            | {group: with_spread(own[own["group"] == group], unsigned) for group in dict.fromkeys(found["group"])}
            for name, own in found.groupby("measure", sort=False)
        ]
        tables.append(
            html_table(by_class, f"{score.capitalize()} in the test set{spread_told(rows)}.", text=("class",))
        )
    return details("Recall and precision, class by class", *tables)


def excess_panels(measures: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """How many more predictions change than with neutral words, for each kind that has such controls."""
    rows = measures[(measures["measure"] == "excess_changed") & measures["value"].notna()]
    kinds = rows.groupby(["topic", "origin"], sort=False)
    return {f"{topic}, {ORIGINS[origin]}": table for (topic, origin), table in kinds}


def rate_table(measures: pd.DataFrame) -> Markup:
    """The rates of every perturbation; of every run to unfold."""
    parts = []
    for topic in [name for name in dict.fromkeys(measures["topic"]) if name != "performance"]:
        rows = measures[measures["topic"] == topic]
        for origin in dict.fromkeys(rows["origin"]):
            found = {(origin, name): title for name, title in RATES.items()}
            if origin == "word":
                found = {
                    (
                        origin,
                        "words_flagged",
                    ): "share of the words that are flagged when replaced alone, of those in texts enough to tell"
                }
            caption = f"{topic.capitalize()}, {ORIGINS[origin]}{spread_told(rows)}."
            parts.append(both(rows, found, caption, percent))
    return Markup("\n").join(parts)


def gap_table(measures: pd.DataFrame) -> Markup:
    """The gap between two groups of people in every class's probability."""
    rows = measures[measures["measure"].str.startswith("gap_")]
    parts = []
    for (topic, origin), part in rows.groupby(["topic", "origin"], sort=False):
        named = {(origin, name): f"P({name.removeprefix('gap_')})" for name in dict.fromkeys(part["measure"])}
        sides = " minus ".join(AXES[topic].groups)
        parts.append(both(part, named, f"{topic.capitalize()}, {ORIGINS[origin]}: {sides}{spread_told(part)}.", signed))
    return details("Mean gaps of probability, class by class", *parts)


def _test_scores(measures: pd.DataFrame) -> pd.DataFrame:
    """What runs and groups reach on all test texts."""
    return measures[(measures["topic"] == "performance") & (measures["origin"] == "all")]
