"""A description that does not fit a model, and a model that cannot be trusted, are found out on the loaded model."""

from copy import deepcopy
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers.processors import Sequence

from benchmarks.families import TEXTS, random_model, word_pieces
from emoscope.errors import UserError
from emoscope.models.families import DESCRIBED, FAMILIES
from emoscope.models.inside import padding
from emoscope.models.inside.allowed import CHECKS, NEEDS, allowed, exact_checks
from emoscope.models.inside.exactness import assert_readable, assert_usable, check_exactness, checks_of, record
from emoscope.models.inside.padding import LIMIT, Check, assert_padding, chosen_texts
from emoscope.models.inside.structure import prepared
from emoscope.models.parts import feed_forward_of, projection_of
from emoscope.reporting.refusals import CLAIMS, TITLES, refusals
from emoscope.storage.files import read_json, write_json
from random_models import random_llama_lm

TOKENIZER = word_pieces()


def checked(name="llama", spoil=lambda model: None, **described):
    """The checks of a small model of which something is described wrongly, or spoilt in its code."""
    models = [random_model(name, len(TOKENIZER)) for _ in range(2)]
    for model in models:
        if described:
            family = replace(FAMILIES[model.config.model_type], **described)
            setattr(model.config, DESCRIBED, asdict(family))
        prepared(model)
        spoil(model)
    models[1].set_attn_implementation("eager")
    return checks_of(*models, TOKENIZER, TEXTS)


def failing(checks):
    return {check.check for check in checks if not check.exact}


def test_every_check_is_there_and_holds():
    found = checked()
    assert tuple(check.check for check in found) == CHECKS and failing(found) == set()
    assert_usable(found, "mine")
    assert {need for needs in NEEDS.values() for need in needs} < set(CHECKS)


@pytest.mark.parametrize(
    ("name", "described", "fails"),
    [
        ("llama", {"norms_add_one": True}, "parts"),
        ("gemma", {"norms_add_one": False}, "parts"),
        ("gemma2", {"output_norms": ()}, "halves"),
        ("gpt2", {"feed_forward": "mlp.c_fc"}, "halves"),
        ("bert", {"norms": FAMILIES["bert"].norms[::-1]}, "halves"),
        ("bert", {"pools_first": False}, "pooled"),
        ("roberta", {"readout": ("classifier.dense", "relu", "classifier.out_proj")}, "parts"),
        ("modernbert", {"readout": ("head.dense", "gelu", "head.norm", "classifier")}, "parts"),
        ("gpt_neox", {"fused_by_head": False}, "values"),
        ("phi3", {"fused_by_head": True}, "values"),
        ("llama", {"readers": ("self_attn.v_proj", "self_attn.k_proj", "self_attn.q_proj")}, "values"),
        ("llama", {"projection": "mlp.down_proj", "feed_forward": "self_attn.o_proj"}, "values"),
        ("bert", {"looks_ahead": False}, "blocking"),
        ("opt", {"positions_by_mask": False}, "blocking"),
    ],
)
def test_a_wrong_description_is_found_out(name, described, fails):
    found = checked(name, **described)
    assert fails in failing(found), found
    worst = {check.check: check.error for check in found}[fails]
    assert worst > 100 * LIMIT


def test_a_change_behind_the_blocks_is_in_the_lens_and_not_in_the_parts():
    """Logits that are capped: the lens is made by the model itself, attribution knows no such step."""

    def cap(model):
        model.score.register_forward_hook(lambda _, __, logits: 3 * torch.tanh(logits / 3))

    assert failing(checked("llama", cap)) == {"parts"}


@pytest.mark.parametrize(
    ("field", "names", "absent"),
    [
        ("blocks", "model.blocks", "model.blocks.0"),
        ("projection", "self_attn.out", "self_attn.out"),
        ("readers", ("self_attn.q_proj", "self_attn.k_proj", "self_attn.value"), "self_attn.value"),
        ("feed_forward", "ffn", "ffn"),
        ("neurons", "mlp.wo", "mlp.wo"),
        ("readout", ("model.norm", "classifier"), "classifier"),
        ("attention_norm", "ln_1", "ln_1"),
        ("norms", ("input_layernorm", "ln_2"), "ln_2"),
        ("output_norms", ("input_layernorm", "ln_2"), "ln_2"),
        ("query_norms", ("self_attn.q_norm", "self_attn.k_norm"), "self_attn.q_norm"),
    ],
)
def test_a_part_that_is_not_there_is_named(field, names, absent):
    with pytest.raises(UserError, match=rf"has no '{absent}', which its description calls `{field}`; .*fix `family`"):
        checked("llama", **{field: names})


