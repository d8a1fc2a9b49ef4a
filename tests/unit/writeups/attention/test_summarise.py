"""The attention write-up in numbers: what is counted, what is compared, and what is no finding."""

import numpy as np
import pandas as pd
import pytest

from attention_tables import MAIA, weights_of
from emoscope.writeups.attention import summarise as attention_summary

OPTIONS = {"seed": 0, "resamples": 200, "alpha": 0.05}


def blocked(texts: int, length: int, effect) -> pd.DataFrame:
    """Attention to every target, random, and the effect of blocking it, a function of the table."""
    source, target = np.tril_indices(length)
    rng = np.random.default_rng(0)
    tables = [
        pd.DataFrame({"text": text, "source": source, "target": target, "mean": rng.random(len(source))}).assign(
            rollout=rng.random(len(source))
        )
        for text in range(texts)
    ]
    table = pd.concat(tables).query("source > 0").assign(resting=lambda table: table["target"] == 0)
    return table.assign(divergence=effect(table))


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    found = attention_summary.agreement_table(attention_summary.source_agreement(table), OPTIONS)
    return found.set_index(["score", "targets", "measure"]).sort_index()


def test_attention_that_is_the_effect_agrees_wholly():
    found = agreement(blocked(20, 9, lambda table: table["mean"] ** 2))
    assert (found.loc["mean", ["value", "high"]] == 1).all(axis=None)
    low = found.loc["mean", "low"].unstack()
    assert (low["correlation"] == 1).all() and low["top"].between(0.7, 0.9).all(), "another text might not agree"
    assert (found.loc["rollout", "value"] < 0.8).all()
    assert (found["sources"] == 20 * 5).all()  # sources 4 to 8 have four targets after the first token


def test_an_effect_of_nearness_is_found_as_such():
    found = agreement(blocked(10, 9, lambda table: table["target"]))
    assert (found.loc["nearness", "value"] == 1).all()
    sources = attention_summary.source_agreement(blocked(10, 9, lambda table: table["target"]))
    table = attention_summary.agreement_table(sources, OPTIONS)
    leads = {f.name: f for f in attention_summary.agreement_findings(table, sources, OPTIONS)}
    assert leads["agreement.mean.all.lead_over_nearness"].high < 0


def test_a_sink_is_left_out_where_it_is_said_to_be():
    """All attention and all effect at the first token: agreement on the largest, until it does not count."""
    table = blocked(6, 12, lambda table: np.random.default_rng(1).random(len(table)) + 9 * (table["target"] == 0))
    table.loc[table["target"] == 0, "mean"] = 9
    found = agreement(table)["value"]
    assert found["mean", "all", "top"] == 1
    assert found["mean", "rest", "top"] < 0.5 and abs(found["mean", "rest", "correlation"]) < 0.3


def test_guessing_is_one_over_the_number_of_targets():
    found = agreement(blocked(2, 6, lambda table: table["mean"]))["guessing"]
    assert found["mean", "all", "top"] == pytest.approx((1 / 5 + 1 / 6) / 2)
    assert found["mean", "rest", "top"] == pytest.approx((1 / 4 + 1 / 5) / 2)


def test_the_published_place_is_read():
    weights, tokens = weights_of(MAIA)
    found = {f.name: f.value for f in attention_summary.published_findings(weights, tokens)}
    assert found["explore.0"] == pytest.approx(0.9 + 0.010)
    assert found["explore.9"] == pytest.approx(0.9 + 0.010 + 0.00009)
    assert found["explore.highest"] == 3  # these weights grow with the target: who, likes and to are among the five


@pytest.mark.parametrize("change", ["other sentence", "other tokens", "fewer heads"])
def test_what_is_not_the_published_place_is_no_finding(change):
    weights, tokens = weights_of(
        MAIA if change != "other tokens" else MAIA[1:], heads=9 if change == "fewer heads" else 10
    )
    if change == "other sentence":
        tokens["text"] = "Maia explores."
    assert attention_summary.published_findings(weights, tokens) == []


def test_heads_that_look_after_an_earlier_occurrence():
    weights, tokens = weights_of(["a", "b", "c", "a", "b"], heads=2)
    weights["weight"] = 0.0
    weights.loc[(weights["head"] == 1) & (weights["source"] == 3) & (weights["target"] == 1), "weight"] = 0.9
    weights.loc[(weights["head"] == 1) & (weights["source"] == 4) & (weights["target"] == 2), "weight"] = 0.5
    weights.loc[(weights["head"] == 0) & (weights["source"] == 4) & (weights["target"] == 1), "weight"] = 1.0
    found = attention_summary.repeated_looks(weights, tokens)
    assert found.tolist() == pytest.approx([0, 0.7])
    assert attention_summary.repeated_looks(*weights_of(["a", "b", "c"])).isna().all()


def test_findings_name_the_head_that_looks_most():
    places = pd.MultiIndex.from_product([range(9), range(2), range(4)], names=["text", "block", "head"])
    looks = pd.DataFrame({"first": 0.1, "itself": 0.2, "previous": 0.3, "agreement": 0.5}, places).reset_index()
    looks.loc[(looks["block"] == 1) & (looks["head"] == 2), "previous"] = [0.8, 0.9, 1.0] * 3
    silenced = looks.assign(
        elsewhere=1 - looks["first"], sharpest=looks["previous"], divergence=looks["previous"], change=0
    )
    heads = attention_summary.head_table(looks, silenced, OPTIONS).assign(repeated=np.arange(8) / 10)
    found = {f.name: f for f in attention_summary.head_findings(heads, looks, silenced, OPTIONS)}
    previous = found["looks.previous.largest"]
    assert previous.value == pytest.approx(0.9) and 0.8 <= previous.low < 0.9 < previous.high <= 1
    assert previous.note.startswith("block 1, head 2, the largest of 8 heads, 9 texts")
    assert found["looks.repeated.largest"].note.startswith("block 1, head 3")
    assert found["heads.divergence.largest"].note.startswith("block 1, head 2")
    assert found["heads.sharpest.correlation"].value == pytest.approx(1)
    assert found["looks.first.share"].value == pytest.approx(0.1)
