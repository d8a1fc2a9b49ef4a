"""What the residual write-up's page says: tables and sentences over its findings and tables."""

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from emoscope.data.paper import PAPER
from emoscope.reporting.html import estimate, headline, html_table, listed, marked, number, percent, prose, unsigned
from emoscope.writeups.residual.figures import visible
from emoscope.writeups.residual.positions import TEXTS

DICTIONARIES = ("autoencoder", "random tokens", "principal axes", "random directions")
CONDITIONS = {"original": "nothing replaced", **{name: name for name in DICTIONARIES}, "mean": "mean", "zero": "zero"}
BY_LOT = 12  # features shown whatever they are
PER_LABEL = 2
VECTORS = {
    "testing": "testing vector: own column, above the lowest",
    "row_mean": "mean probability over positions",
    "expected": "correlation with the column before",
}


class Findings:
    """Findings by name, as text with intervals."""

    def __init__(self, table: pd.DataFrame):
        self.rows = table.set_index("name")

    def value(self, name: str) -> float:
        return float(self.rows.loc[name, "value"])

    def shown(self, name: str, form=number) -> Markup:
        row = self.rows.loc[name]
        return estimate(row["value"], row["low"], row["high"], form)

    def under(self, prefix: str) -> list[str]:
        """The last parts of the names that begin with this."""
        return [name.removeprefix(prefix) for name in self.rows.index if name.startswith(prefix)]


def main_result(findings: Findings, settings: dict) -> Markup:
    """The headline: how much of the stream a few features hold, and when the prediction is settled."""
    wanted = settings["residual"]["autoencoder"]
    return headline(
        "Behind block {block}, {active} of {features} learned features per token explain {explained} of the residual "
        "stream and keep {recovered} of what the model loses when it is erased; as many principal axes explain {axes}, "
        "as many activations of other tokens {tokens}. The logit lens shows most final predictions {settled}.",
        block=wanted["block"],
        active=wanted["active"],
        features=number(wanted["features"]),
        explained=findings.shown("explained.autoencoder", percent),
        recovered=percent(findings.value("recovered.autoencoder.zero")),
        axes=percent(findings.value("explained.principal axes")),
        tokens=percent(findings.value("explained.random tokens")),
        settled=_settled(findings, settings),
    )


def is_the_notebooks_model(settings: dict) -> bool:
    """Whether the model is GPT-2 small, so that published numbers can be compared digit by digit."""
    return settings["model"].get("repository") == PAPER["model"]["repository"]


def comparability(settings: dict) -> Markup:
    """Whether published numbers and ours are of one model."""
    if is_the_notebooks_model(settings):
        return prose("This is the notebook's model, so every number should agree with the published one.")
    return prose(
        "The notebook used GPT-2 small. This is another model with other tokens, so its numbers stand here beside the "
        "published ones and need not agree; with GPT-2 small from the hub among the companions they can be compared."
    )


