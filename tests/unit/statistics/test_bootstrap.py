import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats as scipy_stats
from sklearn.metrics import f1_score, roc_auc_score

from clustered_rows import repeated_texts
from emoscope.statistics import bootstrap

ALONE = np.arange(20)


def rows_of(min_rows: int = 1, max_rows: int = 30):
    return st.integers(min_rows, max_rows).flatmap(
        lambda n: st.tuples(
            arrays(np.float64, n, elements=st.floats(-1, 1)), arrays(np.int64, n, elements=st.integers(0, 9))
        )
    )


@pytest.mark.parametrize("texts", [10, 20, 60])
def test_the_interval_covers_the_true_mean_at_its_level(texts):
    values = np.random.default_rng(texts).normal(3, 2, size=(texts, 1500))
    low, high = bootstrap.bootstrap_mean(values, np.arange(texts), seed=0, resamples=1999)
    assert 0.93 <= np.mean((low <= 3) & (high >= 3)) <= 0.97


def test_repeated_texts_do_not_buy_precision():
    values, clusters = repeated_texts(1000)
    low, high = bootstrap.bootstrap_mean(values, clusters, seed=0, resamples=999)
    naive_low, naive_high = bootstrap.bootstrap_mean(values, np.arange(len(values)), seed=0, resamples=999)
    assert np.mean((low <= 0) & (high >= 0)) > 0.91
    assert np.mean((naive_low <= 0) & (naive_high >= 0)) < 0.75


def test_the_interval_agrees_with_scipy_on_independent_rows():
    values = np.random.default_rng(3).exponential(size=200)
    tail = scipy_stats.norm.cdf(np.sqrt(200 / 199) * scipy_stats.t.ppf(0.025, 199))
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, method="percentile", confidence_level=1 - 2 * tail, n_resamples=9999, rng=0
    ).confidence_interval
    assert bootstrap.bootstrap_mean(values, np.arange(200), seed=0) == pytest.approx(theirs, abs=0.01)


@given(rows_of(), st.integers(2, 3))
@settings(max_examples=30, deadline=None)
def test_copying_every_row_into_its_own_cluster_changes_nothing(data, copies):
    values, clusters = data
    once = bootstrap.estimate_mean(values, clusters, seed=0, resamples=99)
    again = bootstrap.estimate_mean(np.tile(values, copies), np.tile(clusters, copies), seed=0, resamples=99)
    np.testing.assert_allclose(once, again, atol=1e-12)


@given(rows_of(min_rows=2), st.floats(-3, 3))
@settings(max_examples=30, deadline=None)
def test_the_interval_moves_with_the_data_and_stays_inside_their_range(data, shift):
    values, clusters = data
    low, high = bootstrap.bootstrap_mean(values, clusters, seed=0, resamples=99)
    if len(np.unique(clusters)) == 1:
        assert np.isnan([low, high]).all()
    else:
        assert values.min() - 1e-12 <= low <= high <= values.max() + 1e-12
        moved = bootstrap.bootstrap_mean(values + shift, clusters, seed=0, resamples=99)
        assert moved == pytest.approx((low + shift, high + shift), abs=1e-9)


def test_many_columns_at_once_give_what_each_gives_alone():
    values, clusters = repeated_texts(6)
    together = bootstrap.estimate_mean(values.reshape(-1, 2, 3), clusters, seed=5, resamples=199)
    assert together.value.shape == together.low.shape == together.p.shape == (2, 3)
    assert together.n == 25
    alone = bootstrap.estimate_mean(values[:, 4], clusters, seed=5, resamples=199)
    np.testing.assert_allclose([field[1, 1] for field in together[:4]], alone[:4])
    assert isinstance(alone.value, float)


def test_batching_bounds_memory_without_changing_the_answer(monkeypatch):
    values, clusters = repeated_texts(2)
    whole = bootstrap.bootstrap_mean(values, clusters, seed=5, resamples=999)
    monkeypatch.setattr(bootstrap, "BATCH_CELLS", 60)
    np.testing.assert_allclose(bootstrap.bootstrap_mean(values, clusters, seed=5, resamples=999), whole, atol=0.1)


def test_clusters_may_be_the_texts_themselves():
    values = np.array([1.0, 0.0, 1.0, 0.5])
    texts = np.array(["im happy", "i cry", "im happy", "ah"], dtype=object)
    assert bootstrap.estimate_mean(values, texts, seed=0) == bootstrap.estimate_mean(
        values, np.array([2, 1, 2, 0]), seed=0
    )


