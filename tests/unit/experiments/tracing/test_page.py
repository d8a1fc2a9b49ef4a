"""What the flips page says of traced pairs, on tables whose story is known."""

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.tracing import figures
from emoscope.experiments.tracing import page as report
from emoscope.reporting.plots import svg
from emoscope.storage.names import NONE

BLOCKS, HEADS = 4, 3
NASTY = "<script>$x_$"


def inside(words=("and", "she", "left"), flipped=("and", "he", "left")):
    """The difference enters at word 1 and block 1 moves it to the last word, 0.8 of it through head 2."""
    rows = []
    for direction in ("flipped into original", "original into flipped"):
        for block in range(BLOCKS + 1):
            for unit, pair in enumerate(zip(words, flipped, strict=True)):
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
    return report.Inside(patching, attribution, lens, "joy", "fear")


def test_the_finding_tells_the_planted_journey():
    text = report.finding(inside()).striptags()
    assert "enters at “she → he” (100 %)" in text
    assert "reached “left” after block 1" in text
    assert "the attention of block 1 carries most of it (100 %)" in text
    assert "head 2 of block 1 (80 %)" in text
    assert "numbers of tokens differ at “she → he”" in text


def test_the_writers_add_up_and_the_largest_is_named():
    text = report.writers(inside()).striptags()
    assert "for joy rather than fear grows by 2.50 logits" in text
    assert "head 2 of block 1 (+2.500)" in text
    assert report.block_changes(inside()).sum().sum() == pytest.approx(2.5)


def test_no_word_gets_out_of_its_place():
    hostile = inside(words=("a", NASTY, "$b$"), flipped=("a", "x", "$b$"))
    assert {tag.name for tag in BeautifulSoup(report.finding(hostile), "html.parser").find_all()} == {"p"}
    drawing = svg(figures.patching_maps(report.word_maps(hostile), report.part_maps(hostile)))
    assert "<script>" not in drawing
    assert svg(figures.depth_profile(report.lens_curves(hostile), report.block_changes(hostile)))


def test_a_long_text_shows_the_words_that_matter():
    words = [f"w{number}" for number in range(100)]
    words[1] = "she"
    maps = report.word_maps(inside(words, [*words[:1], "he", *words[2:]]))
    assert all(len(table) == report.MOST_WORDS for table in maps.values())
    assert all({"she → he", "w2"} <= set(table.index) for table in maps.values())


@pytest.mark.parametrize("width", [16, 24, 96, 384, 768])
def test_the_papers_regions_exist_in_a_residual_stream_of_any_width(width):
    panels = {"x": pd.DataFrame({"dimension": range(width)})}
    for place, dimensions in report.paper_regions(panels).items():
        assert dimensions
        assert min(abs(d / width - place / report.PAPER_WIDTH) for d in dimensions) <= 1 / width


def test_axes_without_anything_to_test_are_said_to_be_so():
    one = pd.DataFrame({
        "scale": "plain", "dimension": range(96), "value": np.linspace(0, 2, 96), "low": np.nan, "high": np.nan,
        "p": np.nan, "p_adjusted": np.nan,
    })  # fmt: skip
    measures = pd.DataFrame({
        "scale": "plain", "measure": ["overlap", "follows spread"], "value": [np.nan, 0.5], "low": np.nan,
        "high": np.nan, "expected": np.nan, "p": np.nan, "words": 1, "flips": 9,
    })  # fmt: skip
    tables, agreement = {"gender": one.head(0), "race": one}, {"gender": measures.head(0), "race": measures}
    text = report.dimension_table(tables, agreement).striptags()
    assert "race" in text and "gender" not in text and "n/a" in text
    assert report.regions(tables) == ""
    assert report.common_dimensions(tables) == ""
