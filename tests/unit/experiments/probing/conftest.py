"""Probes, erasure and steering in a model that is known to use gender where no keyword decides."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from emoscope.experiments.probing.erasing.erasure import erase_concept
from emoscope.experiments.probing.measure import read_concepts
from emoscope.experiments.probing.steering import steer_concept
from emoscope.experiments.probing.summarise import summarise_probing
from emoscope.models.planted.circuit import plan
from emoscope.models.planted.compiled import compiled
from emoscope.models.planted.texts import sentences
from emoscope.perturbation.scored_pairs import score_perturbation
from planted_gender import CONFIG, flips, mentions, swaps_of
from planted_model import save_planted
from random_models import write_exactness

STATISTICS = {"confidence": 0.95, "margin": 0.02}
PREDICTION = {"tokens_per_batch": 1024}  # so little that texts come in several batches, not in their order


@pytest.fixture(scope="session")
def found(made_once):
    """All tables on a planted GPT-2, and its circuit; of race, there is a single flip."""
    folder = made_once("probing", write_tables)
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("readings", "texts", "depths")}
    of_gender = ("answers", "probes", "accuracy", "steered", "erased", "doses")
    tables |= {name: pd.read_parquet(folder / f"gender_{name}.parquet") for name in of_gender}
    return SimpleNamespace(**tables, findings=pd.read_csv(folder / "findings.csv"), circuit=plan(1), folder=folder)


def write_tables(folder: Path) -> None:
    folder.mkdir()
    save_planted(compiled(plan(1), "gpt2"), folder / "model")
    sentences(300, 1).assign(id=range(300)).to_parquet(folder / "train.parquet")
    test = sentences(700, 2).assign(id=range(700))
    test.to_parquet(folder / "test.parquet")
    for name, count, seed in (("taught", 60, 3), ("pairs", 45, 4)):
        flips(count, seed).to_parquet(folder / f"{name}.parquet")
        flips(1, seed).assign(axis="race").to_parquet(folder / f"race_{name}.parquet")
    own = pd.read_parquet(folder / "pairs.parquet")
    both = own, swaps_of(own), mentions(test["text"]).assign(id=lambda rows: range(1000, 1000 + len(rows)))
    pd.concat(both, ignore_index=True).to_parquet(folder / "pairs.parquet")

    def files(*names: str) -> dict:
        return {name: folder / f"{name}.parquet" for name in names}

    def of_axes(*names: str) -> dict:
        return {name: [folder / f"{axis}_{name}.parquet" for axis in ("gender", "race")] for name in names}

    axes = ["gender", "race"]
    given = {name: [folder / f"{name}.parquet", folder / f"race_{name}.parquet"] for name in ("taught", "pairs")}
    shared = {"exactness": write_exactness(folder), "config": CONFIG, "prediction": PREDICTION}
    read_concepts(
        folder / "model", **files("train", "test"), **given, axes=axes, **shared, **files("readings", "texts")
    )  # fmt: skip
    made = of_axes("answers", "probes", "accuracy", "steered")
    for number in range(2):
        one = {name: paths[number] for name, paths in (given | made).items()}
        steered = one.pop("steered")
        shared |= {"train": folder / "train.parquet"}
        erase_concept(folder / "model", **shared, test=folder / "test.parquet", **one)
        both = {name: one[name] for name in ("taught", "pairs")}
        steer_concept(folder / "model", **shared, **both, steered=steered)
    scored = {"pairs": given["pairs"], **of_axes("scores")}
    for paths in zip(*scored.values(), strict=True):
        score_perturbation(folder / "model", paths[0], "1-of-1", PREDICTION, paths[1])
    summarise_probing(
        **files("readings", "depths"), axes=axes, **made, **scored, **of_axes("erased", "doses"),
        statistics=STATISTICS, findings=folder / "findings.csv",
    )  # fmt: skip
