"""Synonyms: the published replacement, the label-free one, and the words that are counted."""

import csv
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance import acceptance_rows
from emoscope.errors import UserError
from emoscope.experiments.synonyms import pair_set
from emoscope.experiments.synonyms.counts import count_words, stopwords
from emoscope.experiments.synonyms.replace import SynonymTable, parse_map, replace, replace_published
from emoscope.perturbation.english.word_classes import word_set
from emoscope.storage.files import write_json, write_table

ROOT = Path(__file__).parents[4]
LEXICONS = ROOT / "data" / "lexicons"
TABLE = SynonymTable.load(LEXICONS / "synonyms.csv")
PAPER = TABLE.mapping


def swap(text: str, synonyms: str) -> str:
    return replace(text, parse_map(synonyms)).perturbed


@pytest.mark.parametrize(
    ("text", "synonyms", "expected"),
    [
        ("i knew that she knows", "know/VERB=understand", "i understood that she understands"),
        ("it was known", "know/VERB=understand", "it was understood"),
        ("he cried and is crying", "cry/VERB=weep", "he wept and is weeping"),
        ("she was hurt by it", "hurt/VERB=wound", "she was wounded by it"),
        ("their lives and my life", "life/NOUN=existence", "their existences and my existence"),
        ("other peoples lives", "people/NOUN=individuals", "other individuals lives"),
        ("i feel happier", "happy/ADJ=glad", "i feel gladder"),
        ("the worst day", "bad/ADJ=awful", "the most awful day"),
        ("a strange day", "strange/ADJ=odd", "an odd day"),
        ("an old house", "old/ADJ=new", "a new house"),
        ("i want to go", "want/VERB=desire", "i desire to go"),
        ("we are even now", "even/ADJ=equal", "we are equal now"),
        ("Happy me. HAPPY!", "happy/ADJ=glad", "Glad me. GLAD!"),
        ("i was surprised by a surprise party", "surprise/VERB=astonish", "i was astonished by a surprise party"),
        ("a little girl felt a little sad", "little/ADJ=small", "a small girl felt a little sad"),
        ("i hate her hate", "hate/VERB=detest", "i detest her hate"),
        ("they make great music", "make/VERB=create", "they create great music"),
        ("know want", "know/VERB=want, want/VERB=know", "want know"),
    ],
)
def test_words_are_replaced_in_their_own_form(text, synonyms, expected):
    assert swap(text, synonyms) == expected


@pytest.mark.parametrize(
    ("text", "synonyms", "expected"),
    [
        ("it has just started", "start/VERB=begin", "it has just begun"),
        ("have you talked?", "talk/VERB=speak", "have you spoken?"),
        ("he hasn't talked and she's talked", "talk/VERB=speak", "he hasn't spoken and she's spoken"),
        ("i got called", "call/VERB=ring", "i got rung"),
        ("i have cried and talked", "talk/VERB=speak", "i have cried and spoken"),
        ("my mom called and he called me", "call/VERB=ring", "my mom rang and he rang me"),
        ("she has come home", "come/VERB=arrive", "she has arrived home"),
        ("it was put there and he put it there", "put/VERB=place", "it was placed there and he placed it there"),
        ("people make me sad", "people/NOUN=human", "humans make me sad"),
        ("these sheep and a sheep", "sheep/NOUN=goat", "these goats and a goat"),
        ("the police are near the police car", "police/NOUN=officer", "the officers are near the officer car"),
        ("two fish and one fish", "fish/NOUN=bird", "two birds and one bird"),
        ("officers came", "officer/NOUN=police", "police came"),
        ("i know you know i am fine", "know/VERB=understand", "i understand you understand i am fine"),
        ("i want you want it", "want/VERB=desire", "i desire you desire it"),
        ("happy, Happy, HAPPY", "happy/ADJ=glad", "glad, Glad, GLAD"),
        ("i was you know sad", "know/VERB=understand", "i was you know sad"),
    ],
)
def test_participles_plurals_and_every_occurrence(text, synonyms, expected):
    assert swap(text, synonyms) == expected


@pytest.mark.parametrize(
    ("text", "synonyms"),
    [
        ("my knowledge is unknown to you", "know/VERB=understand"),
        ("my thoughts", "think/VERB=believe"),
        ("the dog bit me a bit", "bit/NOUN=piece"),
        ("she lives alone", "life/NOUN=existence"),
        ("i fell in love with my loved ones", "love/VERB=adore"),
        ("it makes me cry and makes no sense", "make/VERB=create"),
        ("she made everyone laugh and made my day", "make/VERB=create"),
        ("i think about it", "think/VERB=believe"),
        ("i love to sing", "love/VERB=adore"),
        ("not even one of them", "even/ADJ=equal,one/ADJ=single"),
        ("i sit still", "still/ADV=nevertheless"),
        ("i love it so much", "much/NOUN=lots"),
        ("@happy #happy http://happy.com", "happy/ADJ=glad"),
        ("i cry all the time", "time/NOUN=period"),
    ],
)
def test_what_a_synonym_does_not_fit_stays(text, synonyms):
    pair = replace(text, parse_map(synonyms))
    assert pair.perturbed == text
    assert pair.n_changed == 0


WORDS = sorted(
    word_set("i know knew people life lives time a an strange love loved make made me sad much of one so want scared")
)
NOISE = ["@know", "#love", ".", "LIFE", "People", "  ", "\n", "❤"]