def test_blocks_that_are_no_list_of_the_models_depth_are_named():
    model = random_model("llama", len(TOKENIZER))
    model.config.num_hidden_layers = 4
    with pytest.raises(UserError, match=r"'model.layers', which .* calls `blocks`, is no list of its 4 blocks"):
        prepared(model)


def test_answers_that_depend_on_padding_are_refused_whole():
    def unmasked(model):
        plain = model.forward
        model.forward = lambda *ids, attention_mask=None, **options: plain(*ids, **options)

    found = checked("bert", unmasked)
    assert "padding" in failing(found)
    with pytest.raises(UserError, match=r"^mine: its answers depend on padding \(by .* of the largest logit\)"):
        assert_usable(found, "mine")
    model = random_model("bert", len(TOKENIZER))
    assert_padding(model, TOKENIZER, pd.Series(TEXTS))
    unmasked(model)
    with pytest.raises(UserError, match="depend on padding"):
        assert_padding(model, TOKENIZER, pd.Series(TEXTS))
    with pytest.raises(UserError, match="depend on padding"):  # of one length they would not be padded
        assert_padding(model, TOKENIZER, pd.Series(["i am so angry", "i am so happy"]))


@pytest.mark.parametrize("fails", ["halves", "values"])
def test_a_description_that_means_other_parts_is_refused_whole(fails):
    found = [Check(name, 0.5 if name == fails else 1e-7) for name in CHECKS]
    with pytest.raises(UserError, match=r"^mine: .*differ by 0\.5 of it.*fix `family`"):
        assert_usable(found, "mine")


@pytest.mark.parametrize(("name", "returns_tuple"), [("gpt_neo", False), ("llama", True)])
def test_blocks_that_cannot_be_skipped_are_named(name, returns_tuple):
    found = checked(name, returns_tuple=returns_tuple)
    assert "resumed" in failing(found)
    with pytest.raises(UserError, match=r"^mine: its blocks cannot be skipped: \w+Error.*`returns_tuple`"):
        assert_usable(found, "mine")


def test_weights_that_cannot_be_recorded_are_no_error():
    assert_usable([Check(name, np.inf if name == "values" else 0.0, note="none") for name in CHECKS], "mine")


def test_the_record_says_what_is_refused_and_why(tmp_path):
    found = [Check(name, {"resumed": 0.25, "parts": np.inf}.get(name, 2e-7), note="odd") for name in CHECKS]
    write_json(record(found), tmp_path / "exactness.json")
    kept = read_json(tmp_path / "exactness.json")
    by_name = {check["check"]: check for check in kept["checks"]}
    assert by_name["resumed"] == {"check": "resumed", "error": 0.25, "limit": LIMIT, "exact": False, "note": "odd"}
    assert by_name["parts"]["error"] is None and not by_name["parts"]["exact"]
    assert kept["refused"].pop("attribution") == ["parts"]
    assert kept["refused"] == {name: ["resumed"] for name in ("patching", "attention", "features")}
    exact = exact_checks(tmp_path / "exactness.json")
    assert exact == set(CHECKS) - {"resumed", "parts"}
    assert [what for what in NEEDS if allowed(what, exact)] == ["head masks", "lens", "probing"]


def test_a_page_says_what_is_left_out_with_its_number():
    kept = record([Check(name, {"resumed": 0.25, "parts": np.inf}.get(name, 2e-7), note="<odd>") for name in CHECKS])
    said = refusals(kept, "patching", "attribution", "lens", "head masks")
    assert said.count("<p>") == 2 and "Activation patching" in said and "Direct logit attribution" in said
    assert "off by 0.25 times the largest value, where 0.0001 is allowed" in said
    assert "&lt;odd&gt;" in said and "The answer after each block" not in said
    assert refusals(record([Check(name, 0.0) for name in CHECKS]), *NEEDS) == ""
    assert set(TITLES) == set(NEEDS) and set(CLAIMS) >= {need for needs in NEEDS.values() for need in needs}


