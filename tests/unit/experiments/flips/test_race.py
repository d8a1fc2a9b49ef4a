"""Race flips: where a person is meant, and blind to mere colours."""

import pytest

from emoscope.errors import UserError
from emoscope.experiments.flips.race import flip_race
from emoscope.experiments.flips.templates import race_templates
from flipped import RACE, race


@pytest.mark.parametrize(
    ("text", "flipped"),
    [
        ("two black kids and an old white lady", "two white kids and an old black lady"),
        ("black and white people can be friends", "white and black people can be friends"),
        ("im white and hes black", "im black and hes white"),
        ("all my friends are white", "all my friends are black"),
        ("someone black helped me", "someone white helped me"),
        ("many whites feel angry", "many blacks feel angry"),
        ("whites and blacks should talk", "blacks and whites should talk"),
        ("a white man in a black coat", "a black man in a black coat"),
        ("an african american woman", "a caucasian woman"),
        ("a caucasian woman", "an african american woman"),
        ("A WHITE MAN and a Black girl", "A BLACK MAN and a White girl"),
        ("a white police officer and a white american", "a black police officer and a black american"),
        ("i was the only black in my class", "i was the only white in my class"),
    ],
)
def test_race_is_flipped_where_a_person_is_meant(text, flipped):
    assert race(text).perturbed == flipped


@pytest.mark.parametrize(
    ("text", "flipped"),
    [
        ("she is part white, part black", "she is part black, part white"),
        ("i am white but not black", "i am black but not white"),
        ("they are black and my white friend is sad", "they are white and my black friend is sad"),
        ("white men have white privilege", "black men have black privilege"),
        ("i'm half black, half asian", "i'm half white, half asian"),
        ("nothing is black or white", "nothing is black or white"),
        ("white culture and black music", "white culture and black music"),
        ("a white man in black and white clothes", "a black man in black and white clothes"),
        ("a white trans guy", "a black trans guy"),
        ("a black able-bodied 20-year-old man", "a white able-bodied 20-year-old man"),
        ("a black, hardworking and proud woman", "a white, hardworking and proud woman"),
        ("the black oppressed people", "the white oppressed people"),
        ("a white shirted man", "a white shirted man"),
        ("the wall is white and the old man sat", "the wall is white and the old man sat"),
    ],
)
def test_every_mention_of_a_race_is_flipped_or_none(text, flipped):
    assert race(text).perturbed == flipped


@pytest.mark.parametrize(
    "text",
    ["black women say black lives matter", "a black man met a white supremacist", "white trash and a white girl"],
)
def test_a_mention_that_stays_makes_a_half_flip(text):
    assert race(text).flags == ("half-flipped",)


@pytest.mark.parametrize(
    "text",
    [
        "my black dress and white shoes",
        "white wine and black coffee",
        "the girl in the white dress",
        "the black haired girl and the white coated doctor",
        "my hair is black and the walls are white",
        "nothing is black and white",
        "she went white and was white with fear",
        "black friday in the white house",
        "i am the black sheep",
        "egg whites and the whites of his eyes",
        "mr white met jack black",
        "a white male cat and a white american cheese",
        "blackmail and whitewash",
        "white collar workers",
    ],
)
def test_colours_stay(text):
    assert race(text).n_changed == 0


def test_what_may_be_people_or_things_is_flagged_and_left_alone():
    pair = race("i love them they are black")
    assert pair.flags == ("uncertain",)
    assert pair.n_changed == 0


def test_other_axes_and_their_articles():
    assert flip_race("an asian man", RACE, ("asian", "black")).perturbed == "a black man"
    with pytest.raises(UserError, match="martian"):
        flip_race("a man", RACE, ("white", "martian"))


@pytest.mark.parametrize("axis", [("white", "black"), ("asian", "hispanic")])
def test_every_template_has_a_reversible_twin(axis):
    templates = race_templates(RACE, axis)
    assert 200 < len(templates) == len(set(templates)) < 1000
    assert {template.emotion for template in templates} == {"sadness", "joy", "love", "anger", "fear", "surprise"}
    people = {frame: sum(other.frame == frame for other in templates) for _, _, _, frame in templates}
    assert set(people.values()) == {len(RACE.template_persons)}
    for template in templates:
        assert template.term == axis[0]
        pair = flip_race(template.text, RACE, axis)
        assert pair.n_changed
        assert pair.flags == ()
        assert axis[1] in pair.perturbed.split()
