"""What the comparison says: all runs side by side, and whether seeds and architectures agree."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.flips.axes import AXES
from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.reporting.html import (
    badge,
    details,
    estimate,
    headline,
    html_table,
    listed,
    number,
    p_value,
    percent,
    plural,
    prose,
    signed,
    unsigned,
)
from emoscope.statistics.ranks import FEWEST_TARGETS
from emoscope.storage.names import ALL, WHOLE_BLOCK
from emoscope.verdicts.comparison.summarise import CLASS_SCORES, SHUFFLES, only_first_matters

SCORES = {"accuracy": "accuracy", "auc_ovr": "AUC", "macro_f1": "macro F1"}
RATES = {
    "changed": "predictions that change",
    "control_changed": "with neutral words instead",
    "excess_changed": "beyond the neutral words",
    "excess_large": "moved by 10 % or more, beyond",
}
ORIGINS = {"natural": "test texts", "template": "templates", "published": "all words as published"}
BY = {"probability": "by probability", "margin": "by logit margin", "accuracy": "by accuracy"}
SPREAD = "in round brackets the standard deviation between seeds"
MEASURES = {"probability": "change of P(own class)", "margin": "change of the logit margin", "accuracy": "accuracy"}


def main_result(measures: pd.DataFrame, masks: pd.DataFrame, correlations: pd.DataFrame, alpha: float) -> Markup:
    """The headline: the range of accuracy, whether only the first block matters, and how far the profiles agree."""
    accuracy = _groups(measures, "performance", "all", "accuracy")["value"]
    leaders = leading_blocks(masks, alpha)
    verdicts = first_block_verdicts(masks, alpha)
    between = _agreement(correlations, "blocks", "described", "margin").dropna(subset="mean")
    kinds = {"between seeds": between[between["within"]], "between set-ups": between[~between["within"]]}
    agreement = [
        f"{signed(rows['mean'].mean())} {name} (p at most {p_value(rows['p'].max())})"
        for name, rows in kinds.items()
        if len(rows)
    ]
    return headline(
        "{groups} with {runs} in all: test accuracy {accuracy}. The first block's attention matters most in {first} of "
        "{n} runs. That it alone matters is, by probability, {probability}; by the logit margin, {margin}.{agreement}",
        groups=plural(len(accuracy), "set-up"),
        runs=plural(len(leaders), "run"),
        accuracy=_between(accuracy),
        first=int(((leaders["block"] == 0) & leaders["certain"]).sum()),
        n=len(leaders),
        **{name: _tally(verdicts[name]) for name in ("probability", "margin")},
        agreement=f" Mean rank correlation of block importance: {listed(agreement)}." if agreement else "",
    )


def setups(runs: Mapping[str, Mapping], models: Mapping[str, Mapping], trainings: Mapping[str, Mapping]) -> Markup:
    """What each group is, and what its trainings took."""
    rows = []
    for group, names in _seeds(runs).items():
        run = runs[names[0]]
        model, training = models[run["model"]], run["training"]
        seconds = np.array([trainings[name]["seconds"] for name in names])
        parameters = trainings[names[0]]["parameters"]
        resumed = [name for name in names if trainings[name]["resumed_from_step"]]
        spread = f" \N{PLUS-MINUS SIGN} {seconds.std(ddof=1):,.0f}" if len(seconds) > 1 else ""
        rows.append(
            {
                "set-up": _unbroken(group),
                "seeds": listed(runs[name]["seed"] for name in names),
                "corpus": run["corpus"],
                "model": run["model"],
                "starts from": model.get("repository") or model.get("package") or model.get("path") or "random weights",
                "blocks": number(model["blocks"]),
                "parameters": number(parameters),
                "training": f"{plural(training['epochs'], 'epoch')}, {trainings[names[0]]['precision']}",
                "seconds": f"{seconds.mean():,.0f}{spread}" + (", resumed" if resumed else ""),
            }
        )
    caption = (
        "The set-ups, entries of <code>runs</code> in the configuration. Seconds of training: mean and standard "
        "deviation over the seeds, whatever else the machine had to do; of a resumed training the last stretch only."
    )
    return html_table(rows, Markup(caption), text=("set-up", "seeds", "corpus", "model", "starts from", "training"))


def reading(runs: Mapping[str, Mapping], statistics: Mapping) -> Markup:
    """What an interval of a group covers, and for which groups it covers less."""
    seeds = _seeds(runs)
    lone = [group for group, names in seeds.items() if len(names) == 1]
    two = [group for group, names in seeds.items() if len(names) == 2]
    parts = [
        prose(
            "A set-up is one corpus, model and recipe; its runs differ in their seed only, which draws the random "
            "weights and the order of the training texts. A set-up's number is the mean over its seeds. Its {level} "
            "interval covers the choice of texts and that of seeds: since seeds are judged on the same texts, more of "
            "them make a mean no surer of the texts, so half of its width is the root of the sum of two squares, the "
            "mean half-width over texts and that over seeds (Student's t). It errs on the wide side. In round brackets "
            "stands the standard deviation between seeds. Set-ups on one corpus share its test texts, too, so that "
            "their difference is surer than two intervals side by side suggest.",
            level=percent(statistics["confidence"], 0),
        )
    ]
    if lone:
        parts.append(
            prose(
                "Only one seed: {groups}. The interval covers the choice of texts alone there: another seed may well "
                "lie outside.",
                groups=listed(lone),
            )
        )
    if two:
        parts.append(
            prose(
                "Only two seeds: {groups}. From two one learns little about a third: t is 12.7 at 95 %, hence the "
                "width of these intervals.",
                groups=listed(two),
            )
        )
    if len(seeds) > 1:
        parts.append(
            prose(
                "Set-ups may differ in corpus, pretraining and recipe as well as in architecture: what tells two of "
                "them apart need not be the architecture."
            )
        )
    return Markup("\n").join(parts)


def score_panels(measures: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Accuracy, AUC and F1 on the test set, for `group_intervals`."""
    rows = measures[(measures["topic"] == "performance") & (measures["origin"] == "all")]
    return {title: rows[rows["measure"] == name] for name, title in SCORES.items()}


