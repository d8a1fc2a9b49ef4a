"""The texts whose residual stream is looked at."""

from pathlib import Path

import pandas as pd


def distinct_texts(corpus: Path, seed: int) -> pd.DataFrame:
    """The distinct texts of a corpus in random order: `id, text, label`, each with its first label."""
    table = pd.read_parquet(corpus).drop_duplicates("text")
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)
