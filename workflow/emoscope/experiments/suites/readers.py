"""Suites: pairs of texts that others wrote, read and checked.

A suite is a table with a row for each pair: `before` and `after`, the texts; `group`, which of the suite's groups it
belongs to; `direction`, `A to B` where the text before is about people of group A and the other about B; `cluster`,
what counts as independent; `goal`, what the edit asks of the prediction: a class, or UP, DOWN or STAYS; `label`, the
number of the class of both texts, -1 where it is not known; `people`, which pair of names or nouns the texts exchange,
where the same ones stand in many clusters. Without a value, cells are empty.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from emoscope.data.known_texts import keys_of
from emoscope.data.labels import class_numbers
from emoscope.data.tables import load_table, require_columns
from emoscope.errors import UserError
from emoscope.experiments.suites.presets import read_cebab, read_eec, read_winogender
from emoscope.statistics.clusters import FEWEST_CLUSTERS

COLUMNS = ["before", "after", "group", "direction", "cluster", "goal", "label", "people"]
UP, DOWN, STAYS = GOALS = ("up", "down", "stays")
NO_GOAL = "unknown"  # as good as an empty cell


def read_suite(
    entry: dict, classes: Sequence[str], numbered: bool = True, left_out: Collection[str] = ()
) -> pd.DataFrame:
    """The suite that an entry of the configuration describes, for a classifier of these classes.

    Labels may be numbers where classes are `numbered` by their positions. Of classes that the corpus has and the
    classifier lacks, `left_out`, nothing is asked, and a label says nothing.
    UserError for a file of another shape, a pair without two different texts, a goal or label that is no class, and
    too few independent pairs for any interval: in all, or in a group that the user named.
    """
    path, preset = Path(entry["path"]), entry.get("preset")
    if preset == "eec":
        pairs = read_eec(path, entry["between"], classes)
    elif preset == "winogender":
        pairs = read_winogender(path)
    elif preset == "cebab":
        pairs = read_cebab(path)
    else:
        pairs = read_pairs(path, entry, classes, numbered, left_out)
    _check_texts(pairs)
    _check_clusters(pairs, path, named=not preset)
    return pairs.reset_index(drop=True).reindex(columns=COLUMNS, fill_value="")


def read_pairs(
    path: Path, entry: dict, classes: Sequence[str], numbered: bool, left_out: Collection[str]
) -> pd.DataFrame:
    """A user's own file; `entry` names its columns."""
    table = load_table(path, entry["source"])
    roles = {role: entry[role] for role in ("before", "after", "group", "cluster", "direction", "label") if entry[role]}
    require_columns(table, path, roles, "name the right one as `{role}` of the suite in the config")
    written = table[list(dict.fromkeys(roles.values()))].astype(object)  # no category can be ""
    _check_cells(written, roles)
    written = written.fillna("").astype(str)
    before, after = written[roles["before"]], written[roles["after"]]

    def cells(role: str) -> pd.Series:
        return written[roles[role]].str.strip() if role in roles else pd.Series("", index=table.index)

    group, cluster = cells("group"), cells("cluster")
    goals, labels = (said.mask(said.isin(left_out), "") for said in map(cells, ("direction", "label")))
    if "group" in roles and (blank := group == "").any():
        raise UserError(f"{blank.idxmax()}: no group; fill in {roles['group']!r} or name no `group` in the config")
    goals = goals.replace(NO_GOAL, "")
    for where, goal in goals.items():
        if goal and goal not in (*classes, *GOALS):
            wanted = ", ".join((*GOALS, *classes))
            raise UserError(f"{where}: {goal!r} is no class and no direction; known: {wanted}; fix the row")
    aims = goals.where(goals != "").groupby([before, after]).transform("nunique")
    if (torn := aims > 1).any():
        raise UserError(f"{torn.idxmax()}: this pair stands in several rows, with several directions; keep one of them")
    given = labels[labels != ""].rename_axis("where").reset_index(name="label")
    hint = (
        "fix the row or leave its label empty"
        if numbered
        else "write its name, since this model numbers them otherwise"
    )
    numbers = class_numbers(given["label"], list(classes), given["where"], hint, numbered)
    return pd.DataFrame({
        "before": before,
        "after": after,
        "group": group.map(_both_ways),
        "direction": group.where(group.str.count(" to ") == 1, ""),
        "cluster": _filled(cluster, before, after),
        "goal": goals,
        "label": numbers.set_axis(given["where"]).reindex(table.index, fill_value=-1),
    })  # fmt: skip


def _check_cells(cells: pd.DataFrame, roles: Mapping[str, str]) -> None:
    """UserError for the first cell, as parquet files may hold some, that is no text, or a list where a word is asked
    for; a group, a cluster or a label may be a number, and any cell may be missing."""
    for role, column in roles.items():
        told = (lambda cell: isinstance(cell, str)) if role in ("before", "after") else pd.api.types.is_scalar
        if (wrong := cells[column].notna() & ~cells[column].map(told).astype(bool)).any():
            where = wrong.idxmax()
            kind = type(cells.at[where, column]).__name__
            raise UserError(
                f"{where}: {kind}, not text, in the column {column!r}; fix the row, or name another column as `{role}` "
                "of the suite in the config"
            )


def _filled(cluster: pd.Series, before: pd.Series, after: pd.Series) -> pd.Series:
    """The clusters, also of pairs that name none: those that share a text, on whichever side and by way of others, are
    one, called as one of them names it, else by its first text."""
    own, texts = cluster.where(cluster != ""), connected(before, after)
    for names in (own, before):
        own = own.fillna(names.groupby(texts).transform("first"))
    return own


def connected(before: pd.Series, after: pd.Series) -> np.ndarray:
    """For each pair the number of the component it belongs to, int (pairs,): texts are nodes, pairs are edges."""
    codes, texts = pd.factorize(keys_of(pd.concat([before, after])))
    first, second = np.split(codes, 2)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(texts), len(texts)))
    return connected_components(graph, directed=False)[1][first]


def _both_ways(group: str) -> str:
    """One name for `A to B` and `B to A`."""
    return " and ".join(sorted(group.split(" to "))) if group.count(" to ") == 1 else group


def _check_texts(pairs: pd.DataFrame) -> None:
    """UserError for the first pair without two different texts; the index says where it stands."""
    for where, one, other in pairs[["before", "after"]].itertuples(name=None):
        if not one.strip() or not other.strip():
            raise UserError(
                f"{where}: the text {'before' if not one.strip() else 'after'} is missing; fill it in or remove the row"
            )
        if one.strip() == other.strip():
            raise UserError(f"{where}: both texts are the same; fix or remove the row")
        if "\0" in one + other:
            raise UserError(f"{where}: a text holds a NUL character; remove it")


def _check_clusters(pairs: pd.DataFrame, path: Path, named: bool) -> None:
    """UserError where there are too few independent pairs for an interval: in all, or in one of the `named` groups."""
    fix = f"an interval takes {FEWEST_CLUSTERS}"
    if (count := pairs["cluster"].nunique()) < FEWEST_CLUSTERS:
        raise UserError(f"{path}: {count} independent pairs (those that share a text are one); {fix}; add pairs")
    groups = pairs.groupby("group")["cluster"].nunique()
    if named and groups.min() < FEWEST_CLUSTERS:
        small = groups.idxmin()
        raise UserError(f"{path}: group {small!r} has {groups[small]} independent pairs; {fix}; join it with another")
