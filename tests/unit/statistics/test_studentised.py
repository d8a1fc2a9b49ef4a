"""The studentised bootstrap, for means without bounds."""

import numpy as np
import pytest
from scipy import stats

from clustered_rows import repeated_texts
from emoscope.statistics.bootstrap import resamples_of
from emoscope.statistics.clusters import clustered
from emoscope.statistics.studentised import _drawn, _studentised, studentised_test

OPTIONS = {"seed": 0, "resamples": 999}


def test_it_is_the_t_test_where_values_are_normal():
    values = np.random.default_rng(0).normal(0.1, 1, 200)
    found = studentised_test(values, np.arange(200), margin=0.3, seed=0, resamples=10_000)
    theirs = stats.ttest_1samp(values, 0)
    assert found.p_difference == pytest.approx(theirs.pvalue, abs=0.03)
    assert (found.low, found.high) == pytest.approx(theirs.confidence_interval(), abs=0.006)
    assert found.p_within == pytest.approx(stats.ttest_1samp(values, 0.3, alternative="less").pvalue, abs=0.01)
    assert found.detectable == pytest.approx(2.82 / np.sqrt(200) * values.std(), rel=0.06)
    assert found.p_beyond == 1
    near = studentised_test(values, np.arange(200), margin=0.01, seed=0, resamples=10_000)
    assert near.p_beyond == pytest.approx(2 * stats.ttest_1samp(values, 0.01, alternative="greater").pvalue, abs=0.02)


def test_resamples_are_studentised_by_their_own_clusters():
    values, clusters = repeated_texts(2, texts=9)
    values *= 0.01
    data = clustered(values, clusters)
    (weights,) = resamples_of(9, 20, seed=3)
    found = _drawn(data, 20, seed=3)
    for times, distances in zip(weights.astype(int), found, strict=True):
        drawn = np.repeat(np.unique(clusters), times)
        rows = [np.flatnonzero(clusters == cluster) for cluster in drawn]
        resample = clustered(values[np.concatenate(rows)], np.repeat(np.arange(9), [len(own) for own in rows]))
        np.testing.assert_allclose(distances, (resample.mean - data.mean) / resample.standard_error, rtol=1e-9)


@pytest.mark.parametrize("size", [1e-9, 1, 1e9])
def test_resamples_without_a_spread_leave_the_end_open(size):
    """A third of the resamples miss the one text that moved: how far it may be from zero, they cannot tell."""
    values = size * (np.arange(8) == 0)
    up, down = (studentised_test(sign * values, np.arange(8), margin=size, **OPTIONS) for sign in (1, -1))
    assert np.isfinite(up.low) and up.high == np.inf and up.n == 8
    assert down.low == -np.inf and down.high == pytest.approx(-up.low)
    np.testing.assert_array_equal(_studentised(np.array([1, 0, -1]), np.zeros(3)), [np.inf, 0, -np.inf])


def test_a_mean_turns_with_its_sign():
    values = np.random.default_rng(0).lognormal(size=(40, 3)) - 1
    found, turned = (studentised_test(sign * values, np.arange(40), margin=0.5, **OPTIONS) for sign in (1, -1))
    np.testing.assert_allclose(found[3:6], turned[3:6])
    np.testing.assert_allclose([found.low, found.high], [-turned.high, -turned.low], atol=0.05)
    np.testing.assert_allclose(found.detectable, turned.detectable, atol=0.05)
    error = values.std(axis=0, ddof=1) / np.sqrt(40)
    farther = np.maximum(found.value - found.low, found.high - found.value)
    np.testing.assert_allclose(found.detectable, farther + stats.norm.ppf(0.8) * error)


