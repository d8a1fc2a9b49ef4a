"""What finds a known circuit, what does not, and what overlooks that two heads stand in for each other."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.planted_circuits import over_models, scored
from emoscope.models.planted.compiled import LAYOUTS
from emoscope.models.planted.texts import REMOVED
from emoscope.perturbation.inside.patching import FLIPPED_INTO_ORIGINAL, ORIGINAL_INTO_FLIPPED


@pytest.mark.parametrize("layout", LAYOUTS)
def test_methods_are_told_apart(layout):
    found = scored(layout, seed=1, texts=24, count=9).set_index("method")
    auc, redundant = found["auc"], found["redundant"]
    for direction in (FLIPPED_INTO_ORIGINAL, ORIGINAL_INTO_FLIPPED):
        for method in ("patching", "integrated gradients"):
            assert auc[f"{method}, {direction}"] >= 0.95
            assert redundant[f"{method}, {direction}"] == 1
    # what writes to another part, not to the answer, is no direct effect; and the idle parts change most of all
    assert auc["direct attribution"] < 0.8
    assert auc["change of output"] < 0.6
    # the lens knows blocks alone; parts are kept in the circuit's order, and fewer are enough only for four fifths
    assert auc["lens, by block"] < 0.8
    assert auc["circuit, order"] >= 0.95 and redundant["circuit, order"] == 1
    assert 0.8 < auc["circuit, fewest parts"] <= 1
    # one of two heads that do the same is not missed, unless it alone is there
    assert redundant["masking, zero"] == 0
    assert redundant[f"patching, {FLIPPED_INTO_ORIGINAL}, {REMOVED}"] == 0
    assert redundant[f"patching, {ORIGINAL_INTO_FLIPPED}, {REMOVED}"] == 1
    # where the sum of both is saturated, its gradient is zero
    assert redundant[f"attribution patching, {FLIPPED_INTO_ORIGINAL}, {REMOVED}"] == 0
    assert redundant[f"integrated gradients, {FLIPPED_INTO_ORIGINAL}, {REMOVED}"] == 1


def test_models_count_alike_and_have_students_interval():
    found = pd.DataFrame({"layout": "gpt2", "method": "patching", "auc": [0.8, 0.9, 1.0], "redundant": np.nan})
    found = pd.concat([found, found.assign(method="chance", auc=0.5)])
    first, second = over_models(found)
    assert (first["method"], first["auc_mean"], first["auc_low"], first["auc_high"]) == ("patching", 0.9, 0.652, 1.148)
    assert (first["auc_least"], first["auc_most"], first["redundant_mean"]) == (0.8, 1.0, None)
    assert (second["method"], second["auc_mean"], second["auc_low"]) == ("chance", 0.5, 0.5)
