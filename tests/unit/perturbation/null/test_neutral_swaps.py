"""Neutral swaps: in the same text, like the words that a pair changes, and about nothing that is studied."""

import csv
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from emoscope.errors import UserError
from emoscope.experiments.flips.gender import flip_gender
from emoscope.experiments.flips.race import flip_race
from emoscope.experiments.flips.templates import race_templates
from emoscope.perturbation.edits import Perturbation, perturb
from emoscope.perturbation.lexicons import GenderLexicon, RaceLexicon, given_names
from emoscope.perturbation.null.exchanged import Exchanged, exchanged_words, read
from emoscope.perturbation.null.frequencies import Frequencies
from emoscope.perturbation.null.neutral_lexicon import NeutralLexicon
from emoscope.perturbation.null.neutral_swaps import (
    fair_swap,
    name_pairs,
    name_swaps,
    neutral_pairs,
    places,
    swap_names,
)
from emoscope.perturbation.pair_sets import pair_row, pair_table
from emoscope.perturbation.pairs import NEUTRAL_ORIGINS

LEXICONS = Path(__file__).parents[4] / "data" / "lexicons"
NEUTRAL = NeutralLexicon.load(LEXICONS / "neutral.csv")
GENDER = GenderLexicon.load(LEXICONS / "gender.csv")
RACE = RaceLexicon.load(LEXICONS / "race.yaml")
GROUPS = ("white", "black")


def known(**counts: int) -> Frequencies:
    return Frequencies(counts, frozenset())


def everything(**counts: int) -> Frequencies:
    """Every word as frequent as every other, but for some."""
    gendered = ("he", "she", "him", "her", "his", "man", "woman", "dad", "mom")
    return known(**dict.fromkeys((*NEUTRAL.words, *gendered), 100) | counts)


def changed(pair: Perturbation) -> list[tuple[str, str]]:
    return [(pair.text[a:b], pair.perturbed[c:d]) for a, b, c, d in pair.spans]


def flipped(*texts: str, origin: str = "natural", term: str = "") -> pd.DataFrame:
    rows = [(number, text, flip_gender(text, GENDER)) for number, text in enumerate(texts)]
    return pair_table(pair_row(number, "gender", origin, term, 2, pair) for number, text, pair in rows)


def swaps(text: str, frequencies: Frequencies | None = None) -> list[tuple[str, str]] | None:
    """What the neutral swap of a gender flip exchanges."""
    table = neutral_pairs(flipped(text), NEUTRAL, frequencies or everything())
    return changed(Perturbation(*table.loc[0, ["text", "perturbed", "spans"]])) if len(table) else None


def offered(text: str) -> dict[str, tuple[str, ...]]:
    tokens, sentence = read(text)
    return {tokens[place.index].lower: place.substitutes for place in places(sentence, NEUTRAL)}


def test_a_word_of_two_kinds_is_one_place():
    both = {("verb", "buy"): ("sell",), ("transitive", "buy"): ("sell",)}
    _, sentence = read("i buy the tea and buy the coffee")
    found = [place.index for place in places(sentence, replace(NEUTRAL, substitutes=both))]
    assert found == [1, 5]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("its sad that she left", "its"),
        ("its good to be home", "its"),
        ("i know its fun", "its"),
        ("your amazing", "your"),
        ("this good", "this"),
        ("i feel certain he left", "certain"),
        ("everyone was present", "present"),
    ],
)
def test_a_word_that_is_read_as_another_one_is_no_place(text, word):
    assert word not in offered(text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("your amazing new house", "your"),
        ("because of its great size", "its"),
        ("our new red car", "our"),
        ("this bus", "this"),
        ("each new year", "each"),
        ("a certain day", "certain"),
        ("the present day", "present"),
    ],
)
def test_before_a_noun_it_is_one(text, word):
    assert offered(text)[word]


def test_no_neutral_word_is_one_that_an_experiment_is_about():
    with (LEXICONS / "synonyms.csv").open() as file:
        synonyms = {word for row in csv.DictReader(file) for word in (row["word"], row["synonym"])}
    names = {name for own in given_names(LEXICONS / "gender.csv").values() for name in own}
    assert not NEUTRAL.words & (synonyms | names)
    for word in NEUTRAL.words:
        assert (word,) not in GENDER.swaps and (word,) not in GENDER.locked
        assert (word,) not in RACE.forms


