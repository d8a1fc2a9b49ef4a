"""The model card says what a stranger needs to know before using the model, whatever its classes are called."""

import json
import re

import pandas as pd
import pytest

from emoscope.experiments.performance.summarise import metrics
from emoscope.reporting.templates import code
from emoscope.verdicts import model_card
from emoscope.verdicts.model_card import write_model_card

CLASSES = ["calm", "furious"]
OPTIONS = {"alpha": 0.05, "resamples": 100, "seed": 0}
SETTINGS = {
    "name": "mine-s3",
    "corpus": {"source": "csv", "duplicates": "group", "split": {"method": "shuffled", "test": 0.2, "seed": 10}},
    "model": {"source": "package", "package": "weights==1.0", "blocks": 6},
    "training": {
        "epochs": 1, "batch_size": 8, "learning_rate": 1e-4, "schedule": "linear", "warmup": 0.1, "weight_decay": 0.01,
        "balance": "downsample",
    },
    "seed": 3,
    "confidence": 0.95,
    "folder": "results/mine-s3/model",
    "licences": {"texts": "research only,\nask first", "model": None},
}  # fmt: skip


def effect(measure: str, value: float, texts: int, origin: str = "natural", verdict: str = "") -> dict:
    interval = {"value": value, "low": value / 2, "high": value * 2}
    return {"origin": origin, "measure": measure, **interval, "texts": texts, "verdict": verdict}


@pytest.fixture
def card(tmp_path):
    """Write a card from little; `changes` are laid over the settings, `audit` over the counts of the corpus."""

    cheap = {"words": {"accuracy": 0.91}, "constant": {"accuracy": 0.92}}

    def write(changes: dict | None = None, classes: list[str] = CLASSES, **audit) -> str:
        known = calm, furious = classes[:2]
        counts = {
            "source": "mine.csv", "revision": None, "sha256": "ab" * 32, "classes": classes, "rows": 1250,
            "class_counts": {calm: 1150, furious: 100}, "duplicate_rows": 7, "conflicting_texts": 2,
            "train_rows": 1000, "test_rows": 250, "leaked_test_rows": 0, "leaked_share": 0.0,
        } | audit  # fmt: skip
        label = [0] * 230 + [1] * 20
        pred = [0] * 235 + [1] * 15
        scores = {f"p_{calm}": [0.9 - 0.8 * k for k in pred], f"p_{furious}": [0.1 + 0.8 * k for k in pred]}
        table = pd.DataFrame({"text": map(str, range(250)), "label": label, "pred": pred, "confidence": 0.9} | scores)
        found = metrics(table, known, **OPTIONS)
        scores = {f"p_{calm}": [0.9 - 0.8 * k for k in label], f"p_{furious}": [0.1 + 0.8 * k for k in label]}
        learned = metrics(table.assign(pred=label, **scores), known, **OPTIONS)  # all of its training texts are right
        fresh = metrics(table.head(240), known, **OPTIONS)  # ten of the test texts stand in the training set
        sets = {"train": {"all": learned, "distinct": learned}, "test": {"all": found, "distinct": fresh}}
        wide = {"accuracy": 0.5, "accuracy_interval": [0.4, 0.6]}
        sets["baselines"] = {name: {"all": wide, "distinct": wide | shares} for name, shares in cheap.items()}
        history = {"parameters": 1234567, "texts": 160, "steps": 20, "precision": "fp32", "texts_cut": 4}
        if (changes or {}).get("training") == "none":
            labels = {"LABEL_0": calm, "LABEL_1": furious}
            history = {"trained": "elsewhere", "unknown": ["what it read"], "parameters": 1234567, "labels": labels}
            history |= {"texts": 1250, "texts_cut": 3}
        files = {
            "audit.json": counts,
            "training.json": history,
            "metrics.json": sets,
            "model/config.json": {"architectures": ["BertForSequenceClassification"]},
            "model/tokenizer_config.json": {"model_max_length": 512},
            "base/source.json": {"source": "weights==1.0", "revision": "cd" * 32},
        }
        settings = SETTINGS | (changes or {})
        if settings["training"] == "none":
            files["model/README.md"] = "its own card"
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(json.dumps(content))
        flips = [
            effect("changed", 0.016, 300),
            effect("control_changed", 0.013, 54),
            effect("excess_changed", 0.004, 54, verdict="not settled"),
        ]
        synonyms = [effect("changed", 0.1, 60, "published")]
        for axis, rows in (("gender", flips), ("race", []), ("synonyms", synonyms)):
            columns = list(effect("", 0, 0))
            pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / f"{axis}_summary.parquet")
        write_model_card(
            audit=tmp_path / "audit.json",
            training=tmp_path / "training.json",
            metrics=tmp_path / "metrics.json",
            effects=[tmp_path / f"{axis}_summary.parquet" for axis in ("gender", "race", "synonyms")],
            model=tmp_path / "model",
            base=[tmp_path / ("own" if settings["model"]["source"] == "path" else "base")],  # no note of its origin
            settings=settings,
            output=tmp_path / "README.md",
        )
        return (tmp_path / "README.md").read_text()

    return write


