"""What the page on flips from inside says, on tables whose story is known."""

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.tracing import figures, planted_page
from emoscope.experiments.tracing import page as report
from emoscope.experiments.tracing.shares import KEY
from emoscope.reporting.plots import svg
from emoscope.storage.names import NONE
from made_up import words


def told_shares(changed=(1.0, 0.9, 0.1, 0.0), neutral=0.3):
    """Four depths of three blocks: the changed words pass it on in the second; head 1 of block 1 carries 60 %."""
    rows = []
    for kind, factor in (("flip", 1.0), ("neutral", neutral), ("difference", 1 - neutral)):
        for block, value in enumerate(changed):
            for place, share in (("changed", value), ("others", 0.05), ("pooled", 1 - value)):
                rows.append(("patching", "both", "residual", place, block, NONE, kind, factor * share))
        for block in range(3):
            rows.append(("patching", "both", "attention", "", block, NONE, kind, factor * (0.7 if block == 1 else 0.1)))
            rows.append(("patching", "both", "feed_forward", "", block, NONE, kind, factor * 0.2))
            for head in range(2):
                share = factor * (0.6 if (block, head) == (1, 1) else 0.01)
                rows.append(("patching", "flipped into original", "head", "", block, head, kind, share))
                rows.append(("attribution", "", "head", "", block, head, kind, share))
    table = pd.DataFrame(rows, columns=[*KEY, "kind", "value"])
    table["low"], table["high"] = table["value"] - 0.05, table["value"] + 0.05
    return table.assign(p_adjusted=np.where(table["value"] > 0.4, 0.001, 0.9), pairs=40, clusters=40)


def told_findings(flip=(1.5, 1.2, 1.8), neutral=(0.2, 0.1, 0.3), axis="gender"):
    rows = [(f"{axis}.flip.margin", *flip, ""), (f"{axis}.neutral.margin", *neutral, "")]
    return pd.DataFrame(rows, columns=["name", "value", "low", "high", "note"])


def test_the_headline_tells_flips_beside_neutral_swaps_and_when_the_difference_has_arrived():
    text = words(report.main_result({"gender": told_shares()}, told_findings()))
    assert text == (
        "Gender: a flip moves the margin between two classes by 1.500 [1.200, 1.800] logits "
        "(neutral swaps: 0.200 [0.100, 0.300]); "
        "half of it has reached the word where the classifier reads after 2 blocks."
    )
    assert "No pair" in report.main_result({"race": told_shares()}, told_findings())


def spread(shares, block, low, high):
    """The same with another interval of what is where the classifier reads after `block` blocks."""
    own = (shares["place"] == "pooled") & (shares["block"] == block) & (shares["kind"] == "flip")
    return shares.assign(low=shares["low"].mask(own, low), high=shares["high"].mask(own, high))


def alike(shares):
    """The same, but that no head is shown to carry another share of flips than of neutral swaps."""
    return shares.assign(p_adjusted=shares["p_adjusted"].mask(shares["kind"] == "difference", 0.9))


@pytest.mark.parametrize(
    ("block", "low", "high", "told"),
    [
        (1, 0.05, 0.15, "2 blocks"),
        (1, 0.05, 0.6, "1 to 2 blocks"),  # more than a half may be there already
        (2, 0.4, 1.0, "2 to 3 blocks"),  # less may be
        (1, 0.55, 0.6, "1 block"),
    ],
)
def test_when_half_has_arrived_is_as_uncertain_as_the_shares(block, low, high, told):
    shares = spread(told_shares(), block, low, high)
    assert words(report.main_result({"gender": shares}, told_findings())).endswith(f"classifier reads after {told}.")
    assert f"Half of it is where the classifier reads after {told}" in words(
        report.path("gender", shares, told_findings(), 0.05)
    )


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        (told_findings((0.25, 0.2, 0.35)), "logits, which is not shown to be more than a neutral swap does, 0.200 ["),
        (told_findings().head(1), "logits, and there is no neutral swap to hold it against."),
    ],
)
def test_where_half_has_arrived_is_told_only_of_flips_that_move_the_margin_further_than_neutral_swaps(findings, told):
    text = words(report.main_result({"gender": told_shares()}, findings))
    assert told in text and "half" not in text
    path = words(report.path("gender", told_shares(), findings, 0.05))
    assert "Half" not in path and "Before the last block, 90.0 % [85.0, 95.0] is where the classifier reads." in path
    assert (
        "Gender: flips are not shown to move the margin further than neutral swaps, so what follows is how any" in path
    )


