"""Dictionaries of random directions do not act, and a planted feature among them does: `choose` and `effects_table`."""

import numpy as np
import pandas as pd
import torch
from torch.nn.functional import normalize

from emoscope.experiments.features.choice import choose
from emoscope.experiments.features.names import ACTS
from emoscope.experiments.features.summarise import BEYOND_RANDOM, effects_table
from emoscope.models.features.autoencoder import TopKAutoencoder
from emoscope.models.features.stream import TokenActivations
from planted_features import STATISTICS

TEXTS, FEATURES, WIDTH, CLASSES = 300, 48, 64, 3
CONFIG = {"chosen": 3, "random": 39}
STEP = 1.0  # so much of a direction is removed from every text
DICTIONARIES = 20


def removed(seed: int, planted: bool = False) -> pd.DataFrame:
    """What `moves` tells of a linear classifier of texts of one token, in which all features are as active."""
    generator = torch.Generator().manual_seed(seed)
    stream, weights = (torch.randn(rows, WIDTH, generator=generator) for rows in (TEXTS, CLASSES))
    weights, answers = weights - weights.mean(dim=0), (stream @ weights.T).argmax(dim=1).numpy()
    own = TopKAutoencoder(WIDTH, FEATURES, FEATURES).requires_grad_(False)
    own.decoder.copy_(normalize(torch.randn(FEATURES, WIDTH, generator=generator), dim=1))
    if planted:
        own.decoder[7] = normalize(weights[1], dim=0)
    taught = TokenActivations(stream, np.arange(TEXTS), np.zeros(TEXTS, int), torch.zeros(TEXTS, 2, dtype=torch.long))
    values = (TEXTS * STEP * weights).expand(FEATURES, CLASSES, WIDTH)
    given = answers[:, None] == np.arange(CLASSES)
    chosen = choose(own, taught, torch.full((TEXTS, FEATURES), STEP), values, given, CONFIG | {"seed": seed})
    tested, parts = torch.randn(TEXTS, WIDTH, generator=generator), []
    for one in chosen:
        ways = torch.stack([torch.zeros(WIDTH), *one.directions.values()])
        said = ((tested - STEP * ways[:, None]) @ weights.T).softmax(dim=2)[..., one.label].double().numpy()
        before, after = np.broadcast_to(said[0], said[1:].shape).ravel(), said[1:].ravel()
        table = pd.DataFrame({"text": np.tile(np.arange(TEXTS), len(one.directions)), "before": before, "after": after})
        way, draw = (np.repeat(part, TEXTS) for part in zip(*one.directions, strict=True))
        parts.append(table.assign(feature=one.feature, way=way, draw=draw, **{"class": str(one.label)}))
    return pd.concat(parts, ignore_index=True).assign(dose=np.nan, logit_before=0.0, logit_after=0.0)


def acting(seed: int, **options: bool) -> list[int]:
    """The features that act."""
    table = effects_table(removed(seed, **options), STATISTICS)
    return table.loc[(table["measure"] == BEYOND_RANDOM) & (table["verdict"] == ACTS), "feature"].tolist()


def test_random_dictionaries_act_in_one_of_twenty_at_most():
    told = [seed for seed in range(DICTIONARIES) if acting(seed)]
    assert len(told) <= 0.05 * DICTIONARIES, told


def test_a_planted_feature_among_random_ones_is_found():
    assert all(acting(seed, planted=True) == [7] for seed in range(5))
