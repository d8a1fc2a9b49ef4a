"""The table of weights that the attention write-up prints, and what stands at the same place here."""

import pandas as pd

from emoscope.reporting.findings import Finding

SENTENCE = "Maia is a cute little baby who likes to explore her world!"  # the write-up's, with the head that it prints
PUBLISHED = {"block": 0, "head": 9, "source": 10}
HIGHEST = {0, 2, 7, 8, 9}  # the targets whose weights its text calls the highest: Ma, is, who, likes, to


def published_findings(weights: pd.DataFrame, tokens: pd.DataFrame) -> list[Finding]:
    """The published weights, one finding for each target, and how many of the targets that the write-up names as the
    highest five are; nothing if the sentence or the head is not there."""
    rows = published_rows(weights, tokens)
    if rows.empty:
        return []
    note = "block {block}, head {head}, source {source}".format(**PUBLISHED)
    found = [
        Finding(f"explore.{row.target}", row.weight, note=f"{note}, target {row.target_token}")
        for row in rows.itertuples()
    ]
    highest = set(rows.nlargest(len(HIGHEST), "weight")["target"])
    return [*found, Finding("explore.highest", len(highest & HIGHEST), note=f"{note}; of {len(HIGHEST)} named")]


def published_rows(weights: pd.DataFrame, tokens: pd.DataFrame, head: int = PUBLISHED["head"]) -> pd.DataFrame:
    """A head's weights at the place that the write-up prints, if its sentence is among the configured ones and the
    token there is the same."""
    own = tokens[(tokens["text"] == SENTENCE) & (tokens["position"] == PUBLISHED["source"])]
    sentence = own.loc[own["label"].str.endswith("explore"), "sentence"].head(1)
    place = weights["sentence"].isin(sentence) & (weights["source"] == PUBLISHED["source"])
    return weights[place & (weights["block"] == PUBLISHED["block"]) & (weights["head"] == head)]
