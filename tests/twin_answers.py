"""Answers to texts and their flips, by hand, with nothing erased or something."""

import numpy as np
import pandas as pd

from emoscope.experiments.probing import names
from emoscope.storage.names import EVERYWHERE

PAIRS = 400


def answers(first, second, method: str = names.NOTHING, learned: bool = False) -> pd.DataFrame:
    """P(anger) of the texts that name the first and the second group, numbers or one for each pair; the rest is joy."""
    first, second = (np.broadcast_to(np.asarray(p, dtype=float), PAIRS) for p in (first, second))
    rows = [
        (method, 0, EVERYWHERE, f"{pair} {value}", value, pair, f"{pair}", learned, p[pair], 1 - p[pair])
        for pair in range(PAIRS)
        for value, p in ((1, second), (0, first))
    ]
    columns = ["method", "draw", "depth", "text", "value", "pair", "cluster", "learned", "p_anger", "p_joy"]
    return pd.DataFrame(rows, columns=columns)
