"""A pair of texts to trace, what differs between them, and what tracing it needs."""

from collections import namedtuple

from emoscope.models.parts import pooled_token
from emoscope.perturbation.inside.alignment import align
from emoscope.perturbation.inside.names import FLIP
from emoscope.perturbation.inside.sample import Drawn, places_of

TEXT, FLIPPED = "he said that she was afraid of her dog", "she said that he was afraid of his dog"
SPANS = [(0, 2, 0, 3), (13, 16, 14, 16), (31, 34, 31, 34)]
BUDGET = 200  # tokens in a batch: few, so that patches of a block fill several
# both words are one token of the tests' tokenizer
SHORT = ("i love the dog so", "i love the end so", [(11, 14, 11, 14)])
LONG = (
    "i am so angry at the dog and the dark house",
    "i am so angry at the end and the dark house",
    [(21, 24, 21, 24)],
)
Pair = namedtuple("Pair", "id origin cluster text perturbed spans")


def drawn(model, tokenizer, text, perturbed, spans, number=0, kind=FLIP) -> Drawn:
    """A pair as `draw` gives it, whether or not its texts correspond token for token."""
    aligned = align(tokenizer, text, perturbed, spans)
    places = places_of(aligned.units, pooled_token(model, aligned.original["input_ids"]))
    return Drawn(kind, Pair(number, "natural", text, text, perturbed, spans), aligned, places)
