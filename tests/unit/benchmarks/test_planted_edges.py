"""What finds the edges of a known circuit, and what does not."""

import pytest

from benchmarks.planted_edges import scored
from emoscope.models.planted.compiled import LAYOUTS
from emoscope.perturbation.inside.patching import FLIPPED_INTO_ORIGINAL, ORIGINAL_INTO_FLIPPED


@pytest.mark.parametrize("layout", LAYOUTS)
def test_methods_are_told_apart(layout):
    found = scored(layout, seed=1, count=6).set_index("method")
    assert set(found["planted"]) == {10} and set(found["edges"]) == {207}
    for direction in (FLIPPED_INTO_ORIGINAL, ORIGINAL_INTO_FLIPPED):
        for method in ("patching", "integrated gradients"):
            assert found.loc[f"{method}, {direction}", "precision"] >= 0.95
        # to know the parts is not to know what reads what; and one gradient does not see what saturates
        assert found.loc[f"integrated gradients, its ends, {direction}", "precision"] < 0.8
        assert found.loc[f"attribution patching, {direction}", "precision"] < 0.9
    assert found.loc["chance", "precision"] < 0.3
