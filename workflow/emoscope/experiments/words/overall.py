"""Which words push each class up and down over many test texts, and which of them the training texts bear out.

Three exact tests of each class and word, which hold for any number of texts. Does the word push the class up in most
of the texts that it stands in? Are the odds of the class higher in the training texts with it than in those without, or
is it shown that they are no higher? Single words are named, so the p values of each of the three are adjusted by Holm
over all classes and words: each kind of claim has a level of its own.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import gammaln, logsumexp

from emoscope.data.text_words import words_of
from emoscope.statistics.adjustment import holm
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.statistics.rates import wilson_interval
from emoscope.storage.decisions import labelled, truth_of

STEEPEST = 4  # a probability p moves by p (1 - p), a quarter at most, of what its log-odds move by
SCORED = ["class", "word", "value", "low", "high", "texts"]
COUNTED = ["up", "seen", "having", "share", "share_low", "share_high", "others", "others_having", "others_share"]
PUSHES = [*SCORED, *COUNTED, "p_up", "p_unsupported", "p_supported", "verdict"]
VERDICTS = UNSUPPORTED, SUPPORTED, OPEN = "unsupported", "supported", "cannot tell"
UNSHOWN = ""
MORE = 1.25  # times the odds of the class in texts without the word: what is shown to be less counts as no more


def beyond_others(cuts: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Of each word of a table of `cut_words`, `id, word, start, end`, and `push_{class}`: by how much further the
    class's log-odds fall without it than in the median without each other word of its text, as any hole in a text has
    an effect. The same word in another place is no other one; texts of one word, which have no other, are left out."""
    falls = cuts[[f"fall_{name}" for name in classes]].to_numpy(dtype=float)
    usual, words = np.full_like(falls, np.nan), pd.factorize(cuts["word"])[0]
    for rows in cuts.groupby("id", sort=False).indices.values():
        for word in np.unique(words[rows]):
            same = words[rows] == word
            if not same.all():
                usual[rows[same]] = np.median(falls[rows[~same]], axis=0)
    pushed = pd.DataFrame(falls - usual, cuts.index, [f"push_{name}" for name in classes])
    return cuts[["id", "word", "start", "end"]].join(pushed)[~np.isnan(usual).any(axis=1)]


def pushes(
    pushed: pd.DataFrame, train: pd.DataFrame, classes: Sequence[str], options: dict, margin: float
) -> pd.DataFrame:
    """By class and word in FEWEST_CLUSTERS texts or more, its mean push (`beyond_others`) over these, with interval;
    beside it what `learnt` counts in the training texts, and `verdicts`.

    A word pushes a class up in a text if its mean there is above `least_push`, as `margin` is a change of probability
    that counts as none. It has a verdict only if its mean over texts is up, too.
    """
    by_text = pushed.groupby(["word", "id"])[[f"push_{name}" for name in classes]].mean().set_axis(classes, axis=1)
    texts = by_text.groupby(level="word").size()
    texts = texts[texts >= FEWEST_CLUSTERS]
    by_text = by_text[by_text.index.get_level_values("word").isin(texts.index)]
    counts = learnt(train, list(texts.index), classes, options["alpha"])
    up = (by_text > least_push(margin)).groupby(level="word").sum()
    counts["texts"], counts["up"] = np.repeat(texts.to_numpy(), len(classes)), up.to_numpy().ravel()
    bounds = [
        bootstrap_mean(part.to_numpy(dtype=float), part.index.get_level_values("id"), **options)
        for _, part in by_text.groupby(level="word")
    ]
    counts["value"] = by_text.groupby(level="word").mean().to_numpy().ravel()
    counts[["low", "high"]] = np.reshape(bounds, (-1, 2, len(classes))).transpose(0, 2, 1).reshape(-1, 2)
    found = counts.join(verdicts(counts, options["alpha"])).reset_index()
    found.loc[~(found["low"] > 0), "verdict"] = UNSHOWN  # a little up in most texts, and far down in the others
    return found[PUSHES].sort_values(["class", "word"], ignore_index=True)


def least_push(margin: float) -> float:
    """The largest change of a class's log-odds that moves its probability by no more than `margin`, from wherever."""
    return STEEPEST * margin


