"""The one table of masks: the schema offers what is in it, the model's part can do all of it, and nothing else."""

from pathlib import Path

import pytest
import yaml

from emoscope.experiments.masking.conditions import BLOCKS, HEADS
from emoscope.experiments.masking.masks import Mask
from emoscope.experiments.masking.measure import block_scores
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.logits import predict_logits
from emoscope.models.parts import heads_of
from emoscope.storage.names import WHOLE_BLOCK
from masked_by_hand import reference_of
from random_models import TEXTS

SCHEMA = Path(__file__).parents[4] / "workflow" / "schemas" / "config.schema.yaml"


def test_the_schema_offers_the_conditions_of_the_table_and_no_others():
    masking = yaml.safe_load(SCHEMA.read_text())["properties"]["masking"]["properties"]
    assert set(masking["block_conditions"]["items"]["enum"]) == set(BLOCKS)
    assert set(masking["head_conditions"]["items"]["enum"]) == set(HEADS)


@pytest.mark.parametrize("classifier", ["gpt2"], indirect=True)
def test_every_condition_can_be_done_and_does_another_thing(classifier, tokenizer):
    assert heads_of(classifier) > 1
    masks = [Mask(WHOLE_BLOCK, name) for name in BLOCKS] + [Mask(head, name) for head in (0, 1) for name in HEADS]
    scores = block_scores(classifier, tokenizer, TEXTS, 1, masks, reference_of(classifier, tokenizer), 1000, CHECKS)
    said = [predict_logits(classifier, tokenizer, TEXTS, 1000), *scores.values()]
    for number, one in enumerate(said):
        assert all(abs(one - other).max() > 1e-6 for other in said[:number]), masks[number - 1]


@pytest.mark.parametrize(("head", "condition"), [(WHOLE_BLOCK, "zero"), (0, "described"), (0, "halved")])
def test_an_unknown_condition_raises_by_name(head, condition):
    with pytest.raises(ValueError, match=condition):
        Mask(head, condition)
