"""What the comparison page says of runs whose story is known."""

import re

import numpy as np
import pandas as pd
from bs4 import BeautifulSoup

from compared_runs import MODELS, SETTINGS
from emoscope.storage.names import ALL
from emoscope.verdicts.comparison import figures
from emoscope.verdicts.comparison import page as report
from made_up import words


def test_the_headline_tells_what_holds(measures, masks, correlations):
    text = report.main_result(measures, masks, correlations, 0.05).striptags()
    text = " ".join(text.split())
    assert "3 set-ups with 5 runs in all. Test accuracy 0.800; a bag of words reaches 0.700, the most frequent" in text
    assert "the most frequent class 0.300. The first block" in text
    assert "is shown to matter most in 2 of 5 runs. That" in text, "a block leads in all of them"
    assert "by probability, contradicted in 3 of 5 and reproduced in 2 of 5; by the logit margin" in text
    assert "between two runs (in brackets the lowest and the highest): " in text
    assert re.search(r": \S+ between seeds and \S+ between set-ups \(\S+ to \S+\)", text), (
        "of one pair there is no range"
    )
    assert " p " not in text and "(p" not in text, "neighbouring blocks are alike, which no order drawn by chance keeps"


def test_runs_and_set_ups_that_are_counted_are_the_same_and_exact_matches_are_no_accuracy(
    measures, masks, correlations
):
    warm = measures["group"] == "warm"
    exact = measures.assign(value=measures["value"].mask(warm, 0.123))
    micro = exact[warm & (exact["measure"] == "accuracy")].assign(measure="micro_f1")
    text = words(report.main_result(pd.concat([exact, micro]), masks, correlations, 0.05))
    assert "3 set-ups with 5 runs in all. Test accuracy of the 2 with one label a text 0.800; a bag of words" in text
    micro = exact[exact["measure"] == "accuracy"].assign(measure="micro_f1")
    text = words(report.main_result(pd.concat([exact, micro]), masks, correlations, 0.05))
    assert "3 set-ups with 5 runs in all. Test accuracy 0.123 to 0.800; a bag of words reaches 0.123 to 0.700" in text


def test_the_cheapest_classifiers_stand_beside_the_accuracy(measures):
    table = BeautifulSoup(report.score_table(measures), "html.parser").table
    titles = [cell.text for cell in table.select("thead th")]
    assert titles[1:5] == ["accuracy", "a bag of words", "the most frequent class", "model minus a bag of words"]
    for row in table.select("tbody tr"):
        shown = [cell.text.split()[0] for cell in row.select("td, th")[1:5]]
        assert shown == ["0.800", "0.700", "0.300", "+0.100"], "a difference has its sign"
    assert "+10.0 %" in report.rate_table(measures) and "+20.0 %" not in report.rate_table(measures)


def test_round_brackets_are_explained_where_there_are_any(measures):
    lone = measures.assign(seeds=measures["seeds"].where(measures["run"] != ALL, 1), spread=np.nan)
    for table in (report.score_table, report.rate_table, report.class_table):
        assert "round brackets" in table(measures) and "round brackets" not in table(lone)


def test_a_lone_seed_is_named():
    text = report.reading(SETTINGS, {"confidence": 0.95}).striptags()
    assert "Only one seed: deep." in text and "Only two seeds: narrow and warm." in text


def test_tables_and_figures_show_every_set_up(measures):
    tables = [
        report.score_table(measures),
        report.rate_table(measures),
        report.gap_table(measures),
        report.class_table(measures),
    ]
    for table in tables:
        assert all(group in table for group in MODELS)
    assert "P(&lt;joy&gt;)" in tables[2] and "<joy>" not in tables[2]
    assert tables[3].count("&lt;joy&gt;") == 2 and "<joy>" not in tables[3]  # once for recall, once for precision
    assert "Gender, test texts;" in tables[1] and "Synonyms, word by word;" in tables[1], "as on the pages of each run"
    training = {"seconds": 60.0, "parameters": 1000, "resumed_from_step": 0, "precision": "fp32"}
    assert "60 ± 0" in report.setups(SETTINGS, MODELS, dict.fromkeys(SETTINGS, training))
    known = {"trained": "elsewhere", "parameters": 1000}
    adopted = {name: run | {"training": "none"} for name, run in SETTINGS.items()}
    elsewhere = report.setups(adopted, MODELS, dict.fromkeys(SETTINGS, known))
    assert "elsewhere" in elsewhere and "epoch" not in elsewhere and "1,000" in elsewhere
    drawn = [
        figures.group_intervals(report.score_panels(measures)),
        figures.group_intervals(report.excess_panels(measures), percent=True, zero=True),
    ]
    assert all(figure.axes for figure in drawn)
