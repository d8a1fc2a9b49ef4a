"""What erasing and steering do to a model that is known to use gender where no keyword decides."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch

from emoscope.experiments.probing import names
from emoscope.experiments.probing.erasing.erasers import erased, fit, fitted
from emoscope.experiments.probing.erasing.erasure import erase_concept
from emoscope.experiments.probing.measure import read_concepts
from emoscope.experiments.probing.states import (
    TokenStates,
    batched,
    chosen_depths,
    locate,
    place_states,
    run,
    token_states,
)
from emoscope.experiments.probing.steering import directions, steer_concept, steered_logits
from emoscope.models.activations import activations_of
from emoscope.models.inside.erasure import direction_eraser, mean_difference
from emoscope.models.inside.structure import prepared
from emoscope.models.parts import feed_forward_of
from emoscope.models.planted.circuit import plan
from emoscope.models.planted.compiled import compiled, tokenizer_for
from emoscope.storage.names import EVERYWHERE
from planted_gender import CONFIG
from random_models import write_exactness

PREDICTION = {"tokens_per_batch": 1024}


@pytest.fixture(scope="module", params=["gpt2", "bert"])
def planted(request):
    return prepared(compiled(plan(1), request.param)).eval(), tokenizer_for(request.param)


def measured(found, measure: str, depth: int = EVERYWHERE) -> pd.Series:
    rows = found.erased[(found.erased["measure"] == measure) & (found.erased["depth"] == depth)]
    return rows.set_index("method")["value"]


def test_erasing_gender_closes_the_gap_and_random_directions_do_not(found):
    for measure, whole in ((names.GAP, 0.7), (names.DISTANCE, 0.7), (names.CHANGED, 0.9)):
        values = measured(found, measure).abs()
        assert values[names.NOTHING] > whole and values[names.RANDOM] > whole / 2
        assert values[names.LEAST] < 0.05 and values[names.DIRECTION] < 0.05, measure


def test_erasing_before_it_is_used_is_enough_and_after_it_was_moved_at_the_word_alone_is_not(found):
    [block] = [node[1] for node, role in found.circuit.roles.items() if role == "gender"]
    assert measured(found, names.DISTANCE, 0)[names.LEAST] < 0.05
    assert measured(found, names.DISTANCE, block)[names.LEAST] < 0.05


def test_a_fresh_probe_reads_nothing_of_what_was_erased(found):
    for place in (names.POOLED, names.WORD):
        for where in (names.HERE, names.LAST):
            assert measured(found, f"{place}, {where}")[names.LEAST] < 0.65
    assert measured(found, f"{names.POOLED}, {names.LAST}")[names.RANDOM] > 0.95
    assert measured(found, f"{names.WORD}, {names.HERE}")[names.NOTHING] == 1


def test_accuracy_is_lost_where_gender_decides_and_nowhere_else(found):
    """In a third of the texts, no keyword decides."""
    assert measured(found, names.ACCURACY)[names.NOTHING] > 0.95
    values = measured(found, names.ACCURACY, 0)
    assert 0.7 < values[names.LEAST] < 0.93 < values[names.RANDOM]
    assert measured(found, names.ACCURACY)[names.LEAST] == values[names.LEAST], "nothing is left to erase further on"
    last = measured(found, names.ACCURACY, 4)
    assert last[names.LEAST] < values[names.LEAST], "behind its use, it is the answer itself"


def test_every_way_and_depth_is_there(found):
    ways = found.erased[["method", "depth"]].drop_duplicates()
    assert len(ways) == 1 + 6 * (5 + 1)
    assert found.answers.groupby(["method", "draw", "depth"]).ngroups == 1 + 8 * 6, "two draws of random directions"
    told = found.answers[found.answers["learned"]]
    assert set(told["method"]) == {names.NOTHING} and len(told) == 96


def test_a_whole_dose_is_a_flip_and_its_reverse_is_none(found):
    gap = measured(found, names.GAP)[names.NOTHING]
    rows = found.doses[found.doses["depth"] == 0].set_index(["method", "dose"])["value"]
    assert rows[names.DIRECTION, 1] == pytest.approx(gap, abs=0.1)
    assert abs(rows[names.DIRECTION, -1]) < 0.1 and abs(rows[names.RANDOM, 1]) < 0.3 * abs(gap)
    assert found.steered.loc[found.steered["method"] == names.NOTHING, "dose"].eq(0).all()


def test_a_token_that_is_much_longer_hides_no_difference_at_the_others():
    """As the first one of GPT-2 is, which serves attention as a resting place."""
    generator = torch.Generator().manual_seed(0)
    values, member = torch.randn(400, 8, generator=generator), np.arange(100) % 2 == 0
    text, position = np.arange(400) // 4, np.arange(400) % 4
    values[position == 0] += 3000 * torch.ones(8)
    here = torch.from_numpy((position == 2) & member[text])
    values[here, 0] += 2
    place = np.where(position == 2, names.WORD, names.MEAN)
    states = TokenStates(values, text, place, np.full(400, ""))
    left = fit(names.LEAST, 0, states, member)(values)
    words = torch.from_numpy(position == 2)
    inside = torch.from_numpy(member[text])[words]
    assert mean_difference(values[words], inside).norm() > 1.5
    assert mean_difference(left[words], inside).norm() < 1e-3


def test_nothing_is_said_where_the_head_reads_more_than_one_token(found, tmp_path):
    def of(*which: str, folder=tmp_path) -> dict:
        return {name: folder / f"{name}.parquet" for name in which}

    shared = {"exactness": write_exactness(tmp_path, "pooled"), "config": CONFIG, "prediction": PREDICTION}
    texts, both = of("train", "test", folder=found.folder), of("taught", "pairs", folder=found.folder)
    lists = {name: [file] for name, file in both.items()}
    model, made = found.folder / "model", of("readings", "texts", "answers", "probes", "accuracy", "steered")
    axes, (readings, told, *erasure, steered) = ["gender"], made.values()
    read_concepts(model, **texts, **lists, axes=axes, **shared, readings=readings, texts=told)
    erase_concept(model, **texts, **both, **shared, answers=erasure[0], probes=erasure[1], accuracy=erasure[2])
    steer_concept(model, texts["train"], **both, **shared, steered=steered)
    assert all(pd.read_parquet(file).empty for file in made.values())


def test_states_stand_at_their_depth_and_place(planted):
    model, tokenizer = planted
    texts = [
        locate(model, tokenizer, text, [(start, start + 3)], ["he/she"])
        for text, start in (("we saw she late", 7), ("the she", 4))
    ]
    states, logits = place_states(model, texts, batched(model, texts, 8))
    for row, text in enumerate(texts):
        run = activations_of(model, text.inputs)
        [word] = text.word
        assert tokenizer.convert_ids_to_tokens(text.inputs["input_ids"][0].tolist())[word] == "she"
        np.testing.assert_allclose(logits[row], run.logits, atol=1e-4)
        for place, wanted in (
            (names.POOLED, run.residual[:, text.pooled]),
            (names.WORD, run.residual[:, word]),
            (names.MEAN, run.residual.mean(dim=1)),
        ):
            np.testing.assert_allclose(states[:, names.PLACES.index(place), row], wanted, atol=1e-3)
    nobody = [locate(model, tokenizer, "we saw", [], [])]
    assert np.isnan(place_states(model, nobody, batched(model, nobody, 8))[0][:, 1]).all()


def test_tokens_are_told_apart_by_place(planted):
    model, tokenizer = planted
    texts = [
        locate(model, tokenizer, "the she late", [(4, 7)], ["he/she"]),
        locate(model, tokenizer, "a aunt saw home he", [(16, 18), (2, 6)], ["he/uncle", "aunt/uncle"]),
    ]
    found = token_states(model, texts, batched(model, texts, 8), 2)
    for (row, text), wanted in zip(
        enumerate(texts), ({"she": "he/she"}, {"he": "he/uncle", "aunt": "aunt/uncle"}), strict=True
    ):
        own = found.text == row
        assert own.sum() == text.inputs["input_ids"].shape[1]
        at = {place: set(np.flatnonzero(found.place[own] == place)) for place in names.PLACES}
        assert at[names.WORD] == set(text.word) and at[names.POOLED] == {text.pooled} - set(text.word)
        said = dict(enumerate(found.said[own]))
        words = tokenizer.convert_ids_to_tokens(text.inputs["input_ids"][0].tolist())
        assert {words[token]: name for token, name in said.items() if name} == wanted
        torch.testing.assert_close(
            found.values[own], activations_of(model, text.inputs).residual[2], atol=1e-3, rtol=1e-3
        )


def token_table(texts: int = 200, width: int = 10, shift: float = 3.0):
    """Two tokens a text, the word's and the pooled one, that tell members in different dimensions."""
    generator, member = torch.Generator().manual_seed(0), np.arange(texts) % 2 == 0
    values = torch.randn(2 * texts, width, generator=generator)
    values[:texts][torch.from_numpy(member), 3] += shift
    values[texts:][torch.from_numpy(member), 5] += shift
    places = np.repeat(np.array([names.WORD, names.POOLED], dtype=object), texts)
    said = np.where(
        places == names.WORD, np.tile(np.array(["he/she"] * 2 + ["aunt/uncle"] * 2, dtype=object), texts // 2), ""
    )
    return TokenStates(values, np.tile(np.arange(texts), 2), places, said), member


def test_each_place_is_erased_by_itself():
    states, member = token_table()
    inside = torch.from_numpy(member[states.text])
    left = {}
    for method in names.METHODS:
        values = fit(method, 0, states, member)(states.values)
        left[method] = [
            float((values[where & inside].mean(dim=0) - values[where & ~inside].mean(dim=0)).norm())
            for where in (torch.from_numpy(states.place == place) for place in (names.WORD, names.POOLED))
        ]
    assert max(left[names.LEAST]) < 1e-4 and max(left[names.DIRECTION]) < 0.2
    assert max(left[names.DIMENSIONS]) < 1 < min(left[names.RANDOM])
    assert torch.linalg.matrix_rank(fit(names.RANDOM, 0, states, member).removed) == 2
    assert not torch.equal(fit(names.RANDOM, 0, states, member).removed, fit(names.RANDOM, 1, states, member).removed)


def test_words_that_say_it_in_ways_of_their_own_are_erased_one_by_one():
    """One pair of words differs one way, the other in another dimension, too, and the other way."""
    states, member = token_table(800)
    inside, uncle = torch.from_numpy(member[states.text]), torch.from_numpy(states.said == "aunt/uncle")
    states.values[:, 7] += 2.0 * (uncle & inside)
    states.values[:, 3] -= 6.0 * (uncle & inside)
    words, left = (uncle, torch.from_numpy(states.said == "he/she")), {}
    for method in names.METHODS:
        values = fit(method, 0, states, member)(states.values)
        left[method] = max(float(mean_difference(values[kind], inside[kind]).norm()) for kind in words)
    assert left[names.BY_WORD] < 1e-4 and min(left[name] for name in names.METHODS if name != names.BY_WORD) > 1
    ranks = {method: int(torch.linalg.matrix_rank(fit(method, 0, states, member).removed)) for method in names.METHODS}
    assert ranks == {method: 3 if method in (names.BY_WORD, names.RANDOM_BY_WORD) else 2 for method in names.METHODS}


@pytest.mark.parametrize("method", names.METHODS)
def test_differences_that_are_rounding_are_not_erased(method):
    """Twins that are alike but for it: what stands in the way of a direction by rounding is no concept."""
    states, member = token_table(shift=0)
    alike = states.values.reshape(2, -1, 2, 10)
    alike[:, :, 1] = alike[:, :, 0] + 1e-6 * torch.randn(
        alike[:, :, 0].shape, generator=torch.Generator().manual_seed(1)
    )
    assert fit(method, 0, states, member).removed.abs().max() == 0


def test_several_depths_are_fitted_on_what_is_left(planted):
    model, tokenizer = planted
    texts = [
        locate(model, tokenizer, f"{filler} {word} late", [(len(filler) + 1, len(filler) + 1 + len(word))], ["he/she"])
        for filler in ("we saw", "the lake", "so then", "a boat")
        for word in ("he", "she")
    ]
    member = np.arange(len(texts)) % 2 == 0
    found = fitted(model, texts, member, [0, 4], [(names.LEAST, 0)], 64, 1)
    assert set(found) == {(names.LEAST, 0, depth) for depth in (0, 4, EVERYWHERE)}
    everywhere = found[names.LEAST, 0, EVERYWHERE]
    torch.testing.assert_close(everywhere[0].removed, found[names.LEAST, 0, 0][0].removed)
    with erased(model, {0: everywhere[0]}):
        left = token_states(model, texts, batched(model, texts, 64), 4)
    torch.testing.assert_close(everywhere[4].mean, left.values.double().mean(dim=0), atol=1e-4, rtol=1e-4)
    assert chosen_depths(model, 2) == [0, 4] and chosen_depths(model, 99) == [0, 1, 2, 3, 4]


def test_random_directions_are_drawn_anew_for_every_seed_draw_and_depth(planted):
    """One subspace for all depths would be taken away once; and seeds would say nothing of the draw."""
    model, tokenizer = planted
    texts = [
        locate(model, tokenizer, f"we saw {word} late", [(7, 7 + len(word))], ["he/she"]) for word in ("he", "she")
    ]
    member, ways = np.array([True, False] * 20), [(names.RANDOM, 0), (names.RANDOM, 1)]
    drawn = {}
    for seed in (1, 2):
        found = fitted(model, texts * 20, member, [0, 4], ways, 64, seed)
        drawn |= {(seed, draw, depth): one[depth].removed for (_, draw, depth), one in found.items() if depth in one}
        torch.testing.assert_close(found[names.RANDOM, 0, EVERYWHERE][0].removed, drawn[seed, 0, 0])
    assert len(drawn) == 8
    for one, other in combinations(drawn.values(), 2):
        assert float((one * other).sum() / min(one.trace(), other.trace())) < 0.9
    states = token_states(model, texts * 20, batched(model, texts * 20, 64), 0)
    ways = [directions(states, member, 2, seed) for seed in ([1, 0], [2, 0], [1, 4])]
    for own in ways:
        length = float(own[names.DIRECTION, 0].norm())
        assert length > 0 and [float(way.norm()) for way in own.values()] == pytest.approx([length] * 3, rel=1e-4)
    for one, other in combinations((found[names.RANDOM, draw] for found in ways for draw in (0, 1)), 2):
        assert float(torch.cosine_similarity(one, other)) < 0.9
    assert torch.equal(ways[0][names.RANDOM, 1], directions(states, member, 2, [1, 0])[names.RANDOM, 1])


def test_steering_moves_the_word_of_its_own_text_and_no_other(planted):
    model, tokenizer = planted
    long, short = (
        locate(model, tokenizer, text, [(start, start + 3)], [""])
        for text, start in (("we saw the boat she late", 16), ("she", 0))
    )
    shifts = torch.randn(2, model.config.hidden_size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    both = batched(model, [short, long], 64)
    whole = place_states(model, [short, long], both)[1]
    np.testing.assert_allclose(steered_logits(model, [short, long], both, 0 * shifts, 0), whole, atol=1e-4)
    shifts[0] = 0
    moved = steered_logits(model, [short, long], both, 5 * shifts, 0)
    np.testing.assert_allclose(moved[0], whole[0], atol=1e-4)
    assert np.abs(moved[1] - whole[1]).max() > 1e-3
    np.testing.assert_allclose(
        moved[1], steered_logits(model, [long], batched(model, [long], 64), 5 * shifts[1:], 0)[0], atol=1e-3
    )


@pytest.mark.parametrize("depth", [0, 2, 4])
def test_runs_that_start_at_a_depth_give_what_whole_runs_give(planted, depth):
    """To the bit, with what is changed there, and without running the blocks before it."""
    model, tokenizer = planted
    texts = [locate(model, tokenizer, text, [(4, 7)], ["he/she"]) for text in ("the she late", "the she saw a boat")]
    states = torch.randn(9, model.config.hidden_size, generator=torch.Generator().manual_seed(0))
    found = {}
    for start in (0, depth):
        [batch], ran = batched(model, texts, 64, start), []
        hooks = [
            feed_forward_of(model, block).register_forward_hook(lambda *_, block=block, ran=ran: ran.append(block))
            for block in range(4)
        ]
        with erased(model, {depth: direction_eraser(states, states[:2])}):
            streams, logits = run(model, batch, [depth, 4])
        for hook in hooks:
            hook.remove()
        assert ran == [*range(start, 4)]
        found[start] = [*streams, logits]
    for one, other in zip(found[0], found[depth], strict=True):
        assert torch.equal(one, other)
    still, logits = run(model, batched(model, texts, 64)[0], [depth])
    assert not torch.equal(still[0], found[0][0]) and not torch.equal(logits, found[0][-1])
