"""Soft prompts: what else is in a batch never matters, a joined head changes nothing, and training learns."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from emoscope.errors import UserError
from emoscope.storage.files import write_json
from emoscope.writeups.prompting import measure as prompt_scores
from emoscope.writeups.prompting import training as prompt_training
from emoscope.writeups.prompting.soft_prompts import (
    SoftPrompt,
    Texts,
    composite_logits,
    load_prompts,
    logits_of,
    new_prompt,
    read_prompt,
    save_prompts,
)
from random_models import TEXTS

SIZES = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
MODELS = {
    "gpt2": lambda size: GPT2LMHeadModel(
        GPT2Config(vocab_size=size, n_positions=64, n_embd=24, n_layer=3, n_head=4, bos_token_id=0, eos_token_id=0)
    ),
    "llama": lambda size: LlamaForCausalLM(
        LlamaConfig(vocab_size=size, max_position_embeddings=64, num_key_value_heads=2, pad_token_id=0, **SIZES)
    ),
}
CONFIG = {
    "tokens": 5, "epochs": [2, 8], "batch_size": 8, "learning_rate": 0.02, "max_tokens": 30, "checked_texts": 6,
    "cache_gb": 1.0, "seed": 0, "precision": "fp32",
}  # fmt: skip


@pytest.fixture(scope="module", params=MODELS)
def language_model(request, tokenizer):
    torch.manual_seed(0)
    model = MODELS[request.param](len(tokenizer)).eval().requires_grad_(False)
    for name, parameter in model.named_parameters():
        if "norm" not in name and "ln_" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.fixture
def texts(language_model, tokenizer):
    return Texts(language_model, tokenizer, TEXTS, max_tokens=30, budget=1e9)


@pytest.fixture
def prompt(language_model):
    torch.manual_seed(1)
    return SoftPrompt(*(part.detach() for part in new_prompt(language_model, tokens=5, outputs=3)))


def moved(model, texts, prompt, explicit):
    """The largest change of a text's outputs when it shares a batch with the longest one."""
    longest = max(range(len(texts)), key=lambda row: len(texts.ids[row]))
    return max(
        float((logits_of(model, texts.states([row, longest]), prompt, explicit)[0]
               - logits_of(model, texts.states([row]), prompt, explicit)[0]).abs().max())
        for row in range(len(texts))
    )  # fmt: skip


def test_what_else_is_in_a_batch_never_changes_an_output(language_model, texts, prompt):
    assert moved(language_model, texts, prompt, explicit=True) < 1e-5


def test_the_write_ups_positions_do_change_outputs(language_model, texts, prompt):
    """Without explicit positions the prompt stands behind the padding; so its outputs depend on the batch."""
    assert moved(language_model, texts, prompt, explicit=False) > 1e-2


def test_a_prompt_reads_what_the_model_would_read_in_one_piece(language_model, texts, prompt):
    embeddings = language_model.get_input_embeddings()
    for row, ids in enumerate(texts.ids):
        whole = torch.cat([embeddings(ids), prompt.tokens])[None]
        expected = language_model.base_model(inputs_embeds=whole).last_hidden_state[:, -1]
        found = read_prompt(language_model, texts.states([row]), prompt.tokens[None])
        assert torch.allclose(found, expected, atol=1e-5)


