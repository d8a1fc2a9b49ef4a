"""What is true and what is decided, for one label a text and for several."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax

from emoscope.models.logits import prediction_table, probabilities, thresholds_of
from emoscope.storage import decisions
from emoscope.storage.files import write_json

LISTS = pd.Series([[0, 2], [], None, [1]])


def test_numbers_and_lists_become_the_same_matrix():
    found = decisions.as_matrix(LISTS, 3)
    assert found.tolist() == [[True, False, True], [False] * 3, [False] * 3, [False, True, False]]
    assert [list(row) for row in decisions.as_column(found)] == [[0, 2], [], [], [1]]
    one = decisions.as_matrix(pd.Series([2, -1, 0], dtype="int8"), 3)
    assert one.tolist() == [[False, False, True], [False] * 3, [True, False, False]]


def test_having_no_label_is_known_and_differs_from_not_being_labelled():
    assert decisions.labelled(pd.DataFrame({"labels": LISTS})).tolist() == [True, True, False, True]
    assert decisions.labelled(pd.DataFrame({"label": [0, -1, 2]})).tolist() == [True, False, True]


def test_each_label_has_its_own_threshold_and_reaching_it_is_enough():
    found = np.array([[0.5, 0.5, 0.5], [0.2, 0.9, 0.69]])
    assert decisions.decided(found, np.array([0.5, 0.6, 0.4])).tolist() == [[True, False, True], [False, True, True]]
    assert decisions.decided(found, np.array([0.4, 0.6, 0.7])).tolist() == [[True, False, False], [False, True, False]]
    assert decisions.decided(found[1:], None).tolist() == [[False, True, False]]


def test_a_table_without_decisions_of_its_own_takes_the_most_probable_class():
    found = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])
    table = pd.DataFrame({"pred": [[0, 1], []]})
    assert decisions.decisions_of(table, "pred", found).tolist() == [[True, True, False], [False] * 3]
    assert decisions.decisions_of(table, "pred_after", found).tolist() == [[False, True, False], [True, False, False]]


def test_an_answer_is_right_if_it_is_in_every_label():
    table = pd.DataFrame({"labels": [[0, 2], [0, 2], []]})
    given = decisions.as_matrix(pd.Series([[0, 2], [2], []]), 3)
    assert decisions.right(table, given).tolist() == [True, False, True]
    assert decisions.same(pd.Series([[0, 2], [2], []]), table["labels"]).tolist() == [True, False, True]
    assert decisions.same(pd.Series([1, 2]), pd.Series([1, 0])).tolist() == [True, False]


def test_as_many_classes_as_the_highest_number_needs():
    assert decisions.class_count(pd.DataFrame({"labels": LISTS})) == 3
    assert decisions.class_count(pd.DataFrame({"label": [-1, 4, 0]})) == 5
    assert decisions.class_count(pd.DataFrame({"label": [-1, -1]})) == 0
    assert decisions.class_count(pd.DataFrame({"labels": [[], None]})) == 0


def test_predictions_of_several_labels():
    logits = np.array([[0.0, 2.0, -1.0], [-3.0, -2.0, 3.0]], dtype=np.float32)
    texts = pd.DataFrame({"id": [7, 8], "labels": [[1], []]})
    table = prediction_table(texts, logits, ["sad", "glad", "mad"], np.array([0.5, 0.9, 0.2], dtype=np.float32))
    assert list(table.columns[:4]) == ["id", "labels", "pred", "confidence"]
    assert [list(given) for given in table["pred"]] == [[0, 2], [2]]
    p = expit(logits)
    np.testing.assert_allclose(table.filter(regex="^p_"), p)
    np.testing.assert_allclose(table["confidence"][0], p[0, 0] * (1 - p[0, 1]) * p[0, 2], rtol=1e-6)
    np.testing.assert_allclose(table["confidence"][1], (1 - p[1, 0]) * (1 - p[1, 1]) * p[1, 2], rtol=1e-6)


def test_what_logits_mean_is_the_models_own(classifier, tmp_path, monkeypatch):
    logits = np.array([[0.0, 2.0, -1.0]])
    np.testing.assert_allclose(probabilities(classifier, logits), softmax(logits, axis=1))
    assert thresholds_of(classifier, []) is None
    monkeypatch.setattr(classifier.config, "problem_type", decisions.SEVERAL)
    np.testing.assert_allclose(probabilities(classifier, logits), expit(logits))
    write_json({"thresholds": {"love": 0.25, "joy": 0.5, "sadness": 0.75}}, tmp_path / "thresholds.json")
    assert thresholds_of(classifier, [tmp_path / "thresholds.json"]).tolist() == [0.75, 0.5, 0.25], "by name"
    with pytest.raises(ValueError, match="several labels"):
        thresholds_of(classifier, [])
    monkeypatch.setattr(classifier.config, "problem_type", None)
    with pytest.raises(ValueError, match="one label"):
        thresholds_of(classifier, [tmp_path / "thresholds.json"])
