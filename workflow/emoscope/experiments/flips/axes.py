"""The axes along which people are flipped: the one table of them, which rules, pages and filters read.

To add an axis: its word list in data/lexicons, how to flip, an entry here, its name in the schema, and tests.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from emoscope.experiments.flips.flip import (
    Template,
    flip_gender,
    flip_race,
    gender_of,
    race_of,
    race_templates,
)
from emoscope.perturbation.edits import Perturbation
from emoscope.perturbation.lexicons import GenderLexicon, RaceLexicon


@dataclass(frozen=True)
class Axis:
    """One attribute of people, of which a text names one group or the other.

    words: the word list in data/lexicons, which `load` reads. flip: the twin of a text. group_of: which group a changed
    piece of a text names, None if neither. groups: the names of both, as in the column `direction`. said: the paper's
    sentence on how many predictions change. templates: sentences about the first group, beside the test texts.
    published: whether the paper's table 4 holds pairs of it. planted: whether generated corpora say what to find.
    """

    words: str
    load: Callable[[Path], Any]
    flip: Callable[[str, Any], Perturbation]
    group_of: Callable[[str, Any], str | None]
    groups: tuple[str, str]
    said: str
    templates: Callable[[Any], Iterable[Template]] = lambda _: ()
    published: bool = False
    planted: bool = False

    def direction(self, pair: Perturbation, lexicon: Any) -> str:
        """`male to female` or the like, by the groups that the changed words name; `mixed` if they name both."""
        named = {self.group_of(pair.text[start:end], lexicon) for start, end, _, _ in pair.spans} - {None}
        first, second = self.groups
        return {(first,): f"{first} to {second}", (second,): f"{second} to {first}"}.get(tuple(named), "mixed")


WHITE_AND_BLACK = ("white", "black")  # of the groups in the word list, those that the paper flips
AXES = {
    "gender": Axis(
        words="gender.csv",
        load=GenderLexicon.load,
        flip=flip_gender,
        group_of=gender_of,
        groups=("male", "female"),
        said="The paper found around 10 sentences with a change of at least 10 %, and does not say of how many.",
        published=True,
        planted=True,
    ),
    "race": Axis(
        words="race.yaml",
        load=RaceLexicon.load,
        flip=partial(flip_race, groups=WHITE_AND_BLACK),
        group_of=race_of,
        groups=WHITE_AND_BLACK,
        said="The paper found no sentence with a significant change.",
        templates=partial(race_templates, groups=WHITE_AND_BLACK),
        planted=True,
    ),
}
