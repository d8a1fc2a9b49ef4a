"""What is measured on every text: by its class, its label and the rivals of its class."""

import pandas as pd
import pytest

from emoscope.experiments.masking.measures import MEASURES, measures

CLASSES = ["sadness", "joy", "love"]


def test_every_measure_reads_its_own_column():
    """Grouped under joy, labelled love: it is right where the model says love, and its margin is that to love."""
    table = pd.DataFrame({"group": [1], "label": [2], "p_sadness": 0.1, "p_joy": 0.3, "p_love": 0.6})
    table = table.assign(logit_sadness=-1.0, logit_joy=0.5, logit_love=2.0)
    found = dict(zip(MEASURES, measures(table, CLASSES)[0], strict=True))
    assert found == {"probability": 0.3, "first_class": 0.1, "margin": pytest.approx(-1.5), "accuracy": 1}
    other = dict(zip(MEASURES, measures(table.assign(label=1), CLASSES)[0], strict=True))
    assert other == found | {"accuracy": 0}, "not the class that it is grouped under"
