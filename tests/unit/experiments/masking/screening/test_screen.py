"""The screen of heads: its estimates are the slopes of what masks do, set right by a few texts; the largest are chosen
and others by chance, and what it missed is told."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from bs4 import BeautifulSoup
from safetensors.torch import save_file
from scipy.stats import norm

from emoscope.experiments.masking import figures
from emoscope.experiments.masking.measure import heads_to_mask, mask_block
from emoscope.experiments.masking.screening import page as screened_page
from emoscope.experiments.masking.screening.screen import (
    MEASURED,
    SCREEN_COLUMNS,
    Estimate,
    HeadMasks,
    changes_of,
    chosen_heads,
    estimates_of,
    margins_of,
    screen_heads,
    set_right,
    slopes_of,
    spread,
)
from emoscope.experiments.masking.screening.screened import screen_findings, with_effects
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.interventions import changing_input
from emoscope.models.logits import predict_logits, prediction_table
from emoscope.models.parts import head_slice, projection_of
from emoscope.reporting.plots import svg
from emoscope.storage.files import write_json
from emoscope.storage.names import ALL, WHOLE_BLOCK
from masked_by_hand import OTHERS, at_mean, inputs_of, means_by_hand, reference_of
from random_models import TEXTS

GROUPS = np.array([0, 2, 1, 0, 2], dtype=np.int8)  # as tables have it
STEP = 1e-3  # some families' norms compute in float32, whatever the model does


def slope_by_hand(model, tokenizer, number: int, block: int, head: int, instead: torch.Tensor | float) -> float:
    """How fast the margin of one text alone changes as one head's output starts to become another one."""
    inputs, own = inputs_of(tokenizer, TEXTS[number]), GROUPS[number]

    def margin(step: float) -> float:
        def moved(heads):
            heads, where = heads.clone(), head_slice(model, head)
            there = instead[..., where] if isinstance(instead, torch.Tensor) else instead
            heads[..., where] += step * (there - heads[..., where])
            return heads

        with changing_input(projection_of(model, block), moved), torch.inference_mode():
            logits = model(**inputs).logits[0].tolist()
        return logits[own] - max(value for place, value in enumerate(logits) if place != own)

    return (margin(STEP) - margin(-STEP)) / (2 * STEP)


def test_slopes_are_those_of_the_masks(classifier, tokenizer):
    model = copy.deepcopy(classifier).double()
    reference = reference_of(model, tokenizer)
    masks = HeadMasks(model, tokenizer, ["zero", "mean"], reference, 1000, frozenset(CHECKS))
    found = slopes_of(masks, TEXTS, GROUPS)
    for block in range(3):
        means = means_by_hand(model, tokenizer, OTHERS, block, "heads")
        for number, text in enumerate(TEXTS):
            at = at_mean(model, tokenizer, text, means)
            for head in range(4):
                places = number, block, head
                zero = slope_by_hand(model, tokenizer, *places, 0.0)
                assert found["zero"][places] == pytest.approx(zero, rel=0.01, abs=2e-3)
                mean = slope_by_hand(model, tokenizer, *places, at)
                assert found["mean"][places] == pytest.approx(mean, rel=0.01, abs=2e-3)


def test_the_margin_is_to_the_strongest_rival_and_of_several_labels_the_logit():
    logits, own = torch.tensor([[1.0, 5.0, 2.0], [3.0, 0.0, -1.0]]), torch.tensor([2, 0])
    assert margins_of(logits, own, several=False).tolist() == [-3, 3]
    assert margins_of(logits, own, several=True).tolist() == [2, 3]


def test_slopes_that_are_wrong_alike_everywhere_are_set_right_by_any_text():
    rng = np.random.default_rng(0)
    changes, bias = rng.normal(size=(20, 2, 3)), rng.normal(size=(2, 3))
    for row in range(20):
        found = set_right(changes + bias, changes[[row]], np.array([row]))
        np.testing.assert_allclose(found.change, changes.mean(axis=0))
        np.testing.assert_allclose(found.slope, changes.mean(axis=0) + bias)
    assert set_right(changes + bias, changes[:2], np.arange(2)).error == pytest.approx(0)


def test_estimates_are_without_bias_and_their_errors_what_they_err_by():
    rng = np.random.default_rng(0)
    changes, slopes = rng.normal(size=(40, 1, 2)), rng.normal(size=(40, 1, 2)) + 3
    rows = [rng.permutation(40)[:8] for _ in range(4000)]
    found = [set_right(slopes, changes[some], some) for some in rows]
    estimates = np.array([estimate.change for estimate in found])
    np.testing.assert_allclose(estimates.mean(axis=0), changes.mean(axis=0), atol=0.03)
    errors = np.sqrt(np.mean([estimate.error**2 for estimate in found], axis=0))
    np.testing.assert_allclose(errors, estimates.std(axis=0), rtol=0.05)


