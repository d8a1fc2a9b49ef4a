"""Integrals along lines: where too few steps do not account for the difference, more are taken, and there."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emoscope.models.inside.integration import HALVINGS, PART, Line, accounting, integrated

STEPS, WHOLE, TOLERANCE = 16, 10**6, 0.01


class Steep(nn.Module):
    """Logits that rise steeply where the sum of what is read passes `edge`; the second row of a batch may have another
    height. What it reads is put in by `at`."""

    class config:
        problem_type = "multi_label_classification"  # so that logits stand for themselves

    def __init__(self, edge: float, steepness: float):
        super().__init__()
        self.edge, self.steepness, self.points, self.seen = edge, steepness, None, []

    def forward(self, heights: Tensor):
        self.seen.append(len(self.points))
        way = self.points.sum(dim=(1, 2)) / self.points[0].numel()
        rise = torch.sigmoid(self.steepness * (way - self.edge)) * heights
        return type("Output", (), {"logits": torch.stack([rise, -3 * rise + way * heights], dim=1)})

    def at(self, points: Tensor):
        self.points = points
        return torch.enable_grad()


def line(model: Steep, heights=(1.0,), chosen=((1, 0),)) -> Line:
    start, end = torch.zeros(len(heights), 3, 2).double(), torch.ones(len(heights), 3, 2).double()
    return Line({"heights": torch.tensor(heights).double()}, model.at, start, end, torch.tensor(chosen))


def errors(found) -> np.ndarray:
    """By row, the largest error over the largest difference."""
    off = (found.scores.sum(dim=1) - found.difference).abs().amax(dim=1)
    return (off / found.difference.abs().amax(dim=1)).numpy()


@pytest.mark.parametrize("edge", [0.03, 0.4, 0.97])
def test_what_a_few_steps_miss_more_steps_find_wherever_it_is(edge):
    model = Steep(edge, 150.0)
    few = accounting(model, line(model), STEPS, WHOLE, tolerance=np.inf)
    more = accounting(model, line(model), STEPS, WHOLE, TOLERANCE)
    assert errors(few)[0] > 0.02 and few.steps.tolist() == [STEPS], "or there is nothing to fix"
    assert errors(more)[0] < 0.01 and more.steps.item() > STEPS
    assert torch.equal(few.difference, more.difference)
    exact = integrated(model, line(model), 300, WHOLE)
    assert torch.allclose(more.scores, exact, atol=0.01 * exact.sum(dim=1).abs().max().item())
    assert not torch.allclose(few.scores, exact, atol=0.005)


def test_only_stretches_that_are_off_are_integrated_anew():
    """One steep place: all but one half of each round is right, or nearly so, and stays."""
    model = Steep(0.4, 150.0)
    found = accounting(model, line(model), STEPS, WHOLE, TOLERANCE)
    assert found.steps.item() < STEPS + 2 * 2 * HALVINGS * (STEPS // PART)


def test_a_row_that_is_right_keeps_its_steps_and_scores_whatever_stands_beside_it():
    """A row is judged by its own difference: a steep one beside it, hundreds of times as high, is no excuse for it."""
    model = Steep(0.4, 150.0)
    alone = accounting(model, line(model), STEPS, WHOLE, TOLERANCE)
    both = accounting(model, line(model, (1.0, 500.0), ((1, 0), (1, 0))), STEPS, WHOLE, TOLERANCE)
    assert both.steps.tolist() == alone.steps.tolist() * 2
    assert torch.allclose(both.scores[0], alone.scores[0]) and torch.allclose(both.scores[1], 500 * alone.scores[0])
    smooth = Steep(0.4, 2.0)
    found = accounting(smooth, line(smooth), STEPS, WHOLE, TOLERANCE)
    assert found.steps.tolist() == [STEPS] and torch.equal(found.scores, integrated(smooth, line(smooth), STEPS, WHOLE))


def test_what_cannot_be_told_ends_and_its_error_stays_to_be_seen():
    """A step: no number of points accounts for it."""
    model = Steep(1 / 3, 1e9)
    found = accounting(model, line(model), STEPS, WHOLE, TOLERANCE)
    assert errors(found)[0] > 0.5
    assert found.steps.item() <= STEPS + STEPS // PART * 2 * (2**HALVINGS - 1)


def test_neither_scores_nor_steps_depend_on_how_much_is_read_at_once():
    model = Steep(0.4, 150.0)
    wide = accounting(model, line(model, (1.0, 2.0), ((1, 0), (0, 1))), STEPS, WHOLE, TOLERANCE)
    model.seen.clear()
    narrow = accounting(model, line(model, (1.0, 2.0), ((1, 0), (0, 1))), STEPS, 6, TOLERANCE)
    assert torch.allclose(wide.scores, narrow.scores, atol=1e-12) and torch.equal(wide.steps, narrow.steps)
    assert max(model.seen) == 2, "two rows of three tokens"


def test_errors_that_cancel_do_not_hide_each_other():
    """Two steep places in mirror image, one up and one down: their errors cancel in the sum over the whole line."""

    class UpAndDown(Steep):
        def forward(self, heights: Tensor):
            way = self.points.sum(dim=(1, 2)) / self.points[0].numel()
            bump = torch.sigmoid(150 * (way - 0.3)) - torch.sigmoid(150 * (way - 0.7))
            return type("Output", (), {"logits": torch.stack([bump + way, way], dim=1) * heights[:, None]})

    model = UpAndDown(0, 0)
    found = accounting(model, line(model), STEPS, WHOLE, TOLERANCE)
    assert errors(found)[0] < 0.01
