"""Single pairs as rows of a table on a page."""

from bs4 import BeautifulSoup

from emoscope.perturbation import pair_examples
from made_up import pairs, tags


def test_examples_show_tweets_as_text_strongest_first():
    html = pair_examples.examples(pairs(6), ["joy", "anger"], 3)
    assert not tags(html) & {"script", "img"}
    rows = BeautifulSoup(html, "html.parser").select("tbody tr")
    assert [row.find_all("td")[-1].get_text() for row in rows] == ["0.050", "0.040", "0.030"]
    assert [mark.get_text() for mark in rows[0].find_all("mark")] == ["he", "she"]
