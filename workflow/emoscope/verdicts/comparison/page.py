"""What the comparison says: all runs side by side, and whether seeds and architectures agree."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.flips.axes import AXES
from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.experiments.masking.readings import TITLES
from emoscope.experiments.performance.names import METHODS, OF_SEVERAL, WORDS
from emoscope.perturbation.pair_tables import ORIGINS
from emoscope.reporting.html import (
    badge,
    cell,
    details,
    html_table,
    listed,
    number,
    p_value,
    percent,
    plural,
    signed,
    unsigned,
)
from emoscope.reporting.passages import passage
from emoscope.reporting.several_labels import how_to_read_groups
from emoscope.statistics.ranks import FEWEST_TARGETS
from emoscope.storage.names import ALL, WHOLE_BLOCK
from emoscope.verdicts.comparison.leaders import beside_leaders, leading_blocks, leading_heads, silenced_blocks
from emoscope.verdicts.comparison.scores import ABOVE, CHEAP, CLASS_SCORES
from emoscope.verdicts.comparison.summarise import SHUFFLES, agreement, first_block_verdicts
from emoscope.verdicts.comparison.tables import both, seeds_of, spread_told, tally, unbroken, with_spread

say = partial(passage, "comparison")
SCORES = {"accuracy": "accuracy", "auc_ovr": "AUC", "macro_f1": "macro F1"}
RATES = {
    "changed": "predictions that change",
    "control_changed": "with neutral words instead",
    "excess_changed": "beyond the neutral words",
    "excess_large": "moved by 10 % or more, beyond",
}
BY = {"probability": "by probability", "margin": "by logit margin", "accuracy": "by accuracy"}


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
        parts.append(both(part, named, f"{topic.capitalize()}, {ORIGINS[origin]}: {sides}.", signed))
    return details("Mean gaps of probability, class by class", *parts) if parts else Markup()


def profile_panels(masks: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """The effects of masked blocks by condition and measure, for `depth_profiles`."""
    whole = masks[masks["head"] == WHOLE_BLOCK]
    return {
        one.title: {
            TITLES[measure]: whole[(whole["condition"] == condition) & (whole["measure"] == measure)]
            for measure in ("probability", "margin")
        }
        for condition, one in BLOCKS.items()
        if (whole["condition"] == condition).any()
    }


def without_bias(masks: pd.DataFrame) -> Markup:
    """Which groups have no bias that the published code's mask could silence, if others have one."""
    rows = masks[masks["head"] == WHOLE_BLOCK]
    published = set(rows.loc[rows["condition"] == "published", "group"])
    lacking = [group for group in dict.fromkeys(rows["group"]) if group not in published]
    return say("without_bias", lacking=lacking if published else [])


def leader_table(masks: pd.DataFrame, alpha: float) -> Markup:
    """Which block leads in each run, what it costs, and what the next one does."""
    leaders = leading_blocks(masks, alpha)
    own, rivals = beside_leaders(masks, leaders)
    last = silenced_blocks(masks, "margin").groupby("run")["block"].max()
    rows = [
        {
            "run": unbroken(run),
            "block that leads": f"{lead['block']} (last: {last[run]})" if lead["certain"] else "none for certain",
            "logit margin": cell(lead),
            "share": percent(lead["share"], 0),
            "P(own class)": cell(own.loc[run]),
            "P(own class), next block": _with_block(rivals.loc[run]) if run in rivals.index else "n/a",
        }
        for run, lead in leaders.iterrows()
    ]
    return html_table(rows, say("leaders"), text=("run",))


def first_block_table(masks: pd.DataFrame, alpha: float) -> Markup:
    """The verdicts on "only the first block matters", run by run and measure by measure."""
    rows = [
        {"run": unbroken(run)} | {by: badge(verdicts[measure]) for measure, by in BY.items()}
        for run, verdicts in first_block_verdicts(masks, alpha).iterrows()
    ]
    margins = {name: silenced_blocks(masks, name)["equivalence_margin"].iloc[0] for name in ("probability", "margin")}
    return html_table(rows, say("first_block", **margins), text=("run", *BY.values()))


