"""Areas and shares by hand, and what the findings say of a planted circuit."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.circuits import page
from emoscope.experiments.circuits.curves import Curves, as_curves
from emoscope.experiments.circuits.names import GRADIENT, INTEGRATED, KEPT, MASKING, NODE, PATCHING, RANDOM, REPLACED
from emoscope.experiments.circuits.summarise import _halves, agreement, axis_tables, circuits, first_block, part_table
from emoscope.statistics.bootstrap import bootstrap_statistic
from emoscope.storage.names import NONE

SAMPLE = pd.DataFrame({"pair": [0, 1], "cluster": ["a", "b"], "total": [1.0, 3.0]})


def by_hand():
    """Two pairs, four nodes: of one ranking, and of two random draws that overshoot and that find nothing."""
    rows = []
    heights = {
        ("masking", 0, KEPT): [0, 0.5, 1],
        ("masking", 0, REPLACED): [1, 0.25, 0],
        (RANDOM, 0, KEPT): [0, 2, 1],
        (RANDOM, 1, KEPT): [0, 0, 1],
    }
    for (ranking, draw, side), shares in heights.items():
        for nodes, share in zip([0, 2, 4], shares, strict=True):
            rows += [(pair, ranking, draw, side, nodes, share * total) for pair, total in ((0, 1.0), (1, 3.0))]
    return pd.DataFrame(rows, columns=["pair", "ranking", "draw", "side", "size", "effect"])


def test_areas_by_hand():
    areas = as_curves(SAMPLE, by_hand().sample(frac=1, random_state=0)).areas(np.ones(2))
    assert areas["cpr", "masking"] == pytest.approx(0.5) and areas["cmd", "masking"] == pytest.approx(0.5)
    assert areas["left", "masking"] == pytest.approx(0.375)
    assert areas["cpr", RANDOM] == pytest.approx((1.25 + 0.25) / 2)
    assert areas["cmd", RANDOM] == pytest.approx(0.75), "too much is as wrong as nothing"


def test_pairs_count_by_how_far_they_move():
    table = by_hand()
    table.loc[(table["pair"] == 0) & (table["size"] == 2), "effect"] = 0
    curves = as_curves(SAMPLE, table)
    number = curves.columns.index[(curves.columns["ranking"] == "masking") & (curves.columns["size"] == 2)][0]
    assert curves.columns.loc[number, "side"] == KEPT
    assert curves.shares(np.ones(2))[number] == pytest.approx(1.5 / 4)
    assert curves.shares(np.array([0.0, 2.0]))[number] == pytest.approx(0.5)


def test_shares_of_parts_are_of_the_mean_total(found):
    parts = found.parts.set_index(["site", "block", "head"])
    exact = found.effects[found.effects["method"] == PATCHING].groupby(["site", "block", "head"])["effect"].mean()
    assert parts[PATCHING].notna().sum() == len(exact) == len(found.checked)
    for node, effect in exact.items():
        assert parts.loc[node, PATCHING] == pytest.approx(effect / found.sample["total"].mean())
    assert parts["largest"].sum() == 6 and parts["random"].sum() == 6
    empty = part_table(found.sample, found.effects, found.checked.iloc[:0])
    assert not empty["largest"].any() and not empty["random"].any()


def test_the_first_block_leads_by_its_attention_alone():
    """Of 1 + 3 logits, the first block's attention carries 0.5 + 1.5, the second's none, the third's 0.4 + 0.8; what
    single heads or another method have does not count."""
    shares = {0: (0.5, 1.5), 1: (0.0, 0.0), 2: (0.4, 0.8)}
    rows = [(pair, INTEGRATED, "attention", block, NONE, own[pair]) for block, own in shares.items() for pair in (0, 1)]
    rows += [(0, INTEGRATED, "head", 1, 0, 9.0), (0, PATCHING, "attention", 1, NONE, 9.0)]
    effects = pd.DataFrame(rows, columns=["pair", "method", *NODE, "effect"])
    options = {"resamples": 50, "alpha": 0.05, "seed": 1}
    [found] = first_block("class", SAMPLE, effects, options)
    assert found.name == "class.first_block_leads" and found.value == pytest.approx((2.0 - 1.2) / 4)
    assert found.note == "Of 3 blocks, 2 cross-class pairs."
    assert [*first_block("class", SAMPLE, effects[effects["block"] == 0], options)] == []


@pytest.mark.parametrize("flips", [SAMPLE.assign(total=0.0), SAMPLE.head(0)], ids=["that move nothing", "none"])
def test_of_flips_that_move_no_margin_nothing_is_said(found, flips):
    measured = [found.effects, found.checked, found.curves]
    parts, sizes, told = axis_tables("gender", flips, measured, {}, NODE, ("parts", "parts"))
    assert parts.empty and list(parts) == list(found.parts) and sizes.empty and told == []


def test_the_findings_on_a_planted_circuit(found):
    value = found.findings.set_index("name")["value"]
    low = found.findings.set_index("name")["low"]
    assert value["gender.error.integrated_gradients"] < 0.01 < value["gender.error.one_gradient"]
    assert value["gender.rank_correlation.integrated_gradients"] > value["gender.rank_correlation.one_gradient"]
    assert low["gender.gain.integrated_gradients"] > 0.05
    assert value["gender.cmd.random"] - value["gender.cmd.masking"] == pytest.approx(value["gender.gain.masking"])
    assert value["gender.fewest.integrated_gradients"] == len(found.circuit.roles) < value["gender.fewest.random"]
    # a whole attention, drawn by chance, holds a head of the circuit and is not among the six largest
    assert value["gender.missed"] == pytest.approx(found.parts.loc[~found.parts["largest"], PATCHING].abs().max())
    high, note = (found.findings.set_index("name")[column] for column in ("high", "note"))
    for method in ("integrated_gradients", "one_gradient"):
        halves = f"gender.halves.{method}"
        assert low[halves] < value[halves] <= high[halves] <= 1 and note[halves] == "All 24 parts."
        assert note[f"gender.error.{method}"] == "6 parts drawn by chance, 24 flips."


def test_the_interval_of_an_error_holds_it_where_errors_of_texts_cancel():
    """Of each of four heads, estimates are off by one either way, 0 in the mean; of texts drawn anew hardly."""
    pairs, heads = range(16), range(4)
    sample = pd.DataFrame({"pair": pairs, "cluster": pairs, "half": 0, "total": 4.0})
    checked = pd.DataFrame({"site": "head", "block": 0, "head": heads, "largest": True, "random": True})
    rows = [
        (pair, method, "head", 0, head, head + 2 + (method != PATCHING) * (-1.0) ** (pair >> head))
        for pair in pairs
        for method in (PATCHING, GRADIENT, INTEGRATED)
        for head in heads
    ]
    effects = pd.DataFrame(rows, columns=["pair", "method", *NODE, "effect"])
    options = {"resamples": 200, "alpha": 0.05, "seed": 1}
    told = {one.name: one for one in agreement("class", sample, effects, checked, options, NODE, "parts")}
    error = told["class.error.one_gradient"]
    assert error.value == error.low == 0 < error.high < 0.5


def test_the_agreement_of_halves_is_of_their_own_texts():
    sides = np.array([0, 1] * 4)
    values = np.where(sides[:, None] == 0, [1.0, 2, 3, 4], [4.0, 3, 2, 1])
    assert _halves(values, sides, np.ones(8)) == -1
    assert np.isnan(_halves(values, sides, (sides == 0).astype(float)))


def kept_by(shares, totals):
    """Curves of rankings that keep the given shares, (pairs, sizes) or (sizes,) each, of every pair's total."""
    rows = []
    for ranking, tables in shares.items():
        for draw, table in enumerate(tables if ranking == RANDOM else [tables]):
            table = np.broadcast_to(table, (len(totals), np.shape(table)[-1]))
            rows += [
                (pair, ranking, draw, KEPT, nodes, share * total)
                for pair, total in enumerate(totals)
                for nodes, share in enumerate(table[pair])
            ]
    return pd.DataFrame(rows, columns=["pair", "ranking", "draw", "side", "size", "effect"])


