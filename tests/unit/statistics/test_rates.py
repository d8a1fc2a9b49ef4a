import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from emoscope.statistics import rates
from emoscope.statistics.clusters import Interval

ALONE = np.arange(20)


def test_wilson_known_values():
    assert rates.wilson_interval(0, 17) == pytest.approx((0, 0.1843), abs=1e-4)
    assert rates.wilson_interval(97, 100) == pytest.approx((0.9155, 0.9897), abs=1e-4)
    low, high = rates.wilson_interval(np.array([0, 0, 5]), np.array([0, 300, 5]))
    np.testing.assert_allclose(high, [np.nan, 0.01264, 1], atol=1e-5)
    np.testing.assert_allclose(low, [np.nan, 0, 0.5655], atol=1e-4)
    assert np.isnan(rates.wilson_interval(0, 0)).all()
    for count in (1, 2, 16):
        theirs = proportion_confint(count, 17, alpha=0.1, method="wilson")
        assert rates.wilson_interval(count, 17, alpha=0.1) == pytest.approx(theirs)
    assert rates.wilson_interval(0, 17).low == 0 and rates.wilson_interval(17, 17).high == 1, "exactly"
    with pytest.raises(ValueError, match="count"):
        rates.wilson_interval(3, 2)


@given(st.integers(0, 3000), st.integers(1, 3000), st.sampled_from([0.05, 0.01, 0.1]))
def test_wilson_intervals_are_those_of_statsmodels_to_the_bit(count, n, alpha):
    for events in (min(count, n), min(count, n) / 1.7):  # effective rows make fractions
        low, high = rates.wilson_interval(events, n, alpha)
        their_low, their_high = proportion_confint(events, n, alpha, "wilson")
        assert low == (their_low if events else 0) and high == (their_high if events < n else 1)
        many = rates.wilson_interval(np.array([events, 0.0]), n, alpha)
        assert (many.low[0], many.high[0]) == (low, high)


def test_exact_intervals_are_clopper_and_pearsons():
    for count, n in ((0, 17), (1, 17), (3, 100), (16, 17), (17, 17)):
        theirs = scipy_stats.binomtest(count, n).proportion_ci(0.95, method="exact")
        assert rates.exact_interval(count, n) == pytest.approx((theirs.low, theirs.high))
    assert np.isnan(rates.exact_interval(0, 0)).all()
    low, high = rates.exact_interval(np.array([0, 3]), np.array([17, 100]))
    assert [*zip(low, high, strict=True)] == [rates.exact_interval(0, 17), rates.exact_interval(3, 100)]
    with pytest.raises(ValueError, match="count"):
        rates.exact_interval(3, 2)


def test_independent_rows_count_each_and_copies_once():
    events = np.arange(40) < 10
    assert rates.effective_rows(events, np.arange(40)) == 40
    assert rates.rate_interval(events, np.arange(40)) == pytest.approx(rates.exact_interval(10, 40))
    copied, clusters = np.repeat(events, 5), np.repeat(np.arange(40), 5)
    assert rates.effective_rows(copied, clusters) == 40
    low, high = rates.rate_interval(copied, clusters)
    assert (low, high) == rates.rate_interval(np.repeat(events, 2), np.repeat(np.arange(40), 2))
    assert low < rates.exact_interval(10, 40).low and high > rates.exact_interval(10, 40).high


def test_rows_of_a_cluster_that_are_all_alike_are_worth_one_where_clusters_are_of_one_size():
    assert rates.rows_if_alike(np.array([3, 3, 3, 3])) == 4
    assert rates.rows_if_alike(np.array([500] + [1] * 500)) == pytest.approx(1000**2 / 250_500)
    assert rates.rows_if_alike(np.array([0, 2, 0, 2])) == 2 and rates.rows_if_alike(np.array([], dtype=int)) == 0


