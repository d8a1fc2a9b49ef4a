"""Pairs as tables on a page."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.perturbation import pair_tables
from emoscope.perturbation.null.balance import COLUMNS as BALANCE
from made_up import summary_of, words


def test_a_kind_without_neutral_swaps_says_so():
    assert "No text offers neutral words" in pair_tables.beyond(summary_of(changed=(0.03, 0.01, 0.05)))


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("more", "That is more than swapping neutral words does: "),
        ("no more", "That is no more, within the margin, than swapping neutral words does: "),
        ("not settled", "Whether that is more than swapping neutral words does is not settled: "),
    ],
)
def test_the_sentence_follows_the_verdict(verdict, said):
    summary = summary_of(excess_changed=(0.01, -0.005, 0.03), verdict=verdict)
    told = words(pair_tables.beyond(summary))
    assert told.startswith(said)
    assert "+1.0 %" in told and told.endswith("in the 50 texts that offer some.")
    assert words(pair_tables.beyond(summary.assign(texts=1))).endswith("in the 1 text that offers some.")


def test_how_alike_controls_are_is_a_table():
    rows = [
        ("natural", "ten times rarer", "word", 0.1, 0.2, 0.4, -0.5, False, 9, 20),
        ("natural", "place", "word", 0.1, 0.25, 0.5, 0.2, True, 9, 20),
    ]
    html = pair_tables.balance_table(pd.DataFrame(rows, columns=BALANCE))
    shown = [
        [td.get_text() for td in row(["td", "th"])] for row in BeautifulSoup(html, "html.parser").select("tbody tr")
    ]
    assert shown[0] == ["test texts", "ten times rarer", "10.0 %", "20.0 %", "40.0 %", "\N{MINUS SIGN}0.500", "no", "9"]
    assert shown[1][:5] == ["", "place", "0.100", "0.250", "0.500"] and shown[1][-2:] == ["yes", "9"]


def test_accuracy_counts_who_lost_and_gained():
    measures = {"before": 0.9, "after": 0.86, "change": -0.04, "lost": 0.06, "gained": 0.02}
    summary = summary_of(**{f"accuracy_{name}": (value, 0, 1) for name, value in measures.items()})
    summary = summary.assign(p=0.6, pairs=50)
    html = pair_tables.accuracy({("here",): summary, ("unlabelled",): summary_of(changed=(0, 0, 1))}, ("of",))
    (row,) = [
        [cell.get_text() for cell in line(["td", "th"])]
        for line in BeautifulSoup(html, "html.parser").select("tbody tr")
    ]
    assert row[0] == "here" and row[-3:] == ["3", "1", "0.600"]
    suite = pair_tables.accuracy({("suite",): summary.assign(pairs=150)}, ("of",))  # of 50 texts, three pairs each
    assert [cell.get_text() for cell in BeautifulSoup(suite, "html.parser").select("tbody > tr > *")][-3:-1] == [
        "9",
        "3",
    ]


def test_what_a_sample_excludes_is_of_its_own_texts_not_of_those_with_names():
    summary = summary_of(changed=(0, 0, 0.2), names_changed=(0, 0, 0.01), change_joy=(0, 0, 0))
    summary = summary.assign(detectable=0.1, verdict="", texts=17, clusters=17, no_event=0.195)
    summary.loc[summary["measure"] == "names_changed", ["texts", "clusters", "no_event"]] = 250, 250, 0.015
    table = BeautifulSoup(pair_tables.power({("race", "test texts"): summary}, ("axis", "of")), "html.parser")
    assert [cell.get_text() for cell in table.select("tbody > tr > *")][2:5] == ["17", "17", "19.5 %"]


def test_the_classes_that_tell_groups_apart_are_told_the_widest_gap_first():
    gaps = {"gap_joy": (0.1, 0, 1), "gap_fear": (-0.3, -1, 0), "gap_love": (0.5, 0, 1), "gap_anger": (0.0, -1, 1)}
    summary = summary_of(**gaps, change_joy=(0.9, 0, 1), verdict="different").assign(detectable=0.1)
    summary.loc[summary["measure"] == "gap_love", "verdict"] = "equivalent"
    summary.loc[summary["measure"] == "gap_anger", "verdict"] = "underpowered"
    told, counts = pair_tables.told_gaps(summary)
    assert told == ["P(fear) \N{MINUS SIGN}0.300 [\N{MINUS SIGN}1.000, 0]", "P(joy) +0.100 [0, +1.000]"]
    assert counts == {"equivalent": 1, "underpowered": 1, "classes": 4}


def test_numbers_behind_a_name_from_right_to_left_keep_their_order():
    summary = summary_of(gap_שמחה=(0.1, 0, 1), verdict="different").assign(detectable=0.1)
    [told], _ = pair_tables.told_gaps(summary)
    assert told == "P(\N{FIRST STRONG ISOLATE}שמחה\N{POP DIRECTIONAL ISOLATE}) +0.100 [0, +1.000]"
