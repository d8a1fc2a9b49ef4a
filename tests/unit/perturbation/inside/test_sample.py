"""Which pairs are averaged over."""

import pandas as pd
import pytest
import torch

from emoscope.perturbation.inside.alignment import Unit, align
from emoscope.perturbation.inside.names import FLIP, NEUTRAL
from emoscope.perturbation.inside.sample import draw, pairs_by_kind, places_of, token_for_token
from random_models import FAMILIES
from traced_pair import SHORT


def pairs(origin, clusters, each=1, flags=()):
    rows = [
        {
            "id": each * place + n,
            "origin": origin,
            "term": "",
            "text": f"{cluster} {n}",
            "perturbed": "x",
            "cluster": cluster,
        }
        for place, cluster in enumerate(clusters)
        for n in range(each)
    ]
    return pd.DataFrame(rows).assign(perturbed="x", flags=[list(flags)] * len(rows))


def test_flips_and_neutral_swaps_are_told_apart_and_what_does_not_count_is_left_out():
    unfit = pairs("template", "c", flags=["uncertain"])
    table = pd.concat([pairs("natural", "ab"), pairs("natural control", "ab"), unfit])
    kinds = pairs_by_kind(table, 0)
    assert set(kinds[FLIP]["origin"]) == {"natural"} and set(kinds[NEUTRAL]["origin"]) == {"natural control"}
    assert len(kinds[FLIP]) == len(kinds[NEUTRAL]) == 2


def test_names_exchanged_within_one_gender_are_neither_flips_nor_neutral_swaps():
    """They carry gender, are matched to no flip, and may be of texts that have none."""
    own = [pairs("natural", "ab"), pairs("template", "cd"), pairs("natural control", "ab")]
    named = [pairs("natural names", "abx"), pairs("template names", "yz")]
    kinds = pairs_by_kind(pd.concat([*own, *named], ignore_index=True), 0)
    assert set(kinds[FLIP]["origin"]) == {"natural", "template"}
    assert set(kinds[NEUTRAL]["origin"]) == {"natural control"} and len(kinds[NEUTRAL]) == 2


def test_every_text_comes_once_before_any_comes_twice_and_in_one_order():
    clusters = "abcdefgh"
    table = pd.concat([pairs("template", clusters, each=3), pairs("template control", clusters)], ignore_index=True)
    flips, neutral = pairs_by_kind(table, 3).values()
    for start in (0, 8, 16):
        assert sorted(flips["cluster"][start : start + 8]) == sorted(clusters)
    assert list(flips["cluster"][:8]) == list(neutral["cluster"]) != sorted(clusters)
    again = pairs_by_kind(table.sample(frac=1, random_state=1), 3)[FLIP]
    assert list(again["id"]) == list(flips["id"]), "whatever the order of the rows"


@pytest.mark.parametrize("count", [40, 54])
def test_flips_are_first_of_the_texts_that_have_a_neutral_swap_however_few_these_are(count):
    """Else what is called the difference of both would be one of texts: by chance 7 of 40 would be the same."""
    clusters = [f"text {number}" for number in range(300)]
    swapped = clusters[::5][:54]
    table = pd.concat([pairs("natural", clusters, each=2), pairs("natural control", swapped)], ignore_index=True)
    flips, neutral = (kind["cluster"] for kind in pairs_by_kind(table, 0).values())
    assert list(flips[:count]) == list(neutral[:count])
    assert set(flips[:54]) == set(swapped) and list(neutral) != swapped, "in an order drawn by chance"
    assert set(flips[:300]) == set(clusters), "no text comes twice before all have come"
    assert list(flips[54:300]) != [name for name in clusters if name not in swapped]


def test_the_kinds_of_place_are_the_changed_words_the_one_that_is_read_and_the_rest():
    units = [Unit("he", "she", [0], [0]), Unit("said", "said", [1, 2], [1, 2]), Unit("so", "so", [3], [3])]
    assert places_of(units, 3) == {"changed": [0], "others": [1], "pooled": [2]}
    assert places_of(units, 2) == {"changed": [0], "others": [2], "pooled": [1]}
    assert places_of(units, 0) == {}, "a changed word that is read itself has no path to follow"


def test_texts_correspond_only_token_for_token(tokenizer):
    assert token_for_token(align(tokenizer, *SHORT))
    assert not token_for_token(align(tokenizer, "i love the dog", "i love the dog dog", [(11, 14, 11, 18)]))


def test_pairs_that_cannot_be_followed_are_counted_and_others_take_their_place(tokenizer):
    torch.manual_seed(0)
    model = FAMILIES["gpt2"](len(tokenizer)).eval()
    texts = [(f"i love the dog {n * 'so '}i feel", f"i love the end {n * 'so '}i feel") for n in range(4)]
    rows = [
        {"id": n, "origin": "natural", "term": "", "text": text, "perturbed": other, "cluster": text, "flags": [],
         "spans": [(11, 14, 11, 14)]}
        for n, (text, other) in enumerate(texts)
    ]  # fmt: skip
    last = {**rows[0], "id": 9, "text": "i love the dog", "perturbed": "i love the end", "cluster": "read"}
    found, passed = draw(model, tokenizer, pd.DataFrame([*rows, last]), 4, 0)
    assert [one.kind for one in found] == [FLIP] * 4 and {one.pair.id for one in found} == {0, 1, 2, 3}
    assert set(passed["id"]) <= {9}
    assert len(draw(model, tokenizer, pd.DataFrame(rows), 2, 0)[0]) == 2
    everything, passed = draw(model, tokenizer, pd.DataFrame([*rows, last]), 10, 0)
    assert len(everything) == 4 and list(passed["id"]) == [9], "it is read at the changed word"


def test_a_pair_whose_changed_words_are_cut_off_is_passed_over_and_takes_no_place(tokenizer, monkeypatch):
    """Its texts are one to the model: it would be averaged over as a flip that moves nothing."""
    torch.manual_seed(0)
    model = FAMILIES["gpt2"](len(tokenizer)).eval()
    start = "i feel so "
    early = [(f"i love the dog {n * 'so '}i feel", f"i love the end {n * 'so '}i feel") for n in range(3)]
    late = [(f"{(n + 8) * start}dog i feel", f"{(n + 8) * start}end i feel") for n in range(3)]
    rows = [
        {"id": n, "origin": "natural", "term": "", "text": text, "perturbed": other, "cluster": text, "flags": [],
         "spans": [(at := text.index("dog"), at + 3, at, at + 3)]}
        for n, (text, other) in enumerate([*early, *late])
    ]  # fmt: skip
    monkeypatch.setattr(tokenizer, "model_max_length", len(tokenizer(8 * start)["input_ids"]) - 2)
    found, passed = draw(model, tokenizer, pd.DataFrame(rows), 3, 0)
    assert {one.pair.id for one in found} == {0, 1, 2} and all(one.places["changed"] for one in found)
    everything, passed = draw(model, tokenizer, pd.DataFrame(rows), 10, 0)
    assert len(everything) == 3 and set(passed["id"]) == {3, 4, 5}
