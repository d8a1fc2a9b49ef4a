"""Gender and race flips: complete, reversible, and changing nothing but their words."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance import acceptance_rows
from benchmarks.flips import count_lossy, losses
from emoscope.errors import UserError
from emoscope.perturbation.edits import Perturbation, perturb
from emoscope.perturbation.lexicons import GenderLexicon, RaceLexicon
from flipped import NOISE, RACE_WORDS, WORDS, gender, race, texts


def assert_only_spans_change(pair: Perturbation) -> None:
    before, after, end, end_after = [], [], 0, 0
    for start, stop, start_after, stop_after in pair.spans:
        assert pair.text[start:stop] != pair.perturbed[start_after:stop_after]
        before.append(pair.text[end:start])
        after.append(pair.perturbed[end_after:start_after])
        end, end_after = stop, stop_after
    assert [*before, pair.text[end:]] == [*after, pair.perturbed[end_after:]]


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


def test_what_a_flip_loses_is_seen():
    spans = ((0, 5, 0, 5),)
    assert losses(Perturbation("Mom's", "dad's", spans)) == {"capitals"}
    assert losses(Perturbation("DAD'S", "Mom's", spans)) == {"capitals"}
    assert losses(Perturbation("mom's!", "dad's", spans)) == {"marks"}
    assert losses(Perturbation("mom's  a", "dad's a", spans)) == {"whitespace"}
    assert losses(Perturbation("land-lord", "land lady", ((0, 9, 0, 9),))) == {"marks", "whitespace"}
    assert losses(Perturbation("Mom's!", "Dad's!", spans)) == set()
    assert count_lossy("gender", ["Mom's mOm, HER  dog!", "Land-lord\tshe"]) == 0


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
        ("g.csv", "male,female,kind\nsir,ma'am,swap\n", 'line 2: "ma\'am" has an apostrophe'),
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
