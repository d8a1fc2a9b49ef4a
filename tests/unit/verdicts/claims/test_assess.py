"""Verdicts follow from the numbers, and every listed claim can be measured."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from emoscope.perturbation.findings import rate_finding
from emoscope.reporting.findings import Finding, write_findings
from emoscope.verdicts.claims import assess as claims
from emoscope.verdicts.claims.assess import judge

REFERENCE = Path(__file__).parents[4] / "data" / "reference"
STATISTICS = {"confidence": 0.95, "margin": 0.02}
EXPERIMENTS = {"performance", "masking", "flips", "synonyms"}
WRITEUPS = {"induction", "attention", "prompting", "residual"}
CLAIMS = yaml.safe_load((REFERENCE / "claims.yaml").read_text())
MARGIN = 0.02


def judged(kind, measured, published=0.5, tolerance=MARGIN, missing=()):
    claim = {"judge": kind, "published": published, "tolerance": tolerance, "headroom": 0.001}
    return judge(claim, measured, list(missing), MARGIN, alpha=0.05)


def verdict(*args, **kwargs):
    return judged(*args, **kwargs)[0]


def rate(count, texts):
    events = pd.Series([True] * count + [False] * (texts - count))
    return rate_finding("it", events, pd.Series(range(texts)), MARGIN, alpha=0.05)


@pytest.mark.parametrize(
    ("count", "texts", "nothing", "something"),
    [
        (0, 600, "reproduced", "contradicted"),
        (0, 60, "underpowered", "underpowered"),
        (1, 60, "underpowered", "underpowered"),
        (12, 600, "underpowered", "underpowered"),
        (40, 60, "contradicted", "reproduced"),
    ],
)
def test_a_rate_is_judged_by_what_its_texts_can_show(count, texts, nothing, something):
    assert verdict("no effect", rate(count, texts)) == nothing
    assert verdict("effect", rate(count, texts)) == something


def test_an_underpowered_claim_says_what_may_hide_and_how_many_texts_would_tell():
    measured = rate(0, 17)
    assert measured.high == pytest.approx(0.195, abs=0.001)
    reason = judged("no effect", measured)[1]
    assert "0.2" in reason and "about 150 texts" in reason and "instead of 17" in reason
    mean = Finding("it", 0.01, -0.02, 0.04, texts=100, detectable=0.04, within=0.2, beyond=0.7)
    assert "up to 0.04" in judged("no effect", mean)[1] and "about 1,600 texts" in judged("no effect", mean)[1]


@given(st.integers(0, 400), st.integers(1, 400))
def test_no_rate_is_both_absent_and_present(count, texts):
    measured = rate(min(count, texts), texts)
    assert verdict("no effect", measured) != "reproduced" or verdict("effect", measured) != "reproduced"


def test_a_value_is_held_against_its_tolerance_only_where_comparable():
    assert verdict("value", Finding("it", 0.51, 0.4, 0.6)) == "reproduced"
    assert verdict("value", Finding("it", 0.55, 0.53, 0.57)) == "contradicted"
    assert verdict("value", Finding("it", 0.55, 0.51, 0.59, texts=100, detectable=0.06)) == "underpowered"
    assert verdict("value", Finding("it", 0.55)) == "contradicted"
    assert verdict("value", Finding("it", 0.51, 0.4, 0.6), missing=["corpus"]) == "not testable here"


def test_an_impossible_number_is_an_artefact_wherever_it_is_checked():
    measured = Finding("it", -0.1, -0.2, 0.0)
    assert verdict("procedure", measured, published=0.28, missing=["corpus"]) == "artefact"
    assert verdict("procedure", measured, published=-0.28, missing=["corpus"]) == "not testable here"


def test_procedures_that_measure_different_things_are_an_artefact():
    apart = Finding("it", -0.4, -0.5, -0.3, code=-0.01, code_low=-0.02, code_high=0.0)
    together = Finding("it", -0.4, -0.5, -0.3, code=-0.35, code_low=-0.45, code_high=-0.25)
    assert verdict("procedure", apart, published=-0.35) == "artefact"
    assert verdict("procedure", together, published=-0.39) == "reproduced"
    unknown = Finding("it", -0.4, np.nan, np.nan, code=-0.01)
    assert verdict("procedure", unknown, published=-0.39) == "reproduced"


def test_the_list_is_well_formed():
    assert len({claim["id"] for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        room = claim["finding"].split("/")[0]
        assert room in EXPERIMENTS | WRITEUPS, claim["id"]
        if room in WRITEUPS:
            assert room == claim["id"].split(".")[0]
        assert claim["judge"] in ("value", "procedure", "no effect", "effect"), claim["id"]
        assert set(claim.get("needs", [])) <= {"corpus", "model"}
        assert ("tolerance" in claim) == (room in WRITEUPS or claim["judge"] != "no effect"), claim["id"]
        if claim["judge"] in ("value", "procedure"):
            assert isinstance(claim["published"], (int, float)), claim["id"]


@pytest.mark.parametrize("room", sorted(EXPERIMENTS))
def test_claims_are_judged_on_the_finding_that_they_name_and_on_no_other(room, tmp_path):
    """Every finding that claims ask for has a value of its own here, so a claim on another one shows."""
    asked = dict.fromkeys(claim["finding"] for claim in CLAIMS if claim["finding"].startswith(f"{room}/"))
    values = {name.removeprefix(f"{room}/"): 0.001 * number for number, name in enumerate(asked, start=1)}
    path = tmp_path / room / "findings.csv"
    write_findings([Finding(name, value, value / 2, value * 2) for name, value in values.items()], path)
    run = {"name": "mine", "corpus": {"source": "csv"}, "model": {}}
    claims.assess_claims(REFERENCE / "claims.yaml", [path], run, STATISTICS, tmp_path / "claims.csv")
    judged = pd.read_csv(tmp_path / "claims.csv", float_precision="round_trip").set_index("id")
    own = {claim["id"]: claim["finding"] for claim in CLAIMS if claim["finding"] in asked}
    assert set(judged.index) == set(own), "a run is judged on its own experiments only"
    for name, finding in own.items():
        assert judged.loc[name, "ours"] == values[finding.removeprefix(f"{room}/")], name


def test_a_single_text_shows_nothing_and_an_exact_number_does():
    claim = {"id": "a", "source": "b", "says": "c.", "published": "none", "judge": "no effect"}
    exact = Finding("it", 0.0)
    for one in (Finding("it", 0.0, texts=1), Finding("it", 0.0, 0.0, 0.0, texts=1)):
        assert claims.judged(claim, one, set(), STATISTICS)["verdict"] == "underpowered"
    assert claims.judged(claim, exact, set(), STATISTICS)["verdict"] == "reproduced"


def test_a_finding_that_was_not_made_is_not_testable(tmp_path):
    path = tmp_path / "masking" / "findings.csv"
    write_findings([Finding("another", 1.0), Finding("block_change.0.joy", np.nan)], path)
    run = {"name": "mine", "corpus": {"source": "csv"}, "model": {}}
    claims.assess_claims(REFERENCE / "claims.yaml", [path], run, STATISTICS, tmp_path / "claims.csv")
    assert set(pd.read_csv(tmp_path / "claims.csv")["verdict"]) == {"not testable here"}


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


def test_the_samples_behind_published_statements_are_those_of_the_papers_tables():
    samples = pd.read_csv(REFERENCE / "published_samples.csv")
    of_runs = [claim for claim in CLAIMS if claim["finding"].split("/")[0] in EXPERIMENTS]
    nothing = {claim["id"] for claim in of_runs if claim["judge"] == "no effect"}
    assert nothing - set(samples["claim"]) == {"flips.race.templates"}, "the templates are ours"
    words = pd.read_csv(REFERENCE / "table3_synonyms.csv").query("word not in ('overwhelmed', 'surprised')")
    texts = samples.set_index("claim")["texts"]
    assert texts["synonyms.no_word"] == words["count_in_test_set"].min()
    assert texts["synonyms.no_change"] == words.groupby("class")["count_in_test_set"].max().sum()


def test_our_flip_makes_the_papers_pairs():
    from emoscope.experiments.flips.gender import GenderLexicon, flip_gender

    lexicon = GenderLexicon.load(REFERENCE.parent / "lexicons" / "gender.csv")
    for row in pd.read_csv(REFERENCE / "table4_gender_pairs.csv").itertuples():
        assert flip_gender(row.text, lexicon).perturbed == row.flipped