def test_the_path_tells_early_late_and_the_strongest_parts():
    text = words(report.path("gender", told_shares(), told_findings(), 0.05))
    assert (
        "Gender: after the first block, 90.0 % [85.0, 95.0] of the flips' difference is still at the changed words"
        in text
    )
    assert "5.0 % [0.0, 10.0] at other words" in text
    assert "reads after 2 blocks; before the last block, 90.0 % [85.0, 95.0] is there." in text
    assert "halves is that of the attention of block 1: 70.0 % [65.0, 75.0] of the flips' difference, 21.0 %" in text
    assert "(as the largest of 6, it looks larger than it is). Of single heads" in text
    assert "any exchanged word" not in text
    assert "head 1 of block 1: 60.0 % [55.0, 65.0] and 18.0 %" in text
    assert "1 of 6 heads is shown to carry another share of this difference than of the neutral swaps'" in text
    strict = words(report.path("gender", told_shares(), told_findings(), 0.0005))
    assert "0 of 6 heads are shown to carry another share" in strict and "discovery rate of 0.0005." in strict
    assert "0 of 6 heads are shown to carry another share" in words(
        report.path("gender", alike(told_shares()), told_findings(), 0.05)
    )
    lowest = told_shares().query("site == 'head' and kind == 'difference'")["p_adjusted"].min()
    assert "1 of 6 heads is shown" in words(report.path("gender", told_shares(), told_findings(), lowest))
    nothing = told_shares().assign(value=np.nan)
    assert "no difference to follow" in report.path("race", nothing, told_findings(), 0.05)


def test_neutral_swaps_do_not_pass_for_flips_in_figures(monkeypatch):
    curves = report.place_curves(told_shares())
    assert list(curves) == ["flips", "neutral swaps"]
    assert curves["flips"]["value"].max() == 1 and curves["neutral swaps"]["value"].max() == pytest.approx(0.3)
    maps, marks = report.head_maps(told_shares(), 0.05)
    assert maps["flips"].loc[1, 1] == 0.6 and maps["difference"].loc[1, 1] == pytest.approx(0.42)
    assert marks["flips"].to_numpy().sum() == 1 and marks["difference"].to_numpy().sum() == 1
    assert not any(mark.to_numpy().any() for mark in report.head_maps(told_shares(), 0.0005)[1].values())
    lowest = told_shares().query("site == 'head' and kind == 'difference'")["p_adjusted"].min()
    assert report.head_maps(told_shares(), lowest)[1]["difference"].to_numpy().sum() == 1, "at most the level"
    none = report.head_maps(alike(told_shares()), 0.05)[1]["difference"]
    assert not none.to_numpy().any(), "an interval of its own says nothing of one head among many"
    assert svg(figures.place_curves(curves, report.PLACE_TITLES))
    assert svg(figures.block_shares(report.half_block_shares(told_shares()), {"flip": "a", "neutral": "b"}))
    assert svg(figures.head_shares(maps, marks))
    monkeypatch.setattr(report, "LISTED", 1)
    table = report.strongest_parts("gender", told_shares()).striptags()
    assert "head 1 of block 1" in table and "60 %" in table and "18 %" in table


def truth(gender=0.8, race=0.0):
    return {"ids": {"ambiguous": [1, 2]}, "effects": {"gender": {"size": gender}, "race": {"size": race}}}


AVERAGED = pd.DataFrame({
    "kind": ["flip"] * 4 + ["neutral"], "id": [1, 2, 3, 4, 1], "origin": "natural", "cluster": list("abcda"),
    "total": [4.0, 4.0, 1.0, 1.0, 9.0],
})  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ((1.0, 0.9, 0.1, 0.0), "found"),
        ((1.0, 0.1, 0.05, 0.0), "missed"),  # it has gone before it is early; that it is there late is next to given
        ((1.0, 0.05, 0.95, 0.0), "missed"),
        ((1.0, 0.9, 0.9, 0.0), "partly found"),  # it has not come by the last block
        ((1.0, 0.5, 0.1, 0.0), "cannot tell"),  # too uncertain to say of the start
        ((1.0, 0.9, 0.5, 0.0), "cannot tell"),  # or of the end
        ((1.0, 0.1, 0.5, 0.0), "cannot tell"),
    ],
)
def test_the_planted_path_is_found_where_it_is(changed, verdict):
    html = planted_page.planted({"gender": (AVERAGED, told_shares(changed))}, truth(), told_findings())
    rows = BeautifulSoup(html, "html.parser").select("tbody tr")
    assert rows[0].select(".badge")[0].get_text() == verdict
    assert "2 of 4 flips are of ambiguous sentences and hold 80 % of the difference" in words(str(rows[0]))


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("last", [0.0, 1.0])
def test_of_too_few_blocks_a_planted_path_has_no_beginning_and_end(blocks, last):
    """After the first block is before the last one: it cannot be there both little and much."""
    shares = told_shares((1.0, *[last] * blocks))
    html = planted_page.planted({"gender": (AVERAGED, shares)}, truth(), told_findings())
    row = BeautifulSoup(html, "html.parser").select("tbody tr")[0]
    assert row.select(".badge")[0].get_text() == "cannot tell"
    assert f"has {blocks} block" in words(str(row)) and "at least three" in words(str(row))