def test_measured_texts_are_drawn_alike_and_from_each_group_its_share():
    groups = np.array([2, 0, 1, 0, 0, 1, 2, 0, 1, 0, 0, 0])  # 7, 3 and 2
    counts = np.zeros(12)
    for seed in range(3000):
        rows = spread(groups, 6, np.random.default_rng(seed))
        assert len(set(rows)) == 6 and (groups[rows] == 0).sum() in (3, 4) and (groups[rows] == 2).sum() == 1
        counts[rows] += 1
    np.testing.assert_allclose(counts / 3000, 0.5, atol=0.05)
    assert sorted(spread(groups, 99, np.random.default_rng(0))) == list(range(12))


def known(changes: np.ndarray) -> Estimate:
    """Changes without an error, of which the slopes say nothing."""
    return Estimate(np.zeros(changes.shape), changes, np.zeros(changes.shape))


def test_the_largest_are_chosen_by_either_condition_and_the_others_drawn_from_the_rest():
    zero, mean = np.zeros((3, 4)), np.zeros((3, 4))
    zero[1, 2], zero[2, 0], mean[0, 3], mean[2, 1] = -5, 1, 4, 0.5
    drawn = set()
    for seed in range(40):
        found = chosen_heads({"zero": known(zero), "mean": known(mean)}, 2, np.random.default_rng(seed))
        assert found.columns.tolist() == SCREEN_COLUMNS and len(found) == 24
        for _, rows in found.groupby("condition"):
            assert set(zip(*rows.loc[rows["largest"], ["block", "head"]].to_numpy().T, strict=True)) == {(1, 2), (0, 3)}
            assert rows["random"].sum() == 2 and not (rows["largest"] & rows["random"]).any()
        chosen = found[found["random"]]
        drawn |= set(zip(chosen["block"], chosen["head"], strict=True))
    assert len(drawn) == 10  # each of the others, sooner or later
    by_place = found.set_index(["condition", "block", "head"])["estimate"]
    assert by_place["zero", 1, 2] == -5 and by_place["mean", 0, 3] == 4 and by_place["mean", 1, 2] == 0


def test_a_head_that_may_do_much_goes_before_one_that_surely_does_less():
    change, error, slope = np.array([[-2.0, 1.5, 0]]), np.array([[0, 0.8, 0]]), np.array([[0, 0, 9.0]])
    found = chosen_heads({"zero": Estimate(slope, change, error)}, 1, np.random.default_rng(0))
    assert found["head"][found["largest"]].tolist() == [1]
    assert found[["slope", "estimate", "error"]].to_numpy().tolist() == [[0, -2, 0], [0, 1.5, 0.8], [9, 0, 0]]


def test_few_heads_are_all_masked():
    found = chosen_heads({"zero": known(np.ones((2, 3)))}, 4, np.random.default_rng(0))
    assert (found["largest"] ^ found["random"]).all()


def test_no_estimates_no_heads():
    found = chosen_heads({}, 4, np.random.default_rng(0))
    assert found.empty and heads_to_mask(found, 0) == []


def gone_over(
    changes: list[float], estimates: list[float], largest: int, drawn: int, left: int, error: float = 0.001
) -> pd.DataFrame:
    """A screen of one block, whose first heads have the `largest` estimates, the next ones are `drawn`; changes are
    known with a standard `error`."""
    heads = largest + drawn + left
    screen = pd.DataFrame({"block": 0, "head": range(heads), "condition": "zero", "estimate": estimates})
    head = screen["head"]
    screen = screen.assign(largest=head < largest, random=head.between(largest, largest + drawn - 1))
    screen = screen.assign(slope=screen["estimate"] + 1, error=0.0)
    change = np.array(changes)
    rows = pd.DataFrame({"block": 0, "head": range(largest + drawn), "change": change})
    rows = rows.assign(low=change - 2 * error, high=change + 2 * error)
    rows = rows.assign(condition="zero", group=ALL, measure="margin", p_adjusted=0.5, equivalence_margin=0.08)
    rows = rows.assign(
        p_equivalence=norm.sf((0.08 - np.abs(change)) / error), p_beyond=2 * norm.sf((np.abs(change) - 0.08) / error)
    ).assign(p_beyond=lambda table: table["p_beyond"].clip(upper=1))
    other = rows.assign(change=9.0)
    others = [other.assign(group="joy"), other.assign(measure="accuracy"), other.assign(head=WHOLE_BLOCK).head(1)]
    return with_effects(screen, pd.concat([*others, rows]))


