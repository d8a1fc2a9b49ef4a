"""What the commands of the masks write: the masks that were asked for, by the seed of the run."""

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import save_file

from emoscope.experiments.masking.masks import Mask
from emoscope.experiments.masking.measure import all_but_scores, block_scores, mask_all_but, mask_block
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.logits import predict_logits, prediction_table
from emoscope.storage.files import write_json
from emoscope.storage.names import WHOLE_BLOCK
from masked_by_hand import OTHERS, reference_of
from random_models import TEXTS

SEED, DRAWS = 7, {"resample_draws": 1}


@pytest.fixture
def files(classifier, tokenizer, tmp_path):
    classifier.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    texts = pd.DataFrame({"id": np.arange(len(TEXTS)) + 100, "text": TEXTS, "label": 0})
    classes = list(classifier.config.id2label.values())
    samples = prediction_table(texts, predict_logits(classifier, tokenizer, TEXTS, 99), classes)
    samples.assign(text=TEXTS, group=0).to_parquet(tmp_path / "samples.parquet")
    save_file(dict(reference_of(classifier, tokenizer).means), tmp_path / "means.safetensors")
    pd.DataFrame({"text": OTHERS}).to_parquet(tmp_path / "texts.parquet")
    write_json({"checks": [{"check": name, "exact": True} for name in CHECKS]}, tmp_path / "exactness.json")
    names = {"samples": "samples.parquet", "means": "means.safetensors", "texts": "texts.parquet", "model": "model"}
    names["exactness"] = "exactness.json"
    options = {"seed": SEED, "prediction": {"tokens_per_batch": 64}, "output": tmp_path / "found.parquet"}
    return {name: tmp_path / path for name, path in names.items()} | options


def written(found: pd.DataFrame, prefix: str) -> np.ndarray:
    return found.filter(regex=f"^{prefix}_").to_numpy()


def assert_drawn_by_the_seed(found: pd.DataFrame, scores) -> None:
    """`scores` gives the logits for a seed."""
    np.testing.assert_allclose(written(found, "logit"), scores(SEED), atol=1e-4)
    assert np.abs(written(found, "logit") - scores(0)).max() > 1e-3
    np.testing.assert_allclose(written(found, "p").sum(axis=1), 1, atol=1e-5)
    assert (written(found, "p").argmax(axis=1) == written(found, "logit").argmax(axis=1)).all()
    assert found["id"].tolist() == [100 + number for number in range(len(TEXTS))]


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
def test_a_block_is_resampled_by_the_seed_of_the_run(files, classifier, tokenizer):
    conditions = {"block_conditions": ["resample"], "head_conditions": []}
    mask_block(**files, block=1, masking=conditions | DRAWS)
    mask = Mask(WHOLE_BLOCK, "resample")

    def scores(seed):
        reference = reference_of(classifier, tokenizer, seed)
        return block_scores(classifier, tokenizer, TEXTS, 1, [mask], reference, 64, CHECKS)[mask]

    assert_drawn_by_the_seed(pd.read_parquet(files["output"]), scores)


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
def test_all_but_one_is_of_attention_and_drawn_by_the_seed_of_the_run(files, classifier, tokenizer):
    mask_all_but(**files, masking={"block_conditions": ["resample", "mlp_zero"]} | DRAWS)
    found = pd.read_parquet(files["output"])
    assert set(found["condition"]) == {"resample"} and set(found["block"]) == {0, 1, 2}
    mask = Mask(WHOLE_BLOCK, "resample")

    def scores(seed):
        reference = reference_of(classifier, tokenizer, seed)
        return all_but_scores(classifier, tokenizer, TEXTS, [mask], reference, 64, CHECKS)[2, mask]

    assert_drawn_by_the_seed(found[found["block"] == 2], scores)


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
def test_heads_that_are_not_what_the_projection_reads_are_not_masked(files):
    exact = [name for name in CHECKS if name != "heads"]
    write_json({"checks": [{"check": name, "exact": name in exact} for name in CHECKS]}, files["exactness"])
    conditions = {"block_conditions": ["described"], "head_conditions": ["zero", "mean"]}
    mask_block(**files, block=1, masking=conditions | DRAWS)
    found = pd.read_parquet(files["output"])
    assert set(found["head"]) == {WHOLE_BLOCK} and set(found["condition"]) == {"described"}