def test_what_is_described_has_wilsons_interval_of_its_effective_rows():
    events, copies = np.arange(40) % 10 < 3, np.repeat(np.arange(40), 5)
    assert rates.described_rate(events, np.arange(40), 0.1) == rates.wilson_interval(12, 40, 0.1)
    assert rates.described_rate(events[copies], copies) == pytest.approx(rates.wilson_interval(12, 40))
    assert np.isnan(rates.described_rate(events, np.arange(40) % 7)).all()
    assert np.isfinite(rates.described_rate(events, np.arange(40) % 8)).all()
    assert np.isfinite(rates.described_rate(events[:5], np.arange(5))).all(), "rows that are clusters of their own"


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_few_clusters_make_fewer_effective_rows(alpha):
    rng, ids = np.random.default_rng(0), np.arange(400)
    events = rng.random(400) < np.repeat(rng.beta(1, 2, 20), 20)
    apart = rates.effective_rows(events, ids // 20, alpha)
    data = rates.clustered(events, ids // 20)
    kish = data.mean[0] * (1 - data.mean[0]) / data.standard_error[0] ** 2
    assert apart == pytest.approx(kish * (scipy_stats.t.ppf(alpha / 2, 399) / scipy_stats.t.ppf(alpha / 2, 19)) ** 2)


def test_effective_rows_where_clusters_tell_nothing_of_their_rows():
    ids = np.arange(40) // 4
    never = np.zeros(40, bool)
    assert rates.effective_rows(never, ids) == rates.effective_rows(~never, ids) == 10
    assert rates.effective_rows(np.arange(40) % 4 == 0, ids) == 40, "one of four in every cluster"
    nearly = (np.arange(40) % 4 == 0) & (np.arange(40) > 0)
    assert rates.effective_rows(nearly, ids) == 40, "not more than there are"
    assert rates.effective_rows(nearly, np.zeros(40)) == 1


def test_a_few_events_do_not_show_how_alike_the_rows_of_a_sentence_are():
    """One stray event in 340 texts of 34 sentences would make them as good as 317."""
    rows = np.arange(340)
    for count in (1, 7):
        events = np.isin(rows, 10 * np.arange(count))
        assert rates.effective_rows(events, rows // 10) == rates.effective_rows(~events, rows // 10) == 34
    assert rates.effective_rows(np.isin(rows, 10 * np.arange(8)), rows // 10) > 200


def test_a_cluster_with_most_of_the_rows_does_not_count_as_many():
    """A template of 200 sentences in all of which the answer changes, beside 20 sentences in which it does not."""
    ids, events = np.r_[np.zeros(200), np.arange(1, 21)], np.arange(220) < 200
    assert rates.effective_rows(events, ids) < 2 and rates.effective_rows(events & False, ids) < 2
    low, _ = rates.rate_difference_interval(events, events & False, paired=True, clusters=(ids, ids))
    assert low < 0


@given(arrays(bool, st.integers(1, 60)), st.integers(1, 12))
@settings(deadline=None)
def test_effective_rows_lie_between_clusters_and_rows(events, clusters):
    ids = np.arange(len(events)) % clusters
    found, sizes = rates.effective_rows(events, ids), np.bincount(ids)
    assert sizes.sum() ** 2 / (sizes**2).sum() * (1 - 1e-9) <= found <= len(events)
    low, high = rates.rate_interval(events, ids)
    if len(events) > clusters and clusters < 8:
        assert np.isnan([low, high]).all()
    else:
        assert 0 <= low <= events.mean() + 1e-6 and events.mean() - 1e-6 <= high <= 1


@pytest.mark.parametrize(("clusters", "rows", "rate"), [(34, 10, 0.02), (34, 10, 0.2), (100, 3, 0.02), (10, 5, 0.1)])
def test_clustered_rates_are_covered(clusters, rows, rate):
    """Sentences differ much in how often they change: Wilson with effective rows covers 0.88 of the first."""
    rng, ids = np.random.default_rng(0), np.repeat(np.arange(clusters), rows)
    chances = rng.beta(rate * 0.67, (1 - rate) * 0.67, (clusters, 400))
    events = rng.random((clusters * rows, 400)) < chances[ids]
    low, high = rates.bounded_interval(events, ids, rates.SHARE)
    assert np.mean((low <= rate) & (rate <= high)) >= 0.95
    assert rates.rate_interval(events[:, 7], ids) == pytest.approx((low[7], high[7]), abs=1e-6)


@pytest.mark.parametrize(("n", "rate"), [(34, 0.005), (100, 0.01), (300, 0.02), (20, 0.1)])
def test_exact_intervals_never_cover_too_rarely(n, rate):
    counts = np.arange(n + 1)
    low, high = rates.exact_interval(counts, n)
    assert scipy_stats.binom.pmf(counts, n, rate)[(low <= rate) & (rate <= high)].sum() >= 0.95


def test_wilson_covers_rare_rates():
    events = np.random.default_rng(0).binomial(100, 0.03, size=4000)
    low, high = rates.wilson_interval(events, 100)
    assert np.mean((low <= 0.03) & (high >= 0.03)) > 0.92


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_mcnemar_is_the_binomial_test_of_the_discordant_pairs(pairs):
    before, after = np.array(pairs).T
    lost, gained, p = sum(before & ~after), sum(~before & after), rates.mcnemar_test(before, after)
    assert p == pytest.approx(scipy_stats.binomtest(lost, lost + gained).pvalue if lost + gained else 1)
    assert p == float(mcnemar([[0, lost], [gained, 0]], exact=True).pvalue)
    assert rates.mcnemar_test(after, before) == p


def test_mcnemar_counts_a_cluster_once():
    before, after, ids = np.arange(10) < 8, np.arange(10) > 6, np.arange(30) % 10
    assert (
        rates.mcnemar_test(before[ids], after[ids], ids)
        == rates.mcnemar_test(before, after)
        == pytest.approx(2 * 46 / 2**9)
    )
    lost, gained = np.array([True, True, False]), np.array([False, False, True])
    assert rates.mcnemar_test(lost, gained, np.zeros(3)) == 1, "two lost and one gained are one lost"
    assert rates.mcnemar_test(np.tile(lost, 8), np.tile(gained, 8), np.repeat(np.arange(8), 3)) == 2 * 0.5**8
    assert rates.mcnemar_test(lost[1:], gained[1:], np.zeros(2)) == 1, "one lost and one gained are none"


def test_mcnemar_holds_its_level_however_much_the_rows_of_a_cluster_are_alike():
    rng, ids, wrong = np.random.default_rng(0), np.repeat(np.arange(40), 5), {"rows": 0, "clusters": 0}
    for _ in range(400):
        before, after = rng.random((2, 40)) < 0.5  # all rows of a cluster are right, or none
        wrong["clusters"] += rates.mcnemar_test(before[ids], after[ids], ids) <= 0.05
        wrong["rows"] += rates.mcnemar_test(before[ids], after[ids]) <= 0.05
    assert wrong["clusters"] <= 400 * 0.05 + 9 < 100 < wrong["rows"]


def test_mcnemar_refuses_unpaired_vectors():
    for before, after in ((np.array([]), np.array([])), (np.ones(2), np.ones(3))):
        with pytest.raises(ValueError, match="vectors"):
            rates.mcnemar_test(before, after)


def test_zero_events_leave_a_bound():
    assert rates.zero_event_bound(17) == pytest.approx(1 - 0.025 ** (1 / 17))
    assert rates.zero_event_bound(17, alpha=0.1) == pytest.approx(1 - 0.05 ** (1 / 17))
    assert np.isnan(rates.zero_event_bound(0))


def test_the_detectable_rate_is_found_four_times_in_five():
    found = rates.minimum_detectable_rate(200, 0.02)
    significant = np.array([scipy_stats.binomtest(k, 200, 0.02, "greater").pvalue <= 0.05 for k in range(201)])
    assert scipy_stats.binom.pmf(np.arange(201), 200, found)[significant].sum() == pytest.approx(0.8)
    assert rates.minimum_detectable_rate(2000, 0.02) < found < rates.minimum_detectable_rate(200, 0.02, alpha=0.01)
    assert np.isnan([rates.minimum_detectable_rate(0, 0.02), rates.minimum_detectable_rate(1, 0.3)]).all()
    assert rates.minimum_detectable_rate(1, 0.03) == pytest.approx(0.8), "one row of one settles it"


def test_newcombes_published_examples():
    def rows(n: int, ones: int) -> np.ndarray:
        return np.arange(n) < ones

    independent = rates.rate_difference_interval(rows(70, 56), rows(80, 48), paired=False)
    assert independent == pytest.approx((0.0524, 0.3339), abs=1e-4)  # 56/70 - 48/80, Newcombe (1998), table II
    first = np.repeat([True, True, False, False], [36, 12, 2, 0])
    second = np.repeat([True, False, True, False], [36, 12, 2, 0])
    paired = rates.rate_difference_interval(first, second, paired=True)
    assert paired == pytest.approx((0.0569, 0.3404), abs=1e-4)  # e, f, g, h = 36, 12, 2, 0, Newcombe (1998), table II


@pytest.mark.parametrize(
    ("both", "first_only", "second_only", "neither", "phi"),
    [
        (6, 1, 1, 4, 17 / 35),  # 6 x 4 - 1 x 1 = 23, less half of 12, over the root of 7 x 5 x 7 x 5
        (2, 1, 1, 1, 0),  # 1 is less than half of 5
        (1, 3, 3, 1, -1 / 2),  # negative ones are not shrunk
        (5, 5, 0, 0, 0),
    ],
)
def test_the_correlation_of_pairs_is_shrunk_as_newcombe_does(both, first_only, second_only, neither, phi):
    counts = [both, first_only, second_only, neither]
    first, second = (np.repeat(column, counts) for column in ([True, True, False, False], [True, False, True, False]))
    assert rates._phi(first, second) == rates._phi(second, first) == pytest.approx(phi)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40), st.booleans())
def test_a_difference_of_rates_lies_in_its_interval_and_turns_with_its_sign(pairs, paired):
    first, second = np.array(pairs).T
    low, high = rates.rate_difference_interval(first, second, paired=paired)
    assert -1 - 1e-9 <= low <= first.mean() - second.mean() <= high <= 1 + 1e-9
    assert low < high
    assert rates.rate_difference_interval(second, first, paired=paired) == pytest.approx((-high, -low))


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_a_difference_of_rare_rates_is_covered(shared):
    rng, hits = np.random.default_rng(0), 0
    for _ in range(1000):
        noise = rng.random((2, 150))
        noise[1] = np.where(rng.random(150) < shared, noise[0], noise[1])
        low, high = rates.rate_difference_interval(noise[0] < 0.06, noise[1] < 0.02, paired=True)
        hits += low <= 0.04 <= high
    assert hits >= 930


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.01, 0.019, "no more"),
        (0.001, 0.019, "no more"),
        (-0.01, 0.02, "not settled"),
        (0.0, 0.03, "not settled"),
        (0.001, 0.03, "more"),
        (-0.05, -0.01, "no more"),
    ],
)
def test_an_excess_is_judged_by_its_interval(low, high, verdict):
    assert rates.excess_verdict(Interval(low, high), 0.02) == verdict