def test_what_was_missed_is_told():
    estimates = [5, -4, 0.1, 0.2, 0.3, 0.4, 0.5, 0]
    table = gone_over([5.5, -3, 0.3, 0.1, -0.02, 0.4, 0.06], estimates, 2, 5, 1)
    assert table["change"].isna().sum() == 1
    found = {finding.name: finding for finding in screen_findings(table, 0.05)}
    assert found["screen.masked.zero"].value == 7 / 8
    assert found["screen.error.zero"].value == pytest.approx(np.mean([0.2, 0.1, 0.32, 0, 0.44]))
    assert found["screen.slope_error.zero"].value == pytest.approx(np.mean([0.8, 1.1, 1.32, 1, 1.44]))
    assert found["screen.missed.zero"].value == 0.4
    assert found["screen.beyond.zero"].value == 3 / 5
    assert found["screen.beyond.zero"].high == pytest.approx(0.9473, abs=1e-4)  # Clopper and Pearson's
    assert found["screen.rank_correlation.zero"].value == pytest.approx(-0.2)
    text = " ".join(screened_page.screening(table, 0.05).split())
    assert "off by 0.212 logits on average, by gradients alone by 1.132" in text
    assert "Of 3 it is shown" in text and "the screen missed heads that matter" in text and "94.7 %" in text
    assert found["screen.missed.zero"].beyond < 0.05 < found["screen.missed.zero"].within


def test_a_noisy_change_beyond_the_margin_shows_nothing():
    """As the first screen, but known so badly that the largest may be nil, and the smallest large."""
    table = gone_over([5.5, -3, 0.3, 0.1, -0.02, 0.4, 0.06], [5, -4, 0, 0, 0, 0, 0, 0], 2, 5, 1, error=0.3)
    found = {finding.name: finding for finding in screen_findings(table, 0.05)}
    assert found["screen.beyond.zero"].value == found["screen.beyond.zero"].low == 0
    assert found["screen.beyond.zero"].high == 1, "none is shown to stay within"
    assert found["screen.missed.zero"].low == pytest.approx(-0.62)
    assert found["screen.missed.zero"].high == pytest.approx(1.0)
    text = screened_page.screening(table, 0.05)
    assert "cannot be told" in text and "missed heads that matter</strong>" not in text


def test_one_head_of_many_beyond_by_chance_is_not_a_miss():
    """A p of 0.03 among ten heads is what chance makes of heads on the margin."""
    table = gone_over([0.0] * 11, [5, *[0] * 19], 1, 10, 9)
    drawn = table["random"].to_numpy()
    table.loc[drawn, "p_beyond"], table.loc[drawn, "p_equivalence"] = [0.03, *[0.9] * 9], [0.98, *[0.3] * 9]
    text = screened_page.screening(table, 0.05)
    assert "cannot be told" in text and "missed heads that matter</strong>" not in text


def test_a_screen_that_missed_nothing_says_how_much_it_may_have():
    table = gone_over([5.5, -3, 0.03, 0.01, -0.02, 0.04, 0.06], [5, -4, 0, 0, 0, 0, 0, *[0] * 9], 2, 5, 9)
    text = BeautifulSoup(screened_page.screening(table, 0.05), "html.parser").get_text(" ", strip=True)
    assert "of 16 heads only 7 were masked" in text and "5 of the 14 others" in text
    assert "All of them are shown to stay within" in text and "52.2 %" in text and "missed heads" not in text
    svg(figures.screened_heads(table))


def test_all_others_drawn_leave_nothing_to_guess():
    table = gone_over([5.5, 0.03, 0.01], [5, 0, 0], 1, 2, 0)
    found = {finding.name: finding for finding in screen_findings(table, 0.05)}
    assert found["screen.beyond.zero"][1:4] == (0, 0, 0)


