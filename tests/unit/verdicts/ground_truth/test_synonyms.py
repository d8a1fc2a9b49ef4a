"""Planted synonyms are found if they are flagged, and planted absences if something would have been seen."""

import numpy as np
import pandas as pd
import pytest

from emoscope.verdicts.ground_truth.planted_effect import PlantedEffect
from emoscope.verdicts.ground_truth.synonyms import synonym_effects

TRUTH = {"effects": {"misleading_synonyms": {"size": 0.9}}}


def effects(detectable: float = 0.15, high: float = 0.3, p: float = 0.5, **verdicts: str) -> list[PlantedEffect]:
    """What is found of words with these verdicts; of all, so large a rate would be detected, and p is the same."""
    rate = {"origin": "word", "measure": "changed", "value": 0.1, "low": 0.0, "high": high, "texts": 9, "p_adjusted": p}
    rows = [{"term": term, "verdict": verdict.replace("_", " "), **rate} for term, verdict in verdicts.items()]
    return [*synonym_effects(TRUTH, pd.DataFrame(rows).assign(detectable=detectable), 0.02, 0.05)]


@pytest.mark.parametrize(
    ("want", "overwhelmed", "expected"),
    [
        ("not_flagged", "flagged", ["found", "cannot tell", "found"]),
        ("flagged", "flagged", ["found", "cannot tell", "missed"]),
        ("not_flagged", "not_flagged", ["missed", "cannot tell", "found"]),
        ("cannot_tell", "cannot_tell", ["missed", "cannot tell", "cannot tell"]),  # the planted 90 % would have shown
    ],
)
def test_misleading_synonyms_should_be_flagged_and_no_others(want, overwhelmed, expected):
    found = effects(want=want, overwhelmed=overwhelmed)
    assert [effect.verdict for effect in found] == expected
    assert ("want" in found[-1].note) == (want == "flagged")
    assert found[0].expected == 0.9 and found[1].note == "no text has the word"


@pytest.mark.parametrize(
    ("detectable", "high", "verdicts"),
    [
        (0.15, 0.3, ["missed", "found"]),
        (0.5, 0.3, ["missed", "cannot tell"]),  # the plain word would not have been seen to change 20 %
        (0.5, 0.01, ["missed", "found"]),  # but changes less than the margin
        (0.95, 0.3, ["cannot tell", "cannot tell"]),  # nor the planted one, had it been found at its size
        (np.nan, 0.3, ["cannot tell", "cannot tell"]),
    ],
)
def test_nothing_is_found_or_missed_where_nothing_would_have_been_seen(detectable, high, verdicts):
    misleading, _, plain = effects(detectable, high, overwhelmed="not_flagged", want="not_flagged")
    assert [misleading.verdict, plain.verdict] == verdicts
    assert f"of {int(verdicts[1] == 'found')}, a change of 20 %" in plain.note


@pytest.mark.parametrize(("p", "verdict"), [(0.001, "cannot tell"), (0.5, "missed")])
def test_a_planted_synonym_that_changes_much_in_texts_that_any_word_changes_is_not_missed(p, verdict):
    assert effects(detectable=0.5, p=p, overwhelmed="cannot_tell")[0].verdict == verdict


def test_the_share_of_flagged_words_is_of_those_that_can_be_told():
    plain = effects(want="not_flagged", glad="flagged", mad="cannot_tell")[-1]
    assert plain.value == 0.5 and plain.low < 0.5 < plain.high and plain.texts == 27
    nothing = effects(want="cannot_tell", mad="cannot_tell")[-1]
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all() and nothing.verdict == "cannot tell"
    one = effects(want="not_flagged", mad="cannot_tell")[-1]
    assert one.value == 0 and one.verdict == "cannot tell"
