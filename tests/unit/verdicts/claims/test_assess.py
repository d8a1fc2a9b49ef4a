"""Verdicts follow from the numbers, and every listed claim can be measured."""

import os
import re
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chi2

from emoscope.perturbation.findings import rate_finding
from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.rates import zero_event_bound
from emoscope.storage.files import write_json
from emoscope.storage.hashes import sha256_of
from emoscope.verdicts.claims import assess as claims
from emoscope.verdicts.claims.judge import judge

REFERENCE = Path(__file__).parents[4] / "data" / "reference"
STATISTICS = {"confidence": 0.95, "margin": 0.02}
TERMS = claims.Terms(set(), STATISTICS)
EXPERIMENTS = {"performance", "masking", "flips", "synonyms", "tracing"}
ON_DEMAND = {"circuits", "probing"}

WRITEUPS = {"induction", "attention", "prompting", "residual"}
CLAIMS = yaml.safe_load((REFERENCE / "claims.yaml").read_text())
MARGIN = 0.02


def audit_in(folder, **about):
    write_json(about, folder / "corpus.json")
    return folder / "corpus.json"


def judged(kind, measured, published=0.5, tolerance=MARGIN, missing=(), tests=1, **more):
    claim = {"judge": kind, "published": published, "tolerance": tolerance, "needs": ["corpus"]} | more
    return judge(claim, measured, list(missing), MARGIN, 0.05, tests)


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


@pytest.mark.parametrize(("count", "texts"), [(2, 20), (2, 30)])
def test_as_many_texts_as_are_named_mostly_show_a_rate(count, texts):
    """Its whole interval has to lie above the margin. The normal curve comes near to four times in five."""
    reason = judged("effect", rate(count, texts))[1]
    needed = int(re.search(r"about ([\d,]+) texts", reason)[1].replace(",", ""))
    shown = [events for events in range(needed) if verdict("effect", rate(events, needed)) == "reproduced"]
    assert binom.sf(min(shown) - 1, needed, count / texts) > 0.62