def sample_of(totals):
    pairs = range(len(totals))
    texts = [f"text {pair}" for pair in pairs]
    return pd.DataFrame({"pair": pairs, "cluster": texts, "half": [pair % 2 for pair in pairs], "total": totals})


def findings_on(shares, totals, resamples=200):
    sample = sample_of(totals)
    curves = as_curves(sample, kept_by(shares, totals))
    options = {"seed": 1, "resamples": resamples, "alpha": 0.05}
    return {finding.name: finding for finding in circuits("gender", curves, sample, options)}


def test_a_circuit_keeps_the_difference_at_its_size_and_at_all_larger_ones():
    """One that overshoots, or falls back, is not the model: the first size at which enough is kept does not count."""
    curves = {
        MASKING: [0, 0.9, 2, 1.3, 1.1, 1],
        INTEGRATED: [0, 0.9, 0.7, 0.81, 0.9, 1],
        RANDOM: [[0, 1.5, 1.5, 1.5, 1.5, 1], [0, 0.5, 0.5, 0.5, 0.5, 1]],  # their mean would be the whole difference
    }
    found = findings_on(curves, np.ones(10))
    fewest = {name: found[f"gender.fewest.{name}"] for name in ("masking", "integrated_gradients", "random")}
    assert [finding.value for finding in fewest.values()] == [4, 3, 5]
    assert all(finding[1] == finding.low == finding.high for finding in fewest.values()), "all texts are alike"
    assert {finding.note for finding in fewest.values()} == {"Of 5 heads and MLPs."}


