"""In which texts features are active, and where."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from emoscope.models.features.stream import TokenActivations

TOP_TEXTS = 5


def text_scores(values: Tensor, text: np.ndarray, count: int) -> np.ndarray:
    """The largest value of each column over a text's tokens: (tokens, columns) to (texts, columns), at least 0."""
    index = torch.from_numpy(text).to(values.device)[:, None].expand_as(values)
    return torch.zeros(count, values.shape[1]).to(values).scatter_reduce(0, index, values, "amax").cpu().numpy()


def top_texts(
    codes: Tensor, activations: TokenActivations, tokenizer: PreTrainedTokenizerBase, texts: list[str]
) -> pd.DataFrame:
    """The texts that activate each feature most, each once, with the characters of the token where they do."""
    offsets = tokenizer(texts, truncation=True, return_offsets_mapping=True)["offset_mapping"]
    place, feature = (index.cpu().numpy() for index in torch.nonzero(codes, as_tuple=True))
    fired = pd.DataFrame({
        "feature": feature,
        "row": activations.text[place],
        "position": activations.position[place],
        "activation": codes[place, feature].cpu().numpy(),
    })  # fmt: skip
    fired = fired.sort_values(["feature", "activation"], ascending=[True, False], kind="stable")
    top = fired.drop_duplicates(["feature", "row"]).groupby("feature").head(TOP_TEXTS).reset_index(drop=True)
    spans = [offsets[row][position] for row, position in zip(top["row"], top.pop("position"), strict=True)]
    return top.assign(
        place=top.groupby("feature").cumcount() + 1,
        text=[texts[row] for row in top["row"]],
        start=[start for start, _ in spans],
        end=[end for _, end in spans],
    )
