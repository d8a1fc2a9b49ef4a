"""Averages by token and by pair of tokens: whose, of what, and what stands in where nothing was seen."""

import torch

from emoscope.models.features.lookups import fit_lookups, load_lookups, save_lookups

IDS = torch.tensor([[1, 2], [1, 2], [3, 2], [2, 1]])  # the token before, the token
UNITS = torch.tensor([[1.0, 0.0], [3.0, 0.0], [8.0, 6.0], [0.0, -2.0]])
NEW = torch.tensor([[1, 2], [3, 2], [2, 1], [9, 2], [1, 1], [2, 3], [2, 9]])


def test_a_token_is_averaged_over_all_that_stands_before_it():
    found = fit_lookups(UNITS, IDS).by_token(NEW)
    two, one, mean = [4.0, 2.0], [0.0, -2.0], [3.0, 1.0]
    assert found.tolist() == [two, two, one, two, one, mean, mean]  # 3 was seen, but only as the token before


def test_a_pair_backs_off_to_its_token_and_that_to_the_mean():
    found = fit_lookups(UNITS, IDS).by_pair(NEW)
    pairs = [[2.0, 0.0], [8.0, 6.0], [0.0, -2.0]]
    assert found.tolist() == [*pairs, [4.0, 2.0], [0.0, -2.0], [3.0, 1.0], [3.0, 1.0]]


def test_lookups_survive_the_disk(tmp_path):
    lookups = fit_lookups(UNITS, IDS)
    save_lookups(lookups, tmp_path / "lookups.safetensors")
    found = load_lookups(tmp_path / "lookups.safetensors", torch.device("cpu"))
    assert torch.equal(found.by_pair(NEW), lookups.by_pair(NEW))