def test_the_size_of_a_circuit_has_an_interval_over_texts():
    late = [0, 0.1, 0.1, 0.1, 1, 1]
    each = np.array([[0, 1, 1, 1, 1, 1]] * 9 + [late] * 3)
    found = findings_on({MASKING: each, RANDOM: [late]}, np.ones(12))
    size = found["gender.fewest.masking"]
    assert (size.value, size.low, size.high) == (4, 1, 4), "a quarter of the texts need four"
    sure = found["gender.fewest.random"]
    assert (sure.value, sure.low, sure.high) == (4, 4, 4)
    few = findings_on({MASKING: each[:5], RANDOM: [late]}, np.ones(5))["gender.fewest.masking"]
    assert few.value == 1 and np.isnan([few.low, few.high]).all(), "too few texts for an interval"


def test_a_random_order_is_a_typical_one():
    """The mean of distances waits for the last of the draws: here all 5 nodes, where most orders are content with 2."""
    draws = [[0, 0, 1, 1, 1, 1]] * 3 + [[0, 0, 0, 0, 0, 1]] + [[0, 1, 1, 1, 1, 1]]
    found = findings_on({MASKING: draws[0], RANDOM: draws}, np.ones(10))
    size = found["gender.fewest.random"]
    assert (size.value, size.low, size.high) == (2, 2, 2)
    even = findings_on({MASKING: draws[0], RANDOM: draws[2:]}, np.ones(10))["gender.fewest.random"].value
    assert even == 2, "one that was tried, which two of four get by with"


def kept_at(rng, orders, pairs):
    """What random orders keep, (orders, pairs, sizes): how soon differs between orders, and a little between pairs."""
    soon = rng.uniform(-0.5, 1.5, (orders, 1, 3)) + rng.normal(0, 0.2, (orders, pairs, 3))
    return np.pad(soon, [(0, 0), (0, 0), (1, 1)], constant_values=[(0, 0), (0, 0), (0, 1)])


def curves_with(kept, totals):
    """Curves of an order by estimates, the first of those given, and of random ones, the others."""
    columns = [(INTEGRATED, 0), *((RANDOM, draw) for draw in range(len(kept) - 1))]
    columns = [(*column, KEPT, nodes) for column in columns for nodes in range(kept.shape[-1])]
    table = pd.DataFrame(columns, columns=["ranking", "draw", "side", "size"])
    return Curves(kept.transpose(1, 0, 2).reshape(len(totals), -1) * totals[:, None], table, totals)


@pytest.mark.slow
@pytest.mark.parametrize("both", [True, False], ids=["one order for all texts", "one for each half"])
def test_an_order_that_is_itself_random_is_seldom_told_from_random_ones(both):
    """Orders differ by far more than chance in the texts lets expect: by that alone most of them are told apart."""
    rng, half, told, by_texts = np.random.default_rng(3), np.arange(16) % 2, [], []
    for number in range(300):
        kept = kept_at(rng, 41, 16)
        own = kept[:1] if both else np.where(half[:, None] == 0, kept[:1], kept[1:2])
        curves = curves_with(np.concatenate([own, kept[2:]]), np.ones(16))
        low, high = curves.gain_on_one(INTEGRATED, half, 0.05)
        told.append(low > 0 or high < 0)
        if number < 15:
            sample = sample_of(np.ones(16))
            options = {"seed": 1, "resamples": 100, "alpha": 0.05}
            gain = {finding.name: finding for finding in circuits("gender", curves, sample, options)}[
                "gender.gain.integrated_gradients"
            ]
            assert (gain.low > 0 or gain.high < 0) <= told[-1], "no more is said than both intervals say"
            gains = bootstrap_statistic(
                lambda weights, curves=curves: curves.gains(curves.areas(weights))["gain", INTEGRATED],
                sample["cluster"].to_numpy(), **options,
            )  # fmt: skip
            by_texts.append(gains.low > 0 or gains.high < 0)
    assert np.mean(told) <= 0.08, "5 %, and the chance of 300 samples"
    assert np.mean(by_texts) > 0.5


