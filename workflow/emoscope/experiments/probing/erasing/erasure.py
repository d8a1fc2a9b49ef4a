"""What a classifier does, and what can be read in it, once a concept is erased: at one depth, or at several at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm
from transformers import PreTrainedModel

from emoscope.experiments.probing.concepts import enough
from emoscope.experiments.probing.erasing.erasers import Erasers, erased, fitted
from emoscope.experiments.probing.measure import examples_of_people, examples_of_texts
from emoscope.experiments.probing.names import BY_CHANCE, CLASS, HERE, LAST, METHODS, NOTHING, PLACES
from emoscope.experiments.probing.probe import probed
from emoscope.experiments.probing.states import (
    Batch,
    Located,
    batched,
    chosen_depths,
    locate,
    located,
    place_states,
    run,
)
from emoscope.models.inside.allowed import allowed, exact_checks
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import columns, probabilities, thresholds_of
from emoscope.models.parts import blocks_of
from emoscope.storage.decisions import as_column, as_matrix, decided
from emoscope.storage.files import write_table
from emoscope.storage.names import EVERYWHERE

WAY = ["method", "draw", "depth"]
ANSWER_COLUMNS = [*WAY, "text", "value", "pair", "cluster", "learned"]  # and p_{class}
PROBE_COLUMNS = [*WAY, "where", "place", "text", "cluster", "right"]
ACCURACY_COLUMNS = [*WAY, "text", "named", "right"]


@dataclass(frozen=True)
class Judged:
    """The texts of flips that erasers are fitted on and judged on, with their examples, and other texts with labels."""

    texts: list[Located]
    learned: pd.DataFrame
    others: list[Located]
    judged: pd.DataFrame
    asked: list[Located]
    labelled: pd.DataFrame

    @property
    def member(self) -> np.ndarray:
        """Of each text that is learned from, whether it names the first group, bool (texts,)."""
        return (self.learned["value"] == 0).to_numpy()


def erase_concept(
    model: Path,
    train: Path,
    test: Path,
    taught: Path,
    pairs: Path,
    exactness: Path,
    config: dict,
    prediction: dict,
    answers: Path,
    probes: Path,
    accuracy: Path,
    thresholds: list[Path] = (),
) -> None:
    """Erase which group texts name, in every way; `taught` and `pairs` are flips of training and of test texts.

    Each table has a row by `method, draw, depth`, nothing erased among them, with the depth EVERYWHERE for all at once:

    - answers: of each judged text of a flip, `text, value, pair, cluster, learned` and `p_{class}`; and with nothing
      erased, of those that are learned from, too. If the classifier may give several labels, also `pred`, those that
      reach their thresholds;
    - probes: of each, whether a probe that is learned afresh reads the group: `where, place, text, cluster, right`;
      `where` is HERE, the depth that is erased, the first of several, or LAST, behind the last block;
    - accuracy: of test texts with one label, `text, named, right`: whether they name a group, so that a flip changes
      them, and whether that label is given, and no other.

    The tables are empty where there are too few flips, or the classification head does not read one token, by
    `exactness`.
    """
    classifier, tokenizer = load_classifier(model)
    least = thresholds_of(classifier, thresholds)
    training, testing = pd.read_parquet(train), pd.read_parquet(test)
    flips = pd.read_parquet(pairs)
    learned, judged = examples_of_people(pd.read_parquet(taught), flips, training["text"], config)
    _, labelled = examples_of_texts(CLASS, training, testing, config)
    labelled = labelled.assign(named=labelled["text"].isin(set(flips["text"])))
    budget, names = prediction["tokens_per_batch"], [f"p_{name}" for name in classes_of(classifier)]
    names += ["pred"] if least is not None else []
    erasers: dict[tuple[str, int, int], Erasers] = {}
    found: dict[tuple[str, int, int], tuple[pd.DataFrame, ...]] = {}
    exact = exact_checks(exactness)
    if allowed("probing", exact) and enough(learned) and enough(judged):
        asked = [locate(classifier, tokenizer, text, [], []) for text in labelled["text"]]
        both = (*located(classifier, tokenizer, learned), *located(classifier, tokenizer, judged))
        texts = Judged(*both, asked, labelled)
        ways = [(method, draw) for method in METHODS for draw in range(config["random"] if method in BY_CHANCE else 1)]
        depths = chosen_depths(classifier, config["depths"])
        erasers = fitted(classifier, texts.texts, texts.member, depths, ways, budget, config["seed"])
        erasers = {(NOTHING, 0, EVERYWHERE): {}} | erasers
        first = {way: min(eraser, default=0) if "resumed" in exact else 0 for way, eraser in erasers.items()}
        with tqdm(total=len(erasers), desc="erased", mininterval=2) as progress:
            for depth in sorted(set(first.values())):
                kinds = texts.texts, texts.others, texts.asked
                batches = [batched(classifier, own, budget, depth) for own in kinds]
                for way in [way for way, start in first.items() if start == depth]:
                    with erased(classifier, erasers[way]):
                        found[way] = answered(classifier, texts, batches, erasers[way], least)
                    progress.update()
    for number, (path, wanted) in enumerate(
        ((answers, [*ANSWER_COLUMNS, *names]), (probes, PROBE_COLUMNS), (accuracy, ACCURACY_COLUMNS))
    ):
        parts = [found[way][number].assign(**dict(zip(WAY, way, strict=True))) for way in erasers]
        parts = parts or [pd.DataFrame(columns=wanted)]
        write_table(pd.concat(parts, ignore_index=True)[wanted], path)


def answered(
    model: PreTrainedModel,
    texts: Judged,
    batches: Sequence[Sequence[Batch]],
    erasers: Erasers,
    least: np.ndarray | None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Answers, probes and accuracy, as the model is; `least` are the thresholds of several labels."""
    read = {HERE: min(erasers, default=0), LAST: len(blocks_of(model))}
    of_texts, of_others, of_asked = batches
    states, told = place_states(model, texts.texts, of_texts, [*read.values()])
    others, logits = place_states(model, texts.others, of_others, [*read.values()])
    probes = []
    for depth, place in np.ndindex(states.shape[:2]):
        values = (table["value"].to_numpy() for table in (texts.learned, texts.judged))
        right = probed(states[depth, place], others[depth, place], *values)
        rows = texts.judged[["text", "cluster"]].assign(where=[*read][depth], place=PLACES[place], right=right)
        probes.append(rows)
    parts = [(texts.judged, logits)] if erasers else [(texts.judged, logits), (texts.learned, told)]
    answers = []
    for rows, values in parts:
        likely = probabilities(model, values)
        told = {} if least is None else {"pred": as_column(decided(likely, least))}
        told |= columns("p", classes_of(model), likely) | {"learned": rows is texts.learned}
        answers.append(rows[["text", "value", "pair", "cluster"]].assign(**told))
    given = np.empty((len(texts.asked), model.config.num_labels), dtype=np.float32)
    for batch in of_asked:
        given[batch.rows] = run(model, batch)[1].cpu().numpy()
    given = decided(probabilities(model, given), least)
    right = (given == as_matrix(texts.labelled["value"], given.shape[1])).all(axis=1)
    return pd.concat(answers), pd.concat(probes), texts.labelled[["text", "named"]].assign(right=right)
