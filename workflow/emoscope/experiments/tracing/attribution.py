"""Direct logit attribution (what each part writes towards each class) and the logit lens (the answer after each block).

Direct logit attribution splits the pooled token's last residual into what the embedding, every head and every
feed-forward wrote there, and sends each part through the final norm and the classification head. It shows direct
effects only: what a head tells later blocks counts for those.
"""

import pandas as pd
import torch
from torch import Tensor
from transformers import PreTrainedModel

from emoscope.models.activations import Activations
from emoscope.models.inside.contributions import contributions_of
from emoscope.models.interventions import read_out
from emoscope.models.logits import probabilities


def attribution_table(model: PreTrainedModel, run: Activations, place: int, classes: list[str]) -> pd.DataFrame:
    """Direct logit attribution: `part, block, head, class, contribution`, which add up to the logit of each class."""
    parts, contributions = contributions_of(model, run, place)
    return _by_class(pd.DataFrame(parts), {"contribution": contributions}, classes)


def class_lens_table(model: PreTrainedModel, run: Activations, place: int, classes: list[str]) -> pd.DataFrame:
    """The logit lens: `depth, class, logit, probability` after `depth` blocks; the last is the model's own answer."""
    logits = lens_of(model, run, place)
    values = {"logit": logits, "probability": probabilities(model, logits)}
    return _by_class(pd.DataFrame({"depth": range(len(logits))}), values, classes)


def _by_class(rows: pd.DataFrame, values: dict[str, Tensor], classes: list[str]) -> pd.DataFrame:
    """The `rows` once for each class, with its column of each of `values` (rows, classes)."""
    held = {name: found.cpu().numpy() for name, found in values.items()}
    parts = [
        rows.assign(**{"class": label, **{name: found[:, number] for name, found in held.items()}})
        for number, label in enumerate(classes)
    ]
    return pd.concat(parts, ignore_index=True)


@torch.inference_mode()
def lens_of(model: PreTrainedModel, run: Activations, place: int) -> Tensor:
    """Logits (blocks + 1, classes) that the model's last steps make of the pooled token's residual at every depth."""
    return read_out(model, run.residual[:, place])
