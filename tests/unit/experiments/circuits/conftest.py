"""Circuits looked for in a model in which one was planted."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from transformers import PreTrainedModel

from emoscope.experiments.circuits.measure import find_circuits
from emoscope.experiments.circuits.measure_edges import find_edges
from emoscope.experiments.circuits.orders import MASKS
from emoscope.experiments.circuits.summarise import summarise_circuits
from emoscope.experiments.circuits.summarise_edges import summarise_edges
from emoscope.models.planted.circuit import Circuit, nodes, plan
from emoscope.models.planted.compiled import compiled
from emoscope.models.planted.texts import FILLERS, pairs
from emoscope.perturbation.inside.names import FLIP
from emoscope.storage.names import WHOLE_BLOCK
from planted_model import exchanged, save_planted
from random_models import write_exactness

TABLES = ("sample", "effects", "checked", "curves")
STATISTICS = {"confidence": 0.95, "resamples": 100, "seed": 1, "margin": 0.02}
CONFIG = {"pairs": 24, "steps": 8, "checked": 6, "random_orders": 39, "seed": 1}


def flips(count: int) -> pd.DataFrame:
    """Pairs of the planted task, as a perturbation set has them."""
    return perturbed([(row.text, row.changed) for row in pairs(count, 1).itertuples()], "natural")


def swaps(count: int) -> pd.DataFrame:
    """The same texts with another word exchanged, one that means nothing."""
    texts = [row.text.split() for row in pairs(count, 1).itertuples()]
    places = [next(place for place, word in enumerate(words) if word in FILLERS) for words in texts]
    others = [
        [*words[:place], FILLERS[FILLERS.index(words[place]) - 1], *words[place + 1 :]]
        for words, place in zip(texts, places, strict=True)
    ]
    return perturbed(
        [(" ".join(one), " ".join(other)) for one, other in zip(texts, others, strict=True)], "natural control"
    )


def perturbed(texts: list[tuple[str, str]], origin: str) -> pd.DataFrame:
    rows = []
    for number, (text, changed) in enumerate(texts):
        _, spans = exchanged(text, changed)
        rows.append((number, origin, "", text, changed, text, [], spans))
    return pd.DataFrame(rows, columns=["id", "origin", "term", "text", "perturbed", "cluster", "flags", "spans"])


def masks(circuit) -> pd.DataFrame:
    """What masking would say of each head and feed-forward: those of the circuit matter."""
    rows = [
        (MASKS[site], block, head if site == "head" else WHOLE_BLOCK, float((site, block, head) in circuit.roles))
        for site, block, head in nodes()
    ]
    return pd.DataFrame(rows, columns=["condition", "block", "head", "change"])


def search(folder: Path, model: PreTrainedModel, pairs: pd.DataFrame, circuit: Circuit, axis: str) -> SimpleNamespace:
    """All tables of a search in a planted GPT-2, which stay in the folder, and the circuit."""
    folder.mkdir(exist_ok=True)
    save_planted(model, folder / "model")
    pairs.to_parquet(folder / "pairs.parquet")
    masks(circuit).to_parquet(folder / "changes.parquet")
    files = {name: folder / f"{name}.parquet" for name in TABLES}
    given = {name: folder / f"{name}.parquet" for name in ("pairs", "changes")}
    find_circuits(
        folder / "model", **given, exactness=write_exactness(folder), config=CONFIG,
        prediction={"tokens_per_batch": 4096}, **files,
    )  # fmt: skip
    made = {name: [folder / f"{name}.parquet"] for name in ("parts", "sizes")}
    lists = {name: [path] for name, path in files.items()}
    summarise_circuits(**lists, axes=[axis], statistics=STATISTICS, **made, findings=folder / "findings.csv")
    return found_in(folder, circuit)


def found_in(folder: Path, circuit: Circuit) -> SimpleNamespace:
    """The tables of a search, and the circuit."""
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in (*TABLES, "parts", "sizes")}
    tables["moved"] = tables["sample"]  # by flips, and by neutral swaps
    tables["sample"] = tables["moved"][tables["moved"]["kind"] == FLIP]
    findings = pd.read_csv(folder / "findings.csv")
    return SimpleNamespace(**tables, findings=findings, circuit=circuit, folder=folder)


@pytest.fixture(scope="session")
def look():
    return search


@pytest.fixture(scope="session")
def found(made_once):
    """What flips find in a planted GPT-2."""

    def fill(folder: Path) -> None:
        search(folder, compiled(plan(1), "gpt2"), pd.concat([flips(24), swaps(24)]), plan(1), "gender")

    return found_in(made_once("circuits", fill), plan(1))


@pytest.fixture(scope="session")
def edges(found, made_once):
    """All tables on the edges of the same model."""
    tables, summaries = (*TABLES[1:], "followed"), ("edges", "edge_sizes")

    def fill(folder: Path) -> None:
        folder.mkdir()
        files = {name: folder / f"{name}.parquet" for name in tables}
        given = {name: found.folder / f"{name}.parquet" for name in ("pairs", "changes", "sample")}
        config = CONFIG | {"random_orders": 5}
        find_edges(found.folder / "model", **given, config=config, prediction={"tokens_per_batch": 4096}, **files)
        summarise_edges(
            sample=[given["sample"]], **{name: [path] for name, path in files.items()}, axes=["gender"],
            statistics=STATISTICS, **{name: [folder / f"{name}.parquet"] for name in summaries},
            edge_findings=folder / "findings.csv",
        )  # fmt: skip

    folder = made_once("circuit_edges", fill)
    read = {name: pd.read_parquet(folder / f"{name}.parquet") for name in (*tables, *summaries)}
    return SimpleNamespace(**read, findings=pd.read_csv(folder / "findings.csv"))
