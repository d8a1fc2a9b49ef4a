"""What masked runs spare changes no bit of the answers, in every family; in the last block nothing but rounding."""

import numpy as np
import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from benchmarks.families import CONFIGS, TEXTS, checks, random_model, word_pieces
from emoscope.experiments.masking.head_pairs.measure import pair_scores
from emoscope.experiments.masking.masks import Mask, masks_of
from emoscope.experiments.masking.measure import all_but_scores, block_scores
from emoscope.experiments.masking.reference import Reference, mean_outputs
from emoscope.experiments.masking.shortcuts import Start
from emoscope.models.batches import encode
from emoscope.models.inside.allowed import CHECKS
from emoscope.models.inside.structure import prepared
from emoscope.models.interventions import answered, idle, noted
from emoscope.models.parts import blocks_of, projections_of, readers_of
from emoscope.storage.names import WHOLE_BLOCK

JUDGED, OTHERS = TEXTS[1:4], TEXTS[:2]  # of unequal length, in one batch
TOKENIZER = word_pieces()
ATTENTION, MLP = ["described", "mean", "resample", "published"], ["mlp_zero", "mlp_mean"]
HEADS = [Mask(1, "zero"), Mask(3, "mean")]
PAIRED = [(1, 0), (0, 3), (1, 2)]


def small(name):
    model = prepared(random_model(name, len(TOKENIZER)))
    return model, Reference(OTHERS, mean_outputs(model, TOKENIZER, OTHERS, 1000), seed=1)


def scores(model, reference, exact):
    """Every kind of masked run: of each block, of all but one, of pairs of heads."""
    given, found = (reference, 1000, exact), {}
    for block in range(len(blocks_of(model))):
        masks = masks_of(model, ATTENTION + MLP, [], 1) + HEADS
        of_block = block_scores(model, TOKENIZER, JUDGED, block, masks, *given)
        found |= {(block, mask): logits for mask, logits in of_block.items()}
    found |= all_but_scores(model, TOKENIZER, JUDGED, masks_of(model, ATTENTION, [], 1), *given)
    return found | pair_scores(model, TOKENIZER, JUDGED, PAIRED, *given)


@pytest.mark.parametrize("name", CONFIGS)
def test_answers_stay_as_they_are(name, monkeypatch):
    model, reference = small(name)
    exact = frozenset(check.check for check in checks(name) if check.exact)
    shortest, short = scores(model, reference, exact), scores(model, reference, exact - {"pooled"})
    monkeypatch.setattr("emoscope.experiments.masking.shortcuts.Start", lambda *given: Start(*given[:2]))
    whole = scores(model, reference, frozenset())
    assert shortest.keys() == short.keys() == whole.keys()
    for key, logits in whole.items():
        assert np.array_equal(short[key], logits), key
        np.testing.assert_allclose(shortest[key], logits, atol=2e-5 * np.abs(logits).max(), err_msg=str(key))
    assert len({logits.tobytes() for logits in whole.values()}) > len(whole) / 2, "masks do something"


@pytest.fixture
def work(monkeypatch):
    """How many weights were multiplied, token by token, since the list was cleared."""
    done = []
    for kind in (nn.Linear, Conv1D):
        plain = kind.forward

        def counted(module, values, plain=plain):
            done.append(values[..., 0].numel() * module.weight.numel())
            return plain(module, values)

        monkeypatch.setattr(kind, "forward", counted)
    return done


