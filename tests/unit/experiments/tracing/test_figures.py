"""Activation maps draw any word."""

import pandas as pd

from emoscope.experiments.tracing import figures as tracing_figures
from emoscope.reporting.plots import svg


def test_activation_maps_draw_words_of_both_texts():
    rows = [
        (unit, word, other, site, dimension, 0.1 * unit, 0.2 * dimension)
        for site in ("residual", "attention")
        for unit, (word, other) in enumerate([("he", "she"), (r"$\oops$", r"$\oops$"), ("<b>", "<b>")])
        for dimension in range(4)
    ]
    names = ["unit", "word", "flipped_word", "site", "dimension", "original", "flipped"]
    drawing = svg(
        tracing_figures.activation_maps(pd.DataFrame(rows, columns=names), {"residual": "r", "attention": "a"})
    )
    assert drawing.count("<image") >= 6
