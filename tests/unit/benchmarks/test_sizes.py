"""Benchmarks size themselves: a slow machine does less, and a fast one all of it."""

import json
from itertools import pairwise

import pytest

from benchmarks import attribution, growth, measuring, memory, startup
from benchmarks import peaks as peaks_of_jobs


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


@pytest.mark.parametrize(("start", "each", "calls"), [(6.0, 1e-5, 4), (8.0, 1e-4, 3), (20.0, 1e-3, 2)])
def test_memory_takes_four_times_the_rows_until_the_next_would_not_fit(start, each, calls):
    took = []
    for count in memory.ROWS:
        if not memory.affordable(took, budget=200):
            break
        took.append(start + each * count)
    assert len(took) == calls, "two at least: one would show nothing"
    assert calls == 2 or sum(took) <= 200
    assert all(more == 4 * few for few, more in pairwise(memory.ROWS)) and memory.ROWS[0] > memory.CHUNK


def test_growth_begins_with_as_many_texts_as_fit():
    assert growth.fitting(few=0.1, budget=200) == 2500
    least = growth.fitting(few=4.0, budget=200)
    assert least < 2500 and 4.0 * least / growth.FEWEST * sum(growth.TIMES) == pytest.approx(200, rel=0.01)
    assert growth.fitting(few=1000, budget=200) == growth.FEWEST


def test_a_product_without_native_bf16_is_taken_once_each_way(clock, monkeypatch):
    products = []
    monkeypatch.setattr(measuring, "seconds", lambda work: clock.work(9)() or products.append(work) or 1.0)
    monkeypatch.setattr(measuring, "use_onednn", lambda square: products.append("onednn"))
    measuring.ceilings()
    once = [where for where, work in enumerate(products) if work == "onednn"]
    assert once == [1, 4]  # one before and one after, in fp32 and in bf16


def test_commands_without_a_model_are_started_first_and_the_others_as_far_as_time_allows(clock, monkeypatch):
    monkeypatch.setattr(startup, "imported", lambda module: clock.work(4)() or (1.0, []))
    monkeypatch.setattr(startup, "processor_seconds", lambda command: (2.0, ""))
    found = startup.measure()
    taken, left = list(found["start_cpu_s"]), found["not_reached"]
    assert len(taken) == measuring.BUDGET / 4 and set(taken).isdisjoint(left)
    assert {*taken, *left} == {target.split(":")[0] for target in startup.COMMANDS.values()}
    assert {"data.split", "experiments.masking.summarise"} < set(taken)
    assert left and all(map(startup.runs_a_model, left))
    assert not startup.runs_a_model("data.split") and startup.runs_a_model("training.finetune")


def test_attribution_compares_and_explains_what_fits():
    assert attribution.fitting(each=0.1, budget=100, most=24) == 24
    assert attribution.fitting(each=10, budget=100, most=24) == 10
    assert attribution.fitting(each=90, budget=100, most=24) == attribution.FEWEST
    assert attribution.fitting(each=90, budget=100, most=2) == 2
    assert list(attribution.spread(1000, 4)) == [0, 250, 500, 750] and len(attribution.spread(1001, 24)) == 24
    assert list(attribution.spread(3, 24)) == [0, 1, 2]


def test_attribution_sets_each_number_of_classes_beside_captum_for_itself():
    times = {("emoscope", 1): [0.5, 0.1, 0.2], ("captum", 1): [0.3], ("captum_on_ours", 1): [0.2]}
    times |= {("emoscope", 3): [0.4], ("captum", 3): [0.9], ("captum_on_ours", 3): [0.6]}
    one, three = (attribution.compared(times, classes) for classes in (1, 3))
    assert one["emoscope_cpu_ms_per_text"] == 200 and one["over_captum"] == 1.5 and one["over_captum_on_our_model"] == 1
    assert three["captum_cpu_ms_per_text"] == 900 and three["over_captum"] == 2.25
    assert three["over_captum_on_our_model"] == 1.5


def test_each_job_has_its_peak_beside_what_its_rule_asks_for(tmp_path):
    for place, peaks in {
        "r-s1/finetune": [900.4], "r-s1/masking/block_0": [500, 700.2], "q-s1/masking/block_11": [600],
        "models/m/induction/score_heads": [1000], "models/m/prompting/score": [10], "models/m/prompting/mood": [20],
    }.items():  # fmt: skip
        file = tmp_path / "benchmarks" / f"{place}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps({"max_rss": peak, "s": 3}) + "\n" for peak in peaks))
    found = peaks_of_jobs.measure(str(tmp_path))["peaks"]
    assert list(found) == ["score_heads", "finetune", "mask_block", "train_prompts", "score_prompts"]
    assert found["mask_block"] == {"jobs": 3, "peak_mb": 700, "asked_mb": 4000}
    assert found["finetune"] == {"jobs": 1, "peak_mb": 900, "asked_mb": 8000}


def test_every_measured_rule_is_found():
    text = "".join(file.read_text() for file in (measuring.ROOT / "workflow" / "rules").glob("*.smk"))
    rules = list(peaks_of_jobs.measured_rules())
    assert len(rules) == text.count("\n    benchmark:\n") > 20 and len({name for name, _, _ in rules}) == len(rules)