MORE, ALIKE, LESS, UNSURE = (1.5, 1.2, 1.8), (0.2, 0.1, 0.3), (0.05, 0.01, 0.09), (0.3, 0.15, 0.5)  # neutral: ALIKE


@pytest.mark.parametrize("axis", ["gender", "race"])
@pytest.mark.parametrize(
    ("size", "flip", "verdict"),
    [
        (0.8, MORE, "found"),
        (0.8, LESS, "missed"),
        (0.8, UNSURE, "cannot tell"),
        (0.0, LESS, "found"),
        (0.0, MORE, "missed"),
        (0.0, UNSURE, "cannot tell"),
    ],
)
def test_a_planted_size_and_a_planted_absence(axis, size, flip, verdict):
    box = planted_in(axis, size, told_findings(flip, axis=axis))
    assert box.select(".badge")[-1].get_text() == verdict
    assert ("tells nothing" in box.get_text()) == (size == 0), "what was planted is read from the truth"
    assert (f"class differs by {size:.2f}" in words(str(box))) == (size > 0)


@pytest.mark.parametrize(
    ("flip", "neutral", "verdict"),
    [
        ((1.0, 0.98, 1.02), (1.0, 0.98, 1.02), "found"),
        ((1.1, 1.05, 1.2), (1.0, 0.98, 1.02), "found"),  # further, but for certain by less than a quarter
        ((1.1, 1.0, 1.3), (1.0, 0.98, 1.02), "cannot tell"),
        ((0.9, 0.7, 1.1), (1.0, 0.8, 1.2), "cannot tell"),  # less on average, which chance does half of the time
        ((1.0, 0.98, 1.02), (1.0, 0.7, 1.3), "cannot tell"),
        ((1.4, 1.3, 1.5), (1.0, 0.98, 1.02), "missed"),
    ],
)
def test_a_planted_absence_is_found_only_if_it_is_shown(flip, neutral, verdict):
    box = planted_in("race", 0.0, told_findings(flip, neutral, axis="race"))
    assert box.select(".badge")[-1].get_text() == verdict
    assert "by less than 25 %" in words(str(box)), "what counts as no further stands on the page"


def planted_in(axis, size, findings):
    html = planted_page.planted({axis: (AVERAGED, told_shares())}, truth(**{axis: size}), findings)
    return BeautifulSoup(html, "html.parser")


@pytest.mark.parametrize(("size", "rows"), [(0.8, 2), (0.0, 1)])
def test_no_path_was_planted_where_gender_decides_nothing(size, rows):
    box = planted_in("gender", size, told_findings())
    assert len(box.select("tbody tr")) == rows
    assert ("Gender decides ambiguous sentences" in words(str(box))) == (size > 0)


def test_of_few_texts_it_is_told_that_nothing_can_be_told():
    """Shares and margins of too few texts have no interval: neither a path nor a size is found or missed."""
    bare = told_shares().assign(low=np.nan, high=np.nan, p_adjusted=np.nan)
    for size, flip in ((0.8, 1.5), (0.8, 0.05), (0.0, 1.5), (0.0, 0.05)):
        findings = told_findings((flip, np.nan, np.nan), (0.2, np.nan, np.nan))
        html = planted_page.planted({"gender": (AVERAGED, bare)}, truth(gender=size), findings)
        badges = [badge.get_text() for badge in BeautifulSoup(html, "html.parser").select(".badge")]
        assert badges == ["cannot tell"] * (2 if size else 1)
    assert "Too few texts can tell whether a head" in words(report.path("gender", bare, told_findings(), 0.05))
    assert "still at the changed words" in words(report.path("gender", bare, told_findings(), 0.05))
    assert svg(figures.place_curves(report.place_curves(bare), report.PLACE_TITLES))
    assert not report.head_maps(bare, 0.05)[1]["difference"].to_numpy().any()