def margins_in(table: pd.DataFrame) -> np.ndarray:
    """The margins of GROUPS in a table of predictions."""
    logits = torch.as_tensor(table.filter(like="logit_").to_numpy(copy=True))
    return margins_of(logits, torch.as_tensor(GROUPS).long(), several=False).numpy()


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
def test_only_the_chosen_heads_are_masked_and_as_without_a_screen(classifier, tokenizer, tmp_path):
    classifier.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    texts = pd.DataFrame({"id": np.arange(len(TEXTS)), "text": TEXTS, "label": 0})
    classes = list(classifier.config.id2label.values())
    samples = prediction_table(texts, predict_logits(classifier, tokenizer, TEXTS, 99), classes)
    samples.assign(text=TEXTS, group=GROUPS).to_parquet(tmp_path / "samples.parquet")
    save_file(dict(reference_of(classifier, tokenizer).means), tmp_path / "means.safetensors")
    pd.DataFrame({"text": OTHERS}).to_parquet(tmp_path / "texts.parquet")
    write_json({"checks": [{"check": name, "exact": True} for name in CHECKS]}, tmp_path / "exactness.json")
    files = {name: tmp_path / f"{name}.parquet" for name in ("samples", "texts")}
    files |= {"model": tmp_path / "model", "means": tmp_path / "means.safetensors"}
    files |= {"exactness": tmp_path / "exactness.json", "seed": 3, "prediction": {"tokens_per_batch": 64}}
    conditions = {"head_conditions": ["zero", "mean"]}
    screen = tmp_path / "screen.parquet"
    screen_heads(**files, masking=conditions | {"screened_heads": 2}, output=screen)
    table = pd.read_parquet(screen)
    reference = reference_of(classifier, tokenizer)
    slopes = slopes_of(HeadMasks(classifier, tokenizer, ["mean"], reference, 64, frozenset(CHECKS)), TEXTS, GROUPS)
    of_mean = table[table["condition"] == "mean"]
    np.testing.assert_allclose(of_mean["slope"], slopes["mean"].mean(axis=0).ravel(), atol=1e-5)
    assert len(TEXTS) <= MEASURED and (table["error"] == 0).all()  # all texts were measured
    masking = conditions | {"block_conditions": ["described"], "resample_draws": 1}
    heads = {block: heads_to_mask(table, block) for block in range(3)}
    assert sum(map(len, heads.values())) == 4
    for block, chosen in heads.items():
        mask_block(**files, block=block, masking=masking, output=tmp_path / "all.parquet")
        mask_block(**files, block=block, masking=masking, screen=[screen], output=tmp_path / "some.parquet")
        whole, some = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("all", "some"))
        assert set(some["head"]) == {WHOLE_BLOCK, *chosen}
        estimates = table[table["block"] == block].set_index(["head", "condition"])["estimate"]
        for mask, rows in whole[whole["head"] != WHOLE_BLOCK].groupby(["head", "condition"]):
            changes = margins_in(rows) - margins_in(pd.read_parquet(files["samples"]))
            assert estimates[mask] == pytest.approx(changes.mean(), abs=1e-5)
        pd.testing.assert_frame_equal(some, whole[whole["head"].isin([WHOLE_BLOCK, *chosen])].reset_index(drop=True))


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
def test_few_texts_set_the_slopes_of_all_right(monkeypatch, classifier, tokenizer):
    monkeypatch.setattr("emoscope.experiments.masking.screening.screen.MEASURED", 2)
    reference = reference_of(classifier, tokenizer)
    masks = HeadMasks(classifier, tokenizer, ["zero"], reference, 1000, frozenset(CHECKS))
    slopes, changes = (measure(masks, TEXTS, GROUPS)["zero"] for measure in (slopes_of, changes_of))
    rng = np.random.default_rng(0)
    rows = spread(GROUPS, 2, copy.deepcopy(rng))
    found = estimates_of(masks, TEXTS, GROUPS, rng)
    wrong = changes[rows] - slopes[rows]
    np.testing.assert_allclose(found["zero"].change, slopes.mean(axis=0) + wrong.mean(axis=0), atol=1e-5)
    assert np.abs(found["zero"].change - changes.mean(axis=0)).max() > 1e-4, "two texts are not all"


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
def test_where_heads_are_not_what_the_projection_reads_none_is_screened(classifier, tokenizer, tmp_path):
    classifier.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    pd.DataFrame({"text": TEXTS, "group": GROUPS}).to_parquet(tmp_path / "samples.parquet")
    save_file(dict(reference_of(classifier, tokenizer).means), tmp_path / "means.safetensors")
    pd.DataFrame({"text": OTHERS}).to_parquet(tmp_path / "texts.parquet")
    write_json({"checks": [{"check": name, "exact": name != "heads"} for name in CHECKS]}, tmp_path / "exactness.json")
    output = tmp_path / "screen.parquet"
    screen_heads(
        model=tmp_path / "model",
        samples=tmp_path / "samples.parquet",
        means=tmp_path / "means.safetensors",
        texts=tmp_path / "texts.parquet",
        exactness=tmp_path / "exactness.json",
        masking={"head_conditions": ["zero"], "screened_heads": 2},
        seed=0,
        prediction={"tokens_per_batch": 64},
        output=output,
    )
    screen = pd.read_parquet(output)
    assert screen.empty and heads_to_mask(screen, 0) == []
    summary = pd.DataFrame({"block": [0], "head": [WHOLE_BLOCK], "condition": ["described"], "group": [ALL]})
    effect = {"measure": "margin", "change": 0.0, "low": 0, "high": 0, "p_adjusted": 1, "equivalence_margin": 1}
    effect |= {"p_equivalence": 1, "p_beyond": 1}
    table = with_effects(screen, summary.assign(**effect))
    assert table.empty and list(screen_findings(table, 0.05)) == []
