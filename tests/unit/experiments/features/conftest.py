"""Features of a planted model, of which it is known what decides behind the block that is looked at."""

from types import SimpleNamespace

import pandas as pd
import pytest

from emoscope.experiments.features.flips import switch_features
from emoscope.experiments.features.measure import learn_features
from emoscope.experiments.features.moves import move_features
from emoscope.experiments.features.summarise import summarise_features
from emoscope.models.planted.circuit import plan
from emoscope.models.planted.compiled import compiled, tokenizer_for
from emoscope.models.planted.texts import sentences
from planted_gender import flips

CONFIG = {
    "block": None,
    "features": 32,
    "active": 6,
    "steps": 400,
    "seeds": 2,
    "learned": 300,
    "judged": 200,
    "seed": 1,
}
CONFIG |= {"chosen": 6, "random": 3, "doses": [-1, 1], "pairs": 300}
STATISTICS = {"confidence": 0.95, "margin": 0.02, "seed": 0, "resamples": 200}
PREDICTION = {"tokens_per_batch": 1024}  # so little that texts come in several batches, not in their order


@pytest.fixture(scope="session")
def found(tmp_path_factory):
    """All tables on a planted GPT-2, and its circuit; of race, there are no flips."""
    folder, circuit = tmp_path_factory.mktemp("features"), plan(1)
    compiled(circuit, "gpt2").save_pretrained(folder / "model")
    tokenizer_for("gpt2").save_pretrained(folder / "model")
    sentences(300, 1).assign(id=range(300)).to_parquet(folder / "train.parquet")
    sentences(300, 2).assign(id=range(300)).to_parquet(folder / "test.parquet")
    both = flips(300, 4), neutral_swaps(300, 5)
    pd.concat(both, ignore_index=True).to_parquet(folder / "gender.parquet")
    flips(1, 4).head(0).to_parquet(folder / "race.parquet")

    def files(*names: str) -> dict:
        return {name: folder / f"{name}.parquet" for name in names}

    shared = {"config": CONFIG, "prediction": PREDICTION}
    given = {"model": folder / "model", **files("train", "test"), "weights": folder / "weights.safetensors"}
    learn_features(**given, **shared, **files("judged", "rates"))
    move_features(**given, **shared, **files("moves", "cards", "texts"))
    switches, switched = (
        [folder / f"{axis}_{name}.parquet" for axis in ("gender", "race")] for name in ("switches", "switched")
    )
    for axis, output in zip(("gender", "race"), switches, strict=True):
        weights = {name: given[name] for name in ("model", "weights")}
        switch_features(**weights, **shared, pairs=folder / f"{axis}.parquet", switches=output)
    summarise_features(
        **files("judged", "rates", "moves", "replaced", "effects", "doses"),
        axes={"axes": ["gender", "race"]}, switches=switches, switched=switched,
        statistics=STATISTICS, findings=folder / "findings.csv",
    )  # fmt: skip
    tables = (
        "judged",
        "rates",
        "moves",
        "cards",
        "texts",
        "replaced",
        "effects",
        "doses",
        "gender_switches",
        "gender_switched",
        "race_switched",
    )
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in tables}
    return SimpleNamespace(**tables, findings=pd.read_csv(folder / "findings.csv"), circuit=circuit, folder=folder)


def neutral_swaps(count: int, seed: int) -> pd.DataFrame:
    """Texts about people in which a word that means nothing is exchanged for another one."""
    rows = flips(count, seed, origin="natural control")
    swapped = rows["text"].str.replace(r"\bthe\b|\btoday\b|\blake\b|\bhome\b", "boat", regex=True)
    rows = rows.assign(perturbed=swapped, id=rows["id"] + count)
    return rows[rows["text"] != rows["perturbed"]]
