"""The checks of a copier come out either way: found in one that copies, missed where nothing is learnt or named wrongly."""

import numpy as np
import pandas as pd
import pytest

from emoscope.reporting.passages import Findings
from emoscope.writeups.induction.ablation import ablate_heads, ablate_mlps
from emoscope.writeups.induction.checks import circuit_checks
from emoscope.writeups.induction.composition import compose_heads
from emoscope.writeups.induction.copier import train_copier
from emoscope.writeups.induction.measure import score_heads
from emoscope.writeups.induction.page import copier_box
from emoscope.writeups.induction.summarise import summarise_induction

COPIER = {"blocks": 2, "heads": 4, "width": 32, "vocabulary": 24, "context": 25, "batch_size": 32, "seed": 0}
INDUCTION = {
    **{"lengths": [8], "sequences": 16, "random_models": 1, "seed": 0, "ablated_sequences": 16, "ablated_positions": 2},
    **{"ablated_heads": [1, 2, 9], "random_heads": 4, "best_pairs": 2, "random_pairs": 8, "composed_tokens": 24},
}
STATISTICS = {"seed": 0, "resamples": 200, "confidence": 0.95}
FALL = "accuracy_without_2_beyond_random"


def taken_apart(model, folder, worst: bool = False) -> pd.DataFrame:
    """The findings of the whole write-up; `worst` exchanges the best heads for the worst once they are scored."""
    names = ("predictions", "heads", "patterns", "mlps", "silenced", "pairs")
    paths = {name: folder / f"{name}.parquet" for name in names}
    score_heads(model, 2, INDUCTION, *(paths[name] for name in names[:3]))
    if worst:
        heads = pd.read_parquet(paths["heads"])
        heads.assign(induction=1 - heads["induction"]).to_parquet(paths["heads"])
    ablate_mlps(model, 2, INDUCTION, paths["mlps"])
    ablate_heads(model, 2, paths["heads"], INDUCTION, paths["silenced"])
    compose_heads(model, 2, paths["heads"], INDUCTION, paths["pairs"])
    inputs = (paths[name] for name in ("predictions", "heads", "mlps", "silenced", "pairs"))
    summarise_induction(*inputs, STATISTICS, folder / "summaries", folder / "findings.csv")
    return pd.read_csv(folder / "findings.csv").set_index("name")


@pytest.fixture(scope="module")
def copier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copier") / "model"
    train_copier({**COPIER, "steps": 400, "learning_rate": 0.01}, folder)
    return folder


def test_a_model_that_copies_is_found_to_and_halves_may_be_short(copier, tmp_path):
    checks = circuit_checks(taken_apart(copier, tmp_path))
    assert checks["known_accuracy"] and checks["induction_score"] and checks["previous_score"] and checks[FALL], checks


def test_a_model_that_has_learnt_nothing_is_missed(tmp_path, monkeypatch):
    monkeypatch.setattr("emoscope.writeups.induction.copier.WORKS", 0)
    train_copier({**COPIER, "steps": 1, "learning_rate": 1e-9}, tmp_path / "model")
    checks = circuit_checks(taken_apart(tmp_path / "model", tmp_path))
    assert not any(checks.values())
    assert [checks[name] for name in ("known_accuracy", "induction_score", "previous_score")] == [False] * 3


def test_heads_that_are_named_wrongly_are_missed_though_accuracy_falls(copier, tmp_path):
    found = taken_apart(copier, tmp_path, worst=True)
    assert found.loc["accuracy_without_2_induction", "high"] < 0, "a copier needs most of what it has"
    assert circuit_checks(found)[FALL] is False


def findings() -> pd.DataFrame:
    numbers = {
        "known_accuracy": (0.99, 0.98, 1.0),
        **{f"{line}_score": (0.9, 0.8, 0.95) for line in ("induction", "previous")},
        **{f"random_{line}_score": (0.2, 0.1, 0.3) for line in ("induction", "previous")},
        "composition_embedding": (0.5, 0.45, 0.55),
        "composition_embedding_random": (0.1, 0.05, 0.2),
        "accuracy_without_16_induction": (-0.9, -0.95, -0.8),
        "accuracy_without_2_beyond_random": (-0.1, -0.2, 0.1),
        "accuracy_without_10_beyond_random": (-0.8, -0.9, -0.7),
    }
    return pd.DataFrame.from_dict(numbers, orient="index", columns=["value", "low", "high"])


LIMITS = {  # by check: the bound that shows it, and what it is held against
    "known_accuracy": ("low", 0.5),
    "induction_score": ("low", 0.6),
    "previous_score": ("low", 0.6),
    "composition_embedding": ("low", 0.2),
    "accuracy_without_10_beyond_random": ("high", 0.0),
}


def test_a_copier_must_show_every_part_of_the_circuit():
    checks = circuit_checks(findings())
    assert list(checks) == list(LIMITS) and all(checks.values()), "of the most heads silenced at once, by number"


@pytest.mark.parametrize("name", LIMITS)
def test_each_part_is_found_or_missed_or_cannot_be_told(name):
    bound, limit = LIMITS[name]
    for changes, verdict in (({bound: limit}, None), ({bound: np.nan}, None), ({bound: limit, "value": limit}, False)):
        found = findings()
        found.loc[name, list(changes)] = list(changes.values())
        checks = circuit_checks(found)
        assert checks.pop(name) is verdict and all(checks.values()), changes


def test_without_random_heads_or_pairs_nothing_is_held_against_them():
    found = findings()
    checks = circuit_checks(found[~found.index.str.contains("beyond|composition")])
    assert checks["accuracy_without_16_induction"] is None and "composition_embedding" not in checks


def test_the_box_says_what_was_found():
    found = findings().assign(note="So many tokens.")
    found.loc["known_accuracy", ["value", "low", "high"]] = 0.4, 0.3, 0.5
    found.loc["induction_score", "low"] = 0.5
    box = copier_box(Findings(found.rename_axis("name").reset_index()))
    verdicts = [part.partition("<")[0] for part in box.split('class="badge')[1:]]
    assert [verdict.partition(">")[2] for verdict in verdicts] == ["missed", "cannot tell", "found", "found", "found"]
    assert "accuracy falls further without induction heads than without random ones" in box
