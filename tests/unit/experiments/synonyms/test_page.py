"""The synonyms page: of a corpus that lacks the published words, and of words that can or cannot be flagged."""

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.synonyms import page as synonyms_report
from made_up import pairs, summary_of, words


def test_a_corpus_without_the_published_words_says_so():
    empty = pd.DataFrame(
        {name: [] for name in ("origin", "term", "measure", "value", "low", "high", "texts", "verdict")}
    )
    assert "No text of this corpus" in synonyms_report.published_findings(empty, pairs(0))
    assert synonyms_report.word_table(empty, pairs(0), 0.05) == ""
    told = words(synonyms_report.main_result(empty))
    assert "finds nothing to replace" in told and "No text holds a word of the table." in told


def of_words(neutral: bool, **verdicts: str) -> pd.DataFrame:
    """A summary of words with these verdicts, in 50 texts each."""
    change = {"change_joy": (-0.05, -0.08, -0.02), "change_fear": (0.04, -0.01, 0.1)}
    parts = [
        summary_of("word", word, verdict.replace("_", " "), changed=(0.3, 0.2, 0.4), excess_changed=(0.1, -0.1, 0.3))
        for word, verdict in verdicts.items()
    ]
    parts += [summary_of("word", word, **change) for word in verdicts]
    return pd.concat([*parts, *([summary_of("word", control_changed=(0.01, 0.0, 0.02))] if neutral else [])])


def test_words_that_cannot_be_told_do_not_pass_for_words_that_change_nothing():
    summary = of_words(True, overwhelmed="flagged", glad="flagged", sad="not_flagged", mad="cannot_tell")
    headline, told = (words(part) for part in (synonyms_report.main_result(summary), findings_of(summary)))
    said = "2 of 4 words are flagged as changing more predictions than neutral words: overwhelmed and glad"
    assert f"{said}; of 1 it cannot be told." in headline
    assert "Beside these two, glad is flagged." in told and "Of 1 word it cannot be told" in told
    assert "texts are too few to show a rate of 20 %." in told
    assert "where 8 or more of its own texts offer neutral words" in told
    assert "cannot be told" not in words(synonyms_report.main_result(of_words(True, sad="not_flagged")))


def test_without_neutral_words_it_is_not_said_that_no_word_is_flagged():
    summary = of_words(False, glad="cannot_tell", sad="cannot_tell")
    headline, told = (words(part) for part in (synonyms_report.main_result(summary), findings_of(summary)))
    assert "no word can be judged: there are no neutral words to compare with." in headline
    assert "offers neutral words to compare with" in told
    for text in (headline, told):
        assert "flagged" not in text and "n/a" not in text


def findings_of(summary: pd.DataFrame) -> str:
    return synonyms_report.word_findings(summary, 0.02)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_mean_change_has_the_interval_of_a_largest_one(sign):
    """Of two classes, the one changes by less and may change by more."""
    summary = of_words(True, glad="flagged", sad="not_flagged", mad="cannot_tell")
    changes = summary["measure"].str.startswith("change_")
    numbers = summary.loc[changes, ["value", "low", "high"]].to_numpy() * sign
    summary.loc[changes, ["value", "low", "high"]] = np.column_stack([numbers[:, 0], np.sort(numbers[:, 1:], axis=1)])
    table = pairs(1).assign(origin="word", term="glad")
    rows = BeautifulSoup(synonyms_report.word_table(summary, table, 0.05), "html.parser").select("tbody tr")
    shown = [[cell.get_text() for cell in row(["td", "th"])] for row in rows]
    assert [row[6] for row in shown] == ["flagged", "", "cannot tell"]
    assert [row[5] for row in shown] == ["+10.0 % [\N{MINUS SIGN}10.0, +30.0]"] * 3
    ends = "[\N{MINUS SIGN}0.100, \N{MINUS SIGN}0.016]" if sign > 0 else "[+0.016, +0.100]"
    assert all(row[-1].startswith("P(joy)") and row[-1].endswith(ends) for row in shown), shown[0][-1]
