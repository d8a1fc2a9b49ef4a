"""What the page on flips from inside says of single pairs, on tables whose story is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.tracing import figures, journey, pairs_page
from emoscope.reporting.plots import svg
from emoscope.storage.names import NONE
from made_up import words

BLOCKS, HEADS = 4, 3
NASTY = "<script>$x_$"


def inside(text=("and", "she", "left"), flipped=("and", "he", "left")):
    """The difference enters at word 1 and block 1 moves it to the last word, 0.8 of it through head 2."""
    rows = []
    for direction in ("flipped into original", "original into flipped"):
        for block in range(BLOCKS + 1):
            for unit, pair in enumerate(zip(text, flipped, strict=True)):
                share = float(unit == (1 if block < 2 else 2))
                rows.append((direction, "residual", block, unit, NONE, *pair, 1, 1 + (unit == 1), share))
        for block in range(BLOCKS):
            here = float(block == 1)
            rows += [(direction, "head", block, NONE, h, "", "", 0, 0, 0.8 * here * (h == 2)) for h in range(HEADS)]
            rows.append((direction, "attention", block, NONE, NONE, "", "", 0, 0, here))
            rows.append((direction, "feed_forward", block, NONE, NONE, "", "", 0, 0, 0.0))
    names = ["direction", "site", "block", "unit", "head", "word", "flipped_word", "tokens", "flipped_tokens", "share"]
    patching = pd.DataFrame(rows, columns=names).assign(rise="joy", fall="fear", pair=1)
    parts = [("constant", NONE, NONE), ("embedding", NONE, NONE)]
    parts += [(part, block, NONE) for block in range(BLOCKS) for part in ("bias", "feed_forward")]
    parts += [("head", block, head) for block in range(BLOCKS) for head in range(HEADS)]
    attribution = pd.DataFrame(
        [
            (version, *part, name, 2.5 * (part == ("head", 1, 2) and name == "joy" and version == "flipped"))
            for version in ("original", "flipped")
            for part in parts
            for name in ("joy", "fear", "love")
        ],
        columns=["version", "part", "block", "head", "class", "contribution"],
    ).assign(pair=1)
    lens = attribution.query("part == 'bias'").assign(depth=lambda table: table["block"], probability=0.3)
    return journey.Inside(patching, attribution, lens, "joy", "fear")


def test_the_finding_tells_the_planted_journey():
    text = words(pairs_page.finding(inside()))
    assert "enters at “she → he” (100 %)" in text
    assert "reached “left” after block 1" in text
    assert "the attention of block 1 carries most of it (100 %)" in text
    assert "head 2 of block 1 (80 %)" in text
    assert "numbers of tokens differ at “she → he”" in text


def test_the_journey_is_read_off_the_patches():
    found = journey.journey_of(inside())
    assert found.enters == [("she \N{RIGHTWARDS ARROW} he", 1.0)] and found.by_way_of == []
    assert (found.pooled, found.depth) == ("left", 2)
    assert found.part == (1, "attention", 1.0) and found.head == (1, 2, pytest.approx(0.8))


def test_what_is_written_is_the_flipped_texts_less_the_originals_for_rise_less_fall():
    one = inside()
    wrote = {("flipped", "joy"): 5.0, ("flipped", "fear"): 1.0, ("original", "joy"): 2.0, ("original", "fear"): 0.5}
    table = one.attribution[one.attribution["part"] == "embedding"]
    keys = zip(table["version"], table["class"], strict=True)
    table = table.assign(contribution=[wrote.get(key, 9.0) for key in keys])
    changes = journey.margin_changes(replace(one, attribution=table))
    assert changes["change"].tolist() == [(5 - 1) - (2 - 0.5)]


def test_a_change_is_shared_out_among_flipped_words_and_those_before():
    trace = pd.DataFrame({
        "unit": [0, 0, 1, 1, 2, 2], "word": ["and", "and", "she", "she", "left", "left"],
        "flipped_word": ["and", "and", "he", "he", "left", "left"],
        "original": 0.0, "flipped": [0.1, -0.1, 0.3, -0.3, 0.2, 0.0],
    })  # fmt: skip
    found = journey.concentration(trace)
    assert (found["words"], found["flipped"]) == (3, 1)
    assert (found["on"], found["before"]) == (pytest.approx(0.6), pytest.approx(0.2))
    assert np.isnan(journey.concentration(trace.assign(flipped=0.0))["on"]), "nothing changes"
    page = pairs_page.concentrations({"gender, pair 1": trace.assign(site="residual")}, "residual")
    assert "60 %" in page and "gender, pair 1" in page


def test_the_writers_add_up_and_the_largest_is_named():
    text = words(pairs_page.writers(inside()))
    assert "for joy rather than fear grows by 2.50 logits" in text
    assert "head 2 of block 1 (+2.500)" in text
    assert journey.block_changes(inside()).sum().sum() == pytest.approx(2.5)


def test_no_word_gets_out_of_its_place():
    hostile = inside(text=("a", NASTY, "$b$"), flipped=("a", "x", "$b$"))
    assert {tag.name for tag in BeautifulSoup(pairs_page.finding(hostile), "html.parser").find_all()} == {"p"}
    drawing = svg(figures.patching_maps(journey.word_maps(hostile), journey.part_maps(hostile)))
    assert "<script>" not in drawing
    assert svg(figures.depth_profile(journey.lens_curves(hostile), journey.block_changes(hostile)))


def test_a_long_text_shows_the_words_that_matter():
    text = [f"w{number}" for number in range(100)]
    text[1] = "she"
    maps = journey.word_maps(inside(text, [*text[:1], "he", *text[2:]]))
    assert all(len(table) == journey.MOST_WORDS for table in maps.values())
    assert all({"she → he", "w2"} <= set(table.index) for table in maps.values())
