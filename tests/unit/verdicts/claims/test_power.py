"""What samples could have shown: the bound that no event leaves, the mean that is found, and whether they suffice."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emoscope.verdicts.claims.power import claims_by_power, power_of

SAMPLES = pd.DataFrame({
    "claim": ["few", "parts", "parts", "enough"], "texts": [17, 148, 149, 5000], "spread": [0.5, np.nan, 0.1, 0.1],
})  # fmt: skip


@pytest.mark.parametrize("alpha", [0.05, 0.1])
def test_the_share_is_the_bound_that_no_event_leaves(alpha):
    found = power_of(SAMPLES, 0.02, alpha)
    for share, texts in zip(found["share"], found["texts"], strict=True):
        assert stats.binom.pmf(0, texts, share) == pytest.approx(alpha / 2), (
            "so rare a sample, if so many were affected"
        )


def test_a_sample_is_enough_where_it_would_show_the_margin():
    assert power_of(SAMPLES, 0.02, 0.05)["enough"].tolist() == [False, False, True, True]
    assert power_of(SAMPLES, 0.02, 0.01)["enough"].tolist() == [False, False, False, True]
    assert power_of(SAMPLES, 0.2, 0.05)["enough"].all()


def test_the_change_is_found_four_times_in_five_and_unknown_without_a_spread():
    found = power_of(SAMPLES, 0.02, 0.05)["change"]
    assert np.isnan(found[1])
    drawn = np.random.default_rng(0).normal(found[0], 0.5, (17, 4000))
    assert np.mean(stats.ttest_1samp(drawn, 0).pvalue <= 0.05) == pytest.approx(0.8, abs=0.02)
    assert found[0] > found[2] > found[3]
    assert power_of(SAMPLES, 0.02, 0.01)["change"][0] > found[0], "a stricter level asks for more"


def test_claims_are_sorted_by_their_smallest_and_largest_sample():
    assert claims_by_power(SAMPLES, 0.02, 0.05) == {"few": ["few"], "parts": ["parts"], "enough": ["enough"]}
    assert claims_by_power(SAMPLES, 0.2, 0.05) == {"few": [], "parts": [], "enough": ["few", "parts", "enough"]}
    assert claims_by_power(SAMPLES, 0.02, 0.001)["few"] == ["few", "parts"]
