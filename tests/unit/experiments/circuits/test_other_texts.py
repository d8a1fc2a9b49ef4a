"""Pairs of whole texts: which are made, and that the class is found where there is one, and not where there is none."""

import numpy as np
import pandas as pd
import pytest
import torch

from emoscope.experiments.circuits import page
from emoscope.experiments.circuits.names import CLASS, INTEGRATED, KEPT
from emoscope.experiments.circuits.other_texts import TURNS, draw_pairs, matched
from emoscope.models.inside.structure import prepared
from emoscope.models.parts import pooled_token
from emoscope.models.planted.circuit import plan
from emoscope.models.planted.compiled import LAYOUTS, compiled, tokenizer_for
from emoscope.models.planted.texts import POOLED_MARK, sentences
from emoscope.perturbation.inside.names import FLIP, NEUTRAL
from emoscope.reporting.passages import Findings
from made_up import words
from random_models import FAMILIES

TEXTS = sentences(200, 3).assign(id=lambda rows: range(len(rows)))


def test_partners_by_hand():
    """Texts 0, 1, 2 make a pair of either kind; 4 has a partner of its own class alone, 5 and 6 are the same text."""
    shapes, labels = [3, 3, 3, 5, 5, 6, 6, ()], ["joy", "fear", "joy", "joy", "joy", "joy", "fear", "joy"]
    tokens = [[1], [2], [3], [4], [5], [6], [6], []]
    assert matched(shapes, labels, tokens, 9) == {FLIP: [(0, 1)], NEUTRAL: [(0, 2), (3, 4)]}
    assert matched(shapes, labels, tokens, 1) == {FLIP: [(0, 1)], NEUTRAL: [(0, 2)]}


def one_by_one(shapes, labels, tokens, count):
    """As `matched`, each text being held against every other one."""
    free, found = set(range(len(shapes))), {FLIP: [], NEUTRAL: []}
    for kinds in TURNS:
        for one in range(len(shapes)):
            if any(len(found[kind]) == count for kind in kinds):
                break
            fit = [n for n in sorted(free) if shapes[n] == shapes[one] and tokens[n] != tokens[one]]
            classes = {FLIP: [n for n in fit if labels[n] != labels[one]]}
            classes[NEUTRAL] = [n for n in fit if labels[n] == labels[one]]
            if one in free and shapes[one] and all(classes[kind] for kind in kinds):
                for kind in kinds:
                    found[kind].append((one, classes[kind][0]))
                free -= {one, *(classes[kind][0] for kind in kinds)}
    return found


@pytest.mark.parametrize("seed", range(60))
def test_partners_are_the_first_that_fit(seed):
    draw = np.random.default_rng(seed)
    count, classes, kinds = draw.integers(1, 60), draw.integers(1, 5), draw.integers(1, 4)
    shapes = [(number, 7) if number else () for number in draw.integers(0, kinds + 1, count)]
    labels = np.minimum(draw.geometric(draw.uniform(0.3, 0.95), count), classes).tolist()
    tokens = [[number] for number in draw.integers(0, draw.integers(2, 80), count)]
    for most in (1, 3, 60):
        assert matched(shapes, labels, tokens, most) == one_by_one(shapes, labels, tokens, most)


class Counted(str):
    """A label that counts how often any is held against another."""

    asked = 0

    def __eq__(self, other):
        Counted.asked += 1
        return super().__eq__(other)

    def __ne__(self, other):
        return not self == other

    __hash__ = str.__hash__


