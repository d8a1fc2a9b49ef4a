"""The attention write-up in numbers: what is counted, what is compared, and what is no finding."""

import numpy as np
import pandas as pd
import pytest

from attention_tables import MAIA, weights_of
from emoscope.writeups.attention import summarise as attention_summary
from emoscope.writeups.attention.published import published_findings

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
    assert found["mean", "all", "top"] == found["first", "all", "top"] == 1, "always naming the first does as well"
    assert found["first", "rest", "top"] < 0.5
    assert found["mean", "rest", "top"] < 0.5 and abs(found["mean", "rest", "correlation"]) < 0.3


def test_guessing_is_one_over_the_number_of_targets():
    found = agreement(blocked(2, 6, lambda table: table["mean"]))["guessing"]
    assert found["mean", "all", "top"] == pytest.approx((1 / 5 + 1 / 6) / 2)
    assert found["mean", "rest", "top"] == pytest.approx((1 / 4 + 1 / 5) / 2)


def test_the_published_place_is_read():
    weights, tokens = weights_of(MAIA)
    found = {f.name: f.value for f in published_findings(weights, tokens)}
    assert found["explore.0"] == pytest.approx(0.9 + 0.010)
    assert found["explore.9"] == pytest.approx(0.9 + 0.010 + 0.00009)
    assert found["explore.highest"] == 3  # these weights grow with the target: who, likes and to are among the five


def test_the_published_place_is_read_where_all_texts_are_too_short_to_block(tmp_path):
    weights, tokens = weights_of(MAIA)
    names = ("blocked", "looks", "silenced", "weights", "tokens")
    empty = dict.fromkeys(names, pd.DataFrame())
    for name, table in (empty | {"weights": weights, "tokens": tokens}).items():
        table.to_parquet(tmp_path / name)
    written = {name: tmp_path / f"{name}.csv" for name in ("agreement", "heads", "findings")}
    statistics = {"seed": 0, "resamples": 100, "confidence": 0.95}
    attention_summary.summarise_attention(*(tmp_path / name for name in names), statistics, *written.values())
    assert {"explore.0", "explore.highest"} <= {*pd.read_csv(written["findings"])["name"]}
    assert pd.read_parquet(written["heads"]).empty


@pytest.mark.parametrize("change", ["other sentence", "other tokens", "fewer heads"])
def test_what_is_not_the_published_place_is_no_finding(change):
    weights, tokens = weights_of(
        MAIA if change != "other tokens" else MAIA[1:], heads=9 if change == "fewer heads" else 10
    )
    if change == "other sentence":
        tokens["text"] = "Maia explores."
    assert published_findings(weights, tokens) == []


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
    own = heads[(heads["block"] == 1) & (heads["head"] == 2)].iloc[0]
    assert found["heads.divergence.largest"].low < own["low"], "it was chosen for its size among eight"
    assert found["heads.sharpest.correlation"].value == pytest.approx(1)
    assert found["looks.first.share"].value == pytest.approx(0.1)


def above_random(trained: pd.DataFrame, random: pd.DataFrame, twins: int = 99) -> dict:
    """Texts take turns with so many twins."""
    sources = [attention_summary.source_agreement(table) for table in (trained, random)]
    texts = random["text"].unique()
    read_by = pd.Series(np.arange(len(texts)) % twins, index=texts).astype(str)
    return {finding.name: finding for finding in attention_summary.random_findings(*sources, read_by, OPTIONS)}


def test_mechanics_alone_are_no_knowledge():
    """A model whose attention ranks effects no better than that of random weights says nothing of what matters."""
    mechanical = blocked(9, 9, lambda table: table["mean"] ** 2)
    found = above_random(mechanical, mechanical[mechanical["text"] % 3 == 0])
    assert found["agreement.mean.rest.random"].value == pytest.approx(1)
    above = found["agreement.mean.rest.above_random"]
    assert above.value == pytest.approx(0) and above.texts == 3 and not above.low > 1e-9
    worse = above_random(blocked(9, 9, lambda table: 1 - table["mean"]), mechanical)
    assert worse["agreement.mean.rest.above_random"].high < -1.5


