import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats as scipy_stats
from sklearn.metrics import f1_score, roc_auc_score
from statsmodels.api import OLS
from statsmodels.stats.weightstats import DescrStatsW

from emoscope.statistics import estimates as stats

ALONE = np.arange(20)


def repeated_texts(columns: int, texts: int = 25, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Zero-mean columns in which a text may appear up to eight times and its copies nearly agree."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(texts), rng.integers(1, 9, size=texts))
    shared = rng.normal(size=(texts, columns))[clusters]
    return shared + 0.2 * rng.normal(size=shared.shape), rng.permutation(texts)[clusters]


def rows_of(min_rows: int = 1, max_rows: int = 30):
    return st.integers(min_rows, max_rows).flatmap(
        lambda n: st.tuples(
            arrays(np.float64, n, elements=st.floats(-1, 1)), arrays(np.int64, n, elements=st.integers(0, 9))
        )
    )


def distributions(rows: int = 5):
    weights = arrays(np.float64, (rows, 6), elements=st.sampled_from([0.0, 1e-12, 1e-3, 0.2, 1.0, 7.0]))
    return weights.map(lambda w: w + np.eye(rows, 6)).map(lambda w: w / w.sum(axis=1, keepdims=True))


# Intervals of a mean


@pytest.mark.parametrize("texts", [10, 20, 60])
def test_the_interval_covers_the_true_mean_at_its_level(texts):
    values = np.random.default_rng(texts).normal(3, 2, size=(texts, 1500))
    low, high = stats.bootstrap_mean(values, np.arange(texts), seed=0, resamples=1999)
    assert 0.93 <= np.mean((low <= 3) & (high >= 3)) <= 0.97


def test_repeated_texts_do_not_buy_precision():
    values, clusters = repeated_texts(1000)
    low, high = stats.bootstrap_mean(values, clusters, seed=0, resamples=999)
    naive_low, naive_high = stats.bootstrap_mean(values, np.arange(len(values)), seed=0, resamples=999)
    assert np.mean((low <= 0) & (high >= 0)) > 0.91
    assert np.mean((naive_low <= 0) & (naive_high >= 0)) < 0.75


def test_the_interval_agrees_with_scipy_on_independent_rows():
    values = np.random.default_rng(3).exponential(size=200)
    tail = scipy_stats.norm.cdf(np.sqrt(200 / 199) * scipy_stats.t.ppf(0.025, 199))
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, method="percentile", confidence_level=1 - 2 * tail, n_resamples=9999, rng=0
    ).confidence_interval
    assert stats.bootstrap_mean(values, np.arange(200), seed=0) == pytest.approx(theirs, abs=0.01)


@given(rows_of(), st.integers(2, 3))
@settings(max_examples=30, deadline=None)
def test_copying_every_row_into_its_own_cluster_changes_nothing(data, copies):
    values, clusters = data
    once = stats.estimate_mean(values, clusters, seed=0, resamples=99)
    again = stats.estimate_mean(np.tile(values, copies), np.tile(clusters, copies), seed=0, resamples=99)
    np.testing.assert_allclose(once, again, atol=1e-12)


@given(rows_of(min_rows=2), st.floats(-3, 3))
@settings(max_examples=30, deadline=None)
def test_the_interval_moves_with_the_data_and_stays_inside_their_range(data, shift):
    values, clusters = data
    low, high = stats.bootstrap_mean(values, clusters, seed=0, resamples=99)
    if len(np.unique(clusters)) == 1:
        assert np.isnan([low, high]).all()
    else:
        assert values.min() - 1e-12 <= low <= high <= values.max() + 1e-12
        moved = stats.bootstrap_mean(values + shift, clusters, seed=0, resamples=99)
        assert moved == pytest.approx((low + shift, high + shift), abs=1e-9)


def test_many_columns_at_once_give_what_each_gives_alone():
    values, clusters = repeated_texts(6)
    together = stats.estimate_mean(values.reshape(-1, 2, 3), clusters, seed=5, resamples=199)
    assert together.value.shape == together.low.shape == together.p.shape == (2, 3)
    assert together.n == 25
    alone = stats.estimate_mean(values[:, 4], clusters, seed=5, resamples=199)
    np.testing.assert_allclose([field[1, 1] for field in together[:4]], alone[:4])
    assert isinstance(alone.value, float)


