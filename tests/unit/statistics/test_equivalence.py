import numpy as np
import pytest
from scipy import stats as scipy_stats

from emoscope.statistics import adjustment, equivalence
from emoscope.statistics.bounded import SHARE, bounded_test
from emoscope.statistics.rates import minimum_detectable_rate


def test_the_detectable_mean_is_detected_four_times_in_five():
    effect = equivalence.minimum_detectable_mean(2.0, 30)
    samples = np.random.default_rng(0).normal(effect, 2.0, size=(30, 4000))
    assert np.mean(scipy_stats.ttest_1samp(samples, 0).pvalue <= 0.05) == pytest.approx(0.8, abs=0.02)
    np.testing.assert_allclose(equivalence.minimum_detectable_mean(np.array([0, 4.0]), 30), [0, 2 * effect])
    assert np.isnan(equivalence.minimum_detectable_mean(1.0, 1))
    assert np.isnan(equivalence.minimum_detectable_mean(np.ones(3), 1)).tolist() == [True] * 3
    from_two = equivalence.minimum_detectable_mean(1.0, 2) * np.sqrt(2)  # the t of two texts has one degree of freedom
    limit = scipy_stats.t.ppf(0.975, 1)
    power = scipy_stats.nct.sf(limit, 1, from_two) + scipy_stats.nct.cdf(-limit, 1, from_two)
    assert power == pytest.approx(0.8, abs=1e-6)


def test_an_interval_tells_what_it_could_have_shown():
    error = 0.3
    for alpha, power in ((0.05, 0.8), (0.01, 0.9)):
        half = scipy_stats.norm.ppf(1 - alpha / 2) * error
        found = equivalence.detectable_from_interval(2 - half, 2 + half, alpha, power)
        assert scipy_stats.norm.sf(half, found, error) == pytest.approx(power), "so often it is beyond half a width"
    assert equivalence.detectable_from_interval(-0.98, 0.98) == pytest.approx(1.4008, abs=1e-4), "1.96 and 0.84 errors"
    family = equivalence.detectable_from_interval(np.full(2, -0.98), np.full(2, 0.98), tests=np.array([1, 84]))
    assert family == pytest.approx([1.4008, (3.4338 + 0.8416) / 2], abs=1e-4), "at 0.05 / 84"


def judged(values: np.ndarray, margin: float) -> np.ndarray:
    tested = bounded_test(values, np.arange(len(values)), margin)
    return equivalence.equivalence_verdict(tested.p_within, adjustment.benjamini_hochberg(tested.p_difference))


def test_verdicts_on_means():
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, size=600)
    noise -= noise.mean()
    differences = np.column_stack([0.01 * noise, 0.2 + noise, 1.8 * noise, 0.03 + 0.01 * noise])
    assert judged(differences, 0.05).tolist() == ["equivalent", "different", "underpowered", "equivalent"]
    tested = bounded_test(differences, np.arange(600), 0.05)
    assert tested.p_difference[3] < 0.001, "not exactly nil, yet inside"
    assert tested.detectable[2] > 0.05 > tested.detectable[0]
    assert judged(differences[:, 1], 0.05) == "different"


def test_a_verdict_follows_the_p_values_it_is_given():
    assert equivalence.equivalence_verdict(0.2, 0.06, alpha=0.1) == "different"
    assert equivalence.equivalence_verdict(0.2, 0.06, alpha=0.05) == "underpowered"
    assert equivalence.equivalence_verdict(np.nan, np.nan) == "underpowered"
    assert equivalence.equivalence_verdict([0.05, 0.2], [0.05, 0.05]).tolist() == ["equivalent", "different"]


def test_chance_findings_in_a_family_are_not_called_different():
    assert set(judged(np.random.default_rng(0).uniform(-1, 1, size=(40, 144)), 0.01)) == {"underpowered"}


def test_one_text_proves_nothing():
    assert judged(np.zeros(1), 0.1) == judged(np.ones(1), 0.1) == "underpowered"


def test_an_interval_alone_judges_each_side_by_its_own_width():
    """A rare loss: the interval reaches far below the value and hardly above it."""
    within, beyond, detectable = equivalence.interval_test(-0.01, -0.05, -0.005, margin=0.02)
    assert within == pytest.approx(scipy_stats.norm.sf(0.01 / 0.04 * 1.96), abs=1e-4)
    assert beyond == 1 and detectable == pytest.approx(0.04 * (1.96 + 0.8416) / 1.96, abs=1e-4)
    assert equivalence.interval_test(0.01, 0.005, 0.05, margin=0.02) == pytest.approx((within, beyond, detectable))
    within, beyond, _ = equivalence.interval_test(0.1, 0.05, 0.3, margin=0.02)
    assert within > 0.5 and beyond == pytest.approx(2 * scipy_stats.norm.sf(0.08 / 0.05 * 1.96), rel=1e-3)
    mirrored, below, _ = equivalence.interval_test(-0.1, -0.3, -0.05, margin=0.02)
    assert (mirrored, below) == pytest.approx((within, beyond))
    for value in (0.02, -0.02):
        assert equivalence.interval_test(value, np.nan, np.nan, 0.02)[:2] == (1, 1), "on the margin: neither"
    assert equivalence.interval_test(0.1, np.nan, np.nan, 0.02)[:2] == (1, 0)
    assert equivalence.interval_test(0.01, np.nan, np.nan, 0.02)[:2] == (0, 1)