def test_pairs_that_are_passed_over_are_counted():
    some = pd.concat([AVERAGED, pd.DataFrame([{"kind": "flip", "id": 9, "origin": "natural", "cluster": "z"}])])
    row = BeautifulSoup(report.sample_table({"gender": some}, told_findings()), "html.parser").select("tbody tr")[0]
    assert [cell.get_text() for cell in row.select("td, th")][1:6] == ["flips", "4", "4", "1", "1"]


@pytest.mark.parametrize(("swapped", "shared"), [("ab", "2"), ("yz", "0"), ("", "0")])
def test_it_is_told_of_how_many_texts_both_a_flip_and_a_neutral_swap_are_averaged_over(swapped, shared):
    """A swap of text d, or a flip of text y, that was passed over counts for nothing."""
    flips = pd.DataFrame({"kind": "flip", "cluster": list("abcdy"), "total": [1.0, 1, 1, 1, np.nan]})
    swaps = pd.DataFrame({"kind": "neutral", "cluster": [*swapped, "d"], "total": [*[1.0] * len(swapped), np.nan]})
    html = report.sample_table({"gender": pd.concat([flips, swaps])}, told_findings())
    titles, *rows = BeautifulSoup(html, "html.parser").select("tr")
    place = [cell.get_text() for cell in titles.select("thead th")].index("of these, in both kinds")
    assert [row.select("td, th")[place].get_text() for row in rows] == [shared] * 2


def dimension_tables(low):
    counts = pd.DataFrame({"kind": ["flip", "neutral"], "value": [5.0, 0.0], "expected": [0.1, 0.2], "p": [0.001, 1]})
    held = {"measure": "held out", "kind": ["flip", "neutral", "difference"], "value": [0.3, 0.1, 0.2]}
    concentration = pd.DataFrame({**held, "low": low, "high": low + 0.3})
    values = np.linspace(2, 0, 96)
    table = pd.DataFrame({
        "dimension": range(96), "flip": values, "neutral": values[::-1], "plain_flip": values,
        "plain_neutral": values[::-1], "p_flip": 0.5, "p_neutral": 0.5,
    })  # fmt: skip
    return {"gender": counts}, {"gender": concentration}, {"gender": table}


def test_dimensions_are_told_beside_chance_and_neutral_swaps():
    text = words(report.dimension_findings(*dimension_tables(0.1)))
    assert (
        "5 of 96 dimensions change more at flipped words than at neutral ones (chance: 0.1, p 0.001), 0 change" in text
    )
    assert "20.0 % [10.0, 40.0], so flipped words have dimensions in common" in text
    assert "Largest over their spread: 0, 1, 2, 3 and 4" in text and "neutral swaps 95, 94, 93, 92 and 91" in text
    assert "not shown to have dimensions in common" in words(report.dimension_findings(*dimension_tables(-0.1)))
    few = words(report.dimension_findings(*dimension_tables(np.nan)))
    assert "the difference is 20.0 %, from too few words to say whether" in few
    counts, concentration, table = dimension_tables(0.1)
    none = {"gender": counts["gender"].assign(value=np.nan)}
    assert "too few word pairs" in words(report.dimension_findings(none, concentration, table))
    unknown = {axis: own.assign(flip=np.nan, plain_flip=np.nan) for axis, own in table.items()}
    told = words(report.dimension_findings(none, concentration, unknown))
    assert "Largest" not in told and "on top" not in told, "of what was not measured, no dimension is the largest"
    assert svg(figures.dimension_bars(table, 0.05, [range(10, 20)]))
    assert "30 %" in report.concentration_table(concentration).striptags()


def test_the_papers_places_are_told_at_its_width_only():
    other = words(report.paper_places(["gender"], told_findings(), as_wide=False))
    assert "another width, so nothing is compared" in other
    few = words(report.paper_places(["gender"], told_findings(), as_wide=True))
    assert "Too few words are exchanged here, so nothing" in few and "another width" not in few
    rows = [(f"gender.dimensions.around_{place}.{kind}", 0.05, 0.01, 0.1, "")
            for place in (380, 620) for kind in ("flip", "neutral", "difference")]  # fmt: skip
    rows += [(f"gender.dimensions.around_{place}.rank", 7, np.nan, np.nan, "Of 768.") for place in (380, 620)]
    findings = pd.DataFrame(rows, columns=["name", "value", "low", "high", "note"])
    table = report.paper_places(["gender"], findings, as_wide=True).striptags()
    assert "380" in table and "5.0 %" in table and "Of 768." in table
