"""The claims of the companion write-ups beside what one pretrained language model shows."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import norm

from emoscope.data.paper import shared_with_writeups
from emoscope.storage.files import write_csv
from emoscope.verdicts.claims.assess import COLUMNS, POWER, Measured, judged


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
            judging = statistics | {"margin": claim["tolerance"]}  # each statement of "no effect" names its own
            measured = finding(tables, claim, 1 - statistics["confidence"])
            rows.append({**judged(claim, measured, shared, judging), "run": model["name"]})
    write_csv(pd.DataFrame(rows, columns=COLUMNS), output)


def finding(tables: dict[str, pd.DataFrame], claim: dict, alpha: float) -> Measured | None:
    """One number of a write-up with its interval; None if this model has none of that name.

    Whether it lies within the claim's tolerance of zero, or beyond, is tested with the standard error that its interval
    implies; a number without an interval is not sampled and counts as exact.
    """
    table, name = tables[claim["measure"]["writeup"]], claim["measure"]["name"]
    if name not in table.index or pd.isna(table.loc[name, "value"]):
        return None
    value, low, high, note = table.loc[name, ["value", "low", "high", "note"]]
    z, power = norm.ppf([1 - alpha / 2, POWER])
    error = 0.0 if pd.isna(low) else (high - low) / 2 / z
    gap = claim["tolerance"] - abs(value)
    within = norm.sf(gap / error) if error else float(gap < 0)
    return Measured(
        value=value,
        low=low,
        high=high,
        note=note if isinstance(note, str) else "",
        detectable=error * (z + power) if error else np.nan,
        within=within,
        beyond=1 - within,
    )
