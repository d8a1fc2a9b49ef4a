"""What the residual write-up's page says: tables and sentences over its findings and tables."""

from collections.abc import Callable, Iterable
from functools import partial

import pandas as pd
from markupsafe import Markup

from emoscope.data.paper import PAPER
from emoscope.reporting.html import html_table, marked, number, percent, unsigned
from emoscope.reporting.passages import Findings, passage
from emoscope.statistics.settings import alpha_of
from emoscope.writeups.residual.figures import visible
from emoscope.writeups.residual.readings import (
    associated_features,
    deviations,
    drawn_features,
    expected_tokens,
    feature_verdicts,
    final_error,
    overlap_summary,
)
from emoscope.writeups.residual.sentences import TEXTS
from emoscope.writeups.residual.summarise import RANDOM_WEIGHTS

say = partial(passage, "residual")
DICTIONARIES = {
    "autoencoder": "autoencoder",
    "token pair": "average of the token pair",
    "token": "average of the token",
    "random tokens": "random tokens",
    "principal axes": "principal axes",
    "random directions": "random directions",
}
CONDITIONS = {"original": "nothing replaced", **DICTIONARIES, "mean": "mean", "zero": "zero"}
EXPLAINED = DICTIONARIES | {f"autoencoder{RANDOM_WEIGHTS}": "autoencoder, random weights"}
VECTORS = {
    "testing": "testing vector: own column, above the lowest",
    "row_mean": "mean probability over positions",
    "expected": "correlation with the column before",
}


def main_result(found: Findings, settings: dict) -> Markup:
    """The headline: how much of the stream features and mere averages hold, and when predictions are settled."""
    wanted = settings["residual"]["autoencoder"]
    return say("main_result", found=found, wanted=wanted, settled=_settled(found, settings))


def is_the_notebooks_model(settings: dict) -> bool:
    """Whether the model is GPT-2 small, so that published numbers can be compared digit by digit."""
    return settings["model"].get("repository") == PAPER["model"]["repository"]


def comparability(settings: dict) -> Markup:
    """Whether published numbers and ours are of one model."""
    return say("comparability", same_model=is_the_notebooks_model(settings))


