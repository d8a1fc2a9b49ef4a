"""How often something happens to pairs, alone or less how often to neutral swaps, as a finding that can be judged."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from emoscope.perturbation.pairs import BEYOND, beside_neutral, countable, distinct, flagged
from emoscope.reporting.findings import Finding
from emoscope.statistics.clusters import Interval
from emoscope.statistics.equivalence import excess_test, rate_test
from emoscope.statistics.rates import effective_rows, excess_interval, rate_difference_interval

Event = Callable[[pd.DataFrame], pd.Series]  # whether something happens to scored pairs, such as `moved`


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


def cut_off(name: str, pairs: pd.DataFrame) -> Iterator[Finding]:
    """`{name}.beyond_context`: how many pairs no rate counts, as the model reads the same in both texts; nothing if it
    reads all that was exchanged."""
    if lost := int(flagged(pairs, BEYOND).sum()):
        yield Finding(f"{name}.beyond_context", lost, note=f"Of {len(pairs)} pairs.")


def beyond_neutral(
    name: str, own: pd.DataFrame, neutral: pd.DataFrame, event: Event, margin: float, alpha: float
) -> Iterator[Finding]:
    """How often something happens, less how often in neutral swaps of the same texts; nothing without any."""
    own, neutral = beside_neutral(own, neutral)
    if neutral.empty:
        return
    events = [event(kind).to_numpy() for kind in (own, neutral)]
    interval = excess_interval(*events, own["cluster"].to_numpy(), alpha)
    note = "{} of {} texts and {} of their neutral swaps."
    yield _excess(name, events, interval, note, margin, alpha)


def beyond_all_neutral(
    name: str, own: pd.DataFrame, neutral: pd.DataFrame, event: Event, margin: float, alpha: float
) -> Finding:
    """How often something happens, less how often in neutral swaps of whatever texts, each once."""
    kinds = own, distinct(neutral)
    events = [event(kind).to_numpy() for kind in kinds]
    clusters = [kind["cluster"].to_numpy() for kind in kinds]
    interval = rate_difference_interval(*events, paired=False, clusters=clusters, alpha=alpha)
    note = "{} of {} texts, and {} of {} neutral swaps of any word."
    return _excess(name, events, interval, note, margin, alpha)


def _excess(
    name: str, events: Sequence[np.ndarray], interval: Interval, note: str, margin: float, alpha: float
) -> Finding:
    rates = [float(np.mean(side)) for side in events]
    value = rates[0] - rates[1]
    within, beyond, detectable = excess_test(value, *interval, margin, alpha)
    counts = [count for side in events for count in (int(side.sum()), len(side))]
    return Finding(
        name,
        value,
        interval.low,
        interval.high,
        note.format(*counts),
        texts=len(events[0]),
        detectable=detectable,
        within=within,
        beyond=beyond,
    )
