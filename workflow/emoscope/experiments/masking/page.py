"""What the masking report says: tables and sentences over the masking summaries."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.reporting.html import (
    badge,
    estimate,
    headline,
    html_table,
    listed,
    number,
    outcome,
    percent,
    prose,
    signed,
    unsigned,
)
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.settings import resampling
from emoscope.storage.names import ALL, WHOLE_BLOCK

KINDS = {"different": "different", "equivalent": "equivalent", "open": "underpowered"}
FIRST = 0  # the block that the paper calls head 0, or head 1
MEASURES = {
    "probability": "change of P(own class)",
    "margin": "change of the logit margin",
    "accuracy": "change of accuracy",
}
TITLES = {name: condition.title for name, condition in BLOCKS.items()}


def main_result(summary: pd.DataFrame, alpha: float) -> Markup:
    """The headline: the block whose silencing costs most accuracy."""
    row, blocks = _costliest(summary), summary["block"].nunique()
    effect = estimate(row["change"], row["low"], row["high"])
    if row["change"] >= 0 or row["p_adjusted"] > alpha:
        return headline("Silencing one of the {n} attention blocks changes accuracy in no case for certain.", n=blocks)
    return headline(
        "Of {n} attention blocks, silencing block {block} costs most: accuracy of the confident texts changes by "
        "{effect}.",
        n=blocks,
        block=row["block"],
        effect=effect,
    )


def sampling(samples: pd.DataFrame, classes: Sequence[str], settings: dict) -> Markup:
    """Which texts were masked."""
    counts = samples["group"].value_counts().sort_index()
    return prose(
        "The texts: for each class the {n} test texts of which the classifier is most sure, grouped by the {by} class "
        "({counts}). Their mean confidence is {confidence}, and {right} of them are classified correctly.",
        n=settings["samples"]["per_class"],
        by="predicted" if settings["samples"]["by"] == "predicted" else "true",
        counts=listed(f"{classes[group]} {count}" for group, count in counts.items()),
        confidence=number(samples["confidence"].mean()),
        right=percent((samples["pred"] == samples["label"]).mean()),
    )


def groups_of(summary: pd.DataFrame) -> list[str]:
    """The classes whose samples were masked, in their order."""
    return [name for name in dict.fromkeys(summary["group"]) if name != ALL]


def by_block(summary: pd.DataFrame, condition: str, measure: str) -> pd.DataFrame:
    """Mean changes with whole blocks masked: rows are blocks, columns classes."""
    rows = _whole(summary, condition, measure)
    wide = rows[rows["group"] != ALL].pivot(index="block", columns="group", values="change")
    return wide[[name for name in groups_of(summary) if name in wide]]


def side_by_side(summary: pd.DataFrame, classes: Sequence[str], table1: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Tables of blocks by classes: the paper's table 1, its procedure repeated here, and what its text describes.

    All have the same blocks; classes without samples, and blocks that a model lacks, are NaN.
    """
    tables = {
        "paper, table 1": table1.set_index("block"),
        "here, the authors' code": by_block(summary, "published", "first_class"),
        "here, the paper's text": by_block(summary, "described", "probability"),
    }
    blocks = sorted(set().union(*(table.index for table in tables.values())))
    return {
        title: table.reindex(index=blocks, columns=table.columns if title.startswith("paper") else classes)
        for title, table in tables.items()
        if table.size
    }


def both_procedures(summary: pd.DataFrame, classes: Sequence[str], table1: pd.DataFrame) -> Markup:
    """The first block's row of table 1, beside what the authors' code and what the paper's text gives here."""
    code, text = (
        _whole(summary, *which).query("block == @FIRST").set_index("group")
        for which in (("published", "first_class"), ("described", "probability"))
    )
    rows = [
        {
            "texts of class": name,
            "paper, table 1": signed(_printed(table1, name)),
            f"authors' code: P({classes[0]})": _cell(code, name),
            "paper's text: P(own class)": _cell(text, name),
        }
        for name in groups_of(summary)
    ]
    caption = f"Attention block {FIRST} masked: mean changes of probability with bootstrap intervals."
    return html_table(rows, caption, text=("texts of class",))


