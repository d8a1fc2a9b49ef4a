"""The methods that say which words decide, and the rankings that they are held against. Light: pages read it, too."""

from typing import NamedTuple

RANDOM, PLANTED = "random", "planted"
TOLERANCE = 0.01  # of the difference that integrated scores should sum to: what is further off does not account for it
SPECIAL = -1  # instead of a word, in tables: tokens that the tokenizer adds, such as [CLS]
LONGEST = 512  # tokens of a text; attention takes memory by their square, and so do texts without one word each


class Method(NamedTuple):
    """How a method reads on pages, what kind it is, and in which part of the blocks it looks, if not at the embeddings.

    Methods of the kind `gradient` can be run on embeddings that are not quite a text's; those of the kind `attention`
    know no class and no sign.
    """

    title: str
    kind: str
    depth: float = 0.0


METHODS = {
    "integrated_padding": Method("integrated gradients, from padding", "gradient"),
    "integrated_zero": Method("integrated gradients, from zero", "gradient"),
    "integrated_mean": Method("integrated gradients, from the mean token", "gradient"),
    "integrated_quarter": Method("integrated gradients, a quarter up the blocks", "gradient", 0.25),
    "integrated_half": Method("integrated gradients, half-way up the blocks", "gradient", 0.5),
    "integrated_three_quarters": Method("integrated gradients, three quarters up the blocks", "gradient", 0.75),
    "gradient_input": Method("gradient times input", "gradient"),
    "occlusion_token": Method("occlusion of tokens, by padding", "removal"),
    "occlusion_word": Method("occlusion of words, cut out", "removal"),
    "shapley": Method("Shapley values of words, sampled", "removal"),
    "attention": Method("raw attention of the last block", "attention"),
    "rollout": Method("attention rollout", "attention"),
}
BASELINES = {"integrated_padding": "padding", "integrated_zero": "zero", "integrated_mean": "mean"}
LAYERS = {name: method.depth for name, method in METHODS.items() if method.depth}
RANKINGS = {RANDOM: "a random order", PLANTED: "the planted words first"}

# How words are taken away, and how many of those that a method puts first.
KINDS = ("cut", "resampled", "padded")
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)  # of a text's words, rounded up
BINS = (0.05, 0.1, 0.2, 0.5)  # of ERASER's, without 1 %, which is one word of a tweet just as 5 % is

TITLES = {name: method.title for name, method in METHODS.items()} | RANKINGS


def of_kind(kind: str) -> list[str]:
    """The names of the methods of one kind."""
    return [name for name, method in METHODS.items() if method.kind == kind]
