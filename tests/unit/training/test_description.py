"""What is said of a described model's parts is checked before it is trained."""

import pandas as pd
import pytest
from transformers import AutoModelForCausalLM

from benchmarks.families import DESCRIPTIONS, TEXTS, random_model, word_pieces
from emoscope.errors import UserError
from emoscope.storage.files import read_json, write_json
from emoscope.training.description import check_description

STABLE = DESCRIPTIONS["stablelm"]
GEMMA = STABLE | {"norms_add_one": True}
NORMS = {"output_norms": ["post_attention_layernorm", "post_feedforward_layernorm"]}


@pytest.fixture
def check(tmp_path):
    """Check a description of a small model, of which there is no classifier yet."""

    def run(name, described):
        tokenizer = word_pieces()
        random_model(name, len(tokenizer), kind=AutoModelForCausalLM).save_pretrained(tmp_path / "base")
        tokenizer.save_pretrained(tmp_path / "base")
        pd.DataFrame({"text": TEXTS, "label": [0, 1, 0, 1, 1]}).to_parquet(tmp_path / "train.parquet")
        write_json({"classes": ["calm", "angry"]}, tmp_path / "corpus.json")
        files = [tmp_path / name for name in ("train.parquet", "corpus.json", "base")]
        config = {"model": {"family": described, "blocks": 3}, "seed": 1}
        check_description(*files, config, tmp_path / "description.json")
        return read_json(tmp_path / "description.json")

    return run


@pytest.mark.parametrize(
    ("name", "described"), [("stablelm, described in the configuration", STABLE), ("gemma2", GEMMA | NORMS)]
)
def test_a_right_description_is_found_to_be_so(check, name, described):
    found = check(name, described)
    assert found["refused"] == {} and all(one["exact"] for one in found["checks"]) and len(found["checks"]) == 10


@pytest.mark.parametrize(
    ("name", "described", "said"),
    [
        ("gemma2", GEMMA, "its blocks add something else to the residual stream than what their description"),
        (
            "stablelm, described in the configuration",
            STABLE | {"feed_forward": "mlp.up_proj"},
            "its blocks add something",
        ),
        (
            "stablelm, described in the configuration",
            STABLE | {"readers": [STABLE["readers"][number] for number in (0, 2, 1)]},
            "is not what the heads put out",
        ),
    ],
    ids=["norms forgotten", "another part", "keys and values exchanged"],
)
def test_a_description_whose_names_all_exist_but_are_the_wrong_ones_is_refused(check, name, described, said):
    with pytest.raises(UserError, match=rf"/base: .*{said}.*fix `family` of the model in the configuration"):
        check(name, described)
