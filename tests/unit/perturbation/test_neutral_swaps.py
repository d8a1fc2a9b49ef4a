"""Neutral swaps: they touch no word that any experiment is about, can be undone, and answer each pair in kind."""

import csv
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import UserError
from emoscope.experiments.flips.gender import flip_gender
from emoscope.experiments.flips.race import flip_race
from emoscope.perturbation.edits import Perturbation, perturb
from emoscope.perturbation.lexicons import GenderLexicon, RaceLexicon
from emoscope.perturbation.neutral_swaps import NeutralLexicon, neutral_pairs, swap_neutral, words_changed
from emoscope.perturbation.pair_sets import pair_row, pair_table
from emoscope.perturbation.pairs import NEUTRAL_ORIGINS

LEXICONS = Path(__file__).parents[3] / "data" / "lexicons"
NEUTRAL = NeutralLexicon.load(LEXICONS / "neutral.csv")
GENDER = GenderLexicon.load(LEXICONS / "gender.csv")
RACE = RaceLexicon.load(LEXICONS / "race.yaml")
FILLERS = ["i", "was", "the", "very", "a", "an", "as", "how", "who", "living", "by", "last", "new"]


def changed(pair: Perturbation) -> list[tuple[str, str]]:
    return [(pair.text[a:b], pair.perturbed[c:d]) for a, b, c, d in pair.spans]


def test_no_neutral_word_is_one_that_an_experiment_is_about():
    with (LEXICONS / "synonyms.csv").open() as file:
        synonyms = {word for row in csv.DictReader(file) for word in (row["word"], row["synonym"])}
    for word in NEUTRAL.swaps:
        assert word not in synonyms
        assert not flip_gender(f"i saw the {word} there", GENDER).n_changed
        assert not flip_race(f"i saw the {word} there", RACE, ("white", "black")).n_changed
        assert (word,) not in GENDER.swaps and (word,) not in GENDER.locked


@given(st.lists(st.sampled_from([*NEUTRAL.swaps, *FILLERS]), max_size=12).map(" ".join))
def test_swapping_all_words_twice_gives_the_text_back(text):
    once = swap_neutral(text, NEUTRAL)
    articles = re.compile(r"\ban?\b")  # an article that was wrong before stays as it was
    assert articles.sub("a", swap_neutral(once.perturbed, NEUTRAL).perturbed) == articles.sub("a", text)


def test_case_articles_and_fixed_phrases():
    pair = swap_neutral("An hour ago THE BUS left. Hot dog! i took a Train for a minute", NEUTRAL)
    assert pair.perturbed == "An hour ago THE TRAIN left. Hot dog! i took a Bus for a moment"
    assert changed(swap_neutral("it was an email", NEUTRAL)) == [("an", "a"), ("email", "message")]
    assert swap_neutral("in the living room of the white house", NEUTRAL).n_changed == 0
    assert swap_neutral("#bus http://bus.org @train", NEUTRAL).n_changed == 0


def test_a_draw_is_of_the_size_asked_for_and_always_the_same():
    text = "we had tea and bread on the train in the morning"
    draws = [swap_neutral(text, NEUTRAL, 2) for _ in range(3)]
    assert draws[0].n_changed == 2 and len(set(draws)) == 1
    with pytest.raises(ValueError):
        swap_neutral(text, NEUTRAL, 5)


def test_only_words_that_the_texts_hold_are_used():
    known = NEUTRAL.known_in(["the bus and the train", "some tea"])
    assert set(known.swaps) == {"bus", "train"}


@pytest.mark.parametrize("row", ["tea,,swap", "tea,tea,swap", "tea,coffee,fixed", "tea,coffee,other", "bus,tram,swap"])
def test_a_mistake_in_the_list_is_named_with_its_line(tmp_path, row):
    path = tmp_path / "neutral.csv"
    path.write_text(f"word,other,kind\ntram,train,swap\n{row}\n")
    with pytest.raises(UserError, match="line 3"):
        NeutralLexicon.load(path)


def flipped(*texts: str, origin: str = "natural") -> pd.DataFrame:
    rows = [(number, text, flip_gender(text, GENDER)) for number, text in enumerate(texts)]
    return pair_table(pair_row(number, "gender", origin, "", 2, pair) for number, text, pair in rows)


OTHERS = pd.DataFrame(
    {"text": ["tea in the morning", "no more tea", "he likes tea", "nothing here"], "label": [3, 4, 5, 5]}
)


def test_as_many_words_are_swapped_in_the_same_text_if_it_has_them():
    pairs = flipped("he had tea on the train", "she said so to her dad", "he left", "he left", "nobody")
    swapped = neutral_pairs(pairs, NEUTRAL, OTHERS).set_index("id")
    assert swapped.loc[0, "text"] == "he had tea on the train" and swapped.loc[0, "n_changed"] == 1
    assert swapped.loc[0, "label"] == 2 and list(swapped.loc[0, "flags"]) == []
    assert 1 not in swapped.index  # three words, and no other text offers three
    assert swapped.loc[2, "text"] in ("tea in the morning", "no more tea", "he likes tea")
    assert list(swapped.loc[2, "flags"]) == ["borrowed"]
    assert swapped.loc[2, "label"] == OTHERS.set_index("text")["label"][swapped.loc[2, "text"]]
    assert set(swapped.index) == {0, 2}  # a text that comes twice is swapped once
    assert set(swapped["origin"]) == {"natural control"} <= NEUTRAL_ORIGINS


def test_no_text_is_borrowed_twice_nor_one_of_the_kind_itself():
    pairs = flipped("he left", "she left", "he ran", "she ran", "he likes tea and he likes bread so he eats")
    swapped = neutral_pairs(pairs, NEUTRAL, OTHERS.replace("he likes tea", "he ran"))
    borrowed = swapped[swapped["flags"].map(lambda flags: "borrowed" in flags)]["text"]
    assert sorted(borrowed) == ["no more tea", "tea in the morning"]
    assert neutral_pairs(pairs, NEUTRAL, OTHERS[:0]).empty


def test_words_of_one_table_share_a_neutral_swap_per_text():
    pairs = flipped("he had tea", origin="word")
    swapped = neutral_pairs(pd.concat([pairs.assign(term="a"), pairs.assign(term="b")]), NEUTRAL, OTHERS)
    assert swapped["term"].tolist() == [""]


def test_pairs_that_do_not_count_have_no_neutral_swap():
    assert neutral_pairs(flipped("she is pregnant and drinks tea"), NEUTRAL, OTHERS).empty


def test_mended_articles_are_not_counted_as_words():
    pair = perturb("a man and an aunt", [(0, 1, "an"), (2, 5, "uncle"), (10, 12, "a"), (13, 17, "boy")])
    assert words_changed(pair) == 2
