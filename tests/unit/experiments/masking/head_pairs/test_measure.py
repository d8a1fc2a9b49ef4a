"""Pairs of heads: two that do the same are found to make up for each other, two that do different things are not."""

from contextlib import ExitStack
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2ForSequenceClassification

from emoscope.experiments.masking.head_pairs.measure import costliest_heads, mask_pairs, pair_scores
from emoscope.experiments.masking.masks import Mask, masks_of
from emoscope.experiments.masking.measure import block_scores, score_table
from emoscope.experiments.masking.measures import PAIR
from emoscope.experiments.masking.reference import Reference, mean_outputs
from emoscope.experiments.masking.summarise import summarise_pairs
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.interventions import fixed_head
from emoscope.models.logits import predict_logits, prediction_table
from emoscope.models.parts import head_slice
from emoscope.statistics.adjustment import benjamini_hochberg
from emoscope.storage.files import write_json
from emoscope.storage.names import WHOLE_BLOCK
from emoscope.training.start import train_tokenizer
from masked_by_hand import OTHERS, at_mean, inputs_of, means_by_hand, reference_of
from random_models import TEXTS

STATISTICS = {"confidence": 0.95, "margin": 0.02, "resamples": 200, "seed": 0}
MODULE = "emoscope.experiments.masking.head_pairs.measure"
MOODS = ("happy", "angry")
JUDGED = [f"{one} {other} the {mood} dog" for one, other, mood in product(range(5), range(4), MOODS)]
REFERENCE = [f"{filler} the {mood} dog" for filler, mood in product(("see", "do you see", "and"), MOODS)]


@pytest.fixture(scope="module")
def moods():
    """A tokenizer that has a token for each mood."""
    return train_tokenizer(pd.Series(JUDGED + REFERENCE), {"vocabulary": 300, "context": 32})


def reader(tokenizer, writes: dict[int, int], constant: float) -> GPT2ForSequenceClassification:
    """A GPT-2 of one block, whose heads spread the sign of the mood to later tokens: `writes` says to which two
    dimensions each head writes it, the given one and the next. The answer is the sum of what stands there. A large
    `constant` in every token keeps the last norm from hiding how much of it there is.
    """
    sizes = {"n_positions": 32, "n_embd": 24, "n_layer": 1, "n_head": 4, "num_labels": 2, "pad_token_id": 0}
    model = GPT2ForSequenceClassification(GPT2Config(vocab_size=len(tokenizer), **sizes)).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.fill_(float("ln" in name and "weight" in name))
        for sign, mood in zip((1, -1), MOODS, strict=True):
            [token] = tokenizer(f" {mood}")["input_ids"]
            model.transformer.wte.weight[token, :2] = torch.tensor([sign, -sign]).float()
        model.transformer.wpe.weight[:, 8] = constant
        model.transformer.wpe.weight[:, 9] = -constant
        attention = model.transformer.h[0].attn
        for head, place in writes.items():
            attention.c_attn.weight[0, 48 + 6 * head] = 1
            attention.c_attn.weight[1, 48 + 6 * head] = -1
            attention.c_proj.weight[6 * head, place] = 100
            attention.c_proj.weight[6 * head, place + 1] = -100
        for place in set(writes.values()):
            model.score.weight[0, place] = 1
            model.score.weight[1, place] = -1
    return model


