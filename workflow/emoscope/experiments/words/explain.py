"""Which words of your own sentences decide: one text per line in, the score of each word for each class out."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.experiments.words.gradients import explain
from emoscope.experiments.words.measure import account_table, score_table
from emoscope.experiments.words.methods import LONGEST, METHODS, TOLERANCE, of_kind
from emoscope.experiments.words.ranking import off_by
from emoscope.experiments.words.read_texts import Reading, read_texts
from emoscope.experiments.words.removal import Reader, by_removal
from emoscope.experiments.words.summarise import completeness_error
from emoscope.experiments.words.viewer import still_texts, viewer, viewer_data
from emoscope.models.folder import check_model_folder
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import gives_several, probabilities
from emoscope.reporting.templates import TEMPLATES, fill
from emoscope.storage.decisions import decided
from emoscope.storage.files import write_text
from emoscope.storage.lines import input_lines, write_output
from emoscope.training.adopt import check_pads, settle_tokenizer
from emoscope.training.best_thresholds import EVEN

TOKENS, STEPS, ORDERS = 8192, 50, 5  # tokens in a batch, steps of integrated gradients, orders for Shapley values
ALONE = [name for name in METHODS if METHODS[name].kind != "attention" and not METHODS[name].depth]


def explain_lines(model: Path, method: str = "integrated_padding", html: list[Path] = ()) -> None:
    """Read texts, one per line, and write for each and each class, the most probable first: the number of the line, the
    class, its probability, and `word:score` for each word, with tabs between. `--html FILE` writes a page, too.

    A score says how much a word adds to the class's logit, less the mean of all logits unless a text may have several
    labels. Methods: integrated_padding, integrated_zero, integrated_mean, gradient_input, occlusion_token,
    occlusion_word, shapley.
    """
    if method not in ALONE:
        raise UserError(f"--method {method}: no such method; choose one of {', '.join(ALONE)}")
    if len(html) > 1:
        raise UserError(f"--html {' '.join(map(str, html))}: there is one page; name one file")
    if html and html[0].is_dir():
        raise UserError(f"--html {html[0]}: that is a folder; name the file that the page is to be")
    check_model_folder(model)
    texts = [line.rstrip("\r\n") for line in input_lines()]
    if not texts:
        raise UserError("standard input is empty; give one text per line")
    texts[0] = texts[0].removeprefix("\ufeff")  # a byte order mark, with which some editors begin a file
    if blank := [number for number, text in enumerate(texts, start=1) if not text.strip()]:
        raise UserError(f"standard input: line {blank[0]} is empty; write a text there, or remove the line")
    classifier, tokenizer = load_classifier(model)
    check_pads(model, classifier, tokenizer)
    settle_tokenizer(classifier, tokenizer)
    if classifier.config.pad_token_id is None:
        classifier.config.pad_token_id = tokenizer.pad_token_id
    classifier.requires_grad_(False)
    readings = read_texts(tokenizer, texts)
    for number, reading in enumerate(readings, start=1):
        if not reading.words:
            raise UserError(
                f"standard input: line {number}: the model's tokenizer makes nothing of it; remove the line"
            )
        if reading.cut:
            print(
                f"emoscope explain: line {number} is longer than the model reads, or than {LONGEST} tokens; its end is "
                "left out",
                file=sys.stderr,
            )
    logits, chosen, scores = scores_by(classifier, tokenizer, readings, method)
    classes, found = classes_of(classifier), probabilities(classifier, logits)
    for row, (reading, values) in enumerate(zip(readings, scores, strict=True)):
        for place, kind in enumerate(chosen[row]):
            pairs = (f"{reading.word(word)}:{values[word, place]:+.4f}" for word in range(len(reading.words)))
            write_output(f"{row + 1}\t{classes[kind]}\t{found[row, kind]:.4f}\t{' '.join(pairs)}\n")
    if html:
        write_text(page(readings, classes, found, chosen, scores, method, classifier), html[0])


def scores_by(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, readings: Sequence[Reading], method: str
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Logits (texts, classes), classes by probability (texts, classes), and of each text the scores of one method
    (words + 1, classes) in that order, those of special tokens last. Where integrated scores do not account for the
    answers, standard error is told."""
    reader = Reader(model, tokenizer, TOKENS)
    logits = reader.logits([reading.text for reading in readings])
    chosen = np.argsort(-logits, axis=1, kind="stable")
    if method in of_kind("gradient"):
        explained = explain(model, tokenizer, readings, chosen, [method], STEPS, TOKENS)
        sums = account_table(pd.Series(range(len(readings))), chosen, classes_of(model), explained, STEPS)
        if len(sums) and not (error := completeness_error(sums)) <= TOLERANCE:
            print(
                f"emoscope explain: the scores of {method} do not sum to the difference that they should"
                f" ({off_by(error)}); take another --method",
                file=sys.stderr,
            )
        return logits, chosen, [one.by_word(each.scores[method]) for one, each in zip(readings, explained, strict=True)]
    found = by_removal(reader, readings, method, ORDERS, seed=0)
    return logits, chosen, [values[:, order] for values, order in zip(found, chosen, strict=True)]


def page(
    readings: Sequence[Reading],
    classes: Sequence[str],
    found: np.ndarray,
    chosen: np.ndarray,
    scores: Sequence[np.ndarray],
    method: str,
    model: PreTrainedModel,
) -> str:
    """A page of its own that shows these texts as the page on words does."""
    ids = pd.Series(range(len(readings)))
    table = score_table(ids, readings, chosen, classes, {method: scores})
    said, sure = given(model, found)
    texts = [
        {
            "id": row,
            "text": reading.text,
            "said": [name for name, there in zip(classes, said[row], strict=True) if there],
            "true": None,
            "mistake": False,
            "confidence": float(sure[row]),
            "probabilities": [round(float(value), 4) for value in found[row]],
            "flips": [],
        }
        for row, reading in enumerate(readings)
    ]
    body = [viewer(viewer_data(table, texts, classes, method)), still_texts(table, texts, method)]
    script = Markup((TEMPLATES / "words_viewer.js").read_text(encoding="utf-8"))
    return fill(
        "page.html.j2",
        title="Words",
        run="",
        kind="",
        body=Markup("<h1>Which words decide</h1>\n{}\n<h2>Without a script</h2>\n{}").format(*body),
        links={},
        adopted=[],
        documents={},
        provenance={"model": str(model.name_or_path), "method": METHODS[method].title},
        script=script,
    )


def given(model: PreTrainedModel, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The labels of texts by their probabilities (texts, classes), bool: the most probable one, or all that are more
    likely than not where a text may have several; and how probable that whole answer is (texts,)."""
    if not gives_several(model):
        return decided(found, None), found.max(axis=1)
    said = decided(found, np.full(found.shape[1], EVEN))
    return said, np.where(said, found, 1 - found).prod(axis=1)
