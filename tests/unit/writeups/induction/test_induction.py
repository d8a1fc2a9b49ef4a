"""Repeated tokens: what is drawn, scored, replaced and composed, each against a plain second route."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from emoscope.errors import UserError
from emoscope.models.families import attention_norm_of, feed_forward_of, rotated
from emoscope.models.interventions import changing_output, recording
from emoscope.models.language_models import load_language_model
from emoscope.writeups.induction.ablation import ablate_heads, mlp_losses
from emoscope.writeups.induction.composition import choose_pairs, circuit, own_scores, processed_weights
from emoscope.writeups.induction.copier import train_copier, window_at, word_tokenizer
from emoscope.writeups.induction.measure import score_heads
from emoscope.writeups.induction.repeats import (
    first_token,
    fitting_lengths,
    head_scores,
    hits,
    log_probabilities,
    repeated_tokens,
)
from emoscope.writeups.induction.summarise import halves_of, pair_findings, pairs_of, silenced_of
from random_models import random_gpt2_lm, random_llama_lm

VOCABULARY, LENGTH = 60, 12
STATISTICS = {"seed": 0, "resamples": 200, "confidence": 0.95}
COPIER = {"blocks": 2, "heads": 2, "width": 32, "vocabulary": 24, "context": 25, "batch_size": 32, "seed": 0}


@pytest.fixture(scope="module", params=[random_gpt2_lm, random_llama_lm], ids=["gpt2", "llama"])
def model(request):
    torch.manual_seed(0)
    return request.param(VOCABULARY).requires_grad_(False)


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model.save_pretrained(folder)
    word_tokenizer(VOCABULARY, 64).save_pretrained(folder)
    return folder


@given(st.integers(2, 30), st.integers(1, 4), st.integers(0, 99), st.integers(0, 39))
def test_the_second_half_repeats_the_first_and_no_token_comes_twice_in_it(length, sequences, seed, first):
    tokens = repeated_tokens(40, first, length, sequences, seed)
    assert tokens.shape == (sequences, 1 + 2 * length)
    assert (tokens[:, 0] == first).all()
    assert torch.equal(tokens[:, 1 : length + 1], tokens[:, length + 1 :])
    assert all(len(set(line.tolist())) == length + 1 for line in tokens)
    assert torch.equal(tokens, repeated_tokens(40, first, length, sequences, seed))


def test_scores_of_heads_that_do_nothing_else():
    patterns = torch.zeros(2, 1 + 2 * LENGTH, 1 + 2 * LENGTH)
    for query in range(1, 1 + 2 * LENGTH):
        patterns[0, query, query - (LENGTH - 1) if query > LENGTH else query] = 1
        patterns[1, query, query - 1] = 1
    scores = head_scores(patterns, LENGTH)
    assert scores["induction"].tolist() == [1, 0]
    assert scores["previous"][1] == 1
    assert scores["stripe"][0] == pytest.approx(LENGTH / (LENGTH + 2))  # the first half's two entries are not induction


def test_log_probabilities_and_hits_are_of_the_next_token():
    tokens = torch.tensor([[0, 2, 1]])
    logits = torch.log(torch.tensor([[[0.2, 0.1, 0.7], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]])) + 3
    np.testing.assert_allclose(log_probabilities(logits, tokens).exp(), [[0.7, 0.3]], rtol=1e-5)
    assert hits(logits, tokens).tolist() == [[True, False]]


def test_lengths_that_do_not_fit_are_left_out_but_not_the_main_one(model):
    assert fitting_lengths(model, [12, 31, 40]) == [12, 31]
    with pytest.raises(UserError, match=r"64.*at most 31"):
        fitting_lengths(model, [40, 12])


def test_eos_starts_a_sequence_where_there_is_no_bos():
    tokenizer = word_tokenizer(9, 64)
    tokenizer.bos_token, tokenizer.eos_token = None, "t3"
    assert first_token(tokenizer) == 3
    tokenizer.eos_token = None
    with pytest.raises(UserError, match="BOS"):
        first_token(tokenizer)


def test_mlp_losses_equal_those_of_whole_runs(model):
    """Keeping the keys of earlier positions and resuming at the block change nothing."""
    tokens = repeated_tokens(VOCABULARY, 0, LENGTH, 3, seed=1)
    baseline, found = mlp_losses(model, tokens, LENGTH, [0, 7, -1])
    assert len(found) == 3 * 3

    def loss():
        with torch.inference_mode():
            return -log_probabilities(model(tokens).logits, tokens)[:, LENGTH:].mean(dim=1)

    torch.testing.assert_close(baseline, loss(), atol=1e-5, rtol=0)
    for (block, offset), expected in found.items():
        with recording(feed_forward_of(model, block)) as seen, torch.inference_mode():
            model(tokens)
        changed = seen["output"].clone()
        where = slice(LENGTH, 2 * LENGTH) if offset == -1 else slice(LENGTH + offset, LENGTH + offset + 1)
        changed[:, where] = seen["output"][:, where.start - LENGTH : where.stop - LENGTH]
        with changing_output(feed_forward_of(model, block), lambda _, new=changed: new):
            torch.testing.assert_close(expected, loss(), atol=1e-5, rtol=0)
        assert (expected - baseline).abs().max() > 1e-4


@pytest.mark.parametrize("head", [0, 3])
def test_processed_weights_give_the_models_own_attention(model, head):
    """Query times key from folded, centred, shared and rotated weights; fresh biases are zero."""
    [line], block = repeated_tokens(VOCABULARY, 0, LENGTH, 1, seed=2), 1
    with recording(attention_norm_of(model, block)) as seen, torch.inference_mode():
        attention = model(line[None], output_attentions=True).attentions[block][0, head]
    normalised = seen["output"][0] / attention_norm_of(model, block).weight
    query, key, _, _ = processed_weights(model, block, head)
    last, size = len(line) - 1, query.shape[1] ** 0.5
    keys = normalised @ key
    scores = []
    for position in range(last + 1):
        turned = rotated(model, normalised[[last]] @ query, last - position)
        scores.append(((normalised[last] @ query if turned is None else turned[0]) @ keys[position]) / size)
    torch.testing.assert_close(torch.stack(scores).softmax(dim=0), attention[last], atol=1e-5, rtol=0)


def test_a_circuit_that_finds_every_token_has_top1_accuracy_one():
    embedded = torch.eye(6)
    hit, rank = own_scores(embedded, embedded, torch.tensor([4, 2]))
    assert hit.all() and (rank == 0).all()
    hit, rank = own_scores(embedded, -embedded, torch.tensor([4]))
    assert not hit.any() and rank.item() == pytest.approx(5 / 6)


def test_circuit_passes_through_both_heads(model):
    embedded = model.get_input_embeddings().weight
    queries, keys = circuit(model, (0, 1), (2, 3), embedded, embedded)
    query, key, _, _ = processed_weights(model, 2, 3)
    _, _, value, out = processed_weights(model, 0, 1)
    product = query @ key.T @ (value @ out).T
    torch.testing.assert_close(queries @ keys.T, embedded @ product @ embedded.T, atol=1e-4, rtol=1e-4)


def test_pairs_are_in_order_and_random_ones_hold_no_best_head():
    heads = [(block, head) for block in range(4) for head in range(4)]
    scores = pd.DataFrame(heads, columns=["block", "head"]).assign(
        induction=[float(head == (2, 1)) + 0.01 * head[1] for head in heads],
        previous=[float(head == (3, 3)) + 0.9 * (head == (1, 2)) + 0.01 * head[1] for head in heads],
    )
    pairs = choose_pairs(scores, heads, best=4, random=20, seed=0)
    assert pairs[0] == ("main", (1, 2), (2, 1)), "the best previous-token head comes too late for the induction head"
    assert [kind for kind, *_ in pairs].count("random") == 20
    assert all(previous[0] < later[0] for _, previous, later in pairs)
    best = [pair[1:] for pair in pairs if pair[0] != "random"]
    for kind, previous, later in pairs:
        if kind == "random":
            assert previous not in {pair[0] for pair in best} and later not in {pair[1] for pair in best}
    with pytest.raises(UserError, match="two blocks"):
        choose_pairs(scores[scores["block"] == 0], heads[:4], 4, 20, 0)


def test_silencing_is_told_apart_by_kind_and_paired_by_sequence(folder, tmp_path):
    config = {"lengths": [LENGTH], "sequences": 3, "random_models": 1, "seed": 0}
    paths = [tmp_path / f"{name}.parquet" for name in ("predictions", "heads", "patterns")]
    score_heads(folder, 3, config, *paths)
    more = {"ablated_sequences": 3, "ablated_heads": [1, 2], "random_heads": 2}
    ablate_heads(folder, 3, paths[1], config | more, tmp_path / "silenced.parquet")
    silenced = pd.read_parquet(tmp_path / "silenced.parquet")
    assert silenced.groupby(["kind", "heads"]).size().to_dict() == {
        **{("none", 0): 3, ("induction", 1): 3, ("induction", 2): 3, ("previous", 1): 3, ("previous", 2): 3},
        **{("random", 1): 6, ("random", 2): 6},
    }
    summary = silenced_of(silenced, STATISTICS).set_index(["measure", "kind", "heads", "draw"])
    means = silenced.groupby(["kind", "heads"])["loss"].mean()
    expected = means["induction", 2] - means["none", 0]
    assert summary.loc[("loss", "induction", 2, 0), "value"] == pytest.approx(expected, abs=1e-6)
    assert abs(expected) > 1e-4


def test_a_half_without_any_hit_still_has_an_interval():
    table = pd.DataFrame({"length": 2, "sequence": [0, 0, 0, 0], "position": [1, 2, 3, 4], "log_prob": -1.0})
    halves = halves_of(table.assign(hit=[False, False, True, False]), STATISTICS)
    first = halves.query("half == 'first' and measure == 'accuracy'").iloc[0]
    assert first["value"] == 0 and 0.5 < first["high"] < 1
    assert halves.query("half == 'second' and measure == 'accuracy'")["value"].item() == 0.5


def test_findings_set_the_main_pair_beside_the_random_ones():
    key = {"previous_block": 0, "previous_head": 1, "block": 2, "head": 3, "key_head": 1, "measure": "embedding"}
    rows = [
        pd.DataFrame({"pair": pair, "kind": kind, **key, "candidates": 40, "hit": hit, "rank": [0.0, 0.5]})
        for pair, (kind, hit) in enumerate([("main", [True, True]), ("random", [True, False]), ("random", [False] * 2)])
    ]
    found = {finding.name: finding for finding in pair_findings(pairs_of(pd.concat(rows), STATISTICS))}
    assert found["composition_embedding"].value == 1
    assert found["composition_embedding_random"].value == 0.5
    assert "mean is 0.25" in found["composition_embedding_random"].note
    assert found["composition_embedding_rank"].value == 0.25


def test_a_copier_learns_to_copy_and_is_a_usable_model_folder(tmp_path):
    train_copier({**COPIER, "steps": 400, "learning_rate": 0.01}, tmp_path / "copier")
    model, tokenizer = load_language_model(tmp_path / "copier")
    tokens = repeated_tokens(COPIER["vocabulary"], first_token(tokenizer), 10, 20, seed=5)
    with torch.inference_mode():
        right = hits(model(tokens).logits, tokens)
    assert right[:, :10].float().mean() < 0.2 and right[:, 11:].float().mean() > 0.9


def test_a_copier_that_did_not_learn_is_refused(tmp_path):
    with pytest.raises(UserError, match="more `steps`"):
        train_copier({**COPIER, "steps": 2, "learning_rate": 0.01}, tmp_path / "copier")
    assert not (tmp_path / "copier").exists()


@given(st.floats(0, 1), st.integers(25, 300))
def test_the_training_window_grows_to_the_context(progress, context):
    assert 25 <= window_at(progress, context) <= context
    assert window_at(0.5, context) == context
