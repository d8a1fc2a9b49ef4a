"""Which features a flip switches on or off; beside them, those of the same model with random weights."""

from pathlib import Path

import numpy as np
import pandas as pd
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.features.names import MODEL, RANDOM_WEIGHTS
from emoscope.models.features.autoencoder import TopKAutoencoder, scaled
from emoscope.models.features.feature_texts import text_scores
from emoscope.models.features.stored import load_autoencoders
from emoscope.models.features.stream import gather
from emoscope.models.loading import load_classifier, random_twin
from emoscope.models.parts import family_of
from emoscope.perturbation.inside.names import FLIP
from emoscope.perturbation.inside.sample import pairs_by_kind
from emoscope.perturbation.pairs import NEUTRAL_ORIGINS, named_first
from emoscope.perturbation.scored_pairs import beyond_context
from emoscope.storage.files import write_table
from emoscope.storage.names import NONE

ACTIVE = ["weights", "kind", "pair", "cluster", "feature", "first", "second"]


def switch_features(
    model: Path, weights: Path, random_weights: Path, pairs: Path, config: dict, prediction: dict, switches: Path
) -> None:
    """Write ACTIVE: of flips of one axis and of neutral swaps, whether each feature is active anywhere in the text; of
    the model, and of the autoencoder on the model with random weights.

    `first` is the text that names the first group of the axis, `second` the other; of neutral swaps, the text as it is
    and with the words swapped. At most `pairs` of each kind, see `pairs_by_kind`; none without an autoencoder. Pairs
    whose words are exchanged where no token is looked at, see `exchanged_first`, or beyond the model's context, are
    left out: each has one row instead, of the feature NONE.
    """
    classifier, tokenizer = load_classifier(model)
    autoencoders, block = load_autoencoders(weights, classifier.device)
    read = [(MODEL, classifier, autoencoders)]
    if autoencoders:
        twin = random_twin(classifier, config["seed"])
        read += [(RANDOM_WEIGHTS, twin, load_autoencoders(random_weights, twin.device)[0])]
    parts, every = [], pd.read_parquet(pairs)
    directed = (named_first(every) != 0) | every["origin"].isin(NEUTRAL_ORIGINS)
    every = every[directed]
    hidden = exchanged_first(classifier, tokenizer, every)
    hidden |= beyond_context(tokenizer, every["text"], every["perturbed"])
    gone, kept = (pairs_by_kind(every[which], config["seed"]) for which in (hidden, ~hidden))
    for kind in kept if autoencoders else ():
        lost, rows = gone[kind], kept[kind].head(config["pairs"])
        lost = pd.DataFrame({"pair": range(len(rows), len(rows) + len(lost)), "cluster": lost["cluster"]})
        parts.append(lost.assign(weights=MODEL, kind=kind, feature=NONE, first=False, second=False)[ACTIVE])
        for name, one, (own, *_) in read if len(rows) else ():
            table = switched(one, tokenizer, rows, kind, block, own, prediction["tokens_per_batch"])
            parts.append(table.assign(weights=name, kind=kind)[ACTIVE])
    write_table(pd.concat(parts or [pd.DataFrame(columns=ACTIVE)], ignore_index=True), switches)


def exchanged_first(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: pd.DataFrame) -> np.ndarray:
    """Of each pair, whether a word is exchanged at the first token of a text, bool (pairs,), where no feature is looked
    for unless the classification head reads there, see `counted`."""
    found = np.zeros(len(rows), dtype=bool)
    if family_of(model).pools_first or rows.empty:
        return found
    for side, places in (("text", slice(0, 2)), ("perturbed", slice(2, 4))):
        offsets = tokenizer(rows[side].tolist(), truncation=True, return_offsets_mapping=True)["offset_mapping"]
        for number, ((first, *_), spans) in enumerate(zip(offsets, rows["spans"], strict=True)):
            found[number] |= any(min(first[1], end) > max(first[0], start) for start, end in (s[places] for s in spans))
    return found


def switched(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: pd.DataFrame,
    kind: str,
    block: int,
    autoencoder: TopKAutoencoder,
    tokens_per_batch: int,
) -> pd.DataFrame:
    """`pair, cluster, feature, first, second` of pairs of one kind."""
    sides = [
        active_in(model, tokenizer, rows[side].tolist(), block, autoencoder, tokens_per_batch)
        for side in ("text", "perturbed")
    ]
    if kind == FLIP:
        forth = (named_first(rows) > 0)[:, None]
        sides = [np.where(forth, *sides), np.where(forth, *reversed(sides))]
    pair, feature = (index.ravel() for index in np.indices(sides[0].shape))
    table = pd.DataFrame({"pair": pair, "cluster": rows["cluster"].to_numpy()[pair], "feature": feature})
    return table.assign(first=sides[0].ravel(), second=sides[1].ravel())


def active_in(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    block: int,
    autoencoder: TopKAutoencoder,
    tokens_per_batch: int,
) -> np.ndarray:
    """Whether each feature is active at any token of a text that is `counted`, bool (texts, features)."""
    stream = gather(model, tokenizer, texts, block, tokens_per_batch)
    return text_scores(autoencoder.encode(scaled(stream.values)), stream.text, len(texts)) > 0
