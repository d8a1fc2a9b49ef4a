"""Induction in numbers: halves, pairs, and intervals where nothing was hit."""

import numpy as np
import pandas as pd

from emoscope.writeups.induction.summarise import halves_of, pair_findings, pairs_of

STATISTICS = {"seed": 0, "resamples": 200, "confidence": 0.95}


def test_a_half_without_any_hit_still_has_an_interval():
    numbers = np.repeat(np.arange(10), 4)
    table = pd.DataFrame({"length": 2, "sequence": numbers, "position": [1, 2, 3, 4] * 10, "log_prob": -1.0})
    halves = halves_of(table.assign(hit=[False, False, True, False] * 10), STATISTICS)
    first = halves.query("half == 'first' and measure == 'accuracy'").iloc[0]
    assert first["value"] == 0 and 0.2 < first["high"] < 0.5, "ten sequences, however many tokens"


def test_few_sequences_have_no_intervals():
    numbers = np.repeat(np.arange(4), 4)
    table = pd.DataFrame({"length": 2, "sequence": numbers, "position": [1, 2, 3, 4] * 4, "log_prob": -1.0})
    halves = halves_of(table.assign(hit=[False, False, True, False] * 4), STATISTICS)
    assert halves[["low", "high"]].isna().all(axis=None) and halves["value"].notna().all()
    assert halves.query("half == 'second' and measure == 'accuracy'")["value"].item() == 0.5


def test_findings_set_the_main_pair_beside_the_random_ones():
    key = {"previous_block": 0, "previous_head": 1, "block": 2, "head": 3, "key_head": 1, "measure": "embedding"}
    rows = [
        pd.DataFrame({"pair": pair, "kind": kind, **key, "candidates": 40, "hit": hit, "rank": [0.0, 0.5]})
        for pair, (kind, hit) in enumerate([("main", [True, True]), ("random", [True, False]), ("random", [False] * 2)])
    ]
    found = {finding.name: finding for finding in pair_findings(pairs_of(pd.concat(rows), STATISTICS))}
    assert found["composition_embedding"].value == 1
    assert found["composition_embedding_random"].value == 0.5
    assert "mean is 0.25" in found["composition_embedding_random"].note
    assert found["composition_embedding_rank"].value == 0.25
