"""Perturbation sets: every test text that a flip or a synonym changes, beside its counterpart.

A set is a table with the key `id, axis, origin, term` and the columns `text`, `perturbed`, `label`, `spans` (start, end
in the text; start, end in the counterpart; characters), `n_changed`, `flags`, `direction`. `origin` tells the kinds of
rows apart: `natural` test texts, the paper's `published` pairs and `template` sentences (label -1), synonyms as
`published` (per gold class, all words at once) or by `word` (label-free, the one word of the table named in `term`).
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pandas as pd

from emoscope.files import read_json, write_table
from emoscope.flips import GenderLexicon, RaceLexicon, flip_gender, flip_race, race_templates
from emoscope.perturbation import Perturbation
from emoscope.synonyms import SynonymTable, replace, replace_published, stopwords
from emoscope.synonyms import count_words as count

COLUMNS = ["id", "axis", "origin", "term", "text", "perturbed", "label", "spans", "n_changed", "flags", "direction"]
FEMALE = {"she", "her", "hers", "herself", "shes", "shell", "shed", "miss"}


def flip_terms(test: Path, lexicon: Path, published: Path, axis: str, output: Path) -> None:
    """Write the pairs of one axis: the test texts, for gender also the paper's table 4, for race also the templates."""
    texts = pd.read_parquet(test)
    if axis == "gender":
        words = GenderLexicon.load(lexicon)
        flip, direction, extra = partial(flip_gender, lexicon=words), gender_direction(words), pd.read_csv(published)
        extra = extra.assign(origin="published", term=extra["pair"])
    else:
        words = RaceLexicon.load(lexicon)
        flip, direction = partial(flip_race, lexicon=words), race_direction(words)
        templates = [template.text for template in race_templates(words)]
        extra = pd.DataFrame({"text": templates, "origin": "template", "term": ""})
    extra = extra.assign(id=-1 - extra.index, label=-1)  # never the id of a test text
    rows = pd.concat([texts.assign(origin="natural", term=""), extra])
    pairs = [_row(row, axis, row.origin, flip(row.text), direction, row.term) for row in rows.itertuples()]
    write_table(_table(pairs), output)


def count_words(test: Path, audit: Path, stop_words: Path, config: dict, output: Path) -> None:
    """Write each class's most frequent words: `stop_words, class, rank, word, count`.

    `published` leaves the paper's stop words out; `stripped` also their forms without apostrophe (`dont`), which the
    tweets are written in.
    """
    texts = pd.read_parquet(test)
    rows = []
    for kind, strip in (("published", False), ("stripped", True)):
        excluded = stopwords(stop_words, strip)
        for number, name in enumerate(read_json(audit)["classes"]):
            words = count(texts.loc[texts["label"] == number, "text"], excluded)
            common = words.most_common(config["words_per_class"])
            rows += [(kind, name, rank, word, n) for rank, (word, n) in enumerate(common, start=1)]
    write_table(pd.DataFrame(rows, columns=["stop_words", "class", "rank", "word", "count"]), output)


def replace_words(test: Path, audit: Path, synonyms: Path, output: Path) -> None:
    """Write the pairs that the synonym table makes: as published, and word by word without looking at the label."""
    texts = pd.read_parquet(test)
    classes = read_json(audit)["classes"]
    table = SynonymTable.load(synonyms)
    rows = [
        _row(row, "synonyms", "published", replace_published(row.text, table.by_class.get(classes[row.label], {})))
        for row in texts.itertuples()
    ]
    for (word, part_of_speech), synonym in table.mapping.items():
        swap = partial(replace, mapping={(word, part_of_speech): synonym}, label_bearing=table.label_bearing)
        rows += [_row(row, "synonyms", "word", swap(row.text), term=word) for row in texts.itertuples()]
    write_table(_table(rows), output)


def gender_direction(lexicon: GenderLexicon) -> Callable[[Perturbation], str]:
    """A function from a pair to `male to female`, `female to male` or `mixed`."""

    def direction(pair: Perturbation) -> str:
        changed = [re.split(r"['\u2019]", pair.text[start:end].lower())[0] for start, end, _, _ in pair.spans]
        female = [word in FEMALE or word in lexicon.masculine for word in changed if word not in ("a", "an")]
        return "female to male" if all(female) else "mixed" if any(female) else "male to female"

    return direction


def race_direction(lexicon: RaceLexicon) -> Callable[[Perturbation], str]:
    """A function from a pair to `white to black`, `black to white` or `mixed`, by the words that changed."""

    def direction(pair: Perturbation) -> str:
        words = [tuple(re.findall(r"\w+", pair.text[start:end].lower())) for start, end, _, _ in pair.spans]
        groups = {lexicon.forms[phrase][0] for phrase in words if phrase in lexicon.forms}
        return {("white",): "white to black", ("black",): "black to white"}.get(tuple(groups), "mixed")

    return direction


def _row(row, axis: str, origin: str, pair: Perturbation, direction=lambda _: "", term: str = "") -> tuple | None:
    if not pair.n_changed:
        return None
    spans = [list(span) for span in pair.spans]
    record = (row.id, axis, origin, term, pair.text, pair.perturbed, row.label, spans, pair.n_changed, list(pair.flags))
    return (*record, direction(pair))


def _table(rows: Iterable[tuple | None]) -> pd.DataFrame:
    return pd.DataFrame([row for row in rows if row], columns=COLUMNS).astype({"id": "int64", "label": "int8"})
