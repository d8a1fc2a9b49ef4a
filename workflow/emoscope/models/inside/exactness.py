"""Whether what the experiments read out of a model is what the model computes: checked on the loaded model.

Each check takes the same quantity by two routes that must agree, on some texts, in float32. Its error is the largest
difference between them, over the largest absolute value of what is compared (logits, for most checks), in any text and
block. It counts as exact up to LIMIT: float32 has seven digits, of which a deep model's sums lose two or three, while a
description that does not fit a model is wrong in the first or second. What needs a check that fails is refused;
everything else goes on (`allowed`).
"""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.activations import activations_of
from emoscope.models.inside import routes
from emoscope.models.inside.allowed import NEEDS
from emoscope.models.inside.contributions import contributions_of
from emoscope.models.inside.padding import Check, checked, chosen_texts, first_line, judge_padding, padding_check, said
from emoscope.models.inside.routes import Text, read_text
from emoscope.models.interventions import read_out
from emoscope.models.loading import load_classifier
from emoscope.storage.files import write_json

WORDS = 8  # tokens on which a language model is checked


def check_exactness(model: Path, test: Path, output: Path) -> None:
    """Check a classifier on some of its test texts and write what holds and what is refused: `checks`, each with
    `check, error, limit, exact, note`, and `refused`, by what is refused the checks that fail.

    UserError if nothing could be believed: answers that depend on padding, or blocks that add other things to the
    residual stream than their description says.
    """
    classifier, tokenizer = load_classifier(model)
    eager, _ = load_classifier(model, attention="eager")
    texts = chosen_texts(tokenizer, pd.read_parquet(test, columns=["text"])["text"])
    checks = checks_of(classifier, eager, tokenizer, texts)
    assert_usable(checks, str(model))
    write_json(record(checks), output)


def record(checks: Sequence[Check]) -> dict:
    """What `check_exactness` writes."""
    found = [{**asdict(check), "error": _number(check.error), "exact": check.exact} for check in checks]
    failed = {check.check for check in checks if not check.exact}
    refused = {what: [need for need in needs if need in failed] for what, needs in NEEDS.items()}
    return {"checks": found, "refused": {what: why for what, why in refused.items() if why}}


def _number(error: float) -> float | None:
    return float(f"{error:.2g}") if np.isfinite(error) else None  # JSON has no infinity


def assert_usable(checks: Sequence[Check], name: str) -> None:
    """UserError if no experiment could be believed."""
    found = {check.check: check for check in checks}
    judge_padding(found["padding"], name)
    if not (halves := found["halves"]).exact:
        raise UserError(
            f"{name}: its blocks add something else to the residual stream than what their description calls attention "
            f"and feed-forward (they differ by {halves.error:.2g} of it{said(halves)}); fix `family` of the model in "
            "the configuration"
        )
    if not (values := found["values"]).exact and np.isfinite(values.error):
        raise UserError(
            f"{name}: what its description calls the input of the attention's projection is not what the heads put out "
            f"(they differ by {values.error:.2g} of it); fix `family` of the model in the configuration"
        )
    if not (resumed := found["resumed"]).exact and resumed.note:  # it raised, as masks would, which skip blocks, too
        raise UserError(
            f"{name}: its blocks cannot be skipped{said(resumed)}; say in `family` of the model in the configuration "
            "whether they return a tuple (`returns_tuple`)"
        )


def assert_readable(model: PreTrainedModel, blocked: bool) -> None:
    """UserError unless all that the write-ups read out of a language model is what it computes, on a few tokens.

    `blocked` says whether its attention is to be blocked, which some models do not allow.
    """
    for check in language_checks(model, blocked):
        if not check.exact:
            raise UserError(
                f"{model.name_or_path}: what would be read out of this {type(model).__name__} is not what it computes "
                f"(check {check.check!r}: off by {check.error:.2g} of the largest value{said(check)}); name another "
                "model under `companions`"
            )


@torch.inference_mode()
def language_checks(model: PreTrainedModel, blocked: bool) -> list[Check]:
    """All checks of a language model, whose attention has to be computed step by step; the last if it is `blocked`."""
    tokens = torch.arange(WORDS, device=model.device)[None] + model.config.vocab_size // 2
    inputs = {"input_ids": tokens}
    text = Text(inputs, WORDS - 1, activations_of(model, inputs))
    every = {
        "halves": routes.halves(model, text),
        "heads": routes.heads(model, text),
        "resumed": routes.resumed(model, text),
        "lens": iter([(read_out(model, text.run.residual[-1]), text.run.logits)]),
        "values": routes.values(model, text),
        "weights": routes.weights(model, text),
    }
    if blocked:
        every["blocking"] = ((routes.beside(model, ids), text.run.logits[-1:]) for ids in [tokens])
    return [checked(name, own) for name, own in every.items()]


@torch.inference_mode()
def checks_of(
    model: PreTrainedModel, eager: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]
) -> list[Check]:
    """All checks of a classifier; `eager` is the same model with its attention computed step by step."""
    padding = padding_check(model, tokenizer, texts)
    try:
        seen = [read_text(model, tokenizer, text) for text in texts]
    except Exception as error:
        raise UserError(f"{model.name_or_path}: cannot be taken apart: {first_line(error)}") from error
    every = {
        "pooled": lambda text: routes.pooled(model, text),
        "halves": lambda text: routes.halves(model, text),
        "heads": lambda text: routes.heads(model, text),
        "resumed": lambda text: routes.resumed(model, text),
        "lens": lambda text: [(read_out(model, text.run.residual[-1, text.place]), text.run.logits)],
        "parts": lambda text: [(contributions_of(model, text.run, text.place)[1].sum(dim=0), text.run.logits)],
        "values": lambda text: routes.values(eager, text),
        "weights": lambda text: routes.weights(eager, text),
        "blocking": lambda text: [routes.blocking(eager, text)],
    }
    return [padding, *(checked(name, chain.from_iterable(map(own, seen))) for name, own in every.items())]
