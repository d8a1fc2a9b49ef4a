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
from emoscope.models.inside.contributions import Part, contributions_of
from emoscope.models.interventions import read_out
from emoscope.models.logits import probabilities


def attribution_table(model: PreTrainedModel, run: Activations, place: int, classes: list[str]) -> pd.DataFrame:
    """Direct logit attribution: `part, block, head, class, contribution`, which add up to the logit of each class."""
    parts, contributions = contributions_of(model, run, place)
    table = pd.DataFrame(parts).join(pd.DataFrame(contributions.cpu().numpy(), columns=classes))
    return table.melt(list(Part._fields), var_name="class", value_name="contribution")


def class_lens_table(model: PreTrainedModel, run: Activations, place: int, classes: list[str]) -> pd.DataFrame:
    """The logit lens: `depth, class, logit, probability` after `depth` blocks; the last is the model's own answer."""
    logits = lens_of(model, run, place)
    tables = {"logit": logits, "probability": probabilities(model, logits)}
    columns = [
        pd.DataFrame(values.cpu().numpy(), columns=classes)
        .rename_axis("depth")
        .melt(ignore_index=False, value_name=name)
        for name, values in tables.items()
    ]
    return columns[0].rename(columns={"variable": "class"}).assign(probability=columns[1]["probability"]).reset_index()


@torch.inference_mode()
def lens_of(model: PreTrainedModel, run: Activations, place: int) -> Tensor:
    """Logits (blocks + 1, classes) that the model's last steps make of the pooled token's residual at every depth."""
    return read_out(model, run.residual[:, place])
