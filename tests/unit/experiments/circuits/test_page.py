"""What the page on circuits says, either way."""

import pandas as pd
import pytest

from emoscope.experiments.circuits import figures, page
from emoscope.reporting.plots import svg
from made_up import words


def test_the_page_says_what_was_found(found):
    axes = ["gender", "race"]
    said = words(page.main_result(axes, found.findings))
    size = found.findings.set_index("name").loc["gender.nodes.integrated_gradients"]
    assert size["value"] == len(found.circuit.roles)
    interval = f"[{size['low']:.0f}, {size['high']:.0f}]"
    assert f"Gender: {len(found.circuit.roles)} {interval} of 20 heads and feed-forwards keep what a flip" in said
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
    assert "feed-forward of block 3" in strongest and "attention of block 0" in strongest
    assert "head 3 of block 0" in strongest


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


def test_the_figures_draw_every_order_and_part(found):
    orders = page.rankings("gender", found.findings)
    assert list(orders) == ["integrated gradients", "one gradient", "masking", "random"]
    drawing = svg(figures.curves(found.sizes, orders))
    assert drawing.count("FillBetween") + drawing.count("PolyCollection") >= 8 or drawing.count("<path") > 20
    assert "<svg" in svg(figures.agreement(found.parts, page.ESTIMATES))
