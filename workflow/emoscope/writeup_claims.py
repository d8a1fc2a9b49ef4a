"""The claims of the companion write-ups beside what one pretrained language model shows."""

from pathlib import Path

import pandas as pd
import yaml

from emoscope.claims import COLUMNS, Measured, judged
from emoscope.contracts import shared_with_writeups
from emoscope.files import replacing


def assess_writeup_claims(claims: Path, findings: list[Path], model: dict, statistics: dict, output: Path) -> None:
    """Write one language model's claims as CSV.

    `findings` are files `.../{writeup}/findings.csv`; `model` holds its name, its settings, and the tasks that prompts
    were trained for.
    """
    tables = {path.parent.name: pd.read_csv(path).set_index("name") for path in findings}
    shared = shared_with_writeups(model["model"], model["tasks"])
    rows = []
    for claim in yaml.safe_load(claims.read_text(encoding="utf-8")):
        if claim["measure"]["function"] == "finding":
            measured = finding(tables, claim["measure"]["writeup"], claim["measure"]["name"])
            rows.append({**judged(claim, measured, shared, statistics), "run": model["name"]})
    with replacing(output) as temporary:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(temporary, index=False)


def finding(tables: dict[str, pd.DataFrame], writeup: str, name: str) -> Measured | None:
    """One number of a write-up with its interval; None if this model has none of that name."""
    table = tables[writeup]
    if name not in table.index or pd.isna(table.loc[name, "value"]):
        return None
    row = table.loc[name]
    return Measured(row["value"], row["low"], row["high"], row["note"] if isinstance(row["note"], str) else "")
