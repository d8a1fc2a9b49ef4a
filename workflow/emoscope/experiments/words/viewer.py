"""Texts with their words coloured by how much they speak for a class: the data of workflow/report/words_viewer.js, and
a still list for those without scripts."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from emoscope.experiments.words.methods import SPECIAL, TITLES
from emoscope.experiments.words.scores import methods_in
from emoscope.reporting.html import embedded, percent, signed

STEPS = 32_767  # in the largest score of a text and method, either way
UNKNOWN = -32_768
FOR, AGAINST = (
    (178, 24, 43),
    (33, 102, 172),
)  # red and blue, told apart by all readers; what speaks against is underlined
STILL = 12  # texts in the still list
REST = 12  # signs behind the last word that was read, from which on a text counts as cut


def viewer(data: Mapping[str, Any]) -> Markup:
    """The place of the viewer and its data, which the page's script reads."""
    place = Markup(
        '<section id="words-viewer" class="viewer"><p>Choosing among texts, classes and methods needs a browser that '
        "runs scripts; the list below does not.</p></section>\n"
    )
    return place + embedded(data, "words-data")


def viewer_data(
    scores: pd.DataFrame,
    texts: Sequence[Mapping[str, Any]],
    classes: Sequence[str],
    method: str,
    titles: Mapping[str, str] = TITLES,
) -> dict:
    """Everything that the viewer shows, texts in the order given and beginning with `method`; `titles` of all methods.

    `texts` have `id`, `text`, `said` and `true`, lists of class names (`true` may be None: not known), `mistake`,
    `confidence`, `probabilities` by class, and `flips`: of each its `axis`, the `text` after it, where that is
    `changed` (start, end), and its `probabilities`. Of each text `values` holds
    little-endian 16-bit numbers in base64: by method, by explained class, one for each word and one for the special
    tokens; `scales` is what one step of a method's is worth. A score that is no number is UNKNOWN.
    """
    names, found = methods_in(scores), dict(iter(scores.groupby("id", sort=False)))
    shown = []
    for about in texts:
        if (own := found.get(about["id"])) is None:
            continue
        kinds = list(dict.fromkeys(own["class"]))
        words = own[(own["class"] == kinds[0]) & (own["word"] != SPECIAL)]
        values = own[names].to_numpy(dtype=float).T.reshape(len(names), len(kinds), -1)
        known = np.isfinite(values)
        values = np.where(known, values, 0)
        largest = np.abs(values).max(axis=(1, 2), initial=0)
        scales = np.where(largest > 0, largest, 1) / STEPS
        steps = np.where(known, np.round(values / scales[:, None, None]), UNKNOWN)
        shown.append({
            **{key: value for key, value in about.items() if key != "id"},
            "text": as_read(about["text"], words),
            "words": [[int(start), int(end)] for start, end in zip(words["start"], words["end"], strict=True)],
            "classes": kinds,
            "scales": scales.tolist(),
            "values": base64.b64encode(steps.astype("<i2").tobytes()).decode(),
        })  # fmt: skip
    shown_methods = {name: titles[name] for name in names}
    return {"methods": shown_methods, "method": method, "classes": list(classes), "texts": shown}


def still_texts(scores: pd.DataFrame, texts: Sequence[Mapping[str, Any]], method: str) -> Markup:
    """The first texts with the words of their first class coloured, as a list without a script."""
    found, items = dict(iter(scores.groupby("id", sort=False))), []
    for about in texts[:STILL]:
        if (own := found.get(about["id"])) is None:
            continue
        own = own[(own["class"] == own["class"].iloc[0]) & (own["word"] != SPECIAL)]
        told = Markup("{}, {} sure").format(" and ".join(about["said"]) or "no label", percent(about["confidence"], 0))
        if about["true"] is not None:
            told += Markup("; labelled {}").format(" and ".join(about["true"]) or "none")
        items.append(
            Markup('<li><p class="about">{}; explained: {}</p><p class="coloured">{}</p></li>').format(
                told, own["class"].iloc[0] if len(own) else "nothing", coloured(about["text"], own, method)
            )
        )
    return Markup('<ol class="explained">{}</ol>').format(Markup("\n").join(items))


def coloured(text: str, words: pd.DataFrame, method: str) -> Markup:
    """A text with each word on a ground as deep as its score, which is its title; against the class, underlined."""
    parts, at = [], 0
    largest = np.abs(words.loc[np.isfinite(words[method]), method]).max() if len(words) else 0
    for start, end, score in zip(words["start"], words["end"], words[method], strict=True):
        share = abs(score) / largest if largest and np.isfinite(score) else 0
        ground = "rgba({}, {}, {}, {:.2f})".format(*(FOR if score > 0 else AGAINST), 0.6 * share)
        against = ' class="against"' if score < 0 else ""
        parts += [
            escape(text[at:start]),
            Markup('<span{} style="background: {}" title="{}">{}</span>').format(
                Markup(against), ground, signed(score), text[start:end]
            ),
        ]
        at = end
    return Markup().join([*parts, escape(as_read(text, words)[at:])])


def as_read(text: str, words: pd.DataFrame) -> str:
    """A text without what the model did not read of it: its end, where that holds more than a few signs."""
    end = int(words["end"].max()) if len(words) else 0
    return text if len(text) - end < REST else f"{text[:end]}\N{HORIZONTAL ELLIPSIS}"
