"""The recipe for a new axis of flips holds: a word list, how to flip, an entry in the table, a name in the schema."""

from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from project import snakemake

WORDS = "young,old\nlittle,grown\nschool,college\nclass,course\n"
FLIP = '''"""Age: words of the young and of the old exchanged."""

from pathlib import Path

from emoscope.perturbation.edits import Perturbation, match_case, perturb, tokenise
from emoscope.perturbation.lexicons import read_rows


def load_ages(path: Path) -> dict[str, tuple[str, str]]:
    """Each word's counterpart and own group."""
    rows = [(row["young"], row["old"]) for _, row in read_rows(path, ("young", "old"))]
    return {a: (b, "young") for a, b in rows} | {b: (a, "old") for a, b in rows}


def flip_age(text: str, words: dict) -> Perturbation:
    found = [token for token in tokenise(text) if token.lower in words]
    return perturb(text, [(at.start, at.end, match_case(at.text, words[at.lower][0])) for at in found])


def age_of(words: str, lexicon: dict) -> str | None:
    return lexicon.get(words.lower(), (None, None))[1]
'''
ENTRY = """
    "age": Axis(
        words="age.csv",
        load_rules=_age,
        groups=GROUPS["age"],
        said="The paper did not look at age.",
    ),
}
"""
RULES = """def _age() -> Rules:
    from emoscope.experiments.flips.age import age_of, flip_age, load_ages

    return Rules(load_ages, flip_age, age_of)


AXES = {"""


def edit(file: Path, before: str, after: str) -> None:
    """Replace a part of a file by another; the file itself may be shared."""
    text = file.read_text()
    assert text.count(before) == 1, before
    file.unlink()
    file.write_text(text.replace(before, after))


@pytest.mark.slow
def test_a_new_axis_reaches_pages_and_claims(changeable):
    flips = changeable / "workflow/emoscope/experiments/flips"
    (changeable / "data/lexicons/age.csv").write_text(WORDS)
    (flips / "age.py").write_text(FLIP)
    groups = changeable / "workflow/emoscope/perturbation/groups.py"
    edit(groups, '("white", "black")}', '("white", "black"), "age": ("young", "old")}')
    edit(flips / "axes.py", "AXES = {", RULES)
    edit(flips / "axes.py", "        planted=True,\n    ),\n}\n", f"        planted=True,\n    ),{ENTRY}")
    edit(changeable / "workflow/schemas/config.schema.yaml", "{enum: [gender, race]}", "{enum: [gender, race, age]}")
    edit(changeable / "tiny.yaml", "flips: {", "flips: {axes: [gender, age], ")
    found = snakemake(changeable, "flips", "tracing", "claims", "ground_truth")
    assert found.returncode == 0, found.stdout
    pairs = pd.read_parquet(changeable / "data/corpora/calibration/perturbations/age.parquet")
    assert {"young to old", "old to young"} & set(pairs["direction"])
    assert set(pairs.loc[pairs["origin"] == "natural", "axis"]) == {"age"}
    page = BeautifulSoup((changeable / "reports/tiny-s1/flips.html").read_text(), "html.parser").main.get_text(" ")
    for words in ("age", "young to old", "The paper did not look at age."):
        assert words in page
    assert "race" not in set(pd.read_csv(changeable / "reports/ground_truth.csv")["axis"])
    assert (changeable / "reports/claims.html").exists()
