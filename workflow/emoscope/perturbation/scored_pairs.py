"""What a classifier says of each perturbed pair, before and after, and what that amounts to."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from transformers import PreTrainedTokenizerBase

from emoscope.models.batches import encode
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import columns, predict_logits, probabilities, thresholds_of
from emoscope.perturbation.pairs import CUT, PAIR_KEY
from emoscope.storage.decisions import as_column, decided
from emoscope.storage.files import write_table
from emoscope.storage.shards import shard_of


def score_perturbation(
    model: Path, pairs: Path, shard: str, prediction: dict, output: Path, thresholds: list[Path] = ()
) -> None:
    """Write `id, axis, origin, term, before_{class}, after_{class}`: probabilities of each pair in one shard; and
    `beyond_context`, whether both texts are the same to the model, as it does not read as far as they differ.

    If the classifier may give several labels, also `pred_before` and `pred_after`, those that reach their thresholds.
    """
    classifier, tokenizer = load_classifier(model)
    classes, least = classes_of(classifier), thresholds_of(classifier, thresholds)
    table = shard_of(pd.read_parquet(pairs), shard).reset_index(drop=True)
    places, texts = pd.factorize(pd.concat([table["text"], table["perturbed"]]))
    logits = predict_logits(classifier, tokenizer, texts.tolist(), prediction["tokens_per_batch"])
    before, after = np.split(probabilities(classifier, logits[places]), 2)
    scores = pd.DataFrame({**columns("before", classes, before), **columns("after", classes, after)})
    if least is not None:
        given = {"pred_before": as_column(decided(before, least)), "pred_after": as_column(decided(after, least))}
        scores = scores.assign(**given)
    scores[CUT] = beyond_context(tokenizer, table["text"], table["perturbed"])
    write_table(pd.concat([table[PAIR_KEY], scores], axis=1), output)


def beyond_context(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """Whether a text and its counterpart are the same input only because the model's context ends before they differ,
    bool (pairs,). Texts that differ in words that the vocabulary does not know are the same as wholes, and not cut."""
    pairs = list(zip(texts, others, strict=True))
    if not pairs:  # tokenizers refuse an empty list
        return np.zeros(0, dtype=bool)
    ids, other = (encode(tokenizer, side)["input_ids"] for side in zip(*pairs, strict=True))
    found = np.array([one == two for one, two in zip(ids, other, strict=True)])
    for row in np.flatnonzero(found):
        one, two = tokenizer(list(pairs[row]), verbose=False)["input_ids"]
        found[row] = one != two
    return found
