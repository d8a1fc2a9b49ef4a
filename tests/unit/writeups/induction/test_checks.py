"""The checks of a copier come out either way: found by this code, and missed by one that looks or names wrongly."""

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from emoscope.reporting.passages import Findings
from emoscope.writeups.induction.ablation import ablate_heads, ablate_mlps
from emoscope.writeups.induction.checks import circuit_checks, copies
from emoscope.writeups.induction.composition import compose_heads
from emoscope.writeups.induction.copier import train_copier
from emoscope.writeups.induction.measure import score_heads
from emoscope.writeups.induction.page import copier_box
from emoscope.writeups.induction.summarise import summarise_induction

BLOCKS = 3
INDUCTION = {
    **{"lengths": [8], "sequences": 16, "random_models": 1, "seed": 0, "ablated_sequences": 16, "ablated_positions": 2},
    **{"ablated_heads": [1, 4, 13], "random_heads": 4, "best_pairs": 2, "random_pairs": 8, "composed_tokens": 24},
}
STATISTICS = {"seed": 0, "resamples": 200, "confidence": 0.95}
FALL = "accuracy_without_4_beyond_random"


def taken_apart(model, folder, spoil=lambda heads: heads) -> pd.DataFrame:
    """The findings of the whole write-up, all of it after the scores of heads, which may be spoilt."""
    names = ("predictions", "heads", "patterns", "mlps", "silenced", "pairs")
    paths = {name: folder / f"{name}.parquet" for name in names}
    score_heads(model, BLOCKS, INDUCTION, *(paths[name] for name in names[:3]))
    spoil(pd.read_parquet(paths["heads"])).to_parquet(paths["heads"])
    ablate_mlps(model, BLOCKS, INDUCTION, paths["mlps"])
    ablate_heads(model, BLOCKS, paths["heads"], INDUCTION, paths["silenced"])
    compose_heads(model, BLOCKS, paths["heads"], INDUCTION, paths["pairs"])
    inputs = (paths[name] for name in ("predictions", "heads", "mlps", "silenced", "pairs"))
    summarise_induction(*inputs, STATISTICS, folder / "summaries", folder / "findings.csv")
    return pd.read_csv(folder / "findings.csv").set_index("name")


@pytest.mark.slow
def test_in_a_model_that_copies_the_circuit_is_found_though_halves_are_short(copier, tmp_path):
    found = taken_apart(copier, tmp_path)
    assert found.loc["second_accuracy", "value"] < 0.9 < found.loc["known_accuracy", "value"]
    checks = circuit_checks(found)
    assert checks["induction_score"] and checks["previous_score"] and checks[FALL], checks


def test_by_code_that_looks_at_random_weights_it_is_missed(copier, tmp_path):
    def spoil(heads: pd.DataFrame) -> pd.DataFrame:
        random = heads[heads["weights"] != "trained"]
        return pd.concat([random.assign(weights="trained"), random])

    checks = circuit_checks(taken_apart(copier, tmp_path, spoil))
    assert checks["induction_score"] is checks["previous_score"] is False


def test_by_code_that_names_other_heads_it_is_missed(copier, tmp_path):
    """Those that are neither, among which are the random ones when the names are right."""

    def spoil(heads: pd.DataFrame) -> pd.DataFrame:
        own = heads[heads["weights"] == "trained"].groupby(["block", "head"])[["induction", "previous"]].mean()
        best = {*own["induction"].nlargest(4).index, *own["previous"].nlargest(4).index}
        others = ~pd.MultiIndex.from_frame(heads[["block", "head"]]).isin(best)
        return heads.assign(induction=heads["induction"].where(~others, heads["induction"] + 1))

    found = taken_apart(copier, tmp_path, spoil)
    assert found.loc["accuracy_without_4_random", "value"] < -0.1, "there they are, among the random heads"
    assert circuit_checks(found)[FALL] is False


def test_of_a_model_that_has_not_learnt_to_copy_nothing_is_told(copier_settings, tmp_path, monkeypatch):
    monkeypatch.setattr("emoscope.writeups.induction.copier.WORKS", 0)
    train_copier({**copier_settings, "steps": 1, "learning_rate": 1e-9}, tmp_path / "model")
    found = taken_apart(tmp_path / "model", tmp_path)
    assert copies(found) is False and set(circuit_checks(found).values()) == {None}


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


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((0.99, 0.98, 1.0), "So it must have an induction circuit"),
        ((0.9, 0.4, 1.0), "Whether it copies these sequences, too, cannot be told"),
        ((0.9, np.nan, np.nan), "Whether it copies these sequences, too, cannot be told"),
        ((0.4, 0.3, 0.5), "These sequences it does not copy"),
    ],
)
def test_the_box_says_what_was_found(given, said):
    found = findings().assign(note="So many tokens.")
    found.loc["known_accuracy", ["value", "low", "high"]] = given
    found.loc["induction_score", "low"] = 0.5
    found.loc["previous_score", ["value", "low"]] = 0.5, 0.4
    box = copier_box(Findings(found.rename_axis("name").reset_index()))
    soup = BeautifulSoup(box, "html.parser")
    verdicts = [cell.get_text() for cell in soup.select(".badge")]
    told = ["cannot tell", "missed", "found", "found"]
    assert verdicts == (told if given[1] > 0.5 else ["cannot tell"] * 4) and said in " ".join(soup.get_text().split())
    assert "accuracy falls further without induction heads than without random ones" in box