def test_batching_bounds_memory_without_changing_the_answer(monkeypatch):
    values, clusters = repeated_texts(2)
    whole = stats.bootstrap_mean(values, clusters, seed=5, resamples=999)
    monkeypatch.setattr(stats, "BATCH_CELLS", 60)
    np.testing.assert_allclose(stats.bootstrap_mean(values, clusters, seed=5, resamples=999), whole, atol=0.1)


def test_clusters_may_be_the_texts_themselves():
    values = np.array([1.0, 0.0, 1.0, 0.5])
    texts = np.array(["im happy", "i cry", "im happy", "ah"], dtype=object)
    assert stats.estimate_mean(values, texts, seed=0) == stats.estimate_mean(values, np.array([2, 1, 2, 0]), seed=0)


def test_a_seed_fixes_the_result():
    values = np.random.default_rng(0).normal(size=20)
    assert stats.estimate_mean(values, ALONE, seed=1) == stats.estimate_mean(values, ALONE, seed=1)
    assert stats.estimate_mean(values, ALONE, seed=1) != stats.estimate_mean(values, ALONE, seed=2)


def test_constant_values_give_a_point():
    value, low, high, p, n = stats.estimate_mean(np.full(20, 0.25), ALONE, seed=0)
    assert (value, low, high, n) == (0.25, 0.25, 0.25, 20)
    assert p < 0.001
    assert stats.estimate_mean(np.zeros(20), ALONE, seed=0).p == 1


def test_one_text_has_a_mean_but_no_spread():
    value, low, high, p, n = stats.estimate_mean(np.array([0.2, 0.4]), np.array([7, 7]), seed=0)
    assert value == pytest.approx(0.3)
    assert np.isnan([low, high]).all()
    assert (p, n) == (1, 1)


@pytest.mark.parametrize(
    ("values", "clusters", "message"),
    [
        (np.array([]), np.array([]), "non-empty"),
        (np.zeros(3), np.arange(2), "do not match"),
        (np.array([0.0, np.nan]), np.arange(2), "finite"),
        (np.zeros(4), np.zeros((2, 2)), "vector of ids"),
    ],
)
def test_bad_rows_are_refused(values, clusters, message):
    with pytest.raises(ValueError, match=message):
        stats.estimate_mean(values, clusters, seed=0)


# Intervals of other metrics


def test_accuracy_as_a_metric_has_the_interval_of_a_mean():
    correct = np.random.default_rng(0).random(60) < 0.8
    clusters = np.arange(60) // 2
    metric = stats.bootstrap_statistic(lambda w: np.average(correct, weights=w), clusters, seed=4, resamples=499)
    assert metric == pytest.approx(stats.bootstrap_mean(correct, clusters, seed=4, resamples=499))


def test_metrics_come_from_scikit_learn_with_weights():
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.4
    score = truth + rng.normal(size=300)
    better = truth + 0.3 * rng.normal(size=300)

    def gain_and_f1(w):
        auc, auc_better = (roc_auc_score(truth, s, sample_weight=w) for s in (score, better))
        return [auc_better - auc, f1_score(truth, score > 0.5, sample_weight=w)]

    low, high = stats.bootstrap_statistic(gain_and_f1, np.arange(300), seed=0, resamples=199)
    found = gain_and_f1(np.ones(300))
    assert (low < found).all() and (found < high).all()
    assert low[0] > 0.1


def test_resamples_without_an_answer_are_left_out():
    positives = np.arange(20) < 2

    def mean_rank_of_positives(w):
        return np.average(np.arange(20)[positives], weights=w[positives]) if w[positives].any() else np.nan

    assert stats.bootstrap_statistic(mean_rank_of_positives, ALONE, seed=0) == (0, 1)


# Sign-flip test


