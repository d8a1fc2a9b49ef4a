"""Shares over many pairs, on made-up effects."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.tracing.shares import KEY, summarise_shares

OPTIONS = {"alpha": 0.05, "resamples": 300, "seed": 0}
WAYS = ("flipped into original", "original into flipped")


def tables(shares, totals, kinds, clusters=None, heads=1):
    """Effects of one residual place, half as large in the second direction, and of heads, all but the first noise."""
    rng = np.random.default_rng(0)
    count = len(totals)
    averaged = pd.DataFrame({
        "pair": range(count), "kind": kinds, "id": range(count), "cluster": clusters or list(map(str, range(count))),
        "total": np.asarray(totals, dtype=float),
    })  # fmt: skip
    rows = []
    for pair, (share, total) in enumerate(zip(shares, totals, strict=True)):
        for way, part in zip(WAYS, (1, 0.5), strict=True):
            rows.append((pair, "patching", way, "residual", "changed", 1, -1, share * total * part))
        rows += [
            (pair, "patching", WAYS[0], "head", "", 0, head, share * total if head == 0 else rng.normal())
            for head in range(heads)
        ]
    return averaged, pd.DataFrame(rows, columns=["pair", *KEY, "effect"])


def one(summary, kind, site="residual", direction=WAYS[0], head=None):
    rows = summary[(summary["kind"] == kind) & (summary["site"] == site) & (summary["direction"] == direction)]
    return rows.iloc[0] if head is None else rows[rows["head"] == head].iloc[0]


def test_flips_and_neutral_swaps_have_shares_of_their_own_and_a_difference():
    kinds = ["flip"] * 20 + ["neutral"] * 20
    summary = summarise_shares(*tables([0.8] * 20 + [0.2] * 20, [1, 2] * 20, kinds), OPTIONS)
    for kind, value in (("flip", 0.8), ("neutral", 0.2), ("difference", 0.6)):
        row = one(summary, kind)
        assert (row["value"], row["low"], row["high"]) == (pytest.approx(value),) * 3
    assert one(summary, "flip", direction=WAYS[1])["value"] == pytest.approx(0.4)
    assert one(summary, "flip", direction="both")["value"] == pytest.approx(0.6), "the mean of both directions"
    assert set(summary.loc[summary["site"] == "head", "direction"]) == {WAYS[0]}
    assert (one(summary, "flip")["pairs"], one(summary, "difference")["pairs"]) == (20, 40)


def test_a_pair_that_hardly_moves_the_answer_does_not_rule_the_share():
    """Its own share would be 500; over all pairs it is a ratio of sums."""
    summary = summarise_shares(*tables([0.5] * 9 + [500], [1] * 9 + [1e-6], ["flip"] * 10), OPTIONS)
    assert one(summary, "flip")["value"] == pytest.approx((9 * 0.5 + 500e-6) / (9 + 1e-6))
    assert np.isnan(one(summary, "neutral")["value"]) and np.isnan(one(summary, "difference")["low"])


def test_texts_that_repeat_a_cluster_prove_no_more_than_it():
    rng = np.random.default_rng(1)
    shares = rng.normal(0.5, 0.3, 12)
    alone = one(summarise_shares(*tables(shares, [1] * 12, ["flip"] * 12), OPTIONS), "flip")
    clusters = [str(number % 12) for number in range(48)]
    repeated = one(summarise_shares(*tables([*shares] * 4, [1] * 48, ["flip"] * 48, clusters), OPTIONS), "flip")
    assert repeated["high"] - repeated["low"] == pytest.approx(alone["high"] - alone["low"], rel=0.15)
    assert repeated["clusters"] == 12 and alone["low"] < shares.mean() < alone["high"]


def test_a_kind_of_few_texts_has_no_interval_and_neither_has_a_difference_from_it():
    """Twelve flips of three texts: the many neutral swaps beside them make them no more."""
    rng = np.random.default_rng(3)
    shares, kinds = rng.normal(0.5, 0.1, 32), ["flip"] * 12 + ["neutral"] * 20
    clusters = [str(number % 3) for number in range(12)] + [f"n{number}" for number in range(20)]
    few = summarise_shares(*tables(shares, [1] * 32, kinds, clusters), OPTIONS)
    for kind, known in (("flip", False), ("difference", False), ("neutral", True)):
        row = one(few, kind)
        assert not np.isnan(row["value"]) and (row[["low", "high", "p_adjusted"]].notna() == known).all()
    other = [{"flip": "neutral", "neutral": "flip"}[kind] for kind in kinds]
    few = summarise_shares(*tables(shares, [1] * 32, other, clusters), OPTIONS)
    assert [np.isnan(one(few, kind)["low"]) for kind in ("flip", "neutral", "difference")] == [False, True, True]


def test_where_nothing_moves_there_is_no_share():
    averaged, effects = tables([1.0] * 10, [1e-6] * 10, ["flip"] * 10)
    assert summarise_shares(averaged, effects, OPTIONS)["value"].isna().all()
    assert summarise_shares(averaged.head(0), effects.head(0), OPTIONS).empty
    assert summarise_shares(averaged.assign(total=np.nan), effects, OPTIONS).empty, "all were passed over"


def test_one_head_of_many_is_certain_after_adjustment_and_chance_is_not():
    summary = summarise_shares(*tables([0.9, 1.1] * 20, [1] * 40, ["flip"] * 40, heads=100), OPTIONS)
    heads = summary[(summary["kind"] == "flip") & (summary["site"] == "head")]
    assert one(summary, "flip", "head", head=0)["p_adjusted"] < 0.05
    assert (heads["p_adjusted"] < 0.05).sum() <= 3, "not one in twenty"


def test_heads_that_carry_as_much_of_both_are_told_from_one_that_carries_more_of_flips():
    """Of a hundred heads with intervals of their own five leave zero out by chance; all carry something of both."""
    kinds = ["flip"] * 40 + ["neutral"] * 40
    averaged, effects = tables([0.9, 1.1] * 40, [1] * 80, kinds, [str(number % 40) for number in range(80)], heads=101)
    heads = effects["site"] == "head"
    effects.loc[heads & (effects["head"] > 0), "effect"] += 5
    own = heads & (effects["head"] == 1) & (effects["pair"] < 40)
    effects.loc[own, "effect"] += 2
    summary = summarise_shares(averaged, effects, OPTIONS)
    heads = summary[summary["site"] == "head"].set_index(["kind", "head"])
    alone = (heads["low"] > 0) | (heads["high"] < 0)
    shown = heads["p_adjusted"] < 0.05
    assert shown["flip"].all() and shown["neutral"].all()
    assert alone["difference"].sum() > 3 and list(shown["difference"][shown["difference"]].index) == [1]
    assert heads.loc[("difference", 0), "p_adjusted"] > 0.9, "it carries as much of both"
    swapless = summarise_shares(*tables([0.9, 1.1] * 20, [1] * 40, ["flip"] * 40), OPTIONS).set_index("kind")
    assert swapless.loc[["neutral", "difference"], "p_adjusted"].isna().all()


def test_the_level_of_an_interval_is_the_one_that_was_asked_for():
    made = tables(np.random.default_rng(2).normal(0.5, 0.3, 20), [1] * 20, ["flip"] * 20)
    narrow, wide = (one(summarise_shares(*made, OPTIONS | {"alpha": alpha}), "flip") for alpha in (0.5, 0.01))
    assert wide["high"] - wide["low"] > 2 * (narrow["high"] - narrow["low"])
