"""What the tests of flips share: both flips with the shipped word lists, and made-up texts to flip."""

from pathlib import Path

from hypothesis import strategies as st

from emoscope.experiments.flips.gender import flip_gender
from emoscope.experiments.flips.race import flip_race
from emoscope.perturbation.edits import Perturbation
from emoscope.perturbation.english.word_classes import word_set
from emoscope.perturbation.lexicons import GenderLexicon, RaceLexicon

ROOT = Path(__file__).parents[1]


GENDER = GenderLexicon.load(ROOT / "data/lexicons/gender.csv")


RACE = RaceLexicon.load(ROOT / "data/lexicons/race.yaml")


def gender(text: str) -> Perturbation:
    return flip_gender(text, GENDER)


def race(text: str) -> Perturbation:
    return flip_race(text, RACE, ("white", "black"))


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
