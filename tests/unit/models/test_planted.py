"""Planted circuits do the task, by the parts that their plan names and by no others."""

from contextlib import ExitStack
from copy import deepcopy

import numpy as np
import pytest
import torch

from emoscope.models.inside.exactness import checks_of, record
from emoscope.models.inside.structure import prepared
from emoscope.models.interventions import fixed_head, fixed_output
from emoscope.models.parts import feed_forward_of, head_weights
from emoscope.models.planted.circuit import CLASSES, EDGES, nodes, plan
from emoscope.models.planted.compiled import LAYOUTS, compiled, tokenizer_for
from emoscope.models.planted.texts import CHANGES, KIND_OF, REMOVED, answer, pairs, sentences

SEEDS = (0, 1, 2)
TEXTS = sentences(90, seed=3)
HAS = {kind: np.array([kind in map(KIND_OF.get, text.split()) for text in TEXTS["text"]]) for kind in KIND_OF.values()}
KEYWORD, NEGATED = np.any([HAS[name] for name in CLASSES], axis=0), HAS["negator"]
FEELS = {  # the texts whose answer needs a part, by its role
    "either": KEYWORD,
    "negate": KEYWORD,
    "negation": NEGATED,
    "gender": ~KEYWORD,
}


@pytest.fixture(scope="module", params=[(layout, seed) for layout in LAYOUTS for seed in SEEDS], ids=str)
def planted(request):
    layout, seed = request.param
    circuit, tokenizer = plan(seed), tokenizer_for(layout)
    model = prepared(compiled(circuit, layout))
    inputs = tokenizer(TEXTS["text"].tolist(), padding=True, return_tensors="pt", return_token_type_ids=False)
    return circuit, model, dict(inputs)


@torch.inference_mode()
def logits_without(model, inputs, silenced=()):
    with ExitStack() as stack:
        for site, block, head in silenced:
            if site == "head":
                stack.enter_context(fixed_head(model, block, head, 0.0))
            else:
                stack.enter_context(fixed_output(feed_forward_of(model, block), torch.zeros(())))
        return model(**inputs).logits.numpy()


def right(logits):
    return logits.argmax(axis=1) == TEXTS["label"].to_numpy()


def test_every_text_gets_its_answer(planted):
    _, model, inputs = planted
    assert right(logits_without(model, inputs)).all()


def test_each_part_is_needed_where_it_should_be(planted):
    circuit, model, inputs = planted
    whole = logits_without(model, inputs)
    for node, role in circuit.roles.items():
        if node in circuit.redundant:
            continue
        changed = np.abs(logits_without(model, inputs, [node]) - whole).max(axis=1)
        assert (changed[FEELS[role]] > 2).all(), role
        assert not right(logits_without(model, inputs, [node]))[FEELS[role]].all(), role
    assert (
        np.abs(logits_without(model, inputs, [("head", *gender(circuit))]) - whole).max(axis=1)[HAS["man"]] > 2
    ).all()


def gender(circuit):
    return next(node[1:] for node, role in circuit.roles.items() if role == "gender")


def test_either_of_the_twins_is_enough_but_one_is_needed(planted):
    circuit, model, inputs = planted
    whole = logits_without(model, inputs)
    assert len(circuit.redundant) == 2
    for twin in circuit.redundant:
        assert np.abs(logits_without(model, inputs, [twin]) - whole).max() < 0.1
    assert np.abs(logits_without(model, inputs, circuit.redundant) - whole).max(axis=1)[KEYWORD].min() > 2


def test_all_other_parts_are_busy_and_do_nothing(planted):
    circuit, model, inputs = planted
    others = [node for node in nodes() if node not in circuit.roles]
    whole = logits_without(model, inputs)
    assert np.abs(logits_without(model, inputs, others) - whole).max() < 0.1
    for site, block, head in others:
        if site == "head":
            assert head_weights(model, block)[head].norm() > 1


def test_what_is_read_out_of_them_is_exact():
    for layout in LAYOUTS:
        model, tokenizer = prepared(compiled(plan(0), layout)), tokenizer_for(layout)
        eager = deepcopy(model)
        eager.set_attn_implementation("eager")
        assert record(checks_of(model, eager, tokenizer, TEXTS["text"].tolist()[:3]))["refused"] == {}


def test_parts_read_what_earlier_parts_wrote():
    for seed in range(20):
        when = {role: (block, site == "feed_forward") for (site, block, _), role in plan(seed).roles.items()}
        when |= {"words": (-1, False), "answer": (99, False)}
        assert all(when[one] < when[other] for one, other in EDGES)
        assert len({block for (site, block, _), role in plan(seed).roles.items() if site == "feed_forward"}) == 2
    assert len({tuple(plan(seed).roles) for seed in range(20)}) == 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("we saw happy she", "joy"),
        ("she never glad", "sadness"),
        ("not the angry boat", "joy"),
        ("lonely not", "joy"),
        ("the brother saw", "anger"),
        ("aunt not", "sadness"),
        ("we saw the lake", None),
    ],
)
def test_the_rules_of_the_task(text, expected):
    assert answer(text.split()) == expected


def test_pairs_differ_in_one_word_and_in_their_answers():
    table = pairs(30, seed=0)
    assert table["change"].value_counts().to_dict() == dict.fromkeys(CHANGES, 10)
    for row in table.itertuples():
        differ = [
            (one, other) for one, other in zip(row.text.split(), row.changed.split(), strict=True) if one != other
        ]
        assert len(differ) == 1
        kinds = {KIND_OF.get(word) for word in differ[0]}
        allowed = {"keyword": set(CLASSES), "negator": {"negator", None}, "gender": {"man", "woman"}}[row.change]
        assert kinds <= allowed and len(kinds) == 2
        assert answer(row.text.split()) != answer(row.changed.split())


def test_a_keyword_that_is_taken_out_leaves_gender_to_decide():
    for row in pairs(12, seed=0, changes=[REMOVED]).itertuples():
        before, after = ([KIND_OF.get(word) for word in text.split()] for text in (row.text, row.changed))
        assert len(set(CLASSES) & set(before)) == 1 and not set(CLASSES) & set(after)
        assert {"man", "woman"} & set(after) and len(before) == len(after)
