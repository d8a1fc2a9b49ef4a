"""Perturbations as filters: one text per line on standard input, its counterpart per line on standard output."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from emoscope.errors import UserError
from emoscope.experiments.flips.axes import AXES
from emoscope.experiments.synonyms.replace import parse_map
from emoscope.experiments.synonyms.replace import replace as replace_words
from emoscope.perturbation.edits import Perturbation
from emoscope.storage.lines import input_lines, write_output

LEXICONS = Path(__file__).parents[2] / "data" / "lexicons"


def flip(axis: str) -> None:
    """Flip the people in each line along an axis, such as `gender` or `race`; lines that name nobody are repeated."""
    if axis not in AXES:
        raise UserError(f"--axis {axis}: no such axis; choose {' or '.join(AXES)}")
    along = AXES[axis]
    _filter(partial(along.rules.flip, lexicon=along.rules.load(LEXICONS / along.words)))


def replace(map: list[str]) -> None:
    """Replace words by lemma and part of speech, e.g. `--map know/VERB=understand life/NOUN=existence`."""
    mapping = {key: synonym for entry in map for key, synonym in parse_map(entry).items()}
    _filter(partial(replace_words, mapping=mapping))


def _filter(change: Callable[[str], Perturbation]) -> None:
    for text in input_lines():
        body = text.removesuffix("\n")
        write_output(change(body).perturbed + text[len(body) :])