def who_leads(positions: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """At how many positions the sentence's next token is the likeliest of the sentence's tokens, ours and published."""
    rows = []
    for name, text in TEXTS.items():
        (ours, places), (theirs, published_places) = (
            _leads(table[(table["text"] == name) & (table["table"] == "probability")])
            for table in (positions, published)
        )
        rows.append({"text": text, "here": f"{ours} of {places}", "GPT-2 small": f"{theirs} of {published_places}"})
    caption = "Positions where, of the sentence's own tokens, the one that really follows is the most probable."
    return html_table(rows, caption, text=("text",))


def vector_tables(positions: pd.DataFrame, published: pd.DataFrame, text: str) -> Markup:
    """One number for each token of a text: ours, and the published one where the notebook printed it."""
    ours = positions[positions["text"] == text]
    theirs = published[published["text"] == text]
    tokens = ours.drop_duplicates("row").set_index("row")["token"]
    rows = []
    for place, token in tokens.sort_index().items():
        row = {"token": f"{place}\N{NO-BREAK SPACE}{visible(token)}"}
        for table, label in VECTORS.items():
            row[label] = _cell(ours, table, place)
            if table in set(theirs["table"]):
                row[f"{label}, published"] = _cell(theirs, table, place)
        rows.append(row)
    return html_table(rows, f"“{TEXTS[text]}”", text=("token",))


def probability_table(table: pd.DataFrame, text: str, caption: str) -> Markup:
    """P(token | position) of a text, a row for each token and a column for each position."""
    chosen = table[(table["text"] == text) & (table["table"] == "probability")]
    wide = chosen.pivot(index="row", columns="column", values="value")
    rows = [
        {"token": row, **{f"position {column}": f"{value:.2g}" for column, value in values.items()}}
        for row, values in wide.iterrows()
    ]
    return html_table(rows, caption)


def deviation(positions: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """How far the published tables are from ours; only for the notebook's own model."""
    both = published.merge(positions, on=["text", "table", "row", "column"], suffixes=("_published", ""))
    apart = (both["value"] - both["value_published"]).abs().groupby(both["table"], sort=False).max()
    sizes = both.groupby("table", sort=False).size()
    rows = [
        {"table": name, "numbers": number(int(sizes[name])), "largest deviation": f"{value:.1g}"}
        for name, value in apart.items()
    ]
    return html_table(rows, "Every published number against ours.", text=("table",))


def lens_sentences(findings: Findings, settings: dict, texts: int) -> Markup:
    """What the curves say, in words."""
    last = settings["model"]["blocks"]
    middle = last // 2
    return prose(
        "Over {texts} texts of the corpus <em>{corpus}</em>. Half way, at depth {middle}, the lens gives the model's "
        "final prediction a probability of {middle_p} and the true next token {middle_next}; one block before the end "
        "it is {late_p} and {late_next}, and at the end {end_p} and {end_next}. The lens agrees with most final "
        "predictions {settled}.",
        texts=texts,
        corpus=settings["residual"]["corpus"],
        middle=middle,
        settled=_settled(findings, settings),
        **{
            f"{name}{suffix}": findings.shown(f"lens.{of}.probability.depth{depth}")
            for name, depth in (("middle", middle), ("late", last - 1), ("end", last))
            for suffix, of in (("_p", "prediction"), ("_next", "next"))
        },
    )


def norm_sentences(findings: Findings) -> Markup:
    """How much longer the first position's vector is."""
    ratio = findings.value("norm.first") / findings.value("norm.others")
    where = findings.rows.loc["norm.first", "note"].split(",")[0]
    return prose(
        "At {where} the first position's vector is {first} long, those of all other positions {others}: {ratio} times "
        "as long. Attention is known to use such a vector as a place to rest (an "
        "<em>attention sink</em>); it says little about the text, and the autoencoder below leaves it out.",
        where=where,
        first=findings.shown("norm.first", unsigned),
        others=findings.shown("norm.others", unsigned),
        ratio=number(round(ratio)),
    )


def overlap_sentences(overlaps: pd.DataFrame) -> Markup:
    """How far the write directions are from chance."""
    trained, shuffled = (overlaps[overlaps["weights"] == kind] for kind in ("trained", "shuffled"))
    relative = trained["mean_square"] * trained["width"]
    first = trained.iloc[0]
    worst = trained.loc[trained["neurons_beyond"].idxmax()]
    return prose(
        "Each of the {blocks} blocks writes along {neurons} directions in {width} dimensions: {times} times more than "
        "could be at right angles. Two random directions have a squared cosine of 1/{width} on average; here it is "
        "{low} to {high} times as much, block by block, and {welch} times is the least that so many directions allow. "
        "Of random directions, not one pair would be expected beyond a cosine of ±{threshold}; here {beyond} of all "
        "neurons, averaged over blocks, have such a partner, and {worst} in block {block}. With dimensions shuffled it "
        "is {shuffled}; what exceeds that is not owed to some dimensions being larger than others.",
        blocks=len(trained),
        neurons=number(int(first["neurons"])),
        width=int(first["width"]),
        times=number(first["neurons"] / first["width"], 1),
        low=number(relative.min(), 2),
        high=number(relative.max(), 2),
        welch=number(first["welch"] * first["width"], 2),
        threshold=number(first["threshold"], 2),
        beyond=percent(trained["neurons_beyond"].mean()),
        worst=percent(worst["neurons_beyond"]),
        block=int(worst["block"]),
        shuffled=percent(shuffled["neurons_beyond"].mean()),
    )


def overlap_table(overlaps: pd.DataFrame) -> Markup:
    """Every block: all weights are known, so there are no intervals."""
    rows = []
    for block, parts in overlaps.groupby("block"):
        trained, shuffled = (parts[parts["weights"] == kind].iloc[0] for kind in ("trained", "shuffled"))
        rows.append(
            {
                "block": block,
                "directions": number(int(trained["neurons"])),
                "mean squared cosine over chance": number(trained["mean_square"] * trained["width"], 2),
                "the same, shuffled": number(shuffled["mean_square"] * shuffled["width"], 2),
                "neurons with a partner beyond chance": percent(trained["neurons_beyond"]),
                "shuffled": percent(shuffled["neurons_beyond"]),
                "largest |cosine|": number(trained["closest"], 2),
                "dimensions used": number(trained["dimensions"], 0),
            }
        )
    caption = "Dimensions used: the participation ratio, so many equally used dimensions would overlap as much."
    return html_table(rows, caption)


def autoencoder_panels(findings: Findings) -> dict[str, pd.DataFrame]:
    """Explained variance and next-token loss of every condition, for the figure."""
    panels = {
        "explained variance": [(f"explained.{name}", name) for name in DICTIONARIES],
        "next-token loss (nats)": [(f"loss.{name}", label) for name, label in CONDITIONS.items()],
    }
    return {
        label: findings.rows.loc[[name for name, _ in names], ["value", "low", "high"]].assign(
            name=[shown for _, shown in names]
        )
        for label, names in panels.items()
    }


def autoencoder_table(findings: Findings) -> Markup:
    """The autoencoder beside the dictionaries that learned no features."""
    rows = [
        {
            "dictionary": name,
            "active per token": findings.shown(f"active.{name}", lambda value: number(value, 1)),
            "explained variance": findings.shown(f"explained.{name}"),
            "loss (nats)": findings.shown(f"loss.{name}"),
            "recovered, of zero's damage": findings.shown(f"recovered.{name}.zero", percent),
            "recovered, of the mean's damage": findings.shown(f"recovered.{name}.mean", percent),
        }
        for name in DICTIONARIES
    ]
    note = findings.rows.loc["recovered.autoencoder.zero", "note"]
    caption = f"Loss is measured on {note}; without any change it is {number(findings.value('loss.original'))} nats."
    return html_table(rows, caption, text=("dictionary",))


def training_sentences(findings: Findings, history: pd.DataFrame, settings: dict) -> Markup:
    """How the autoencoder was trained, and how many features came to nothing."""
    wanted = settings["residual"]["autoencoder"]
    return prose(
        "Trained for {steps} steps on {tokens} tokens of the corpus <em>{corpus}</em>; over the last tenth of the "
        "steps the error was {error} of the variance. {dead} of the features are dead: no training token activates "
        "them. {rare} more are active at fewer than one token in 10,000.",
        steps=number(wanted["steps"]),
        tokens=number(wanted["tokens"]),
        corpus=settings["residual"]["corpus"],
        error=percent(history["error"].tail(max(1, len(history) // 10)).mean()),
        dead=percent(findings.value("features.dead")),
        rare=percent(findings.value("features.rare")),
    )


def label_sentences(findings: Findings, settings: dict) -> Markup:
    """How many features go with a label, and how many do when labels are shuffled."""
    chance = findings.rows.loc["labels.found.shuffled"]
    return prose(
        "{found} pairs of a feature and a label pass at a false discovery rate of {rate}; they involve {features} of "
        "the {count} features. With the labels shuffled, {chance} pass on average, {most} at most. The largest AUC is "
        "{auc}; of shuffled labels it is {chance_auc} on average, so an AUC below that would mean nothing.",
        found=number(int(findings.value("labels.found"))),
        rate=percent(1 - settings["statistics"]["confidence"], 0),
        features=number(int(findings.value("labels.features_found"))),
        count=number(settings["residual"]["autoencoder"]["features"]),
        chance=number(chance["value"], 1),
        most=number(int(chance["high"])),
        auc=number(findings.value("labels.largest_auc"), 2),
        chance_auc=number(findings.value("labels.largest_auc.shuffled"), 2),
    )


def chosen_sentences(chosen: pd.DataFrame) -> Markup:
    """For which labels a feature does better or worse than the best axis or dimension, for certain."""
    verdicts: dict[str, list[str]] = {"better than": [], "worse than": [], "not told apart from": []}
    for label, rows in chosen.groupby("label", sort=False):
        own = rows[rows["kind"] == "feature"].iloc[0]
        others = rows[rows["kind"] != "feature"]
        rival = others.loc[others["auc"].idxmax()]
        if own["low"] > rival["high"]:
            verdicts["better than"].append(label)
        elif own["high"] < rival["low"]:
            verdicts["worse than"].append(label)
        else:
            verdicts["not told apart from"].append(label)
    said = [f"{listed(labels)}: {verdict} the best axis or dimension" for verdict, labels in verdicts.items() if labels]
    return prose(
        "The best feature for each label beside the better of its two rivals, told apart where their intervals do not "
        "overlap: {said}.",
        said="; ".join(said) or "no label occurs in both halves",
    )


def label_features(associations: pd.DataFrame, texts: pd.DataFrame, alpha: float) -> Markup:
    """The features with the largest AUC for each label, of those that pass the test, with their top texts."""
    found = associations[(associations["p_adjusted"] <= alpha) & (associations["auc"] > 0.5)]
    parts = [
        _feature(f"{label}: feature {row.feature}, AUC {row.auc:.2f}", texts[texts["feature"] == row.feature])
        for label, rows in found.groupby("label", sort=False)
        for row in rows.nlargest(PER_LABEL, "auc").itertuples()
    ]
    without = [label for label in associations["label"].unique() if label not in set(found["label"])]
    said = prose("No feature passes for {labels}.", labels=listed(without)) if without else Markup()
    return Markup('{}<div class="grid">{}</div>').format(said, Markup("\n").join(parts))


def features_by_lot(features: pd.DataFrame, texts: pd.DataFrame, seed: int) -> Markup:
    """Some features drawn by lot among those that are active on held-out texts, so that nobody chose them."""
    alive = features[features["held_out"] > 0]
    drawn = alive.sample(min(BY_LOT, len(alive)), random_state=seed)
    parts = [
        _feature(f"feature {row.feature}, active at {percent(row.held_out, 2)}", texts[texts["feature"] == row.feature])
        for row in drawn.itertuples()
    ]
    return Markup('<div class="grid">{}</div>').format(Markup("\n").join(parts))


def _feature(title: str, texts: pd.DataFrame) -> Markup:
    lines = Markup("\n").join(
        Markup("<li>{}</li>").format(marked(row.text, [(row.start, row.end)])) for row in texts.itertuples()
    )
    return Markup("<div><h3>{}</h3><ol>{}</ol></div>").format(title, lines)


def _settled(findings: Findings, settings: dict) -> str:
    depth, last = int(findings.value("lens.half_settled")), settings["model"]["blocks"]
    return "only after the last block" if depth == last else f"from depth {depth} of {last} on"


def _leads(probabilities: pd.DataFrame) -> tuple[int, int]:
    table = probabilities.pivot(index="row", columns="column", values="value").to_numpy(dtype=float)
    return int((table[:, :-1].argmax(axis=0) == np.arange(1, len(table))).sum()), len(table) - 1


def _cell(table: pd.DataFrame, name: str, row: int) -> str | Markup:
    values = table.loc[(table["table"] == name) & (table["row"] == row), "value"]
    return escape(unsigned(values.iloc[0])) if len(values) else ""