def judged_pairs(model, tokenizer, count: int = 4) -> pd.DataFrame:
    """The summary of the pairs, rows of the logit margin by pair."""
    texts = pd.DataFrame({"id": range(len(JUDGED)), "text": JUDGED, "label": [0, 1] * (len(JUDGED) // 2)})
    samples = prediction_table(texts, predict_logits(model, tokenizer, JUDGED, 200), ["joy", "anger"])
    samples = samples.assign(text=JUDGED, group=samples["pred"])
    assert (samples["pred"] == samples["label"]).all()
    reference = Reference(REFERENCE, mean_outputs(model, tokenizer, REFERENCE, 1000))
    heads = [(0, head) for head in range(count)]
    scores = pair_scores(model, tokenizer, JUDGED, heads, reference, 200, CHECKS)
    parts = [
        score_table(model, samples["id"], logits, 0, Mask(0, "mean")).assign(
            **dict(zip(PAIR, (*first, *second), strict=True))
        )
        for (first, second), logits in scores.items()
    ]
    masked = pd.concat(parts).drop(columns=["block", "head", "condition", "draw"])
    masked.columns = [name.replace("LABEL_0", "joy").replace("LABEL_1", "anger") for name in masked]
    return summarise_pairs(samples, masked, STATISTICS).set_index(["measure", "first_head", "second_head"])


def test_a_duplicated_head_is_redundant_though_each_alone_costs_nothing(moods):
    found = judged_pairs(reader(moods, {0: 2, 1: 2}, constant=0.0), moods)
    both = found.loc["margin", 0, 1]
    assert abs(both["first"]) < 1e-3 and abs(both["second"]) < 1e-3 and both["together"] < -1
    assert both["change"] == pytest.approx(both["together"], abs=1e-3) and both["high"] < 0
    assert both["verdict"] == "redundant"
    assert set(found.loc["margin"].drop((0, 1))["verdict"]) == {"additive"}
    assert found.loc[("accuracy", 0, 1), "change"] == pytest.approx(-0.5)


def test_heads_that_do_different_things_add_up(moods):
    found = judged_pairs(reader(moods, {0: 2, 1: 4}, constant=50.0), moods)
    both = found.loc["margin", 0, 1]
    assert both["first"] < -0.1 and both["second"] < -0.1
    assert both["together"] == pytest.approx(both["first"] + both["second"], abs=0.01)
    assert both["verdict"] == "additive"


def by_hand(first: float, second: float, together: float) -> pd.Series:
    """What is found of the margin, 2 with both heads: what is left of it without one, the other, and both."""
    ids = np.arange(60)
    samples = pd.DataFrame({"id": ids, "text": ids.astype(str), "label": 0, "group": 0})
    samples = samples.assign(p_joy=0.9, p_anger=0.1, logit_joy=2.0 + ids / 100, logit_anger=0.0)
    margins = {(1, 1): first, (2, 2): second, (1, 2): together}
    parts = [
        samples[["id", "p_joy", "p_anger", "logit_anger"]].assign(
            logit_joy=margin + ids / 100, first_block=0, first_head=one, second_block=3, second_head=other
        )
        for (one, other), margin in margins.items()
    ]
    for part, (one, other) in zip(parts, margins, strict=True):
        if one == other:
            part["first_block"] = part["second_block"] = 0 if one == 1 else 3
    return summarise_pairs(samples, pd.concat(parts), STATISTICS).set_index("measure").loc["margin"]


def test_a_head_whose_work_is_lost_with_anothers_overlaps():
    """Without the first head nothing is left of the margin of 2, so that the second costs nothing more."""
    found = by_hand(0.0, 0.5, 0.0)
    assert (found["first_block"], found["first_head"], found["second_block"], found["second_head"]) == (0, 1, 3, 2)
    assert found["first"] == pytest.approx(-2) and found["second"] == pytest.approx(-1.5)
    assert found["together"] == pytest.approx(-2) and found["change"] == pytest.approx(1.5)
    assert found["verdict"] == "overlapping"


@pytest.mark.parametrize(
    ("first", "second", "together", "verdict"),
    [
        (3.0, 3.0, 3.0, "overlapping"),
        (2.0, 2.0, 3.0, "redundant"),
        (2.5, 2.5, 4.0, "redundant"),
        (1.0, 1.0, 2.5, "overlapping"),
        (1.5, 1.5, 0.0, "redundant"),
    ],
    ids=["one harm", "harm that each does", "more harm", "what each cost is none with both", "each makes up"],
)
def test_pairs_of_heads_that_do_harm_are_judged_by_the_same_rule(first, second, together, verdict):
    assert by_hand(first, second, together)["verdict"] == verdict


def test_a_head_alone_is_what_the_mask_of_its_block_is(classifier, tokenizer):
    reference = reference_of(classifier, tokenizer)
    scores = pair_scores(classifier, tokenizer, TEXTS, [(2, 1), (0, 3)], reference, 64, CHECKS)
    assert set(scores) == {((2, 1), (2, 1)), ((0, 3), (0, 3)), ((0, 3), (2, 1))}
    for block, head in ((2, 1), (0, 3)):
        masks = [Mask(head, "mean")]
        [alone] = block_scores(classifier, tokenizer, TEXTS, block, masks, reference, 64, CHECKS).values()
        np.testing.assert_allclose(scores[(block, head), (block, head)], alone, atol=1e-4)
        assert np.abs(scores[(0, 3), (2, 1)] - alone).max() > 1e-3, "both are ablated, not one of them"


def test_the_costliest_heads_are_those_without_which_the_margin_falls_most():
    samples = pd.DataFrame({"id": [1, 2], "label": [0, 1], "group": [0, 1], "p_joy": 0.5, "p_anger": 0.5})
    margins = {(0, 0): 3.0, (0, 1): -1.0, (1, 0): 0.5, (1, 1): 2.0, (1, WHOLE_BLOCK): -9.0}
    parts = [
        samples[["id", "p_joy", "p_anger"]].assign(
            block=block, head=head, condition=condition, logit_joy=[sign * margin, 0], logit_anger=[0, sign * margin]
        )
        for (block, head), margin in margins.items()
        for condition, sign in (("mean", 1), ("zero", -1))
    ]
    masked = pd.concat(parts)
    assert costliest_heads(samples, masked, 2) == [(0, 1), (1, 0)]
    assert costliest_heads(samples, masked[masked["condition"] == "zero"], 1) == [(0, 0)]
    assert costliest_heads(samples, masked[masked["head"] == WHOLE_BLOCK], 2) == []


def test_heads_are_chosen_in_other_texts_than_their_pairs_are_judged_in(classifier, tokenizer, tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr(f"{MODULE}.load_classifier", lambda folder: (classifier, tokenizer))
    monkeypatch.setattr(f"{MODULE}.read_reference", lambda *given: reference_of(classifier, tokenizer))
    monkeypatch.setattr(f"{MODULE}.exact_checks", lambda file: CHECKS)

    def chosen(samples, masked, count):
        asked["ids"] = {*samples["id"]}
        assert {*masked["id"]} == asked["ids"]
        return [(0, 1), (2, 3)]

    monkeypatch.setattr(f"{MODULE}.costliest_heads", chosen)
    texts = [*TEXTS, TEXTS[0], TEXTS[1]]  # a text that is there twice is in one half
    samples = pd.DataFrame({"id": range(7), "text": texts, "label": 0, "group": [0, 0, 0, 0, 1, 1, 1]})
    paths = [tmp_path / name for name in ("samples", "block", "pairs")]
    samples.to_parquet(paths[0])
    samples[["id"]].to_parquet(paths[1])
    mask_pairs(None, paths[0], [paths[1]], None, None, None, 2, {"tokens_per_batch": 99}, paths[2])
    judged = {*pd.read_parquet(paths[2])["id"]}
    assert asked["ids"] == {0, 2, 4, 5} and judged == {1, 3, 6}
    samples[:1].to_parquet(paths[0])
    mask_pairs(None, paths[0], [paths[1]], None, None, None, 2, {"tokens_per_batch": 99}, paths[2])
    assert pd.read_parquet(paths[2]).empty, "one text has no other half"


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
@pytest.mark.parametrize(("head_conditions", "pairs"), [(["mean"], 3), ([], 0)])
def test_a_run_writes_its_pairs_or_none(classifier, tokenizer, tmp_path, head_conditions, pairs):
    classifier.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    reference = reference_of(classifier, tokenizer)
    classes = list(classifier.config.id2label.values())
    texts = pd.DataFrame({"id": range(5), "text": TEXTS, "label": 0})
    samples = prediction_table(texts, predict_logits(classifier, tokenizer, TEXTS, 99), classes)
    samples.assign(text=TEXTS, group=0).to_parquet(tmp_path / "samples.parquet")
    masks = masks_of(classifier, ["described"], head_conditions, 1)
    scores = block_scores(classifier, tokenizer, TEXTS, 1, masks, reference, 99, CHECKS)
    parts = [score_table(classifier, texts["id"], logits, 1, mask) for mask, logits in scores.items()]
    pd.concat(parts).to_parquet(tmp_path / "block.parquet")
    save_file(dict(reference.means), tmp_path / "means.safetensors")
    pd.DataFrame({"text": reference.texts}).to_parquet(tmp_path / "texts.parquet")
    exactness = tmp_path / "exactness.json"
    write_json({"checks": [{"check": name, "exact": True} for name in CHECKS]}, exactness)
    mask_pairs(
        tmp_path / "model",
        tmp_path / "samples.parquet",
        [tmp_path / "block.parquet"],
        tmp_path / "means.safetensors",
        tmp_path / "texts.parquet",
        exactness,
        3,
        {"tokens_per_batch": 99},
        tmp_path / "pairs.parquet",
    )
    found = pd.read_parquet(tmp_path / "pairs.parquet")
    assert len(found) == (3 + pairs if pairs else 0) * 2, "the second and the fourth of five texts"
    summary = summarise_pairs(pd.read_parquet(tmp_path / "samples.parquet"), found, STATISTICS)
    assert len(summary) == 4 * pairs and {"change", "low", "high", "verdict", *PAIR} <= set(summary)


def test_each_head_of_a_pair_is_ablated_in_its_own_block(classifier, tokenizer):
    reference = reference_of(classifier, tokenizer)
    found = pair_scores(classifier, tokenizer, TEXTS, [(2, 1), (0, 3)], reference, 64, CHECKS)[(0, 3), (2, 1)]
    means = {block: means_by_hand(classifier, tokenizer, OTHERS, block, "heads") for block in (0, 2)}
    for text, logits in zip(TEXTS, found, strict=True):
        with ExitStack() as stack, torch.inference_mode():
            for block, head in ((0, 3), (2, 1)):
                value = at_mean(classifier, tokenizer, text, means[block])[..., head_slice(classifier, head)]
                stack.enter_context(fixed_head(classifier, block, head, value))
            by_hand = classifier(**inputs_of(tokenizer, text)).logits[0]
        np.testing.assert_allclose(logits, by_hand, atol=1e-4)


def test_the_p_of_pairs_is_adjusted_for_their_number():
    rng = np.random.default_rng(0)
    samples = pd.DataFrame({"id": range(40), "text": [f"text {n}" for n in range(40)], "label": 0, "group": 0})
    samples = samples.assign(p_joy=0.9, p_anger=0.1, logit_joy=2.0, logit_anger=0.0)
    heads = [(0, head) for head in range(4)]
    pairs = [*((head, head) for head in heads), *combinations(heads, 2)]
    parts = [
        samples[["id", "p_joy", "p_anger", "logit_anger"]].assign(
            logit_joy=2 + rng.normal(0.3, 1, 40), **dict(zip(PAIR, (*first, *second), strict=True))
        )
        for first, second in pairs
    ]
    table = summarise_pairs(samples, pd.concat(parts), STATISTICS)
    for _, rows in table.groupby("measure"):
        np.testing.assert_allclose(rows["p_adjusted"], benjamini_hochberg(rows["p"].to_numpy()))
    margins = table[table["measure"] == "margin"]
    assert len(margins) == 6 and (margins["p_adjusted"] > margins["p"]).any()
