"""Whether what the experiments read out of a model is what the model computes: checked on the loaded model.

Each check takes the same quantity by two routes that must agree, on some texts, in float32. Its error is the largest
difference between them, over the largest absolute value of what is compared (logits, for most checks), in any text and
block. It counts as exact up to LIMIT: float32 has seven digits, of which a deep model's sums lose two or three, while a
description that does not fit a model is wrong in the first or second. What needs a check that fails is refused (NEEDS);
everything else goes on.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.activations import activations_of
from emoscope.models.batches import encode
from emoscope.models.inside import routes
from emoscope.models.inside.contributions import contributions_of
from emoscope.models.inside.routes import Routes, Text, read_text
from emoscope.models.interventions import read_out
from emoscope.models.loading import load_classifier
from emoscope.storage.files import read_json, write_json

LIMIT = 1e-4  # of the largest absolute value
TEXTS = 5  # on which checks are made: the shortest, the longest, and between them
LONGEST = 512  # tokens; of a longer text the first: eager attention holds their square for every head of every block
LOOKED_AT = 200  # distinct test texts from which these are taken
WORDS = 8  # tokens on which a language model is checked

NEEDS = {  # what the experiments do, by the checks without which it would be wrong
    "head masks": ("heads",),
    "patching": ("heads", "pooled", "resumed"),
    "attribution": ("heads", "pooled", "parts"),
    "lens": ("pooled", "lens"),
    "attention": ("values", "weights", "blocking", "heads", "pooled", "resumed"),
    "probing": ("pooled",),
    "features": ("resumed",),
}
CHECKS = ("padding", "pooled", "halves", "heads", "resumed", "lens", "parts", "values", "weights", "blocking")


@dataclass(frozen=True)
class Check:
    """One check: its error, relative to the largest value, whether that is within the limit, and what went wrong if
    the model could not be checked at all (the error is then infinite)."""

    check: str
    error: float
    limit: float = LIMIT
    note: str = ""

    @property
    def exact(self) -> bool:
        return self.error <= self.limit


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


def exact_checks(file: Path) -> frozenset[str]:
    """The checks that hold, by what `check_exactness` wrote."""
    return frozenset(check["check"] for check in read_json(file)["checks"] if check["exact"])


def allowed(what: str, exact: Collection[str]) -> bool:
    """Whether nothing that an experiment needs (NEEDS) is missing."""
    return set(NEEDS[what]) <= set(exact)


def _number(error: float) -> float | None:
    return float(f"{error:.2g}") if np.isfinite(error) else None  # JSON has no infinity


def assert_usable(checks: Sequence[Check], name: str) -> None:
    """UserError if no experiment could be believed."""
    found = {check.check: check for check in checks}
    _assert_padding(found["padding"], name)
    if not (halves := found["halves"]).exact:
        raise UserError(
            f"{name}: its blocks add something else to the residual stream than what their description calls attention "
            f"and feed-forward (they differ by {halves.error:.2g} of it{_said(halves)}); mend `family` of the model in "
            "the configuration"
        )
    if not (values := found["values"]).exact and np.isfinite(values.error):
        raise UserError(
            f"{name}: what its description calls the input of the attention's projection is not what the heads put out "
            f"(they differ by {values.error:.2g} of it); mend `family` of the model in the configuration"
        )


def _assert_padding(check: Check, name: str) -> None:
    if not check.exact:
        raise UserError(
            f"{name}: its answers depend on padding (by {check.error:.2g} of the largest logit{_said(check)}), so that "
            "a text would get another answer in another batch; give a model that masks its padding"
        )


@torch.inference_mode()
def assert_padding(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: pd.Series) -> None:
    """UserError for a model whose answer to a text depends on the batch that it is in."""
    check = _checked("padding", routes.padding(model.eval(), tokenizer, chosen_texts(tokenizer, texts)))
    _assert_padding(check, model.name_or_path)


def _said(check: Check) -> str:
    return f": {check.note}" if check.note else ""


def assert_readable(model: PreTrainedModel, blocked: bool) -> None:
    """UserError unless all that the write-ups read out of a language model is what it computes, on a few tokens.

    `blocked` says whether its attention is to be blocked, which some models do not allow.
    """
    for check in language_checks(model, blocked):
        if not check.exact:
            raise UserError(
                f"{model.name_or_path}: what would be read out of this {type(model).__name__} is not what it computes "
                f"(check {check.check!r}: off by {check.error:.2g} of the largest value{_said(check)}); name another "
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
        "weights": routes.weights(model, model, text),
    }
    if blocked:
        every["blocking"] = ((routes.beside(model, ids), text.run.logits[-1:]) for ids in [tokens])
    return [_checked(name, own) for name, own in every.items()]


def chosen_texts(tokenizer: PreTrainedTokenizerBase, texts: pd.Series) -> list[str]:
    """TEXTS distinct texts: the shortest and the longest in tokens, and some evenly between them, of LOOKED_AT that lie
    evenly over all, as a corpus may be sorted; of a text longer than LONGEST its beginning.

    UserError if none of them has a token.
    """
    distinct = texts.drop_duplicates().to_numpy()
    looked_at = distinct[_evenly(len(distinct), LOOKED_AT)]
    tokens = encode(tokenizer, looked_at)["input_ids"]
    lengths = np.array(list(map(len, tokens)))
    by_length = [place for place in np.argsort(lengths, kind="stable") if lengths[place]]
    if not by_length:
        raise UserError("no text of those looked at has a token, so that nothing can be said about the model")
    chosen = [by_length[place] for place in _evenly(len(by_length), TEXTS)]
    beginning = partial(tokenizer.decode, skip_special_tokens=True)
    return [looked_at[at] if lengths[at] <= LONGEST else beginning(tokens[at][:LONGEST]) for at in chosen]


def _evenly(count: int, most: int) -> np.ndarray:
    """At most so many of the places up to `count`, evenly from the first to the last."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(int)


