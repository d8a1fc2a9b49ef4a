"""The one table of masks: the schema offers what is in it, the model's part can do all of it, and nothing else."""

from pathlib import Path

import pytest
import torch
import yaml

from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.experiments.masking.measure import Mask, _silence
from emoscope.models.families import heads_of, projection_of
from emoscope.storage.names import WHOLE_BLOCK

SCHEMA = Path(__file__).parents[4] / "workflow" / "schemas" / "config.schema.yaml"


def test_the_schema_offers_the_conditions_of_the_table_and_no_others():
    masking = yaml.safe_load(SCHEMA.read_text())["properties"]["masking"]["properties"]
    assert set(masking["block_conditions"]["items"]["enum"]) == set(BLOCKS)
    assert set(masking["head_conditions"]["items"]["enum"]) == set(HEADS)


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
def test_every_condition_can_be_done_and_does_another_thing(classifier):
    inputs = {"input_ids": torch.tensor([[5, 6, 7, 8]]), "attention_mask": torch.ones(1, 4, dtype=torch.long)}
    width = projection_of(classifier, 1).weight.shape[0]
    means = torch.linspace(-1, 1, width), torch.linspace(1, -1, width)
    masks = [Mask(WHOLE_BLOCK, name) for name in BLOCKS] + [Mask(head, name) for head in (0, 1) for name in HEADS]
    assert heads_of(classifier) > 1
    with torch.inference_mode():
        said = [classifier(**inputs).logits]
        for mask in masks:
            with _silence(classifier, 1, mask, *means):
                said.append(classifier(**inputs).logits)
    for number, one in enumerate(said):
        assert all(not torch.allclose(one, other, atol=1e-6) for other in said[:number]), masks[number - 1]


@pytest.mark.parametrize("mask", [Mask(WHOLE_BLOCK, "zero"), Mask(0, "described"), Mask(0, "halved")])
def test_an_unknown_condition_raises_by_name(classifier, mask):
    with pytest.raises(ValueError, match=mask.condition):
        _silence(classifier, 0, mask)
