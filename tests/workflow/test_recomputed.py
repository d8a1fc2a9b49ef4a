"""The tiny run's central numbers, computed anew from the model and the texts alone, by the shortest other way.

No code of the package takes part: what is exchanged in a rule, a command or a module shows here.
"""

import json
from contextlib import ExitStack

import pandas as pd
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

CLASSES = ["sadness", "joy", "love", "anger", "fear", "surprise"]
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(scope="module")
def run(finished):
    return finished / "results" / "tiny-s1"


@pytest.fixture(scope="module")
def texts(finished):
    folder = finished / "data" / "corpora" / "calibration"
    return {part: pd.read_parquet(folder / f"{part}.parquet").set_index("id") for part in ("train", "test")}


@pytest.fixture(scope="module")
def model(run):
    return AutoModelForSequenceClassification.from_pretrained(run / "model").float().eval()


@pytest.fixture(scope="module")
def probabilities(run, model):
    """What the model says of one text, (classes,): never a batch, so no padding."""
    tokenizer = AutoTokenizer.from_pretrained(run / "model")

    def said(text: str) -> torch.Tensor:
        with torch.inference_mode():
            return model(**tokenizer(text, truncation=True, return_tensors="pt")).logits[0].softmax(0)

    return said


@pytest.fixture(scope="module")
def predictions(run):
    return pd.concat(map(pd.read_parquet, sorted((run / "predictions").glob("*.parquet")))).set_index("id")


def test_predictions_are_what_the_model_says_of_each_text(texts, predictions, probabilities):
    for part in texts.values():
        for row in part.sample(8, random_state=0).itertuples():
            found = torch.tensor(
                predictions.loc[row.Index, [f"p_{name}" for name in CLASSES]].to_numpy(dtype="float32")
            )
            torch.testing.assert_close(found, probabilities(row.text), **CLOSE)
            assert predictions.loc[row.Index, "pred"] == int(found.argmax())


def test_metrics_are_of_the_texts_that_they_name(run, texts, predictions):
    metrics = json.loads((run / "metrics.json").read_text())
    for part, table in texts.items():
        found, pred = metrics[part]["all"], predictions["pred"].loc[table.index]
        assert found["rows"] == len(table)
        assert found["accuracy"] == pytest.approx((pred == table["label"]).mean())
        counts = pd.crosstab(table["label"], pred).reindex(index=range(6), columns=range(6), fill_value=0)
        assert found["confusion"] == counts.to_numpy().tolist()
    assert len(texts["train"]) == 4 * len(texts["test"])


def test_samples_are_the_most_confident_test_texts_of_each_predicted_class(run, texts, predictions):
    samples = pd.read_parquet(run / "samples.parquet")
    table = texts["test"].join(predictions.drop(columns="label"))
    for group, chosen in samples.groupby("group"):
        rivals = table[table["pred"] == group].drop(chosen["id"])
        assert chosen["confidence"].min() >= rivals["confidence"].max() or rivals.empty
        assert (table.loc[chosen["id"], "text"].to_numpy() == chosen["text"].to_numpy()).all()


def silenced(model, stack: ExitStack, block: int, head: int = -1) -> None:
    """Set a block's attention output to zero, or one head's part of what its projection receives."""
    attention = model.transformer.h[block].attn
    if head < 0:
        hook = attention.register_forward_hook(lambda _, __, output: (torch.zeros_like(output[0]), *output[1:]))
    else:
        width = model.config.n_embd // model.config.n_head
        kept = torch.ones(model.config.n_embd)
        kept[head * width : (head + 1) * width] = 0
        hook = attention.c_proj.register_forward_pre_hook(lambda _, inputs: (inputs[0] * kept,))
    stack.callback(hook.remove)


def check_masks(table, samples, probabilities):
    """Of some samples, with the hooks of the moment; and that the mask does something."""
    moved = 0.0
    for row in samples.iloc[::7].itertuples():
        found = table.set_index("id").loc[row.id, [f"p_{name}" for name in CLASSES]].to_numpy(dtype="float32")
        torch.testing.assert_close(torch.tensor(found), probabilities(row.text), **CLOSE)
        moved = max(moved, abs(found[0] - row.p_sadness))
    assert moved > 1e-4


@pytest.mark.parametrize("block", [0, 1])
@pytest.mark.parametrize(("condition", "head"), [("described", -1), ("zero", 0), ("zero", 1)])
def test_masks_silence_the_block_and_the_head_that_they_name(run, model, probabilities, block, condition, head):
    masks = pd.read_parquet(run / "masking" / f"block_{block}.parquet")
    chosen = masks[(masks["condition"] == condition) & (masks["head"] == head)]
    with ExitStack() as stack:
        silenced(model, stack, block, head)
        check_masks(chosen, pd.read_parquet(run / "samples.parquet"), probabilities)