def test_an_error_at_the_limit_is_exact_and_nan_is_not():
    assert Check("lens", LIMIT).exact and not Check("lens", LIMIT * 1.01).exact and not Check("lens", np.nan).exact
    nan, one = (torch.tensor([np.nan, 1.0]), torch.ones(2)), (torch.ones(2), torch.ones(2))
    for routes in ([nan], [nan, one], [one, nan], [one, nan, one]):
        assert padding.checked("lens", iter(routes)).error == np.inf


def test_what_writes_nothing_is_exact_if_it_is_nothing_by_both_routes():
    nothing, something = torch.zeros(2), torch.tensor([0.0, 1e-9])
    assert padding.checked("heads", iter([(nothing, nothing)])).error == 0
    assert padding.checked("heads", iter([(something, nothing)])).error == np.inf


def test_a_block_that_writes_nothing_is_no_error():
    def silence(model):
        for part in (projection_of(model, 1), feed_forward_of(model, 1)):
            for weight in part.parameters():
                torch.nn.init.zeros_(weight)

    assert failing(checked("llama", silence)) == set()


def test_an_error_is_the_largest_of_all_texts_relative_to_its_own_scale():
    pairs = [
        (torch.tensor([1.0, 100.0]), torch.tensor([1.0, 100.0])),
        (torch.tensor([1.0, 2.5]), torch.tensor([1.0, 2.0])),
    ]
    assert padding.checked("lens", iter(pairs)).error == pytest.approx(0.25)


def test_texts_of_different_length_are_looked_at():
    texts = pd.Series([" ".join(["happy"] * count) for count in range(1, 21)] * 2).sample(frac=1, random_state=0)
    counts = [len(text.split()) for text in chosen_texts(TOKENIZER, texts)]
    assert counts == [1, 6, 10, 15, 20] or counts == [1, 6, 11, 15, 20]
    assert chosen_texts(TOKENIZER, pd.Series(["happy"])) == ["happy"]


def test_of_a_long_text_the_beginning_is_looked_at():
    tokenizer = word_pieces()
    tokenizer.model_max_length = 8192
    long, short = " ".join(["happy", *["sad"] * 6500]), " ".join(["happy"] * 400)
    kept, cut = chosen_texts(tokenizer, pd.Series([long, short]))
    assert kept == short and long.startswith(cut)
    assert padding.LONGEST - 5 < len(tokenizer(cut)["input_ids"]) <= padding.LONGEST + 1, "a word may be cut"


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError])
def test_a_lack_of_memory_is_no_property_of_a_model(error):
    def route():
        raise error("no more")
        yield

    with pytest.raises(error):
        padding.checked("heads", route())


def test_texts_are_looked_at_from_the_first_to_the_last():
    """A corpus may be sorted; and an index that comes twice, as of joined tables, is no other text."""
    texts = pd.Series([" ".join(["happy"] * count) + f" {number}" for count in (1, 9) for number in range(500)])
    found = chosen_texts(TOKENIZER, texts.set_axis([0] * 1000))
    assert len(set(found)) == len(found) == 5
    assert [text.count("happy") for text in found][:: len(found) - 1] == [1, 9]


def test_texts_without_a_token_are_refused():
    tokenizer = word_pieces()
    tokenizer.backend_tokenizer.post_processor = Sequence([])  # as a tokenizer that adds none
    assert chosen_texts(tokenizer, pd.Series(["", "happy"])) == ["happy"]
    with pytest.raises(UserError, match="no text of those looked at has a token"):
        chosen_texts(tokenizer, pd.Series([""]))


def test_the_command_checks_the_model_in_the_folder_on_its_test_texts(tmp_path):
    model = random_model("bert", len(TOKENIZER))
    for part in (model, TOKENIZER):
        part.save_pretrained(tmp_path / "model")
    pd.DataFrame({"text": TEXTS}).to_parquet(tmp_path / "test.parquet")
    check_exactness(tmp_path / "model", tmp_path / "test.parquet", tmp_path / "exactness.json")
    assert read_json(tmp_path / "exactness.json")["refused"] == {}
    assert exact_checks(tmp_path / "exactness.json") == set(CHECKS)


def test_a_language_model_that_is_not_what_is_read_out_of_it_is_refused():
    model = random_llama_lm(len(TOKENIZER))
    assert_readable(model, blocked=True)
    spoilt = deepcopy(model)
    projection = projection_of(spoilt, 1)
    projection.register_forward_hook(lambda _, __, output: output * 1.01)
    with pytest.raises(UserError, match=r"check 'heads': off by .*name another model under `companions`"):
        assert_readable(spoilt, blocked=False)
