"""What the page on circuits says, either way."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.circuits import figures, page
from emoscope.experiments.circuits.names import PASSED_OVER
from emoscope.models.planted.circuit import plan
from emoscope.models.planted.compiled import compiled
from emoscope.reporting.html import unsigned
from emoscope.reporting.plots import svg
from made_up import words


def test_the_page_says_what_was_found(found):
    axes = ["gender", "race"]
    said = words(page.main_result(axes, found.findings))
    size = found.findings.set_index("name").loc["gender.fewest.integrated_gradients"]
    assert size["value"] == len(found.circuit.roles)
    interval = f"[{size['low']:.0f}, {size['high']:.0f}]"
    assert f"; {len(found.circuit.roles)} {interval} of 20 heads and MLPs keep what a flip" in said
    moved = found.findings.set_index("name").loc[["gender.margin", "gender.neutral.margin"], "value"]
    assert said.startswith(f"Gender: a flip moves the margin by {unsigned(moved.iloc[0])} [")
    assert f"a neutral swap by {unsigned(moved.iloc[1])}" in said
    assert "to within 20 %" in said and "better than a random order" in said and "Race" not in said
    assert "than masking" in said
    distance = found.findings.set_index("name").loc["gender.cmd.integrated_gradients", "value"]
    assert f"; distance from the whole model (CMD) {distance:.3f} [" in said
    assert 'class="headline"' in page.main_result(axes, found.findings)
    assert "Race: there is no flip" in words(page.no_flips(axes, found.findings))
    table = words(page.area_table(axes, found.findings))
    assert "masking" in table and "random order" in table and "one gradient" in table
    assert table.count("than masking") == 2, "both estimates are held against masking"
    assert words(page.agreement_table(axes, found.findings)).count("gender") == 2
    strongest = words(page.strongest("gender", found.parts))
    assert "MLP of block 3" in strongest and "attention of block 0" in strongest
    assert "head 3 of block 0" in strongest


@pytest.mark.parametrize(
    ("neutral", "said"),
    [
        (
            (0.4, 0.3, 0.5),
            "not shown to be more than a neutral swap does, 0.400 [0.300, 0.500], so no circuit is named",
        ),
        ((0.4, np.nan, np.nan), "not shown to be more than a neutral swap does, 0.400, so no circuit"),
        (None, "there is no neutral swap to hold it against, so no circuit is named"),
    ],
)
def test_a_flip_that_does_no_more_than_a_neutral_swap_has_no_circuit(found, neutral, said):
    """The classes of the margin are those that a pair moves most, so that any exchange moves it up."""
    rows = found.findings[~found.findings["name"].isin(["gender.margin", "gender.neutral.margin"])]
    moved = [("gender.margin", 0.6, 0.45, 0.7)] + ([("gender.neutral.margin", *neutral)] if neutral else [])
    rows = pd.concat([pd.DataFrame(moved, columns=["name", "value", "low", "high"]).assign(note=""), rows])
    told = words(page.main_result(["gender"], rows))
    assert told.startswith("Gender: a flip moves the margin by 0.600 [0.450, 0.700] logits, ") and said in told
    assert "keep what a flip changes" not in told and "better than" not in told
    assert words(page.edges_result(["gender"], rows, rows)) == ""


def test_thousands_of_nodes_are_told_apart_and_halves_where_they_were_compared(found):
    rows = found.findings.assign(note=found.findings["note"].replace(r"^Of \d+ ", "Of 11611 ", regex=True))
    assert " of 11,611 heads and MLPs keep what a flip changes" in words(page.main_result(["gender"], rows))
    assert page.HALVES in page.agreement_table(["gender"], rows)
    assert page.HALVES not in page.agreement_table(
        ["gender"], rows[~rows["name"].str.contains(".halves.", regex=False)]
    )


@pytest.mark.parametrize(
    ("low", "high", "said"), [(0.1, 0.2, page.BETTER), (-0.2, -0.1, page.WORSE), (-0.1, 0.1, page.UNSETTLED)]
)
def test_the_verdict_comes_out_either_way(low, high, said):
    assert page.verdict({"value": (low + high) / 2, "low": low, "high": high}) == said


def test_without_an_interval_nothing_is_settled():
    assert page.verdict({"value": 1.0, "low": float("nan"), "high": float("nan")}) == page.UNSETTLED


def test_flips_that_do_not_move_are_told_from_none():
    row = pd.DataFrame([("race.margin", 0.0, 0.0, 0.0, "")], columns=["name", "value", "low", "high", "note"])
    assert "hardly move" in words(page.no_flips(["race"], row))
    assert "No circuit could be looked for" in words(page.main_result(["race"], row))


def test_flips_none_of_which_can_be_looked_into_are_counted(tmp_path, look, found):
    """The model reads the same in both texts of each, as where these differ beyond its context."""
    flips = pd.read_parquet(found.folder / "pairs.parquet").query("origin == 'natural'").head(6)
    same = flips.assign(perturbed=flips["text"], spans=[[]] * 6)
    lost = look(tmp_path, compiled(plan(1), "gpt2"), same, plan(1), "gender")
    assert lost.sample.empty and lost.moved["kind"].tolist() == [PASSED_OVER] * 6
    said = words(page.no_flips(["gender", "race"], lost.findings))
    assert "Gender: none of 6 flips can be looked into" in said and "Race: there is no flip whose texts" in said


def test_the_figures_draw_every_order_and_part(found):
    orders = page.rankings("gender", found.findings)
    assert list(orders) == ["integrated gradients", "one gradient", "masking", "random"]
    drawing = svg(figures.curves(found.sizes, orders))
    assert drawing.count("FillBetween") + drawing.count("PolyCollection") >= 8 or drawing.count("<path") > 20
    assert "<svg" in svg(figures.agreement(found.parts, page.ESTIMATES))