@pytest.mark.parametrize(
    ("block", "mask", "everywhere", "where_read"),  # products under the mask, of 12 in a block: 3, 1 and 2 x 4
    [
        (0, Mask(1, "zero"), 1 + 8 + 12 + 3, 1 + 8),
        (0, Mask(WHOLE_BLOCK, "described"), 8 + 12 + 3, 1 + 8),
        (0, Mask(WHOLE_BLOCK, "published"), 8 + 12 + 3, 1 + 8),
        (0, Mask(WHOLE_BLOCK, "mlp_zero"), 12 + 3, 1 + 8),
        (1, Mask(1, "zero"), 1 + 8 + 3, 1 + 8),
        (2, Mask(1, "zero"), 0, 1 + 8),
        (2, Mask(WHOLE_BLOCK, "mlp_zero"), 0, 0),
    ],
)
def test_under_a_mask_of_one_block_nothing_runs_that_is_known(work, block, mask, everywhere, where_read):
    model, reference = small("gpt2")
    head = model.score.weight.numel()
    tokens, size = _size(), model.config.n_embd**2
    done = []
    for masks in ([mask], [mask, mask]):
        work.clear()
        block_scores(model, TOKENIZER, JUDGED, block, masks, reference, 1000, CHECKS)
        done.append(sum(work))
    assert done[1] - done[0] == (everywhere * tokens + where_read * len(JUDGED)) * size + tokens * head


def test_attention_that_nobody_reads_does_not_run(work):
    """With all blocks but one masked, of those before it what feed-forwards give is known from one run."""
    model, reference = small("gpt2")
    head, tokens, size = model.score.weight.numel(), _size(), model.config.n_embd**2
    work.clear()
    all_but_scores(model, TOKENIZER, JUDGED, [Mask(WHOLE_BLOCK, "mean")], reference, 1000, CHECKS)
    everywhere = (8 + 8) + (12 + 8) + 12 + 3
    where_read = 8 + 8 + (1 + 8)
    assert sum(work) == (everywhere * tokens + where_read * len(JUDGED)) * size + 4 * tokens * head


def test_pairs_of_heads_share_what_their_first_block_reads(work):
    model, reference = small("gpt2")
    head, tokens, size = model.score.weight.numel(), _size(), model.config.n_embd**2
    work.clear()
    pair_scores(model, TOKENIZER, JUDGED, [(0, 1), (0, 2)], reference, 1000, CHECKS)
    everywhere, where_read = 12 + 3 * (1 + 8 + 12 + 3), 3 * (1 + 8)
    assert sum(work) == (everywhere * tokens + where_read * len(JUDGED)) * size + 4 * tokens * head


def _size() -> int:
    """Tokens of the one batch, padding included."""
    return len(JUDGED) * max(map(len, encode(TOKENIZER, JUDGED)["input_ids"]))


def test_a_module_that_gets_anything_else_runs():
    torch.manual_seed(0)
    layer, values = nn.Linear(4, 3), torch.randn(2, 5, 4)
    with torch.no_grad():
        with noted([layer]) as calls:
            first, second = layer(values), layer(values[:1])
        layer.weight.zero_()
    with torch.no_grad(), answered(calls):
        for _ in range(2):
            assert torch.equal(layer(values.clone()), first) and torch.equal(layer(values[:1]), second)
            layer(values).zero_()  # as some models do with what they get
        for other in (values + 1, values[1:], values[0]):
            assert torch.equal(layer(other), layer.bias.expand(*other.shape[:-1], 3))
    assert not torch.equal(layer(values), first), "the module was put back as it was"


def test_an_idle_module_gives_zeros_and_keeps_its_hooks():
    layer = nn.Linear(4, 3)
    layer.register_forward_hook(lambda _, __, output: output + 1)
    with idle(layer, 3):
        assert torch.equal(layer(torch.randn(2, 5, 4)), torch.ones(2, 5, 3))
    assert not torch.equal(layer(torch.ones(4)), torch.ones(3))


def test_every_product_of_a_block_is_known():
    """In each family the readers are among them; ALBERT's and OPT's too, once they are within reach."""
    for name in CONFIGS:
        model = prepared(random_model(name, len(TOKENIZER)))
        assert {*readers_of(model, 1)} < {*projections_of(model, 1)} < {*blocks_of(model)[1].modules()}, name
