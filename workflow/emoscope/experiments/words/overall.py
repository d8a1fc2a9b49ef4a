"""Which words push each class up and down over the explained texts, and which of them the training texts bear out.

Three exact binomial tests of each class and word, which hold for any number of texts. Does the word push the class up
in most of the explained texts that it stands in? Do more of the training texts with it have the class than of all, or
is it shown that no more do? Single words are named, so p values are adjusted by Holm over all classes and words.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from emoscope.data.text_words import words_of
from emoscope.experiments.words.methods import SPECIAL
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.families import holm
from emoscope.statistics.rates import wilson_interval
from emoscope.storage.decisions import has_several, labelled, truth_of

FEWEST_TEXTS = 3  # that a word must stand in to be listed
STEEPEST = 4  # a probability p moves by p (1 - p), a quarter at most, of what its own logit moves by
SCORED = ["class", "word", "value", "low", "high", "texts"]
COUNTED = ["held", "up", "seen", "having", "share", "share_low", "share_high", "expected"]
PUSHES = [*SCORED, *COUNTED, "p_up", "p_unsupported", "p_supported", "verdict", "tests"]
VERDICTS = UNSUPPORTED, SUPPORTED, OPEN = "unsupported", "supported", "cannot tell"
UNSHOWN = ""
MORE = 1.25  # times the odds of the class in all texts: what is shown to be less counts as no more


def pushes(
    scores: pd.DataFrame,
    texts: pd.DataFrame,
    method: str,
    train: pd.DataFrame,
    classes: Sequence[str],
    options: dict,
    margin: float,
) -> pd.DataFrame:
    """By class and word, the mean score over the `texts` with it of which the class is explained, with interval; beside
    it what `learnt` counts in the training texts, and `verdicts`.

    A word pushes a class up in a text if its mean score there is above `least_push`, as `margin` is a change of
    probability that counts as none. Where the class is not explained, as others are more probable, it does not.
    """
    said = dict(zip(texts["id"], texts["text"], strict=True))
    own = scores[scores["word"] != SPECIAL]
    words = [said[row[0]][row[1] : row[2]].lower() for row in zip(own["id"], own["start"], own["end"], strict=True)]
    own = own[["id", "class", method]].assign(word=words)
    held = own.groupby("word")["id"].nunique()
    held = held[held >= FEWEST_TEXTS]
    own = own[own["word"].isin(held.index)]
    by_text = own.groupby(["word", "class", "id"])[method].mean()
    up = (by_text > least_push(margin, texts, classes)).groupby(level=["word", "class"]).sum()
    counts = learnt(train, sorted(held.index), classes, options["alpha"])
    counts["held"] = counts.index.get_level_values("word").map(held).astype(int)
    counts["up"] = up.reindex(counts.index, fill_value=0).astype(int)
    told = counts.join(verdicts(counts, options["alpha"]))[PUSHES[len(SCORED) :]]
    rows = []
    for (name, word), part in own.groupby(["class", "word"], sort=True):
        values, ids = part[method].to_numpy(dtype=float), part["id"].to_numpy()
        if (number := part["id"].nunique()) >= FEWEST_TEXTS:
            low, high = bootstrap_mean(values, ids, **options)
            rows.append((name, word, values.mean(), low, high, number, *told.loc[(word, name)]))
    return pd.DataFrame(rows, columns=PUSHES)


def least_push(margin: float, texts: pd.DataFrame, classes: Sequence[str]) -> float:
    """The largest score that comes from no larger change of the class's probability than `margin`, if its logit alone
    is moved, at whatever probability.

    Where a text may have several labels, scores are of that logit. Of exclusive classes they are of the logit less the
    mean of all, which moves by 1 - 1 / classes of what one logit moves by: half, if there are two.
    """
    return STEEPEST * margin * (1.0 if has_several(texts) else 1 - 1 / len(classes))


def number_tested(pushed: pd.DataFrame) -> int:
    """Over how many classes and words p values were adjusted."""
    return int(pushed["tests"].max()) if len(pushed) else 0


def counted(pushed: pd.DataFrame) -> dict[str, int]:
    """How many classes and words are shown to push up (`up`), and how many of these got which verdict."""
    found = {verdict.replace(" ", "_"): int((pushed["verdict"] == verdict).sum()) for verdict in VERDICTS}
    return {"up": sum(found.values())} | found


def learnt(train: pd.DataFrame, words: Sequence[str], classes: Sequence[str], alpha: float) -> pd.DataFrame:
    """By word and class, of the labelled training texts with the word, each counted once: how many they are (`seen`),
    how many have the class (`having`), their `share` with interval, and the share of all that have it (`expected`)."""
    train = train[labelled(train)].drop_duplicates("text")
    truth = truth_of(train, len(classes))
    wanted, having = {word: place for place, word in enumerate(words)}, np.zeros((len(words), len(classes)))
    seen = np.zeros(len(words))
    for text, true in zip(train["text"], truth, strict=True):
        found = [wanted[word] for word in {text[slice(*place)].lower() for place in words_of(text)} if word in wanted]
        having[found] += true
        seen[found] += 1
    seen = np.broadcast_to(seen[:, None], having.shape)
    with np.errstate(invalid="ignore"):
        share = having / seen
    low, high = wilson_interval(having, seen, alpha)
    expected = np.broadcast_to(truth.sum(axis=0) / max(len(truth), 1), having.shape)
    columns = {"seen": seen.astype(int), "having": having.astype(int), "share": share}
    columns |= {"share_low": low, "share_high": high, "expected": expected}
    index = pd.MultiIndex.from_product([words, classes], names=["word", "class"])
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)


def verdicts(counts: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """What is shown of each class and word, the index of `counts`; these have the columns of `learnt`, `held`, the
    explained texts with the word, and `up`, those of them in which it pushes the class up.

    `p_up`: it does so in half of its texts at most. `p_unsupported` and `p_supported`: that, or the odds of the class
    in the training texts with the word are MORE times those in all texts or higher, or are no higher than these; as
    both must be rejected, the larger p counts (Berger 1982, Technometrics 24, 295). All are adjusted over the `tests`,
    the rows with words in FEWEST_CLUSTERS texts or more; elsewhere they are NaN.

    `verdict`: UNSUPPORTED or SUPPORTED by the training texts; OPEN if it pushes and neither is shown; else UNSHOWN.
    """
    held, up, seen, having = (counts[name].to_numpy() for name in ("held", "up", "seen", "having"))
    expected = counts["expected"].to_numpy()
    pushing = np.where(held >= FEWEST_CLUSTERS, stats.binom.sf(up - 1, held, 0.5), np.nan)
    no_more = stats.binom.cdf(having, seen, MORE * expected / (1 + (MORE - 1) * expected))  # odds as a share
    more = stats.binom.sf(having - 1, seen, expected)
    adjusted = {
        "p_up": holm(pushing),
        "p_unsupported": holm(np.maximum(pushing, no_more)),
        "p_supported": holm(np.maximum(pushing, more)),
    }
    shown = [adjusted[name] <= alpha for name in ("p_unsupported", "p_supported", "p_up")]
    verdict = np.select(shown, [UNSUPPORTED, SUPPORTED, OPEN], UNSHOWN)
    tests = int(np.isfinite(pushing).sum())
    return pd.DataFrame(adjusted | {"verdict": verdict, "tests": tests}, index=counts.index)
