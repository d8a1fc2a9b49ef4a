"""Which dimensions of the residual stream change when people's words are flipped, and whether that is more than chance.

Dimension k of one model corresponds to no particular dimension of a model trained separately.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.tracing.alignment import align
from emoscope.models.activations import activations_of, unit_means
from emoscope.models.loading import load_classifier
from emoscope.perturbation.pairs import countable
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.bounded import CORRELATION, bounded_test
from emoscope.statistics.families import benjamini_hochberg
from emoscope.storage.files import write_table
from emoscope.storage.names import TOP

MOST_TEXTS = 300  # pairs, and unrelated texts; more change nothing but the time it takes


def measure_dimensions(
    model: Path, pairs: Path, test: Path, config: dict, statistics: dict, dimensions: Path, agreement: Path
) -> None:
    """Write the tables of `dimension_tables` for the residual stream after the traced block."""
    classifier, tokenizer = load_classifier(model)
    table, texts = pd.read_parquet(pairs), pd.read_parquet(test)["text"]
    natural = table[countable(table) & (table["origin"] == "natural")].drop_duplicates("text")
    natural, unrelated = (
        some.sample(min(len(some), MOST_TEXTS), random_state=statistics["seed"])
        for some in (natural, unrelated_texts(texts, table))
    )
    block = config["traced_block"]
    changes = word_changes(classifier, tokenizer, natural, block)
    spread = activation_spread(classifier, tokenizer, unrelated, block)
    chosen = {name: statistics[name] for name in ("confidence", "resamples", "seed")}
    for part, path in zip(dimension_tables(changes, spread, **chosen), (dimensions, agreement), strict=True):
        write_table(part, path)


def unrelated_texts(texts: pd.Series, pairs: pd.DataFrame) -> pd.Series:
    """The distinct texts that cannot be flipped; all of them where every one can."""
    distinct = texts.drop_duplicates()
    unrelated = distinct[~distinct.isin(pairs["text"])]
    return unrelated if len(unrelated) else distinct


def word_changes(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, pairs: pd.DataFrame, block: int
) -> pd.DataFrame:
    """Absolute change at every flipped word: a row each, `words` (`he/she`, in either direction), then dimensions."""
    rows, names = [], []
    for pair in pairs.itertuples():
        aligned = align(tokenizer, pair.text, pair.perturbed, pair.spans)
        before, after = activations_of(model, aligned.original), activations_of(model, aligned.flipped)
        for unit in aligned.units:
            if unit.word != unit.flipped_word:
                change = unit_means(after, unit.flipped_tokens, block)["residual"]
                rows.append(np.abs(change - unit_means(before, unit.tokens, block)["residual"]))
                names.append("/".join(sorted((unit.word.lower(), unit.flipped_word.lower()))))
    return pd.DataFrame(np.reshape(rows, (len(rows), model.config.hidden_size)), index=pd.Index(names, name="words"))


def activation_spread(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: pd.Series, block: int
) -> np.ndarray:
    """Standard deviation (width,) of each dimension over the tokens of some texts."""
    inputs = (tokenizer(text, truncation=True, return_tensors="pt") for text in texts)
    tokens = np.concatenate([activations_of(model, text).residual[block + 1].cpu().numpy() for text in inputs])
    return tokens.std(axis=0)


def dimension_tables(
    changes: pd.DataFrame, spread: np.ndarray, confidence: float, resamples: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test each dimension, and how much the word pairs agree, against a permutation of the dimensions.

    The changes of one word pair (`he/she`) are averaged and count once, since its texts repeat the same two embeddings.
    A word pair's profile is divided by its mean over the dimensions. `scale` is `plain`, or `standardised`: divided by
    `spread` before, since a dimension that is large in any text changes much in any. The null hypothesis is that the
    number of a dimension tells nothing: the profile of every word pair is permuted on its own.

    - dimensions: `scale, dimension, value, low, high, p, p_adjusted, spread, tops`: the mean profile with its bootstrap
      interval over word pairs, one-sided p, Benjamini-Hochberg over the dimensions, and how many word pairs have the
      dimension among their largest 5 %;
    - agreement: `scale, measure, value, low, high, expected, p, words, flips`: `largest` (the largest mean), `overlap`
      (how many of their largest 5 % two word pairs share on average) and `follows spread` (mean rank correlation of a
      profile with `spread`); `expected` is the mean over permutations, `flips` counts flipped words.
    One word pair alone leaves nothing to test: p and intervals are NaN.
    """
    dimensions, agreement = [], []
    for scale, divisor in {"plain": 1.0, "standardised": np.where(spread > 0, spread, 1)}.items():
        profiles = (changes / divisor).groupby(level=0).mean()
        profiles = profiles[profiles.mean(axis=1) > 0]
        counts = {"scale": scale, "words": len(profiles), "flips": len(changes)}
        if len(profiles):
            profiles = profiles.div(profiles.mean(axis=1), axis=0).to_numpy(dtype=float)
            tested, measures = _tested(profiles, spread, confidence, resamples, seed)
            dimensions.append(tested.assign(scale=scale, spread=spread))
            agreement.append(measures.assign(**counts))
    return _stacked(dimensions, DIMENSION_COLUMNS), _stacked(agreement, AGREEMENT_COLUMNS)


