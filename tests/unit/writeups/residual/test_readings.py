"""What the page reads off the tables of the residual write-up."""

import numpy as np
import pandas as pd
import pytest

from emoscope.writeups.residual.readings import (
    associated_features,
    deviations,
    drawn_features,
    expected_tokens,
    feature_verdicts,
    final_error,
    overlap_summary,
)


def positions_of(probabilities: np.ndarray, text: str = "text1") -> pd.DataFrame:
    row, column = np.indices(probabilities.shape).reshape(2, -1)
    place = {"text": text, "table": "probability", "row": row, "column": column}
    return pd.DataFrame(place | {"value": probabilities.ravel()})


def test_the_expected_token_is_the_one_that_follows():
    """Rows are tokens, columns positions: at position 0 token 1 leads, at position 1 token 0, at 2 token 3."""
    probabilities = np.array([[0.1, 0.5, 0.1, 0.0], [0.6, 0.1, 0.1, 0.9], [0.1, 0.3, 0.2, 0.0], [0.0, 0.0, 0.4, 0.1]])
    both = pd.concat([positions_of(probabilities), positions_of(1 - probabilities, "text2")])
    assert expected_tokens(both, "text1") == (2, 3)
    assert expected_tokens(positions_of(probabilities.T), "text1") == (1, 3)


def test_deviations_compare_the_same_cell_of_the_same_text():
    ours = positions_of(np.array([[0.1, 0.2], [0.3, 0.4]]))
    theirs = ours.assign(value=[0.1, 0.2, 0.35, 0.39])
    far = ours.assign(text="text2", value=9.0)
    found = deviations(pd.concat([ours, far]), theirs).loc["probability"]
    assert found["numbers"] == 4
    assert found["largest"] == pytest.approx(0.05)


def test_overlaps_are_summed_up_over_the_trained_blocks():
    trained = pd.DataFrame({
        "block": [0, 1, 2], "weights": "trained", "neurons": 40, "width": 10, "welch": 0.08, "threshold": 0.9,
        "mean_square": [0.11, 0.25, 0.12], "neurons_beyond": [0.1, 0.2, 0.6],
    })  # fmt: skip
    shuffled = trained.assign(weights="shuffled", mean_square=0.5, neurons_beyond=[0.0, 0.9, 0.0])
    found = overlap_summary(pd.concat([shuffled, trained], ignore_index=True))
    assert (found["blocks"], found["neurons"], found["width"], found["block"]) == (3, 40, 10, 2)
    assert [found[name] for name in ("lowest", "highest", "welch")] == pytest.approx([1.1, 2.5, 0.8])
    assert [found[name] for name in ("beyond", "worst", "shuffled")] == pytest.approx([0.3, 0.6, 0.3])


def test_the_final_error_is_that_of_the_last_tenth():
    history = pd.DataFrame({"step": range(20), "error": [1.0] * 18 + [0.2, 0.4]})
    assert final_error(history) == pytest.approx(0.3)
    assert final_error(history.tail(3)) == 0.4


def test_a_feature_is_told_from_the_better_of_its_rivals_only_where_intervals_do_not_overlap():
    rows = [
        (label, kind, auc, auc - 0.05, auc + 0.05)
        for label, values in {"joy": (0.9, 0.6, 0.7), "fear": (0.5, 0.9, 0.4), "love": (0.9, 0.5, 0.85)}.items()
        for kind, auc in zip(("feature", "principal axis", "dimension"), values, strict=True)
    ]
    chosen = pd.DataFrame(rows, columns=["label", "kind", "auc", "low", "high"])
    assert feature_verdicts(chosen) == {
        "better than": ["joy"],
        "worse than": ["fear"],
        "not told apart from": ["love"],
    }


def test_associated_features_pass_the_test_and_lie_above_chance():
    table = pd.DataFrame({
        "feature": range(6), "label": ["joy"] * 5 + ["fear"], "auc": [0.6, 0.9, 0.1, 0.8, 0.95, 0.7],
        "p_adjusted": [0.01, 0.01, 0.001, 0.04, 0.2, 0.06],
    })  # fmt: skip
    assert associated_features(table, 0.05)["feature"].tolist() == [1, 3]
    assert associated_features(table, 0.1)["feature"].tolist() == [1, 3, 5]
    assert associated_features(table, 0.0).empty


def test_features_are_drawn_among_those_that_held_out_texts_activate():
    features = pd.DataFrame({"feature": range(40), "rate": 1.0, "held_out": [0.0, 0.1] * 20})
    drawn = drawn_features(features, 0)["feature"].tolist()
    assert len(drawn) == 12 and all(feature % 2 for feature in drawn)
    assert drawn != drawn_features(features, 1)["feature"].tolist()
    assert len(drawn_features(features.head(4), 0)) == 2
