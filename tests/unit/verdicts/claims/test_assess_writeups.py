import numpy as np
import pandas as pd
import pytest
import yaml

from emoscope.verdicts.claims.assess import assess_writeup_claims

STATISTICS = {"confidence": 0.95, "margin": 0.02, "resamples": 100, "seed": 0}


@pytest.fixture
def judge(tmp_path):
    """The verdict on one claim, given what a language model shows."""

    def verdict(row: tuple, repository: str = "", **claim) -> str:
        folder = tmp_path / "induction"
        folder.mkdir(exist_ok=True)
        columns = ["name", "value", "low", "high", "note"]
        pd.DataFrame([row], columns=columns).to_csv(folder / "findings.csv", index=False)
        wanted = {"id": "induction.x", "source": "blog", "says": "It is so.", "published": 0.93, **claim}
        wanted["finding"] = "induction/accuracy"
        (tmp_path / "claims.yaml").write_text(yaml.safe_dump([wanted]))
        model = {"name": "mine", "model": {"repository": repository}, "tasks": []}
        output = tmp_path / "claims.csv"
        assess_writeup_claims(tmp_path / "claims.yaml", [folder / "findings.csv"], model, STATISTICS, output)
        return pd.read_csv(output).loc[0, "verdict"]

    return verdict


@pytest.mark.parametrize(
    ("repository", "value", "expected"),
    [
        ("openai-community/gpt2", 0.92, "reproduced"),
        ("openai-community/gpt2", 0.5, "contradicted"),
        ("", 0.93, "not testable here"),
    ],
)
def test_a_number_counts_only_for_the_model_it_was_published_of(judge, repository, value, expected):
    claim = {"judge": "value", "tolerance": 0.02, "needs": ["model"]}
    assert judge(("accuracy", value, value - 0.01, value + 0.01, ""), repository, **claim) == expected


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (0.01, 0.0, 0.02, "reproduced"),
        (0.06, 0.04, 0.08, "reproduced"),  # beyond the settings' margin, within the claim's own
        (0.01, -0.2, 0.22, "underpowered"),
        (0.5, 0.4, 0.6, "contradicted"),
        (1e-7, np.nan, np.nan, "underpowered"),
    ],
)
def test_no_effect_must_be_shown(judge, value, low, high, expected):
    assert judge(("accuracy", value, low, high, ""), judge="no effect", tolerance=0.1) == expected


def test_a_number_that_the_model_does_not_have_is_not_testable(judge):
    assert judge(("another", 1.0, 0.9, 1.1, ""), judge="value", tolerance=0.1) == "not testable here"