def test_an_excess_may_fall_as_far_below_zero_as_it_likes():
    within, beyond, detectable = equivalence.excess_test(-0.5, -0.9, -0.3, margin=0.02)
    assert within == pytest.approx(2 * scipy_stats.norm.sf(0.52 / 0.2 * 1.96), rel=1e-3) and beyond == 1
    assert detectable == pytest.approx(0.4 * (1.96 + 0.8416) / 1.96, abs=1e-4), "by the wider side"
    assert equivalence.excess_test(0.0, -0.1, 0.02, 0.02)[0] == pytest.approx(0.05), "ends at the margin"
    assert equivalence.excess_test(0.1, 0.02, 0.3, 0.02)[1] == pytest.approx(0.05), "starts there"
    assert np.isnan(equivalence.excess_test(0.1, np.nan, np.nan, 0.02)).all()


def test_of_a_number_that_is_not_known_nothing_is_shown():
    for value, low, high in ((np.nan, np.nan, np.nan), (np.nan, -1, 1), (0.0, np.nan, 0.01), (0.0, -0.01, np.nan)):
        assert np.isnan(equivalence.interval_test(value, low, high, 0.02)).all()


def test_a_rate_is_judged_exactly_and_its_clusters_by_bets():
    events = np.arange(300) < 3
    alone = equivalence.rate_test(events, np.arange(300), 0.05)
    assert alone.p_within == pytest.approx(scipy_stats.binom.cdf(3, 300, 0.05))
    assert alone.p_beyond == pytest.approx(scipy_stats.binom.sf(2, 300, 0.05))
    assert (alone.value, alone.n) == (0.01, 300) and np.isnan(alone.p_difference)
    assert (alone.low, alone.high) == pytest.approx((0.00207, 0.02894), abs=1e-5), "Clopper and Pearson"
    shared = equivalence.rate_test(np.repeat(events, 2), np.repeat(np.arange(300), 2), 0.05)
    assert alone.p_within < shared.p_within < 0.05 and shared.n == 300
    assert shared.low <= alone.low and alone.high <= shared.high
    assert equivalence.rate_test(np.zeros(60, bool), np.arange(60) // 10, 0.05).p_within > 0.5, "six clusters"
    assert equivalence.rate_test(np.arange(600) < 200, np.arange(600) // 4, 0.05).p_beyond < 0.001


@pytest.mark.parametrize("alpha", [0.01, 0.2])
def test_a_rate_is_judged_at_its_margin_and_level(alpha):
    events, ids = np.arange(300) < 12, np.arange(300)
    alone = equivalence.rate_test(events, ids, 0.02, alpha)
    exact = scipy_stats.binomtest(12, 300).proportion_ci(1 - alpha, method="exact")
    assert (alone.low, alone.high) == pytest.approx((exact.low, exact.high))
    below, above = scipy_stats.binom.cdf(12, 300, 0.02), scipy_stats.binom.sf(11, 300, 0.02)
    detectable = minimum_detectable_rate(300, 0.02, alpha)
    assert alone[4:] == pytest.approx((below, above, detectable, detectable, 300))
    shared = equivalence.rate_test(events, ids // 2, 0.02, alpha)
    tested = bounded_test(events, ids // 2, 0.02, SHARE, alpha)
    assert shared.detectable == 0.02 + tested.detectable and np.isnan(shared.p_difference)
    own = dict.fromkeys(("detectable", "detectable_in_family", "p_difference"), 0)
    assert shared._replace(**own) == tested._replace(**own) and shared.detectable_in_family == shared.detectable


def test_the_detectable_rate_follows_margin_power_and_level():
    none, ids = np.zeros(300, bool), np.arange(300)
    detectable = equivalence.rate_test(none, ids, 0.05, alpha=0.01).detectable
    events = int(scipy_stats.binom.isf(0.01, 300, 0.05)) + 1
    assert scipy_stats.binom.sf(events - 1, 300, 0.05) <= 0.01 < scipy_stats.binom.sf(events - 2, 300, 0.05)
    assert scipy_stats.binom.sf(events - 1, 300, detectable) == pytest.approx(0.8)
    assert detectable > equivalence.rate_test(none, ids, 0.05, alpha=0.05).detectable


@pytest.mark.parametrize(
    ("count", "n", "verdict"),
    [(0, 17, "underpowered"), (0, 300, "equivalent"), (60, 300, "different")],
)
def test_verdicts_on_rates(count, n, verdict):
    found = equivalence.rate_test(np.arange(n) < count, np.arange(n), 0.05)
    assert equivalence.equivalence_verdict(found.p_within, found.p_beyond) == verdict
    if count == 0:
        assert found.p_within == pytest.approx(0.95**n)


def test_impossible_margins_of_rates_are_refused():
    for margin in (0, 1):
        with pytest.raises(ValueError, match="margin"):
            equivalence.rate_test(np.zeros(3, bool), np.arange(3), margin)


def estimates(values: np.ndarray, errors: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return values, values - 1.96 * errors, values + 1.96 * errors


def test_the_largest_of_many_changes_by_chance_is_no_change():
    """600 cells without any effect: in 5 % of samples at most is the largest one shown to be above zero."""
    rng = np.random.default_rng(0)
    found = np.array([equivalence.largest(*estimates(rng.normal(0, 0.1, 600), 0.1))[1] for _ in range(300)])
    assert (np.sign(found[:, 0]) == np.sign(found[:, 1])).mean() < 0.09 and (np.abs(found).max(axis=1) > 0.3).all()
    for sign in (1, -1):
        place, bounds = equivalence.largest(*estimates(np.r_[np.zeros(599), sign], 0.1))
        near, far = bounds if sign == 1 else [-bound for bound in bounds[::-1]]
        assert place == 599 and 0.5 < near < 1 < far, "what is there is found, on either side"


def test_that_no_change_is_large_asks_it_of_every_cell():
    place, (low, high) = equivalence.largest(*estimates(np.array([0.05, 0.04]), np.array([0.01, 0.5])))
    assert place == 0 and low < 0.05 and high > 0.9
