"""What a classifier says of each perturbed pair, before and after, and what that amounts to."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import columns, predict_logits
from emoscope.perturbation.pairs import PAIR_KEY
from emoscope.storage.files import write_table
from emoscope.storage.shards import shard_of


def score_perturbation(model: Path, pairs: Path, shard: str, prediction: dict, output: Path) -> None:
    """Write `id, axis, origin, term, before_{class}, after_{class}`: probabilities of each pair in one shard."""
    classifier, tokenizer = load_classifier(model)
    table = shard_of(pd.read_parquet(pairs), shard).reset_index(drop=True)
    places, texts = pd.factorize(pd.concat([table["text"], table["perturbed"]]))
    logits = predict_logits(classifier, tokenizer, texts.tolist(), prediction["tokens_per_batch"])
    before, after = np.split(softmax(logits[places], axis=1), 2)
    classes = classes_of(classifier)
    scores = pd.DataFrame({**columns("before", classes, before), **columns("after", classes, after)})
    write_table(pd.concat([table[PAIR_KEY], scores], axis=1), output)