@pytest.mark.parametrize("kept", [0, 1])
def test_all_but_one_keeps_the_block_that_it_names(run, model, probabilities, kept):
    masks = pd.read_parquet(run / "masking" / "all_but.parquet")
    chosen = masks[(masks["condition"] == "described") & (masks["block"] == kept)]
    with ExitStack() as stack:
        silenced(model, stack, 1 - kept)
        check_masks(chosen, pd.read_parquet(run / "samples.parquet"), probabilities)


def test_the_masking_summary_is_the_mean_of_after_minus_before(run):
    summary = pd.read_parquet(run / "masking" / "summary.parquet")
    samples = pd.read_parquet(run / "samples.parquet").set_index("id")
    masks = pd.read_parquet(run / "masking" / "block_1.parquet").query("condition == 'described' and head == -1")
    after = masks.set_index("id").loc[samples.index]
    of_block = summary.query("block == 1 and condition == 'described' and head == -1").set_index(["group", "measure"])
    for number, name in enumerate(CLASSES):
        chosen = samples["group"] == number
        if chosen.any():
            change = (after[f"p_{name}"] - samples[f"p_{name}"])[chosen].mean()
            assert of_block.loc[(name, "probability"), "change"] == pytest.approx(change, abs=1e-6)
    scores = after[[f"p_{name}" for name in CLASSES]].to_numpy()
    right = (scores.argmax(axis=1) == samples["label"]).mean() - (samples["pred"] == samples["label"]).mean()
    assert of_block.loc[("all", "accuracy"), "change"] == pytest.approx(right)


@pytest.mark.parametrize("axis", ["gender", "race", "synonyms"])
def test_pairs_are_test_texts_and_their_scores_before_and_after(finished, run, texts, probabilities, axis):
    pairs = pd.read_parquet(finished / f"data/corpora/calibration/perturbations/{axis}.parquet")
    scores = pd.read_parquet(run / f"perturbations/{axis}_scores.parquet")
    natural = pairs[pairs["origin"].isin(["natural", "word"])]
    assert (texts["test"].loc[natural["id"], "text"].to_numpy() == natural["text"].to_numpy()).all()
    for number in pairs.sample(8, random_state=0).index:
        for when, text in (("before", pairs["text"][number]), ("after", pairs["perturbed"][number])):
            found = scores.loc[number, [f"{when}_{name}" for name in CLASSES]].to_numpy(dtype="float32")
            torch.testing.assert_close(torch.tensor(found), probabilities(text), **CLOSE)


def test_the_summary_of_flips_counts_predictions_that_change(finished, run):
    pairs = pd.read_parquet(finished / "data/corpora/calibration/perturbations/gender.parquet")
    scores = pd.read_parquet(run / "perturbations/gender_scores.parquet")
    left_out = {"uncertain", "half-flipped", "gender-locked"}
    fit = pairs["flags"].map(lambda flags: not left_out & set(flags)) & (pairs["origin"] == "natural")
    chosen, once = scores[fit], pairs[fit].drop_duplicates("text").index
    before, after = (chosen.filter(regex=f"^{when}_").set_axis(CLASSES, axis=1) for when in ("before", "after"))
    summary = pd.read_parquet(run / "perturbations/gender_summary.parquet").query("origin == 'natural'")
    measured = summary.set_index("measure")["value"]
    changed = (before.loc[once].idxmax(axis=1) != after.loc[once].idxmax(axis=1)).mean()
    assert measured["changed"] == pytest.approx(changed)
    male = pairs["direction"][fit].map({"male to female": 1, "female to male": -1}).fillna(0)
    for name in CLASSES:
        difference = after[name] - before[name]
        assert measured[f"change_{name}"] == pytest.approx(difference.mean(), abs=1e-6)
        gap = (-difference * male)[male != 0].mean()
        assert measured[f"gap_{name}"] == pytest.approx(gap, abs=1e-6)


def test_claims_read_the_number_that_they_name(run):
    metrics = json.loads((run / "metrics.json").read_text())
    claims = pd.read_csv(run / "claims.csv").set_index("id")["ours"]
    for part in ("train", "test"):
        assert claims[f"performance.{part}_accuracy"] == pytest.approx(metrics[part]["all"]["accuracy"])
        assert claims[f"performance.{part}_auc"] == pytest.approx(metrics[part]["all"]["auc_ovr"])
