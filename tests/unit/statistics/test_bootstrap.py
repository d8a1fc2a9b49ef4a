import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats as scipy_stats
from sklearn.metrics import f1_score, roc_auc_score

from clustered_rows import repeated_texts
from emoscope.statistics import bootstrap
from emoscope.statistics.settings import resampling

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
    assert bootstrap.bootstrap_mean(values, np.arange(200), seed=0, resamples=9999) == pytest.approx(theirs, abs=0.01)


@given(rows_of(), st.integers(2, 3))
@settings(max_examples=30, deadline=None)
def test_copying_every_row_into_its_own_cluster_changes_nothing(data, copies):
    values, clusters = data
    once = bootstrap.bootstrap_mean(values, clusters, seed=0, resamples=99)
    again = bootstrap.bootstrap_mean(np.tile(values, copies), np.tile(clusters, copies), seed=0, resamples=99)
    np.testing.assert_allclose(once, again, atol=1e-12)


@given(rows_of(min_rows=2), st.floats(-3, 3))
@settings(max_examples=30, deadline=None)
def test_the_interval_moves_with_the_data_and_stays_inside_their_range(data, shift):
    values, clusters = data
    low, high = bootstrap.bootstrap_mean(values, clusters, seed=0, resamples=99)
    if len(np.unique(clusters)) < 8:
        assert np.isnan([low, high]).all()
    else:
        assert values.min() - 1e-12 <= low <= high <= values.max() + 1e-12
        moved = bootstrap.bootstrap_mean(values + shift, clusters, seed=0, resamples=99)
        assert moved == pytest.approx((low + shift, high + shift), abs=1e-9)


def test_many_columns_at_once_give_what_each_gives_alone():
    values, clusters = repeated_texts(6)
    together = bootstrap.bootstrap_mean(values.reshape(-1, 2, 3), clusters, seed=5, resamples=199)
    assert together.low.shape == together.high.shape == (2, 3)
    alone = bootstrap.bootstrap_mean(values[:, 4], clusters, seed=5, resamples=199)
    np.testing.assert_allclose([bound[1, 1] for bound in together], alone)
    assert isinstance(alone.low, float)


def test_batching_bounds_memory_without_changing_the_answer(monkeypatch):
    values, clusters = repeated_texts(2)
    whole = bootstrap.bootstrap_mean(values, clusters, seed=5, resamples=999)
    monkeypatch.setattr(bootstrap, "BATCH_CELLS", 60)
    np.testing.assert_allclose(bootstrap.bootstrap_mean(values, clusters, seed=5, resamples=999), whole, atol=0.1)


def test_batches_hold_as_many_resamples_as_were_asked_for(monkeypatch):
    monkeypatch.setattr(bootstrap, "BATCH_CELLS", 60)
    batches = list(bootstrap.resamples_of(7, 100, seed=0))
    assert max(map(len, batches)) == 8 and sum(map(len, batches)) == 100
    assert (np.concatenate(batches).sum(axis=1) == 7).all()


def test_percentiles_are_those_of_hesterbergs_expansion():
    values = np.random.default_rng(0).normal(size=9)
    (weights,) = bootstrap.resamples_of(9, 999, seed=0)
    tail = scipy_stats.norm.cdf(np.sqrt(9 / 8) * scipy_stats.t.ppf(0.05, 8))
    expected = np.quantile(weights @ values / 9, [tail, 1 - tail])
    found = bootstrap.bootstrap_mean(values, np.arange(9), seed=0, resamples=999, alpha=0.1)
    np.testing.assert_allclose(found, expected)


def test_clusters_may_be_the_texts_themselves():
    values, numbers = np.arange(10.0), np.array([3, 1, 3, 0, 2, 4, 5, 6, 7, 8])
    texts = np.array([f"text {number}" for number in numbers], dtype=object)
    interval = bootstrap.bootstrap_mean(values, texts, seed=0, resamples=99)
    assert (
        interval
        == bootstrap.bootstrap_mean(values, numbers, seed=0, resamples=99)
        != bootstrap.bootstrap_mean(values, ALONE[:10], seed=0, resamples=99)
    )