def test_an_excess_needs_a_margin():
    with pytest.raises(ValueError, match="margin"):
        rates.excess_verdict(Interval(-0.1, 0.1), 0)


@pytest.mark.parametrize(("baseline", "both"), [(0.0, 0.0), (0.01, 0.0), (0.02, 0.01)])
def test_no_more_than_a_baseline_is_seldom_said_of_what_exceeds_it_by_the_margin(baseline, both):
    """Rates of 2 to 5 %, 200 texts: at most 2.5 % of the verdicts are wrong, allowing for 600 draws."""
    rng, chances = np.random.default_rng(0), [baseline + 0.02, baseline, both]
    wrong = 0
    for draw in rng.multinomial(200, [*chances, 1 - sum(chances)], size=600):
        events, neutral = np.repeat([True, False, True, False], draw), np.repeat([False, True, True, False], draw)
        wrong += rates.excess_verdict(rates.rate_difference_interval(events, neutral, paired=True), 0.02) == "no more"
    assert wrong <= 600 * 0.025 + 8


def test_of_independent_texts_the_excess_has_newcombes_interval():
    """As many as the texts with a control in the embedded default, of which a flip changes 13 in 100 more."""
    first, second = np.arange(371) < 67, np.arange(371)[::-1] < 19
    found = rates.excess_interval(first, second, np.arange(371)[::-1], 0.1)
    assert found == rates.rate_difference_interval(first, second, paired=True, alpha=0.1)
    assert rates.excess_verdict(found, 0.02) == "more"


