"""What `her` stands for."""

from acceptance import acceptance_rows
from emoscope.perturbation.english.pronouns import her_is_possessive
from emoscope.perturbation.english.sentences import Sentence


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
