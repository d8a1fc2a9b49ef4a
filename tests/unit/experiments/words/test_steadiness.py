"""How far scores move under noise, and which texts took more steps: on models whose scores are known by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from emoscope.experiments.words.gradients import explain
from emoscope.experiments.words.measure import account_table, steadiness_of
from emoscope.experiments.words.read_texts import read_texts
from emoscope.storage.decisions import SEVERAL
from random_models import TEXTS

WIDTH, STEPS, BUDGET = 4, 8, 100_000


class ByHand(nn.Module):
    """Two labels: the first has a logit that is linear in every embedding, by `weights` (width,); the second rises
    steeply, by `steepness`, where embeddings pass half of it."""

    device = torch.device("cpu")

    def __init__(self, vocabulary: int, steepness: float = 0.0):
        super().__init__()
        self.config = SimpleNamespace(problem_type=SEVERAL, pad_token_id=0)
        self.embeddings, self.steepness = nn.Embedding(vocabulary, WIDTH), steepness
        self.weights = torch.linspace(-1, 2, WIDTH)
        nn.init.normal_(self.embeddings.weight, generator=torch.Generator().manual_seed(0))
        self.requires_grad_(False)

    def get_input_embeddings(self):
        return self.embeddings

    def forward(self, input_ids, **_):
        linear = (self.embeddings(input_ids) @ self.weights).sum(dim=1)
        steep = torch.sigmoid(self.steepness * (linear - 0.31))
        return SimpleNamespace(logits=torch.stack([linear, steep], dim=1))


@pytest.mark.parametrize("text", TEXTS)
def test_the_change_under_noise_by_hand(tokenizer, text):
    """Each embedding e moves by 2 % of its length in a direction u drawn by chance, and its score by w u |e| / 50."""
    model, [reading] = ByHand(len(tokenizer)), read_texts(tokenizer, [text])
    chosen, methods = np.array([[0]]), ["gradient_input"]
    still = explain(model, tokenizer, [reading], chosen, methods, STEPS, BUDGET)
    own = (model, tokenizer, [reading], chosen, methods, still, STEPS, BUDGET)
    values = model.embeddings(torch.tensor(reading.inputs["input_ids"]))
    changes = []
    for draw in (5, 6):
        way = torch.randn((1, *values.shape), generator=torch.Generator().manual_seed(draw))[0]
        moved = 0.02 * values.norm(dim=1) * (way @ model.weights) / way.norm(dim=1)
        changes.append((moved.norm() / (values @ model.weights).norm()).item())
    table = steadiness_of(*own, seed=5)
    assert table[["row", "method"]].to_numpy().tolist() == [[0, "gradient_input"]]
    assert table["change"].tolist() == [pytest.approx(max(changes), rel=1e-4)], "of two draws the larger one"


def test_texts_that_took_more_steps_are_those_that_needed_them(tokenizer):
    readings, chosen = read_texts(tokenizer, TEXTS), np.ones((len(TEXTS), 1), dtype=int)
    ids = pd.Series(range(len(TEXTS)))

    def refined(steepness: float) -> pd.DataFrame:
        model = ByHand(len(tokenizer), steepness)
        found = explain(model, tokenizer, readings, chosen, ["integrated_padding"], STEPS, BUDGET)
        return account_table(ids, chosen, ["linear", "steep"], found, STEPS)

    smooth, steep = refined(0.01), refined(30.0)
    assert smooth["steps"].eq(STEPS).all() and not smooth["refined"].any()
    assert steep["refined"].tolist() == (steep["steps"] > STEPS).tolist() and steep["refined"].any()
