"""Texts and tokens are escaped on the residual page and in its figures."""

from xml.etree import ElementTree

import pandas as pd

from emoscope.reporting.plots import svg
from emoscope.writeups.residual import figures as residual_figures
from emoscope.writeups.residual import page as residual_report


def test_texts_and_tokens_are_escaped_on_the_page():
    texts = pd.DataFrame([{"feature": 3, "place": 1, "text": "<script>x</script>", "start": 0, "end": 8}])
    features = pd.DataFrame([{"feature": 3, "rate": 0.1, "held_out": 0.2}])
    assert "<script>" not in residual_report.features_by_lot(features, texts, 0)
    assert "<mark>&lt;script&gt;</mark>" in residual_report.features_by_lot(features, texts, 0)
    sentence = pd.DataFrame([
        {"position": 0, "token": "\x00<b>", "depth": depth, "predicted": "-->\x05$x$", "probability": 0.5}
        for depth in range(2)
    ])  # fmt: skip
    ElementTree.fromstring(svg(residual_figures.first_choices(sentence)))  # a control character is no XML
