"""What is looked for in a classifier's states: the texts that a probe learns from and is judged on, for each concept.

Examples are a table: `text`; `value`, the number of what is to be read; `kind`, the word type that says it, empty where
no single word does; `spans`, the characters (start, end) of the words that say it, if single words do, and `said`, for
each of these, both words, its own and the twin's, as one name; `pair`, the number that a text and its twin share;
`cluster`, what counts as independent.
"""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from emoscope.data.known_texts import one_stands_in
from emoscope.experiments.probing.names import CLASS, NEGATION
from emoscope.perturbation.inside.names import FLIP
from emoscope.perturbation.inside.sample import pairs_by_kind
from emoscope.perturbation.pairs import NEUTRAL_ORIGINS, named_first
from emoscope.statistics.clusters import FEWEST_CLUSTERS
from emoscope.storage.decisions import has_several

COLUMNS = ["text", "value", "kind", "spans", "said", "pair", "cluster"]
NEGATORS = re.compile(
    r"\b(?:not|no|never|nobody|nothing|nor|neither|nowhere|none|cannot|aint|\w+n['\u2019]t"
    r"|(?:do|does|did|is|was|were|are|ca|wo|could|would|should|has|have|had)nt)\b",
    re.IGNORECASE,
)


def class_examples(texts: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Distinct texts with their class; of texts that may have several, those that have exactly one."""
    known = texts.drop_duplicates("text")
    if has_several(known):
        known = known[known["labels"].map(len) == 1]
        known = known.assign(label=known["labels"].map(lambda labels: labels[0]))
    known = known.sample(min(count, len(known)), random_state=seed)
    return _of_texts(known["text"], known["label"])


def negation_examples(texts: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Distinct texts with a negator (1) and without (0), as many of both."""
    distinct = texts["text"].drop_duplicates().sample(frac=1, random_state=seed)
    negated = distinct.str.contains(NEGATORS)
    sides = [distinct[negated == side] for side in (False, True)]
    size = min(count // 2, *map(len, sides))
    both = pd.concat([side.head(size) for side in sides])
    return _of_texts(both, both.index.isin(sides[1].index))


def people_examples(pairs: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Both texts of flips, at most `count` texts, by the group that they name, 0 for the first of the axis, else 1.

    So the groups differ in nothing else. Test texts come before templates, and one of each cluster before a second.
    """
    alone = pairs[~pairs["origin"].isin(NEUTRAL_ORIGINS)]  # no swap is read, so none says which flips come first
    flips = pairs_by_kind(alone, seed)[FLIP]
    flips = flips[(named_first(flips) != 0) & (flips["origin"] != "published")]
    flips = flips.sort_values("origin", key=lambda origin: origin == "template", kind="stable").head(count // 2)
    first = named_first(flips)
    said = [_exchanged(row.text, row.perturbed, row.spans) for row in flips.itertuples()]
    sides = []
    for text, places, value in (("text", slice(0, 2), first < 0), ("perturbed", slice(2, 4), first > 0)):
        spans = [[tuple(map(int, span[places])) for span in spans] for spans in flips["spans"]]
        words = [whole[slice(*own[0])].lower() for whole, own in zip(flips[text], spans, strict=True)]
        table = pd.DataFrame({"text": flips[text], "value": value.astype(int), "kind": words})
        sides.append(table.assign(spans=spans, said=said, pair=range(len(flips)), cluster=flips["cluster"]))
    return pd.concat(sides).sort_values("pair", kind="stable", ignore_index=True)[COLUMNS]


def _exchanged(text: str, perturbed: str, spans: np.ndarray) -> list[str]:
    """For each span the word and the one in its place, in one order for both."""
    return ["/".join(sorted((text[a:b].lower(), perturbed[c:d].lower()))) for a, b, c, d in spans]


def unseen(table: pd.DataFrame, known: pd.Series) -> pd.DataFrame:
    """The rows of a table of texts, or of pairs of them, none of whose texts is among the known ones."""
    return table[~one_stands_in(table, known)]


def enough(examples: pd.DataFrame) -> bool:
    """Whether there are at least two values, and clusters enough for an interval."""
    return examples["value"].nunique() > 1 and examples["cluster"].nunique() >= FEWEST_CLUSTERS


def _of_texts(texts: pd.Series, values: pd.Series | np.ndarray) -> pd.DataFrame:
    """Examples that are texts of their own, of which no single word says it."""
    table = pd.DataFrame({"text": texts.to_numpy(), "value": np.asarray(values, dtype=int), "kind": ""})
    return table.assign(
        spans=[[]] * len(table), said=[[]] * len(table), pair=range(len(table)), cluster=texts.to_numpy()
    )[COLUMNS]


OF_TEXTS: dict[str, Callable[[pd.DataFrame, int, int], pd.DataFrame]] = {
    CLASS: class_examples,
    NEGATION: negation_examples,
}
