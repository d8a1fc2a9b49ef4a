"""Gender flips: every gendered word of a person, and nothing that only looks like one."""

from unicodedata import normalize

import pandas as pd
import pytest
from hypothesis import given

from emoscope.experiments.flips.gender import gender_of
from emoscope.perturbation.lexicons import read_rows
from emoscope.perturbation.pairs import countable
from flipped import GENDER, ROOT, WORDS, gender, texts

SIDES = {"swap": ("male", "female"), "to_female": ("male",), "to_male": ("female",)}
FLIPPED = [
    (row[side], side)
    for _, row in read_rows(ROOT / "data/lexicons/gender.csv", ("male", "female", "kind"))
    for side in SIDES.get(row["kind"], ())
]


def test_every_word_of_the_list_tells_its_gender_in_every_spelling():
    assert len(FLIPPED) > 400
    for word, side in FLIPPED:
        forms = {word, normalize("NFC", word), normalize("NFD", word), word.upper(), word.replace("'", "\u2019")}
        forms |= {word.replace(" ", "-"), f"{word}'s"}
        assert {form: gender_of(form, GENDER) for form in forms} == dict.fromkeys(forms, side)


@pytest.mark.parametrize(
    "text", ["yes ma'am", "yes Ma\u2019am", normalize("NFD", "my fiancée left"), "the land-lady left"]
)
def test_a_flip_of_a_woman_goes_from_female_to_male(text):
    pair = gender(text)
    assert {gender_of(text[start:end], GENDER) for start, end, _, _ in pair.spans} == {"female"}


@given(texts(WORDS))
def test_no_pronoun_is_left_behind(text):
    pair = gender(text)
    changed = {text[start:end] for start, end, _, _ in pair.spans}
    words = set(text.split())
    for pronoun in {"she", "him", "hers", "himself", "herself", "shes", "her", "HER"} & words:
        assert pronoun in changed


@given(texts(WORDS))
def test_links_handles_and_hashtags_stay(text):
    for token in ("@her", "#she", "https://he.com/her"):
        assert text.split().count(token) == gender(text).perturbed.split().count(token)


@pytest.mark.parametrize(
    ("text", "flipped"),
    [
        ("he gave her his keys and she thanked him", "she gave him her keys and he thanked her"),
        ("she hugged her fiercely", "he hugged him fiercely"),
        ("i like her almost rude answer", "i like his almost rude answer"),
        ("i told her mom that i love her", "i told his dad that i love him"),
        ("i want her to know that her friends care", "i want him to know that his friends care"),
        ("a friend of his made me laugh", "a friend of hers made me laugh"),
        ("the choice was hers", "the choice was his"),
        ("is it his or her own idea", "is it her or his own idea"),
        ("i want to meet her/his needs", "i want to meet his/her needs"),
        ("i love his/her dog", "i love her/his dog"),
        ("i let her cry", "i let him cry"),
        ("i heard her cries", "i heard his cries"),
        ("i gave her her coat and kissed her good night", "i gave him his coat and kissed him good night"),
        ("her being late hurt him", "his being late hurt her"),
        ("hes late and she s mad and he ll cry", "shes late and he s mad and she ll cry"),
        ("She told HIM: her dad's here.", "He told HER: his mom's here."),
        ("she\N{RIGHT SINGLE QUOTATION MARK}s my ex-wife", "he\N{RIGHT SINGLE QUOTATION MARK}s my ex-husband"),
        ("my stepdad and my mother-in-law", "my stepmom and my father-in-law"),
        ("happy mothers day to two brides", "happy fathers day to two grooms"),
        ("my husbands job", "my wifes job"),
        ("ladies and gentlemen the king and his wives", "gentlemen and ladies the queen and her husbands"),
        ("an actress met an uncle", "an actor met an aunt"),
        ("i know hell come and shell like it", "i know shell come and hell like it"),
        ("i wish shed call", "i wish hed call"),
        ("i like two guys", "i like two girls"),
        ("the old man and that boy", "the old woman and that girl"),
        ("i had a crush on miss honey", "i had a crush on mr honey"),
    ],
)
def test_gender_is_flipped(text, flipped):
    assert gender(text).perturbed == flipped


@pytest.mark.parametrize(
    "text",
    [
        "i feel like hell in my shell",
        "what the hell is this",
        "i shed a tear in the shed",
        "i miss you and i will miss the bus",
        "hey you guys i feel great",
        "oh man i am tired",
        "boy do i feel silly",
        "i am so tired man",
        "i ate at burger king and saw spider man",
        "a chick flick on my queen size bed",
        "mother nature and my mother tongue",
        "what a drama queen",
        "son of a bitch that hurt",
        "he he he that was funny",
        "human manage mental history other there shelter",
        "michael and jennifer feel fine",
        "@her #him https://she.com/he",
        "",
    ],
)
def test_what_only_looks_gendered_stays(text):
    assert gender(text).n_changed == 0
    assert gender(text).perturbed == text