DIMENSION_COLUMNS = ["scale", "dimension", "value", "low", "high", "p", "p_adjusted", "spread", "tops"]
AGREEMENT_COLUMNS = ["scale", "measure", "value", "low", "high", "expected", "p", "words", "flips"]


def _tested(
    profiles: np.ndarray, spread: np.ndarray, confidence: float, resamples: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    words, width = profiles.shape
    top = max(1, round(TOP * width))
    largest = np.zeros(profiles.shape, dtype=bool)
    np.put_along_axis(largest, np.argsort(-profiles, axis=1)[:, :top], True, axis=1)
    value, tops = profiles.mean(axis=0), largest.sum(axis=0)

    rng = np.random.default_rng(seed)
    null = np.stack([rng.permuted(profiles, axis=1).mean(axis=0) for _ in range(resamples)])
    null_tops = np.stack([rng.permuted(largest, axis=1).sum(axis=0) for _ in range(resamples)])
    reached = null.size - np.searchsorted(np.sort(null, axis=None), value * (1 - 1e-12))
    alone = words < 2
    p = np.full(width, np.nan) if alone else (1 + reached) / (1 + null.size)  # dimensions share one null distribution
    each = np.arange(words)
    low, high = bootstrap_mean(profiles, each, seed=seed, resamples=resamples, alpha=1 - confidence)
    dimensions = pd.DataFrame({
        "dimension": range(width), "value": value, "low": low, "high": high, "p": p,
        "p_adjusted": benjamini_hochberg(p), "tops": tops,
    })  # fmt: skip

    correlations = np.array([spearmanr(profile, spread).statistic for profile in profiles])
    follows = bounded_test(correlations, each, margin=1, bounds=CORRELATION, alpha=1 - confidence)
    measures = [
        ("follows spread", follows.value, follows.low, follows.high, 0.0, np.nan if alone else follows.p_difference)
    ]
    for name, found, drawn in (
        ("largest", value.max(), null.max(axis=1)),
        ("overlap", _overlap(tops, words), _overlap(null_tops, words)),
    ):
        exceeded = (1 + (drawn >= found - 1e-12).sum()) / (1 + resamples)
        measures.append((name, found, np.nan, np.nan, drawn.mean(), np.nan if alone else exceeded))
    return dimensions, pd.DataFrame(measures, columns=["measure", "value", "low", "high", "expected", "p"])


def _overlap(tops: np.ndarray, words: int) -> np.ndarray:
    """Mean number of dimensions that are among the largest of both of two word pairs, from counts (..., width)."""
    return (
        (tops * (tops - 1)).sum(axis=-1) / (words * (words - 1)) if words > 1 else np.full(tops.shape[:-1], np.nan)[()]
    )


def _stacked(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
