"""The masks, ablations of a block's attention, of its MLP or of a head: the one table, which all others read.

To add a condition: its entry here, its name in the schema, and, if what it puts in place is new, `silence` in masks.py.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """One way of masking.

    title, short: its names on pages. part: of a block what is masked, `attention` or `mlp`. by: what is put in its
    place: nothing (`zero`), the output without the `bias`, its `mean`, or the output in other texts (`resample`).
    measure: what the paper's tables show of it; the authors' code stored the first class's probability in every column.
    """

    title: str
    short: str
    by: str
    part: str = "attention"
    measure: str = "probability"


BLOCKS = {
    "described": Condition("weight and bias silenced (the paper's text)", "silenced", by="zero"),
    "mean": Condition("replaced by its mean", "replaced by mean", by="mean"),
    "resample": Condition("replaced by that of another text", "resampled", by="resample"),
    "published": Condition("bias silenced (the authors' code)", "bias silenced", by="bias", measure="first_class"),
    "mlp_zero": Condition("MLP silenced", "MLP silenced", by="zero", part="mlp"),
    "mlp_mean": Condition("MLP replaced by its mean", "MLP replaced by mean", by="mean", part="mlp"),
    "mlp_resample": Condition("MLP replaced by that of another text", "MLP resampled", by="resample", part="mlp"),
}
HEADS = {
    "zero": Condition("head silenced", "silenced", by="zero"),
    "mean": Condition("head replaced by its mean", "replaced by mean", by="mean"),
}


def chooses_pairs(conditions: Collection[str]) -> str:
    """By which of the conditions of single heads in a run the heads are chosen that are ablated in pairs."""
    return "mean" if "mean" in conditions else "zero"
