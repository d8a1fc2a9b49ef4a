"""The perturbation sets of the flips: every text in which gender or race can be flipped, and its controls."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from emoscope.experiments.flips.flip import GenderLexicon, RaceLexicon, flip_gender, flip_race, race_templates
from emoscope.perturbation.edits import Perturbation
from emoscope.perturbation.neutral_swaps import NeutralLexicon, control_pairs
from emoscope.perturbation.pair_sets import pair_row, pair_table
from emoscope.storage.files import write_table

FEMALE = {"she", "her", "hers", "herself", "shes", "shell", "shed", "miss"}


def flip_terms(test: Path, lexicon: Path, neutral: Path, published: Path, axis: str, output: Path) -> None:
    """Write the pairs of one axis: the test texts, for gender also the paper's table 4, for race also the templates.

    Test texts and templates get controls; a template's is the same template.
    """
    texts = pd.read_parquet(test)
    if axis == "gender":
        words = GenderLexicon.load(lexicon)
        flip, direction, extra = partial(flip_gender, lexicon=words), gender_direction(words), pd.read_csv(published)
        extra = extra.assign(origin="published", term=extra["pair"], cluster=extra["text"])
    else:
        words = RaceLexicon.load(lexicon)
        flip, direction = partial(flip_race, lexicon=words), race_direction(words)
        filled = [(template.text, template.frame) for template in race_templates(words)]
        extra = pd.DataFrame(filled, columns=["text", "cluster"]).assign(origin="template", term="")
    extra = extra.assign(id=-1 - extra.index, label=-1)  # never the id of a test text
    rows = []
    for row in pd.concat([texts.assign(origin="natural", term="", cluster=texts["text"]), extra]).itertuples():
        pair = flip(row.text)
        rows.append(pair_row(row.id, axis, row.origin, row.term, row.label, pair, direction(pair), row.cluster))
    pairs = pair_table(rows)
    swaps = NeutralLexicon.load(neutral).known_in(texts["text"])
    controls = [
        control_pairs(pairs[pairs["origin"] == "natural"], swaps, others=texts),
        control_pairs(pairs[pairs["origin"] == "template"], swaps, others=texts[:0]),
    ]
    write_table(pd.concat([pairs, *controls], ignore_index=True), output)


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
