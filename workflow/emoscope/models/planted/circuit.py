"""A classifier's inside, planned: which heads and MLPs do a task, and which only look busy.

The task: a text is about the emotion of its keyword, or the opposite one if a negator stands in it; without a keyword,
the person's gender decides. A circuit for it, at places drawn by a seed:

- two `keyword` heads, each of which copies the keyword's class to the pooled token, and an MLP (`either`) for which one
  of them is enough: they stand in for each other, so that losing one changes nothing;
- a `negation` head, and an MLP (`negate`) that needs both its word and the class to answer with the opposite;
- a `gender` head, which writes to the answer itself.

All other heads and MLPs read the same words and write as much, into signals that nothing reads.

No command of the workflow runs it: benchmarks and tests ask whether a method finds what was planted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from emoscope.models.inside.nodes import Node, nodes_in
from emoscope.storage.names import NONE

BLOCKS, HEADS, HEAD_WIDTH = 4, 4, 16
CLASSES = ("sadness", "joy", "anger")
OPPOSITE = {"sadness": "joy", "joy": "sadness", "anger": "joy"}
GENDER = {"man": "anger", "woman": "sadness"}  # what the answer is where nothing but gender tells
GENDER_STRENGTH = 0.6  # of a keyword's: where there is one, it decides
WORD_KINDS = (*CLASSES, "negator", *GENDER)
JUNK = tuple(f"junk {number}" for number in range(8))
POOLED, CONSTANT = "pooled", "constant"
FOUND, SURE, ANSWER = "found {}", "sure {}", "answer {}"  # of a class: copied, once or twice; at most once; the logit
SIGNALS = (
    *(CONSTANT, POOLED, *WORD_KINDS, "negated"),
    *(signal.format(name) for signal in (FOUND, SURE, ANSWER) for name in CLASSES),
    *JUNK,
)


@dataclass(frozen=True)
class Head:
    """From the pooled token to words of these kinds, or to itself where there are none; `moves` says which signal of
    the word becomes which others of the pooled token, with what weight."""

    looks_for: tuple[str, ...]
    moves: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Neuron:
    """relu(sum of weight x signal + bias), times a weight into each signal that it writes."""

    reads: Mapping[str, float]
    writes: Mapping[str, float]
    bias: float = 0.0


@dataclass(frozen=True)
class Circuit:
    """All heads by (block, head) and all neurons by block, those of the circuit and the others; `roles` names the nodes
    that the task needs, and no others."""

    heads: Mapping[tuple[int, int], Head]
    neurons: Mapping[int, tuple[Neuron, ...]]
    roles: Mapping[Node, str]
    edges: tuple[tuple[str, str], ...] = field(default=())

    @property
    def redundant(self) -> list[Node]:
        """The heads of which either is enough."""
        return [node for node, role in self.roles.items() if role.startswith("keyword")]


EDGES = (  # between roles, the words and the answer
    *((f"keyword {name}", "either") for name in "ab"),
    *(("words", head) for head in ("keyword a", "keyword b", "negation", "gender")),
    *(("either", "negate"), ("negation", "negate"), ("negate", "answer"), ("gender", "answer")),
)


def plan(seed: int) -> Circuit:
    """A circuit whose parts lie where the seed says; a part reads only what earlier ones wrote."""
    rng = np.random.default_rng(seed)
    either = int(rng.integers(1, BLOCKS - 1))
    negate = int(rng.integers(either + 1, BLOCKS))
    blocks = {
        **dict(zip(("keyword a", "keyword b"), rng.choice(either + 1, size=2, replace=False), strict=True)),
        "negation": rng.integers(negate + 1),
        "gender": rng.integers(BLOCKS),
    }
    heads = {(block, head): _busy_head(rng) for block in range(BLOCKS) for head in range(HEADS)}
    neurons = {block: tuple(_busy_neurons(rng)) for block in range(BLOCKS)}
    roles: dict[Node, str] = {}
    for role, block in blocks.items():
        free = [head for head in range(HEADS) if ("head", int(block), head) not in roles]
        place = int(block), int(rng.choice(free))
        heads[place] = WORKING[role.split()[0]]
        roles["head", *place] = role
    for role, block in (("either", either), ("negate", negate)):
        neurons[block] = NEURONS[role]
        roles["feed_forward", block, NONE] = role
    return Circuit(heads, neurons, roles, EDGES)


def nodes() -> list[Node]:
    """Every head and feed-forward of a compiled model."""
    return nodes_in(BLOCKS, HEADS)


WORKING = {
    "keyword": Head(CLASSES, {name: {FOUND.format(name): 1.0} for name in CLASSES}),
    "negation": Head(("negator",), {"negator": {"negated": 1.0}}),
    "gender": Head(
        tuple(GENDER), {kind: {ANSWER.format(name): GENDER_STRENGTH} for kind, name in GENDER.items()}
    ),
}  # fmt: skip


def _either() -> Iterator[Neuron]:
    """min(found, 1) of every class."""
    for name in CLASSES:
        found, sure = FOUND.format(name), SURE.format(name)
        yield Neuron({found: 1.0}, {sure: 1.0})
        yield Neuron({found: 1.0}, {sure: -1.0}, bias=-1.0)


def _negate() -> Iterator[Neuron]:
    """The class itself, or, with a negator, the opposite one."""
    for name in CLASSES:
        sure, answer, opposite = SURE.format(name), ANSWER.format(name), ANSWER.format(OPPOSITE[name])
        yield Neuron({sure: 1.0}, {answer: 1.0})
        yield Neuron({sure: 1.0, "negated": 1.0}, {answer: -1.0, opposite: 1.0}, bias=-1.0)


NEURONS = {"either": tuple(_either()), "negate": tuple(_negate())}


def _busy_head(rng: np.random.Generator) -> Head:
    kinds = rng.choice(WORD_KINDS, size=3, replace=False)
    return Head(tuple(map(str, kinds)), {str(kind): _junk(rng) for kind in kinds})


def _busy_neurons(rng: np.random.Generator) -> Iterator[Neuron]:
    read = [signal for signal in SIGNALS if signal not in (CONSTANT, *JUNK)]
    for _ in range(12):
        signals = rng.choice(read, size=3, replace=False)
        yield Neuron({str(one): float(rng.normal()) for one in signals}, _junk(rng), float(rng.normal() / 2))


def _junk(rng: np.random.Generator) -> dict[str, float]:
    return {str(signal): float(rng.choice([-1, 1])) for signal in rng.choice(JUNK, size=2, replace=False)}
