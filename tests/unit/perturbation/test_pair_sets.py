"""Which way a flip goes, whatever the spelling."""

from pathlib import Path

import pytest

from emoscope.experiments.flips.flip import flip_gender, flip_race
from emoscope.experiments.flips.pair_set import gender_direction, race_direction
from emoscope.perturbation.lexicons import GenderLexicon, RaceLexicon

LEXICONS = Path(__file__).parents[3] / "data" / "lexicons"
GENDER = GenderLexicon.load(LEXICONS / "gender.csv")
RACE = RaceLexicon.load(LEXICONS / "race.yaml")


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("he is here", "male to female"),
        ("she's here", "female to male"),
        ("i think she\u2019ll come", "female to male"),
        ("my mom's house", "female to male"),
        ("shes with my aunt", "female to male"),
        ("my dad's house", "male to female"),
        ("he told her", "mixed"),
    ],
)
def test_gender(text, direction):
    assert gender_direction(GENDER)(flip_gender(text, GENDER)) == direction


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("a white man smiled", "white to black"),
        ("a black man smiled", "black to white"),
        ("an african american man smiled", "black to white"),
        ("a caucasian man smiled", "white to black"),
        ("black and white people", "mixed"),
    ],
)
def test_race(text, direction):
    assert race_direction(RACE)(flip_race(text, RACE)) == direction
