"""Features of a planted model, of which it is known what decides behind the block that is looked at."""

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from emoscope.experiments.features.measure import learn_features
from emoscope.experiments.features.moves import move_features
from emoscope.experiments.features.summarise import summarise_features
from emoscope.experiments.features.switches import switch_features
from emoscope.models.features.stored import save_autoencoders
from emoscope.models.planted.circuit import plan
from emoscope.models.planted.compiled import compiled
from emoscope.models.planted.texts import sentences
from planted_features import AXES, CONFIG, PREDICTION, STATISTICS, neutral_swaps, planted
from planted_gender import flips
from planted_model import save_planted
from random_models import write_exactness


@pytest.fixture(scope="session")
def found(made_once):
    """All tables on a planted GPT-2. What is learned is judged by itself; moved and switched are the planted signals.

    Behind block 1, gender is in the answer, and classes are not yet; no text names a race."""
    folder = made_once("features", write_tables)
    names = ["judged", "rates", "moves", "cards", "texts", "replaced", "effects", "doses"]
    names += [f"{axis}_{name}" for axis in AXES for name in ("switches", "switched")]
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}
    return SimpleNamespace(**tables, findings=pd.read_csv(folder / "findings.csv"), folder=folder)


def write_tables(folder: Path) -> None:
    folder.mkdir()
    save_planted(compiled(plan(1), "gpt2"), folder / "model")
    sentences(300, 1).assign(id=range(300)).to_parquet(folder / "train.parquet")
    sentences(900, 2).assign(id=range(900)).to_parquet(folder / "test.parquet")
    both = flips(300, 4), neutral_swaps(300, 5)
    pd.concat(both, ignore_index=True).to_parquet(folder / "gender.parquet")
    flips(1, 4).head(0).to_parquet(folder / "race.parquet")

    def files(*names: str) -> dict:
        return {name: folder / f"{name}.parquet" for name in names}

    def of_axes(name: str) -> list:
        return [folder / f"{axis}_{name}.parquet" for axis in AXES]

    shared = {"config": CONFIG, "prediction": PREDICTION, "model": folder / "model"}
    texts = files("train", "test")
    learned = {"exactness": write_exactness(folder), "weights": folder / "learned.safetensors"}
    random = {"random_weights": folder / "random_weights.safetensors"}
    learn_features(**texts, **shared, **learned, **random, **files("judged", "rates"))
    save_autoencoders([planted(), planted(backwards=True)], 1, folder / "weights.safetensors")
    known = {"weights": folder / "weights.safetensors", **shared}
    move_features(**texts, **known, **files("moves", "cards", "texts"))
    for axis, switches in zip(AXES, of_axes("switches"), strict=True):
        switch_features(**known, **random, pairs=folder / f"{axis}.parquet", switches=switches)
    summarise_features(
        **files("judged", "rates", "moves", "replaced", "effects", "doses"), axes=AXES,
        switches=of_axes("switches"), switched=of_axes("switched"), statistics=STATISTICS,
        findings=folder / "findings.csv",
    )  # fmt: skip
