"""Circuits of two heads, from weights that give the model's own attention."""

import pandas as pd
import pytest
import torch

from emoscope.errors import UserError
from emoscope.models.interventions import recording
from emoscope.models.parts import attention_norm_of, rotated
from emoscope.writeups.induction.composition import (
    choose_pairs,
    circuit,
    compose_heads,
    own_scores,
    processed_weights,
)
from emoscope.writeups.induction.copier import word_tokenizer
from emoscope.writeups.induction.repeats import repeated_tokens

VOCABULARY, LENGTH = 60, 12


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
        turned = rotated(model, block, normalised[[last]] @ query, last - position)
        scores.append(((normalised[last] @ query if turned is None else turned[0]) @ keys[position]) / size)
    torch.testing.assert_close(torch.stack(scores).softmax(dim=0), attention[last], atol=1e-5, rtol=0)


def test_a_circuit_that_finds_every_token_has_top1_accuracy_one():
    embedded = torch.eye(6)
    hit, rank = own_scores(embedded[[4, 2]], embedded, torch.tensor([4, 2]))
    assert hit.all() and (rank == 0).all()
    hit, rank = own_scores(embedded[[4]], -embedded, torch.tensor([4]))
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


def test_the_main_pair_is_tried_on_more_tokens_than_the_others(model, tmp_path):
    model.save_pretrained(tmp_path / "model")
    word_tokenizer(VOCABULARY, 64).save_pretrained(tmp_path / "model")
    places = [(block, head) for block in range(3) for head in range(4)]
    scores = pd.DataFrame(places, columns=["block", "head"]).assign(
        weights="trained", length=LENGTH, sequence=0,
        induction=[float(place == (2, 1)) for place in places], previous=[float(place == (0, 3)) for place in places],
    )  # fmt: skip
    scores.to_parquet(tmp_path / "heads.parquet")
    config = {"best_pairs": 2, "random_pairs": 3, "composed_tokens": 20, "seed": 0}
    compose_heads(tmp_path / "model", 3, tmp_path / "heads.parquet", config, tmp_path / "pairs.parquet")
    found = pd.read_parquet(tmp_path / "pairs.parquet")
    main = found[found["kind"] == "main"]
    place = ["previous_block", "previous_head", "block", "head"]
    assert main[place].drop_duplicates().to_numpy().tolist() == [[0, 3, 2, 1]]
    assert (main["measure"].value_counts().drop("context") == VOCABULARY).all()
    assert (main["measure"] == "context").sum() == 20
    assert (found[found["kind"] != "main"].groupby(["pair", "measure"]).size() == 20).all()
    embedded = model.get_input_embeddings().weight
    hit, rank = own_scores(*circuit(model, (0, 3), (2, 1), embedded, embedded), torch.arange(VOCABULARY))
    own = main[main["measure"] == "embedding"]
    assert own["hit"].sum() == hit.sum()
    assert sorted(own["rank"]) == pytest.approx(sorted(rank.tolist()))
