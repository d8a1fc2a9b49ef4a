"""What a perturbation set is: every text that a flip or a synonym changes, beside its counterpart.

A set is a table with the key `id, axis, origin, term` and the columns `text`, `perturbed`, `label`, `spans` (start, end
in the text; start, end in the counterpart; characters), `n_changed`, `flags`, `direction`. `origin` tells the kinds of
rows apart: `natural` test texts, the paper's `published` pairs and `template` sentences (label -1), synonyms as
`published` (per gold class, all words at once) or by `word` (label-free, the one word of the table named in `term`).
`label` is a class number, -1 if it is not known; of texts that may have several, a list of them, or none if not known.
`cluster` is what counts as one independent text: the text itself, or the template that several texts were made from.
Neutral swaps have the cluster, the id and the term of the pair that they are compared with and an origin of their own
(`pairs.NEUTRAL_OF`); given names exchanged within one gender have one, too (`pairs.NAMES_OF`).
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from emoscope.perturbation.edits import Perturbation

COLUMNS = ["id", "axis", "origin", "term", "text", "perturbed", "label", "spans", "n_changed", "flags", "direction"]
COLUMNS += ["cluster"]


def pair_row(
    identity: int,
    axis: str,
    origin: str,
    term: str,
    label: int | Sequence[int] | None,
    pair: Perturbation,
    direction: str = "",
    cluster: str | None = None,
) -> tuple:
    """One row of a perturbation set; without a `cluster`, the text is its own."""
    spans = [list(span) for span in pair.spans]
    return (
        identity, axis, origin, term, pair.text, pair.perturbed, label, spans, pair.n_changed, list(pair.flags),
        direction, cluster or pair.text,
    )  # fmt: skip


def pair_table(rows: Iterable[tuple]) -> pd.DataFrame:
    """A perturbation set; rows in which nothing changes are left out."""
    table = _with_labels(pd.DataFrame(rows, columns=COLUMNS).astype({"id": "int64"}))
    return table[table["n_changed"] > 0].reset_index(drop=True)


def joined(sets: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Perturbation sets as one."""
    return _with_labels(pd.concat(sets, ignore_index=True))


def _with_labels(table: pd.DataFrame) -> pd.DataFrame:
    """A set with its labels in one type: numbers, or where any are lists, lists."""
    labels = list(table["label"])
    if all(isinstance(label, int | np.integer) for label in labels):
        return table.astype({"label": "int8"})
    return table.assign(label=[label if np.ndim(label) else None for label in labels])