def test_a_card_says_what_the_model_is_made_of(card):
    text = card()
    for fact in (
        "BertForSequenceClassification with 6 blocks and 1,234,567 parameters",
        "2 classes of short texts apart: calm and furious",
        "| source | `mine.csv`, a local file |",
        "| texts | 1,250: 1,000 for training, 250 for testing |",
        "| repeated | 7 texts repeat another; 2 stand there with more than one label |",
        "| from | `weights==1.0`, revision `" + "cd" * 32,
        "| texts | 160; balance: downsample |",
        "| texts cut | 4, being longer than 512 tokens |",
        "1 epoch, 20 steps of 8 texts",
        "| seed | 3 |",
        'model="results/mine-s3/model"',  # wherever the files lay that it was written from
    ):
        assert fact in text


def test_every_number_that_was_measured_has_its_interval(card):
    text = card()
    assert "| accuracy | 0.980 [0.954, 0.991] | 0.979 [0.952, 0.991] |" in text, "of testing, not of training"
    assert "| furious | 100 | 20 | 1.000 [0.796, 1.000] | 0.750 [0.531, 0.888] |" in text
    assert "<" not in text  # no markup of the pages
    assert "| a bag of words: accuracy | 0.500 [0.400, 0.600] | 0.910 [0.400, 0.600] |" in text
    assert "| the most frequent class: accuracy | 0.500 [0.400, 0.600] | 0.920 [0.400, 0.600] |" in text


def test_of_several_labels_the_cheapest_classifiers_have_f1_as_well():
    scores = ("accuracy", "macro_f1", "micro_f1")
    one = dict.fromkeys(scores, 0.5) | {f"{score}_interval": (0.4, 0.6) for score in scores}
    part = {"all": one, "distinct": one}
    rows = model_card.baseline_rows({"test": part, "baselines": {"every_label": part, "constant": part}})
    assert [row[0] for row in rows] == [
        f"{method}: {score}"
        for method in ("every label to every text", "the most frequent set of labels")
        for score in ("texts whose labels are all right", "macro F1", "micro F1")
    ]


def test_the_card_of_an_adopted_classifier_says_what_is_not_known(card):
    text = card({"training": "none"}, left_out={"glee": 12})
    for fact in (
        "It was trained elsewhere and is taken\napart as it is; its own card is `model/README.md`.",
        "| left out | texts of classes that it does not know: glee (12) |",
        "| not known | what it read |",
        "| labels | `LABEL_0` is calm, `LABEL_1` is furious |",
        "| longest text | 512 tokens; longer ones are cut: 3 of 1,250 |",
        "Which texts it was trained on is not known; the training and test texts above may be among them.",
        "That of the weights: not stated.",
    ):
        assert fact in text
    trained = card()
    for wrong in ("made by emoscope", "; balance: ", "| recipe |", "| texts cut |", "It has seen the texts above"):
        assert wrong not in text and wrong in trained


