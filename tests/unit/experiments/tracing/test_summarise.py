"""The quotable numbers of flips from inside."""

import numpy as np
import pandas as pd
import pytest

from emoscope.experiments.tracing.profiles import concentration_table, dimension_table, profiles_of
from emoscope.experiments.tracing.summarise import PAPER_WIDTH, dimension_findings, path_findings, summarise_tracing
from emoscope.reporting.findings import read_findings
from emoscope.statistics.settings import resampling
from emoscope.storage.names import NONE
from emoscope.verdicts.claims.judge import judge

STATISTICS = {"confidence": 0.95, "resamples": 200, "seed": 0, "margin": 0.02}


def changes(width, planted=(), flips=10):
    rng = np.random.default_rng(0)
    values = np.vstack([rng.chisquare(4, size=(flips + 10, width)) / 4, np.ones(width)])
    values[:flips, list(planted)] *= 50
    table = pd.DataFrame(values).rename(columns=str)
    table.insert(0, "kind", ["flip"] * flips + ["neutral"] * 10 + ["spread"])
    table.insert(1, "words", "w")
    table.insert(2, "changes", 1)
    return table


def found_in(width, planted=(), flips=10):
    profiles = profiles_of(changes(width, planted, flips))
    options = resampling(STATISTICS)
    tables = (*dimension_table(profiles, options), concentration_table(profiles, options))
    return {one.name: one for one in dimension_findings("gender", profiles, *tables, options)}


def test_the_papers_places_are_findings_at_its_width_only():
    assert not [name for name in found_in(96) if "around" in name]
    found = found_in(PAPER_WIDTH, planted=[375, 385])
    assert found["gender.dimensions.around_380.rank"].value <= 2
    assert found["gender.dimensions.around_380.rank"].beyond < 0.1
    assert found["gender.dimensions.around_620.rank"].value > 2
    assert found["gender.dimensions.around_380.difference"].low > 0
    assert found["gender.dimensions.around_620.difference"].low < 0.01
    assert "2 of 21 stand out" in found["gender.dimensions.around_380.rank"].note


def test_the_papers_places_end_ten_dimensions_away():
    inside, outside = found_in(PAPER_WIDTH, planted=[370, 390]), found_in(PAPER_WIDTH, planted=[369, 391])
    assert inside["gender.dimensions.around_380.rank"].value <= 2 < outside["gender.dimensions.around_380.rank"].value


def test_numbers_of_dimensions_beyond_neutral_swaps():
    found = found_in(96, planted=[5, 6, 7])
    assert found["gender.dimensions.standing_out.flip"].value == 3
    assert found["gender.dimensions.standing_out.flip"].beyond < 0.05
    assert found["gender.dimensions.standing_out.neutral"].value == 0
    assert found["gender.dimensions.held_out.difference"].low > 0


def test_a_claim_is_not_reproduced_by_two_word_pairs():
    claim = {"judge": "effect", "tolerance": 0.0}
    for flips, verdict in ((10, "reproduced"), (2, "underpowered")):
        found = found_in(96, planted=[5, 6, 7], flips=flips)["gender.dimensions.held_out.difference"]
        assert found.value > 0.1 and judge(claim, found, [], 0.02, 0.05)[0] == verdict


def tables(folder):
    """Two axes: on the first, flips have 0.8 of their difference at the changed words, neutral swaps 0.2."""
    files = {}
    for axis, share in (("gender", 0.8), ("race", 0.3)):
        averaged = pd.DataFrame({
            "pair": range(24), "kind": ["flip"] * 12 + ["neutral"] * 12, "id": range(24), "origin": "natural",
            "cluster": list(map(str, range(24))), "total": [2.0] * 12 + [0.5] * 12,
        })  # fmt: skip
        rows = []
        for row in averaged.itertuples():
            own = share if row.kind == "flip" else 0.2
            for way in ("flipped into original", "original into flipped"):
                rows.append((row.pair, "patching", way, "residual", "changed", 1, NONE, own * row.total))
            for head in range(3):
                effect = (0.5 if head == 2 else 0.0) * row.total
                rows.append((row.pair, "patching", "flipped into original", "head", "", 4, head, effect))
            rows.append((row.pair, "lens", "", "", "", 3, NONE, own * row.total))
        names = ["pair", "measure", "direction", "site", "place", "block", "head", "effect"]
        effects = pd.DataFrame(rows, columns=names)
        for name, table in (("averaged", averaged), ("effects", effects), ("changes", changes(48))):
            files.setdefault(name, []).append(folder / f"{axis}_{name}.parquet")
            table.to_parquet(files[name][-1])
    return files


def test_findings_name_the_axis_the_kind_and_the_place(tmp_path):
    files = tables(tmp_path)
    made = {
        name: [tmp_path / f"{axis}_{name}.parquet" for axis in ("gender", "race")]
        for name in ("shares", "dimensions", "counts", "concentration")
    }
    axes = ["gender", "race"]
    summarise_tracing(**files, axes=axes, statistics=STATISTICS, **made, findings=tmp_path / "findings.csv")
    found = read_findings(tmp_path / "findings.csv")
    assert found["gender.flip.margin"].value == 2 and found["gender.neutral.margin"].value == 0.5
    assert found["gender.flip.residual.changed.1"].value == pytest.approx(0.8)
    assert found["race.flip.residual.changed.1"].value == pytest.approx(0.3), "each axis has its own files"
    assert found["gender.difference.lens.3"].value == pytest.approx(0.6)
    assert (
        found["gender.flip.head"].value == pytest.approx(0.5) and "Head 2 of block 4" in found["gender.flip.head"].note
    )
    assert pd.read_parquet(made["shares"][1])["value"].max() == pytest.approx(0.5)


def test_without_a_pair_there_is_no_finding():
    averaged = pd.DataFrame(columns=["pair", "kind", "id", "cluster", "total"])
    shares = pd.DataFrame(columns=["measure", "direction", "site", "place", "block", "head", "kind", "value"])
    assert list(path_findings("race", averaged, shares, STATISTICS)) == []


def test_pairs_of_one_text_are_one_observation_of_how_far_the_margin_moves():
    totals = np.random.default_rng(0).random(10)
    shares = pd.DataFrame(columns=["measure", "direction", "site", "place", "block", "head", "kind", "value"])

    def margin(copies: int):
        numbers = np.arange(10 * copies)
        pairs = pd.DataFrame({"pair": numbers, "kind": "flip", "id": numbers, "total": np.tile(totals, copies)})
        return next(path_findings("race", pairs.assign(cluster=(numbers % 10).astype(str)), shares, STATISTICS))

    once, often = margin(1), margin(9)
    assert (often.value, often.low, often.high) == pytest.approx((once.value, once.low, once.high))
    assert often.texts == 10