def first_block_reading(masks: pd.DataFrame, runs: Mapping[str, Mapping], alpha: float) -> Markup:
    """What became of "only the first block matters" in each group."""
    leaders, verdicts = leading_blocks(masks, alpha), first_block_verdicts(masks, alpha)
    named = leaders["block"].map("block {}".format).where(leaders["certain"], "no block")
    groups = [
        (
            group,
            tally(named[names]),
            "; ".join(f"{tally(verdicts.loc[names, measure])} {by}" for measure, by in BY.items()),
        )
        for group, names in seeds_of(runs).items()
    ]
    return say("first_block_reading", groups=groups)


def correlation_panels(correlations: pd.DataFrame, runs: Mapping[str, Mapping]) -> dict[str, pd.DataFrame]:
    """Mean rank correlations of block importance by logit margin, groups by groups, for each condition that has any."""
    groups, found = list(seeds_of(runs)), {}
    for condition, one in BLOCKS.items():
        rows = agreement(correlations, "blocks", condition, "margin")
        table = pd.DataFrame(np.nan, index=groups, columns=groups)
        for row in rows.itertuples():
            table.loc[row.first_group, row.second_group] = table.loc[row.second_group, row.first_group] = row.mean
        if table.notna().to_numpy().any():
            found[one.short] = table
    return found


def correlation_table(correlations: pd.DataFrame, part: str) -> Markup:
    """Mean, range and p of the rank correlations within and between groups; those of other masks to unfold."""
    conditions = list(dict.fromkeys(correlations.loc[correlations["part"] == part, "condition"]))
    main = [name for name in conditions if name in ("described", "zero")]
    caption = say("correlations", shuffles=SHUFFLES, fewest=FEWEST_TARGETS)
    shown = html_table(_correlation_rows(correlations, part, main), caption, text=("between", "importance"))
    rest = _correlation_rows(correlations, part, [name for name in conditions if name not in main])
    return shown + details("Other masks", html_table(rest, "", text=("between", "importance"))) if rest else shown


def _correlation_rows(correlations: pd.DataFrame, part: str, conditions: Sequence[str]) -> list[dict]:
    masks = {"blocks": BLOCKS, "heads": HEADS}[part]
    return [
        {
            "between": f"seeds of {row['first_group']}"
            if row["within"]
            else f"{row['first_group']} and {row['second_group']}",
            "importance": f"{TITLES[measure].removeprefix('change of ')}, {masks[condition].short}",
            "points": number(row["points"]),
            "pairs of runs": number(row["pairs"]),
            "mean correlation": signed(row["mean"]),
            "lowest to highest": ""
            if row["pairs"] == 1 or pd.isna(row["mean"])
            else f"{signed(row['lowest'])} to {signed(row['highest'])}",
            "p": p_value(row["p"]),
        }
        for condition in conditions
        for measure in ("margin", "probability")
        for row in agreement(correlations, part, condition, measure).to_dict("records")
    ]


def heads_apart(correlations: pd.DataFrame, runs: Mapping[str, Mapping], models: Mapping[str, Mapping]) -> Markup:
    """Between which runs heads may be compared one by one, and between which not."""
    random = [
        group for group, names in seeds_of(runs).items() if models[runs[names[0]]["model"]]["source"] == "scratch"
    ]
    return say("heads_apart", random=random, shared=(correlations["part"] == "heads").any())


def head_table(masks: pd.DataFrame, curves: pd.DataFrame, alpha: float) -> Markup:
    """In each run the head that costs most, and how many carry half of what all cost, beside noise alone."""
    rows = [
        {
            "run": unbroken(run),
            "heads": number(lead["heads"]),
            "leads": f"block {lead['block']}, head {lead['head']}" if lead["certain"] else "none for certain",
            "logit margin": cell(lead),
            "carry half": number(lead["half"]),
            "by noise alone": number(lead["noise"]),
            "different": number(lead["different"]),
            "equivalent to none": number(lead["equivalent"]),
        }
        for run, lead in leading_heads(masks, curves, alpha).iterrows()
    ]
    return html_table(rows, say("heads"), text=("run",))


def _with_block(row: pd.Series) -> Markup:
    return cell(row) + Markup(' <span class="interval">block {}</span>').format(row["block"])


def _test_scores(measures: pd.DataFrame) -> pd.DataFrame:
    """What runs and groups reach on all test texts."""
    return measures[(measures["topic"] == "performance") & (measures["origin"] == "all")]
