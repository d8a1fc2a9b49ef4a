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
from emoscope.experiments.probing.states import (
    Batch,
    Located,
    TokenStates,
    batched,
    chosen_depths,
    located,
    run,
    token_states,
)
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
    exact = exact_checks(exactness)
    if allowed("probing", exact) and enough(learned) and enough(judged):
        texts, learned = located(classifier, tokenizer, learned)
        others, judged = located(classifier, tokenizer, judged)
        member, budget = (learned["value"] == 0).to_numpy(), prediction["tokens_per_batch"]
        to_first = torch.from_numpy(np.where(judged["value"] == 0, -1.0, 1.0))[:, None]
        whole = batched(classifier, texts, budget)
        trials = {EVERYWHERE: [(NOTHING, 0, 0.0, torch.zeros(1, classifier.config.hidden_size))]}
        for depth in chosen_depths(classifier, config["depths"])[:-1]:  # what follows the last is read at one token
            states = token_states(classifier, texts, whole, depth)
            ways = directions(states, member, config["random"], [config["seed"], depth])
            trials[depth] = [(*way, dose, ways[way]) for way in ways for dose in config["doses"]]
        with tqdm(total=sum(map(len, trials.values())), desc="steered", mininterval=2) as progress:
            for depth, own in trials.items():
                batches = batched(classifier, others, budget, max(depth, 0) if "resumed" in exact else 0)
                for method, draw, dose, direction in own:
                    shifts = dose * to_first * direction
                    logits = steered_logits(classifier, others, batches, shifts, max(depth, 0))
                    rows = judged[["value", "pair", "cluster"]].assign(method=method, draw=draw, depth=depth, dose=dose)
                    given = columns("p", classes_of(classifier), probabilities(classifier, logits))
                    parts.append(rows.assign(**given))
                    progress.update()
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
    model: PreTrainedModel, texts: Sequence[Located], batches: Sequence[Batch], shifts: Tensor, depth: int
) -> np.ndarray:
    """Logits (texts, classes) when each text's `shifts` (texts, width) are added to its words in what a block reads."""
    logits = np.empty((len(texts), model.config.num_labels), dtype=np.float32)
    for batch in batches:
        added = torch.zeros(*batch.inputs["input_ids"].shape, shifts.shape[1])
        for place, row in enumerate(batch.rows):
            added[place, texts[row].word] = shifts[row].to(added)
        added = added.to(model.device)
        with changing_input(blocks_of(model)[depth], lambda states: states + added):  # noqa: B023
            logits[batch.rows] = run(model, batch)[1].cpu().numpy()
    return logits