def test_skewed_and_clustered_means_are_covered_and_seldom_found_by_chance():
    rng = np.random.default_rng(1)
    skewed = rng.lognormal(size=(34, 200)) - np.exp(0.5)
    found = studentised_test(skewed, np.arange(34), margin=0.4, **OPTIONS)
    assert np.mean(found.p_difference <= 0.05) <= 0.12 and np.mean((found.low <= 0) & (found.high >= 0)) >= 0.89
    values, clusters = repeated_texts(300)
    found = studentised_test(values, clusters, margin=0.5, **OPTIONS)
    assert np.mean(found.p_difference <= 0.05) == pytest.approx(0.05, abs=0.03)
    on_margin = studentised_test(values + 0.5, clusters, margin=0.5, **OPTIONS)
    assert np.mean(on_margin.p_within <= 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(on_margin.p_beyond <= 0.05) <= 0.06


def test_verdicts_have_the_right_side():
    noise = np.random.default_rng(0).normal(0, 0.1, (100, 3))
    found = studentised_test(noise + np.array([0, 1, -1]), np.arange(100), margin=np.array([0.5, 0.5, 2]), **OPTIONS)
    assert (found.p_within <= 0.05).tolist() == [True, False, True]
    assert (found.p_beyond <= 0.05).tolist() == [False, True, False]
    assert (found.p_difference <= 0.01).tolist() == [False, True, True]
    assert found.low[1] > 0.9 and found.high[2] < -0.9


def test_a_lone_effect_can_survive_a_large_family():
    lone = 10 + np.random.default_rng(0).normal(size=30)
    assert studentised_test(lone, np.arange(30), margin=1, tests=2000, **OPTIONS).p_difference * 2000 <= 0.05


def test_no_spread_counts_as_known_and_few_clusters_as_unknown():
    known = studentised_test(np.column_stack([np.zeros(20), np.ones(20)]), np.arange(20), margin=0.1, **OPTIONS)
    np.testing.assert_allclose([known.low, known.high], [[0, 1], [0, 1]])
    assert known.p_difference.tolist() == pytest.approx([1, 0.002]) and known.p_within[0] < 0.01 < known.p_within[1]
    few = studentised_test(np.arange(14.0), np.arange(14) % 7, margin=0.1, **OPTIONS)
    assert few.value == 6.5 and few.n == 7 and np.isnan(few[1:-1]).all()


def test_many_columns_at_once_give_what_each_gives_alone():
    values, clusters = repeated_texts(6)
    together = studentised_test(values.reshape(-1, 2, 3), clusters, margin=0.1, **OPTIONS)
    alone = studentised_test(values[:, 4], clusters, margin=0.1, **OPTIONS)
    np.testing.assert_allclose([field[1, 1] for field in together[:-1]], alone[:-1], atol=1e-4)
    with pytest.raises(ValueError, match="margin"):
        studentised_test(values, clusters, margin=0, **OPTIONS)


def test_without_a_margin_nothing_is_said_of_one():
    values = np.random.default_rng(0).normal(size=40)
    asked, free = (studentised_test(values, np.arange(40), *margin, **OPTIONS) for margin in ([0.5], []))
    assert np.isnan([free.p_within, free.p_beyond]).all() and asked.p_within < 0.05 < asked.p_beyond
    assert asked._replace(p_within=0, p_beyond=0) == free._replace(p_within=0, p_beyond=0)


def test_the_level_and_the_seed_are_those_that_were_asked_for():
    values = np.random.default_rng(0).normal(size=60)
    narrow, wide = (studentised_test(values, np.arange(60), margin=1, alpha=alpha, **OPTIONS) for alpha in (0.5, 0.01))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    one, again, other = (
        studentised_test(values, np.arange(60), margin=1, seed=seed, resamples=99) for seed in (1, 1, 2)
    )
    assert one == again != other


def test_what_is_detectable_in_a_family_is_found_four_times_in_five_after_adjustment():
    values, options = np.random.default_rng(0).normal(0, 1, (200, 150)), {"seed": 0, "resamples": 999, "tests": 40}
    found = studentised_test(values, np.arange(200), **options)
    for shift, least, most in ((found.detectable_in_family, 0.7, 0.92), (found.detectable, 0.15, 0.5)):
        shown = studentised_test(values + shift.mean(), np.arange(200), **options)
        assert least < np.mean(shown.p_difference * 40 <= 0.05) < most
    some = studentised_test(values[:, :2], np.arange(200), **options | {"tests": np.array([1, 40])})
    assert some.detectable_in_family[0] == some.detectable[0] < some.detectable_in_family[1]
