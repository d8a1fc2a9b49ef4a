"""Which features go with a label: only what was planted."""

import numpy as np
import torch

from emoscope.models.features.feature_texts import text_scores
from emoscope.writeups.residual import feature_labels

STATISTICS = {"seed": 0, "resamples": 200, "confidence": 0.95}


def test_only_a_planted_direction_is_found_and_survives_the_other_half():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    scores = rng.random((400, 30))
    scores[:, 7] += labels
    found = feature_labels.label_associations(scores, labels, ["no", "yes"])
    assert set(found.loc[found["p_adjusted"] < 0.01, "feature"]) == {7}
    shuffled = feature_labels.shuffled_labels(scores, labels, 0.05, 0)
    assert shuffled["found"].max() < 3 and shuffled["largest"].max() < 0.7, "that of the planted one is above 0.9"
    chosen = feature_labels.chosen_directions({"feature": scores}, labels, ["no", "yes"], STATISTICS)
    best = chosen.set_index("label").loc["yes"]
    assert best["number"] == 7
    assert best["low"] <= best["auc"] <= best["high"]
    assert best["auc"] > 0.9


def test_what_is_active_in_few_texts_goes_with_a_rare_label_by_luck_and_is_not_found():
    """Of 400 texts 12 have the label; a feature that is active in one of these alone would be found by a normal p."""
    rng = np.random.default_rng(0)
    labels = (np.arange(400) < 12).astype(int)
    scores = rng.random((400, 300)) * (rng.random((400, 300)).argsort(axis=0) < rng.integers(1, 9, 300))
    shuffled = feature_labels.shuffled_labels(scores, labels, 0.05, 0)
    assert shuffled["found"].mean() < 0.5
    scores[:, 0], scores[:, 1] = np.arange(400) == 5, labels
    found = feature_labels.label_associations(scores, labels, ["no", "yes"]).query("label == 'yes'")
    assert found["p"].iloc[0] == 2 * 12 / 400
    assert found.loc[found["p_adjusted"] <= 0.05, "feature"].tolist() == [1], "one that really goes with it is found"


def test_text_scores_take_the_largest_of_a_texts_tokens():
    values = torch.tensor([[0.0, 2.0], [1.0, -3.0], [-1.0, -5.0]])
    found = text_scores(values, np.array([0, 0, 2]), 3)
    np.testing.assert_array_equal(found, [[1, 2], [0, 0], [0, 0]])


def test_a_direction_is_chosen_on_the_first_half_and_measured_on_the_second():
    """Column 0 tells the labels apart in the first half only, column 1 in the second only."""
    labels = np.tile([0, 1], 40)
    scores = np.zeros((80, 2))
    scores[:40, 0], scores[40:, 1] = labels[:40], labels[40:]
    [best] = feature_labels.chosen_directions({"feature": scores}, labels, ["no", "yes"], STATISTICS).query(
        "label == 'yes'"
    ).to_dict("records")  # fmt: skip
    assert (best["number"], best["auc_before"], best["auc"]) == (0, 1, 0.5)