def who_leads(positions: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """At how many positions the sentence's next token is the likeliest of the sentence's tokens, ours and published."""
    columns = {"here": positions, "GPT-2 small": published}
    rows = [
        {"text": text} | {column: "{} of {}".format(*expected_tokens(table, name)) for column, table in columns.items()}
        for name, text in TEXTS.items()
    ]
    caption = "Positions where, of the sentence's own tokens, the one that really follows is the most probable."
    return html_table(rows, caption, text=("text",))


def vector_tables(positions: pd.DataFrame, published: pd.DataFrame, text: str) -> Markup:
    """One number for each token of a text: ours, and the published one where the notebook printed it."""
    ours, theirs = (table[table["text"] == text] for table in (positions, published))
    numbers, printed = (table.set_index(["table", "row"])["value"] for table in (ours, theirs))
    rows = []
    for place, token in ours.drop_duplicates("row").set_index("row")["token"].sort_index().items():
        row = {"token": f"{place}\N{NO-BREAK SPACE}{visible(token)}"}
        for table, label in VECTORS.items():
            row[label] = _number_at(numbers, table, place)
            if table in set(theirs["table"]):
                row[f"{label}, published"] = _number_at(printed, table, place)
        rows.append(row)
    return html_table(rows, f"“{TEXTS[text]}”", text=("token",))


def probability_table(table: pd.DataFrame, text: str, caption: str) -> Markup:
    """P(token | position) of a text, a row for each token and a column for each position."""
    chosen = table[(table["text"] == text) & (table["table"] == "probability")]
    wide = chosen.pivot(index="row", columns="column", values="value")
    rows = [
        {"token": row, **{f"position {int(column)}": unsigned(value) for column, value in values.items()}}
        for row, values in wide.iterrows()
    ]
    return html_table(rows, caption)


def deviation(positions: pd.DataFrame, published: pd.DataFrame) -> Markup:
    """How far the published tables are from ours; only for the notebook's own model."""
    rows = [
        {"table": row.Index, "numbers": number(row.numbers), "largest deviation": unsigned(row.largest)}
        for row in deviations(positions, published).itertuples()
    ]
    return html_table(rows, "Every published number against ours.", text=("table",))


def lens_sentences(found: Findings, settings: dict) -> Markup:
    """What the curves say, in words."""
    last = settings["model"]["blocks"]
    return say(
        "lens",
        found=found,
        texts=found.note(f"lens.prediction.probability.depth{last}"),
        corpus=settings["residual"]["corpus"],
        middle=last // 2,
        last=last,
        prediction="lens.prediction.probability.depth",
        next="lens.next.probability.depth",
        settled=_settled(found, settings),
    )


def norm_sentences(found: Findings) -> Markup:
    """How much longer the first position's vector is."""
    return say("norms", found=found, where=found.note("norm.first").split(",")[0])


def overlap_sentences(overlaps: pd.DataFrame) -> Markup:
    """How far the write directions are from chance."""
    return say("overlap", **overlap_summary(overlaps))


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
    return html_table(rows, say("overlap_table"))


def autoencoder_panels(found: Findings) -> dict[str, pd.DataFrame]:
    """Explained variance and next-token loss of every condition, for the figure."""
    panels = {
        "explained variance": [(f"explained.{name}", label) for name, label in EXPLAINED.items()],
        "next-token loss (nats)": [(f"loss.{name}", label) for name, label in CONDITIONS.items()],
    }
    return {
        label: found.rows.loc[[name for name, _ in names], ["value", "low", "high"]].assign(
            name=[shown for _, shown in names]
        )
        for label, names in panels.items()
    }


def autoencoder_table(found: Findings) -> Markup:
    """The autoencoder beside averages and the dictionaries that learned no features."""

    def where_known(name: str, form: Callable[[float], str] = number) -> Markup | str:
        return found.shown(name, form) if name in found else ""

    rows = [
        {
            "dictionary": label,
            "active per token": where_known(f"active.{name}", partial(number, digits=1)),
            "explained variance": found.shown(f"explained.{name}"),
            "explained, random weights": where_known(f"explained.{name}{RANDOM_WEIGHTS}"),
            "loss (nats)": found.shown(f"loss.{name}"),
            "recovered, of zero's damage": found.shown(f"recovered.{name}.zero", percent),
            "recovered, of the mean's damage": found.shown(f"recovered.{name}.mean", percent),
        }
        for name, label in DICTIONARIES.items()
    ]
    return html_table(rows, say("autoencoder_table", found=found), text=("dictionary",))


def baseline_sentences(found: Findings) -> Markup:
    """What averages explain that never look at an activation, and what the autoencoder adds to them."""
    return say("baselines", found=found)


def training_sentences(found: Findings, history: pd.DataFrame, settings: dict) -> Markup:
    """How the autoencoder was trained, and how many features came to nothing."""
    residual = settings["residual"]
    return say(
        "training",
        found=found,
        wanted=residual["autoencoder"],
        corpus=residual["corpus"],
        error=final_error(history),
    )


def label_sentences(found: Findings, settings: dict) -> Markup:
    """How many features go with a label, and how many do when labels are shuffled."""
    features = settings["residual"]["autoencoder"]["features"]
    return say("labels", found=found, alpha=alpha_of(settings["statistics"]), features=features)


def chosen_sentences(chosen: pd.DataFrame) -> Markup:
    """For which labels a feature does better or worse than the best axis or dimension, for certain."""
    return say("chosen", verdicts=feature_verdicts(chosen))


def label_features(associations: pd.DataFrame, texts: pd.DataFrame, alpha: float) -> Markup:
    """The features with the largest AUC for each label, of those that pass the test, with their top texts."""
    best = associated_features(associations, alpha)
    titles = ((row.feature, f"{row.label}: feature {row.feature}, AUC {row.auc:.2f}") for row in best.itertuples())
    others = [label for label in associations["label"].unique() if label not in set(best["label"])]
    passed = set(associations.loc[associations["p_adjusted"] <= alpha, "label"])
    without, avoided = ([name for name in others if (name in passed) == low] for low in (False, True))
    return say("features", without=without, avoided=avoided, features=_with_texts(titles, texts))


def features_by_lot(features: pd.DataFrame, texts: pd.DataFrame, seed: int) -> Markup:
    """Some features drawn by lot among those that are active on held-out texts, so that nobody chose them."""
    drawn = drawn_features(features, seed)
    titles = (
        (row.feature, f"feature {row.feature}, active at {percent(row.held_out, 2)}") for row in drawn.itertuples()
    )
    return say("features", without=[], avoided=[], features=_with_texts(titles, texts))


def _with_texts(titles: Iterable[tuple[int, str]], texts: pd.DataFrame) -> list[tuple[str, list[Markup]]]:
    """By title the texts that activate a feature most, the token marked."""
    return [
        (title, [marked(row.text, [(row.start, row.end)]) for row in texts[texts["feature"] == feature].itertuples()])
        for feature, title in titles
    ]


def _settled(found: Findings, settings: dict) -> Markup:
    depth, last = int(found.value("lens.half_settled")), settings["model"]["blocks"]
    return say("settled", depth=depth, last=last)


def _number_at(numbers: pd.Series, table: str, row: int) -> str:
    return unsigned(numbers[table, row]) if (table, row) in numbers.index else ""