@torch.inference_mode()
def checks_of(
    model: PreTrainedModel, eager: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]
) -> list[Check]:
    """All checks of a classifier; `eager` is the same model with its attention computed step by step."""
    padding = _checked("padding", routes.padding(model, tokenizer, texts))
    try:
        seen = [read_text(model, tokenizer, text) for text in texts]
    except Exception as error:
        raise UserError(f"{model.name_or_path}: cannot be taken apart: {_first_line(error)}") from error
    every = {
        "pooled": lambda text: routes.pooled(model, text),
        "halves": lambda text: routes.halves(model, text),
        "heads": lambda text: routes.heads(model, text),
        "resumed": lambda text: routes.resumed(model, text),
        "lens": lambda text: [(read_out(model, text.run.residual[-1, text.place]), text.run.logits)],
        "parts": lambda text: [(contributions_of(model, text.run, text.place)[1].sum(dim=0), text.run.logits)],
        "values": lambda text: routes.values(eager, text),
        "weights": lambda text: routes.weights(model, eager, text),
        "blocking": lambda text: [routes.blocking(eager, text)],
    }
    return [padding, *(_checked(name, chain.from_iterable(map(own, seen))) for name, own in every.items())]


def _checked(name: str, pairs: Routes) -> Check:
    """The largest difference over the largest value, where the model lets it be taken; a model of a description from
    the configuration may fail in any way. That memory does not suffice says nothing of a model."""
    try:
        error = float(np.max([_difference(one, other) for one, other in pairs]))  # `max` passes over most NaNs
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:
        return Check(name, np.inf, note=_first_line(error))
    return Check(name, error if np.isfinite(error) else np.inf)


def _difference(one: Tensor, other: Tensor) -> float:
    """The largest difference over the largest value; 0 where both are nothing."""
    difference, largest = (one - other).abs().max(), other.abs().max()
    return 0.0 if difference == largest == 0 else float(difference / largest)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