@pytest.mark.parametrize(("count", "sentences"), [(0, 34), (2, 60)])
def test_of_texts_that_share_sentences_it_says_how_many_sentences_would_tell(count, sentences):
    def shared(count, sentences):
        events = np.repeat(np.arange(sentences) < count, 3)
        return rate_finding("it", pd.Series(events), pd.Series(np.arange(3 * sentences) // 3), MARGIN, alpha=0.05)

    reason = judged("no effect", shared(count, sentences))[1]
    told = re.search(r"about ([\d,]+) sentences would be needed to tell, instead of (\d+)\.", reason)
    assert int(told[2]) == sentences and "texts" not in reason
    needed = int(told[1].replace(",", ""))
    if not count:
        assert needed == 190, "not the 149 of the binomial test"
        assert verdict("no effect", shared(0, needed - 10)) == "underpowered"
        assert verdict("no effect", shared(0, needed)) == "reproduced"


def test_what_is_detectable_of_a_rate_is_what_would_be_shown_to_exceed_the_margin():
    measured = rate(3, 300)
    fewest = next(count for count in range(300) if rate(count, 300).beyond <= 0.05)
    assert binom.sf(fewest - 1, 300, measured.detectable) == pytest.approx(0.8)
    assert measured.detectable > 2 * zero_event_bound(300), "the largest rate that no event leaves is another number"
    notebook = yaml.safe_load((REFERENCE.parents[1] / "workflow" / "notebooks" / "claims.ipynb").read_text())
    page = " ".join(line.strip() for cell in notebook["cells"] for line in cell["source"])
    assert "for a rate: the smallest one that it shows to exceed what counts as none" in page
    assert "for a `rate`, the smallest that it shows to exceed the margin" in " ".join(Finding.__doc__.split())


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
    assert verdict("value", measured, published=0.28, missing=["corpus"], headroom=0.001) == "artefact"
    assert verdict("value", measured, published=0.28, missing=["corpus"]) == "not testable here"
    assert verdict("value", measured, published=-0.28, missing=["corpus"], headroom=0.001) == "not testable here"


def test_a_row_says_whether_the_number_is_impossible_whatever_is_found():
    claim = {"id": "a", "source": "b", "says": "c.", "judge": "value", "tolerance": 0.01, "finding": "masking/it"}
    apart = Finding("it", -0.4, -0.5, -0.3, code=-0.01, code_low=-0.02, code_high=0.0)
    for published, headroom, expected in ((0.28, 0.001, True), (-0.4, 0.001, False), (0.28, None, False)):
        own = claim | {"published": published} | ({} if headroom is None else {"headroom": headroom})
        row = claims.judged(own, {"it": apart}, TERMS)
        assert row["impossible"] == expected and (row["verdict"] == "artefact") == expected
    row = claims.judged(claim | {"published": "none", "judge": "no effect", "headroom": 0.001}, {"it": apart}, TERMS)
    assert not row["impossible"], "nothing is never impossible"


def test_procedures_that_measure_different_things_are_an_artefact():
    apart = Finding("it", -0.4, -0.5, -0.3, code=-0.01, code_low=-0.02, code_high=0.0)
    together = Finding("it", -0.4, -0.5, -0.3, code=-0.35, code_low=-0.45, code_high=-0.25)
    unknown = Finding("it", -0.4, np.nan, np.nan, code=-0.01)
    below = Finding("it", -0.01, -0.02, 0.0, code=-0.4, code_low=-0.5, code_high=-0.3)
    assert verdict("value", apart, published=-0.1, headroom=0.001) == "artefact"
    assert verdict("value", below, published=-0.35, headroom=0.001) == "artefact", "on whichever side"
    assert verdict("value", apart, published=-0.39, headroom=0.001) == "reproduced", "what holds here is no artefact"
    assert verdict("value", apart, published=-0.1, headroom=0.001, missing=["corpus"]) == "not testable here"
    assert verdict("value", apart, published=-0.39) == "reproduced", "of code that did what its text says"
    assert verdict("value", together, published=-0.39, headroom=0.001) == "reproduced"
    assert verdict("value", unknown, published=-0.39, headroom=0.001) == "reproduced"


def test_no_effect_in_faulty_code_is_an_artefact_only_where_there_is_one():
    """Masking as described costs 0.4, zeroing a bias nothing; or both cost it; or neither."""
    code = {"code": 0.0, "code_low": -0.001, "code_high": 0.001}
    large, none = Finding("it", -0.4, -0.5, -0.3, within=1, beyond=0), Finding("it", -0.003, -0.005, -0.002, within=0)
    both = large._replace(code=-0.4, code_low=-0.5, code_high=-0.3)
    assert verdict("no effect", large._replace(**code), headroom=0.001) == "artefact"
    assert verdict("no effect", large._replace(**code)) == "contradicted"
    assert verdict("no effect", both, headroom=0.001) == "contradicted"
    assert verdict("no effect", none._replace(**code), headroom=0.001) == "reproduced"


def test_something_lower_is_not_something_higher():
    low, high, across = Finding("it", 0.4, 0.3, 0.5), Finding("it", 0.9, 0.8, 1.0), Finding("it", 0.6, 0.5, 0.7)
    for measured, below, above in (
        (low, "reproduced", "contradicted"),
        (high, "contradicted", "reproduced"),
        (across, "underpowered", "underpowered"),
        (Finding("it", 0.4), "underpowered", "underpowered"),
    ):
        assert verdict("below", measured, tolerance=0.6) == below
        assert verdict("effect", measured, tolerance=0.6) == above


def test_on_texts_of_our_own_a_wide_interval_agrees_with_nothing():
    """500 tokens leave 0.037 to either side of 0.23: with a tolerance of 0.01 even the same model agrees by luck."""
    wide, narrow = Finding("it", 0.228, 0.193, 0.267), Finding("it", 0.228, 0.224, 0.232)
    options = {"published": 0.2283, "tolerance": 0.01, "needs": ["model"]}
    assert verdict("value", wide, **options) == "underpowered"
    assert verdict("value", narrow, **options) == "reproduced"
    assert verdict("value", wide, **options | {"needs": ["corpus", "model"]}) == "reproduced"


def test_a_range_need_not_be_even():
    options = {"published": 0.00079, "range": [0.0004, 0.0015]}
    assert verdict("value", Finding("it", 0.0014, 0.0008, 0.0025), **options) == "reproduced"
    assert verdict("value", Finding("it", 0.026, 0.013, 0.051, rate=True, texts=305), **options) == "contradicted"
    assert verdict("value", Finding("it", 0.0, 0.0, 0.0003, rate=True, texts=12713), **options) == "contradicted"
    few = judged("value", Finding("it", 0.0, 0.0, 0.012, rate=True, texts=305), **options)
    assert few[0] == "underpowered" and "up to 0.012" in few[1] and "about 7,500 texts" in few[1], "3 / 0.0004"


def test_of_many_numbers_one_that_misses_by_chance_does_not_contradict():
    """An interval that misses by a little is none once the number of tests is counted, and a far miss still is one."""
    near, far = Finding("it", 0.55, 0.525, 0.575, texts=100), Finding("it", 0.7, 0.675, 0.725, texts=100)
    assert [verdict("value", near, tests=tests) for tests in (1, 20)] == ["contradicted", "underpowered"]
    assert [verdict("value", far, tests=tests) for tests in (1, 20)] == ["contradicted", "contradicted"]
    by_chance = Finding("it", 0.03, 0.02, 0.04, within=0.97, beyond=0.03)
    assert [verdict("no effect", by_chance, tests=tests) for tests in (1, 20)] == ["contradicted", "underpowered"]
    below = Finding("it", -0.02, -0.039, -0.001)
    assert [verdict("effect", below, tolerance=0, tests=tests) for tests in (1, 20)] == ["contradicted", "underpowered"]


SEVERAL = {
    "id": "a", "source": "b", "says": "c.", "published": {"joy": 0.1, "anger": -0.1, "fear": 0.001},
    "finding": "flips/{}", "judge": "value", "tolerance": 0.05,
}  # fmt: skip


def several(**values: float) -> dict:
    return claims.judged(SEVERAL, {name: Finding(name, value) for name, value in values.items()}, TERMS)


def test_several_numbers_are_judged_as_one_claim():
    assert several(joy=0.12, anger=-0.08, fear=0.0)["verdict"] == "reproduced"
    unlike = several(joy=0.12, anger=0.0, fear=0.0)
    assert unlike["verdict"] == "contradicted"
    assert unlike["ours"] == 0.0 and unlike["published"] == "anger -0.1" and "1 contradicted" in unlike["note"]
    assert several(joy=0.0, anger=0.0, fear=0.0)["verdict"] == "contradicted", "though fear alone agrees"
    assert several(joy=0.3, anger=0.0, fear=0.0)["published"] == "joy 0.1", "the one that is furthest off is shown"
    assert several(joy=0.2, anger=0.2, fear=0.0)["published"] == "anger -0.1"
    counts = SEVERAL | {"published": {"joy": 141067}, "tolerance": 0}
    counted = claims.judged(counts, {"joy": Finding("joy", 141068.0)}, TERMS)
    assert counted["published"] == "joy 141067" and counted["verdict"] == "contradicted", "every digit of a count"
    assert several(joy=0.12, anger=-0.08)["verdict"] == "not testable here", "one is missing"


def test_no_effect_means_nothing_of_a_model_that_reads_nothing():
    nothing = {"id": "none", "source": "b", "says": "c.", "published": "none", "finding": "flips/x", "given": "reads"}
    reads = {"id": "reads", "source": "b", "says": "c.", "published": "yes", "finding": "performance/y", "tolerance": 0}
    listed = [nothing | {"judge": "no effect"}, reads | {"judge": "effect"}]
    for lead, expected in ((0.4, "reproduced"), (0.0, "not testable here")):
        rooms = {
            "flips": {"x": Finding("x", 0.0, -0.001, 0.001)},
            "performance": {"y": Finding("y", lead, lead - 0.01, lead + 0.01)},
        }
        [row, _] = claims.assess(listed, rooms, TERMS)
        assert row["verdict"] == expected
    assert row["untested"] == "blind" and "reads" in row["note"]
    del rooms["performance"]
    assert claims.assess(listed, rooms, TERMS)[0]["verdict"] == "not testable here"


def test_a_generated_corpus_says_nothing_about_the_paper(tmp_path):
    path = tmp_path / "performance" / "findings.csv"
    write_findings([Finding("accuracy.above_constant", 0.4, 0.3, 0.5), Finding("accuracy.test", 0.9)], path)
    for source, expected in (("calibration", True), ("csv", False)):
        run, output = (
            {"name": "mine", "corpus": {"source": source}, "model": {}, "training": {}},
            tmp_path / "claims.csv",
        )
        claims.assess_claims(REFERENCE / "claims.yaml", [path], run, STATISTICS, output, audit_in(tmp_path), {}, Path())
        notes = pd.read_csv(tmp_path / "claims.csv").set_index("id")["note"].fillna("")
        assert (claims.GENERATED in notes["performance.predicts_the_class"]) == expected
        assert claims.GENERATED not in notes["performance.test_accuracy"]


def test_the_list_is_well_formed():
    assert len({claim["id"] for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        room = claims.room_of(claim)
        assert room in EXPERIMENTS | WRITEUPS | ON_DEMAND, claim["id"]
        assert claim.get("on_demand", False) == (room in ON_DEMAND), claim["id"]
        if room in WRITEUPS:
            assert room == claim["id"].split(".")[0]
        assert claim["judge"] in ("value", "no effect", "effect", "below"), claim["id"]
        assert set(claim.get("needs", [])) <= {"corpus", "model"}
        limits = {"tolerance", "range"} & set(claim)
        assert len(limits) == 1 or (claim["judge"] == "no effect" and not limits), claim["id"]
        assert bool(limits) == ("because" in claim), f"{claim['id']}: why so far?"
        values = claim["published"].values() if isinstance(claim["published"], dict) else [claim["published"]]
        if claim["judge"] == "value" and claim["finding"]:
            assert all(isinstance(value, int | float) for value in values), claim["id"]
        assert claim.get("given", "performance.predicts_the_class") in {other["id"] for other in CLAIMS}
        assert "given" in claim or claim["judge"] != "no effect", (
            f"{claim['id']}: nothing affects a blind model, either"
        )


@pytest.mark.parametrize("room", sorted(EXPERIMENTS | ON_DEMAND))
def test_claims_are_judged_on_the_finding_that_they_name_and_on_no_other(room, tmp_path):
    """Every finding that claims ask for has a value of its own here, so a claim on another one shows."""
    listed = [claim for claim in CLAIMS if claim["finding"] and claims.room_of(claim) == room]
    own = {claim["id"]: [name for _, name in claims.parts_of(claim).values()] for claim in listed}
    values = {name: 0.001 * number for number, name in enumerate(dict.fromkeys(chain(*own.values())), start=1)}
    path = tmp_path / room / "findings.csv"
    write_findings([Finding(name, value, value / 2, value * 2) for name, value in values.items()], path)
    run = {"name": "mine", "corpus": {"source": "csv"}, "model": {}, "training": {}}
    claims.assess_claims(
        REFERENCE / "claims.yaml", [path], run, STATISTICS, tmp_path / "claims.csv", audit_in(tmp_path), {}, Path()
    )
    judged = pd.read_csv(tmp_path / "claims.csv", float_precision="round_trip").set_index("id")
    asked = judged[judged["untested"] != "on demand"]
    assert set(asked.index) == set(own), "a run is judged on its own experiments only"
    for name, asked in own.items():
        assert judged.loc[name, "ours"] in [values[finding] for finding in asked], name


def test_a_single_text_shows_nothing_and_an_exact_number_does():
    claim = {"id": "a", "source": "b", "says": "c.", "published": "none", "judge": "no effect", "finding": "flips/it"}
    for one in (Finding("it", 0.0), Finding("it", 0.0, texts=1), Finding("it", 0.0, 0.0, 0.0, texts=1)):
        assert claims.judged(claim, {"it": one}, TERMS)["verdict"] == "underpowered"
    exact = claim | {"exact": True}
    assert claims.judged(exact, {"it": Finding("it", 0.001)}, TERMS)["verdict"] == "reproduced"
    assert claims.judged(exact, {"it": Finding("it", 0.5)}, TERMS)["verdict"] == "contradicted"


def test_a_number_of_a_few_texts_without_an_interval_tells_nothing():
    for value in (0.5, 0.9):
        assert judged("value", Finding("it", value, texts=4)) == (
            "underpowered",
            "4 independent texts are too few for an interval.",
        )
    assert verdict("value", Finding("it", 0.5)) == "reproduced"
    assert verdict("value", Finding("it", 0.9)) == "contradicted"


def test_a_finding_that_was_not_made_is_not_testable(tmp_path):
    path = tmp_path / "masking" / "findings.csv"
    write_findings([Finding("another", 1.0), Finding("block_change.0.joy", np.nan)], path)
    run = {"name": "mine", "corpus": {"source": "csv"}, "model": {}, "training": {}}
    claims.assess_claims(
        REFERENCE / "claims.yaml", [path], run, STATISTICS, tmp_path / "claims.csv", audit_in(tmp_path), {}, Path()
    )
    assert set(pd.read_csv(tmp_path / "claims.csv")["verdict"]) == {"not testable here"}


def test_listed_numbers_are_the_published_ones():
    published = {claim["id"]: claim["published"] for claim in CLAIMS}
    table1 = pd.read_csv(REFERENCE / "table1_head_masking.csv", index_col="block")
    for name, value in table1.loc[0].items():
        assert published[f"masking.block0.{name}"] == pytest.approx(value, abs=1e-8)
    for block in table1.index[1:]:
        assert published[f"masking.block{block}"] == pytest.approx(table1.loc[block].to_dict(), rel=1e-5)
    assert published["masking.other_blocks"] == pytest.approx(table1.loc[1:].abs().max(axis=None))
    table2 = pd.read_csv(REFERENCE / "table2_all_but_block0.csv", index_col="label")["difference"]
    assert published["masking.table2"] == pytest.approx(table2.to_dict(), rel=1e-5)
    performance = pd.read_csv(REFERENCE / "performance.csv", index_col="metric")["paper_text"]
    assert published["performance.test_accuracy"] == performance["test_accuracy"]
    table4 = pd.read_csv(REFERENCE / "table4_gender_flip_differences.csv", index_col="pair")
    for pair in table4.index:
        assert published[f"flips.gender.{pair}"] == table4.loc[pair].to_dict()
        [tolerance] = [claim["tolerance"] for claim in CLAIMS if claim["id"] == f"flips.gender.{pair}"]
        assert tolerance == pytest.approx(table4.loc[pair].abs().max() / 2), "half the largest change"
    counts = pd.read_csv(REFERENCE / "class_counts.csv", index_col="label")["rows"]
    assert published["data.class_counts"] == counts.to_dict() and counts.sum() == performance["rows"] + 22_987


def test_a_rate_of_ten_texts_may_be_off_as_far_as_ten_events_allow():
    [claim] = [claim for claim in CLAIMS if claim["id"] == "flips.gender.large_changes"]
    texts = 83_362 * 305 / 2000
    assert claim["published"] == pytest.approx(10 / texts, rel=0.001)
    exact = np.array([chi2.ppf(0.025, 20), chi2.ppf(0.975, 22)]) / 2 / texts  # Garwood (1936)
    assert claim["range"] == pytest.approx(exact, rel=0.001)


def test_the_samples_behind_published_statements_are_those_of_the_papers_tables():
    samples = pd.read_csv(REFERENCE / "published_samples.csv")
    of_runs = [claim for claim in CLAIMS if claims.room_of(claim) in EXPERIMENTS]
    stated = {claim["id"] for claim in of_runs if claim["judge"] == "no effect" and isinstance(claim["published"], str)}
    assert stated - set(samples["claim"]) == {"flips.race.templates"}, "the templates are ours"
    assert {"masking.other_blocks", "masking.all_but_block0"} <= set(samples["claim"])
    words = pd.read_csv(REFERENCE / "table3_synonyms.csv").query("word not in ('overwhelmed', 'surprised')")
    texts = samples.set_index("claim")["texts"]
    assert texts["synonyms.no_word"] == words["count_in_test_set"].min()
    assert texts["synonyms.no_change"] == words.groupby("class")["count_in_test_set"].max().sum()


def test_our_flip_makes_the_papers_pairs():
    from emoscope.experiments.flips.gender import GenderLexicon, flip_gender

    lexicon = GenderLexicon.load(REFERENCE.parent / "lexicons" / "gender.csv")
    for row in pd.read_csv(REFERENCE / "table4_gender_pairs.csv").itertuples():
        assert flip_gender(row.text, lexicon).perturbed == row.flipped


def assess_published(tmp_path, published: dict, accuracy: Finding) -> pd.DataFrame:
    """What is made of the claims that were published of a run's own classifier."""
    rooms = tmp_path / "performance"
    rooms.mkdir(exist_ok=True)
    write_findings(
        [accuracy, accuracy._replace(name="macro_f1.test", value=0.5, low=0.49, high=0.51)], rooms / "findings.csv"
    )
    (tmp_path / "claims.yaml").write_text("[]")
    settings = {"name": "theirs-s1", "corpus": {"source": "csv"}, "model": {"source": "path"}, "training": "none"}
    settings |= {"published": published} if published else {}
    files = {"claims": tmp_path / "claims.yaml", "findings": [rooms / "findings.csv"], "output": tmp_path / "out.csv"}
    claims.assess_claims(
        **files, run=settings, statistics=STATISTICS, audit=audit_in(tmp_path), made={}, training=Path()
    )
    return pd.read_csv(tmp_path / "out.csv").set_index("id")


@pytest.mark.parametrize(
    ("right", "texts", "verdict"),
    [(4650, 5000, "reproduced"), (4000, 5000, "contradicted"), (93, 100, "underpowered"), (90, 100, "underpowered")],
)
def test_an_accuracy_that_was_published_of_a_classifier_is_judged_by_its_interval(tmp_path, right, texts, verdict):
    measured = rate(right, texts)._replace(name="accuracy.test")
    found = assess_published(tmp_path, {"accuracy": 0.93, "source": "its card"}, measured)
    row = found.loc["published.theirs-s1.accuracy"]
    assert row["verdict"] == verdict and row["published"] == 0.93 and row["source"] == "its card"
    assert row["ours"] == right / texts and row["run"] == "theirs-s1" and len(found) == 1


def test_accuracy_and_macro_f1_are_held_against_their_own_numbers(tmp_path):
    measured = rate(4650, 5000)._replace(name="accuracy.test")
    found = assess_published(tmp_path, {"accuracy": 0.5, "macro_f1": 0.5}, measured)["verdict"]
    assert (
        found["published.theirs-s1.accuracy"] == "contradicted"
        and found["published.theirs-s1.macro_f1"] == "reproduced"
    )
    assert assess_published(tmp_path, {}, measured).empty


def test_several_labels_a_text_cannot_test_what_speaks_of_classes_that_exclude_one_another(tmp_path):
    rooms = ("performance", "masking", "flips")
    listed = CLAIMS
    paths = []
    for room in rooms:
        names = {
            finding for one in listed if one["finding"] and claims.room_of(one) == room
            for _, finding in claims.parts_of(one).values()
        }  # fmt: skip
        (tmp_path / room).mkdir()
        paths.append(tmp_path / room / "findings.csv")
        write_findings(
            [Finding(name, 0.0, -0.001, 0.001, texts=500, within=0.001, beyond=1) for name in names], paths[-1]
        )
    run = {"name": "r", "corpus": {"source": "csv"}, "model": {"source": "scratch"}, "training": {}}
    found = {}
    for several in (False, True):
        audit = audit_in(tmp_path, multilabel=several)
        claims.assess_claims(
            REFERENCE / "claims.yaml", paths, run, STATISTICS, tmp_path / "claims.csv", audit, {}, Path()
        )
        found[several] = pd.read_csv(tmp_path / "claims.csv").set_index("id")
    assert found[False].loc["masking.first_block_leads", "verdict"] == "underpowered"
    refused = found[True][found[True]["untested"] == "one label"]
    assert {"masking.first_block_leads", "masking.block1", "performance.test_auc"} <= set(refused.index)
    assert (refused["verdict"] == "not testable here").all() and refused["note"].str.contains("several labels").all()
    assert (
        found[True].loc["flips.race.no_large_changes", "verdict"]
        == found[False].loc["flips.race.no_large_changes", "verdict"]
    )
    others = found[True].index.difference(refused.index)
    pd.testing.assert_frame_equal(found[True].loc[others], found[False].loc[others])


def test_a_claim_on_demand_is_judged_once_its_room_was_asked_for(tmp_path):
    """Until then the row says what to type, and other claims are judged as ever."""
    paths = {room: tmp_path / room / "findings.csv" for room in ("performance", "probing")}
    write_findings([Finding("accuracy.above_constant", 0.4, 0.3, 0.5)], paths["performance"])
    write_findings([Finding("race.answers_moved.least_change", 0.3, 0.2, 0.4)], paths["probing"])
    run = {"name": "mine", "corpus": {"source": "csv"}, "model": {}, "training": {}}
    training, [probing, digest] = tmp_path / "training.json", (str(paths["probing"]), sha256_of(paths["probing"]))
    training.write_text("{}")
    there = 1_700_000_000  # whole seconds, which every clock can tell
    os.utime(paths["probing"], (there, there))
    for made, since, verdict, why in (
        ({}, there, "not testable here", "on demand"),
        ({probing: digest}, there + 1, "not testable here", "on demand"),  # of a classifier that gave way to this one
        ({probing: digest[::-1]}, there, "not testable here", "on demand"),  # made anew meanwhile
        ({str(tmp_path / "circuits" / "findings.csv"): digest}, there, "not testable here", "on demand"),  # being made
        ({probing: digest}, there, "contradicted", ""),
    ):
        os.utime(training, (since, since))
        claims.assess_claims(
            REFERENCE / "claims.yaml",
            [paths["performance"]],
            run,
            STATISTICS,
            tmp_path / "out.csv",
            audit_in(tmp_path),
            made,
            training,
        )
        rows = pd.read_csv(tmp_path / "out.csv").set_index("id").fillna({"untested": ""})
        assert tuple(rows.loc["probing.race.limited_bias", ["verdict", "untested"]]) == (verdict, why)
        assert rows.loc["circuits.first_block_leads", "note"] == claims.ASKED.format("circuits")
        assert rows.loc["performance.predicts_the_class", "verdict"] == "reproduced"
    assert rows.loc["probing.gender.dimensions", "untested"] == "nothing", "asked for, and not found"


def test_a_claim_on_demand_is_said_not_to_be_judged_in_a_storage(tmp_path):
    """What to type would not test it there."""
    path, training = tmp_path / "performance" / "findings.csv", tmp_path / "training.json"
    write_findings([Finding("accuracy.above_constant", 0.4, 0.3, 0.5)], path)
    run = {"name": "mine", "corpus": {"source": "csv"}, "model": {}, "training": {}}
    files = {"findings": [path], "audit": audit_in(tmp_path), "training": training, "output": tmp_path / "out.csv"}
    claims.assess_claims(REFERENCE / "claims.yaml", run=run, statistics=STATISTICS, made={}, stored=1, **files)
    rows = pd.read_csv(tmp_path / "out.csv").set_index("id")
    for room, name in (("circuits", "circuits.first_block_leads"), ("probing", "probing.race.limited_bias")):
        told = rows.loc[name]
        assert (told["verdict"], told["untested"]) == ("not testable here", "storage")
        assert told["note"] == claims.STORED.format(room) and "snakemake --cores" not in told["note"]
    assert rows.loc["performance.predicts_the_class", "verdict"] == "reproduced"


def test_language_models_are_not_asked_for_what_classifiers_do_on_demand(tmp_path):
    path = tmp_path / "induction" / "findings.csv"
    write_findings([Finding("first_accuracy", 0.0, 0.0, 0.001)], path)
    settings = {"name": "small", "model": {"source": "package"}, "tasks": []}
    claims.assess_writeup_claims(REFERENCE / "claims.yaml", [path], settings, STATISTICS, tmp_path / "out.csv")
    assert {name.partition(".")[0] for name in pd.read_csv(tmp_path / "out.csv")["id"]} == {"induction"}