def score_table(measures: pd.DataFrame) -> Markup:
    """Accuracy, AUC and F1 of every group, with the spread between its seeds; of every run to unfold."""
    found = {
        **{("all", name): title for name, title in SCORES.items()},
        ("distinct", "accuracy"): "accuracy, texts not known from training",
    }
    rows = measures[measures["topic"] == "performance"]
    caption = f"Test set. Mean over seeds with interval; {SPREAD}."
    return _both(rows, found, caption, unsigned)


def class_table(measures: pd.DataFrame) -> Markup:
    """Recall and precision of every class in every group, to unfold."""
    rows = measures[(measures["topic"] == "performance") & (measures["origin"] == "all") & (measures["run"] == ALL)]
    tables = []
    for score in CLASS_SCORES:
        found = rows[rows["measure"].str.startswith(f"{score}_")]
        by_class = [
            {"class": name.removeprefix(f"{score}_")}
            | {group: _cell(own[own["group"] == group], unsigned) for group in dict.fromkeys(found["group"])}
            for name, own in found.groupby("measure", sort=False)
        ]
        tables.append(html_table(by_class, f"{score.capitalize()} in the test set; {SPREAD}.", text=("class",)))
    return details("Recall and precision, class by class", *tables)


def excess_panels(measures: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """How many more predictions change than with neutral words, for each kind that has such controls."""
    rows = measures[(measures["measure"] == "excess_changed") & measures["value"].notna()]
    kinds = rows.groupby(["topic", "origin"], sort=False)
    return {f"{topic}, {ORIGINS.get(origin, origin)}": table for (topic, origin), table in kinds}


def rate_table(measures: pd.DataFrame) -> Markup:
    """The rates of every perturbation; of every run to unfold."""
    parts = []
    for topic in [name for name in dict.fromkeys(measures["topic"]) if name != "performance"]:
        rows = measures[measures["topic"] == topic]
        for origin in dict.fromkeys(rows["origin"]):
            found = {(origin, name): title for name, title in RATES.items()}
            if origin == "word":
                found = {(origin, "words_flagged"): "share of the words that are flagged when replaced alone"}
            caption = f"{topic.capitalize()}, {ORIGINS.get(origin, 'one word at a time')}; {SPREAD}."
            parts.append(_both(rows, found, caption, percent))
    return Markup("\n").join(parts)


def gap_table(measures: pd.DataFrame) -> Markup:
    """The gap between two groups of people in every class's probability."""
    rows = measures[measures["measure"].str.startswith("gap_")]
    parts = []
    for (topic, origin), part in rows.groupby(["topic", "origin"], sort=False):
        named = {(origin, name): f"P({name.removeprefix('gap_')})" for name in dict.fromkeys(part["measure"])}
        sides = " minus ".join(AXES[topic].groups)
        parts.append(_both(part, named, f"{topic.capitalize()}, {ORIGINS.get(origin, origin)}: {sides}.", signed))
    return details("Mean gaps of probability, class by class", *parts) if parts else Markup()


def profile_panels(masks: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """The effects of masked blocks by condition and measure, for `depth_profiles`."""
    whole = masks[masks["head"] == WHOLE_BLOCK]
    return {
        one.title: {
            MEASURES[measure]: whole[(whole["condition"] == condition) & (whole["measure"] == measure)]
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
    if not published or not lacking:
        return Markup()
    return prose(
        "Not everywhere is there a bias to silence: the attention of {groups} has none, hence no curve there.",
        groups=listed(lacking),
    )


def leading_blocks(masks: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """For each run the block that costs most logit margin when silenced: `block, value, low, high, certain, share`.

    `certain`: it does cost something, by FDR-adjusted p; otherwise no block leads. `share` is its part of what all
    blocks cost, each silenced alone; blocks that cost nothing count as nil.
    """
    rows = _silenced(masks, "margin")
    lead = rows.loc[rows.groupby("run", sort=False)["value"].idxmin()].set_index("run")
    costs = rows["value"].clip(upper=0).groupby(rows["run"]).sum()
    share = lead["value"].clip(upper=0) / costs.reindex(lead.index)
    return lead.assign(certain=_costs(lead, alpha), share=share)


def first_block_verdicts(masks: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Verdicts on "only the first block matters", rows are runs, columns measures."""
    return pd.DataFrame(
        {
            measure: {
                run: only_first_matters(rows, alpha)
                for run, rows in _silenced(masks, measure).groupby("run", sort=False)
            }
            for measure in MEASURES
        }
    )


def leader_table(masks: pd.DataFrame, alpha: float) -> Markup:
    """Which block leads in each run, what it costs, and what the next one does."""
    changes = _silenced(masks, "probability").set_index(["run", "block"])
    rows = []
    for run, lead in leading_blocks(masks, alpha).iterrows():
        own, others = changes.loc[(run, lead["block"])], changes.loc[run].drop(index=lead["block"])
        rival = others.loc[others["value"].abs().idxmax()] if len(others) else None
        rows.append(
            {
                "run": _unbroken(run),
                "block that leads": f"{lead['block']} (last: {len(others)})" if lead["certain"] else "none for certain",
                "logit margin": estimate(lead["value"], lead["low"], lead["high"]),
                "share": percent(lead["share"], 0),
                "P(own class)": estimate(own["value"], own["low"], own["high"]),
                "P(own class), next block": "n/a"
                if rival is None
                else Markup('{} <span class="interval">block {}</span>').format(
                    estimate(rival["value"], rival["low"], rival["high"]), rival.name
                ),
            }
        )
    caption = (
        "The block that costs the logit margin most when it is silenced, if any does for certain (p adjusted for the "
        "number of blocks); blocks are counted from 0. Share: of what all blocks cost, each silenced alone. Next: the "
        "other block that changes P(own class) most."
    )
    return html_table(rows, caption, text=("run",))


def first_block_table(masks: pd.DataFrame, alpha: float) -> Markup:
    """The verdicts on "only the first block matters", run by run and measure by measure."""
    verdicts = first_block_verdicts(masks, alpha)
    rows = [
        {"run": _unbroken(run)} | {by: badge(verdicts.loc[run, measure]) for measure, by in BY.items()}
        for run in verdicts.index
    ]
    margin, wide = (_silenced(masks, measure)["equivalence_margin"].iloc[0] for measure in ("probability", "margin"))
    caption = (
        "Only the first block matters: reproduced if its change is beyond the margin of no effect and every other "
        "block's was shown to lie within, contradicted if its own lies within or another's beyond, underpowered if "
        f"neither was shown. All texts together; the margin is {margin:g} for probability and accuracy, {wide:g} for "
        "logits."
    )
    return html_table(rows, caption, text=("run", *BY.values()))


def first_block_reading(masks: pd.DataFrame, runs: Mapping[str, Mapping], alpha: float) -> Markup:
    """What became of "only the first block matters" in each group."""
    leaders, verdicts = leading_blocks(masks, alpha), first_block_verdicts(masks, alpha)
    sentences = []
    for group, names in _seeds(runs).items():
        lead = leaders.loc[names, "block"].map("block {}".format).where(leaders.loc[names, "certain"], "no block")
        told = [f"{_tally(verdicts.loc[names, measure])} {by}" for measure, by in BY.items()]
        sentence = "<li><strong>{}</strong>: what costs most is {}. That only the first block matters is {}.</li>"
        sentences.append(Markup(sentence).format(group, _tally(lead), "; ".join(told)))
    return Markup("<ul>{}</ul>").format(Markup("\n").join(sentences))


def correlation_panels(correlations: pd.DataFrame, runs: Mapping[str, Mapping]) -> dict[str, pd.DataFrame]:
    """Mean rank correlations of block importance by logit margin, groups by groups, for each condition that has any."""
    groups, found = list(_seeds(runs)), {}
    for condition, one in BLOCKS.items():
        rows = _agreement(correlations, "blocks", condition, "margin")
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
    caption = (
        "Spearman's rank correlation of importance, which is how much of the measure is lost. p: two-sided, by "
        f"permutation of the points, in all orders or in {SHUFFLES:,} random ones; of several pairs of runs the "
        "largest, so that a small one speaks for every pair. It is not adjusted for the number of rows, and "
        f"neighbouring blocks, which are alike, make it too small. n/a: fewer than {FEWEST_TARGETS} points."
    )
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
            "importance": f"{MEASURES[measure].removeprefix('change of ')}, {masks[condition].short}",
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
        for row in _agreement(correlations, part, condition, measure).to_dict("records")
    ]


def heads_apart(correlations: pd.DataFrame, runs: Mapping[str, Mapping], models: Mapping[str, Mapping]) -> Markup:
    """Between which runs heads may be compared one by one, and between which not."""
    random = [group for group, names in _seeds(runs).items() if models[runs[names[0]]["model"]]["source"] == "scratch"]
    parts = []
    if random:
        parts.append(
            prose(
                "{groups} {verb} from random weights: there head 3 of one seed has nothing but its number in common "
                "with head 3 of another. Between such runs only sorted profiles are compared: how much the most "
                "important heads carry, whichever they are.",
                groups=listed(random),
                verb="starts" if len(random) == 1 else "start",
            )
        )
    if (correlations["part"] == "heads").any():
        parts.append(prose("Runs that start from the same pretrained weights share their heads: see the last table."))
    return Markup("\n").join(parts)


def head_curves(masks: pd.DataFrame) -> pd.DataFrame:
    """How much of what single silenced heads cost in all the most important carry: `group, run, share, carried`."""
    parts = []
    for (group, run), rows in _heads(masks).groupby(["group", "run"], sort=False):
        costs = np.sort(-rows["value"].clip(upper=0).to_numpy())[::-1]
        if costs.sum() > 0:
            share = np.arange(len(costs) + 1) / len(costs)
            carried = np.append(0, costs.cumsum() / costs.sum())
            parts.append(pd.DataFrame({"group": group, "run": run, "share": share, "carried": carried}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group", "run", "share", "carried"])


def head_table(masks: pd.DataFrame, curves: pd.DataFrame, alpha: float) -> Markup:
    """In each run the head that costs most, and how many carry half of what all cost."""
    half = curves[curves["carried"] >= 0.5].groupby("run")["share"].min()
    rows = []
    for run, heads in _heads(masks).groupby("run", sort=False):
        lead, verdicts = heads.loc[heads["value"].idxmin()], heads["verdict"].value_counts()
        rows.append(
            {
                "run": _unbroken(run),
                "heads": number(len(heads)),
                "leads": f"block {lead['block']}, head {lead['head']}" if _costs(lead, alpha) else "none for certain",
                "logit margin": estimate(lead["value"], lead["low"], lead["high"]),
                "carry half": number(round(half[run] * len(heads))) if run in half else "n/a",
                "different": number(int(verdicts.get("different", 0))),
                "equivalent to none": number(int(verdicts.get("equivalent", 0))),
            }
        )
    caption = (
        "Single heads silenced, one after another: the head that costs most, how many of the costliest carry half of "
        "the sum, and for how many an effect on the logit margin was found, or shown to lie within the margin of no "
        "effect."
    )
    return html_table(rows, caption, text=("run",))


def _both(rows: pd.DataFrame, found: Mapping[tuple[str, str], str], caption: str, form) -> Markup:
    """Groups with intervals and spread, and the runs to unfold where some group has several; nothing for no rows."""
    keys = list(zip(rows["origin"], rows["measure"], strict=True))
    rows = rows.assign(title=[found.get(key) for key in keys])
    rows = rows[rows["title"].notna() & rows["value"].notna()]
    titles = [title for title in dict.fromkeys(found.values()) if title in set(rows["title"])]
    whole = rows["run"] == ALL
    groups = _wide(rows[whole], "group", "set-up", titles, form)
    if (rows.loc[whole, "seeds"] <= 1).all():
        return html_table(groups, caption, text=("set-up",))
    runs = html_table(_wide(rows[~whole], "run", "run", titles, form), "", text=("run",))
    return html_table(groups, caption, text=("set-up",)) + details("Seed by seed", runs)


def _wide(rows: pd.DataFrame, by: str, label: str, titles: Sequence[str], form) -> list[dict]:
    return [
        {label: _unbroken(name), **{title: _cell(part[part["title"] == title], form) for title in titles}}
        for name, part in rows.groupby(by, sort=False)
    ]


def _cell(rows: pd.DataFrame, form) -> Markup | str:
    """An estimate and, in round brackets, the spread between seeds."""
    if rows.empty:
        return "n/a"
    row = rows.iloc[0]
    shown = estimate(row["value"], row["low"], row["high"], form=form)
    spread = form(row["spread"]).lstrip("+")
    return shown if pd.isna(row["spread"]) else Markup('{} <span class="interval">({})</span>').format(shown, spread)


def _groups(measures: pd.DataFrame, topic: str, origin: str, measure: str) -> pd.DataFrame:
    rows = measures[(measures["run"] == ALL) & (measures["topic"] == topic)]
    return rows[(rows["origin"] == origin) & (rows["measure"] == measure)]


def _silenced(masks: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The runs' silenced blocks, one measure."""
    rows = masks[(masks["run"] != ALL) & (masks["head"] == WHOLE_BLOCK)]
    return rows[(rows["condition"] == "described") & (rows["measure"] == measure)]


def _heads(masks: pd.DataFrame) -> pd.DataFrame:
    """The runs' single heads, what silencing them does to the logit margin; without such masks, their means instead."""
    rows = masks[(masks["run"] != ALL) & (masks["head"] != WHOLE_BLOCK) & (masks["measure"] == "margin")]
    return rows[rows["condition"] == ("zero" if (rows["condition"] == "zero").any() else "mean")]


def _agreement(correlations: pd.DataFrame, part: str, condition: str, measure: str) -> pd.DataFrame:
    """Correlations by pair of groups: `first_group, second_group, within, points, pairs, mean, lowest, highest, p`."""
    rows = correlations[(correlations["part"] == part) & (correlations["condition"] == condition)]
    rows = rows[rows["measure"] == measure]
    groups = rows.groupby(["first_group", "second_group"], sort=False)
    found = groups.agg(
        points=("points", "first"),
        pairs=("value", "size"),
        mean=("value", "mean"),
        lowest=("value", "min"),
        highest=("value", "max"),
        p=("p", "max"),
    ).reset_index()
    return found.assign(within=found["first_group"] == found["second_group"])


def _tally(found: pd.Series) -> str:
    """What was found in words: the finding of a single run, or each with how many runs have it."""
    counts, runs = found.value_counts(), len(found)
    return listed(f"{name} in {count} of {runs}" if runs > 1 else name for name, count in counts.items())


def _costs(rows: pd.DataFrame | pd.Series, alpha: float):
    """Whether a mask costs something for certain."""
    return (rows["value"] < 0) & (rows["p_adjusted"] <= alpha)


def _unbroken(name: str) -> Markup:
    """A name that no line break tears apart."""
    return Markup('<span class="run">{}</span>').format(name)


def _between(values: pd.Series) -> str:
    low, high = unsigned(values.min()), unsigned(values.max())
    return low if low == high else f"{low} to {high}"


def _seeds(runs: Mapping[str, Mapping]) -> dict[str, list[str]]:
    """The runs of each group, in their order."""
    found: dict[str, list[str]] = {}
    for run, about in runs.items():
        found.setdefault(about["name"], []).append(run)
    return found
