"""How far a classifier's answer moves if it may give several labels."""

from types import SimpleNamespace

import numpy as np
import torch
from scipy.special import rel_entr

from emoscope.storage.decisions import SEVERAL
from emoscope.writeups.attention.blocking import _moved

BEFORE, AFTER = torch.tensor([[-3.0, 1.0, 0.5]]), torch.tensor([[-3.0, 0.0, 0.5], [1.0, 2.0, 0.5]])


def moved(kind: str | None) -> tuple[np.ndarray, np.ndarray]:
    return _moved(SimpleNamespace(config=SimpleNamespace(problem_type=kind, num_labels=3)), BEFORE, AFTER)


def test_each_label_is_a_distribution_of_its_own():
    p, q = (torch.sigmoid(logits.double()).numpy() for logits in (BEFORE, AFTER))
    change, divergence = moved(SEVERAL)
    np.testing.assert_allclose(change, np.log(q[:, 1] / p[0, 1]), rtol=1e-6)  # not of label 0, surest not to be given
    np.testing.assert_allclose(divergence, (rel_entr(p, q) + rel_entr(1 - p, 1 - q)).sum(axis=1), rtol=1e-6)


def test_one_label_a_text_is_one_distribution():
    p, q = (torch.softmax(logits.double(), dim=-1).numpy() for logits in (BEFORE, AFTER))
    change, divergence = moved(None)
    np.testing.assert_allclose(change, np.log(q[:, 1] / p[0, 1]), rtol=1e-6)
    np.testing.assert_allclose(divergence, rel_entr(p, q).sum(axis=1), rtol=1e-6)
