"""The data of the attention viewer, which workflow/report/attention_viewer.js shows."""

import base64

import numpy as np
import pandas as pd
from markupsafe import Markup

from emoscope.reporting.html import embedded

WEIGHT_STEPS = 10_000  # in 1: the viewer shows four decimals
EFFECT_STEPS = (1_000_000, 1_000)  # six decimals if all effects are as small as that, else three
NO_VALUE = 65_535  # no value


def viewer(
    model: str, weights: pd.DataFrame, averages: pd.DataFrame, tokens: pd.DataFrame, start: tuple[int, int, int]
) -> Markup:
    """The place of the viewer and its data, which the page's script reads; `start` is a sentence, block and head."""
    data = viewer_data(model, weights, averages, tokens, start)
    place = Markup(
        '<section id="attention-viewer" class="viewer"><p>The viewer needs a browser that runs scripts; the still '
        "pictures below do not.</p></section>\n"
    )
    return place + embedded(data, "attention-data")


def viewer_data(
    model: str, weights: pd.DataFrame, averages: pd.DataFrame, tokens: pd.DataFrame, start: tuple[int, int, int]
) -> dict:
    """Everything that the viewer shows.

    Of each sentence `values` holds little-endian 16-bit numbers in base64: for each block its heads, their mean and the
    rollout, then the mean of all blocks and the effect of blocking; each of them by source and target, without targets
    after the source unless `ahead`.
    """
    effects = averages.loc[averages["view"] == "effect", "weight"]
    steps = next((steps for steps in EFFECT_STEPS if effects.max() * steps < NO_VALUE), EFFECT_STEPS[-1])
    blocks, heads = int(weights["block"].max()) + 1, int(weights["head"].max()) + 1
    sentences = []
    for sentence, words in tokens.groupby("sentence"):
        own = averages[averages["sentence"] == sentence]
        by_head = _ordered(weights[weights["sentence"] == sentence], ["block", "head"]).reshape(blocks, heads, -1)
        mean, rolled = (_ordered(own[own["view"] == name], ["block"]) for name in ("mean", "rollout"))
        by_block = [by_head, mean.reshape(blocks, 1, -1), rolled.reshape(blocks, 1, -1)]
        overall, effect = (_ordered(own[own["view"] == name], []) for name in ("overall", "effect"))
        views = [
            _stored(np.concatenate(by_block, axis=1), WEIGHT_STEPS),
            _stored(overall, WEIGHT_STEPS),
            _stored(effect, steps),
        ]
        packed = b"".join(view.astype("<u2").tobytes() for view in views)
        values = base64.b64encode(packed).decode()
        sentences.append({"text": words["text"].iloc[0], "tokens": words["label"].tolist(), "values": values})
    return {
        "model": model, "blocks": blocks, "heads": heads, "sentences": sentences,
        "ahead": bool((weights["target"] > weights["source"]).any()),
        "weight_scale": WEIGHT_STEPS, "effect_scale": steps,
        "start": dict(zip(("sentence", "block", "column"), start, strict=True)),
    }  # fmt: skip


def _ordered(rows: pd.DataFrame, leading: list[str]) -> np.ndarray:
    return rows.sort_values([*leading, "source", "target"])["weight"].to_numpy()


def _stored(values: np.ndarray, steps: int) -> np.ndarray:
    rounded = np.round(values.astype(np.float64) * steps)
    return np.where(np.isnan(rounded), NO_VALUE, np.minimum(rounded, NO_VALUE - 1))
