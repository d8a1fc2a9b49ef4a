"""The masks, ablations of a block's attention or of a head: the one table, which measuring, rules and pages read.

To add a condition: its entry here, how it is done in measure.py, its name in the schema, and tests.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """One way of masking.

    title, short: its names on pages. measure: what the paper's tables show of it; the authors' code stored the first
    class's probability in every column. all_but: whether all blocks but one get it as well (the paper's table 2).
    """

    title: str
    short: str
    measure: str = "probability"
    all_but: bool = False


BLOCKS = {
    "described": Condition("weight and bias silenced (the paper's text)", "silenced", all_but=True),
    "mean": Condition("replaced by its mean", "replaced by mean"),
    "published": Condition("bias silenced (the authors' code)", "bias silenced", measure="first_class", all_but=True),
}
HEADS = {
    "zero": Condition("head silenced", "silenced"),
    "mean": Condition("head replaced by its mean", "replaced by mean"),
}
