"""The quotable numbers of synonyms."""

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.perturbation.findings import counted, rate_finding
from emoscope.perturbation.pairs import moved, scored
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.equivalence import rate_equivalence_verdict
from emoscope.statistics.rates import exact_interval, minimum_detectable_rate

SURPRISING = ("overwhelmed", "surprised")  # the words whose replacement does change predictions, says the paper


def summarise_synonyms(
    pairs: Path, scores: Path, words: Path, published: Path, statistics: dict, findings: Path
) -> None:
    """Write the findings; `published` is the paper's table of frequent words."""
    table = scored(pd.read_parquet(pairs), pd.read_parquet(scores))
    found = [*findings_of(table, statistics["margin"], 1 - statistics["confidence"])]
    write_findings([*found, *shared_words(pd.read_parquet(words), pd.read_csv(published))], findings)


def findings_of(pairs: pd.DataFrame, margin: float, alpha: float) -> Iterator[Finding]:
    """Share of texts whose predicted class changes: `published`, rewritten as the paper did; `word.{word}`, one word
    replaced; and `most_changed_word`. The first and last also `.but_surprising`, without the paper's two words."""
    rewritten = counted(pairs[pairs["origin"] == "published"])
    words = counted(pairs[pairs["origin"] == "word"])
    replaced = [{row.text[start:end] for start, end, *_ in row.spans} for row in rewritten.itertuples()]
    for ending, but in (("", ()), (".but_surprising", SURPRISING)):
        kept = rewritten[[found.isdisjoint(but) for found in replaced]]
        if len(kept):
            yield rate_finding(f"published{ending}", moved(kept), kept["cluster"], margin, alpha)
        yield from most_changed_word(words, but, f"most_changed_word{ending}", margin, alpha)
    for word, own in words.groupby("term", sort=False):
        yield rate_finding(f"word.{word}", moved(own), own["cluster"], margin, alpha)


def shared_words(words: pd.DataFrame, published: pd.DataFrame) -> Iterator[Finding]:
    """`frequent_words.{class}`: how many of the words that the paper prints for a class are among ours."""
    own = words[words["stop_words"] == "published"]
    for name, rows in published.groupby("class", sort=False):
        ours = set(own.loc[own["class"] == name, "word"])
        if ours:
            yield Finding(f"frequent_words.{name}", len(ours & set(rows["word"])), note=f"Of {len(rows)} words.")


def most_changed_word(
    pairs: pd.DataFrame, but: Collection[str], name: str, margin: float, alpha: float
) -> Iterator[Finding]:
    """The word whose replacement alone most surely changes more predictions than the margin allows, some left out.

    "No effect" holds if every word passes the equivalence test, and fails if one lies beyond the margin. That, and the
    interval, is adjusted for the number of words (Bonferroni), since the largest of many is sought; `detectable` is
    that of the rarest word.
    """
    pairs = pairs[~pairs["term"].isin(but)]
    if pairs.empty:
        return
    words = pairs.assign(moved=moved(pairs)).groupby("term")["moved"].agg(["sum", "size"])
    tests = [rate_equivalence_verdict(*counts, margin, alpha) for counts in words.itertuples(index=False)]
    within, beyond = (np.array([getattr(test, p) for test in tests]) for p in ("p_equivalence", "p_difference"))
    worst = int(np.argmin(beyond))
    word, (count, texts) = words.index[worst], words.iloc[worst]
    low, high = exact_interval(count, texts, alpha / len(words))
    shown, rarest = (within <= alpha).sum(), words["size"].min()
    yield Finding(
        name,
        value=float(count / texts),
        low=float(low),
        high=float(high),
        note=f"Furthest from zero is {word}: {count} of {texts} texts. Of {len(words)} words, {shown} are shown to "
        f"stay within the margin; the rarest stands in {rarest} texts.",
        texts=int(rarest),
        rate=True,
        detectable=minimum_detectable_rate(int(rarest), margin, alpha / len(words)),
        within=float(within.max()),
        beyond=min(1.0, float(len(words) * beyond[worst])),
    )