def counted(pushed: pd.DataFrame) -> dict[str, int]:
    """How many pairs of a class and a word are shown to push up (`up`), and how many of these got which verdict."""
    found = {verdict.replace(" ", "_"): int((pushed["verdict"] == verdict).sum()) for verdict in VERDICTS}
    return {"up": sum(found.values())} | found


def learnt(train: pd.DataFrame, words: Sequence[str], classes: Sequence[str], alpha: float) -> pd.DataFrame:
    """By word and class, of the labelled training texts with the word, each counted once: how many they are (`seen`),
    how many have the class (`having`), and their `share` with interval; of the `others`, which lack the word, how many
    have the class (`others_having`), and their share (`others_share`)."""
    train = train[labelled(train)].drop_duplicates("text")
    truth = truth_of(train, len(classes))
    wanted, having = {word: place for place, word in enumerate(words)}, np.zeros((len(words), len(classes)))
    seen = np.zeros(len(words))
    for text, true in zip(train["text"], truth, strict=True):
        found = [wanted[word] for word in {text[slice(*place)].lower() for place in words_of(text)} if word in wanted]
        having[found] += true
        seen[found] += 1
    seen = np.broadcast_to(seen[:, None], having.shape)
    others, lacking = len(truth) - seen, truth.sum(axis=0) - having
    with np.errstate(invalid="ignore"):
        share, others_share = having / seen, lacking / others
    low, high = wilson_interval(having, seen, alpha)
    found = {"seen": seen.astype(int), "having": having.astype(int), "share": share}
    found |= {"share_low": low, "share_high": high}
    found |= {"others": others.astype(int), "others_having": lacking.astype(int), "others_share": others_share}
    index = pd.MultiIndex.from_product([words, classes], names=["word", "class"])
    return pd.DataFrame({name: values.ravel() for name, values in found.items()}, index=index)


def verdicts(counts: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """What is shown of each class and word, the index of `counts`; these have the columns of `learnt`, `texts`, how
    many have the word, and `up`, in how many of them it pushes the class up.

    `p_up`: it does so in half of its texts at most. `p_unsupported` and `p_supported`: that, or the odds of the class
    in the training texts with the word are MORE times those in the texts without it or higher, or are no higher than
    these; as both must be rejected, the larger p counts (Berger 1982, Technometrics 24, 295). Each of the three is
    adjusted over all rows by itself: with a chance of `alpha` at most any row of a list has an untrue one.

    `verdict`: UNSUPPORTED or SUPPORTED by the training texts; OPEN if it pushes and neither is shown; else UNSHOWN.
    """
    texts, up = (counts[name].to_numpy() for name in ("texts", "up"))
    seen, having, others, others_having = (
        counts[name].to_numpy() for name in ("seen", "having", "others", "others_having")
    )
    pushing = stats.binom.sf(up - 1, texts, 0.5)
    no_more = lower_odds(having, seen, others_having, others, MORE)
    more = lower_odds(seen - having, seen, others - others_having, others, 1.0)  # lower odds of not having the class
    adjusted = {
        "p_up": holm(pushing),
        "p_unsupported": holm(np.maximum(pushing, no_more)),
        "p_supported": holm(np.maximum(pushing, more)),
    }
    shown = [adjusted[name] <= alpha for name in ("p_unsupported", "p_supported", "p_up")]
    verdict = np.select(shown, [UNSUPPORTED, SUPPORTED, OPEN], UNSHOWN)
    return pd.DataFrame(adjusted | {"verdict": verdict}, index=counts.index)


def lower_odds(
    having: np.ndarray, seen: np.ndarray, others_having: np.ndarray, others: np.ndarray, ratio: float
) -> np.ndarray:
    """p that odds are `ratio` times those of others or higher, (rows,), where `having` of `seen` and `others_having` of
    `others` have something: how likely as few or fewer of `seen` are, given all these sums. Exact, by the noncentral
    hypergeometric distribution of Fisher (1935), The logic of inductive inference, JRSS 98, 39."""
    found = []
    for own, size, rest, count in zip(having, seen, others_having, others, strict=True):
        total = own + rest
        least = max(0, total - count)
        ways = np.arange(least, min(size, total) + 1)
        parts = ways, size - ways, total - ways, count - total + ways
        logs = ways * np.log(ratio) - sum(gammaln(part + 1.0) for part in parts)
        found.append(np.exp(logsumexp(logs[: own - least + 1]) - logsumexp(logs)))
    return np.minimum(found, 1)