@given(st.lists(st.sampled_from([*WORDS, *NOISE]), max_size=12).map(" ".join))
def test_only_the_spans_change(text):
    for pair in (replace(text, PAPER), replace_published(text, {"know": "understand", "life": "existence"})):
        kept, kept_after, end, end_after = "", "", 0, 0
        for start, stop, start_after, stop_after in pair.spans:
            kept, kept_after = kept + text[end:start] + "|", kept_after + pair.perturbed[end_after:start_after] + "|"
            end, end_after = stop, stop_after
        assert kept + text[end:] == kept_after + pair.perturbed[end_after:]


def test_the_published_way_takes_exact_tokens_and_looks_at_nothing_else():
    table = {"know": "understand", "bit": "piece", "dont": "avoid"}
    assert replace_published("i dont know a bit he knows", table).perturbed == "i avoid understand a piece he knows"
    assert replace_published("Know KNOW unknown #know", table).n_changed == 0


def test_a_replaced_emotion_word_is_flagged():
    marked = TABLE.label_bearing
    assert {"scared", "amazed", "angry"} <= marked
    assert not {"know", "little", "people"} & marked
    assert replace("i am scared", PAPER, marked).flags == ("label-bearing",)
    assert replace("i know people", PAPER, marked).flags == ()


def test_the_table_is_the_papers():
    sizes = {name: len(words) for name, words in TABLE.by_class.items()}
    assert sizes == dict.fromkeys(["sadness", "joy", "love", "anger", "fear", "surprise"], 10)
    assert TABLE.by_class["anger"]["dont"] == "avoid"
    assert TABLE.by_class["surprise"]["surprised"] == "startled"
    published = ROOT / "data/reference/table3_synonyms.csv"
    if published.exists():
        with open(published, newline="", encoding="utf-8") as file:
            rows = [(row["class"], row["word"], row["synonym"]) for row in csv.DictReader(file)]
        assert sorted(rows) == sorted(
            (name, word, synonym) for name, words in TABLE.by_class.items() for word, synonym in words.items()
        )


@pytest.mark.parametrize("text", ["know=understand", "know/VERB", "know/NUM=two", "Know/VERB=x", "", "a/NOUN=b,,"])
def test_a_wrong_map_is_reported(text):
    with pytest.raises(UserError, match="know/VERB=understand"):
        parse_map(text)


def test_a_map_reads_several_entries_and_refuses_two_for_one_word():
    assert parse_map("know/VERB=understand, life/NOUN=existence") == {
        ("know", "VERB"): "understand",
        ("life", "NOUN"): "existence",
    }
    with pytest.raises(UserError, match="twice"):
        parse_map("know/VERB=understand know/VERB=see")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("class,word,synonym\na,b,c\n", "column 'pos' is missing"),
        ("class,word,synonym,pos\na,b,c,X\n", "line 2"),
        ("class,word,synonym,pos\na,b,c,ADJ\nd,b,e,ADJ\n", "line 3: b/ADJ has another synonym"),
    ],
)
def test_a_spoilt_table_is_reported(tmp_path, content, message):
    path = tmp_path / "synonyms.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        SynonymTable.load(path)


def test_stop_words_are_sparks_and_the_papers_and_those_that_lost_their_apostrophe():
    plain = stopwords(LEXICONS / "stopwords.txt", strip_apostrophes=False)
    assert len(plain) == 181 + 9
    assert {"i", "didn't", "feeling", "t"} <= plain
    assert "dont" not in plain
    stripped = stopwords(LEXICONS / "stopwords.txt", strip_apostrophes=True)
    assert {"dont", "didnt", "didn", "ll", "ve", "hes"} <= stripped
    assert not {"well", "hell", "let", "people"} & stripped
    with pytest.raises(UserError, match="cannot read"):
        stopwords(LEXICONS / "none.txt", strip_apostrophes=False)


def test_words_are_counted_without_stop_words_links_and_marks():
    texts = ["i know People people", "i know, http://know.com @know"]
    assert count_words(texts, frozenset({"i"})) == Counter({"know": 2, "people": 2})


def test_acceptance_kinds():
    rows = [row for row in acceptance_rows("kinds.csv") if row["command"] == "replace"]
    maps = [row["options"].removeprefix("--map ") for row in rows]
    assert not [row for row, synonyms in zip(rows, maps, strict=True) if swap(row["text"], synonyms) != row["expected"]]


def test_acceptance_rows():
    rows = acceptance_rows("synonym.csv")
    wrong = [
        row["text"]
        for row in rows
        if swap(row["text"], re.search(r"map: (\S+)", row["reason"])[1].replace(">", "="))
        not in row["expected"].split(" || ")
    ]
    core = [row["text"] for row in rows if row["reason"].startswith("[core]")]
    assert 1 - len(set(wrong) & set(core)) / len(core) >= 0.95, wrong
    assert not [row["text"] for row in rows if row["text"] == row["expected"] and row["text"] in wrong]


def test_the_papers_stop_words_leave_contractions_in(tmp_path):
    table = pd.DataFrame({"id": [0, 1], "text": ["i dont know", "dont cry"], "label": [0, 0]})
    write_table(table, tmp_path / "test.parquet")
    write_json({"classes": ["joy"]}, tmp_path / "corpus.json")
    files = tmp_path / "test.parquet", tmp_path / "corpus.json", LEXICONS / "stopwords.txt"
    pair_set.count_words(*files, {"words_per_class": 9}, tmp_path / "words.parquet")
    told = pd.read_parquet(tmp_path / "words.parquet").groupby("stop_words")["word"].agg(set)
    assert "dont" in told["published"] and "dont" not in told["stripped"]