def test_a_seed_fixes_the_result():
    values = np.random.default_rng(0).normal(size=20)
    assert bootstrap.estimate_mean(values, ALONE, seed=1) == bootstrap.estimate_mean(values, ALONE, seed=1)
    assert bootstrap.estimate_mean(values, ALONE, seed=1) != bootstrap.estimate_mean(values, ALONE, seed=2)


def test_constant_values_give_a_point():
    value, low, high, p, n = bootstrap.estimate_mean(np.full(20, 0.25), ALONE, seed=0)
    assert (value, low, high, n) == (0.25, 0.25, 0.25, 20)
    assert p < 0.001
    assert bootstrap.estimate_mean(np.zeros(20), ALONE, seed=0).p == 1


def test_one_text_has_a_mean_but_no_spread():
    value, low, high, p, n = bootstrap.estimate_mean(np.array([0.2, 0.4]), np.array([7, 7]), seed=0)
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
        bootstrap.estimate_mean(values, clusters, seed=0)


def test_accuracy_as_a_metric_has_the_interval_of_a_mean():
    correct = np.random.default_rng(0).random(60) < 0.8
    clusters = np.arange(60) // 2
    metric = bootstrap.bootstrap_statistic(lambda w: np.average(correct, weights=w), clusters, seed=4, resamples=499)
    assert metric == pytest.approx(bootstrap.bootstrap_mean(correct, clusters, seed=4, resamples=499))


def test_metrics_come_from_scikit_learn_with_weights():
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.4
    score = truth + rng.normal(size=300)
    better = truth + 0.3 * rng.normal(size=300)

    def gain_and_f1(w):
        auc, auc_better = (roc_auc_score(truth, s, sample_weight=w) for s in (score, better))
        return [auc_better - auc, f1_score(truth, score > 0.5, sample_weight=w)]

    low, high = bootstrap.bootstrap_statistic(gain_and_f1, np.arange(300), seed=0, resamples=199)
    found = gain_and_f1(np.ones(300))
    assert (low < found).all() and (found < high).all()
    assert low[0] > 0.1


def test_resamples_without_an_answer_are_left_out():
    positives = np.arange(20) < 2

    def mean_rank_of_positives(w):
        return np.average(np.arange(20)[positives], weights=w[positives]) if w[positives].any() else np.nan

    assert bootstrap.bootstrap_statistic(mean_rank_of_positives, ALONE, seed=0) == (0, 1)


def test_sign_flip_p_is_honest_under_the_null_and_finds_effects():
    values, clusters = repeated_texts(1500)
    p = bootstrap.sign_flip_test(values, clusters, seed=0, resamples=999)
    for level in (0.05, 0.2, 0.5):
        assert np.mean(p <= level) == pytest.approx(level, abs=0.04)
    assert np.mean(bootstrap.sign_flip_test(values + 1.5, clusters, seed=0, resamples=999) <= 0.01) > 0.95
    assert np.mean(bootstrap.sign_flip_test(values, np.arange(len(values)), seed=0, resamples=999) <= 0.05) > 0.2


def test_sign_flip_p_agrees_with_scipy_and_with_counting():
    values = np.random.default_rng(8).normal(0.4, 1, size=15)
    exact = scipy_stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
    ).pvalue
    assert bootstrap.sign_flip_test(values, np.arange(15), seed=0) == pytest.approx(exact, abs=0.01)
    assert bootstrap.sign_flip_test(np.full(3, 0.1), np.arange(3), seed=0) == pytest.approx(2 / 8, abs=0.02)
    assert bootstrap.sign_flip_test(np.ones(500), np.arange(500), seed=0, resamples=99) == 0.01
    for rounded in ([0.1, 0.2, -0.3], [0.7, -0.1, -0.6]):  # sums of zero, but for rounding
        assert bootstrap.sign_flip_test(np.array(rounded), np.arange(3), seed=0) == 1


@given(rows_of(), st.sampled_from([-1.0, 0.25, 1e-9]))
@settings(max_examples=30, deadline=None)
def test_sign_flip_p_ignores_direction_and_units(data, factor):
    values, clusters = data
    values = np.round(values, 3)
    p = bootstrap.sign_flip_test(values, clusters, seed=0, resamples=99)
    assert 0.01 <= p <= 1
    assert bootstrap.sign_flip_test(values * factor, clusters, seed=0, resamples=99) == p


def test_a_lone_effect_in_a_large_family_can_survive_adjustment():
    lone = 10 + np.random.default_rng(0).normal(size=30)
    for alpha in (0.05, 0.01):
        assert (
            bootstrap.estimate_mean(lone, np.arange(30), seed=0, resamples=99, alpha=alpha, tests=2000).p * 2000
            <= alpha
        )
