"""Pairs as tables on a page."""

from bs4 import BeautifulSoup

from emoscope.perturbation import pair_tables
from made_up import pairs, summary_of, tags


def test_examples_show_tweets_as_text_strongest_first():
    html = pair_tables.examples(pairs(6), ["joy", "anger"], 3)
    assert not tags(html) & {"script", "img"}
    rows = BeautifulSoup(html, "html.parser").select("tbody tr")
    assert [row.find_all("td")[-1].get_text() for row in rows] == ["0.050", "0.040", "0.030"]
    assert [mark.get_text() for mark in rows[0].find_all("mark")] == ["he", "she"]


def test_a_kind_without_neutral_swaps_says_so():
    assert "no control" in pair_tables.beyond(summary_of(changed=(0.03, 0.01, 0.05)))


def test_accuracy_counts_who_lost_and_gained():
    measures = {"before": 0.9, "after": 0.86, "change": -0.04, "lost": 0.06, "gained": 0.02}
    summary = summary_of(**{f"accuracy_{name}": (value, 0, 1) for name, value in measures.items()}).assign(p=0.6)
    html = pair_tables.accuracy({("here",): summary, ("unlabelled",): summary_of(changed=(0, 0, 1))}, ("of",))
    (row,) = [
        [cell.get_text() for cell in line("td")] for line in BeautifulSoup(html, "html.parser").select("tbody tr")
    ]
    assert row[0] == "here" and row[-3:] == ["3", "1", "0.600"]
