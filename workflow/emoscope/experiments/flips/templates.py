"""Sentences that name a person's race: natural texts seldom do."""

import re
from typing import NamedTuple

from emoscope.experiments.flips.race import check_groups
from emoscope.perturbation.lexicons import RaceLexicon


class Template(NamedTuple):
    """A sentence about one person of a group, the emotion it tells of, and the frame in which the person was put."""

    text: str
    term: str
    emotion: str
    frame: str


def race_templates(lexicon: RaceLexicon, groups: tuple[str, str]) -> list[Template]:
    """Each template sentence with each person, of the first group; `flip_race` makes the twins.

    Natural tweets that name a race are too few to show that a flip has no effect.
    """
    check_groups(lexicon, groups)
    term = lexicon.groups[groups[0]]["adjective"]
    article = "an" if term[0] in "aeiou" else "a"
    return [
        Template(
            re.sub(r"\ba \{person}", f"{article} {{person}}", text).format(person=f"{term} {person}"),
            term,
            emotion,
            text,
        )
        for emotion, texts in lexicon.templates.items()
        for text in texts
        for person in lexicon.template_persons
    ]
