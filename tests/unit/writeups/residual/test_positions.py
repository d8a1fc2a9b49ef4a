"""Tables by position: those of the model, and the published notebook's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from emoscope.errors import UserError
from emoscope.writeups.residual import positions as position_tables
from emoscope.writeups.residual.summarise import position_findings

ROOT = Path(__file__).parents[4]
PUBLISHED = pd.read_csv(ROOT / "data" / "reference" / "notebook_positions.csv").astype({"column": "Int64"})


def test_a_sentence_longer_than_the_context_is_refused_in_one_line(model, tokenizer):
    with pytest.raises(UserError, match=r"has \d+ tokens.*at most 64"):
        position_tables.encode_sentence(model, tokenizer, "a long sentence " * 40)


def test_position_tables_follow_the_model(model, tokenizer):
    tables = position_tables.position_tables(model, tokenizer)
    assert set(tables["text"]) == set(position_tables.TEXTS)
    for name, text in position_tables.TEXTS.items():
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        probabilities = model(ids).logits[0].softmax(-1)
        own = tables[(tables["text"] == name) & (tables["table"] == "probability")]
        found = own.pivot(index="row", columns="column", values="value")
        np.testing.assert_allclose(found, probabilities[:, ids[0]].T, rtol=1e-4)


@pytest.mark.parametrize("text", ["text1", "text2", "text3"])
def test_our_formulas_give_the_notebooks_numbers_from_its_probabilities(text):
    published = PUBLISHED[PUBLISHED["text"] == text]
    probabilities = published[published["table"] == "probability"].pivot(index="row", columns="column", values="value")
    ids = published.loc[published["table"] == "input_id", "value"].to_numpy()
    ours = position_tables.derived(ids, probabilities.to_numpy(dtype=float))
    both = published.merge(ours, on=["table", "row", "column"], suffixes=("", "_ours"))
    assert len(both) == len(published)
    np.testing.assert_allclose(both["value_ours"], both["value"], atol=2e-3)  # it prints few digits


def test_claims_name_findings_that_the_notebooks_probabilities_bear_out():
    claims = yaml.safe_load((ROOT / "data" / "reference" / "claims.yaml").read_text())
    claims = [claim for claim in claims if claim["id"].startswith("residual.")]
    tables = []
    for text, rows in PUBLISHED.groupby("text"):
        probabilities = rows[rows["table"] == "probability"].pivot(index="row", columns="column", values="value")
        ids = rows.loc[rows["table"] == "input_id", "value"].to_numpy()
        tables.append(position_tables.derived(ids, probabilities.to_numpy(dtype=float)).assign(text=text))
    found = {finding.name: finding.value for finding in position_findings(pd.concat(tables))}
    named = {
        claim["finding"].split("/")[1]: claim["published"] for claim in claims if claim["id"].split(".")[1] != "mlp"
    }
    assert len(named) > 10
    for name, published in named.items():
        assert found[name] == pytest.approx(published, abs=2e-3)


def test_a_token_is_expected_by_the_position_before_its_own():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), size=5).T
    table = position_tables.derived(np.arange(5), probabilities).set_index(["table", "row", "column"])["value"]
    for row in range(1, 5):
        [expected] = table["expected", row]
        assert expected == table["correlation", row, row - 1] != table["correlation", row - 1, row]
