"""Single pairs on a page: both texts with what changed marked, and what is predicted of each."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.perturbation.pairs import largest_change
from emoscope.reporting.html import html_table, marked, number

MANY, FEW = 14, 8  # classes that fit into the columns of a table, and how many are shown of more


def most_changed(pair: Mapping, classes: Sequence[str], kept: Collection[str] = ()) -> list[str]:
    """The classes to show of a pair of scored texts, in their order: all, or if they are more than MANY the FEW whose
    probability changes most, and those in `kept`."""
    if len(classes) <= MANY:
        return list(classes)
    ranked = sorted(classes, key=lambda name: -abs(pair[f"after_{name}"] - pair[f"before_{name}"]))
    return [name for name in classes if name in {*ranked[:FEW], *kept}]


def pair_texts(pair) -> tuple[Markup, Markup]:
    """Both texts of a pair, with what changed marked."""
    spans = [tuple(map(int, span)) for span in pair.spans]
    return marked(pair.text, [span[:2] for span in spans]), marked(pair.perturbed, [span[2:] for span in spans])


def examples(pairs: pd.DataFrame, classes: Sequence[str], count: int) -> Markup:
    """The pairs whose prediction moves most: both texts, and the class predicted for each."""
    change = largest_change(pairs).sort_values(ascending=False)
    rows = []
    for index, pair in pairs.loc[change.index].drop_duplicates("text").head(count).iterrows():
        predicted = [_answer(pair, when, classes) for when in ("before", "after")]
        rows.append(
            {
                "texts": Markup("{}<br>{}").format(*pair_texts(pair)),
                "predicted": Markup("{}<br>{}").format(*predicted),
                "largest change": number(change[index]),
            }
        )
    caption = "Original above, changed text below, each with what is predicted and its probability."
    return html_table(rows, caption, text=("texts", "predicted"))


def _answer(pair: pd.Series, when: str, classes: Sequence[str]) -> str:
    """What is predicted of one text of a pair, with its probability: a class, or several labels, the surest first."""
    values = np.array([pair[f"{when}_{name}"] for name in classes])
    given = pair.get(f"pred_{when}", [values.argmax()])
    surest = sorted(map(int, given), key=lambda number: -values[number])
    return ", ".join(f"{classes[number]}\N{NO-BREAK SPACE}{values[number]:.2f}" for number in surest) or "no label"
