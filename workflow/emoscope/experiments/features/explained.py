"""How much of the stream autoencoders and averages explain, and what becomes of the answers without the rest."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from emoscope.experiments.features.names import (
    ACCURACY,
    AGREEMENT,
    AUTOENCODER,
    EXPLAINED,
    MODEL,
    ORIGINAL,
    TOKEN,
)
from emoscope.reporting.findings import Finding, in_findings
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.statistics.bounded import CHANGE, SHARE, bounded_interval
from emoscope.statistics.settings import alpha_of, resampling

REPLACED = ["weights", "way", "measure", "value", "low", "high", "texts"]
MEASURES = {AGREEMENT: "agrees", ACCURACY: "right"}  # and their columns


def replaced_table(judged: pd.DataFrame, statistics: dict) -> pd.DataFrame:
    """REPLACED: how much of the stream's spread each way explains, how often the answer stays and how often it is right
    with the stream replaced; intervals over texts, of autoencoders over the mean of their seeds."""
    alpha, rows = alpha_of(statistics), []
    for (weights, way), own in judged.groupby(["weights", "way"], sort=False):
        own = _over_seeds(own)
        texts = own.index.to_numpy()
        if way != ORIGINAL:
            low, high = bootstrap_statistic(lambda of: _explained(own, of), texts, **resampling(statistics))  # noqa: B023
            rows.append((weights, way, EXPLAINED, _explained(own, np.ones(len(own))), low, high, len(own)))
        for measure, column in MEASURES.items():
            values = own[column].to_numpy()
            interval = bounded_interval(values, texts, SHARE, alpha)
            rows.append((weights, way, measure, values.mean(), *interval, len(own)))
    return pd.DataFrame(rows, columns=REPLACED)


def _over_seeds(own: pd.DataFrame) -> pd.DataFrame:
    """Means of each text over seeds, by text."""
    return own.astype({"agrees": float, "right": float}).groupby("text").mean(numeric_only=True)


def _explained(own: pd.DataFrame, of: np.ndarray) -> float:
    """1 - squared errors / squared spread, texts weighed by `of` (texts,)."""
    return float(1 - of @ own["error"].to_numpy() / (of @ own["spread"].to_numpy()))


def replaced_found(table: pd.DataFrame) -> Iterator[Finding]:
    """`{measure}.{way}`, and `{measure}.{way}.random_weights`."""
    for row in table.to_dict("records"):
        where = "" if row["weights"] == MODEL else f".{in_findings(row['weights'])}"
        name = f"{row['measure']}.{in_findings(row['way'])}{where}"
        yield Finding(name, row["value"], row["low"], row["high"], f"{row['texts']} test texts.")


def beyond_token(judged: pd.DataFrame, statistics: dict) -> Iterator[Finding]:
    """`explained.beyond_token` and so on: by how much the autoencoder is above the mean of the same token, by text;
    nothing of an empty table."""
    own = judged[judged["weights"] == MODEL]
    if own.empty:
        return
    features, tokens = (_over_seeds(own[own["way"] == way]) for way in (AUTOENCODER, TOKEN))
    texts, note = features.index.to_numpy(), f"{len(features)} test texts."

    def gap(of: np.ndarray) -> float:
        return _explained(features, of) - _explained(tokens, of)

    interval = bootstrap_statistic(gap, texts, **resampling(statistics))
    yield Finding(f"{EXPLAINED}.beyond_token", gap(np.ones(len(features))), *interval, note)
    for measure, column in MEASURES.items():
        values = (features[column] - tokens[column]).to_numpy()
        interval = bounded_interval(values, texts, CHANGE, alpha_of(statistics))
        yield Finding(f"{measure}.beyond_token", values.mean(), *interval, note)


def rates_found(rates: pd.DataFrame) -> Iterator[Finding]:
    """`dead`, the share of features that no training token activates, and `active`, how many a token activates on
    average; `.random_weights` likewise. Means over seeds."""
    for weights, own in rates.groupby("weights", sort=False):
        where = "" if weights == MODEL else f".{in_findings(weights)}"
        seeds = own["seed"].nunique()
        note = f"{own['feature'].nunique()} features, {seeds} seed{'s' * (seeds > 1)}."
        yield Finding(f"dead{where}", (own["rate"] == 0).mean(), note=note)
        yield Finding(f"active{where}", own.groupby("seed")["rate"].sum().mean(), note=note)
