"""Gender and race flips: complete, reversible, and blind to what only looks like a person word."""

import csv
import time
from pathlib import Path
from unicodedata import normalize

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.flips import count_lossy, losses
from emoscope.errors import UserError
from emoscope.experiments.flips.flip import flip_gender, flip_race, race_templates
from emoscope.perturbation.edits import Perturbation, perturb
from emoscope.perturbation.lexicons import GenderLexicon, RaceLexicon
from emoscope.perturbation.pairs import countable
from emoscope.perturbation.pronouns import Sentence, her_is_possessive, word_set

ROOT = Path(__file__).parents[4]
ACCEPTANCE = ROOT.parent / "shared" / "acceptance"
GENDER = GenderLexicon.load(ROOT / "data/lexicons/gender.csv")
RACE = RaceLexicon.load(ROOT / "data/lexicons/race.yaml")


def gender(text: str) -> Perturbation:
    return flip_gender(text, GENDER)


def race(text: str) -> Perturbation:
    return flip_race(text, RACE, ("white", "black"))


def acceptance_rows(name: str) -> list[dict[str, str]]:
    path = ACCEPTANCE / name
    if not path.exists():
        pytest.skip(f"acceptance file {name} is not beside the project")
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_only_spans_change(pair: Perturbation) -> None:
    before, after, end, end_after = [], [], 0, 0
    for start, stop, start_after, stop_after in pair.spans:
        assert pair.text[start:stop] != pair.perturbed[start_after:stop_after]
        before.append(pair.text[end:start])
        after.append(pair.perturbed[end_after:start_after])
        end, end_after = stop, stop_after
    assert [*before, pair.text[end:]] == [*after, pair.perturbed[end_after:]]


WORDS = sorted(
    word_set(
        "i feel he she him her his hers himself herself hes shes hell shell shed hed he's mom dad wifes husbands "
        "wife man men guys guy boy girl you lady king queen burger spider mr mrs miss sad happy love and or to of "
        "with the a an my is was friend dress oh so cry back uncle aunt actress mother nature tongue pregnant "
        "michael"
    )
)
RACE_WORDS = sorted(
    word_set(
        "i feel the a an black white caucasian african american asian whites blacks man woman girl people dress cat "
        "is are was he they my friend and or in haired young old egg doctor with coffee only room house sheep "
        "friday"
    )
)
NOISE = [
    "@her",
    "#she",
    "https://he.com/her",
    "!",
    ",",
    ".",
    "HER",
    "She",
    "  ",
    "\t",
    "é",
    "❤",
    "black-haired",
    "😀his",
]


def texts(words: list[str]) -> st.SearchStrategy[str]:
    pieces = st.lists(st.sampled_from([*words, *NOISE]), max_size=14)
    return st.tuples(pieces, st.sampled_from([" ", "  ", "\n", " - "])).map(lambda drawn: drawn[1].join(drawn[0]))


@pytest.mark.parametrize(("flip", "words"), [(gender, WORDS), (race, RACE_WORDS)])
def test_a_flip_is_its_own_inverse_and_changes_nothing_outside_its_spans(flip, words):
    @given(texts(words))
    def check(text):
        pair = flip(text)
        assert_only_spans_change(pair)
        if not pair.flags:
            assert flip(pair.perturbed).perturbed == text
        assert pair.n_changed == len(pair.spans)
        assert (pair.perturbed == text) == (pair.n_changed == 0)

    check()


@pytest.mark.parametrize("flip", [gender, race])
def test_any_text_is_flipped_in_its_spans_only(flip):
    @given(st.lists(st.text() | st.sampled_from([*WORDS, *RACE_WORDS, *NOISE, "\0", "\x1b[31m", "<b>"])).map(" ".join))
    def check(text):
        assert_only_spans_change(flip(text))

    check()


@pytest.mark.parametrize("flip", [gender, race])
@pytest.mark.parametrize("piece", ["she ", "a.", "!", "@", "'", "x", " ", "http://a/", "she told him, a black friend "])
def test_a_text_of_100_000_characters_takes_seconds(flip, piece):
    text = (piece * 100_000)[:100_000]
    start = time.process_time()
    assert_only_spans_change(flip(text))
    assert time.process_time() - start < 10


