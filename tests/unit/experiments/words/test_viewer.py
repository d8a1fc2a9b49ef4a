"""What the viewer gets and the still list shows is what the table holds, and texts stay text."""

import base64
import json

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.experiments.words.methods import SPECIAL
from emoscope.experiments.words.viewer import UNKNOWN, as_read, coloured, still_texts, viewer, viewer_data

HOSTILE = "</script><script>alert(1)</script> <b>"
ABOUT = {"id": 3, "text": HOSTILE, "said": ["joy"], "true": ["fear"], "mistake": True, "confidence": 0.9}
ABOUT |= {"probabilities": [0.9, 0.1], "flips": []}


@pytest.fixture
def scores():
    rows = [
        (3, word, start, end, kind, value * sign, value)
        for kind, sign in (("joy", 1), ("fear", -2))
        for word, start, end, value in ((0, 0, 3, 0.5), (1, 3, len(HOSTILE), -0.25), (SPECIAL, 0, 0, 0.1))
    ]
    return pd.DataFrame(rows, columns=["id", "word", "start", "end", "class", "shapley", "attention"])


def test_the_numbers_are_those_of_the_table_by_method_class_and_word(scores):
    data = viewer_data(scores, [ABOUT, ABOUT | {"id": 4}], ["joy", "fear"], "shapley")
    [text] = data["texts"]
    assert text["words"] == [[0, 3], [3, len(HOSTILE)]] and text["classes"] == ["joy", "fear"] and "id" not in text
    numbers = np.frombuffer(base64.b64decode(text["values"]), dtype="<i2").reshape(2, 2, 3)
    assert [*data["methods"]] == ["shapley", "attention"]
    values = numbers * np.array(text["scales"])[:, None, None]
    assert np.allclose(values[0], [[0.5, -0.25, 0.1], [-1.0, 0.5, -0.2]], atol=1e-4)
    assert np.allclose(values[1], [[0.5, -0.25, 0.1]] * 2, atol=1e-4)


def test_no_text_gets_out_of_the_page(scores):
    data = viewer_data(scores, [ABOUT], ["joy", "fear"], "shapley")
    soup = BeautifulSoup(str(viewer(data) + still_texts(scores, [ABOUT], "shapley")), "html.parser")
    [script] = soup.find_all("script")
    assert json.loads(script.string)["texts"][0]["text"] == HOSTILE
    assert not soup.find("b") and HOSTILE in soup.get_text()


def test_a_word_is_as_deep_as_its_score_and_underlined_if_it_speaks_against(scores):
    joy = scores[(scores["class"] == "joy") & (scores["word"] != SPECIAL)]
    first, second = BeautifulSoup(coloured("so  weary now", joy, "shapley"), "html.parser").find_all("span")
    assert "0.60" in first["style"] and "178" in first["style"] and first.get("class") is None
    assert "0.30" in second["style"] and "33," in second["style"] and second["class"] == ["against"]
    assert first["title"] == "+0.500"


def test_a_text_whose_label_is_not_known_is_told_without_one(scores):
    said = still_texts(scores, [ABOUT | {"true": None}], "shapley")
    assert "labelled" not in said and "labelled fear" in still_texts(scores, [ABOUT], "shapley")


def test_what_the_model_did_not_read_of_a_long_text_is_not_shown(scores):
    words = scores[scores["word"] != SPECIAL]
    assert as_read(HOSTILE, words) == HOSTILE
    assert as_read(HOSTILE + " long" * 1000, words) == f"{HOSTILE}\N{HORIZONTAL ELLIPSIS}"


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_spoils_no_other(scores, odd):
    scores.loc[(scores["class"] == "joy") & (scores["word"] == 1), "shapley"] = odd
    data = viewer_data(scores, [ABOUT], ["joy", "fear"], "shapley")
    [text] = data["texts"]
    numbers = np.frombuffer(base64.b64decode(text["values"]), dtype="<i2").reshape(2, 2, 3)
    assert numbers[0, 0, 1] == UNKNOWN and numbers[0, 0, 0] * text["scales"][0] == pytest.approx(0.5, abs=1e-4)
    assert (numbers == UNKNOWN).sum() == 1
    joy = scores[(scores["class"] == "joy") & (scores["word"] != SPECIAL)]
    first, second = BeautifulSoup(coloured("so  weary now", joy, "shapley"), "html.parser").find_all("span")
    assert "0.60" in first["style"] and "0.00" in second["style"]
