"""Made-up attention weights, a sentence that repeats itself, and the write-up's in tokens."""

import numpy as np
import pandas as pd

from emoscope.writeups.attention import published

SENTENCE = "i feel happy about the dog and i feel happy about the house"
MAIA = ["Ma", "ia", *" is a cute little baby who likes to explore her world".replace(" ", " ·").split(), "!"]


def weights_of(labels: list[str], blocks: int = 1, heads: int = 10) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Weights of one sentence, and its tokens; a weight names its place: block, head, source, target."""
    source, target = np.tril_indices(len(labels))
    rows = [
        pd.DataFrame({"block": block, "head": head, "source": source, "target": target}).assign(
            weight=(block + head / 10 + source / 1000 + target / 100_000) / blocks
        )
        for block in range(blocks)
        for head in range(heads)
    ]
    weights = pd.concat(rows, ignore_index=True).assign(sentence=0)
    for end in ("source", "target"):
        weights[f"{end}_token"] = np.asarray(labels, dtype=object)[weights[end]]
    ids = pd.factorize(np.asarray(labels, dtype=object))[0]
    tokens = pd.DataFrame({"sentence": 0, "position": range(len(labels)), "id": ids, "label": labels})
    return weights, tokens.assign(text=published.SENTENCE)


def averages_of(weights: pd.DataFrame) -> pd.DataFrame:
    """Every view of the weights that the viewer offers."""
    mean = weights.groupby(["sentence", "block", "source", "target"], as_index=False)["weight"].mean()
    overall = mean[mean["block"] == 0].assign(block=-1)
    effect = overall.assign(weight=overall["weight"].where(overall["source"] > 0))
    views = {"mean": mean, "rollout": mean, "overall": overall, "effect": effect}
    return pd.concat([table.assign(view=view) for view, table in views.items()])
