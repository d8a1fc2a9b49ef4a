import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.api import OLS
from statsmodels.stats.weightstats import DescrStatsW

from clustered_rows import repeated_texts
from emoscope.statistics import bootstrap, equivalence, families


def test_tost_is_statsmodels_on_independent_rows():
    values = np.random.default_rng(0).normal(0.1, 1, size=80)
    for margin in (0.05, 0.3, 0.5):
        theirs = DescrStatsW(values).ttost_mean(-margin, margin)[0]
        p, equivalent = equivalence.tost_mean(values, np.arange(80), margin)
        assert p == pytest.approx(theirs)
        assert equivalent == (theirs <= 0.05)


def test_tost_on_repeated_texts_uses_the_cluster_robust_error():
    values, clusters = repeated_texts(1)
    fit = OLS(values[:, 0], np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    t = (0.5 - abs(fit.params[0])) / fit.bse[0]
    assert equivalence.tost_mean(values[:, 0], clusters, 0.5).p == pytest.approx(scipy_stats.t.sf(t, 24))


def test_tost_rarely_passes_an_effect_as_large_as_the_margin():
    values, clusters = repeated_texts(2000)
    assert np.mean(equivalence.tost_mean(values + 0.5, clusters, 0.5).equivalent) == pytest.approx(0.05, abs=0.025)
    assert np.mean(equivalence.tost_mean(values, clusters, 2).equivalent) > 0.99


def test_tost_without_spread_or_texts():
    assert equivalence.tost_mean(np.zeros(5), np.arange(5), 0.01) == (0, True)
    assert equivalence.tost_mean(np.ones(5), np.arange(5), 0.01) == (1, False)
    p, equivalent = equivalence.tost_mean(np.zeros(1), np.zeros(1), 0.01)
    assert np.isnan(p) and not equivalent
    with pytest.raises(ValueError, match="margin"):
        equivalence.tost_mean(np.zeros(5), np.arange(5), 0)


def test_the_detectable_mean_is_detected_four_times_in_five():
    effect = equivalence.minimum_detectable_mean(2.0, 30)
    samples = np.random.default_rng(0).normal(effect, 2.0, size=(30, 4000))
    assert np.mean(scipy_stats.ttest_1samp(samples, 0).pvalue <= 0.05) == pytest.approx(0.8, abs=0.02)
    np.testing.assert_allclose(equivalence.minimum_detectable_mean(np.array([0, 4.0]), 30), [0, 2 * effect])
    assert np.isnan(equivalence.minimum_detectable_mean(1.0, 1))


def judged(values: np.ndarray, margin: float) -> np.ndarray:
    clusters = np.arange(len(values))
    p = families.benjamini_hochberg(bootstrap.sign_flip_test(values, clusters, seed=0))
    return equivalence.equivalence_verdict(equivalence.tost_mean(values, clusters, margin).p, p)


def test_verdicts_on_means():
    noise = np.random.default_rng(0).normal(size=400)
    noise -= noise.mean()
    differences = np.column_stack([0.01 * noise, 0.5 + noise, 3 * noise, 0.02 + 0.01 * noise])
    assert judged(differences, 0.1).tolist() == ["equivalent", "different", "underpowered", "equivalent"]
    assert bootstrap.sign_flip_test(differences, np.arange(400), seed=0)[3] < 0.001  # not exactly nil, yet inside
    detectable = equivalence.detectable_mean(differences, np.arange(400))
    assert detectable[2] > 0.1 > detectable[0]
    assert judged(differences[:, 1], 0.1) == "different"


def test_a_verdict_follows_the_p_values_it_is_given():
    assert equivalence.equivalence_verdict(0.2, 0.06, alpha=0.1) == "different"
    assert equivalence.equivalence_verdict(0.2, 0.06, alpha=0.05) == "underpowered"
    assert equivalence.equivalence_verdict(np.nan, np.nan) == "underpowered"


def test_chance_findings_in_a_family_are_not_called_different():
    assert set(judged(np.random.default_rng(0).normal(size=(40, 144)), 0.01)) == {"underpowered"}


def test_one_text_proves_nothing():
    assert judged(np.zeros(1), 0.1) == "underpowered"
    assert np.isnan(equivalence.detectable_mean(np.zeros(1), np.zeros(1)))


@pytest.mark.parametrize(
    ("count", "n", "verdict"),
    [(0, 17, "underpowered"), (0, 300, "equivalent"), (60, 300, "different"), (0, 0, "underpowered")],
)
def test_verdicts_on_rates(count, n, verdict):
    found = equivalence.rate_equivalence_verdict(count, n, 0.05)
    assert (found.verdict, found.n) == (verdict, n)
    if count == 0 and n:
        assert found.p_equivalence == pytest.approx(0.95**n)


def test_impossible_rates_are_refused():
    for count, n, margin in ((5, 3, 0.1), (1, 3, 0), (-1, 3, 0.1)):
        with pytest.raises(ValueError, match="margin"):
            equivalence.rate_equivalence_verdict(count, n, margin)
