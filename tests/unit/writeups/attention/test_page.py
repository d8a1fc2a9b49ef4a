"""The attention page draws any token, and says why something is missing."""

import pandas as pd
from bs4 import BeautifulSoup

from attention_tables import MAIA, averages_of, weights_of
from emoscope.reporting.plots import svg
from emoscope.writeups.attention import figures as attention_figures
from emoscope.writeups.attention import page as attention_report


def test_maps_take_any_token():
    labels = ["$x^$", "<b>", "\\n", "\N{MIDDLE DOT}d"]
    weights, _ = weights_of(labels, heads=5)
    panels = attention_report.head_panels(weights, {(0, head): "" for head in range(5)}, 0)
    assert svg(attention_figures.token_maps(panels, labels, {})).count("<image") == 2 * 5  # each with its scale
    panels = attention_report.sentence_panels(averages_of(weights), 0)
    assert list(panels) == ["mean weight", "rollout", "effect of blocking"]
    assert svg(attention_figures.token_maps(panels, labels, {"effect of blocking": "nats"}))


def test_the_published_table_is_replaced_by_a_reason():
    weights, tokens = weights_of(["a", "b", "c"])
    published = pd.DataFrame({"target": [0], "token": ["Ma"], "weight": [0.14]})
    assert "cannot be shown" in attention_report.published_table(weights, tokens, published)
    html = attention_report.published_table(*weights_of(MAIA), published)
    cells = [cell.get_text() for cell in BeautifulSoup(html, "html.parser").select("tbody td")]
    assert cells[:3] == ["Ma", "0.1400", "0.0100"] and len(cells) == 2 + 10
