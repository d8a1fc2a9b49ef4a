"""What a classifier says when the words that name a group are moved towards the other group, further and further."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel

from emoscope.experiments.probing.concepts import enough
from emoscope.experiments.probing.measure import examples_of_people
from emoscope.experiments.probing.names import DIRECTION, NOTHING, RANDOM, WORD
from emoscope.experiments.probing.states import Located, TokenStates, chosen_depths, located, token_states
from emoscope.models.activations import one_batch
from emoscope.models.batches import token_batches
from emoscope.models.inside.allowed import allowed, exact_checks
from emoscope.models.inside.erasure import mean_difference
from emoscope.models.interventions import changing_input
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import columns, probabilities
from emoscope.models.parts import blocks_of
from emoscope.storage.files import write_table
from emoscope.storage.names import EVERYWHERE

STEERED_COLUMNS = ["method", "draw", "depth", "dose", "value", "pair", "cluster"]  # and p_{class}


def steer_concept(
    model: Path,
    train: Path,
    taught: Path,
    pairs: Path,
    exactness: Path,
    config: dict,
    prediction: dict,
    steered: Path,
) -> None:
    """Write `method, draw, depth, dose, value, pair, cluster` and `p_{class}` of each judged text of a flip, as it is
    and with the words that name its group moved; empty where nothing is erased, see `erase_concept`.

    A dose of 1 moves them, in the states that a block reads, by the difference between the groups' means there, learned
    from training texts, towards the other group; a random direction has the same length.
    """
    classifier, tokenizer = load_classifier(model)
    training = pd.read_parquet(train, columns=["text"])["text"]
    learned, judged = examples_of_people(pd.read_parquet(taught), pd.read_parquet(pairs), training, config)
    wanted = [*STEERED_COLUMNS, *(f"p_{name}" for name in classes_of(classifier))]
    parts: list[pd.DataFrame] = []
    if allowed("probing", exact_checks(exactness)) and enough(learned) and enough(judged):
        texts, learned = located(classifier, tokenizer, learned)
        others, judged = located(classifier, tokenizer, judged)
        member, budget = (learned["value"] == 0).to_numpy(), prediction["tokens_per_batch"]
        to_first = torch.from_numpy(np.where(judged["value"] == 0, -1.0, 1.0))[:, None]
        trials = [(NOTHING, 0, EVERYWHERE, 0.0, torch.zeros(1, classifier.config.hidden_size))]
        for depth in chosen_depths(classifier, config["depths"])[:-1]:  # what follows the last is read at one token
            states = token_states(classifier, texts, depth, budget)
            for way, direction in directions(states, member, config["random"], [config["seed"], depth]).items():
                trials += [(*way, depth, dose, direction) for dose in config["doses"]]
        for *way, depth, dose, direction in tqdm(trials, desc="steered", mininterval=2):
            logits = steered_logits(classifier, others, dose * to_first * direction, max(depth, 0), budget)
            rows = judged[["value", "pair", "cluster"]].assign(method=way[0], draw=way[1], depth=depth, dose=dose)
            parts.append(rows.assign(**columns("p", classes_of(classifier), probabilities(classifier, logits))))
    write_table(pd.concat(parts or [pd.DataFrame(columns=wanted)], ignore_index=True)[wanted], steered)


def directions(
    states: TokenStates, member: np.ndarray, draws: int, seed: Sequence[int]
) -> dict[tuple[str, int], Tensor]:
    """By method and draw, (1, width): from the mean of the second group's words to that of the first's, the members',
    and random directions as long."""
    inside, word = (torch.from_numpy(which) for which in (member[states.text], states.place == WORD))
    found = mean_difference(states.values[word], inside[word]).cpu()
    ways = {(DIRECTION, 0): found}
    for draw in range(draws):
        drawn = torch.from_numpy(np.random.default_rng([*seed, draw]).standard_normal(found.shape)).to(found)
        ways[RANDOM, draw] = drawn / drawn.norm() * found.norm()
    return ways


def steered_logits(
    model: PreTrainedModel, texts: Sequence[Located], shifts: Tensor, depth: int, tokens_per_batch: int
) -> np.ndarray:
    """Logits (texts, classes) when each text's `shifts` (texts, width) are added to its words in what a block reads."""
    logits = np.empty((len(texts), model.config.num_labels), dtype=np.float32)
    lengths = [text.inputs["input_ids"].shape[1] for text in texts]
    for rows in token_batches(lengths, tokens_per_batch):
        added = torch.zeros(len(rows), lengths[rows[0]], shifts.shape[1])
        for place, row in enumerate(rows):
            added[place, texts[row].word] = shifts[row].to(added)
        added = added.to(model.device)
        inputs = one_batch(model, [texts[row].inputs for row in rows])
        with torch.inference_mode(), changing_input(blocks_of(model)[depth], lambda states: states + added):  # noqa: B023
            logits[rows] = model(**inputs).logits.cpu().numpy()
    return logits
