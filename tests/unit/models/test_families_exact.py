"""Small random models of every family, each by another route than the checks themselves take."""

import re
from copy import deepcopy

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from benchmarks.families import BEGIN, CONFIGS, DESCRIPTIONS, END, ROOT, TEXTS, checks, random_model, table, word_pieces
from emoscope.models.activations import activations_of, one_batch
from emoscope.models.families import FAMILIES, family_named
from emoscope.models.inside.structure import prepared
from emoscope.models.interventions import fixed_output, read_out, recording, resumed_at
from emoscope.models.parts import (
    attention_norm_of,
    attention_of,
    blocks_of,
    family_of,
    feed_forward_of,
    head_slice,
    heads_of,
    query_norms_of,
    readers_of,
    rotated,
    split_readers,
)
from emoscope.writeups.induction.composition import processed_weights

NUMBER = re.compile(r"\d(\.\d)?(e[-+]\d+)?|\d+(?= )")
REFUSED = {  # the checks that fail, of models whose structure does not allow what is checked
    "deberta-v2 with a convolution": {"resumed", "lens", "parts"},
    "modernbert that pools the mean": {"pooled", "lens", "parts", "blocking"},
    "mistral with a short window": {"blocking"},
}
DECODERS = [
    name for name in CONFIGS if not (family_named({"model_type": CONFIGS[name][0]}) or FAMILIES["gpt2"]).looks_ahead
]
TOKENIZER = word_pieces()


@pytest.fixture(scope="module", params=CONFIGS)
def named(request):
    model = random_model(request.param, len(TOKENIZER))
    return request.param, model, prepared(deepcopy(model))


def logits(model, inputs):
    with torch.no_grad():
        return model(**inputs).logits


def one(text):
    return dict(TOKENIZER(text, return_tensors="pt"))


def test_every_family_is_tried():
    assert {kind for kind, _ in CONFIGS.values()} == {*FAMILIES, *DESCRIPTIONS}


@pytest.mark.parametrize("name", CONFIGS)
def test_what_holds_and_what_is_refused(name):
    """In double precision, in which rounding is far from wrong on every processor."""
    found = checks(name, torch.float64)
    assert {check.check for check in found if not check.exact} == REFUSED.get(name, set())
    for check in found:
        assert check.error < 1e-5 or check.error > 1e-2, f"{check}: neither rounding nor plainly wrong"


def test_the_table_in_the_documentation_is_this_one():
    """Numbers of rounding differ between machines; whether something is exact does not."""
    text = (ROOT / "docs/families.md").read_text(encoding="utf-8")
    written = text.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    found = table().splitlines()
    assert [NUMBER.sub("N", line) for line in written] == [NUMBER.sub("N", line) for line in found]


def test_preparing_changes_no_bit_of_the_answer_and_nothing_that_is_saved(named):
    _, model, ready = named
    batch = one_batch(model, [one(text) for text in TEXTS])
    assert torch.equal(logits(model, batch), logits(ready, batch))
    stored = {id(weight) for weight in ready.parameters()}
    assert len(stored) == len(list(model.parameters()))


@pytest.mark.parametrize("part", [attention_of, feed_forward_of])
def test_a_mask_of_one_block_is_of_that_block_alone(named, part):
    _, _, ready = named
    inputs, depth = one(TEXTS[2]), len(blocks_of(ready))
    whole = activations_of(ready, inputs)
    nothing, answers = torch.zeros(()), []
    for block in range(depth):
        with fixed_output(part(ready, block), nothing), recording(blocks_of(ready)[block]) as seen:
            answers.append(logits(ready, inputs))
        assert torch.equal(seen["input"][0], whole.residual[block]), "blocks before the mask do not know of it"
        assert (answers[-1] - whole.logits).abs().max() > 1e-3
    assert all((answers[0] - other).abs().max() > 1e-3 for other in answers[1:])


def test_heads_lie_side_by_side_in_the_order_of_the_values(named):
    """Without one set of values, the heads that share it, and no others, put out the same at every token."""
    name, _, ready = named
    edited, block = deepcopy(ready), 0
    readers, width = readers_of(edited, block), head_slice(edited, 0).stop
    stored = [reader.weight.T if family_of(edited).stores_in_out else reader.weight for reader in readers]
    _, _, rows = split_readers(edited, [torch.arange(len(weight)) for weight in stored])
    shared = heads_of(edited) * width // len(rows)
    with torch.no_grad():
        stored[-1][rows[width : 2 * width]] = 0  # the second set
    run = activations_of(edited, one(TEXTS[2])).heads[block].unflatten(-1, (heads_of(edited), -1))
    spread = (run - run[:1]).abs().amax(dim=(0, 2))
    silent = (spread < 1e-6).nonzero()[:, 0].tolist()
    assert silent == list(range(shared, 2 * shared)), name


@torch.no_grad()
@pytest.mark.parametrize("name", [name for name in DECODERS if "window" not in name])
def test_queries_and_keys_give_the_attention_of_a_language_model(name):
    """Folded norms, fused layouts, shared keys, partial rotation and norms of queries and keys; without biases."""
    model = prepared(random_model(name, len(TOKENIZER), kind=AutoModelForCausalLM))
    model.set_attn_implementation("eager")
    for name_, parameter in model.named_parameters():
        if name_.endswith("bias"):
            parameter.zero_()
    line = one(TEXTS[0])["input_ids"]
    for block in (0, 1):
        with recording(attention_norm_of(model, block)) as seen:
            weights = model(line, output_attentions=True).attentions[block][0]
        norm, plain = attention_norm_of(model, block), deepcopy(attention_norm_of(model, block))
        torch.nn.init.constant_(plain.weight, 0.0 if "Gemma" in type(norm).__name__ else 1.0)
        read = plain(seen["input"][0])
        for head in (0, 3):
            query, key, _, _ = processed_weights(model, block, head)
            queries, keys = read @ query, read @ key
            if norms := query_norms_of(model, block):
                queries, keys = norms[0](queries), norms[1](keys)
            last = len(read) - 1
            turned = [rotated(model, block, queries[[last]], last - place) for place in range(last + 1)]
            scores = torch.stack(
                [(queries[last] if t is None else t[0]) @ k for t, k in zip(turned, keys, strict=True)]
            )
            found = weights[head, last].log()  # a model may scale the scores and cap them: both keep their order
            assert (scores.argsort() == found.argsort()).all(), (name, block, head)
            assert np.corrcoef(scores, found)[0, 1] > 0.999, (name, block, head)


@torch.no_grad()
@pytest.mark.parametrize("name", DECODERS)
def test_the_lens_of_a_language_model_ends_at_its_logits(name):
    model = prepared(random_model(name, len(TOKENIZER), kind=AutoModelForCausalLM))
    inputs = one(TEXTS[2])
    with recording(blocks_of(model)[-1]) as seen:
        whole = logits(model, inputs)
    found = read_out(model, seen["output"])
    torch.testing.assert_close(found, whole, atol=1e-4 * float(whole.abs().max()), rtol=0)
    for block, module in enumerate(blocks_of(model)):
        with recording(module) as seen:
            logits(model, inputs)
        with resumed_at(model, block, seen["input"]):
            assert torch.equal(logits(model, inputs), whole)