def test_limits_follow_from_the_measurements(card):
    text = card()
    assert "recall of furious (20) is known to no better than 5 %" in text
    assert "calm (230)" not in text
    assert "no test text stands in the training set" in text
    assert "2 texts contradict their own copies" in text
    assert (
        "in 300 test texts, the prediction changes in 1.6 % [0.8, 3.2]. Whether that is more than swapping neutral "
        "words does is not settled: +0.4 % [+0.2, +0.8] in the 54 texts that offer some."
    ) in text, "beside neutral words of the same texts"
    assert (
        "in 60 test texts, the prediction changes in 10.0 % [5.0, 20.0]. "
        "No text offers neutral words alike enough to compare it with."
    ) in text
    assert "n/a" not in text
    assert "race" not in text  # no text named one
    leaky = card(leaked_test_rows=25, leaked_share=0.1)
    assert "With 10.0 % of the test texts known from training" in leaky
    assert "the right one, an accuracy of 0.979" in leaky
    noisy = card({"corpus": SETTINGS["corpus"] | {"source": "calibration", "label_noise": 0.06}})
    assert "6.0 % of the labels are wrong on purpose" in noisy


def test_no_sentence_names_a_hundred_classes(card, monkeypatch):
    names = [f"feeling{number:02}" for number in range(100)]
    monkeypatch.setattr(model_card, "unsure_classes", lambda per_class: [f"{name} (3)" for name in names[8:]])
    text = card(classes=names)
    assert (
        "100 classes of short texts apart: feeling00, feeling01, feeling02, feeling03, feeling04 and 95 others." in text
    )
    assert "The recall of 92 of 100 classes is known to no better than" in text
    assert max(line.count("feeling") for line in text.splitlines()) <= 15


def cells(line: str) -> list[str]:
    """The cells of a row of a table, as GitHub divides it."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_no_sign_of_a_name_is_markup(card):
    names = ["a|b", r"\[x](http://y) <b> *c* _d_ e_f `g` &amp; ~h~ $i$ A&B"]
    licences = {"texts": "mine|yours", "model": None}
    text = card({"training": "none", "licences": licences}, names, source="in `b`|x_y.csv", left_out={"l|m": 3})
    rows = {row[0]: row[1:] for line in text.splitlines() if line.startswith("| ") if (row := cells(line))}
    assert rows[r"a\|b"][:2] == ["1,150", "230"] and len(rows[r"a\|b"]) == 5
    shown = r"\\\[x\](http://y) \<b\> \*c\* \_d\_ e_f \`g\` \&amp; \~h\~ \$i\$ A&B"
    assert len(rows[shown]) == 5
    assert f"classes of short texts apart: a\\|b and {shown}." in text and rf"recall of {shown} (20)" in text
    assert rows["labels"] == [rf"`LABEL_0` is a\|b, `LABEL_1` is {shown}"]
    assert rows["source"] == [r"``in `b`\|x_y.csv``, a local file"]
    assert rows["left out"] == [r"texts of classes that it does not know: l\|m (3)"]
    assert rows["licence"] == [r"mine\|yours"] and r"texts: mine\|yours. That" in text


@pytest.mark.parametrize(("text", "shown"), [("a", "`a`"), ("`a", "`` `a ``"), ("``", "``` `` ```"), (r"\|", r"`\\|`")])
def test_what_is_shown_as_code_cannot_end_it(text, shown):
    assert code(text) == shown


def test_licences_are_shown_or_said_to_be_unknown(card):
    text = card()
    assert "| licence | research only, ask first |" in text
    assert "| licence of these weights | not stated |" in text
    assert "these weights | none: they are random" in card({"model": {"source": "scratch", "blocks": 2}})


def test_a_model_from_a_folder_is_named_by_it(card):
    assert "| from | `mine/model` |" in card({"model": {"source": "path", "path": "mine/model", "blocks": 2}})