def test_a_seed_fixes_the_result():
    values = np.random.default_rng(0).normal(size=20)
    one, again, other = (bootstrap.bootstrap_mean(values, ALONE, seed=seed, resamples=99) for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize(("clusters", "known"), [(1, False), (7, False), (8, True)])
def test_few_clusters_have_no_interval(clusters, known):
    values, ids = np.random.default_rng(0).normal(size=40), np.arange(40) % clusters
    for interval in (
        bootstrap.bootstrap_mean(values, ids, seed=0, resamples=99),
        bootstrap.bootstrap_statistic(lambda w: np.average(values, weights=w), ids, seed=0, resamples=99),
    ):
        assert np.isfinite(interval).all() == known and np.isnan(interval).any() != known
    columns = bootstrap.bootstrap_mean(np.ones((40, 2, 3)), ids, seed=0, resamples=99)
    assert columns.low.shape == columns.high.shape == (2, 3)


@pytest.mark.parametrize(
    ("values", "clusters", "message"),
    [
        (np.array([]), np.array([]), "non-empty"),
        (np.zeros(3), np.arange(2), "do not match"),
        (np.array(0.0), np.arange(1), "do not match"),
        (np.array([0.0, np.nan]), np.arange(2), "finite"),
        (np.array([0.0, -np.inf]), np.arange(2), "finite"),
        (np.zeros(4), np.zeros((2, 2)), "vector of ids"),
    ],
)
def test_bad_rows_are_refused(values, clusters, message):
    with pytest.raises(ValueError, match=message):
        bootstrap.bootstrap_mean(values, clusters, seed=0, resamples=99)


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

    assert bootstrap.bootstrap_statistic(mean_rank_of_positives, ALONE, seed=0, resamples=999) == (0, 1)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([1e-12, 1.0, 1e9]))
def test_sums_on_a_grid_do_not_depend_on_the_order(seed, rows, size):
    """Or a table would depend on how many threads computed it."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(rows, 3)) * size * [1, 1e-6, 0]
    grid = bootstrap.on_a_grid(columns, rows)
    np.testing.assert_allclose(grid, columns, atol=2e-14 * rows * size, rtol=0)
    drawn = rng.integers(0, rows, rows)
    sums = {tuple(np.cumsum(grid[rng.permutation(drawn)], axis=0)[-1]) for _ in range(5)}
    sums.add(tuple(np.bincount(drawn, minlength=rows).astype(float) @ grid))
    assert len(sums) == 1


def test_what_is_not_known_stays_unknown_on_a_grid():
    found = bootstrap.on_a_grid(np.array([[np.nan, np.nan], [1.0, np.nan]]), 5)
    np.testing.assert_array_equal(found, [[np.nan, np.nan], [1.0, np.nan]])


def test_a_grid_is_fine_enough_for_each_column():
    columns = np.array([[1e12, 1e-6 / 3], [1, 2e-6 / 3]])
    np.testing.assert_allclose(bootstrap.on_a_grid(columns, 2), columns, rtol=1e-12)
    np.testing.assert_array_equal(bootstrap.on_a_grid(columns[:, :1], 2), bootstrap.on_a_grid(columns, 2)[:, :1])


def test_options_are_those_of_the_configuration():
    statistics = {"seed": 3, "resamples": 99, "confidence": 0.9, "margin": 0.02}
    assert resampling(statistics) == pytest.approx({"seed": 3, "resamples": 99, "alpha": 0.1})


def test_an_interval_has_the_level_that_was_asked_for():
    values = np.random.default_rng(0).normal(size=60)

    def width(alpha: float) -> float:
        low, high = bootstrap.bootstrap_mean(values, np.arange(60), seed=0, resamples=999, alpha=alpha)
        return high - low

    assert width(0.01) > 2 * width(0.5)


def test_the_seed_settles_what_is_drawn_for_a_statistic():
    values = np.arange(40.0)

    def interval(seed):
        return bootstrap.bootstrap_statistic(lambda w: np.average(values, weights=w), values, seed=seed, resamples=199)

    assert interval(3) == interval(3) != interval(4)
