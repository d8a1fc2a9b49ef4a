"""Suites that the field knows, from the files of their authors, as `readers.py` describes a suite; the index says where
each pair stands."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from emoscope.data.tables import load_table, read_csv, require_columns
from emoscope.errors import UserError

EEC_COLUMNS = ("Sentence", "Template", "Person", "Gender", "Race", "Emotion", "Emotion word")
# The noun phrases of the Equity Evaluation Corpus, Kiritchenko and Mohammad (2018), table 2.
MALE_OF = {
    "she": "he", "her": "him", "this woman": "this man", "this girl": "this boy", "my sister": "my brother",
    "my daughter": "my son", "my wife": "my husband", "my girlfriend": "my boyfriend", "my mother": "my father",
    "my aunt": "my uncle", "my mom": "my dad",
}  # fmt: skip
CEBAB_GOALS = {"Positive": "up", "Negative": "down"}


def read_eec(path: Path, between: str, classes: Sequence[str]) -> pd.DataFrame:
    """Sentences of the Equity Evaluation Corpus that differ in the gender, or the race, of the person.

    Twins share template and emotion word, which make the cluster; all clusters share the same people. Noun phrases have
    the counterparts of MALE_OF; names have none by meaning: the k-th of one group stands beside the k-th of the other,
    of the same race, or gender. Groups are the templates. The label is the emotion, where it is one of the classes.
    """
    table = read_csv(path)
    require_columns(table, path, {name: name for name in EEC_COLUMNS}, "give Equity-Evaluation-Corpus.csv as it comes")
    table = table.rename_axis("where").reset_index()
    table["Person"] = table["Person"].where(table["Race"] != "", table["Person"].str.lower())
    nouns = table[table["Race"] == ""]
    known = nouns["Person"].isin([*MALE_OF, *MALE_OF.values()]) & nouns["Gender"].isin(["male", "female"])
    if not known.all():
        row = nouns.loc[known.idxmin()]
        raise UserError(f"{row['where']}: {row['Person']!r} ({row['Gender']}) has no counterpart; known: "
                        f"{', '.join([*MALE_OF.values(), *MALE_OF])}; fix or remove the row")  # fmt: skip
    names = table[table["Race"] != ""]
    order = names.groupby(["Gender", "Race"])["Person"].transform(lambda people: pd.factorize(people)[0])
    table["slot"] = order.reindex(table.index).astype("string").fillna(table["Person"].replace(MALE_OF))
    column, same = ("Gender", "Race") if between == "gender" else ("Race", "Gender")
    people = table if between == "gender" else table[table["Race"] != ""]
    sides = ["male", "female"] if between == "gender" else list(people["Race"].unique())
    if len(sides) != 2:
        raise UserError(
            f"{path}: the column {column!r} names {len(sides)} groups, not two: {', '.join(sides) or 'none'}"
        )
    key = ["Template", "Emotion word", same, "slot"]
    people = people.drop_duplicates([column, *key])
    first, second = (people[people[column] == side] for side in sides)
    pairs = first.merge(second, on=key, suffixes=("", " of the other"), validate="1:1")
    print(f"{path}: {len(pairs)} pairs; {len(people) - 2 * len(pairs)} sentences have no counterpart", flush=True)
    places = {name: number for number, name in enumerate(classes)}
    return pd.DataFrame({
        "before": pairs["Sentence"],
        "after": pairs["Sentence of the other"],
        "group": pairs["Template"],
        "direction": " to ".join(sides),
        "cluster": pairs["Template"] + " / " + pairs["Emotion word"],
        "goal": "",
        "label": pairs["Emotion"].map(places).fillna(-1).astype(int),
        "people": pairs["Person"] + " and " + pairs["Person of the other"],
    }).set_axis(pairs["where"])  # fmt: skip


def read_winogender(path: Path) -> pd.DataFrame:
    """The Winogender sentences, Rudinger et al. (2018), with `he` beside those with `she`: `all_sentences.tsv`.

    An occupation is a cluster: its sentences share their subject, and mostly participant and verb. Those with `they`
    are left out.
    """
    table = read_csv(path, separator="\t", quoted=False)
    require_columns(table, path, {"sentid": "sentid", "sentence": "sentence"}, "give all_sentences.tsv as it comes")
    name = table["sentid"].str.extract(
        r"^(?P<occupation>[^.]+)\.(?P<participant>[^.]+)\.(?P<referent>[01])\.(?P<gender>\w+)\.txt$"
    )
    if (bad := name["gender"].isna()).any():
        raise UserError(
            f"{bad.idxmax()}: {table['sentid'][bad.idxmax()]!r} is no name such as technician.customer.1.male.txt"
        )
    sentences = table.assign(**name).rename_axis("where").reset_index().set_index("gender")
    key = ["occupation", "participant", "referent"]
    pairs = sentences.loc[["male"]].merge(sentences.loc[["female"]], on=key, suffixes=("", "_female"), validate="1:1")
    return pd.DataFrame({
        "before": pairs["sentence"],
        "after": pairs["sentence_female"],
        "group": "",
        "direction": "male to female",
        "cluster": pairs["occupation"],
        "goal": "",
        "label": -1,
    }).set_axis(pairs["where"])  # fmt: skip


def read_cebab(path: Path) -> pd.DataFrame:
    """Restaurant reviews that people edited towards a goal, CEBaB (Abraham et al. 2022): `before, after, aspect, goal,
    original_id`.

    Towards Positive the stars should go up, towards Negative down; where the edit took an aspect out (`unknown`), the
    authors do not say. Edits of one review are a cluster, aspects are groups. Edits that changed nothing are left out.
    """
    table = load_table(path, "csv")
    wanted = ("before", "after", "aspect", "goal", "original_id")
    require_columns(table, path, {name: name for name in wanted}, "the file of this preset has columns of these names")
    goals = table["goal"].replace("unknown", "")
    if (bad := ~goals.isin(["", *CEBAB_GOALS])).any():
        raise UserError(f"{bad.idxmax()}: goal {goals[bad.idxmax()]!r}; known: {', '.join(CEBAB_GOALS)}, unknown")
    edited = table["before"].str.strip() != table["after"].str.strip()
    print(f"{path}: {int((~edited).sum())} of {len(table)} edits change nothing and are left out", flush=True)
    return pd.DataFrame({
        "before": table["before"],
        "after": table["after"],
        "group": table["aspect"],
        "direction": "",
        "cluster": table["original_id"],
        "goal": goals.map(CEBAB_GOALS).fillna(""),
        "label": -1,
    })[edited]  # fmt: skip
