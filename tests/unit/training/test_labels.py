"""A finished classifier's labels are found, and matched with a corpus by name, or refused in one line."""

import json

import pytest

from emoscope.errors import UserError
from emoscope.training.labels import labels_of, matched
from random_models import FAMILIES, change_json, change_weights

CLASSES = ["sadness", "joy", "love"]


@pytest.fixture
def folder(tmp_path):
    """A classifier of sadness, joy and love, in this order."""
    FAMILIES["bert"](300).save_pretrained(tmp_path)
    return tmp_path


def assert_refused(message: str, do, *arguments) -> None:
    with pytest.raises(UserError, match=message) as error:
        do(*arguments)
    assert "\n" not in str(error.value)


def test_labels_come_in_the_order_of_the_logits(folder):
    assert labels_of(folder, several=False) == CLASSES
    names = "abcdefghijk"
    change_json(folder / "config.json", id2label={str(number): names[number] for number in (2, 10, *range(10))})
    assert labels_of(folder, several=False) == [*names]


def test_two_labels_without_names_are_numbered(folder):
    config = json.loads((folder / "config.json").read_text())
    del config["id2label"], config["label2id"]
    (folder / "config.json").write_text(json.dumps(config))
    assert labels_of(folder, several=False) == ["LABEL_0", "LABEL_1"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"architectures": ["BertForMaskedLM"]}, "architectures BertForMaskedLM, no classifier of texts; give one"),
        ({"architectures": [None, "Bert"]}, "architectures Bert, no classifier of texts; give one"),
        ({"architectures": None}, "architectures none, no classifier of texts; give one"),
        ({"problem_type": "regression"}, r"gives a number \(regression\), not a class"),
        ({"id2label": {"0": "LABEL_0"}}, r"gives a number \(regression\), not a class"),
        (
            {"problem_type": "multi_label_classification"},
            "gives any number of labels to a text, but .* has exactly one",
        ),
        *(
            ({"id2label": written}, r"id2label in config.json should map numbers to names, .*; fix it")
            for written in (
                *({"calm": 0, "angry": 1}, ["calm", "angry"], "calm", 2),
                *({"1": "calm", "2": "angry"}, {"0": "calm", "2": "angry"}, {"0": "calm", "1.0": "angry"}),
            )
        ),
        ({"id2label": {"0": "joy", "1": "joy"}}, "names the label 'joy', which is taken; fix its id2label"),
        ({"id2label": {"0": "joy", "1": "all"}}, "names the label 'all', which is taken; fix its id2label"),
        ({"id2label": {"0": "joy", "1": "macro avg"}}, "names the label 'macro avg', which is taken"),
        ({"id2label": {str(number): f"L{number}" for number in range(151)}}, "151 classes; at most 127"),
        ({"id2label": None, "num_labels": "six"}, "num_labels in config.json is 'six', no number of classes; fix it"),
    ],
)
def test_what_is_no_classifier_of_one_class_a_text_is_refused(folder, settings, message):
    change_json(folder / "config.json", **settings)
    assert_refused(message, labels_of, folder, False)


def test_one_class_a_text_and_several_are_told_apart(folder):
    assert_refused("gives one class to a text, but a text of the corpus has any number", labels_of, folder, True)
    sigmoid = "; give a corpus or a model of the other kind, or say `problem_type: multi_label_.* sigmoid"
    assert_refused(rf"problem_type None, .*{sigmoid}", labels_of, folder, True)
    change_json(folder / "config.json", problem_type="single_label_classification")
    assert_refused(
        "'single_label_classification', .*; give a corpus or a model of the other kind$", labels_of, folder, True
    )
    change_json(folder / "config.json", problem_type="multi_label_classification")
    assert labels_of(folder, several=True) == CLASSES


def test_a_folder_without_the_weights_of_a_head_is_refused(folder):
    change_weights(folder, lambda weights: {n: w for n, w in weights.items() if not n.startswith("classifier")})
    assert_refused("no weights of a classification head; save the classifier itself", labels_of, folder, False)


@pytest.mark.parametrize(
    ("labels", "given", "wanted"),
    [
        (["love", "Joy", "SADNESS"], {}, ["love", "joy", "sadness"]),
        (["joy", "neutral", "love"], {}, ["joy", "neutral", "love"]),  # what the corpus lacks keeps its name
        (["LABEL_0", "LABEL_1"], {"LABEL_1": "joy", "LABEL_0": "love"}, ["love", "joy"]),
        (["happy", "love"], {"happy": "joy"}, ["joy", "love"]),
        (["sadness", "joy"], {"sadness": "love"}, ["love", "joy"]),  # the map outweighs the name
    ],
)
def test_labels_mean_classes(labels, given, wanted):
    assert matched(labels, CLASSES, given, False, "here") == wanted


def test_a_class_called_exactly_so_comes_before_one_that_differs_in_case():
    assert matched(["joy", "love"], ["Joy", "joy", "love"], {}, False, "here") == ["joy", "love"]


@pytest.mark.parametrize(
    ("labels", "given", "message"),
    [
        (
            ["LABEL_0", "LABEL_1"],
            {},
            "here: of the model's labels, none is .*LABEL_0, LABEL_1; .*classes: sadness, joy",
        ),
        (
            ["joy", "neutral"],
            {},
            "here: of the model's labels, only 'joy' is a class of the corpus, at least 2 are needed",
        ),
        (["joy", "love"], {"LABEL_9": "sadness"}, "here.labels: the model has no label 'LABEL_9'; .*labels: joy, love"),
        (
            ["joy", "love"],
            {"joy": "glee"},
            "here.labels: the corpus has no class 'glee'; its classes: sadness, joy, love",
        ),
        (["a", "b"], {"a": "joy", "b": "joy"}, "here.labels: 'a' and 'b' of the model mean the same class 'joy'"),
        (["happy", "joy"], {"happy": "joy"}, "here.labels: 'happy' and 'joy' of the model mean the same class 'joy'"),
        (["Joy", "joy"], {}, "here.labels: 'Joy' and 'joy' of the model mean the same class 'joy'"),
    ],
)
def test_labels_that_do_not_match_are_refused(labels, given, message):
    assert_refused(message, matched, labels, CLASSES, given, False, "here")


def test_generated_texts_need_every_class():
    assert matched(CLASSES[::-1], CLASSES, {}, True, "here") == CLASSES[::-1]
    assert_refused("has no label for sadness, and generated", matched, ["joy", "love"], CLASSES, {}, True, "here")