def headroom(samples: pd.DataFrame, classes: Sequence[str], table1: pd.DataFrame) -> Markup:
    """How far each class's probability can rise in its own texts, beside the rise that the paper prints."""
    rows = []
    for group, table in samples.groupby("group"):
        name = classes[group]
        room = 1 - table[f"p_{name}"].mean()
        printed = _printed(table1, name)
        rows.append(
            {
                "texts of class": name,
                "texts": number(len(table)),
                "mean P(own class)": number(1 - room),
                "room to rise": signed(room),
                "paper's change": signed(printed),
                "possible here": "" if pd.isna(printed) else "yes" if printed <= room else "no",
                f"mean P({classes[0]})": unsigned(table[f"p_{classes[0]}"].mean()),
            }
        )
    caption = "Before anything is masked. A mean probability cannot rise by more than what is left above it."
    return html_table(rows, caption, text=("texts of class", "possible here"))


def explanation(
    summary: pd.DataFrame, samples: pd.DataFrame, classes: Sequence[str], table1: pd.DataFrame, settings: dict
) -> Markup:
    """Why table 1 can show a large fall in one column and large rises in all others."""
    first, confidence = classes[0], samples["confidence"].mean()
    printed = table1.set_index("block").loc[FIRST]
    code, text = (
        _whole(summary, *which).query("block == @FIRST and group != @ALL")
        for which in (("published", "first_class"), ("described", "probability"))
    )
    if len(code):
        repeated = prose(
            "Repeated on this model, the authors' code changes P({first}) by {low} to {high}, depending on the "
            "class of the texts. {reading}",
            first=first,
            low=signed(code["change"].min()),
            high=signed(code["change"].max()),
            reading=_reading(code, text, first, settings["statistics"]["margin"]),
        )
    elif "published" in settings["masking"]["block_conditions"]:
        repeated = prose(
            "This model's attention projection has no bias, so the authors' code would change nothing in it."
        )
    else:
        repeated = prose(
            "The authors' code was not repeated in this run (see masking.block_conditions in the settings)."
        )
    chosen = prose(
        "The texts were chosen because the classifier is sure of them, so P(own class) has little room to rise: in "
        "the authors' log files the baseline confidence is above 0.9999, here it is {confidence} on average. Yet "
        "table 1 prints rises of up to {rise} ({name}). {enough}",
        confidence=number(confidence),
        rise=signed(printed.max()),
        name=printed.idxmax(),
        enough="This model is not sure enough to show it: its texts leave room for such rises."
        if 1 - confidence > printed.max()
        else "",
    )
    stored = prose(
        "What can rise is P({first}), which the code stored in every column. It is near its floor in the texts of "
        "all other classes, so that a large change can only be a rise there, and near its ceiling in the texts of "
        "{first} alone, so that a large change can only be a fall there: one negative column, and all others "
        "positive, as in table 1.",
        first=first,
    )
    return Markup("\n").join([chosen, stored, repeated])


def _reading(code: pd.DataFrame, text: pd.DataFrame, first: str, margin: float) -> str:
    """What the repeated code shows: the predicted signs, or that zeroing the bias does next to nothing."""
    if code["change"].abs().max() < margin:
        most = text.loc[text["change"].abs().idxmax()]
        return (
            "Zeroing the bias alone does next to nothing to it, whereas silencing the block changes "
            f"P({most['group']}) of {most['group']} texts by {signed(most['change'])}: the two are not the same "
            "experiment."
        )
    large = code[code["change"].abs() >= margin]
    expected = np.where(large["group"] == first, -1, 1)
    agreeing = int((np.sign(large["change"]) == expected).sum())
    return f"Of the {len(large)} changes of {margin:g} or more, {agreeing} have the sign so predicted."


