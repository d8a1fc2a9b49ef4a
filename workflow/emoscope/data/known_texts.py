"""Which texts of one table also stand in another one, and which repeat one another."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def keys_of(texts: pd.Series) -> pd.Series:
    """Texts as they are compared: case and blanks do not count, since an uncased tokenizer reads such texts alike."""
    return pd.Series([" ".join(text.split()).casefold() for text in texts], texts.index, dtype="str")


def stand_in(texts: pd.Series, others: pd.Series) -> pd.Series:
    """For each text whether it is one of `others`; pandas' own `isin` takes 25 times as long, an object for each."""
    keys, known = (pa.array(keys_of(one), pa.large_string()) for one in (texts, others))
    return pd.Series(pc.is_in(keys, value_set=known).to_numpy(zero_copy_only=False), texts.index)


def one_stands_in(table: pd.DataFrame, others: pd.Series) -> np.ndarray:
    """For each row whether its `text`, or `perturbed` where rows are pairs, is one of `others`, bool (rows,)."""
    sides = [table[name] for name in ("text", "perturbed") if name in table]
    return stand_in(pd.concat(sides), others).to_numpy().reshape(len(sides), len(table)).any(axis=0)


def repeats(texts: pd.Series) -> pd.Series:
    """For each text whether it stands further up as well."""
    return keys_of(texts).duplicated()
