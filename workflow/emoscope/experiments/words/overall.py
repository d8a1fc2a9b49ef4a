"""Which words push each class up and down over many test texts, and which of them the training texts bear out.

Three exact binomial tests of each class and word, which hold for any number of texts. Does the word push the class up
in most of the texts that it stands in? Do more of the training texts with it have the class than of all, or
is it shown that no more do? Single words are named, so p values are adjusted by Holm over all classes and words.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from emoscope.data.text_words import words_of
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.families import holm
from emoscope.statistics.rates import wilson_interval
from emoscope.storage.decisions import has_several, labelled, truth_of

STEEPEST = 4  # a probability p moves by p (1 - p), a quarter at most, of what its own logit moves by
SCORED = ["class", "word", "value", "low", "high", "texts"]
COUNTED = ["up", "seen", "having", "share", "share_low", "share_high", "expected"]
PUSHES = [*SCORED, *COUNTED, "p_up", "p_unsupported", "p_supported", "verdict"]
VERDICTS = UNSUPPORTED, SUPPORTED, OPEN = "unsupported", "supported", "cannot tell"
UNSHOWN = ""
MORE = 1.25  # times the odds of the class in all texts: what is shown to be less counts as no more


def pushes(
    cuts: pd.DataFrame, train: pd.DataFrame, classes: Sequence[str], options: dict, margin: float
) -> pd.DataFrame:
    """By class and word in FEWEST_CLUSTERS texts or more, its mean push in `cuts` over these, with interval; beside it
    what `learnt` counts in the training texts, and `verdicts`.

    A word pushes a class up in a text if its mean there is above `least_push`, as `margin` is a change of probability
    that counts as none.
    """
    by_text = cuts.groupby(["word", "id"])[[f"push_{name}" for name in classes]].mean().set_axis(classes, axis=1)
    texts = by_text.groupby("word").size()
    texts = texts[texts >= FEWEST_CLUSTERS]
    by_text = by_text[by_text.index.get_level_values("word").isin(texts.index)]
    counts = learnt(train, list(texts.index), classes, options["alpha"])
    up = (by_text > least_push(margin, train, classes)).groupby("word").sum()
    counts["texts"], counts["up"] = np.repeat(texts.to_numpy(), len(classes)), up.to_numpy().ravel()
    bounds = [
        bootstrap_mean(part.to_numpy(dtype=float), part.index.get_level_values("id"), **options)
        for _, part in by_text.groupby("word")
    ]
    counts["value"] = by_text.groupby("word").mean().to_numpy().ravel()
    counts[["low", "high"]] = np.reshape(bounds, (-1, 2, len(classes))).transpose(0, 2, 1).reshape(-1, 2)
    found = counts.join(verdicts(counts, options["alpha"])).reset_index()
    return found[PUSHES].sort_values(["class", "word"], ignore_index=True)


def least_push(margin: float, labels: pd.DataFrame, classes: Sequence[str]) -> float:
    """The largest push that comes from no larger change of the class's probability than `margin`, if its logit alone
    is moved, at whatever probability.

    Where a text may have several labels, pushes are of that logit. Of exclusive classes they are of the logit less the
    mean of all, which moves by 1 - 1 / classes of what one logit moves by: half, if there are two.
    """
    return STEEPEST * margin * (1.0 if has_several(labels) else 1 - 1 / len(classes))


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
    """What is shown of each class and word, the index of `counts`; these have the columns of `learnt`, `texts`, how
    many have the word, and `up`, in how many of them it pushes the class up.

    `p_up`: it does so in half of its texts at most. `p_unsupported` and `p_supported`: that, or the odds of the class
    in the training texts with the word are MORE times those in all texts or higher, or are no higher than these; as
    both must be rejected, the larger p counts (Berger 1982, Technometrics 24, 295). All are adjusted over all rows.

    `verdict`: UNSUPPORTED or SUPPORTED by the training texts; OPEN if it pushes and neither is shown; else UNSHOWN.
    """
    texts, up, seen, having = (counts[name].to_numpy() for name in ("texts", "up", "seen", "having"))
    expected = counts["expected"].to_numpy()
    pushing = stats.binom.sf(up - 1, texts, 0.5)
    no_more = stats.binom.cdf(having, seen, MORE * expected / (1 + (MORE - 1) * expected))  # odds as a share
    more = stats.binom.sf(having - 1, seen, expected)
    adjusted = {
        "p_up": holm(pushing),
        "p_unsupported": holm(np.maximum(pushing, no_more)),
        "p_supported": holm(np.maximum(pushing, more)),
    }
    shown = [adjusted[name] <= alpha for name in ("p_unsupported", "p_supported", "p_up")]
    verdict = np.select(shown, [UNSUPPORTED, SUPPORTED, OPEN], UNSHOWN)
    return pd.DataFrame(adjusted | {"verdict": verdict}, index=counts.index)
