"""Verdicts follow from the numbers, and every listed claim can be measured."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from emoscope.claims import MEASURES, Measured, judge

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
CLAIMS = yaml.safe_load((REFERENCE / "claims.yaml").read_text())


def verdict(kind, measured, published=0.5, tolerance=0.02, missing=()):
    claim = {"judge": kind, "published": published, "tolerance": tolerance, "headroom": 0.001}
    return judge(claim, measured, list(missing))[0]


@pytest.mark.parametrize(
    ("interval", "nothing", "something"),
    [
        ((-0.01, 0.01), "reproduced", "contradicted"),
        ((0.03, 0.05), "contradicted", "reproduced"),
        ((-0.05, -0.03), "contradicted", "contradicted"),
        ((-0.01, 0.05), "underpowered", "underpowered"),
        ((-0.5, 0.5), "underpowered", "underpowered"),
    ],
)
def test_no_effect_and_effect(interval, nothing, something):
    measured = Measured(float(np.mean(interval)), *interval)
    assert verdict("no effect", measured) == nothing
    assert verdict("effect", measured) == something


def test_a_value_is_held_against_its_tolerance_only_where_comparable():
    assert verdict("value", Measured(0.51, 0.4, 0.6)) == "reproduced"
    assert verdict("value", Measured(0.55, 0.4, 0.7)) == "contradicted"
    assert verdict("value", Measured(0.51, 0.4, 0.6), missing=["corpus"]) == "not testable here"


def test_an_impossible_number_is_an_artefact_wherever_it_is_checked():
    measured = Measured(-0.1, -0.2, 0.0)
    assert verdict("procedure", measured, published=0.28, missing=["corpus"]) == "artefact"
    assert verdict("procedure", measured, published=-0.28, missing=["corpus"]) == "not testable here"


def test_procedures_that_measure_different_things_are_an_artefact():
    apart = Measured(-0.4, -0.5, -0.3, code=(-0.01, -0.02, 0.0))
    together = Measured(-0.4, -0.5, -0.3, code=(-0.35, -0.45, -0.25))
    assert verdict("procedure", apart, published=-0.35) == "artefact"
    assert verdict("procedure", together, published=-0.39) == "reproduced"
    unknown = Measured(-0.4, np.nan, np.nan, code=(-0.01, np.nan, np.nan))
    assert verdict("procedure", unknown, published=-0.39) == "reproduced"


def test_the_list_is_well_formed():
    assert len({claim["id"] for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert claim["measure"]["function"] in MEASURES, claim["id"]
        assert claim["judge"] in ("value", "procedure", "no effect", "effect"), claim["id"]
        assert set(claim.get("needs", [])) <= {"corpus", "model"}
        if claim["judge"] in ("value", "procedure"):
            assert isinstance(claim["published"], (int, float)), claim["id"]


def test_listed_numbers_are_the_published_ones():
    published = {claim["id"]: claim["published"] for claim in CLAIMS}
    table1 = pd.read_csv(REFERENCE / "table1_head_masking.csv", index_col="block")
    for name, value in table1.loc[0].items():
        assert published[f"masking.block0.{name}"] == pytest.approx(value, abs=1e-8)
    assert published["masking.other_blocks"] == pytest.approx(table1.loc[1:].abs().max(axis=None))
    performance = pd.read_csv(REFERENCE / "performance.csv", index_col="metric")["paper_text"]
    assert published["performance.test_accuracy"] == performance["test_accuracy"]
    table4 = pd.read_csv(REFERENCE / "table4_gender_flip_differences.csv", index_col="pair")
    assert published["flips.gender.jealous.joy"] == table4.loc["jealous", "joy"]


def test_our_flip_makes_the_papers_pairs():
    from emoscope.flips import GenderLexicon, flip_gender

    lexicon = GenderLexicon.load(REFERENCE.parent / "lexicons" / "gender.csv")
    for row in pd.read_csv(REFERENCE / "table4_gender_pairs.csv").itertuples():
        assert flip_gender(row.text, lexicon).perturbed == row.flipped
