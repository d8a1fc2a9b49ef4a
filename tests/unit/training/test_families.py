"""A fine-tuning starts from any model of any family, below a new head, and reads texts up to the model's context."""

import copy

import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    BloomConfig,
    BloomModel,
)
from transformers.tokenization_utils_base import VERY_LARGE_INTEGER

from benchmarks.families import CONFIGS, DESCRIPTIONS, random_model, word_pieces
from emoscope.errors import UserError
from emoscope.models.folder import blocks_in, check_model_folder
from emoscope.models.parts import classification_head_of, context_of, longest_text
from emoscope.training.start import start_model

KINDS = (AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSequenceClassification)
TOKENIZER = word_pieces()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", CONFIGS)
def test_every_base_of_every_family_gets_a_new_head(tmp_path, name, kind):
    try:
        base = random_model(name, len(TOKENIZER), kind=kind)
    except ValueError:
        pytest.skip("transformers has no such model")
    for part in (base, TOKENIZER):
        part.save_pretrained(tmp_path)
    described = DESCRIPTIONS.get(base.config.model_type)
    check_model_folder(tmp_path, described)
    assert blocks_in(tmp_path) == 3
    torch.manual_seed(1)
    model = start_model(tmp_path, copy.deepcopy(TOKENIZER), ["a", "b", "c", "d"], {"family": described})
    weight = classification_head_of(model).weight
    assert weight.shape[0] == 4 and weight.std() < 0.25, "it is drawn anew"
    stored, found = base.base_model.state_dict(), model.base_model.state_dict()
    assert all(torch.equal(stored[key], found[key]) for key in found.keys() & stored.keys())
    assert all("pooler" in key for key in found.keys() - stored.keys())


def test_a_model_that_names_no_longest_text_reads_what_its_tokenizer_says(tmp_path):
    """As BLOOM, whose positions have no table (ALiBi), described in the configuration."""
    sizes = {"hidden_size": 32, "n_layer": 3, "n_head": 4, "pad_token_id": 0}
    BloomModel(BloomConfig(vocab_size=len(TOKENIZER), **sizes)).save_pretrained(tmp_path)
    TOKENIZER.save_pretrained(tmp_path)
    described = {"blocks": "transformer.h", "projection": "self_attention.dense", "feed_forward": "mlp.dense_4h_to_h"}
    described |= {"readers": ["self_attention.query_key_value"], "neurons": "mlp.dense_4h_to_h", "fused_by_head": True}
    described |= {"readout": ["transformer.ln_f", "score"], "embedding": "transformer.word_embeddings"}
    tokenizer = copy.deepcopy(TOKENIZER)
    model = start_model(tmp_path, tokenizer, ["a", "b"], {"family": described})
    assert tokenizer.model_max_length == TOKENIZER.model_max_length == longest_text(model, tokenizer) == 48
    tokenizer.model_max_length = VERY_LARGE_INTEGER
    with pytest.raises(
        UserError, match=rf"^{tmp_path}: neither max_position_embeddings .* model_max_length .* such as"
    ):
        start_model(tmp_path, tokenizer, ["a", "b"], {"family": described})


@pytest.mark.parametrize("name", CONFIGS)
def test_the_longest_text_that_is_not_cut_can_be_read(tmp_path, name):
    for part in (random_model(name, len(TOKENIZER)), TOKENIZER):
        part.save_pretrained(tmp_path)
    tokenizer = copy.deepcopy(TOKENIZER)
    tokenizer.model_max_length = 10**6
    described = DESCRIPTIONS.get(CONFIGS[name][0])
    model = start_model(tmp_path, tokenizer, ["a", "b"], {"family": described}).eval()
    assert tokenizer.model_max_length == context_of(model) <= model.config.max_position_embeddings
    longest = tokenizer(" ".join(["happy"] * 300), truncation=True, return_tensors="pt")
    model(**longest)
