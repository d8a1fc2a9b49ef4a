"""Which words decide what a classifier says of some test texts, by every method; and how steady the methods are.

Scores are of logits (`gradients.answers`), of a few classes of each text: those that it has, truly or by the
classifier, and then the most probable ones. Scores of tokens are summed by word. Of more texts, each word is cut out by
itself, which is cheap enough for all classes.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.experiments.words.gradients import Explained, block_at, explain
from emoscope.experiments.words.methods import LAYERS, SPECIAL, of_kind
from emoscope.experiments.words.read_texts import Reading, read_texts
from emoscope.experiments.words.removal import Reader, by_removal, log_odds, occluded_words, parts_of
from emoscope.models.inside.allowed import exact_checks
from emoscope.models.inside.attention_maps import maps_of, rollout
from emoscope.models.loading import classes_of, load_classifier
from emoscope.models.logits import columns, prediction_table, thresholds_of
from emoscope.models.parts import blocks_of, pooled_token
from emoscope.storage.decisions import as_matrix, truth_of, without_truth
from emoscope.storage.files import write_table

NOISE = 0.02  # of each embedding's length: how far embeddings are moved to see whether scores stay
NOISY_TEXTS, NOISY_DRAWS = 10, 2


def attribute_words(
    model: Path,
    test: Path,
    exactness: Path,
    config: dict,
    seed: int,
    prediction: dict,
    scores: Path,
    texts: Path,
    accounts: Path,
    steadiness: Path,
    cuts: Path,
    thresholds: list[Path] = (),
) -> None:
    """Write `id, word, start, end, token, class` and a column of scores for each method (`word` is SPECIAL for the
    special tokens together); the explained `texts` with their predictions; of integrated methods what scores sum to and
    should sum to, `id, class, method, sum, difference`, in how many `steps`, and whether in more than configured,
    `refined`; `id, method, change` under noise; and `cuts`, see `cut_words`.

    Methods that read what is not exact in this model (`exactness`) are left out.
    """
    classifier, tokenizer = load_classifier(model)
    classifier.requires_grad_(False)  # or every step would compute gradients of weights, too
    exact, classes, budget = exact_checks(exactness), classes_of(classifier), prediction["tokens_per_batch"]
    testing = pd.read_parquet(test)
    table, more = drawn_texts(testing, config["texts"], seed), drawn_texts(testing, config["cut"], seed)
    readings = read_texts(tokenizer, table["text"].tolist())
    reader = Reader(classifier, tokenizer, budget)
    logits = reader.logits([reading.text for reading in readings])
    told = prediction_table(table, logits, classes, thresholds_of(classifier, thresholds))
    sure = as_matrix(told["pred"], len(classes)) | truth_of(table, len(classes))
    chosen = chosen_classes(logits, sure, config["classes"])

    usable, steps = usable_methods(classifier, exact), config["steps"]
    slopes = explain(classifier, tokenizer, readings, chosen, usable, steps, budget)
    removed = {name: by_removal(reader, readings, name, config["orders"], seed) for name in of_kind("removal")}
    attended = dict(attention_scores(model, readings)) if {"weights", "pooled"} <= exact else {}
    found = by_method(readings, chosen, slopes, removed, attended)
    write_table(score_table(table["id"], readings, chosen, classes, found), scores)
    write_table(table.merge(without_truth(told), on="id", validate="1:1"), texts)
    write_table(account_table(table["id"], chosen, classes, slopes, steps), accounts)
    moved = steadiness_of(classifier, tokenizer, readings, chosen, usable, slopes, steps, budget, seed)
    write_table(moved.assign(id=table["id"].to_numpy()[moved["row"]]).drop(columns="row"), steadiness)
    write_table(cut_words(reader, read_texts(tokenizer, more["text"].tolist()), more["id"], classes), cuts)


def drawn_texts(test: pd.DataFrame, count: int | None, seed: int) -> pd.DataFrame:
    """Random test texts, each once, in their order; all of them if `count` is null."""
    distinct = test.drop_duplicates("text")
    if count is None or count >= len(distinct):
        return distinct.reset_index(drop=True)
    return distinct.sample(count, random_state=seed).sort_index().reset_index(drop=True)


def chosen_classes(logits: np.ndarray, sure: np.ndarray, count: int) -> np.ndarray:
    """The numbers of the classes that are explained, (texts, chosen): those that are `sure`, bool (texts, classes),
    first, then the most probable; as many for all texts."""
    count = min(max(count, int(sure.sum(axis=1).max(initial=0))), logits.shape[1])
    order = np.lexsort([-logits, ~sure], axis=1)
    return order[:, :count]


def usable_methods(model: PreTrainedModel, exact: frozenset[str]) -> list[str]:
    """The gradient methods that this model allows: those inside need blocks, and that a run can be resumed there."""
    inside = "resumed" in exact and len(blocks_of(model)) > 1
    found = [name for name in of_kind("gradient") if inside or name not in LAYERS]
    seen = {}
    for name in found:  # in a shallow model, two depths may be one block
        seen.setdefault(block_at(model, LAYERS[name]) if name in LAYERS else name, name)
    return [*seen.values()]


def attention_scores(folder: Path, readings: Sequence[Reading]) -> Iterator[tuple[str, list[np.ndarray]]]:
    """How much of each token (tokens,) the pooled token gets, by raw attention of the last block and by rollout."""
    model, _ = load_classifier(folder, attention="eager")
    found = {"attention": [], "rollout": []}
    for reading in tqdm(readings, desc="attention", unit="text", mininterval=2):
        ids = reading.inputs["input_ids"]
        maps, place = maps_of(model, ids), pooled_token(model, torch.tensor([ids]))
        found["attention"].append(maps[-1].mean(axis=0)[place])
        found["rollout"].append(rollout(maps)[-1][place])
    yield from found.items()


def by_method(
    readings: Sequence[Reading],
    chosen: np.ndarray,
    slopes: Sequence[Explained],
    removed: Mapping[str, Sequence[np.ndarray]],
    attended: Mapping[str, Sequence[np.ndarray]],
) -> dict[str, list[np.ndarray]]:
    """By method, the scores of each text's words, (words + 1, chosen): gradients of its tokens summed, of `removed`
    words those of its chosen classes, and attention, which knows no class, the same for all."""
    told: dict[str, list[np.ndarray]] = {}
    for row, (reading, classes) in enumerate(zip(readings, chosen, strict=True)):
        found = {name: reading.by_word(values) for name, values in slopes[row].scores.items()}
        found |= {name: values[row][:, classes] for name, values in removed.items()}
        found |= {
            name: np.repeat(reading.by_word(values[row])[:, None], len(classes), axis=1)
            for name, values in attended.items()
        }
        for name, values in found.items():
            told.setdefault(name, []).append(values)
    return told


def score_table(
    ids: pd.Series,
    readings: Sequence[Reading],
    chosen: np.ndarray,
    classes: Sequence[str],
    found: Mapping[str, Sequence[np.ndarray]],
) -> pd.DataFrame:
    """One row for each word of each text and class, and one for its special tokens; scores (words + 1, chosen)."""
    parts = []
    for row, (number, reading) in enumerate(zip(ids, readings, strict=True)):
        words = [*range(len(reading.words)), SPECIAL]
        places = [*reading.words, (0, 0)]
        for place, kind in enumerate(chosen[row]):
            own = {name: values[row][:, place].astype(np.float32) for name, values in found.items()}
            starts, ends = zip(*places, strict=True)
            parts.append(
                pd.DataFrame({"id": number, "word": words, "start": starts, "end": ends, "class": classes[kind], **own})
            )
    return pd.concat(parts, ignore_index=True)


def cut_words(reader: Reader, readings: Sequence[Reading], ids: pd.Series, classes: Sequence[str]) -> pd.DataFrame:
    """Of each word of each text, in lower case, `id, word, start, end`, and `fall_{class}`: by how much the log-odds of
    that class fall when the word is cut out by itself."""
    falls = [fall for part in parts_of(readings) for fall in occluded_words(reader, part, log_odds)]
    places = [
        (number, reading.word(place).lower(), *span)
        for number, reading in zip(ids, readings, strict=True)
        for place, span in enumerate(reading.words)
    ]
    fallen = np.concatenate(falls).astype(np.float32)
    return pd.DataFrame(places, columns=["id", "word", "start", "end"]).assign(**columns("fall", list(classes), fallen))


def account_table(
    ids: pd.Series, chosen: np.ndarray, classes: Sequence[str], slopes: Sequence[Explained], steps: int
) -> pd.DataFrame:
    """What integrated scores sum to, the difference that they should account for, and whether `steps` were enough."""
    rows = [
        (number, classes[kind], name, *values[place], one.steps[name], one.steps[name] > steps)
        for number, own, one in zip(ids, chosen, slopes, strict=True)
        for name, values in one.accounts.items()
        for place, kind in enumerate(own)
    ]
    return pd.DataFrame(rows, columns=["id", "class", "method", "sum", "difference", "steps", "refined"])


def steadiness_of(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    readings: Sequence[Reading],
    chosen: np.ndarray,
    methods: Sequence[str],
    still: Sequence[Explained],
    steps: int,
    budget: int,
    seed: int,
) -> pd.DataFrame:
    """How far scores of the first class move when embeddings move a little: the largest change over some draws, by the
    length of the scores; `row, method, change`. Sensitivity of Yeh et al. (2019), "On the (in)fidelity and sensitivity
    of explanations"."""
    rows, few = {}, readings[:NOISY_TEXTS]
    for draw in range(NOISY_DRAWS):
        generator = torch.Generator().manual_seed(seed + draw)

        def moved(values: Tensor, generator: torch.Generator = generator) -> Tensor:
            step = torch.randn(values.shape, generator=generator).to(values)
            return values + NOISE * values.norm(dim=-1, keepdim=True) * step / step.norm(dim=-1, keepdim=True)

        again = explain(model, tokenizer, few, chosen[: len(few), :1], methods, steps, budget, moved)
        for row, name in ((row, name) for row in range(len(few)) for name in methods):
            before, after = still[row].scores[name][:, 0], again[row].scores[name][:, 0]
            change = np.linalg.norm(after - before) / max(np.linalg.norm(before), 1e-12)
            rows[row, name] = max(change, rows.get((row, name), 0.0))
    return pd.DataFrame([(*key, value) for key, value in rows.items()], columns=["row", "method", "change"])