def test_sign_flip_p_is_honest_under_the_null_and_finds_effects():
    values, clusters = repeated_texts(1500)
    p = stats.sign_flip_test(values, clusters, seed=0, resamples=999)
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p <= level) == pytest.approx(level, abs=0.04)
    assert np.mean(stats.sign_flip_test(values + 1.5, clusters, seed=0, resamples=999) <= 0.01) > 0.95
    assert np.mean(stats.sign_flip_test(values, np.arange(len(values)), seed=0, resamples=999) <= 0.05) > 0.2


def test_sign_flip_p_agrees_with_scipy_and_with_counting():
    values = np.random.default_rng(8).normal(0.4, 1, size=15)
    exact = scipy_stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
    ).pvalue
    assert stats.sign_flip_test(values, np.arange(15), seed=0) == pytest.approx(exact, abs=0.01)
    assert stats.sign_flip_test(np.full(3, 0.1), np.arange(3), seed=0) == pytest.approx(2 / 8, abs=0.02)
    assert stats.sign_flip_test(np.ones(500), np.arange(500), seed=0, resamples=99) == 0.01
    for rounded in ([0.1, 0.2, -0.3], [0.7, -0.1, -0.6]):  # sums of zero, but for rounding
        assert stats.sign_flip_test(np.array(rounded), np.arange(3), seed=0) == 1


@given(rows_of(), st.sampled_from([-1.0, 0.25, 1e-9]))
@settings(max_examples=30, deadline=None)
def test_sign_flip_p_ignores_direction_and_units(data, factor):
    values, clusters = data
    values = np.round(values, 3)
    p = stats.sign_flip_test(values, clusters, seed=0, resamples=99)
    assert 0.01 <= p <= 1
    assert stats.sign_flip_test(values * factor, clusters, seed=0, resamples=99) == p


# Families, rates, paired correctness


@given(st.lists(st.floats(0, 1) | st.just(np.nan), max_size=40))
def test_adjustment_ignores_missing_tests(p):
    p = np.array(p)
    adjusted = stats.benjamini_hochberg(p)
    tested = ~np.isnan(p)
    assert (np.isnan(adjusted) == ~tested).all()
    if tested.any():
        np.testing.assert_allclose(adjusted[tested], scipy_stats.false_discovery_control(p[tested]), atol=1e-300)
        assert (adjusted[tested] >= p[tested]).all()


def test_holm_lies_between_a_false_discovery_rate_and_bonferroni():
    p = np.array([0.01, np.nan, 0.04, 0.03])
    np.testing.assert_allclose(stats.benjamini_hochberg(p), [0.03, np.nan, 0.04, 0.04])
    np.testing.assert_allclose(stats.holm(p), [0.03, np.nan, 0.06, 0.06])


def test_a_family_keeps_its_shape():
    p = np.array([[0.01, 0.02, np.nan], [0.03, 0.04, 0.05]])
    np.testing.assert_allclose(stats.benjamini_hochberg(p), [[0.05, 0.05, np.nan], [0.05, 0.05, 0.05]])
    with pytest.raises(ValueError, match="0, 1"):
        stats.benjamini_hochberg(np.array([1.2]))


def test_wilson_known_values():
    assert stats.wilson_interval(0, 17) == pytest.approx((0, 0.1843), abs=1e-4)
    assert stats.wilson_interval(97, 100) == pytest.approx((0.9155, 0.9897), abs=1e-4)
    low, high = stats.wilson_interval(np.array([0, 0, 5]), np.array([0, 300, 5]))
    np.testing.assert_allclose(high, [np.nan, 0.01264, 1], atol=1e-5)
    np.testing.assert_allclose(low, [np.nan, 0, 0.5655], atol=1e-4)
    assert np.isnan(stats.wilson_interval(0, 0)).all()
    with pytest.raises(ValueError, match="count"):
        stats.wilson_interval(3, 2)