@pytest.mark.parametrize(
    ("text", "flipped"),
    [
        # capitals
        ("Dad's car and DAD'S car", "Mom's car and MOM'S car"),
        (
            "He'll see the King\N{RIGHT SINGLE QUOTATION MARK}s dog",
            "She'll see the Queen\N{RIGHT SINGLE QUOTATION MARK}s dog",
        ),
        ("WIFE'S, Wife's, wife`s", "HUSBAND'S, Husband's, husband`s"),
        ("my GirlFriend and my mOm", "my BoyFriend and my dAd"),
        ("An Actress's role", "An Actor's role"),
        # accents written as a letter and a mark
        (normalize("NFD", "my fiancée left"), normalize("NFD", "my fiancé left")),
        (normalize("NFD", "Fiancé's ring"), normalize("NFD", "Fiancée's ring")),
        (normalize("NFD", "two fiancées"), normalize("NFD", "two fiancés")),
        # underscores, tags, brackets, links
        ("i told her_comma_ and he_comma_ cried", "i told him_comma_ and she_comma_ cried"),
        ("__he__ and my_mom_is_nice", "__she__ and my_dad_is_nice"),
        ("i saw her_period_ dogs bark", "i saw him_period_ dogs bark"),
        ("i adore her<p>Dogs bark</p>", "i adore him<p>Dogs bark</p>"),
        ("i love <b>her</b> dog", "i love <b>his</b> dog"),
        ("i love her<br>Dogs bark", "i love him<br>Dogs bark"),
        ("i miss her {sobs} badly", "i miss him {sobs} badly"),
        ("i miss her <sigh>", "i miss him <sigh>"),
        ("[Her] dog died and (his) cat", "[His] dog died and (her) cat"),
        ("i adore her rt @ann dogs bark", "i adore him rt @ann dogs bark"),
        ("i adore her https://t.co/x dogs bark", "i adore him https://t.co/x dogs bark"),
        # a person after all
        ("That old man made a cake", "That old woman made a cake"),
        ("my man handled it", "my woman handled it"),
        ("the new girl in my class", "the new boy in my class"),
        ("a pretty woman told me her name", "a pretty man told me his name"),
        ("what a boy!", "what a girl!"),
        ("Ms. Smith and Mrs. Jones", "Mr. Smith and Mr. Jones"),
        ("the bachelors again", "the bachelorettes again"),
        ("the boy(s)", "the girl(s)"),
        # her and what may be an adverb or a noun
        ("i walked her back to the car", "i walked him back to the car"),
        ("i think her back aches", "i think his back aches"),
        ("in her back pocket", "in his back pocket"),
        ("her home is warm and i drove her home", "his home is warm and i drove him home"),
        ("i love her home", "i love his home"),
        ("i treat her right", "i treat him right"),
        ("i support her right to choose", "i support his right to choose"),
        ("i pulled her close", "i pulled him close"),
        ("i saw her monday", "i saw him monday"),
        ("her upstairs neighbor", "his upstairs neighbor"),
        ("she did her best and i like her best", "he did his best and i like him best"),
    ],
)
def test_each_kind_of_text_is_flipped(text, flipped):
    pair = gender(text)
    assert pair.perturbed == flipped
    assert "uncertain" not in pair.flags


@pytest.mark.parametrize(
    "text",
    [
        "(s)he's here",
        "S/he cried",
        "(wo)men and wo/man",
        "Mr(s) Smith",
        "Boy! That was hard",
        "oh, boy... what a day",
        "boy oh boy",
        "so tired, man!",
        "sounds awesome man!",
        "Hi, guys!",
        "guys please help",
        "oh brother, not again",
        "a Bachelor\N{RIGHT SINGLE QUOTATION MARK}s program",
        "an old wives' tale",
        "the poor man's version",
        "Lady Gaga's song at Burger King's",
        "a man-made lake",
        "the man made lake",
        "#she @her <a href='her'>",
    ],
)
def test_each_kind_of_text_stays(text):
    assert gender(text).perturbed == text


# words of the lists of WinoBias (Zhao et al. 2018) that have no counterpart here
@pytest.mark.parametrize(
    "word",
    ["lord", "master", "mistress", "governor", "host", "god", "hero", "heros", "priest", "beau", "tailor", "spinster"],
)
def test_a_gendered_word_that_stays_makes_a_half_flip(word):
    pair = gender(f"she saw the {word} again")
    assert pair.perturbed == f"he saw the {word} again"
    assert "half-flipped" in pair.flags
    assert not countable(pd.DataFrame({"flags": [pair.flags]})).any()
    assert gender(f"the {word} cried").flags == ()
    assert "half-flipped" not in gender("oh my god she left").flags


@pytest.mark.parametrize(
    ("text", "flipped"), [("the chairmen", "the chairwomen"), ("an abbess", "an abbot"), ("a barman", "a barwoman")]
)
def test_other_words_of_winobias_are_flipped(text, flipped):
    assert gender(text).perturbed == flipped


def test_gender_flags_say_why_a_pair_is_special():
    assert gender("my wife is pregnant").flags == ("gender-locked",)
    assert gender("i told her about michael").flags == ("name",)
    assert "irreversible" in gender("some guy smiled").flags
    assert "uncertain" in gender("i saw her smile").flags
    assert gender("she smiled at him").flags == ()
