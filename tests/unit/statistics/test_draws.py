"""Where one more draw lies, against simulations."""

import numpy as np
import pytest

from emoscope.statistics.draws import above_draws, next_draw


@pytest.mark.parametrize(("count", "place"), [(39, 0), (78, 0), (79, 1), (119, 2)])
def test_the_bounds_are_draws_so_far_from_the_ends_as_is_allowed(count, place):
    values = np.random.default_rng(0).permutation(np.arange(count) ** 2.0)
    assert next_draw(values) == (place**2, (count - 1 - place) ** 2)


def test_too_few_draws_have_no_bounds():
    assert np.isnan(next_draw(np.arange(38.0))).all() and np.isnan(next_draw(np.array([]))).all()
    assert next_draw(np.arange(19.0), alpha=0.1) == (0, 18)
    assert np.isnan(next_draw(np.append(np.arange(100.0), np.nan))).all()


@pytest.mark.parametrize("draw", ["standard_normal", "standard_exponential", "standard_cauchy"])
def test_one_more_draw_lies_outside_in_one_of_twenty_cases(draw):
    """Of forty draws each is the one more in its turn."""
    draws = getattr(np.random.default_rng(1), draw)(size=40)
    bounds = [next_draw(np.delete(draws, number)) for number in range(40)]
    below, above = zip(
        *((value < low, value > high) for value, (low, high) in zip(draws, bounds, strict=True)), strict=True
    )
    assert sum(below) == sum(above) == 1
    many = getattr(np.random.default_rng(2), draw)(size=(2000, 40))
    outside = [not low <= row[0] <= high for row in many for low, high in [next_draw(row[1:])]]
    assert np.mean(outside) == pytest.approx(0.05, abs=0.02)


def test_one_more_draw_in_several_rows_is_above_in_one_of_forty_cases_at_most():
    """Rows of other spreads and places, and draws that are large in all of them at once."""
    rng = np.random.default_rng(3)
    scales, together = np.array([[1.0], [20], [3], [0.1]]), rng.standard_exponential((2000, 1, 40))
    for several in (rng.standard_normal((2000, 4, 40)), rng.standard_exponential((2000, 4, 40)), together):
        rows = 7 + scales * several
        told = [above_draws(row[:, 0], row[:, 1:]).min() <= 0.05 for row in rows]
        assert 0.015 < np.mean(told) < 0.035


def test_above_draws_by_hand():
    draws = np.arange(39.0)
    assert above_draws(np.array([40.0]), draws[None]) == above_draws(np.array([1e9]), draws[None]) == 0.05
    assert above_draws(np.array([37.5]), draws[None]) == 0.1, "one of them is above"
    assert above_draws(np.array([-40.0]), draws[None]) == 1
    assert above_draws(np.array([1e9]), draws[None, :38]) > 0.05, "too few"
    small = draws * [[1e-3], [1e3]]
    assert above_draws(np.array([1.0, 0]), small)[0] == 0.05, "rows are of other units"
    assert above_draws(np.array([0.0]), np.zeros((1, 99))) == 1, "nothing moves"
    alone, beside = (
        above_draws(np.array([42.0]), draws[None]),
        above_draws(np.array([42.0, 0]), np.stack([draws, draws**4])),
    )
    assert alone == 0.05 and beside[0] > 0.05, "another row has a draw that is further away"
