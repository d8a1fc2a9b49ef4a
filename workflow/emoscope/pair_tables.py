"""Tables that the flips and the synonyms report share: what a perturbation does to predictions."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.markup import badge, estimate, html_table, marked, number, p_value, percent, unsigned
from emoscope.pairs import LARGE, largest_change

ORIGINS = {"natural": "test texts", "template": "templates", "published": "as published", "word": "word by word"}


def found(summary: pd.DataFrame, measure: str) -> tuple[float, float, float]:
    """Value and interval of one measure of one kind of pair; NaN if it was not measured."""
    rows = summary.loc[summary["measure"] == measure, ["value", "low", "high"]]
    return tuple(rows.iloc[0]) if len(rows) else (np.nan, np.nan, np.nan)


def rates(kinds: Mapping[tuple, pd.DataFrame], titles: Sequence[str]) -> Markup:
    """How often and how far predictions move: one row for each kind of pair, named by its key."""
    rows = [
        {
            **dict(zip(titles, key, strict=True)),
            "texts": number(int(summary["texts"].max())),
            "predicted class changes": estimate(*found(summary, "changed"), form=percent),
            f"a probability moves by {percent(LARGE, 0)} or more": estimate(*found(summary, "large"), form=percent),
            "mean distance": estimate(*found(summary, "distance"), form=unsigned),
        }
        for key, summary in kinds.items()
        if len(summary)
    ]
    caption = (
        "Share of the texts, with Wilson intervals, and the mean distance between the two predictions (total "
        "variation: 0 is the same, 1 has nothing in common) with a bootstrap interval."
    )
    return html_table(rows, caption, text=titles)


def effects(kinds: Mapping[tuple, pd.DataFrame], titles: Sequence[str], kind: str, caption: str) -> Markup:
    """Each class's mean change (`change`) or gap (`gap`), with the verdict on "no effect"."""
    rows = [
        {
            **dict(zip(titles, key, strict=True)),
            "class": row["measure"].removeprefix(f"{kind}_"),
            "mean": estimate(row["value"], row["low"], row["high"]),
            "adjusted p": p_value(row["p_adjusted"]),
            "would show from": unsigned(row["detectable"]),
            "no effect?": badge(row["verdict"]),
        }
        for key, summary in kinds.items()
        for row in summary[summary["measure"].str.startswith(f"{kind}_")].to_dict("records")
    ]
    return html_table(rows, caption, text=(*titles, "class", "no effect?"))


def forest_rows(kinds: Mapping[str, pd.DataFrame], kind: str) -> pd.DataFrame:
    """Each class's change or gap as `name, series, value, low, high`, for a forest plot."""
    parts = [
        summary[summary["measure"].str.startswith(f"{kind}_")].assign(
            name=lambda rows: rows["measure"].str.removeprefix(f"{kind}_"), series=series
        )
        for series, summary in kinds.items()
    ]
    return pd.concat(parts)[["name", "series", "value", "low", "high"]]


def pair_texts(pair) -> tuple[Markup, Markup]:
    """Both texts of a pair, with what changed marked."""
    spans = [tuple(map(int, span)) for span in pair.spans]
    return marked(pair.text, [span[:2] for span in spans]), marked(pair.perturbed, [span[2:] for span in spans])


def examples(pairs: pd.DataFrame, classes: Sequence[str], count: int) -> Markup:
    """The pairs whose prediction moves most: both texts, and the class predicted for each."""
    change = largest_change(pairs).sort_values(ascending=False)
    rows = []
    for index, pair in pairs.loc[change.index].drop_duplicates("text").head(count).iterrows():
        predicted = []
        for when in ("before", "after"):
            values = [pair[f"{when}_{name}"] for name in classes]
            predicted.append(f"{classes[int(np.argmax(values))]}\N{NO-BREAK SPACE}{max(values):.2f}")
        rows.append(
            {
                "texts": Markup("{}<br>{}").format(*pair_texts(pair)),
                "predicted": Markup("{}<br>{}").format(*predicted),
                "largest change": number(change[index]),
            }
        )
    caption = "Original above, changed text below, each with the predicted class and its probability."
    return html_table(rows, caption, text=("texts", "predicted"))
