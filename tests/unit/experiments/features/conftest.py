"""Features of a planted model, of which it is known what decides behind the block that is looked at."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from emoscope.experiments.features.flips import switch_features
from emoscope.experiments.features.measure import learn_features, save_autoencoders
from emoscope.experiments.features.moves import move_features
from emoscope.experiments.features.summarise import summarise_features
from emoscope.models.features.autoencoder import TopKAutoencoder
from emoscope.models.planted.circuit import CONSTANT, POOLED, SIGNALS, plan
from emoscope.models.planted.compiled import WIDTH, compiled, tokenizer_for
from emoscope.models.planted.texts import sentences
from planted_gender import flips

CONFIG = {
    "block": None,
    "features": 48,
    "active": 8,
    "steps": 300,
    "seeds": 2,
    "learned": 300,
    "judged": 1200,
    "seed": 1,
}
CONFIG |= {"chosen": 12, "random": 3, "doses": [-1, 1], "pairs": 300}
STATISTICS = {"confidence": 0.95, "margin": 0.02, "seed": 0, "resamples": 200}
PREDICTION = {"tokens_per_batch": 1024}  # so little that texts come in several batches, not in their order
AXES = ("gender", "race")
FEATURES = [signal for signal in SIGNALS if signal not in (CONSTANT, POOLED)]  # of `planted`
ROUNDING = 1e-4  # so much of a signal is none


@pytest.fixture(scope="session")
def found(tmp_path_factory):
    """All tables on a planted GPT-2. What is learned is judged by itself; what is moved and switched is known: a feature
    of each planted signal. Behind block 1, gender is in the answer, and classes are not yet; no text names a race."""
    folder = tmp_path_factory.mktemp("features")
    compiled(plan(1), "gpt2").save_pretrained(folder / "model")
    tokenizer_for("gpt2").save_pretrained(folder / "model")
    sentences(300, 1).assign(id=range(300)).to_parquet(folder / "train.parquet")
    sentences(1200, 2).assign(id=range(1200)).to_parquet(folder / "test.parquet")
    both = flips(300, 4), neutral_swaps(300, 5)
    pd.concat(both, ignore_index=True).to_parquet(folder / "gender.parquet")
    flips(1, 4).head(0).to_parquet(folder / "race.parquet")

    def files(*names: str) -> dict:
        return {name: folder / f"{name}.parquet" for name in names}

    def of_axes(name: str) -> list:
        return [folder / f"{axis}_{name}.parquet" for axis in AXES]

    shared = {"config": CONFIG, "prediction": PREDICTION, "model": folder / "model"}
    texts = files("train", "test")
    learn_features(**texts, **shared, weights=folder / "learned.safetensors", **files("judged", "rates"))
    save_autoencoders([planted(), planted(backwards=True)], 1, folder / "weights.safetensors")
    known = {"weights": folder / "weights.safetensors", **shared}
    move_features(**texts, **known, **files("moves", "cards", "texts"))
    for axis, switches in zip(AXES, of_axes("switches"), strict=True):
        switch_features(**known, pairs=folder / f"{axis}.parquet", switches=switches)
    summarise_features(
        **files("judged", "rates", "moves", "replaced", "effects", "doses"), axes={"axes": AXES},
        switches=of_axes("switches"), switched=of_axes("switched"), statistics=STATISTICS,
        findings=folder / "findings.csv",
    )  # fmt: skip
    names = ["judged", "rates", "moves", "cards", "texts", "replaced", "effects", "doses"]
    names += [f"{axis}_{name}" for axis in AXES for name in ("switches", "switched")]
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in names}
    return SimpleNamespace(**tables, findings=pd.read_csv(folder / "findings.csv"), folder=folder)


def planted(backwards: bool = False) -> TopKAutoencoder:
    """A feature for each signal: the two dimensions in which it stands with opposite signs."""
    autoencoder = TopKAutoencoder(WIDTH, len(FEATURES), len(FEATURES))
    rows = torch.arange(len(FEATURES))
    columns = 2 * torch.tensor([SIGNALS.index(signal) for signal in FEATURES])
    with torch.no_grad():
        autoencoder.decoder.zero_()
        autoencoder.decoder[rows, columns], autoencoder.decoder[rows, columns + 1] = 0.5**0.5, -(0.5**0.5)
        if backwards:
            autoencoder.decoder.copy_(autoencoder.decoder.flip(0))
        autoencoder.encoder.copy_(autoencoder.decoder)
        autoencoder.bias.fill_(-ROUNDING)
    return autoencoder.requires_grad_(False)


def neutral_swaps(count: int, seed: int) -> pd.DataFrame:
    """Texts about people in which words that mean nothing are exchanged for another one."""
    rows = flips(count, seed, origin="natural control")
    swapped = rows["text"].str.replace(r"\b(?:the|today|lake|home)\b", "boat", regex=True)
    rows = rows.assign(perturbed=swapped, id=rows["id"] + count)
    return rows[rows["text"] != rows["perturbed"]]
