"""Which rooms a run's claims are judged on follows from the claims themselves."""

from pathlib import Path

import yaml

from emoscope.verdicts.claims.rooms import WRITEUPS, rooms_of_runs, rooms_on_demand

REFERENCE = Path(__file__).parents[4] / "data" / "reference"


def test_a_claim_on_any_experiment_is_judged(tmp_path):
    """Also one that nobody measures, by its id; those on write-ups are judged on language models alone."""
    named = {"a": "words/it", "b": "words/other", "probing.c": None, "d": "attention/it", "residual.e": None}
    file = tmp_path / "claims.yaml"
    listed = [{"id": name, "finding": finding} for name, finding in named.items()]
    listed.append({"id": "f", "finding": "circuits/it", "on_demand": True})
    file.write_text(yaml.safe_dump(listed))
    assert rooms_of_runs(file) == ["words", "probing"] and rooms_on_demand(file) == ["circuits"]


def test_today_the_claims_name_these_experiments_and_every_write_up():
    rooms = {"performance", "masking", "flips", "synonyms", "tracing"}
    assert set(rooms_of_runs(REFERENCE / "claims.yaml")) == rooms
    assert set(rooms_on_demand(REFERENCE / "claims.yaml")) == {"circuits", "probing"}
    assert {init.parent.name for init in WRITEUPS.glob("*/__init__.py")} == {
        "attention", "induction", "prompting", "residual"
    }  # fmt: skip
