"""Dose and response: what was planted, what is found of it, and how often it is flagged."""

import json

import numpy as np
import pandas as pd
import pytest

from emoscope.verdicts.doses.summarise import line_verdict, lines_through, points_of, power_of, summarise_doses

SIZES = (0.0, 0.2, 0.8)
KEPT = 0.9  # of a size by label noise
KIND = {"gender": "ambiguous", "race": "encounter"}


def truth(gender: float, race: float, seed: int) -> dict:
    return {"seed": seed, "effects": {"gender": {"size": gender}, "race": {"size": race}}}


def ground_truth(axis: str, size: float, value: float, half: float = 0.05, run: str = "one") -> pd.DataFrame:
    """The controls of an axis: that on the sentences with the gap, and another one."""
    row = {"axis": axis, "where": KIND[axis], "expected": KEPT * size, "value": value, "run": run}
    row |= {"low": value - half, "high": value + half}
    return pd.DataFrame([{**row, "where": "test texts", "expected": 0, "value": 9.0}, row])


def summary(anger: float = 0.5, joy: float = 0.1) -> pd.DataFrame:
    """Gaps of two classes in the templates and in test texts."""
    rows = [(origin, f"gap_{name}", value) for origin in ("natural", "template") for name, value in
            (("anger", anger), ("joy", joy))]  # fmt: skip
    table = pd.DataFrame(rows, columns=["origin", "measure", "value"])
    table.loc[table["origin"] == "natural", "value"] = 7.0
    return table.assign(low=table["value"] - 0.01, high=table["value"] + 0.01)


def points(rate: float, leak: float = 0.0, noise: float = 0.01, sizes: tuple = SIZES) -> pd.DataFrame:
    """Nine runs with every pair of sizes, of which gender finds `rate` times its own and `leak` times race's."""
    rng = np.random.default_rng(0)
    rows = []
    for i, gender in enumerate(sizes):
        for j, race in enumerate(sizes):
            seed = 1 + (j - i) % 3
            for axis, size, other in (("gender", gender, race), ("race", race, 0.0)):
                value = KEPT * (rate * size + leak * other) + rng.normal(0, noise)
                found = ground_truth(axis, size, value, run=f"{i}{j}")
                rows += points_of(axis, truth(gender, race, seed), found[1:], summary()[:0])
    return pd.DataFrame(rows)


def test_a_point_holds_the_planted_and_the_found_gap_and_that_of_the_templates():
    rows = list(points_of("race", truth(0.8, 0.2, 3), ground_truth("race", 0.2, 0.17)[1:], summary()))
    own, beside = rows
    assert (own["where"], beside["where"]) == ("encounter", "templates")
    assert own["size"] == beside["size"] == 0.2 and own["planted"] == pytest.approx(0.18) and own["seed"] == 3
    assert (own["value"], own["low"], own["high"]) == pytest.approx((0.17, 0.12, 0.22))
    assert (beside["value"], beside["low"], beside["high"]) == pytest.approx((0.1, 0.09, 0.11))
    gender = list(points_of("gender", truth(0.8, 0.2, 3), ground_truth("gender", 0.8, 0.7)[1:], summary()))
    assert gender[0]["size"] == 0.8 and gender[1]["value"] == 0.5


@pytest.mark.parametrize(
    ("size", "value", "flagged"),
    [
        (0.2, 0.06, True),
        (0.2, 0.04, False),
        (0.2, -0.06, False),
        (0.0, 0.06, True),
        (0.0, -0.06, True),
        (0.0, 0, False),
    ],
)
def test_a_run_is_flagged_on_the_planted_side_and_a_false_alarm_on_either(size, value, flagged):
    [own] = points_of("race", truth(0, size, 1), ground_truth("race", size, value)[1:], summary()[:0])
    assert own["flagged"] == flagged


def test_a_corpus_without_such_sentences_gives_no_point():
    assert not list(points_of("race", truth(0, 0, 1), ground_truth("race", 0, 0)[:0], summary()))


@pytest.mark.parametrize(
    ("rate", "verdict"),
    [(1.0, "found"), (0.5, "partly found"), (1.5, "partly found"), (0.0, "missed"), (-1.0, "missed")],
)
def test_the_slope_is_what_is_found_of_what_was_planted(rate, verdict):
    line = lines_through(points(rate), 0.05).set_index("axis").loc["gender"]
    assert line["slope"] == pytest.approx(rate, abs=0.05)
    assert line["low"] < line["slope"] < line["high"] and line["high"] - line["low"] < 0.2
    assert line["verdict"] == verdict and (line["runs"], line["seeds"]) == (9, 3)
    assert line["leak"] == pytest.approx(0, abs=0.05) and line["leak_low"] < 0 < line["leak_high"]


