"""What the masking page holds against the paper's tables, also of unusual runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.masking import figures as masking_figures
from emoscope.experiments.masking import published_page
from emoscope.experiments.synonyms import page as synonyms_report
from emoscope.reporting.plots import svg
from made_up import words
from masking_tables import masking_samples, masking_summary, plain


@pytest.fixture
def table1() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parents[4] / "data" / "reference" / "table1_head_masking.csv")


def test_the_first_class_is_named_even_where_it_has_no_samples(table1):
    classes = ["sadness", "joy", "love"]
    summary = masking_summary(2, 0, ["joy"], ("described", "published"))
    html = published_page.both_procedures(summary, classes, table1)
    assert "P(sadness)" in html and "+0.127" in html


def test_each_heat_map_has_the_blocks_of_its_own_model(table1):
    classes = ["calm", "cross"]
    panels = published_page.side_by_side(masking_summary(2, 1, classes, ("described",)), classes, table1)
    figure = masking_figures.block_maps(panels, "change")
    paper, here = figure.axes[:2]

    def blocks(axes):
        return [label.get_text() for label in axes.get_yticklabels() if label.get_visible()]

    assert blocks(paper) == [str(block) for block in table1["block"]] and blocks(here) == ["0", "1"]
    figure.draw_without_rendering()
    heights = {axes.get_window_extent().height / abs(np.diff(axes.get_ylim())[0]) for axes in (paper, here)}
    assert max(heights) - min(heights) < 1e-6, "cells are as high in both"
    assert here.yaxis.get_tick_params()["labelleft"], "its blocks are not those of the paper's table"
    alike = masking_figures.block_maps({"one": panels["paper, table 1"], "other": panels["paper, table 1"]}, "change")
    assert not alike.axes[1].yaxis.get_tick_params()["labelleft"]


def test_a_model_of_thirty_blocks_and_without_bias_is_held_against_the_paper(table1):
    classes = ["calm", "cross"]
    settings = {
        "statistics": {"margin": 0.02, "confidence": 0.95},
        "masking": {"block_conditions": ["described", "published"]},
    }
    summary = masking_summary(30, 9, classes, ("described",))
    panels = published_page.side_by_side(summary, classes, table1)
    assert list(panels) == ["paper, table 1", "here, the paper's text"]
    assert svg(masking_figures.block_maps(panels, "change")).startswith("<?xml")
    text = words(published_page.explanation(summary, masking_samples(classes, 1), classes, table1, settings))
    assert "has no bias" in text


def test_pages_name_the_classes_of_the_run_beside_those_of_the_paper(table1):
    listed = pd.DataFrame({"class": ["calm", "joy"], "stop_words": "published", "word": "time", "count": 3, "rank": 0})
    table3 = pd.DataFrame({"class": ["joy"], "word": ["time"], "synonym": ["period"], "count_in_test_set": [9]})
    assert "1 of 1 for joy" in (shared := synonyms_report.overlap(listed, table3)) and "calm" not in shared
    assert "The paper has none of these classes." in synonyms_report.overlap(listed[listed["class"] == "calm"], table3)
    first, second = (BeautifulSoup(synonyms_report.word_lists(listed, table3), "html.parser")).select("table")
    assert "paper's stop words" in first.get_text() and "paper" not in [th.get_text() for th in first.select("th")]
    assert "paper" in [th.get_text() for th in second.select("th")]
    settings = {
        "statistics": {"margin": 0.02, "confidence": 0.95},
        "masking": {"block_conditions": ["described", "published"]},
    }
    classes = ["love", "joy"]
    summary = masking_summary(2, 2, classes, ("described", "published"))
    text = words(published_page.explanation(summary, masking_samples(classes, 1), classes, table1, settings))
    assert "rises of up to +0.282 (love)" in text  # also where love is the first class


ZEROED = "Zeroing the bias alone is shown to do next to nothing to it, less than 0.02 in each class"
JUDGED = {"different": 0.001, "underpowered": 0.2, "equivalent": 0.001}  # p of a verdict


@pytest.mark.parametrize(
    ("code", "block", "told"),
    [
        (
            "equivalent",
            ("different", "different"),
            f"{ZEROED}, whereas silencing the block changes P(love) of love texts",
        ),
        (
            "equivalent",
            ("underpowered", "different"),
            "changes P(joy) of joy texts by -0.100: the two are not the same",
        ),
        ("equivalent", ("equivalent", "underpowered"), f"{ZEROED}; silencing the block is not shown to change P(own"),
        ("underpowered", ("different", "different"), "what zeroing the bias alone does to it cannot be told"),
        ("underpowered", ("equivalent", "underpowered"), "what zeroing the bias alone does to it cannot be told"),
        (
            "different",
            ("different", "different"),
            "2 are shown to differ from zero; 1 of them have the sign so predicted",
        ),
    ],
)
def test_the_authors_code_is_another_experiment_only_where_that_is_shown_of_both(table1, code, block, told):
    """What the sentence rests on is the largest of the changes that are shown, not the largest of all; that a change
    looks small shows nothing."""
    classes = ["love", "joy"]
    summary = masking_summary(1, 0, classes, ("described", "published"))
    published = summary["condition"] == "published"
    summary["change"] = np.where(published, 0.001, summary["group"].map({"love": -0.4}).fillna(-0.1))
    for name, verdict in zip(classes, block, strict=True):
        summary.loc[summary["group"] == name, ["verdict", "p_adjusted"]] = verdict, JUDGED[verdict]
    summary.loc[published, ["verdict", "p_adjusted"]] = code, JUDGED[code]
    settings = {"statistics": {"margin": 0.02, "confidence": 0.95}, "masking": {"block_conditions": ["published"]}}
    text = plain(words(published_page.explanation(summary, masking_samples(classes, 1), classes, table1, settings)))
    another = code == "equivalent" and "different" in block
    assert told in text and ("not the same experiment" in text) == another


def test_the_room_to_rise_is_what_is_left_above_the_mean(table1):
    html = published_page.headroom(masking_samples(["sadness", "joy", "love"], 2), ["sadness", "joy", "love"], table1)
    cells = [cell.get_text() for cell in BeautifulSoup(html, "html.parser").select("tbody > tr > *")]
    assert cells == ["love", "2", "0.975", "+0.025", "+0.282", "no", "0.015"]
