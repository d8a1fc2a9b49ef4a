"""The attention page draws any token, and says why something is missing."""

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from attention_tables import MAIA, averages_of, weights_of
from emoscope.reporting.passages import Findings
from emoscope.reporting.plots import svg
from emoscope.writeups.attention import figures as attention_figures
from emoscope.writeups.attention import page as attention_report
from made_up import words


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
    cells = [cell.get_text() for cell in BeautifulSoup(html, "html.parser").select("tbody > tr > *")]
    assert cells[:3] == ["Ma", "0.1400", "0.0100"] and len(cells) == 2 + 10


def test_the_headline_sets_the_most_attended_token_beside_always_naming_the_first():
    names = ("mean.all.correlation", "nearness.all.correlation", "mean.all.top", "first.all.top", "guessing.all.top")
    rows = {f"agreement.{name}": 0.9 - place / 10 for place, name in enumerate(names)}
    rows["agreement.mean.rest.above_random"] = 0.2
    table = pd.DataFrame({"name": rows.keys(), "value": rows.values(), "low": 0.0, "high": 1.0, "note": ""})
    said = words(attention_report.say("main_result", found=Findings(table)))
    assert "matters most in 70.0 % [0.0, 100.0] of cases" in said
    assert "always naming the first token is right in 60.0 % [0.0, 100.0], guessing in 50.0 %." in said


@pytest.mark.parametrize(
    ("above", "than", "verdict"),
    [
        ((-0.4, -0.5, -0.3), "lower", "does not go beyond"),
        ((0.4, 0.3, 0.5), "higher", "goes beyond"),
        ((0.1, -0.1, 0.3), "not shown to be higher or lower", "cannot be told from"),
    ],
)
def test_attention_is_judged_beside_random_weights(above, than, verdict):
    text = read_beside_random(above)
    assert "Over all tokens, the mean weight ranks tokens better than nearness" in text
    assert "Over the tokens without the first token, the mean weight ranks tokens worse than nearness" in text
    assert "No interval is adjusted for the number of comparisons." in text
    assert "models of this architecture that have learnt nothing (8 random models), the correlation" in text
    assert "the correlation is 0.920 [0.900, 0.940], and 0.810 [0.800, 0.820] over the tokens without" in text
    assert f"the trained model's is {than} (a difference of" in text
    assert f"what attention says of what matters {verdict} the bare mechanics of blocking." in text


def test_without_an_interval_attention_is_not_judged():
    """Of one random model it is not known how far another lies: that is no sign that both are alike."""
    nothing = float("nan")
    text = read_beside_random((0.5, nothing, nothing), lead=(0.6, nothing, nothing))
    assert "too few texts, or random models, to tell whether the trained model's is higher" in text
    assert "too few texts to tell whether the mean weight ranks tokens better than nearness" in text
    assert "bare mechanics" not in text and "no better" not in text and "shown" not in text


def read_beside_random(above: tuple, lead: tuple = (0.6, 0.5, 0.7)) -> str:
    rows = {
        "agreement.mean.all.lead_over_nearness": lead,
        "agreement.mean.rest.lead_over_nearness": (-0.2, -0.3, -0.1),
        "agreement.mean.all.random": (0.92, 0.9, 0.94),
        "agreement.mean.rest.random": (0.81, 0.8, 0.82),
        "agreement.mean.rest.above_random": above,
    }
    columns = ["name", "value", "low", "high", "note"]
    table = pd.DataFrame([(name, *row, "8 random models") for name, row in rows.items()], columns=columns)
    names = {"all": "all tokens", "rest": "without the first token"}
    html = attention_report.agreement_reading(Findings(table), names)
    return words(html)