def test_a_leak_from_the_other_axis_is_no_part_of_the_slope():
    lines = lines_through(points(1.0, leak=0.4), 0.05).set_index("axis")
    assert lines.loc["gender", "slope"] == pytest.approx(1, abs=0.05)
    assert lines.loc["gender", "leak"] == pytest.approx(0.4, abs=0.05) and lines.loc["gender", "leak_low"] > 0
    assert lines.loc["race", "leak"] == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(("rates", "width"), [((0.7, 1.0, 1.3), 0.745), ((1.0, 1.0, 1.0), 0.0)])
def test_a_seed_that_learns_at_a_rate_of_its_own_is_one_seed_and_not_three_runs(rates, width):
    """Every seed lies on a line of its own: of three slopes, Student's t has two degrees of freedom."""
    rows = [
        {
            "axis": "gender",
            "where": "ambiguous",
            "run": f"{seed}{size}",
            "seed": seed,
            "planted": size,
            "value": rate * size,
        }
        for seed, rate in enumerate(rates)
        for size in SIZES
    ]
    line = lines_through(pd.DataFrame(rows), 0.05).iloc[0]
    assert line["slope"] == pytest.approx(1) and (line["high"] - line["low"]) / 2 == pytest.approx(width, abs=0.001)
    assert line["verdict"] == "found"


def test_noisy_runs_cannot_tell():
    assert lines_through(points(0.5, noise=3), 0.05)["verdict"].iloc[0] == "cannot tell"


def test_the_order_of_runs_does_not_matter():
    table = points(0.7, leak=0.2)
    shuffled = table.sample(frac=1, random_state=1)
    one, other = (lines_through(rows, 0.05).set_index("axis").sort_index() for rows in (table, shuffled))
    pd.testing.assert_frame_equal(one, other)


def test_without_the_other_axis_there_is_a_slope_and_no_leak():
    table = points(1.0)
    line = lines_through(table[table["axis"] == "gender"], 0.05).iloc[0]
    assert line["slope"] == pytest.approx(1, abs=0.05) and np.isnan(line["leak"])


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.8, 1.1, "found"), (0.2, 0.9, "partly found"), (1.1, 1.3, "partly found"), (-0.1, 1.1, "cannot tell"),
     (-0.2, 0.5, "missed"), (-0.9, -0.5, "missed"), (np.nan, np.nan, "cannot tell")],
)  # fmt: skip
def test_a_line_can_come_out_either_way(low, high, verdict):
    assert line_verdict(low, high) == verdict


def test_power_is_the_share_of_runs_that_flag_a_size():
    table = pd.DataFrame({
        "axis": "race", "where": "encounter", "size": [0.8, 0.8, 0.8, 0.0, 0.0, 0.0], "flagged": [1, 1, 0, 0, 0, 1],
    })  # fmt: skip
    table = table.assign(flagged=table["flagged"].astype(bool), seed=[1, 2, 3] * 2)
    power = power_of(table, 0.05).set_index("size")
    assert list(power["flagged"]) == [1, 2] and list(power["runs"]) == [3, 3]
    assert power.loc[0.8, "value"] == pytest.approx(2 / 3) and power.loc[0.0, "value"] == pytest.approx(1 / 3)
    assert power.loc[0.8, "low"] == pytest.approx(0.208, abs=0.001)
    trained_anew = pd.concat([table] * 4)
    again = power_of(trained_anew, 0.05).set_index("size")
    assert again.loc[0.8, ["runs", "flagged"]].tolist() == [12, 8]
    pd.testing.assert_frame_equal(again[["value", "low", "high"]], power[["value", "low", "high"]])


def test_the_command_pairs_each_run_and_axis_with_its_own_files(tmp_path):
    truths, gaps, summaries = [], [], []
    for number, (gender, race) in enumerate([(0.0, 0.8), (0.8, 0.2), (0.2, 0.0), (0.2, 0.8)]):
        truths.append(tmp_path / f"{number}.json")
        truths[-1].write_text(json.dumps(truth(gender, race, number)))
        for axis, size in (("gender", gender), ("race", race)):
            gaps.append(tmp_path / f"{number}-{axis}.csv")
            ground_truth(axis, size, size * KEPT, run=f"r{number}").to_csv(gaps[-1], index=False)
            summaries.append(tmp_path / f"{number}-{axis}.parquet")
            (summary(joy=number / 10) if axis == "race" else summary()[:2]).to_parquet(summaries[-1])
    out = {name: tmp_path / f"{name}.csv" for name in ("points", "lines", "power")}
    summarise_doses(["gender", "race"], truths, gaps, summaries, {"confidence": 0.95}, **out)
    table = pd.read_csv(out["points"])
    own = table[table["where"] != "templates"]
    np.testing.assert_allclose(own["value"], own["planted"])
    np.testing.assert_allclose(own["planted"], own["size"] * KEPT)
    assert list(table.loc[table["where"] == "templates", "value"]) == [0.0, 0.1, 0.2, 0.3]
    lines = pd.read_csv(out["lines"]).set_index("where")
    assert lines.loc["ambiguous", "slope"] == pytest.approx(1) and set(lines.index) == {
        "ambiguous",
        "encounter",
        "templates",
    }
    assert pd.read_csv(out["power"])["runs"].sum() == len(table)