SHAPES = [str.lower, str.capitalize, str.upper]
SUFFIXES = ["", "'s", "\N{RIGHT SINGLE QUOTATION MARK}s", "!", ",", "_comma_", "<br />", "]", "_"]


@given(
    st.lists(
        st.tuples(st.sampled_from(WORDS + RACE_WORDS), st.sampled_from(SHAPES), st.sampled_from(SUFFIXES)).map(
            lambda drawn: drawn[1](drawn[0]) + drawn[2]
        ),
        max_size=10,
    ).map(" ".join)
)
def test_capitals_marks_and_whitespace_stay_and_two_flips_give_the_text_back(text):
    for flip in (gender, race):
        pair = flip(text)
        assert not losses(pair)
        if not pair.flags:
            assert flip(pair.perturbed).perturbed == text


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


def test_what_a_flip_loses_is_seen():
    spans = ((0, 5, 0, 5),)
    assert losses(Perturbation("Mom's", "dad's", spans)) == {"capitals"}
    assert losses(Perturbation("DAD'S", "Mom's", spans)) == {"capitals"}
    assert losses(Perturbation("mom's!", "dad's", spans)) == {"marks"}
    assert losses(Perturbation("mom's  a", "dad's a", spans)) == {"whitespace"}
    assert losses(Perturbation("land-lord", "land lady", ((0, 9, 0, 9),))) == {"marks", "whitespace"}
    assert losses(Perturbation("Mom's!", "Dad's!", spans)) == set()
    assert count_lossy("gender", ["Mom's mOm, HER  dog!", "Land-lord\tshe"]) == 0


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


def test_edits_are_made_at_once_and_may_not_overlap():
    assert perturb("a b", [(2, 3, "a"), (0, 1, "b")]) == Perturbation("a b", "b a", ((0, 1, 0, 1), (2, 3, 2, 3)))
    with pytest.raises(ValueError, match="overlap"):
        perturb("abc", [(0, 2, "x"), (1, 3, "y")])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("g.csv", "male,female\nhe,she\n", "column 'kind' is missing"),
        ("g.csv", "male,female,kind\nhe,she,both\n", "line 2: needs words and a kind among"),
        ("g.csv", "male,female,kind\nhe,she\n", "line 2"),
        ("g.csv", "male,female,kind\nhe,she,swap\nhe,her,swap\n", "line 3: 'he' already has"),
        ("r.yaml", "groups: {}\n", "is missing"),
        ("r.yaml", "groups: [\n", "not valid YAML"),
    ],
)
def test_a_spoilt_lexicon_is_reported_in_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(UserError, match=message) as error:
        (GenderLexicon if name == "g.csv" else RaceLexicon).load(path)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_lexicon_is_reported(tmp_path):
    for lexicon in (GenderLexicon, RaceLexicon):
        with pytest.raises(UserError, match="cannot read"):
            lexicon.load(tmp_path / "none")


@pytest.mark.parametrize(("name", "flip", "target"), [("gender.csv", gender, 0.97), ("race.csv", race, 1.0)])
def test_acceptance_rows(name, flip, target):
    rows = acceptance_rows(name)
    wrong = [row["text"] for row in rows if flip(row["text"]).perturbed not in row["expected"].split(" || ")]
    core = [row["text"] for row in rows if row["reason"].startswith("[core]")]
    assert 1 - len(set(wrong) & set(core)) / len(core) >= target, wrong
    assert not [row["text"] for row in rows if row["text"] == row["expected"] and row["text"] in wrong]


def test_acceptance_kinds():
    rows = [row for row in acceptance_rows("kinds.csv") if row["command"] == "flip"]
    flips = {"--axis gender": gender, "--axis race": race}
    wrong = [row for row in rows if flips[row["options"]](row["text"]).perturbed not in row["expected"].split(" || ")]
    assert not wrong


def test_acceptance_her():
    rows = acceptance_rows("her.csv")
    wrong = []
    for row in rows:
        words, place = row["text"].split(), int(row["token_index"])
        assert words[place] == "her"
        possessive, _ = her_is_possessive(Sentence(words), place)
        if ("his" if possessive else "him") not in row["gold"].split("|"):
            wrong.append(row["text"])
    assert 1 - len(wrong) / len(rows) >= 0.95, wrong
