"""The data of the attention viewer stay data."""

from bs4 import BeautifulSoup

from attention_tables import averages_of, weights_of
from emoscope.writeups.attention import viewer as attention_viewer

HOSTILE = "</script><img src=x onerror=alert(1)>$"


def test_the_viewers_data_cannot_end_their_element():
    weights, tokens = weights_of(["a", HOSTILE, "c"], heads=2)
    html = attention_viewer.viewer(HOSTILE, weights, averages_of(weights), tokens, start=(0, 0, 1))
    soup = BeautifulSoup(html, "html.parser")
    assert [tag.name for tag in soup.find_all()] == ["section", "p", "script"]
    assert soup.script["type"] == "application/json"
