"""How often something happens to pairs, as a finding that can be judged."""

import numpy as np
import pandas as pd

from emoscope.perturbation.pairs import countable, distinct
from emoscope.reporting.findings import Finding
from emoscope.statistics.equivalence import rate_test
from emoscope.statistics.rates import effective_rows


def counted(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs that rates count, each once."""
    return distinct(pairs[countable(pairs)], "term")


def rate_finding(name: str, events: pd.Series, clusters: pd.Series, margin: float, alpha: float) -> Finding:
    """The share of pairs to which something happens; pairs of one cluster count by their effective number."""
    texts, independent = len(events), int(effective_rows(events, clusters, alpha))
    tested = rate_test(events, clusters, margin, alpha)
    sentences = clusters.nunique()
    alike = f" They share {sentences} sentences and tell as much as {independent} independent ones."
    return Finding(
        name,
        value=float(tested.value),
        low=float(tested.low),
        high=float(tested.high),
        note=f"{np.sum(events)} of {texts} texts." + (alike if independent < texts else ""),
        texts=independent,
        rate=True,
        detectable=float(tested.detectable),
        within=float(tested.p_within),
        beyond=float(tested.p_beyond),
        sentences=sentences if sentences < texts else np.nan,
    )