def test_attention_that_knows_more_than_random_weights_is_found():
    knowing = blocked(9, 9, lambda table: table["mean"])
    noise = np.random.default_rng(5)
    found = above_random(knowing, blocked(9, 9, lambda table: noise.random(len(table))))
    above = found["agreement.mean.rest.above_random"]
    assert above.value == pytest.approx(1 - found["agreement.mean.rest.random"].value)
    assert above.low > 0.5


def test_a_model_that_ignores_its_input_knows_nothing():
    """No effect anywhere: nothing to rank, and less agreement than random weights have."""
    deaf = blocked(9, 9, lambda table: 0.0 * table["mean"])
    found = above_random(deaf, blocked(9, 9, lambda table: table["mean"]))
    assert found["agreement.mean.rest.above_random"].high < 0


def test_a_sink_cannot_lift_attention_above_random_weights():
    """A trained model that rests on its first token, with the largest effects there, and knows nothing else."""
    noise = np.random.default_rng(7)
    resting = blocked(9, 12, lambda table: noise.random(len(table)) + 9 * (table["target"] == 0))
    resting.loc[resting["target"] == 0, "mean"] = 9
    random = blocked(9, 12, lambda table: table["mean"] + noise.random(len(table)) / 4)
    found = above_random(resting, random)
    assert found["agreement.mean.rest.above_random"].high < 0
    assert found["agreement.mean.all.above_random"].value > found["agreement.mean.rest.above_random"].value


def test_sources_are_compared_with_themselves():
    trained = blocked(6, 9, lambda table: table["mean"])
    random = blocked(6, 9, lambda table: table["mean"].where(table["text"] == 0, -table["mean"]))
    shuffled = random.sample(frac=1, random_state=0).sort_values(["text"], ascending=False, kind="stable")
    one, other = (above_random(trained, table) for table in (random, shuffled))
    name = "agreement.mean.rest.above_random"
    assert one[name].value == pytest.approx(other[name].value) == pytest.approx(2 * 5 / 6)


def test_texts_of_one_random_model_are_no_more_evidence_than_the_model():
    """Eight draws of weights, each of which agrees wholly or not at all, however many texts it reads."""
    trained = blocked(48, 9, lambda table: table["mean"])
    random = blocked(48, 9, lambda table: table["mean"] * np.where(table["text"] % 8 < 4, 1, -1))
    by_twin, by_text, of_one = (
        above_random(trained, random, twins)["agreement.mean.rest.above_random"] for twins in (8, 48, 1)
    )
    assert by_twin.value == by_text.value == pytest.approx(1) and by_twin.texts == 48
    assert by_twin.high - by_twin.low > 1.4 > 0.8 > by_text.high - by_text.low
    assert np.isnan([of_one.low, of_one.high]).all(), "of one draw it is not known how far another lies"
    assert by_twin.note == "240 sources in 48 texts, 8 random models of the same architecture"


def test_sources_of_one_text_are_no_more_evidence_than_the_text():
    """In every second text attention is the effect, in the others its opposite: twelve texts, of five sources each."""
    torn = blocked(12, 9, lambda table: table["mean"] * np.where(table["text"] % 2, 1, -1))
    sources = attention_summary.source_agreement(torn)
    assert len(sources) == 12 * 5
    agreed = attention_summary.agreement_table(sources, OPTIONS)
    row = agreed.set_index(["score", "targets", "measure"]).loc[("mean", "all", "correlation")]
    assert row["high"] - row["low"] > 0.9, "60 independent sources would leave 0.5"
    leads = {f.name: f for f in attention_summary.agreement_findings(agreed, sources, OPTIONS)}
    lead = leads["agreement.mean.all.lead_over_nearness"]
    assert lead.high - lead.low > 0.9
    above = above_random(torn, blocked(12, 9, lambda table: table["mean"]))["agreement.mean.all.above_random"]
    assert above.value == pytest.approx(-1) and above.high - above.low > 0.9
