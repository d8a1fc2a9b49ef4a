"""The quotable numbers of synonyms."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from emoscope.perturbation.findings import beyond_all_neutral, beyond_neutral, counted, cut_off, rate_finding
from emoscope.perturbation.pairs import NEUTRAL_OF, moved, scored
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.settings import alpha_of

SURPRISING = ("overwhelmed", "surprised")  # the words whose replacement does change predictions, says the paper
WITHOUT = {"": (), ".but_surprising": SURPRISING}  # endings of findings, and the words left out of them


def summarise_synonyms(
    pairs: Path, scores: Path, words: Path, published: Path, statistics: dict, findings: Path
) -> None:
    """Write the findings; `published` is the paper's table of frequent words."""
    table = scored(pd.read_parquet(pairs), pd.read_parquet(scores))
    found = [*findings_of(table, statistics["margin"], alpha_of(statistics))]
    write_findings([*found, *shared_words(pd.read_parquet(words), pd.read_csv(published))], findings)


def findings_of(pairs: pd.DataFrame, margin: float, alpha: float) -> Iterator[Finding]:
    """Share of texts whose predicted class changes: `published`, rewritten as the paper did; `word.{word}`, one word
    replaced; and `most_changed_word`. The first and last also `.but_surprising`, without the paper's two words; and
    where there are neutral swaps all of them `.beyond_neutral`, less the share that these change. Of `published` and of
    all `words`, `cut_off`."""
    for origin, name in (("published", "published"), ("word", "words")):
        yield from cut_off(name, pairs[pairs["origin"] == origin])
    rewritten = counted(pairs[pairs["origin"] == "published"])
    neutral = counted(pairs[pairs["origin"] == NEUTRAL_OF["published"]])
    replaced = [{row.text[start:end] for start, end, *_ in row.spans} for row in rewritten.itertuples()]
    for ending, but in WITHOUT.items():
        kept = rewritten[[found.isdisjoint(but) for found in replaced]]
        if len(kept):
            yield rate_finding(f"published{ending}", moved(kept), kept["cluster"], margin, alpha)
            yield from beyond_neutral(f"published{ending}.beyond_neutral", kept, neutral, moved, margin, alpha)
    words, neutral = (counted(pairs[pairs["origin"] == kind]) for kind in ("word", NEUTRAL_OF["word"]))
    own = dict(list(words.groupby("term", sort=False)))

    def changed(name: str, word: str, level: float) -> Finding:
        return rate_finding(name, moved(own[word]), own[word]["cluster"], margin, level)

    def beyond(name: str, word: str, level: float) -> Finding:
        return word_beyond_neutral(name, own[word], neutral, margin, level)

    for ending, measure in {"": changed, **({".beyond_neutral": beyond} if len(neutral) else {})}.items():
        yield from (measure(f"word.{word}{ending}", word, alpha) for word in own)
        for but_some, but in WITHOUT.items():
            kept = [word for word in own if word not in but]
            yield from most_changed_word(f"most_changed_word{but_some}{ending}", kept, measure, alpha)


def word_beyond_neutral(name: str, own: pd.DataFrame, neutral: pd.DataFrame, margin: float, alpha: float) -> Finding:
    """The share of changed predictions of one word, less that of the neutral swaps of its own texts, where
    FEWEST_CLUSTERS or more of these have some; else of the neutral swaps of all words."""
    alike = neutral[neutral["term"].isin(own["term"]) & neutral["id"].isin(own["id"])]
    if len(alike) >= FEWEST_CLUSTERS:
        return next(beyond_neutral(name, own, alike, moved, margin, alpha))
    return beyond_all_neutral(name, own, neutral, moved, margin, alpha)


def shared_words(words: pd.DataFrame, published: pd.DataFrame) -> Iterator[Finding]:
    """`frequent_words.{class}`: how many of the words that the paper prints for a class are among ours."""
    own = words[words["stop_words"] == "published"]
    for name, rows in published.groupby("class", sort=False):
        ours = set(own.loc[own["class"] == name, "word"])
        if ours:
            yield Finding(f"frequent_words.{name}", len(ours & set(rows["word"])), note=f"Of {len(rows)} words.")


def most_changed_word(
    name: str, words: Sequence[str], measure: Callable[[str, str, float], Finding], alpha: float
) -> Iterator[Finding]:
    """The word whose replacement alone most surely changes more predictions than the margin allows; of words that are
    shown to stay within it only if all are. `measure` takes a name, the word and alpha.

    "No effect" holds if every word passes the equivalence test, and fails if one lies beyond the margin. That, and the
    interval, is adjusted for the number of words (Bonferroni), since the largest of many is sought. `texts` and
    `detectable` are those of this word.
    """
    if not words:
        return
    each, wider = ([measure(name, word, level) for word in words] for level in (alpha, alpha / len(words)))
    shown = [one.within <= alpha for one in each]
    order = [(passes, wide.beyond, -one.within) for passes, one, wide in zip(shown, each, wider, strict=True)]
    worst = order.index(min(order))
    yield wider[worst]._replace(
        note=f"Decided by {words[worst]}: {each[worst].note} Of {len(words)} words, {sum(shown)} are shown to stay "
        f"within the margin; the rarest stands in {min(one.texts for one in each):.0f} texts.",
        within=max(one.within for one in each),
        beyond=min(1.0, len(words) * wider[worst].beyond),
    )
