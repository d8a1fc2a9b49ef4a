"""At which depth, and where in a text, a linear probe reads the class, the people's gender and race, and negation."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.probing.concepts import OF_TEXTS, enough, people_examples, unseen
from emoscope.experiments.probing.controls import dealt
from emoscope.experiments.probing.names import PLACES
from emoscope.experiments.probing.probe import cheapest, probed
from emoscope.experiments.probing.states import batched, located, place_states
from emoscope.models.inside.allowed import allowed, exact_checks
from emoscope.models.loading import load_classifier
from emoscope.storage.files import write_table
from emoscope.storage.names import NONE

READ_COLUMNS = ["concept", "place", "depth", "cluster", "right", "controls"]
TEXT_COLUMNS = ["concept", "values", "learned", "judged", "clusters", "probed"]
Examples = tuple[pd.DataFrame, pd.DataFrame]  # that are learned from, and on which is judged


def read_concepts(
    model: Path,
    train: Path,
    test: Path,
    taught: list[Path],
    pairs: list[Path],
    exactness: Path,
    axes: list[str],
    config: dict,
    prediction: dict,
    readings: Path,
    texts: Path,
) -> None:
    """Write what probes read; `taught` and `pairs`, flips of training and of test texts, are in the order of `axes`.

    - readings: `concept, place, depth, cluster, right, controls`, a row for each judged text, of one concept in one
      order; `controls` says of each draw of control labels whether that is read. What reads without the model stands as
      `place` at the depth NONE and has no controls;
    - texts: `concept, values, learned, judged, clusters, probed`: how many there are, and whether they are enough.

    Both are empty where the classification head does not read one token, by `exactness`.
    """
    classifier, tokenizer = load_classifier(model)
    training, testing = pd.read_parquet(train), pd.read_parquet(test)
    concepts: dict[str, Examples] = {}
    if allowed("probing", exact_checks(exactness)):
        concepts |= {name: examples_of_texts(name, training, testing, config) for name in OF_TEXTS}
        for axis, *both in zip(axes, taught, pairs, strict=True):
            concepts[axis] = examples_of_people(*map(pd.read_parquet, both), training["text"], config)
    parts, told = [], []
    for concept, (learned, judged) in concepts.items():
        probing = enough(learned) and enough(judged)
        counts = len(learned), len(judged), judged["cluster"].nunique()
        told.append((concept, learned["value"].nunique(), *counts, probing))
        if probing:
            found = readings_of(classifier, tokenizer, learned, judged, config, prediction["tokens_per_batch"])
            parts += [part.assign(concept=concept) for part in found]
    write_table(pd.concat(parts or [pd.DataFrame(columns=READ_COLUMNS)], ignore_index=True)[READ_COLUMNS], readings)
    write_table(pd.DataFrame(told, columns=TEXT_COLUMNS), texts)


def examples_of_texts(concept: str, training: pd.DataFrame, testing: pd.DataFrame, config: dict) -> Examples:
    """Training texts, and test texts that are none."""
    judged = unseen(testing, training["text"])
    both = ((training, "learned"), (judged, "judged"))
    return tuple(OF_TEXTS[concept](table, config[part], config["seed"]) for table, part in both)


def examples_of_people(taught: pd.DataFrame, pairs: pd.DataFrame, training: pd.Series, config: dict) -> Examples:
    """Flips of training texts, and those of test texts and templates that share no text with them."""
    judged = unseen(pairs, pd.concat([training, taught["perturbed"]]))
    return tuple(
        people_examples(table, config[part], config["seed"])
        for table, part in ((taught, "learned"), (judged, "judged"))
    )


def readings_of(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    learned: pd.DataFrame,
    judged: pd.DataFrame,
    config: dict,
    tokens_per_batch: int,
) -> Iterator[pd.DataFrame]:
    """Of one concept, for every place and depth, `place, depth, cluster, right, controls`; then the cheapest ones."""
    texts, learned = located(model, tokenizer, learned)
    others, judged = located(model, tokenizer, judged)
    states, asked = (place_states(model, own, batched(model, own, tokens_per_batch))[0] for own in (texts, others))
    labels = [tuple(table["value"].to_numpy() for table in (learned, judged))]
    labels += dealt(learned, judged, config["controls"], config["seed"])
    for depth, place in tqdm([*np.ndindex(states.shape[:2])], desc="probes", mininterval=2):
        if not np.isnan(states[depth, place]).any():  # some texts have no word that says the concept
            read = [probed(states[depth, place], asked[depth, place], *both) for both in labels]
            yield _rows(judged, PLACES[place], depth, *read)
    for name, right in cheapest(learned, judged):
        yield _rows(judged, name, NONE, right)


def _rows(judged: pd.DataFrame, place: str, depth: int, right: np.ndarray, *controls: np.ndarray) -> pd.DataFrame:
    columns = {"place": place, "depth": depth, "cluster": judged["cluster"], "right": right}
    read = np.array(controls, dtype=bool).reshape(len(controls), len(judged))
    return pd.DataFrame(columns).assign(controls=[*read.T])