def test_independent_rows_count_each_and_copies_once():
    events = np.arange(40) < 10
    assert stats.effective_rows(events, np.arange(40)) == 40
    assert stats.rate_interval(events, np.arange(40)) == pytest.approx(stats.wilson_interval(10, 40))
    copied, clusters = np.repeat(events, 5), np.repeat(np.arange(40), 5)
    assert stats.effective_rows(copied, clusters) == pytest.approx(40, abs=1)
    assert stats.rate_interval(copied, clusters) == pytest.approx(stats.wilson_interval(10, 40), abs=0.01)
    nothing = stats.rate_interval(np.zeros(200), clusters)
    assert nothing == pytest.approx(stats.wilson_interval(0, 40))


@given(arrays(bool, st.integers(1, 60)), st.integers(1, 12))
def test_effective_rows_lie_between_clusters_and_rows(events, clusters):
    ids = np.arange(len(events)) % clusters
    found = stats.effective_rows(events, ids)
    assert len(np.unique(ids)) <= found <= len(events)
    low, high = stats.rate_interval(events, ids)
    assert 0 <= low <= events.mean() + 1e-9 and events.mean() - 1e-9 <= high <= 1


def test_clustered_rates_are_covered():
    rng = np.random.default_rng(0)
    rates = rng.beta(0.5, 2, size=(400, 34))  # sentences differ much in how often they change
    covered = 0
    for each in rates:
        events = (rng.random((34, 10)) < each[:, None]).ravel()
        low, high = stats.rate_interval(events, np.repeat(np.arange(34), 10))
        covered += low <= 0.2 <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_wilson_covers_rare_rates():
    events = np.random.default_rng(0).binomial(100, 0.03, size=4000)
    low, high = stats.wilson_interval(events, 100)
    assert np.mean((low <= 0.03) & (high >= 0.03)) > 0.92


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_mcnemar_is_the_binomial_test_of_the_discordant_pairs(pairs):
    before, after = np.array(pairs).T
    lost, gained, p = stats.mcnemar_test(before, after)
    assert gained - lost == after.sum() - before.sum()
    assert p == pytest.approx(scipy_stats.binomtest(lost, lost + gained).pvalue if lost + gained else 1)
    assert stats.mcnemar_test(after, before) == (gained, lost, p)


def test_mcnemar_refuses_unpaired_vectors():
    for before, after in ((np.array([]), np.array([])), (np.ones(2), np.ones(3))):
        with pytest.raises(ValueError, match="vectors"):
            stats.mcnemar_test(before, after)


# Claims of no effect


def test_tost_is_statsmodels_on_independent_rows():
    values = np.random.default_rng(0).normal(0.1, 1, size=80)
    for margin in (0.05, 0.3, 0.5):
        theirs = DescrStatsW(values).ttost_mean(-margin, margin)[0]
        p, equivalent = stats.tost_mean(values, np.arange(80), margin)
        assert p == pytest.approx(theirs)
        assert equivalent == (theirs <= 0.05)


