"""The one table of axes: what reads it, and which way a flip goes, whatever the spelling."""

from pathlib import Path

import pytest
import yaml

from emoscope.experiments.flips.axes import AXES
from emoscope.perturbation.groups import GROUPS

LEXICONS = Path(__file__).parents[4] / "data" / "lexicons"
WORDS = {name: axis.rules.load(LEXICONS / axis.words) for name, axis in AXES.items()}


def direction_of(name, text):
    return AXES[name].direction(AXES[name].rules.flip(text, WORDS[name]), WORDS[name])


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
    assert direction_of("gender", text) == direction


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
    assert direction_of("race", text) == direction


def test_the_schema_knows_the_axes_of_the_table_and_no_others():
    schema = yaml.safe_load((LEXICONS.parents[1] / "workflow" / "schemas" / "config.schema.yaml").read_text())
    assert schema["properties"]["flips"]["properties"]["axes"]["items"]["enum"] == list(AXES)


def test_groups_of_an_axis_differ_and_its_words_are_there():
    for axis in AXES.values():
        assert len(set(axis.groups)) == 2 and (LEXICONS / axis.words).is_file()
        assert axis.said.endswith(".")


def test_every_axis_has_a_gap_between_its_groups_first_minus_second():
    assert {name: axis.groups for name, axis in AXES.items()} == GROUPS
