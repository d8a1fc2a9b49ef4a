"""How often something happens to pairs, as a finding that can be judged."""

import numpy as np
import pandas as pd

from emoscope.perturbation.pairs import countable
from emoscope.reporting.findings import Finding
from emoscope.statistics.equivalence import rate_equivalence_verdict
from emoscope.statistics.rates import effective_rows, minimum_detectable_rate, rate_interval


def counted(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs that rates count, each once."""
    return pairs[countable(pairs)].drop_duplicates(["text", "term"])


def rate_finding(name: str, events: pd.Series, clusters: pd.Series, margin: float, alpha: float) -> Finding:
    """The share of pairs to which something happens; pairs of one cluster count by their effective number."""
    texts, independent = len(events), int(effective_rows(events, clusters))
    rate = float(events.mean())
    tested = rate_equivalence_verdict(round(rate * independent), independent, margin, alpha)
    low, high = rate_interval(events, clusters, alpha)
    alike = f" They share {clusters.nunique()} sentences and tell as much as {independent} independent ones."
    return Finding(
        name,
        value=rate,
        low=float(low),
        high=float(high),
        note=f"{np.sum(events)} of {texts} texts." + (alike if independent < texts else ""),
        texts=independent,
        rate=True,
        detectable=float(minimum_detectable_rate(independent, alpha)),
        within=float(tested.p_equivalence),
        beyond=float(tested.p_difference),
    )
