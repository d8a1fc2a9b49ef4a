"""The fake device refuses what a GPU refuses, takes what a GPU takes, and computes as the CPU does."""

import numpy as np
import pytest
import torch
from torch import nn

from fake_device import ELSEWHERE, fake_device


@pytest.fixture
def there():
    """Numbers that lie on the device."""
    with fake_device() as device:
        yield torch.arange(12.0, device=device).reshape(3, 4)


HERE = torch.arange(12.0).reshape(3, 4)
ROWS = torch.tensor([0, 2, 1])[:, None]
REFUSED = {
    "numpy": lambda there: there.numpy(),
    "what numpy does by itself": lambda there: np.asarray(there),
    "a sum": lambda there: there + HERE,
    "a sum the other way": lambda there: HERE + there[0, 0],
    "what is put into it": lambda there: there.index_put((ROWS[:, 0],), HERE),
    "a mask": lambda there: there.masked_fill(HERE > 2, 0),
    "a choice": lambda there: torch.where(HERE > 2, there, there),
    "places to gather from": lambda there: there.gather(1, ROWS),
    "one number to look up": lambda there: nn.functional.embedding(torch.tensor(1), there),
    "a stack": lambda there: torch.stack([there[0, 0], torch.tensor(1.0)]),
    "indices into what lies here": lambda there: HERE[there[0].long() % 3],
    "a module that was not moved": lambda there: nn.Linear(4, 2)(there),
    "random numbers by the CPU's generator": lambda there: torch.randperm(
        3, generator=torch.Generator(), device=ELSEWHERE
    ),
    "a product of whole numbers": lambda there: there.long() @ there.long().T,
}
TAKEN = {
    "a number": lambda values: values + 2 * torch.tensor(3.0),
    "indices from the CPU": lambda values: values[ROWS[:, 0]],
    "a mask from the CPU": lambda values: values[HERE > 2],
    "a list of places": lambda values: values[[2, 0]],
    "what is copied": lambda values: torch.zeros_like(values).copy_(HERE),
    "what is made there": lambda values: values * torch.tensor([1.0, 2.0, 3.0, 4.0], device=values.device),
    "what is moved there": lambda values: values @ HERE.to(values).T,
    "what is changed in place": lambda values: values.clone().index_fill_(1, ROWS[:1, 0].to(values.device), 7.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(there, name):
    with pytest.raises(RuntimeError, match=r"same device|numpy\(\)|generator|product"):
        REFUSED[name](there)


@pytest.mark.parametrize("name", TAKEN)
def test_taken(there, name):
    found = TAKEN[name](there)
    assert found.device == ELSEWHERE
    torch.testing.assert_close(found.cpu(), TAKEN[name](HERE.clone()), atol=0, rtol=0)


def test_gradients_and_shared_parameters_are_there(there):
    one, other = nn.Linear(4, 4), nn.Linear(4, 4)
    other.weight = one.weight
    model = nn.Sequential(one, nn.GELU(), other)
    model(HERE).sum().backward()
    wanted = one.weight.grad
    model.zero_grad()
    model.to(ELSEWHERE)
    assert one.weight is other.weight and one.weight.device == ELSEWHERE
    model(there).sum().backward()
    assert one.weight.grad.device == ELSEWHERE
    torch.testing.assert_close(one.weight.grad.cpu(), wanted)


def test_without_it_torch_knows_no_such_device():
    with pytest.raises(NotImplementedError):
        torch.zeros(2, device=ELSEWHERE)
