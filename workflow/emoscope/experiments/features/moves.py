"""What a classifier does when a feature of its stream is taken away, or more of it is added.

Beside it, the stream is moved along random directions, and along that between the class's mean and the others', at the
same tokens and as far. Random ones are chosen like the features, by the same gradients and each from as many, lest
features win by being chosen; all are turned to where they raise the class. What the autoencoder does not explain stays.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.features.cards import CARDS, cards_of
from emoscope.experiments.features.choice import Chosen, amounts_of, choose, pushes
from emoscope.experiments.features.texts import learned_and_judged
from emoscope.models.batches import padded_batches
from emoscope.models.features.autoencoder import TopKAutoencoder, scaled, scales
from emoscope.models.features.feature_texts import top_texts
from emoscope.models.features.stored import load_autoencoders
from emoscope.models.features.stream import counted, gather, residual_behind, run_on
from emoscope.models.inside.integration import centred
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import probabilities, thresholds_of
from emoscope.storage.files import write_table

STEERED = 200  # test texts, for every feature, direction and dose
DOSED = 3  # random directions that doses are added along; that one acts is told by its removal, beside all of them
MOVED = ["feature", "class", "way", "draw", "dose", "text", "before", "after", "logit_before", "logit_after"]
TEXTS = ["feature", "place", "text", "start", "end", "activation"]


def move_features(
    model: Path,
    train: Path,
    test: Path,
    weights: Path,
    config: dict,
    prediction: dict,
    moves: Path,
    cards: Path,
    texts: Path,
    thresholds: list[Path] = (),
) -> None:
    """Move the stream along a few features, and describe them.

    - moves: MOVED, a row for each test text: the probability and the centred logit of the feature's class before and
      after. Without a dose, NaN, the feature is taken away, in the texts in which it is active; a dose adds so many
      times its mean activation, at every token, in STEERED texts, along DOSED random directions at most;
    - cards: CARDS, see `cards_of`;
    - texts: the test texts that activate it most, TEXTS.

    All are empty without an autoencoder.
    """
    classifier, tokenizer = load_classifier(model)
    classifier.requires_grad_(False)
    autoencoders, block = load_autoencoders(weights, classifier.device)
    if not autoencoders:
        for columns, file in ((MOVED, moves), (CARDS, cards), (TEXTS, texts)):
            write_table(pd.DataFrame(columns=columns), file)
        return
    own, budget = autoencoders[0], prediction["tokens_per_batch"]
    both = learned_and_judged(pd.read_parquet(train), pd.read_parquet(test), config)
    learned, judged = (table["text"].tolist() for table in both)
    taught, asked = (gather(classifier, tokenizer, part, block, budget) for part in (learned, judged))
    known, new = (own.encode(scaled(part.values)) for part in (taught, asked))
    least = thresholds_of(classifier, thresholds)
    values, answers = pushes(classifier, tokenizer, learned, block, own, budget, least)
    chosen = choose(own, taught, known, values, answers, config)
    parts = list(moved(classifier, tokenizer, judged, block, own, chosen, config["doses"], budget))
    names = classes_of(classifier)
    table = pd.concat(parts or [pd.DataFrame(columns=MOVED)], ignore_index=True)
    write_table(table.assign(**{"class": [names[label] for label in table["class"]]})[MOVED], moves)
    known, new = (codes[:, [one.feature for one in chosen]] for codes in (known, new))
    told = cards_of(autoencoders, chosen, (known, taught.ids), (new, asked.ids), names, config)
    write_table(pd.DataFrame(told, columns=CARDS), cards)
    top = top_texts(new, asked, tokenizer, judged).drop(columns="row")
    write_table(top.assign(feature=[chosen[place].feature for place in top["feature"]])[TEXTS], texts)


@torch.inference_mode()
def moved(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: list[str],
    block: int,
    autoencoder: TopKAutoencoder,
    chosen: list[Chosen],
    doses: list[float],
    tokens_per_batch: int,
) -> Iterator[pd.DataFrame]:
    """MOVED, with the numbers of classes, batch by batch."""
    with tqdm(total=len(texts), desc="moved", unit="text", mininterval=2) as progress:
        for rows, inputs in padded_batches(tokenizer, texts, tokens_per_batch, model.device):
            stream, kept = residual_behind(model, inputs, block), counted(model, inputs)
            amounts = torch.zeros(*kept.shape, len(autoencoder.decoder), device=stream.device)
            amounts[kept] = amounts_of(autoencoder, stream[kept])
            before, everywhere = run_on(model, inputs, block, stream), scales(stream) * kept[..., None]
            steered = torch.from_numpy(rows < STEERED).to(stream.device)
            for one in chosen:
                own = amounts[..., one.feature, None]
                active = own.amax(dim=(1, 2)) > 0
                steps = [(np.nan, active, -own)]
                steps += [(dose, steered, dose * one.usual * everywhere) for dose in doses]
                for dose, where, step in steps:
                    some = {name: values[where] for name, values in inputs.items()}
                    if not len(some["input_ids"]):
                        continue
                    said = _said(model, before[where], one.label)
                    key = {"feature": one.feature, "class": one.label, "dose": float(dose)}
                    key |= {"text": rows[where.cpu().numpy()], "before": said[0], "logit_before": said[1]}
                    after = {
                        name: _said(
                            model, run_on(model, some, block, stream[where] + step[where] * direction), one.label
                        )
                        for name, direction in one.directions.items()
                        if np.isnan(dose) or name[1] < DOSED
                    }
                    table = pd.DataFrame(key)
                    table = pd.concat([table] * len(after), ignore_index=True)
                    way, draw = (np.repeat(names, len(said[0])) for names in zip(*after, strict=True))
                    probability, logit = (np.concatenate(part) for part in zip(*after.values(), strict=True))
                    yield table.assign(way=way, draw=draw, after=probability, logit_after=logit)
            progress.update(len(rows))


def _said(model: PreTrainedModel, logits: Tensor, label: int) -> tuple[np.ndarray, np.ndarray]:
    """A class's probability and its centred logit, (texts,) each."""
    found = probabilities(model, logits), centred(model, logits)
    return tuple(values[:, label].double().cpu().numpy() for values in found)