def test_flipping_people_leaves_neutral_words_alone():
    text = " ".join(sorted(NEUTRAL.words))
    assert not flip_gender(text, GENDER).n_changed
    assert not flip_race(text, RACE, GROUPS).n_changed


def test_words_that_take_each_others_place_can_be_swapped_back():
    with (LEXICONS / "neutral.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] not in ("fixed", "noun", "verb")]
    for row in rows:
        for word in row["words"].split():
            for other in row["words"].split():
                if word != other:
                    assert other in NEUTRAL.substitutes.get((row["kind"], word), (other,))


def test_forms_are_inflected_and_keep_their_functions():
    assert "stories" in NEUTRAL.substitutes["noun", "books"] and "story" not in NEUTRAL.substitutes["noun", "books"]
    assert NEUTRAL.substitutes["verb", "talked"] == ("chatted",)  # not spoke, which is no participle
    assert set(NEUTRAL.substitutes["verb", "spoke"]) == {"talked", "chatted"}


@pytest.mark.parametrize(
    "row", ["tea,,noun", ",tea,noun", "tea coffee,,drink", "tea,coffee,fixed", "tram bus,,noun", "a a,,noun"]
)
def test_a_mistake_in_the_list_is_named_with_its_line(tmp_path, row):
    path = tmp_path / "neutral.csv"
    path.write_text(f"words,others,kind\ntram train,,noun\n{row}\n")
    with pytest.raises(UserError, match="line 3"):
        NeutralLexicon.load(path)


def test_a_swap_stands_in_the_same_text_and_never_in_another():
    table = neutral_pairs(flipped("our dad had tea on the train", "he left", "she said so"), NEUTRAL, everything())
    assert table["id"].tolist() == [0] and table["text"].tolist() == ["our dad had tea on the train"]
    assert table["origin"].tolist() == ["natural control"] and set(table["origin"]) <= NEUTRAL_ORIGINS
    assert table["label"].tolist() == [2] and table["cluster"].tolist() == ["our dad had tea on the train"]


def test_nouns_go_with_nouns_and_pronouns_with_pronouns():
    assert [one for one, _ in swaps("we saw the man by the bus")] == ["bus"]
    assert swaps("we know he left by bus") == [("we", "they")]
    assert swaps("the man left quickly") is None  # an adverb is no noun


def test_as_many_words_are_swapped_as_the_pair_changes():
    assert len(swaps("dad and mom had tea on the train")) == 2
    assert swaps("dad and mom had tea") is None  # one noun for two


def test_a_swap_becomes_as_much_rarer_as_the_flip():
    frequencies = everything(tea=100, coffee=100, juice=10, milk=1, water=10_000)
    for new, other in ((100, "coffee"), (10, "juice"), (1, "milk")):
        count = {"dad": 100, "mom": new}
        assert swaps("dad had tea", Frequencies(frequencies.counts | count, frozenset())) == [("tea", other)]
    count = {"dad": 100, "mom": 10**6}
    assert swaps("dad had tea", Frequencies(frequencies.counts | count, frozenset())) is None


def test_a_swapped_word_is_about_as_frequent_as_the_flipped_one():
    frequencies = everything(tea=9, coffee=9, bus=900, train=900, car=900, bike=900, truck=900)
    assert [one for one, _ in swaps("dad had tea on the bus", frequencies)] == ["bus"]
    rare = Frequencies(frequencies.counts | {"dad": 10**5, "mom": 10**5}, frozenset())
    assert swaps("dad had tea on the bus", rare) is None


@pytest.mark.parametrize("best", ["coffee", "juice", "milk"])
def test_of_several_substitutes_the_one_whose_frequency_changes_alike_is_taken(best):
    counts = dict.fromkeys(NEUTRAL.words, 300) | {"tea": 100, best: 150, "dad": 100, "mom": 150}
    assert swaps("dad had tea", known(**counts)) == [("tea", best)]


def test_a_word_inside_the_text_is_not_swapped_for_by_its_last_word():
    assert [one for one, _ in swaps("we had coffee and then my dad took a bus")] == ["coffee"], "though bus is nearer"


def test_a_pronoun_is_a_better_control_of_a_pronoun_than_a_determiner():
    assert swaps("we know well he left my bus") == [("we", "they")], "though my is nearer"
    assert [one for one, _ in swaps("well he left my bus")] == ["my"], "where there is no other"


def test_place_decides_between_words_alike():
    assert [one for one, _ in swaps("dad had coffee before we all took a bus")] == ["coffee"]
    assert [one for one, _ in swaps("we took the bus and then had coffee there with dad")] == ["coffee"]


def test_the_best_words_are_chosen_for_all_together():
    """Tea suits both flipped words, milk only the second: each gets one."""
    wanted = [Exchanged("x", "y", "noun", f, 0.0, 0.0, False, 0) for f in (2.0, 1.2)]
    frequencies = known(tea=100, coffee=100, desk=5, table=5)
    swap = fair_swap("i put tea on the desk", [], wanted, NEUTRAL.only(frequencies.neutral), frequencies)
    assert changed(swap) == [("tea", "coffee"), ("desk", "table")]


def test_what_the_pair_changes_is_no_control_of_itself():
    wanted, frequencies = [Exchanged("tea", "coffee", "noun", 2.0, 0.0, 0.0, False, 0)], everything()
    swap = fair_swap("tea on the bus", [(0, 3)], wanted, NEUTRAL, frequencies)
    assert [old for old, _ in changed(swap)] == ["bus"]
    assert fair_swap("tea on the bus", [(0, 3), (11, 14)], wanted, NEUTRAL, frequencies) is None


def test_words_that_a_model_has_not_met_or_that_tell_a_class_are_left_out():
    assert swaps("dad had tea", Frequencies({"tea": 9, "coffee": 9, "dad": 9, "mom": 9}, frozenset())) is not None
    assert swaps("dad had tea", Frequencies({"tea": 9, "dad": 9, "mom": 9}, frozenset())) is None
    telling = Frequencies({"tea": 9, "coffee": 9, "dad": 9, "mom": 9}, frozenset({"coffee"}))
    assert swaps("dad had tea", telling) is None


def test_changed_words_and_fixed_phrases_stay():
    assert "dog" not in offered("he ate a hot dog") and "room" not in offered("in the living room")
    assert swaps("dad ate a hot dog") is None
    both = swaps("my dad and my dog")
    assert both == [("dog", both[0][1])]


@pytest.mark.parametrize(
    ("text", "word", "stays"),
    [
        ("when you feel sad", "you", False),
        ("i think you should", "you", True),  # subject or object: not for certain
        ("they looked at you", "you", False),
        ("it was him", "it", False),
        ("i find it hard", "it", True),
        ("my own mom", "my", True),
        ("these days are long", "these", True),
        ("we talked about work", "talked", False),
        ("we talked to them", "talked", True),
        ("i get sad", "get", True),
        ("i get the news", "get", False),
        ("we try to sleep", "try", False),
        ("the bus station", "bus", True),  # the first half of a compound
    ],
)
def test_a_word_is_swapped_where_its_substitute_fits(text, word, stays):
    assert (word not in offered(text)) == stays


def test_this_stands_before_one_thing_only():
    assert "this" in offered("my car is old")["my"] and "this" not in offered("my cars are old")["my"]


def test_case_and_articles():
    frequencies = everything(item=100)
    swap = neutral_pairs(flipped("DAD bought a Thing"), NEUTRAL, frequencies)
    assert swap.loc[0, "perturbed"] in ("DAD bought an Item", "DAD bought an Object")
    assert swap.loc[0, "n_changed"] == 2


def test_a_swap_is_always_the_same_and_made_once_for_a_text_and_term():
    texts = ("dad had tea on the train", "dad had tea on the train")
    table = pd.concat([flipped(*texts, origin="word", term="a"), flipped(*texts, origin="word", term="b")])
    made = [neutral_pairs(table, NEUTRAL, everything()) for _ in range(2)]
    assert made[0].equals(made[1]) and made[0]["term"].tolist() == ["a", "b"]
    assert set(made[0]["origin"]) == {"word control"}


def test_pairs_that_do_not_count_have_no_neutral_swap():
    assert neutral_pairs(flipped("we know she is pregnant"), NEUTRAL, everything()).empty
    assert swaps("we know she is here") == [("we", "they")]


def test_people_in_templates_are_described_by_neutral_words_in_the_same_place():
    templates = list(race_templates(RACE, GROUPS))[:3]
    rows = [
        pair_row(-1 - k, "race", "template", "", -1, flip_race(one.text, RACE, GROUPS), cluster=one.frame)
        for k, one in enumerate(templates)
    ]
    frequencies = everything(white=100, black=100)
    table = neutral_pairs(pair_table(rows), NEUTRAL, frequencies)
    assert table["id"].tolist() == [-1, -2, -3] and table["cluster"].tolist() == [one.frame for one in templates]
    words = {word for (kind, word) in NEUTRAL.substitutes if kind == "attribute"}
    for one, row in zip(templates, table.itertuples(), strict=True):
        start, end, new_start, new_end = row.spans[0]
        old, new = row.text[start:end], row.perturbed[new_start:new_end]
        assert {old, new} <= words and old != new and start == one.text.index("white")
        assert row.text.replace(old, "white", 1) == one.text
    swapped = {row.perturbed[a:b] for row in table.itertuples() for *_, a, b in row.spans}
    assert len(swapped) > 1  # one pair of adjectives is not all that a null rests on
    rare = neutral_pairs(pair_table(rows), NEUTRAL, everything(white=10**6, black=10**6))
    assert all("white" in text for text in rare["text"])  # no adjective is alike
    rarer = neutral_pairs(pair_table(rows), NEUTRAL, everything(white=100, black=5))
    assert all("white" in text for text in rarer["text"])  # no adjective becomes as much rarer


NAMES = {"male": ("tom", "ben", "max", "leo", "sam"), "female": ("ann", "eve", "zoe")}


def test_names_are_paired_within_one_gender_with_the_next_in_frequency():
    partners = name_pairs(NAMES, known(tom=90, ben=5, max=80, leo=6, sam=1, ann=30, eve=2, zoe=0))
    assert partners == {"tom": "max", "max": "tom", "leo": "ben", "ben": "leo"}  # ann and eve: fifteen to one


def test_names_are_exchanged_and_exchanged_back():
    partners = name_pairs(NAMES, known(tom=9, ben=9))
    once = swap_names("Tom told ben and ann", partners)
    assert once.perturbed == "Ben told tom and ann"
    assert swap_names(once.perturbed, partners).perturbed == "Tom told ben and ann"


def test_names_stand_in_texts_and_in_place_of_the_person_in_templates():
    partners = name_pairs(NAMES, known(tom=9, ben=9))
    texts = pd.DataFrame({"id": [5, 6, 7], "text": ["tom left", "he left", "tom left"], "label": [1, 2, 1]})
    frames = ["i met a {person} there", "i met a {person} there", "the {person} left"]
    table = name_swaps(texts, frames, partners, "race")
    assert table["text"].tolist() == ["tom left", "i met ben there", "i met tom there", "ben left"]
    assert table["perturbed"].tolist() == ["ben left", "i met tom there", "i met ben there", "tom left"]
    assert table["origin"].tolist() == ["natural names"] + ["template names"] * 3
    assert table["label"].tolist() == [1, -1, -1, -1] and table["cluster"].tolist()[1:] == frames
    assert set(table["origin"]) <= NEUTRAL_ORIGINS
    assert name_swaps(texts, frames, {}, "race").empty


def test_changed_words_are_told_with_all_that_they_are_matched_on():
    pair = flip_gender("A man met her at her home", GENDER)
    words = exchanged_words(pair.text, pair.perturbed, pair.spans, known(man=9, woman=99, her=999, him=999, his=9))
    assert [(w.old, w.new, w.part) for w in words] == [
        ("man", "woman", "noun"),
        ("her", "him", "pronoun"),
        ("her", "his", "determiner"),
    ]
    assert [round(w.change, 3) for w in words] == [1, 0, -2] and [w.frequency for w in words] == [1, 3, 3]
    assert [round(w.place * 6) for w in words] == [1, 3, 5] and [w.length for w in words] == [2, 0, 0]
    assert not any(w.last for w in words)
    last = flip_gender("i like him.", GENDER)
    assert exchanged_words(last.text, last.perturbed, last.spans, known())[0].last
    assert exchanged_words(last.text, last.perturbed, last.spans, known())[0].place == 1


def test_mended_articles_are_no_changed_words():
    pair = perturb("a man and an aunt", [(0, 1, "an"), (2, 5, "uncle"), (10, 12, "a"), (13, 17, "boy")])
    assert [w.old for w in exchanged_words(pair.text, pair.perturbed, pair.spans, known())] == ["man", "aunt"]
