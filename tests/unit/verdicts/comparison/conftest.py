"""Tables of the runs that are compared."""

from itertools import product

import pandas as pd
import pytest

from compared_runs import COMPARED, FALLS, masking_summary
from emoscope.storage.names import ALL
from emoscope.verdicts.comparison.summarise import correlate, profile, with_groups

CHEAP = {"words": 0.7, "constant": 0.3, "above_words": 0.1}


@pytest.fixture(scope="module")
def masks() -> pd.DataFrame:
    parts = [
        profile(masking_summary(falls, seed=number), len(falls)).assign(group=COMPARED[run]["group"], run=run)
        for number, (run, falls) in enumerate(FALLS.items())
    ]
    return with_groups(pd.concat(parts, ignore_index=True), ["block", "head", "condition", "measure", "depth"], 0.05)


@pytest.fixture(scope="module")
def correlations(masks) -> pd.DataFrame:
    return correlate(masks[masks["run"] != ALL], COMPARED, 0)


@pytest.fixture(scope="module")
def measures() -> pd.DataFrame:
    rows = [
        {"topic": topic, "origin": origin, "measure": measure, "value": value, "low": value - 0.1, "high": value + 0.1}
        | {"group": about["group"], "run": run}
        for run, about in COMPARED.items()
        for topic, origin, measure, value in (
            *(("performance", *key, 0.8) for key in product(("all", "distinct"), ("accuracy", "auc_ovr", "macro_f1"))),
            *(("performance", "all", f"accuracy.{name}", value) for name, value in CHEAP.items()),
            *(("performance", "all", f"{score}_<joy>", 0.95) for score in ("recall", "precision")),
            ("gender", "natural", "changed", 0.2),
            ("gender", "natural", "excess_changed", 0.1),
            ("gender", "natural", "gap_<joy>", 0.1),
            ("synonyms", "word", "words_flagged", 0.5),
        )
    ]
    return with_groups(pd.DataFrame(rows), ["topic", "origin", "measure"], 0.05)
