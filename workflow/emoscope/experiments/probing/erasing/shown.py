"""What erasing is shown to change, or to leave as it is within the margin: what the page's verdict goes by."""

from collections.abc import Iterator

import pandas as pd

from emoscope.experiments.probing.erasing.twins import apart
from emoscope.experiments.probing.names import DIMENSIONS, DISTANCE, LEAST, MOVED, NOTHING, RANDOM
from emoscope.perturbation.pairs import NEUTRAL_OF, NEUTRAL_ORIGINS, beside_neutral, countable, probabilities
from emoscope.reporting.findings import Finding, in_findings
from emoscope.statistics.bounded import CHANGE, SHARE, bounded_test
from emoscope.statistics.clusters import MeanTest
from emoscope.statistics.settings import alpha_of
from emoscope.storage.names import EVERYWHERE

BESIDE = ((LEAST, NOTHING), (LEAST, RANDOM), (LEAST, DIMENSIONS), (RANDOM, NOTHING))  # how near twins' answers are
WHERE = {"": EVERYWHERE, "embeddings.": 0}  # in names of findings, which depths are erased


def nearer(axis: str, twins: pd.DataFrame, statistics: dict) -> Iterator[Finding]:
    """`{axis}.nearer.{method}.{other}`: by how much smaller the distance between the answers to twins is with one
    erasure than with another (BESIDE), at every depth; `{axis}.embeddings.nearer.…`, at the embeddings alone."""
    clusters = twins.drop_duplicates("pair").set_index("pair")["cluster"]
    for where, depth in WHERE.items():
        own = twins[(twins["depth"] == depth) | (twins["method"] == NOTHING)]
        means = own.groupby(["method", "pair"])[DISTANCE].mean().unstack("pair")
        names = clusters.loc[means.columns].to_numpy()
        for method, other in BESIDE:
            values = (means.loc[other] - means.loc[method]).to_numpy()
            tested = bounded_test(values, names, statistics["margin"], CHANGE, alpha_of(statistics))
            quoted = f"{axis}.{where}nearer.{in_findings(method)}.{in_findings(other)}"
            yield _judged(quoted, tested, f"{len(values)} pairs.")


def answers_moved(axis: str, twins: pd.DataFrame, statistics: dict) -> Iterator[Finding]:
    """`{axis}.answers_moved.{method}`: how far the answers themselves are from those with nothing erased, in the mean
    over the texts of all pairs, when every depth is erased; `{axis}.embeddings.answers_moved.…`, the embeddings alone.
    Twins whose answers move alike, or one to another as often as from another, are no nearer, and yet were moved."""
    clusters = twins.drop_duplicates("pair").set_index("pair")["cluster"]
    for where, depth in WHERE.items():
        own = twins[(twins["depth"] == depth) & (twins["method"] != NOTHING)]
        means = own.groupby(["method", "pair"])[MOVED].mean().unstack("pair")
        names = clusters.loc[means.columns].to_numpy()
        for method, values in zip(means.index, means.to_numpy(), strict=True):
            tested = bounded_test(values, names, statistics["margin"], SHARE, alpha_of(statistics))
            yield _judged(f"{axis}.{where}answers_moved.{in_findings(method)}", tested, f"{len(values)} pairs.")


def beyond_neutral(axis: str, answers: pd.DataFrame, pairs: pd.DataFrame, statistics: dict) -> Iterator[Finding]:
    """`{axis}.beyond_neutral`: how much further the answers to a text and its flip are apart than those to the text and
    its neutral swap, over the judged flips among scored `pairs` that have one; nothing if none has."""
    judged = set(answers.loc[~answers["learned"].astype(bool), "text"])
    pairs = pairs[countable(pairs)]
    flips = pairs[~pairs["origin"].isin(NEUTRAL_ORIGINS)]
    flips = flips[flips["text"].isin(judged) & flips["perturbed"].isin(judged)]
    sides = [
        beside_neutral(own, pairs[pairs["origin"] == NEUTRAL_OF[origin]]) for origin, own in flips.groupby("origin")
    ]
    if not any(len(own) for own, _ in sides):
        return
    own, swaps = (pd.concat(side) for side in zip(*sides, strict=True))
    further, less = (apart(*probabilities(side), "pred_before" in side) for side in (own, swaps))
    clusters, alpha = own["cluster"].to_numpy(), alpha_of(statistics)
    tested = bounded_test(further - less, clusters, statistics["margin"], CHANGE, alpha)
    yield _judged(f"{axis}.beyond_neutral", tested, f"{len(own)} pairs that have a neutral swap.")


def _judged(name: str, tested: MeanTest, note: str) -> Finding:
    """A mean that was tested against the margin."""
    value, low, high = float(tested.value), float(tested.low), float(tested.high)
    tests = {"within": tested.p_within, "beyond": tested.p_beyond, "detectable": tested.detectable}
    return Finding(name, value, low, high, note, **{key: float(number) for key, number in tests.items()})


def accuracy_lost(axis: str, accuracy: pd.DataFrame, statistics: dict) -> Iterator[Finding]:
    """`{axis}.accuracy_lost.{method}`: by how much the accuracy on test texts that name no group falls when every depth
    is erased, judged against the margin; `{axis}.embeddings.accuracy_lost.…`, the embeddings alone. Nothing without
    such texts."""
    others = accuracy[~accuracy["named"].astype(bool)].astype({"right": float})
    for where, depth in WHERE.items():
        own = others[(others["depth"] == depth) | (others["method"] == NOTHING)]
        means = own.groupby(["method", "text"])["right"].mean().unstack("text")
        for method in means.index.drop(NOTHING, errors="ignore"):
            values, texts = (means.loc[NOTHING] - means.loc[method]).to_numpy(), means.columns.to_numpy()
            tested = bounded_test(values, texts, statistics["margin"], CHANGE, alpha_of(statistics))
            yield _judged(f"{axis}.{where}accuracy_lost.{in_findings(method)}", tested, f"{len(values)} texts.")
