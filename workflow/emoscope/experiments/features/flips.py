"""Which features a flip switches on or off."""

from pathlib import Path

import numpy as np
import pandas as pd
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.models.features.autoencoder import TopKAutoencoder, scaled
from emoscope.models.features.feature_texts import text_scores
from emoscope.models.features.stored import load_autoencoders
from emoscope.models.features.stream import gather
from emoscope.models.loading import load_classifier
from emoscope.perturbation.inside.names import FLIP
from emoscope.perturbation.inside.sample import kinds_of
from emoscope.perturbation.pairs import NEUTRAL_ORIGINS, named_first
from emoscope.storage.files import write_table

ACTIVE = ["kind", "pair", "cluster", "feature", "first", "second"]


def switch_features(model: Path, weights: Path, pairs: Path, config: dict, prediction: dict, switches: Path) -> None:
    """Write ACTIVE: of flips of one axis and of neutral swaps, whether each feature is active anywhere in the text.

    `first` is the text that names the first group of the axis, `second` the other; of neutral swaps, the text as it is
    and with the words swapped. At most `pairs` of each kind, see `kinds_of`; none without an autoencoder.
    """
    classifier, tokenizer = load_classifier(model)
    autoencoders, block = load_autoencoders(weights, classifier.device)
    parts, every = [], pd.read_parquet(pairs)
    directed = (named_first(every) != 0) | every["origin"].isin(NEUTRAL_ORIGINS)
    for kind, rows in kinds_of(every[directed], config["seed"]).items() if autoencoders else ():
        rows = rows.head(config["pairs"])
        if rows.empty:
            continue
        sides = [
            active_in(
                classifier, tokenizer, rows[side].tolist(), block, autoencoders[0], prediction["tokens_per_batch"]
            )
            for side in ("text", "perturbed")
        ]
        if kind == FLIP:
            forth = (named_first(rows) > 0)[:, None]
            sides = [np.where(forth, *sides), np.where(forth, *reversed(sides))]
        pair, feature = (index.ravel() for index in np.indices(sides[0].shape))
        table = pd.DataFrame({"pair": pair, "feature": feature, "first": sides[0].ravel(), "second": sides[1].ravel()})
        parts.append(table.assign(kind=kind, cluster=rows["cluster"].to_numpy()[pair])[ACTIVE])
    write_table(pd.concat(parts or [pd.DataFrame(columns=ACTIVE)], ignore_index=True), switches)


def active_in(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    block: int,
    autoencoder: TopKAutoencoder,
    tokens_per_batch: int,
) -> np.ndarray:
    """Whether each feature is active anywhere in a text, bool (texts, features)."""
    stream = gather(model, tokenizer, texts, block, tokens_per_batch)
    return text_scores(autoencoder.encode(scaled(stream.values)), stream.text, len(texts)) > 0