@pytest.mark.parametrize("strays", [0, 1, 2])
def test_noise_in_the_controls_is_no_sign_of_a_flip(strays):
    """A flip changes ten of 340 texts, in three of 34 sentences."""
    flips = np.isin(np.arange(340), [0, 1, 2, 3, 10, 11, 12, 20, 21, 22])
    swaps = np.isin(np.arange(340), [100, 200][:strays])
    low, high = rates.excess_interval(flips, swaps, np.arange(340) // 10)
    assert low < -0.05 and high > 0.1


@pytest.mark.parametrize(
    ("whole", "verdict"),
    [((0.0201, 0.0), "no more"), ((0.01, 0.01), "more"), ((0.03, 0.03), "more")],
)
def test_of_sentences_that_change_as_a_whole_beside_strays_verdicts_are_seldom_wrong(whole, verdict):
    """3 texts in 1,000 change by themselves, so that of 34 sentences effective rows count nearly every text."""
    rng, wrong = np.random.default_rng(0), 0
    for _ in range(200):
        chances = [np.where(rng.random(34) < share, 1, 0.003)[:, None] for share in whole]
        events, neutral = ((rng.random((34, 10)) < chance).ravel() for chance in chances)
        found = rates.excess_interval(events, neutral, np.repeat(np.arange(34), 10))
        wrong += rates.excess_verdict(found, 0.02) == verdict
    assert wrong <= 200 * 0.025


def test_a_flip_of_a_third_of_all_sentences_is_more():
    flips, ids = np.arange(340) % 34 < 12, np.arange(340) % 34
    found = rates.excess_interval(flips, flips & False, ids)
    assert rates.excess_verdict(found, 0.02) == "more"
    assert found == rates.bounded_interval(flips.astype(float), ids, rates.CHANGE, 0.05)
    wide = rates.excess_interval(flips, flips & False, ids, 0.01)
    assert wide.low < found.low and found.high < wide.high


def test_a_rate_is_in_excess_only_beyond_baseline_and_margin():
    events, none, some = np.arange(100) < 12, np.zeros(300, bool), np.arange(300) < 30
    sure = np.zeros(10**6, bool)
    assert rates.rate_excess_test(events, sure, 0.02) == pytest.approx(scipy_stats.binom.sf(11, 100, 0.02), rel=1e-3)
    assert rates.rate_excess_test(events, some, 0.02) > 0.3  # the baseline does nearly as much
    assert rates.rate_excess_test(events, none, 0.2) > 0.9  # within the margin
    assert rates.rate_excess_test(none, ~none, 0.02) == 1
    assert np.isnan([rates.rate_excess_test(*pair, 0.02) for pair in ((events, none[:0]), (none[:0], events))]).all()


def test_an_excess_is_averaged_over_jeffreys_posterior():
    def weighed(rate: float) -> float:
        beyond = scipy_stats.binom.sf(6, 100, min(rate + 0.02, 1))
        return beyond * scipy_stats.beta.pdf(rate, 1 + 0.5, 59 + 0.5)

    expected = integrate.quad(weighed, 0, 1)[0]
    found = rates.rate_excess_test(np.arange(100) < 7, np.arange(60) < 1, 0.02)
    assert found == pytest.approx(expected, rel=2e-3)


def test_the_detectable_excess_is_found_four_times_in_five():
    none = np.zeros(10**6, bool)
    assert rates.detectable_excess(200, none, 0.02) == pytest.approx(rates.minimum_detectable_rate(200, 0.02))
    some = np.arange(300) < 6
    found = rates.detectable_excess(50, some, 0.02, 0.01)
    p = [rates.rate_excess_test(np.arange(50) < count, some, 0.02) for count in range(51)]
    assert scipy_stats.binom.pmf(np.arange(51), 50, found)[np.array(p) <= 0.01].sum() == pytest.approx(0.8)
    assert np.isnan(rates.detectable_excess(1, some, 0.02, 0.05 / 27)), "not even one of one"
    assert np.isnan([rates.detectable_excess(*of, 0.02) for of in ((0, some), (50, some[:0]))]).all()


def test_a_baseline_of_few_rows_leaves_its_rate_open():
    events = np.arange(100) < 8
    few, many = (rates.rate_excess_test(events, np.arange(n) < n // 50, 0.02) for n in (50, 5000))
    assert many < 0.05 < few < 0.5
    wrong, rng = 0, np.random.default_rng(0)
    for _ in range(1000):  # a word of 50 texts, and 100 controls, is as much above them as the margin allows
        p = rates.rate_excess_test(rng.random(50) < 0.05, rng.random(100) < 0.03, 0.02)
        wrong += p <= 0.05
    assert wrong <= 50


def test_rates_need_rows_that_match():
    for first, second, paired in ((ALONE, ALONE[:3], True), (ALONE[:0], ALONE, False)):
        with pytest.raises(ValueError, match="vectors"):
            rates.rate_difference_interval(first, second, paired=paired)


def test_intervals_have_the_level_that_was_asked_for():
    first, second = np.arange(100) < 30, np.arange(100) < 20

    def widths(alpha: float) -> list[float]:
        found = [rates.rate_difference_interval(first, second, paired=paired, alpha=alpha) for paired in (True, False)]
        found += [rates.rate_interval(first, np.arange(100) // rows, alpha) for rows in (1, 2)]
        return [high - low for low, high in found]

    for narrow, wide in zip(widths(0.5), widths(0.01), strict=True):
        assert wide > 1.5 * narrow


@pytest.mark.parametrize("place", [0, 1])
def test_rows_of_one_cluster_are_no_more_evidence_in_either_sample(place):
    """Ten rows of each cluster, all alike."""
    ids, events = np.arange(400), np.arange(400) % 100 < 20
    clusters = [ids, ids]
    alone = rates.rate_difference_interval(events, events[::-1], paired=False, clusters=tuple(clusters))
    clusters[place] = ids // 10
    together = rates.rate_difference_interval(events, events[::-1], paired=False, clusters=tuple(clusters))
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_a_difference_of_clustered_rates_is_newcombes_with_effective_rows(alpha):
    rng, ids = np.random.default_rng(0), np.arange(120) // 6
    first, second = (rng.random(120) < rng.beta(1, 3, 20)[ids] for _ in range(2))
    found = rates.rate_difference_interval(first, second, paired=False, clusters=(ids, ids), alpha=alpha)
    (p1, l1, u1), (p2, l2, u2) = (
        (events.mean(), *proportion_confint(events.mean() * rows, rows, alpha, "wilson"))
        for events in (first, second)
        for rows in [rates.effective_rows(events, ids, alpha)]
    )
    low, high = p1 - p2 - np.hypot(p1 - l1, u2 - p2), p1 - p2 + np.hypot(u1 - p1, p2 - l2)
    assert found == pytest.approx((low, high))


@pytest.mark.parametrize("place", [0, 1])
def test_few_clusters_of_several_rows_have_no_interval_of_a_difference(place):
    events, few, enough = np.arange(80) % 5 == 0, np.arange(80) % 7, np.arange(80) % 8
    for ids, known in ((few, False), (enough, True)):
        clusters = [np.arange(80), np.arange(80)]
        clusters[place] = ids
        found = rates.rate_difference_interval(events, ~events, paired=False, clusters=tuple(clusters))
        assert np.isfinite(found).tolist() == [known] * 2
    five = events[:5], ~events[:5]
    assert np.isfinite(rates.rate_difference_interval(*five, paired=True)).all()  # rows that are clusters of their own
