"""The prompting page holds planted correlations against those that were found."""

import pandas as pd

from emoscope.writeups.prompting import page as prompting_report


def test_the_planted_cross_task_correlations_are_held_against_what_was_found(summary):
    related = pd.read_parquet(summary["correlations"])
    box = prompting_report.controls(related)
    assert "joy go with good sentiment and fear with bad" in box
    assert box.count("badge good") == 2
    flipped = related.assign(planted=-related["planted"])
    assert "badge bad" in prompting_report.controls(flipped)
