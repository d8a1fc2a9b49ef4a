"""The synonyms page of a corpus that lacks the published words."""

import pandas as pd

from emoscope.experiments.synonyms import page as synonyms_report
from made_up import pairs


def test_a_corpus_without_the_published_words_says_so():
    empty = pd.DataFrame(
        {name: [] for name in ("origin", "term", "measure", "value", "low", "high", "texts", "verdict")}
    )
    assert "No text of this corpus" in synonyms_report.published_findings(empty, pairs(0))
    assert synonyms_report.word_table(empty, pairs(0)) == ""
    assert "finds nothing to replace" in synonyms_report.main_result(empty)
