"""From a model folder and texts to tables and, for one's own sentences, to lines: what the commands write."""

import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from bs4 import BeautifulSoup
from scipy.special import logit

from emoscope.errors import UserError
from emoscope.experiments.words import explain as filter_of
from emoscope.experiments.words.faithfulness import measure_faithfulness
from emoscope.experiments.words.measure import attribute_words, chosen_classes, drawn_texts
from emoscope.experiments.words.methods import METHODS, PLANTED, RANDOM, SPECIAL
from emoscope.experiments.words.read_texts import read_texts
from emoscope.experiments.words.removal import Reader
from emoscope.experiments.words.summarise import summarise_words
from emoscope.models.loading import load_classifier
from emoscope.models.logits import probabilities
from emoscope.plan.code_inputs import PACKAGE
from emoscope.storage.decisions import SEVERAL
from random_models import FAMILIES, TEXTS, change_json, with_large_weights, write_exactness

CLASSES = ["sadness", "joy", "love"]
PREDICTION = {"tokens_per_batch": 512}
CONFIG = {"texts": None, "cut": 4, "classes": 2, "steps": 3, "orders": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    with_large_weights(FAMILIES["gpt2"](len(tokenizer))).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tables(folder, tmp_path_factory):
    """What the three commands write for five texts with a planted word each."""
    place = tmp_path_factory.mktemp("words")
    paths = {
        name: place / name for name in ("scores", "texts", "accounts", "steadiness", "cuts", "curves", "faithfulness")
    }
    test = pd.DataFrame({"id": range(5), "text": TEXTS, "label": [0, 1, 2, 0, 1]})
    test.to_parquet(place / "test")
    pd.DataFrame({"id": range(5), "start": 0, "end": 2, "role": "emotion"}).to_parquet(place / "planted")
    (place / "audit").write_text(json.dumps({"classes": CLASSES}))
    own = {name: paths[name] for name in ("scores", "texts", "accounts", "steadiness", "cuts")}
    attribute_words(folder, place / "test", write_exactness(place), CONFIG, 0, PREDICTION, **own)
    rest = {name: paths[name] for name in ("curves", "faithfulness")}
    measure_faithfulness(folder, paths["texts"], paths["scores"], 0, PREDICTION, **rest, planted=[place / "planted"])
    made = {name: place / name for name in ("ranking", "faithful", "methods", "overall", "flips", "groups", "findings")}
    statistics = {"seed": 0, "resamples": 100, "confidence": 0.95, "margin": 0.02}
    summarise_words(
        **{name: path for name, path in paths.items() if name != "curves"}, train=place / "test", audit=place / "audit",
        axes=[], pairs=[], pair_scores=[], seed=0, statistics=statistics, **made, planted=[place / "planted"],
    )  # fmt: skip
    read = {name: pd.read_parquet(path) for name, path in (paths | made).items() if name != "findings"}
    return read | {"findings": pd.read_csv(made["findings"]).set_index("name")}


@pytest.mark.parametrize("failed", ["pooled", "weights"])
def test_attention_is_no_method_where_it_cannot_be_read_or_no_token_is(folder, tmp_path, failed):
    pd.DataFrame({"id": [0], "text": TEXTS[:1], "label": [0]}).to_parquet(tmp_path / "test")
    own = {name: tmp_path / name for name in ("scores", "texts", "accounts", "steadiness", "cuts")}
    attribute_words(folder, tmp_path / "test", write_exactness(tmp_path, failed), CONFIG, 0, PREDICTION, **own)
    found = {name for name in METHODS if name in pd.read_parquet(own["scores"])}
    assert found == {*METHODS} - {"integrated_three_quarters", "attention", "rollout"}


def test_every_method_scores_every_word_of_every_text(tables):
    scores = tables["scores"]
    assert {name for name in METHODS if name in scores} == {*METHODS} - {"integrated_three_quarters"}  # of 3 blocks
    assert scores[[name for name in METHODS if name in scores]].notna().all(axis=None)
    words = scores[scores["word"] != SPECIAL]
    for number, text in enumerate(TEXTS):
        own = words[words["id"] == number]
        assert own["class"].nunique() == 2 and len(own) == 2 * len(text.split())
    assert (words[["attention", "rollout"]] >= 0).all(axis=None)
    assert scores.groupby(["id", "class"])["attention"].sum().to_numpy() == pytest.approx(1, abs=1e-5)


def test_each_word_of_more_texts_is_cut_out_and_it_is_told_what_falls_without_it(tables, folder):
    cuts, reader = tables["cuts"], Reader(*load_classifier(folder), 512)
    assert cuts["id"].nunique() == 4  # as configured
    for number, own in cuts.groupby("id"):
        text = TEXTS[number]
        assert (
            own["word"].tolist()
            == text.lower().split()
            == [text[a:b].lower() for a, b in zip(own["start"], own["end"], strict=True)]
        )
        for place, (_, row) in enumerate(own.iterrows()):
            left = [word for at, word in enumerate(text.split()) if at != place]
            whole, rest = logit(probabilities(reader.model, reader.logits([text, " ".join(left)])))
            fallen = row[[f"fall_{name}" for name in CLASSES]].to_numpy(dtype=float)
            assert fallen == pytest.approx(whole - rest, abs=1e-4)
    assert cuts[[f"fall_{name}" for name in CLASSES]].abs().to_numpy().max() > 0.01


def test_the_answer_is_explained_first(tables):
    first = tables["scores"].groupby("id")["class"].first()
    assert [CLASSES.index(name) for name in first] == tables["texts"]["pred"].tolist()


def test_tables_beside_the_scores(tables):
    assert set(tables["faithfulness"]["method"]) >= {RANDOM, PLANTED, "shapley", "attention"}
    assert set(tables["faithfulness"]["kind"]) == {"cut", "resampled", "padded"}
    assert tables["curves"]["probability"].between(0, 1).all()
    assert (tables["steadiness"]["change"] > 0).all()
    assert tables["accounts"].groupby("method").size().nunique() == 1
    planted = tables["ranking"].set_index(["method", "measure"])
    if len(planted):
        assert planted.loc[(PLANTED, "top"), "value"] == 1
    told = {"pushes.up", "pushes.cannot_tell", "completeness_error.integrated_zero", "cut.deletion.shapley"}
    assert told <= set(tables["findings"].index)


def test_classes_that_a_text_has_come_first_and_then_the_most_probable():
    logits = np.array([[3.0, 1.0, 2.0, 0.0]])
    sure = np.array([[False, True, False, False]])
    assert chosen_classes(logits, sure, 3).tolist() == [[1, 0, 2]]
    assert chosen_classes(logits, np.ones((1, 4), dtype=bool), 1).tolist() == [[0, 2, 1, 3]], (
        "none that it has is left out"
    )


def test_texts_are_drawn_once_each():
    table = pd.DataFrame({"id": range(6), "text": list("aabbcd")})
    assert drawn_texts(table, None, 0)["text"].tolist() == list("abcd")
    drawn = drawn_texts(table, 2, 0)
    assert drawn["text"].is_unique and len(drawn) == 2 and drawn["id"].is_monotonic_increasing


def said(monkeypatch, capsys, folder, text, **options):
    monkeypatch.setattr("sys.stdin", type("Input", (), {"buffer": io.BytesIO(text)}))
    filter_of.explain_lines(folder, **options)
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("method", filter_of.ALONE)
def test_own_sentences_are_explained_class_by_class(monkeypatch, capsys, folder, method):
    lines = said(monkeypatch, capsys, folder, b"i feel happy\nwhat a surprise\n", method=method)
    assert [line[0] for line in lines] == ["1"] * 3 + ["2"] * 3
    for number in (0, 3):
        chances = [float(line[2]) for line in lines[number : number + 3]]
        assert chances == sorted(chances, reverse=True) and sum(chances) == pytest.approx(1, abs=1e-3)
        assert {line[1] for line in lines[number : number + 3]} == set(CLASSES)
    assert [pair.rpartition(":")[0] for pair in lines[0][3].split()] == ["i", "feel", "happy"]
    values = np.array([[float(pair.rpartition(":")[2]) for pair in line[3].split()] for line in lines[:3]])
    assert np.allclose(values.sum(axis=0), 0, atol=2e-3), "what speaks for one class speaks against the others"


def test_a_folder_of_ones_own_is_padded_as_an_adopted_one_is(monkeypatch, capsys, folder, tmp_path):
    """Not with a token that its classification head would read as the last one of a text."""
    shutil.copytree(folder, tmp_path / "mine")
    text, method = b"i feel happy\nwhat a surprise it is\n", "occlusion_word"
    due = said(monkeypatch, capsys, folder, text, method=method)
    own = json.loads((folder / "tokenizer_config.json").read_text())
    padding = json.loads((folder / "config.json").read_text())["pad_token_id"]
    bare = {key: value for key, value in own.items() if key not in ("pad_token", "model_max_length")}
    (tmp_path / "mine" / "tokenizer_config.json").write_text(json.dumps(bare))
    assert said(monkeypatch, capsys, tmp_path / "mine", text, method=method) == due
    (tmp_path / "mine" / "tokenizer_config.json").write_text(json.dumps(own))
    change_json(tmp_path / "mine" / "config.json", pad_token_id=padding + 5)
    with pytest.raises(UserError, match=rf"config.json says pad_token_id {padding + 5}, but the tokenizer pads with"):
        said(monkeypatch, capsys, tmp_path / "mine", text, method=method)


@pytest.mark.parametrize("tolerance", [0.01, -1])
@pytest.mark.parametrize("method", ["integrated_zero", "gradient_input"])
def test_scores_that_do_not_account_for_an_answer_are_told_as_such(monkeypatch, capsys, folder, method, tolerance):
    monkeypatch.setattr(filter_of, "TOLERANCE", tolerance)
    monkeypatch.setattr("sys.stdin", type("Input", (), {"buffer": io.BytesIO(b"i feel happy\n")}))
    filter_of.explain_lines(folder, method=method)
    said = f"the scores of {method} do not sum to the difference that they should (off by 0." in capsys.readouterr().err
    assert said == (tolerance < 0 and method == "integrated_zero")


def test_that_scores_are_no_numbers_is_told_in_words(monkeypatch, capsys, folder):
    monkeypatch.setattr(filter_of, "completeness_error", lambda sums: np.nan)
    monkeypatch.setattr("sys.stdin", type("Input", (), {"buffer": io.BytesIO(b"i feel happy\n")}))
    filter_of.explain_lines(folder, method="integrated_zero")
    told = capsys.readouterr().err
    assert "do not sum to the difference that they should (how far off cannot be told); take another" in told


def test_a_byte_order_mark_is_no_part_of_the_first_word(monkeypatch, capsys, folder):
    lines = said(monkeypatch, capsys, folder, "\ufeffhappy\nhappy\n".encode(), method="gradient_input")
    assert lines[0][1:] == lines[3][1:] and lines[0][3].startswith("happy:")


def test_a_page_of_own_sentences_is_whole(monkeypatch, capsys, folder, tmp_path):
    said(monkeypatch, capsys, folder, b"i feel <b>happy\n", html=[tmp_path / "page.html"])
    soup = BeautifulSoup((tmp_path / "page.html").read_text(), "html.parser")
    assert "i feel <b>happy" in soup.get_text() and not soup.find("b")
    assert json.loads(soup.find(id="words-data").string)["method"] == "integrated_padding"


def test_a_page_takes_the_place_of_no_folder_and_there_is_one(monkeypatch, capsys, folder, tmp_path):
    (tmp_path / "thesis.tex").write_text("A thesis.")
    monkeypatch.chdir(tmp_path)
    for place in (tmp_path, Path(), Path(".."), Path("/")):
        with pytest.raises(UserError, match=rf"--html {place}: that is a folder; name the file"):
            said(monkeypatch, capsys, folder, b"happy\n", html=[place])
    with pytest.raises(UserError, match=r"--html a b: there is one page"):
        said(monkeypatch, capsys, folder, b"happy\n", html=[Path("a"), Path("b")])
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_own_sentences_are_explained_in_utf8_whatever_the_terminal(folder):
    command = [sys.executable, "-m", "emoscope", "explain", "--model", folder, "--method", "gradient_input"]
    found = subprocess.run(
        command, input="caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{GRINNING FACE}\n".encode(), capture_output=True,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent), "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    words = [pair.rpartition(":")[0] for pair in found.stdout.decode().splitlines()[0].split("\t")[3].split()]
    assert words == ["caf\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{GRINNING FACE}"]


def test_only_a_text_longer_than_the_context_is_told_to_be_cut(monkeypatch, capsys, folder):
    for text, told in ((b"a \xe2\x80\x8b\nsad " + b"so" * 400, "line 2 is longer"), (b"i feel happy ...\n", "")):
        monkeypatch.setattr("sys.stdin", type("Input", (), {"buffer": io.BytesIO(text)}))
        filter_of.explain_lines(folder, method="gradient_input")
        said = capsys.readouterr().err
        assert told in said and said.count("longer") == bool(told)


def test_a_line_that_the_tokenizer_makes_nothing_of_is_told(monkeypatch, capsys, folder):
    nothing = lambda tokenizer, texts: [replace(one, words=[]) for one in read_texts(tokenizer, texts)]  # noqa: E731
    monkeypatch.setattr(filter_of, "read_texts", nothing)
    with pytest.raises(UserError, match="line 1: the model's tokenizer makes nothing of it"):
        said(monkeypatch, capsys, folder, b"happy\n")


def test_a_folder_that_is_no_model_to_use_is_refused(monkeypatch, capsys, folder, tmp_path):
    with pytest.raises(UserError, match=r"absent: no such model folder"):
        said(monkeypatch, capsys, tmp_path / "absent", b"happy\n")
    shutil.copytree(folder, tmp_path / "coded")
    config = json.loads((folder / "config.json").read_text()) | {"auto_map": {"AutoModel": "mine.Mine"}}
    (tmp_path / "coded" / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"coded: config.json names code to be run on loading"):
        said(monkeypatch, capsys, tmp_path / "coded", b"happy\n")


def test_how_sure_an_answer_of_several_labels_is_counts_those_that_are_not_given():
    found = np.array([[0.9, 0.8, 0.1], [0.2, 0.1, 0.3]])
    several, one = (SimpleNamespace(config=SimpleNamespace(problem_type=kind)) for kind in (SEVERAL, None))
    labels, sure = filter_of.given(several, found)
    assert labels.tolist() == [[True, True, False], [False] * 3]
    assert sure.tolist() == pytest.approx([0.9 * 0.8 * 0.9, 0.8 * 0.9 * 0.7])
    labels, sure = filter_of.given(one, found)
    assert labels.tolist() == [[True, False, False], [False, False, True]] and sure.tolist() == [0.9, 0.3]


@pytest.mark.parametrize(
    ("given", "method", "told"),
    [
        (b"", "shapley", "standard input is empty"),
        (b"a\n \n", "shapley", "line 2 is empty"),
        (b"\xff\n", "shapley", "line 1: byte 0xff is not UTF-8"),
        (b"a\n", "lime", "--method lime: no such method; choose one of integrated_padding"),
    ],
)
def test_bad_input_is_told_in_one_line(monkeypatch, capsys, folder, given, method, told):
    with pytest.raises(UserError, match=told):
        said(monkeypatch, capsys, folder, given, method=method)
