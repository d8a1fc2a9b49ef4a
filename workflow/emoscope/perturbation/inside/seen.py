"""Pairs seen from inside: both runs of each, and the margin that it moves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm
from transformers import PreTrainedModel

from emoscope.models.activations import Activations, each_activations
from emoscope.perturbation.inside.patching import moved_classes
from emoscope.perturbation.inside.sample import Drawn

AT_ONCE = 16  # pairs whose activations are held together; their patches fill the batches


@dataclass(frozen=True)
class Seen:
    """A pair and both its runs; its margin is logit(rise) - logit(fall), which the changed text raises by `total`."""

    number: int
    pair: Drawn
    original: Activations
    flipped: Activations
    rise: int
    fall: int

    def margin(self, logits: np.ndarray) -> np.ndarray:
        """Of logits (..., classes)."""
        return logits[..., self.rise] - logits[..., self.fall]

    @property
    def ends(self) -> tuple[float, float]:
        """The margin in the original and in the flipped text."""
        return tuple(float(self.margin(run.logits.cpu().numpy())) for run in (self.original, self.flipped))

    @property
    def total(self) -> float:
        start, goal = self.ends
        return goal - start


def seen_pairs(
    model: PreTrainedModel, drawn: Sequence[Drawn], tokens_per_batch: int, doing: str
) -> Iterator[list[Seen]]:
    """The pairs with their activations, AT_ONCE at a time, numbered in their order; `doing` names the progress."""
    for start in tqdm(range(0, len(drawn), AT_ONCE), desc=doing, mininterval=2):
        some = drawn[start : start + AT_ONCE]
        texts = [text for one in some for text in (one.aligned.original, one.aligned.flipped)]
        runs = dict(each_activations(model, texts, tokens_per_batch))
        both = [(runs[2 * place], runs[2 * place + 1]) for place in range(len(some))]
        yield [
            Seen(start + place, one, *run, *moved_classes(model, *run))
            for place, (one, run) in enumerate(zip(some, both, strict=True))
        ]