@pytest.mark.parametrize(("orders", "said"), [(39, page.BETTER), (38, page.UNSETTLED)])
def test_an_order_is_better_than_random_ones_if_few_come_near_in_either_half(orders, said):
    rng = np.random.default_rng(5)
    totals, own = np.ones(16), [0.0, 1, 1, 1, 1]
    random = list(kept_at(rng, orders, 16))
    verdicts = [
        page.verdict(
            findings_on({INTEGRATED: kept, RANDOM: random}, totals)["gender.gain.integrated_gradients"]._asdict()
        )
        for kept in (own, [0.0, -3, -3, -3, 1])
    ]
    assert verdicts == [said, page.WORSE if said == page.BETTER else said]
    late = np.where(np.arange(16)[:, None] % 2, own, random[0])  # in one half it is no better than random ones
    found = findings_on({INTEGRATED: late, RANDOM: random}, totals)
    assert page.verdict(found["gender.gain.integrated_gradients"]._asdict()) == page.UNSETTLED


def test_an_order_is_held_against_masking_on_the_same_texts():
    """Texts differ by far more than orders do, so that only a paired comparison can tell."""
    rng = np.random.default_rng(0)
    own = np.column_stack([np.zeros(20), rng.uniform(-1, 1, 20), np.ones(20)])
    worse = own - [0, 0.1, 0]
    for ours, theirs, said in ((own, worse, page.BETTER), (worse, own, page.WORSE), (own, own, page.UNSETTLED)):
        found = findings_on({INTEGRATED: ours, MASKING: theirs, RANDOM: [own]}, np.ones(20))
        assert page.verdict(found["gender.gain_on_masking.integrated_gradients"]._asdict()) == said
        assert {name for name in found if "gain" in name} == {
            *("gender.gain.integrated_gradients", "gender.gain.masking", "gender.gain_on_masking.integrated_gradients")
        }
    without = findings_on({INTEGRATED: own, RANDOM: [own]}, np.ones(20))
    assert not any("gain_on_masking" in name for name in without)


def told_of_masking(ours, theirs, random):
    """Whether the page says which of two orders does better; all keep shares (pairs, sizes)."""
    found = findings_on({INTEGRATED: ours, MASKING: theirs, RANDOM: list(random)}, np.ones(16), 100)
    said = page.verdicts("gender", INTEGRATED, page.Findings(pd.DataFrame(found.values())))
    return found["gender.gain_on_masking.integrated_gradients"], said[-1]


def test_of_two_orders_that_find_nothing_neither_is_called_better():
    """Each is a draw, so that by texts alone most are told apart; and a real winner is named against either."""
    rng, by_texts, told = np.random.default_rng(11), [], []
    for _ in range(12):
        kept = kept_at(rng, 41, 16)
        gain, said = told_of_masking(kept[0], kept[1], kept[2:])
        by_texts.append(gain.low > 0 or gain.high < 0)
        told.append(said != f"{page.UNSETTLED} masking")
    assert np.mean(by_texts) > 0.5 and np.mean(told) <= 0.2
    own = np.tile([0.0, 1, 1, 1, 1], (16, 1))
    assert told_of_masking(own, kept[1], kept[2:])[1] == f"{page.BETTER} masking"
    assert told_of_masking(kept[0], own, kept[2:])[1] == f"{page.WORSE} masking"


@pytest.mark.slow
def test_orders_that_are_alike_are_seldom_told_apart():
    """Of 200 samples of texts on which two orders do alike on average, a tenth or less may be told apart."""
    rng, told = np.random.default_rng(2), []
    for _ in range(200):
        both = [np.column_stack([np.zeros(24), rng.normal(0.6, 0.5, (24, 2)), np.ones(24)]) for _ in range(2)]
        found = findings_on(dict(zip((INTEGRATED, MASKING), both, strict=True)) | {RANDOM: both[:1]}, np.ones(24), 100)
        told.append(page.verdict(found["gender.gain_on_masking.integrated_gradients"]._asdict()))
    assert np.mean([verdict != page.UNSETTLED for verdict in told]) <= 0.1
