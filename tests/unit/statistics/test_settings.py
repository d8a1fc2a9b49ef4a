"""The level of tests, beside p values that are whole fractions of a number of draws."""

import numpy as np
import pytest

from emoscope.statistics.adjustment import benjamini_hochberg, holm
from emoscope.statistics.draws import above_draws
from emoscope.statistics.settings import alpha_of, resampling

LEVELS = {0.9: 0.1, 0.95: 0.05, 0.99: 0.01}


@pytest.mark.parametrize(("confidence", "level"), LEVELS.items())
def test_a_p_that_is_exactly_the_level_is_at_most_the_level(confidence, level):
    alpha = alpha_of({"confidence": confidence})
    draws = np.arange(2 / level - 1)
    assert above_draws(np.array([len(draws) + 1.0]), draws[None]) <= alpha
    assert not above_draws(np.array([len(draws) - 1.5]), draws[None]) <= alpha
    for tests in (1, 3, 7, 26, 39):
        p = np.full(tests, round(level * 2100) / 2100)
        assert (benjamini_hochberg(p) <= alpha).all() and not (benjamini_hochberg(p + 1 / 2100) <= alpha).any()
        assert holm(np.append(p[0] / tests, np.ones(tests - 1)))[0] <= alpha
    one_in = np.append(np.full(26, level * 26 / 39), np.ones(13))  # in floating point a hair above the level, adjusted
    assert (benjamini_hochberg(one_in)[:26] <= alpha).all()


def test_a_level_is_what_is_left_of_the_confidence():
    for confidence in (0.6, *LEVELS, 0.999999):
        assert alpha_of({"confidence": confidence}) == pytest.approx(1 - confidence, rel=1e-8)
    settings = {"confidence": 0.9, "seed": 3, "resamples": 50, "margin": 0.02}
    assert resampling(settings) == {"seed": 3, "resamples": 50, "alpha": alpha_of(settings)}