def test_kept_and_recomputed_states_are_the_same_and_no_use_changes_them(language_model, tokenizer, texts, prompt):
    anew = Texts(language_model, tokenizer, TEXTS, max_tokens=30, budget=0)
    assert texts.kept is not None
    assert anew.kept is None
    rows = [4, 0, 2]
    first, second = (logits_of(language_model, texts.states(rows), prompt) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.allclose(first, logits_of(language_model, anew.states(rows), prompt), atol=1e-5)


def test_a_composite_head_changes_no_output(language_model, texts, prompt):
    torch.manual_seed(2)
    prompts = [prompt, *(new_prompt(language_model, tokens=5, outputs=count) for count in (2, 4))]
    states = texts.states([0, 1, 2])
    joined = composite_logits(language_model, states, prompts)
    for own, composite in zip(prompts, joined, strict=True):
        assert composite.shape == (3, len(own.bias))
        assert torch.allclose(logits_of(language_model, states, own), composite, atol=1e-5)


def test_long_texts_are_cut_and_counted(language_model, tokenizer):
    texts = Texts(language_model, tokenizer, TEXTS, max_tokens=3, budget=1e9)
    assert max(map(len, texts.ids)) == 3
    assert texts.cut == sum(len(tokenizer(text)["input_ids"]) > 3 for text in TEXTS)


def test_prompts_are_read_as_they_were_written(tmp_path, language_model, prompt):
    other = SoftPrompt(*(part + 1 for part in prompt))
    save_prompts({"all/3": other, "joy/10": prompt}, tmp_path / "prompts.safetensors")
    found = load_prompts(tmp_path / "prompts.safetensors", torch.device("cpu"))
    assert list(found) == ["all/3", "joy/10"]
    assert all(torch.equal(one, other) for one, other in zip(found["joy/10"], prompt, strict=True))


def test_positive_weights_are_negatives_over_positives():
    truth = torch.tensor([[1, 0], [0, 1], [0, 1], [0, 1]])
    assert prompt_training.positive_weight(truth).tolist() == pytest.approx([3, 1 / 3])


def test_training_and_scoring_of_two_tasks(tmp_path, language_model, tokenizer):
    """The whole way of two small tasks: the model stays as it is, losses fall, shorter trainings are stations of longer
    ones, and the tables hold every prompt on every task's texts."""
    language_model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    words = [f"{text} {end}" for end in ("now", "today", "at home", "and so on") for text in TEXTS]
    happy = np.array(["love" in text or "happy" in text for text in words], dtype="int8")
    long = np.array([len(text) > 30 for text in words], dtype="int8")
    tasks = {
        "mood": ("multiple", ["joy", "long"], np.column_stack([happy, long]), "joy"),
        "size": ("single", ["short", "long"], np.column_stack([1 - long, long]), None),
    }
    for name, (kind, classes, truth, alone) in tasks.items():
        table = pd.DataFrame({"id": range(len(words)), "text": words})
        table[[f"is_{one}" for one in classes]] = truth
        table.to_parquet(tmp_path / f"{name}.parquet")
        write_json({"name": name, "kind": kind, "classes": classes, "alone": alone}, tmp_path / f"{name}.json")
        prompt_training.train_prompts(
            tmp_path / "model", tmp_path / f"{name}.parquet", tmp_path / f"{name}.json", CONFIG,
            tmp_path / f"{name}.safetensors", tmp_path / f"{name}.csv",
        )  # fmt: skip
        history = pd.read_csv(tmp_path / f"{name}.csv")
        losses = history[history["label"] == "all"].set_index("epoch")["loss"]
        assert len(losses) == 8
        assert losses[8] < losses[1]
    assert set(load_prompts(tmp_path / "mood.safetensors", torch.device("cpu"))) == {"all/2", "all/8", "joy/2", "joy/8"}
    files = [[tmp_path / f"{name}.{kind}" for name in tasks] for kind in ("parquet", "json", "safetensors")]
    prompt_scores.score_prompts(
        tmp_path / "model", *files, CONFIG, tmp_path / "scores.parquet", tmp_path / "checks.parquet"
    )
    scores, checks = pd.read_parquet(tmp_path / "scores.parquet"), pd.read_parquet(tmp_path / "checks.parquet")
    assert len(scores) == 2 * len(words) * 2 * (
        2 + 2 + 2
    )  # texts of two tasks, two lengths, three prompts of two outputs
    largest = checks.groupby("check")["moved"].max()
    assert largest["composite head"] < 1e-5
    assert largest["explicit positions"] < 1e-5
    assert largest["implicit positions"] > 1e-3


def test_training_in_bf16_learns_prompts_in_float32(language_model, tokenizer):
    model = copy.deepcopy(language_model).to(torch.bfloat16)
    texts = Texts(model, tokenizer, TEXTS * 4, max_tokens=30, budget=1e9)
    truth = torch.tensor([["love" not in text, "love" in text] for text in TEXTS * 4]).long()
    losses, prompts = zip(
        *[step[1:] for step in prompt_training.train_prompt(texts, truth, "single", CONFIG)], strict=True
    )
    assert losses[-1] < losses[0]
    assert {part.dtype for prompt in prompts for part in prompt} == {torch.float32}


def test_texts_and_prompt_must_fit_into_the_context(language_model):
    with pytest.raises(UserError, match=r"max_tokens and tokens make 65.*at most 64.*max_tokens to 59 or less"):
        prompt_training.check_context(language_model, CONFIG | {"max_tokens": 60})
