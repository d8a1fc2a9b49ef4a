"""Benchmarks size themselves: a slow machine does less, and a fast one all of it."""

import pytest

from benchmarks import growth, measuring, memory


class Clock:
    """Time passes only where a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def work(self, seconds: float):
        def spend() -> None:
            self.now += seconds

        return spend


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(measuring, "time", made)
    return made


@pytest.mark.parametrize(("each", "most", "taken"), [(1, 3, 3), (70, 3, 2), (40, 9, 5), (100, 3, 2), (900, 3, 1)])
def test_turns_end_within_the_budget(clock, each, most, taken):
    done = []
    for number in measuring.turns(most, budget=200):
        done.append(number)
        clock.now += each
    assert done == list(range(taken))
    assert taken == 1 or clock.now <= 200


def test_the_first_round_warms_up_and_counts_only_where_it_is_alone(clock):
    spent = iter([50, 1, 2, 3])
    assert measuring.side_by_side({"a": lambda: clock.work(next(spent))()}, rounds=3, budget=900) == {"a": 2}
    spent = iter([50, 1])
    assert measuring.side_by_side({"a": lambda: clock.work(next(spent))()}, rounds=3, budget=60) == {"a": 50}


def test_memory_takes_whole_chunks_that_fit():
    assert memory.fitting(chunk=1.2, start=1.0, budget=200) == [1_000_000, 4_000_000]  # a hundred chunks a minute
    some, more = memory.fitting(chunk=6.0, start=2.0, budget=200)
    assert some % memory.CHUNK == 0 and more == 4 * some
    assert 2 * 2.0 + (some + more) / memory.CHUNK * 4.0 <= 200
    assert memory.fitting(chunk=300, start=10, budget=200) == [40_000, 160_000]  # fewer would show nothing


def test_growth_begins_with_as_many_texts_as_fit():
    assert growth.fitting(few=0.1, budget=200) == 2500
    least = growth.fitting(few=4.0, budget=200)
    assert least < 2500 and 4.0 * least / growth.FEWEST * sum(growth.TIMES) == pytest.approx(200, rel=0.01)
    assert growth.fitting(few=1000, budget=200) == growth.FEWEST
