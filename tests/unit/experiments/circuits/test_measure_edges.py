"""Edges estimated, patched and kept in a model in which some were planted, and what the page says of them."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.planted_edges import planted
from emoscope.experiments.circuits import figures, measure_edges, page
from emoscope.experiments.circuits.measure_edges import PAIRS, find_edges, masked_edges, named_edges
from emoscope.experiments.circuits.names import EDGE, GRADIENT, INTEGRATED, KEPT, MASKING, PATCHING, RANDOM
from emoscope.experiments.circuits.summarise_edges import summarise_edges
from emoscope.models.inside.edges import ANSWER, EMBEDDING, edges_of
from emoscope.models.inside.structure import prepared
from emoscope.models.planted.compiled import compiled
from emoscope.reporting.plots import svg
from made_up import words


@pytest.fixture(scope="module")
def truth(found):
    """The planted edges, by name."""
    model = prepared(compiled(found.circuit, "gpt2"))
    inside = planted(found.circuit, model)[edges_of(model)]
    return {edge for edge, wanted in zip(named_edges(model), inside, strict=True) if wanted}


def test_estimates_along_the_way_are_what_patching_finds(edges):
    table = edges.effects.pivot(index=["pair", *EDGE], columns="method", values="effect")
    assert len(table) == PAIRS * len(edges.checked) and table.notna().all(axis=None)
    means = table.groupby(EDGE).mean()
    # a negation patched alone goes past where the model saturates, which no step on the way between both texts does
    np.testing.assert_allclose(means[INTEGRATED], means[PATCHING], rtol=0.5, atol=0.05)
    assert means[PATCHING].abs().max() > 1
    assert (means[GRADIENT] - means[PATCHING]).abs().max() > 0.5, "one gradient does not see what saturates"


def test_the_largest_edges_are_those_that_were_planted(edges, truth):
    largest = edges.edges[edges.edges["largest"]]
    assert {tuple(row) for row in largest[EDGE].itertuples(index=False)} <= truth
    others = edges.edges[[tuple(row) not in truth for row in edges.edges[EDGE].itertuples(index=False)]]
    assert len(others) and others[PATCHING].abs().max() < 0.05 < largest[PATCHING].abs().min()


def test_as_many_edges_as_were_planted_keep_the_difference_and_random_ones_do_not(found, edges, truth):
    sizes = edges.edge_sizes.set_index(["ranking", "size"])["value"]
    count = sizes.index.get_level_values("size").max()
    tried = sorted({nodes for _, nodes in sizes.index})
    assert max(np.diff(tried)) <= 0.3 * count, "between two sizes an area is taken to be a straight line"
    enough = next(size for size in tried if size >= len(truth))
    assert sizes[INTEGRATED, enough] == pytest.approx(1, abs=0.02)
    assert sizes[RANDOM, enough] < 0.5 and edges.curves.loc[edges.curves["ranking"] == RANDOM, "draw"].nunique() == 5
    assert set(edges.curves["side"]) == {KEPT} and sizes[INTEGRATED, count] == pytest.approx(1)
    own = edges.curves.merge(found.sample[["pair", "total"]], on="pair")
    ends = own[own["size"].isin([0, count])]
    np.testing.assert_allclose(ends["effect"], ends["total"] * (ends["size"] > 0), atol=1e-4)


def test_masking_ranks_an_edge_by_its_weaker_end():
    rows = [("mean", 0, 0, -3.0), ("mlp_mean", 0, -1, 2.0)]
    changes = pd.DataFrame(rows, columns=["condition", "block", "head", "change"])
    head, fed = ("head", 0, 0), ("feed_forward", 0, -1)
    edges = [(*EMBEDDING, *head), (*head, *fed), (*fed, *ANSWER), (*EMBEDDING, *ANSWER)]
    assert list(masked_edges(changes, edges)) == [3, 2, 2, 0]
    assert masked_edges(changes.head(1), edges) is None


def test_the_page_names_the_edges_and_how_few_are_enough(found, edges):
    axes = ["gender", "race"]
    result = page.edges_result(axes, found.findings, edges.findings)
    said = words(result)
    assert "of 207 edges keep what a flip changes" in said
    assert not edges.findings["name"].str.contains("halves").any(), "most of the edges patched are the largest"
    assert "not shown to be better or worse than a random order" in said, "of which there are five"
    assert "; by distance from the whole model (CMD), " in said and "headline" not in result, "the nodes' alone is that"
    assert "Race" not in said and words(page.no_edges(axes, found.findings, edges.findings)) == ""
    table = words(page.strongest_edges("gender", edges.edges))
    assert "the words" in table and "the answer" in table and "MLP of block" in table
    areas = words(page.area_table(["gender"], edges.findings, "edges"))
    assert "edges to within 20 %" in areas and "left without" not in areas and "masking" in areas
    assert words(page.agreement_table(["gender"], edges.findings, "edge_agreement")).count("gender") == 2
    orders = page.rankings("gender", edges.findings)
    assert list(orders) == [INTEGRATED, MASKING, RANDOM]
    assert "<svg" in svg(figures.edge_curves(edges.edge_sizes, orders))


@pytest.fixture
def tried(found, tmp_path):
    """Edges of what stands in `sample`, by one random order, and the page's sentence where there are none."""

    def run(sample: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], str]:
        made = {name: tmp_path / f"{name}.parquet" for name in ("effects", "checked", "curves", "followed")}
        given = {name: found.folder / f"{name}.parquet" for name in ("pairs", "changes")}
        sample.to_parquet(tmp_path / "sample.parquet")
        config = {"steps": 1, "checked": 2, "random_orders": 1, "seed": 1}
        find_edges(
            found.folder / "model", **given, sample=tmp_path / "sample.parquet", config=config,
            prediction={"tokens_per_batch": 4096}, **made,
        )  # fmt: skip
        tables = {"edges": [tmp_path / "edges.parquet"], "edge_sizes": [tmp_path / "sizes.parquet"]}
        statistics = {"confidence": 0.95, "resamples": 10, "seed": 1, "margin": 0.02}
        lists = {name: [path] for name, path in made.items()}
        summarise_edges(
            [tmp_path / "sample.parquet"], **lists, axes=["gender"], statistics=statistics, **tables,
            edge_findings=tmp_path / "findings.csv",
        )  # fmt: skip
        findings = pd.read_csv(tmp_path / "findings.csv")
        measured = {name: pd.read_parquet(path) for name, path in made.items()}
        measured["edges"] = pd.read_parquet(tables["edges"][0])
        assert words(page.edges_result(["gender"], found.findings, findings)) == ""
        return measured, words(page.no_edges(["gender"], found.findings, findings))

    return run


def test_a_model_that_does_not_answer_as_its_edges_do_has_none(found, tried, monkeypatch):
    """However few are the flips in which it does not."""
    real = measure_edges._follows
    monkeypatch.setattr(measure_edges, "_follows", lambda model, seen: seen.number > 1 and real(model, seen))
    measured, said = tried(found.sample)
    assert measured["followed"]["follows"].tolist() == [number > 1 for number in measured["followed"]["pair"]]
    assert all(table.empty for name, table in measured.items() if name != "followed")
    assert "edges could not be tried, for with all of them kept, or none," in said
    assert f"does not answer as it should in 2 of {PAIRS} flips." in said


def test_flips_that_move_no_margin_are_another_reason(found, tried):
    """The circuit of nodes is of all flips, edges are tried with the first of them."""
    measured, said = tried(found.sample.assign(total=0.0))
    assert measured["followed"]["follows"].all() and len(measured["effects"]) and measured["edges"].empty
    assert f"edges could not be tried, for the first {PAIRS} flips, with which that is done, hardly move" in said