def test_tost_on_repeated_texts_uses_the_cluster_robust_error():
    values, clusters = repeated_texts(1)
    fit = OLS(values[:, 0], np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    t = (0.5 - abs(fit.params[0])) / fit.bse[0]
    assert stats.tost_mean(values[:, 0], clusters, 0.5).p == pytest.approx(scipy_stats.t.sf(t, 24))


def test_tost_rarely_passes_an_effect_as_large_as_the_margin():
    values, clusters = repeated_texts(2000)
    assert np.mean(stats.tost_mean(values + 0.5, clusters, 0.5).equivalent) == pytest.approx(0.05, abs=0.025)
    assert np.mean(stats.tost_mean(values, clusters, 2).equivalent) > 0.99


def test_tost_without_spread_or_texts():
    assert stats.tost_mean(np.zeros(5), np.arange(5), 0.01) == (0, True)
    assert stats.tost_mean(np.ones(5), np.arange(5), 0.01) == (1, False)
    p, equivalent = stats.tost_mean(np.zeros(1), np.zeros(1), 0.01)
    assert np.isnan(p) and not equivalent
    with pytest.raises(ValueError, match="margin"):
        stats.tost_mean(np.zeros(5), np.arange(5), 0)


def test_the_detectable_mean_is_detected_four_times_in_five():
    effect = stats.minimum_detectable_mean(2.0, 30)
    samples = np.random.default_rng(0).normal(effect, 2.0, size=(30, 4000))
    assert np.mean(scipy_stats.ttest_1samp(samples, 0).pvalue <= 0.05) == pytest.approx(0.8, abs=0.02)
    np.testing.assert_allclose(stats.minimum_detectable_mean(np.array([0, 4.0]), 30), [0, 2 * effect])
    assert np.isnan(stats.minimum_detectable_mean(1.0, 1))


def test_the_detectable_rate_falls_with_n():
    assert stats.minimum_detectable_rate(17) == pytest.approx(0.184, abs=1e-3)
    assert stats.minimum_detectable_rate(10_000) == pytest.approx(3.84 / 10_000, rel=1e-2)
    assert np.isnan(stats.minimum_detectable_rate(0))


def judged(values: np.ndarray, margin: float) -> np.ndarray:
    clusters = np.arange(len(values))
    p = stats.benjamini_hochberg(stats.sign_flip_test(values, clusters, seed=0))
    return stats.equivalence_verdict(stats.tost_mean(values, clusters, margin).p, p)


def test_verdicts_on_means():
    noise = np.random.default_rng(0).normal(size=400)
    noise -= noise.mean()
    differences = np.column_stack([0.01 * noise, 0.5 + noise, 3 * noise, 0.02 + 0.01 * noise])
    assert judged(differences, 0.1).tolist() == ["equivalent", "different", "underpowered", "equivalent"]
    assert stats.sign_flip_test(differences, np.arange(400), seed=0)[3] < 0.001  # not exactly nil, yet inside
    detectable = stats.detectable_mean(differences, np.arange(400))
    assert detectable[2] > 0.1 > detectable[0]
    assert judged(differences[:, 1], 0.1) == "different"


def test_a_verdict_follows_the_p_values_it_is_given():
    assert stats.equivalence_verdict(0.2, 0.06, alpha=0.1) == "different"
    assert stats.equivalence_verdict(0.2, 0.06, alpha=0.05) == "underpowered"
    assert stats.equivalence_verdict(np.nan, np.nan) == "underpowered"


def test_chance_findings_in_a_family_are_not_called_different():
    assert set(judged(np.random.default_rng(0).normal(size=(40, 144)), 0.01)) == {"underpowered"}


def test_one_text_proves_nothing():
    assert judged(np.zeros(1), 0.1) == "underpowered"
    assert np.isnan(stats.detectable_mean(np.zeros(1), np.zeros(1)))


def test_a_lone_effect_in_a_large_family_can_survive_adjustment():
    lone = 10 + np.random.default_rng(0).normal(size=30)
    for alpha in (0.05, 0.01):
        assert stats.estimate_mean(lone, np.arange(30), seed=0, resamples=99, alpha=alpha, tests=2000).p * 2000 <= alpha


# Differences of rates


def test_newcombes_published_examples():
    def rows(n: int, ones: int) -> np.ndarray:
        return np.arange(n) < ones

    independent = stats.rate_difference_interval(rows(70, 56), rows(80, 48), paired=False)
    assert independent == pytest.approx((0.0524, 0.3339), abs=1e-4)  # 56/70 - 48/80, Newcombe (1998), table II
    first = np.repeat([True, True, False, False], [36, 12, 2, 0])
    second = np.repeat([True, False, True, False], [36, 12, 2, 0])
    paired = stats.rate_difference_interval(first, second, paired=True)
    assert paired == pytest.approx((0.0569, 0.3404), abs=1e-4)  # e, f, g, h = 36, 12, 2, 0, Newcombe (1998), table II


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40), st.booleans())
def test_a_difference_of_rates_lies_in_its_interval_and_turns_with_its_sign(pairs, paired):
    first, second = np.array(pairs).T
    low, high = stats.rate_difference_interval(first, second, paired=paired)
    assert -1 - 1e-9 <= low <= first.mean() - second.mean() <= high <= 1 + 1e-9
    assert low < high
    assert stats.rate_difference_interval(second, first, paired=paired) == pytest.approx((-high, -low))


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_a_difference_of_rare_rates_is_covered(shared):
    rng, hits = np.random.default_rng(0), 0
    for _ in range(1000):
        noise = rng.random((2, 150))
        noise[1] = np.where(rng.random(150) < shared, noise[0], noise[1])
        low, high = stats.rate_difference_interval(noise[0] < 0.06, noise[1] < 0.02, paired=True)
        hits += low <= 0.04 <= high
    assert hits >= 930


