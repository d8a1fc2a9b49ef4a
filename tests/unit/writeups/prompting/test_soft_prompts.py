"""Soft prompts: what else is in a batch never matters, and a joined head changes nothing."""

import torch

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


def moved(model, texts, prompt, explicit):
    """The largest change of a text's outputs when it shares a batch with the longest one."""
    longest = max(range(len(texts)), key=lambda row: len(texts.ids[row]))
    return max(
        float((logits_of(model, texts.states([row, longest]), prompt, explicit)[0]
               - logits_of(model, texts.states([row]), prompt, explicit)[0]).abs().max())
        for row in range(len(texts))
    )  # fmt: skip


def test_what_else_is_in_a_batch_never_changes_an_output(model, texts, prompt):
    assert moved(model, texts, prompt, explicit=True) < 1e-5


def test_the_write_ups_positions_do_change_outputs(model, texts, prompt):
    """Without explicit positions the prompt stands behind the padding; so its outputs depend on the batch."""
    assert moved(model, texts, prompt, explicit=False) > 1e-2


def test_a_prompt_reads_what_the_model_would_read_in_one_piece(model, texts, prompt):
    embeddings = model.get_input_embeddings()
    for row, ids in enumerate(texts.ids):
        whole = torch.cat([embeddings(ids), prompt.tokens])[None]
        expected = model.base_model(inputs_embeds=whole).last_hidden_state[:, -1]
        found = read_prompt(model, texts.states([row]), prompt.tokens[None])
        assert torch.allclose(found, expected, atol=1e-5)


def test_kept_and_recomputed_states_are_the_same_and_no_use_changes_them(model, tokenizer, texts, prompt):
    anew = Texts(model, tokenizer, TEXTS, max_tokens=30, budget=0)
    assert texts.kept is not None
    assert anew.kept is None
    rows = [4, 0, 2]
    first, second = (logits_of(model, texts.states(rows), prompt) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.allclose(first, logits_of(model, anew.states(rows), prompt), atol=1e-5)


def test_a_composite_head_changes_no_output(model, texts, prompt):
    torch.manual_seed(2)
    prompts = [prompt, *(new_prompt(model, tokens=5, outputs=count) for count in (2, 4))]
    states = texts.states([0, 1, 2])
    joined = composite_logits(model, states, prompts)
    for own, composite in zip(prompts, joined, strict=True):
        assert composite.shape == (3, len(own.bias))
        assert torch.allclose(logits_of(model, states, own), composite, atol=1e-5)


def test_means_are_over_a_texts_own_tokens_whatever_is_kept(model, tokenizer, texts):
    anew = Texts(model, tokenizer, TEXTS, max_tokens=30, budget=0)
    for row, ids in enumerate(texts.ids):
        alone = model.base_model(input_ids=ids[None]).last_hidden_state[0].mean(dim=0)
        assert torch.allclose(texts.means()[row], alone, atol=1e-5)
        assert torch.allclose(anew.means()[row], alone, atol=1e-5)


def test_long_texts_are_cut_and_counted(model, tokenizer):
    texts = Texts(model, tokenizer, TEXTS, max_tokens=3, budget=1e9)
    assert max(map(len, texts.ids)) == 3
    assert texts.cut == sum(len(tokenizer(text)["input_ids"]) > 3 for text in TEXTS)


def test_prompts_are_read_as_they_were_written(tmp_path, model, prompt):
    other = SoftPrompt(*(part + 1 for part in prompt))
    save_prompts({"all/3": other, "joy/10": prompt}, tmp_path / "prompts.safetensors")
    found = load_prompts(tmp_path / "prompts.safetensors", torch.device("cpu"))
    assert list(found) == ["all/3", "joy/10"]
    assert all(torch.equal(one, other) for one, other in zip(found["joy/10"], prompt, strict=True))
