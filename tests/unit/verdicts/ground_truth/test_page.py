"""The ground truth page speaks of the axes that were flipped."""

import pandas as pd
import pytest

from emoscope.verdicts.ground_truth import page


@pytest.mark.parametrize("axes", [["gender", "race", "synonyms"], ["gender", "synonyms"], ["race", "synonyms"]])
def test_the_headline_speaks_of_the_axes_that_were_flipped(axes):
    rows = [
        {"axis": axis, "expected": expected, "low": 0.5, "high": 0.9, "verdict": verdict, "run": run}
        for axis in axes
        for run in ("one", "two")
        for expected, verdict in (((0.7, "found"), (0, "missed")) if axis != "race" else ((0, "missed"),))
    ]
    said = str(page.main_result(pd.DataFrame(rows)))
    assert ("In 2 of 2 the planted gender gap" in said) == ("gender" in axes)
    assert ("In 2 of 2 an effect of race is seen" in said) == ("race" in axes)
    assert "Of 2 misleading synonyms 2 are flagged; other words are flagged in 2 of 2." in said
