"""The axes along which people are flipped: the one table of them, which rules, pages and filters read.

To add an axis: its word list in data/lexicons, its groups, how to flip, an entry here, its name in the schema, tests.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emoscope.perturbation.groups import GROUPS

if TYPE_CHECKING:
    from emoscope.experiments.flips.templates import Template
    from emoscope.perturbation.edits import Perturbation


@dataclass(frozen=True)
class Rules:
    """How an axis is flipped.

    load: reads the word list. flip: the twin of a text. group_of: which group a changed piece of a text names, None if
    neither. templates: sentences about the first group, beside the test texts.
    """

    load: Callable[[Path], Any]
    flip: "Callable[[str, Any], Perturbation]"
    group_of: Callable[[str, Any], str | None]
    templates: "Callable[[Any], Iterable[Template]]" = lambda _: ()


@dataclass(frozen=True)
class Axis:
    """One attribute of people, of which a text names one group or the other.

    words: the word list in data/lexicons. load_rules: how to flip, imported when asked for, since the Snakefile reads
    this table and taggers start slowly. groups: the names of both, as in the column `direction`. said: the paper's
    sentence on how many predictions change. published: whether the paper's table 4 holds pairs of it. planted: whether
    generated corpora say what to find.
    """

    words: str
    load_rules: Callable[[], Rules]
    groups: tuple[str, str]
    said: str
    published: bool = False
    planted: bool = False

    @cached_property
    def rules(self) -> Rules:
        return self.load_rules()

    def direction(self, pair: "Perturbation", lexicon: Any) -> str:
        """`male to female` or the like, by the groups that the changed words name; `mixed` if they name both."""
        named = {self.rules.group_of(pair.text[start:end], lexicon) for start, end, _, _ in pair.spans} - {None}
        first, second = self.groups
        return {(first,): f"{first} to {second}", (second,): f"{second} to {first}"}.get(tuple(named), "mixed")


def _gender() -> Rules:
    from emoscope.experiments.flips.gender import flip_gender, gender_of
    from emoscope.perturbation.lexicons import GenderLexicon

    return Rules(GenderLexicon.load, flip_gender, gender_of)


def _race() -> Rules:
    from emoscope.experiments.flips.race import flip_race, race_of
    from emoscope.experiments.flips.templates import race_templates
    from emoscope.perturbation.lexicons import RaceLexicon

    flip, templates = (partial(function, groups=GROUPS["race"]) for function in (flip_race, race_templates))
    return Rules(RaceLexicon.load, flip, race_of, templates)


AXES = {
    "gender": Axis(
        words="gender.csv",
        load_rules=_gender,
        groups=GROUPS["gender"],
        said="The paper found around 10 sentences with a change of at least 10 %, and does not say of how many.",
        published=True,
        planted=True,
    ),
    "race": Axis(
        words="race.yaml",
        load_rules=_race,
        groups=GROUPS["race"],  # of those in the word list, the ones that the paper flips
        said="The paper found no sentence with a significant change.",
        planted=True,
    ),
}