def test_ten_times_as_many_texts_of_a_class_that_nearly_all_are_of_take_ten_times_as_long():
    took = []
    for count in (200, 2000):
        labels = [Counted("joy" if number % 100 else "fear") for number in range(count)]
        Counted.asked = 0
        found = matched([(3, 7)] * count, labels, [[number] for number in range(count)], count)
        assert len(found[FLIP]) == count // 100 - 1 and len(found[NEUTRAL]) == count * 99 // 200
        took.append(Counted.asked)
    assert took[1] < 12 * took[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_texts_correspond_and_classes_are_those_of_the_labels(layout):
    model, tokenizer = prepared(compiled(plan(1), layout)), tokenizer_for(layout)
    drawn, _ = draw_pairs(model, tokenizer, TEXTS, 12, 1)
    label, seen = dict(zip(TEXTS["text"], TEXTS["label"], strict=True)), []
    for one in drawn:
        first, second = (inputs["input_ids"] for inputs in (one.aligned.original, one.aligned.flipped))
        place = pooled_token(model, first)
        assert first.shape == second.shape and place == pooled_token(model, second)
        assert first[0, place] == second[0, place]
        assert [unit.tokens for unit in one.aligned.units] == [[place] for place in range(first.shape[1])]
        read = [tokenizer.convert_ids_to_tokens(ids[0].tolist()) for ids in (first, second)]
        both = [" ".join(word for word in text if word != POOLED_MARK) for text in read]
        assert (label[both[0]] != label[both[1]]) == (one.kind == FLIP)
        seen += both[one.kind == NEUTRAL :]
    assert len(seen) == len(set(seen)) == 36, "no text twice, but for the first one of both kinds"
    kinds = {kind: [one.pair.cluster for one in drawn if one.kind == kind] for kind in (FLIP, NEUTRAL)}
    assert kinds[FLIP] == kinds[NEUTRAL] and len(kinds[FLIP]) == 12
    fewer = [one.pair.cluster for one in draw_pairs(model, tokenizer, TEXTS, 5, 1)[0] if one.kind == FLIP]
    assert fewer == kinds[FLIP][:5], "edges are tried on the first of the same pairs"


def test_a_model_that_reads_the_last_token_has_it_in_both_texts(tokenizer):
    """Its embedding is no part of a circuit, so with nothing kept the answer has to be the other text's."""
    model = prepared(FAMILIES["gpt2"](len(tokenizer)))
    texts = pd.DataFrame(
        {"text": [f"i feel {word} {end}" for end in ("today", "now") for word in ("happy", "sad", "bad")]}
    )
    drawn, _ = draw_pairs(model, tokenizer, texts.assign(id=range(6), label=[0, 1, 1, 0, 1, 1]), 9, 1)
    assert drawn and all(one.aligned.units[-1].word == one.aligned.units[-1].flipped_word for one in drawn)


def test_texts_without_a_label_are_in_no_pair():
    model, tokenizer = prepared(compiled(plan(1), "gpt2")), tokenizer_for("gpt2")
    assert draw_pairs(model, tokenizer, TEXTS.assign(label=-1), 12, 1)[0] == []


@pytest.fixture(scope="module")
def classes(tmp_path_factory, look):
    """What whole texts find in a planted GPT-2."""
    return look(tmp_path_factory.mktemp("classes"), compiled(plan(1), "gpt2"), TEXTS, plan(1), CLASS)


def test_the_planted_circuit_is_found_by_whole_texts(classes):
    assert page.moves(CLASS, Findings(classes.findings))
    ends = classes.curves.merge(classes.sample[["pair", "total"]], on="pair").query("side == @KEPT")
    for count, share in ((0, 0), (ends["size"].max(), 1)):
        rows = ends[ends["size"] == count]
        np.testing.assert_allclose(rows["effect"], share * rows["total"], atol=1e-3)
    sizes = classes.sizes[(classes.sizes["ranking"] == INTEGRATED) & (classes.sizes["side"] == KEPT)]
    kept = sizes.set_index("size")["value"]
    assert kept[len(classes.circuit.roles)] == pytest.approx(1, abs=0.05) and kept[2] < 0.5
    said = words(page.main_result([CLASS], classes.findings))
    assert said.startswith("Class: a cross-class pair moves the margin by") and "a same-class pair by" in said
    assert "flip" not in said and "neutral swap" not in said
    notes = Findings(classes.findings)
    assert notes.note("class.margin") == "24 cross-class pairs."
    assert notes.note("class.neutral.margin") == "24 same-class pairs."


def test_a_model_that_learned_nothing_has_no_circuit_of_classes(tmp_path, look):
    """Any other text moves its margin, whatever the class."""
    model, draw = compiled(plan(1), "gpt2"), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in model.parameters():
            weights.copy_(torch.randn(weights.shape, generator=draw) * 0.2)
    found = look(tmp_path, model, TEXTS, plan(1), CLASS)
    assert found.sample["total"].mean() > 0.01 and not page.moves(CLASS, Findings(found.findings))
    assert "so no circuit is named" in words(page.main_result([CLASS], found.findings))
