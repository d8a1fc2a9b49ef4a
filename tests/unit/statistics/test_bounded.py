"""Tests and intervals by betting: they hold where a t test and a bootstrap do not, and cost no more than they must."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import optimize, special

from clustered_rows import rare_losses, repeated_texts
from emoscope.statistics import bounded
from emoscope.statistics.bounded import CHANGE, SHARE, bounded_interval, bounded_test, log_wealth

ALONE = np.arange(30)


def test_the_wealth_is_that_of_the_authors_library():
    """confseq 0.0.11, `diversified_betting_mart` with these constant stakes."""
    x = (ALONE * 7 % 31) / 31
    found = log_wealth(np.column_stack([x, x, x]), np.ones(30), np.array([0.3, 0.4, 0.45]))
    np.testing.assert_allclose(found, [4.886062387638968, -0.0691333306444741, -1.5507451272563824], rtol=1e-9)


def largest_gain(sizes, stakes):
    """The most that stakes can win where means over rows average 1, as a search finds it that knows no solution."""
    found = optimize.minimize(
        lambda means: -np.log(1 + stakes * (means - 1)).sum(), np.ones(len(sizes)), bounds=[(0, None)] * len(sizes),
        constraints={"type": "eq", "fun": lambda means: sizes @ means - sizes.sum()}, options={"ftol": 1e-12},
    )  # fmt: skip
    assert found.success
    return -found.fun


@pytest.mark.parametrize("sizes", [[1, 1, 4], [1, 1, 1, 5], [1, 1, 3, 3], [1] * 20 + [7]])
def test_the_wealth_of_unequal_clusters_is_shared_by_seven_strategies(sizes):
    sizes, m = np.array(sizes, dtype=float), 0.01
    x, most = np.random.default_rng(0).random(len(sizes)) * 0.03, sizes.max()
    smallest = np.sqrt(2 * (np.log(40) + 1) * m / (sizes**2).sum()) * most
    wealth = [
        np.log(1 + stake * sizes / most * (x / m - 1)).sum()
        for stake in special.expit(np.linspace(special.logit(smallest), special.logit(0.98), 4))
    ]
    for size in (most ** (2 / 3), most ** (1 / 3), 1):
        stakes = np.minimum(0.98 * sizes / size, 0.98)
        wealth.append(np.log(1 + stakes * (x / m - 1)).sum() - largest_gain(sizes, stakes))
    found = log_wealth(x[:, None], sizes, np.array([m]))[0]
    assert found == pytest.approx(np.log(np.exp(wealth).mean()), rel=1e-6)


@pytest.mark.parametrize(("clusters", "rate"), [(10, 0.1), (34, 0.02), (100, 0.02), (100, 0.005), (400, 0.02)])
@pytest.mark.parametrize("rows", [1, "1 to 5"])
def test_rare_large_changes_are_covered_and_seldom_called_equivalent(clusters, rate, rows):
    values, ids = rare_losses(200, clusters, rate, rows)
    found = bounded_test(values, ids, margin=rate)  # the true mean sits on the margin
    assert np.mean(found.p_within <= 0.05) <= 0.05
    assert np.mean(found.p_beyond <= 0.05) <= 0.05
    assert np.mean((found.low <= -rate) & (-rate <= found.high)) >= 0.95
    np.testing.assert_allclose(found.value, values.mean(axis=0))


@pytest.mark.parametrize("sizes", [[1] * 60 + [9], [1] * 30 + [3] * 30, [2] * 40])
@pytest.mark.parametrize("where", ["small", "large", "any"])
def test_clusters_of_any_size_may_carry_the_events(sizes, where):
    """The expected mean over rows is the margin, though only the small clusters, or only the large, ever lose."""
    sizes, rng = np.array(sizes), np.random.default_rng(0)
    exposed = {"small": sizes == sizes.min(), "large": sizes == sizes.max(), "any": sizes > 0}[where]
    chance = exposed * min(0.05 * sizes.sum() / sizes[exposed].sum(), 1)
    margin = (chance * sizes).sum() / sizes.sum()
    lost = -(rng.random((len(sizes), 600)) < chance[:, None]).astype(float)
    ids = np.repeat(np.arange(len(sizes)), sizes)
    found = bounded_test(lost[ids], ids, margin=margin)
    assert np.mean(found.p_within <= 0.05) <= 0.05
    assert np.mean((found.low <= -margin) & (-margin <= found.high)) >= 0.95


def test_a_large_cluster_costs_little_and_is_not_bet_on_beyond_its_means():
    zeros = [bounded_interval(np.zeros(len(ids)), ids, CHANGE).high for ids in (np.arange(200), np.arange(203) % 200)]
    assert zeros[0] < zeros[1] < 1.3 * zeros[0], "three texts that stand twice"
    everywhere = bounded_interval(np.zeros(400), np.arange(400) % 200, CHANGE)
    assert everywhere.high == pytest.approx(zeros[0]), "copies of all texts tell nothing"


@pytest.mark.parametrize("sizes", [[1, 1, 1, 5], [1, 1, 3, 3], [1] * 20 + [7]])
def test_no_means_of_clusters_that_average_what_is_bet_against_win_anything(sizes):
    sizes, rng = np.array(sizes, dtype=float), np.random.default_rng(0)
    small, large = (chosen * sizes.sum() / sizes[chosen > 0].sum() for chosen in (sizes == 1, sizes > 1))
    some = np.linspace(0, 1, 1001)[:, None] * small + np.linspace(1, 0, 1001)[:, None] * large
    others = rng.dirichlet(np.full(len(sizes), 0.5), 20_000) * sizes.sum() / sizes
    for means in (some, others):  # over rows they average 1
        np.testing.assert_allclose(means @ sizes, sizes.sum())
        assert log_wealth(0.01 * means.T, sizes, np.full(len(means), 0.01)).max() <= 1e-9


@pytest.mark.parametrize("sizes", [[1] * 20 + [7], [1] * 10 + [2] * 10, [1, 2, 3, 4, 5], [3] * 10])
@pytest.mark.parametrize("m", [0.01, 0.2, 0.5])
def test_betting_against_the_truth_wins_nothing_whichever_clusters_carry_it(sizes, m):
    """Each cluster has just its expected mean, and over rows these average m."""
    sizes = np.array(sizes, dtype=float)
    for carriers in (sizes == sizes.min(), sizes == sizes.max(), sizes > 0):
        for share in (0.3, 0.7, 1.0):  # of the sum, the others have the rest
            wanted = np.where(carriers, share, 1 - share if not carriers.all() else share)
            x = wanted * np.where(carriers, 1 / sizes[carriers].sum(), 1 / max(sizes[~carriers].sum(), 1))
            x = np.minimum(x * m * sizes.sum() / (x @ sizes), 1)[:, None]
            if x.max() < 1:
                assert (sizes @ x / sizes.sum())[0] == pytest.approx(m)
                assert log_wealth(x, sizes, np.array([m]))[0] <= 1e-9


@given(arrays(np.float64, 12, elements=st.floats(0, 1)), st.lists(st.integers(1, 5), min_size=12, max_size=12))
@settings(max_examples=30, deadline=None)
def test_the_wealth_falls_with_the_mean_that_is_bet_against(x, sizes):
    m = np.linspace(0.01, 0.99, 99)
    found = log_wealth(np.repeat(x[:, None], 99, axis=1), np.array(sizes, dtype=float), m)
    assert (np.diff(found) <= 1e-9).all()


@given(arrays(np.float64, 30, elements=st.floats(-1, 1)), st.integers(8, 30))
@settings(max_examples=10, deadline=None)
def test_an_interval_holds_the_mean_and_turns_with_its_sign(values, clusters):
    ids = ALONE % clusters
    low, high = bounded_interval(values, ids, CHANGE)
    assert -1 - 1e-9 <= low <= values.mean() + 1e-6 and values.mean() - 1e-6 <= high <= 1 + 1e-9
    assert bounded_interval(-values, ids, CHANGE) == pytest.approx((-high, -low), abs=1e-4)
    shifted = bounded_interval((values + 1) / 2, ids, SHARE)
    assert shifted == pytest.approx(((low + 1) / 2, (high + 1) / 2), abs=1e-4)


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.3])
def test_interval_and_p_agree(rate):
    values = -(np.arange(200) < 200 * rate).astype(float)
    low, high = bounded_interval(values, np.arange(200), CHANGE)
    for edge, p in ((low, "p_below"), (high, "p_above")):
        bets = bounded._Bets(bounded.clustered(values, np.arange(200)), CHANGE)
        inside, outside = (edge + step * (1e-3 if p == "p_below" else -1e-3) for step in (1, -1))
        test = bets.p_above if p == "p_below" else bets.p_below
        assert test(bets.scaled(np.array([inside])))[0] > 0.025 > test(bets.scaled(np.array([outside])))[0]
    found = bounded_test(values, np.arange(200), margin=0.02)
    assert (found.p_difference <= 0.05) == (high < 0)
    wider = bounded_interval(values, np.arange(200), CHANGE, alpha=0.01)
    assert wider.low < low and wider.high > high
    tested = bounded_test(values, np.arange(200), margin=0.02, alpha=0.01)
    assert (tested.low, tested.high) == wider and (found.low, found.high) == (low, high)


def test_verdicts_have_the_right_side():
    steady = np.random.default_rng(0).normal(0, 0.02, 400)
    columns = np.column_stack([steady, 0.2 + steady, -0.2 + steady, 0.005 + steady])
    found = bounded_test(columns, np.arange(400), margin=0.05)
    assert (found.p_within <= 0.05).tolist() == [True, False, False, True]
    assert (found.p_beyond <= 0.05).tolist() == [False, True, True, False]
    assert (found.p_difference <= 1e-6).tolist() == [False, True, True, False]
    assert (found.low > 0).tolist() == [False, True, False, False] and found.high[2] < 0
    margins = bounded_test(columns, np.arange(400), margin=np.array([0.001, 0.5, 0.5, 0.001]))
    assert (margins.p_within <= 0.05).tolist() == [False, True, True, False]


def test_a_strong_effect_survives_a_large_family():
    strong = -0.3 + np.random.default_rng(0).normal(0, 0.1, 100)
    assert bounded_test(strong, np.arange(100), margin=0.02).p_difference < 0.05 / 10_000


@pytest.mark.parametrize(("texts", "equivalent"), [(100, False), (149, False), (220, True)])
def test_no_change_at_all_shows_as_much_as_it_can(texts, equivalent):
    """If 2 % of texts lost everything, 149 would show it 95 times in 100: fewer can prove nothing by any test."""
    assert (bounded_test(np.zeros(texts), np.arange(texts), margin=0.02).p_within <= 0.05) == equivalent


@pytest.mark.parametrize(("spread", "texts", "ratio"), [(0.05, 100, 5), (0.05, 600, 2.5), (0.2, 600, 1.75)])
def test_intervals_are_not_much_wider_than_normal_ones_where_those_hold(spread, texts, ratio):
    values = np.random.default_rng(0).normal(0, spread, texts)
    low, high = bounded_interval(values, np.arange(texts), CHANGE)
    normal = 2 * 1.96 * values.std() / np.sqrt(texts)
    assert normal < high - low < ratio * normal


@pytest.mark.parametrize(("share", "found"), [(0.0, 0.0), (1.0, 1.0)])
def test_the_bounds_are_never_passed(share, found):
    low, high = bounded_interval(np.full(20, share), np.arange(20), SHARE)
    assert found in (low, high) and 0 <= low <= share <= high <= 1
    tested = bounded_test(np.full(20, share), np.arange(20), margin=0.5, bounds=SHARE)
    assert tested.p_within <= 0.05 or share == 1, "a mean below -0.5 is not possible"


def test_a_mean_at_its_bound_shows_nothing_beyond_it():
    """Rounding may put it beyond."""
    nothing, everything = (
        bounded_test(np.full(30, share), ALONE, margin=1, bounds=SHARE) for share in (-5e-7, 1 + 5e-7)
    )
    assert nothing.p_within < 0.05 and nothing.p_difference == nothing.p_beyond == 1
    assert bounded_interval(np.full(30, 1e-14), ALONE, SHARE).low == 0
    assert everything.p_difference < 0.05 and everything.p_within == everything.p_beyond == 1
    assert bounded_test(np.ones(30), ALONE, margin=1.5, bounds=SHARE).p_within == 0, "1.5 is not possible"


def test_p_and_detectable_are_those_of_wealth_and_interval():
    values = np.array([1.0, -1.0, 5.0, -7.0]) * (ALONE[:, None] % 10 == 0) / 10 + np.array([0, 0, 0.2, -0.1])
    found = bounded_test(values, ALONE, margin=0.3)

    def p(above: bool, mean: float) -> np.ndarray:
        x, m = ((1 + values) / 2, (1 + mean) / 2) if above else ((1 - values) / 2, (1 - mean) / 2)
        return np.minimum(np.exp(-log_wealth(x, np.ones(30), np.full(4, m))), 1)

    np.testing.assert_allclose(found.p_difference, np.minimum(2 * np.minimum(p(True, 0), p(False, 0)), 1))
    np.testing.assert_allclose(found.p_within, np.maximum(p(False, 0.3), p(True, -0.3)))
    np.testing.assert_allclose(found.p_beyond, np.minimum(2 * np.minimum(p(True, 0.3), p(False, -0.3)), 1))
    farther = np.maximum(found.value - found.low, found.high - found.value)
    error = values.std(axis=0, ddof=1) / np.sqrt(30)
    np.testing.assert_allclose(found.detectable, farther + 0.8416212 * error, rtol=1e-6)
    np.testing.assert_array_equal(found.detectable_in_family, found.detectable)


def test_what_is_detectable_in_a_family_is_found_four_times_in_five_after_adjustment():
    """Where it is the only one of 84, which is what the first of them in order is judged at."""
    values = np.random.default_rng(0).normal(0, 0.1, (300, 200))
    found = bounded_test(values, np.arange(300), 0.02, tests=84)
    for shift, least, most in ((found.detectable_in_family, 0.7, 0.95), (found.detectable, 0.02, 0.5)):
        shown = bounded_test(np.clip(values - found.value + shift.mean(), -1, 1) + found.value, np.arange(300), 0.02)
        assert least < np.mean(shown.p_difference * 84 <= 0.05) < most
    several = bounded_test(values[:, :2], np.arange(300), 0.02, tests=np.array([1, 84]))
    assert several.detectable_in_family[0] == several.detectable[0]
    assert several.detectable_in_family[1] == pytest.approx(found.detectable_in_family[1], rel=1e-4)
    alone = bounded_test(values, np.arange(300), 0.02, alpha=0.05 / 84)
    np.testing.assert_allclose(found.detectable_in_family, alone.detectable, rtol=1e-4)
    np.testing.assert_allclose(found[:-3], bounded_test(values, np.arange(300), 0.02)[:-3])


def test_few_clusters_have_a_p_but_no_interval():
    seven = bounded_test(np.ones(70), np.arange(70) % 7, margin=0.1)
    assert np.isnan([seven.low, seven.high, seven.detectable]).all()
    assert seven.value == 1 and seven.n == 7 and seven.p_difference < 0.05
    assert np.isfinite(bounded_interval(np.ones(8), np.arange(8), SHARE)).all()


def test_many_columns_at_once_give_what_each_gives_alone():
    values, clusters = repeated_texts(6)
    values = np.tanh(values)
    together = bounded_test(values.reshape(-1, 2, 3), clusters, margin=0.1)
    alone = bounded_test(values[:, 4], clusters, margin=0.1)
    assert together.low.shape == (2, 3) and together.n == alone.n == 25
    np.testing.assert_allclose([field[1, 1] for field in together[:-1]], alone[:-1], atol=1e-6)
    assert bounded_test(values[::-1, 4], clusters[::-1], margin=0.1) == pytest.approx(alone), "rows have no order"


@pytest.mark.parametrize(
    ("values", "margin", "message"),
    [
        (np.full(9, 1.2), 0.1, "beyond their bounds"),
        (np.full(9, -1.2), 0.1, "beyond their bounds"),
        (np.zeros(9), 0, "margin"),
        (np.full(9, np.nan), 0.1, "finite"),
    ],
)
def test_what_cannot_be_judged_is_refused(values, margin, message):
    with pytest.raises(ValueError, match=message):
        bounded_test(values, np.arange(9), margin)