def block_estimates(summary: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """For each measure `block, condition, change, low, high` of every block, all texts together."""
    conditions = [name for name in ("described", "mean") if name in set(summary["condition"])]
    return {
        title: pd.concat([_whole(summary, name, measure).query("group == @ALL") for name in conditions]).assign(
            condition=lambda table: table["condition"].map(TITLES)
        )
        for measure, title in MEASURES.items()
    }


def block_findings(summary: pd.DataFrame) -> Markup:
    """For which blocks an effect was found, for which "no effect" was shown, and for which the texts cannot tell."""
    rows = _whole(summary, "described", "probability")
    together, by_class = rows[rows["group"] == ALL], rows[rows["group"] != ALL]
    blocks = {verdict: part["block"] for verdict, part in together.groupby("verdict")}
    counts = by_class["verdict"].value_counts()
    costliest = _costliest(summary)
    return prose(
        "Over the {n} texts of all classes together, P(own class) changes with {different} silenced. With {equivalent} "
        "silenced it was shown to stay within {margin:g} of zero. The texts are too few to tell for {open}; the "
        "smallest mean change that they show with 80 % power is between {least} and {most}, depending on the block. "
        "Class by class, with {fewest} to {largest} texts, {cells_different} of {cells} changes differ from zero, "
        "{cells_equivalent} are shown to lie within the margin, and {cells_open} cannot be told; there a change may "
        "have to reach {hidden} to be found. {costliest}; the paper names block {first}.",
        n=together["texts"].max(),
        margin=rows["equivalence_margin"].iloc[0],
        **{name: _blocks(blocks.get(verdict, [])) for name, verdict in KINDS.items()},
        least=unsigned(together["detectable"].min()),
        most=unsigned(together["detectable"].max()),
        fewest=by_class["texts"].min(),
        largest=by_class["texts"].max(),
        cells=len(by_class),
        **{f"cells_{name}": counts.get(verdict, 0) for name, verdict in KINDS.items()},
        hidden=unsigned(by_class["detectable"].max()),
        first=FIRST,
        costliest=f"Most accuracy is lost with block {costliest['block']}"
        if costliest["change"] < 0
        else "No block costs accuracy",
    )


def block_table(summary: pd.DataFrame, alpha: float) -> Markup:
    """Effect of each silenced block on all texts, for three measures, each with its verdict."""
    tables = {
        measure: _whole(summary, "described", measure).query("group == @ALL").set_index("block") for measure in MEASURES
    }
    rows = [
        {"block": block}
        | {
            key: cell
            for measure, title in MEASURES.items()
            for key, cell in (
                (title, _cell(tables[measure], block, alpha)),
                (f"verdict on {measure}", _verdict(tables[measure].loc[block])),
            )
        }
        for block in tables["probability"].index
    ]
    margins = {measure: table["equivalence_margin"].iloc[0] for measure, table in tables.items()}
    caption = (
        "One attention block silenced (weight and bias), texts of all classes together: mean change with bootstrap "
        f"interval, in bold where p is at most {alpha:g} after Benjamini-Hochberg over all blocks and classes. "
        f"Equivalent: shown to lie within {margins['probability']:g} of zero (probability and accuracy) or within "
        f"{margins['margin']:g} (logits: a logit moved by that moves no probability by more than "
        f"{margins['probability']:g}). After each verdict the smallest change found with 80 % power."
    )
    return html_table(rows, caption, text=[f"verdict on {measure}" for measure in MEASURES])


def verdict_table(summary: pd.DataFrame, measure: str, caption: str) -> Markup:
    """Rows are silenced blocks, columns classes, cells the verdict on "no effect" and the detectable change."""
    groups = [*groups_of(summary), ALL]
    rows = [
        {"block": block, **{name: _verdict(part.set_index("group").loc[name]) for name in groups}}
        for block, part in _whole(summary, "described", measure).groupby("block")
    ]
    return html_table(rows, caption, text=groups)


def full_table(summary: pd.DataFrame, condition: str, measure: str, alpha: float, caption: str) -> Markup:
    """Rows are blocks, columns classes, cells changes with intervals, in bold where they survive FDR control."""
    rows = [
        {"block": block, **{name: _cell(part.set_index("group"), name, alpha) for name in [*groups_of(summary), ALL]}}
        for block, part in _whole(summary, condition, measure).groupby("block")
    ]
    return html_table(rows, caption)


def head_maps(summary: pd.DataFrame, measure: str, alpha: float) -> tuple[dict, dict]:
    """Changes of all texts by block and head, and where they survive FDR control; both by condition."""
    rows = summary[(summary["head"] != WHOLE_BLOCK) & (summary["group"] == ALL) & (summary["measure"] == measure)]
    wide = {
        HEADS[name].title: part.pivot(index="block", columns="head", values=["change", "p_adjusted"])
        for name, part in rows.groupby("condition", sort=False)
    }
    changes = {title: table["change"] for title, table in wide.items()}
    return changes, {title: table["p_adjusted"] <= alpha for title, table in wide.items()}


def head_table(summary: pd.DataFrame, count: int, alpha: float) -> Markup:
    """The true heads whose silencing changes the logit margin most."""
    rows = summary[(summary["head"] != WHOLE_BLOCK) & (summary["group"] == ALL) & (summary["condition"] == "zero")]
    tables = {measure: rows[rows["measure"] == measure].set_index(["block", "head"]) for measure in MEASURES}
    order = tables["margin"]["change"].abs().sort_values(ascending=False).index[:count]
    shown = [
        {
            "block": block,
            "head": head,
            **{title: _cell(tables[measure], (block, head), alpha) for measure, title in MEASURES.items()},
        }
        for block, head in order
    ]
    caption = f"The {len(shown)} true heads whose silencing moves the logit margin most; in bold as above."
    return html_table(shown, caption)


def all_but(summary: pd.DataFrame, classes: Sequence[str], table2: pd.DataFrame) -> Markup:
    """Every attention block but the first silenced: the paper's table 2 beside both procedures here."""
    paper = table2.set_index("label")["difference"]
    columns = {
        f"authors' code: P({classes[0]})": ("published", "first_class"),
        "paper's text: P(own class)": ("described", "probability"),
        "paper's text: accuracy": ("described", "accuracy"),
    }
    tables = {
        title: _whole(summary, *which).query("block == @FIRST").set_index("group") for title, which in columns.items()
    }
    rows = [
        {
            "texts of class": name,
            "paper, table 2": signed(paper.get(name, np.nan)),
            **{title: _cell(table, name) for title, table in tables.items()},
        }
        for name in [*groups_of(summary), ALL]
    ]
    return html_table(
        rows,
        f"Every attention block but block {FIRST} silenced: mean changes with bootstrap intervals.",
        text=("texts of class",),
    )


def controls(truth: dict, samples: pd.DataFrame, masks: pd.DataFrame, statistics: dict) -> list:
    """Planted sentences that only composition of words can solve should need attention more than the others.

    `masks` are the masked predictions of all blocks. Compared is the mean change of accuracy over all blocks, each
    silenced in turn, between texts with and without composition.
    """
    described = masks[(masks["head"] == WHOLE_BLOCK) & (masks["condition"] == "described")]
    names = [column for column in described if column.startswith("p_")]
    after = described.assign(pred=described[names].to_numpy().argmax(axis=1)).merge(samples[["id", "label"]], on="id")
    lost = (after["pred"] == after["label"]).groupby(after["id"]).mean() - (
        samples["pred"] == samples["label"]
    ).groupby(samples["id"]).mean()
    composed = lost.index.isin(truth["ids"]["negation"] + truth["ids"]["contrast"])
    planted = "Negations and contrasts, whose meaning lies in how words combine, so they should need attention most."
    if composed.all() or not composed.any():
        return [{"planted": planted, "found": "no such text among the confident ones", "verdict": "cannot tell"}]
    values = lost.to_numpy(dtype=float)

    def difference(weights: np.ndarray) -> float:
        kinds = (composed, ~composed)
        if not all(weights[kind].any() for kind in kinds):
            return np.nan
        with_, without = (np.average(values[kind], weights=weights[kind]) for kind in kinds)
        return with_ - without

    interval = bootstrap_statistic(
        difference,
        lost.index.to_numpy(),
        **resampling(statistics),
    )
    value = difference(np.ones(len(values)))
    return [
        {
            "planted": planted,
            "found": Markup(
                "silencing a block changes their accuracy by {} more than that of others ({} of {} texts)"
            ).format(estimate(value, *interval), int(composed.sum()), len(composed)),
            "verdict": outcome(interval.high < 0, missed=interval.low > 0),
        }
    ]


def _blocks(numbers: Sequence[int]) -> str:
    """Blocks in words."""
    return f"block{'s' if len(numbers) > 1 else ''} {listed(numbers)}" if len(numbers) else "no block"


def _costliest(summary: pd.DataFrame) -> pd.Series:
    rows = _whole(summary, "described", "accuracy").query("group == @ALL")
    return rows.loc[rows["change"].idxmin()]


def _whole(summary: pd.DataFrame, condition: str, measure: str) -> pd.DataFrame:
    rows = summary[summary["head"] == WHOLE_BLOCK]
    return rows[(rows["condition"] == condition) & (rows["measure"] == measure)]


def _printed(table1: pd.DataFrame, name: str) -> float:
    return table1.set_index("block")[name].get(FIRST, np.nan) if name in table1 else np.nan


def _cell(table: pd.DataFrame, key, alpha: float = 0.0) -> str | Markup:
    """The estimate in one row of a summary, in bold where its adjusted p is at most `alpha`."""
    if key not in table.index:
        return "n/a"
    row = table.loc[key]
    cell = estimate(row["change"], row["low"], row["high"])
    return Markup("<strong>{}</strong>").format(cell) if row["p_adjusted"] <= alpha else cell


def _verdict(row: pd.Series) -> Markup:
    """The verdict on "no effect" and, after it, the smallest effect that the texts probably show."""
    return Markup('{} <span class="interval">{}</span>').format(badge(row["verdict"]), unsigned(row["detectable"]))
