"""How many texts a verdict needs."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emoscope.statistics.equivalence import rate_equivalence_verdict
from emoscope.statistics.sample_size import texts_for_mean, texts_for_rate


@given(st.floats(0, 1), st.floats(0.005, 0.3))
def test_texts_needed_grow_as_a_rate_nears_the_margin(value, target):
    assume(abs(value - target) > 1e-3)
    needed = texts_for_rate(value, target)
    assert needed > 0
    assert texts_for_rate((value + target) / 2, target) >= needed
    if value < target:
        tested = rate_equivalence_verdict(0, int(needed), target)
        assert tested.verdict == "equivalent", "so many texts without a single event settle it"


def test_texts_needed_for_a_mean_follow_the_root_of_the_sample():
    assert texts_for_mean(0.0, 0.02, 0.04, 100) == pytest.approx(400)
    assert texts_for_mean(-0.06, 0.02, 0.04, 100) == pytest.approx(100)
    assert np.isinf(texts_for_mean(-0.02, 0.02, 0.04, 100))