def test_a_rate_is_in_excess_only_beyond_baseline_and_margin():
    events, none, some = np.arange(100) < 12, np.zeros(300, bool), np.arange(300) < 30
    assert stats.rate_excess_test(events, none, 0.02) == pytest.approx(scipy_stats.binom.sf(11, 100, 0.02))
    assert stats.rate_excess_test(events, some, 0.02) > 0.3  # the baseline does nearly as much
    assert stats.rate_excess_test(events, none, 0.2) > 0.9  # within the margin
    assert stats.rate_excess_test(none, ~none, 0.02) == 1
    assert np.isnan([stats.rate_excess_test(*pair, 0.02) for pair in ((events, none[:0]), (none[:0], events))]).all()


def test_rates_need_rows_that_match():
    for first, second, paired in ((ALONE, ALONE[:3], True), (ALONE[:0], ALONE, False)):
        with pytest.raises(ValueError, match="vectors"):
            stats.rate_difference_interval(first, second, paired=paired)


# Rates against a margin


@pytest.mark.parametrize(
    ("count", "n", "verdict"),
    [(0, 17, "underpowered"), (0, 300, "equivalent"), (60, 300, "different"), (0, 0, "underpowered")],
)
def test_verdicts_on_rates(count, n, verdict):
    found = stats.rate_equivalence_verdict(count, n, 0.05)
    assert (found.verdict, found.n) == (verdict, n)
    if count == 0 and n:
        assert found.p_equivalence == pytest.approx(0.95**n)


def test_impossible_rates_are_refused():
    for count, n, margin in ((5, 3, 0.1), (1, 3, 0), (-1, 3, 0.1)):
        with pytest.raises(ValueError, match="margin"):
            stats.rate_equivalence_verdict(count, n, margin)


# Distances between predictions


@given(distributions(), distributions())
@settings(deadline=None)
def test_distances_between_predictions(p, q):
    js, tv = stats.jensen_shannon(p, q), stats.total_variation(p, q)
    assert js.shape == tv.shape == (5,)
    assert (js >= 0).all() and (js <= tv + 1e-12).all() and (tv <= 1 + 1e-12).all()  # Lin (1991), theorem 3
    np.testing.assert_allclose(js, stats.jensen_shannon(q, p), atol=1e-15)
    np.testing.assert_array_equal(stats.jensen_shannon(p, p), 0)
    mixed, own, other = (scipy_stats.entropy(rows, axis=1, base=2) for rows in ((p + q) / 2, p, q))
    np.testing.assert_allclose(js, mixed - (own + other) / 2, atol=1e-12)


def test_distances_at_the_extremes():
    sadness, joy = np.eye(6)[:1], np.eye(6)[1:2]
    assert stats.jensen_shannon(sadness, joy) == stats.total_variation(sadness, joy) == [1]
    nearly = np.random.default_rng(0).dirichlet(np.ones(6), size=1000)
    assert (stats.jensen_shannon(nearly, nearly + 1e-12) >= 0).all()  # never NaN
    assert stats.jensen_shannon(np.zeros((0, 6)), np.zeros((0, 6))).shape == (0,)


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        (np.eye(6), np.eye(5), "shape"),
        (np.eye(6)[0], np.eye(6)[0], "shape"),
        (2 * np.eye(6), np.eye(6), "distribution"),
        (np.full((1, 6), np.nan), np.eye(6)[:1], "distribution"),
    ],
)
def test_rows_that_are_not_probabilities_are_refused(p, q, message):
    for distance in (stats.jensen_shannon, stats.total_variation):
        with pytest.raises(ValueError, match=message):
            distance(p, q)
