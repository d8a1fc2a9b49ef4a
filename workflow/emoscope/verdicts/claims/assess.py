"""The published claims beside what was found, each with a verdict."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import norm

from emoscope.data.paper import shared_with_paper, shared_with_writeups
from emoscope.reporting.findings import Finding, read_findings
from emoscope.statistics.clusters import POWER
from emoscope.statistics.equivalence import interval_test
from emoscope.statistics.sample_size import texts_for_mean, texts_for_rate
from emoscope.storage.files import write_csv

CONTROL = "The corpus is generated, so this is a control of the method and says nothing about the paper."
COLUMNS = ["id", "source", "published", "ours", "low", "high", "verdict", "note", "run"]
COLUMNS += ["margin", "detectable", "equivalence_p"]
Findings = Mapping[str, Mapping[str, Finding]]  # by room and name


def assess_claims(claims: Path, findings: list[Path], run: dict, statistics: dict, output: Path) -> None:
    """Write one run's claims as CSV; `run` holds its name and the settings of its corpus and model.

    `findings` are files `.../{room}/findings.csv`; claims on the findings of other rooms are left out.
    """
    generated = run["corpus"]["source"] == "calibration"
    write_claims(claims, findings, run["name"], shared_with_paper(run), statistics, output, generated)


def assess_writeup_claims(claims: Path, findings: list[Path], model: dict, statistics: dict, output: Path) -> None:
    """Write one language model's claims as CSV; `model` holds its name, its settings, and the tasks of its prompts."""
    shared = shared_with_writeups(model["model"], model["tasks"])
    write_claims(claims, findings, model["name"], shared, statistics, output)


def write_claims(
    claims: Path,
    findings: list[Path],
    name: str,
    shared: set[str],
    statistics: dict,
    output: Path,
    generated: bool = False,
) -> None:
    """Judge every claim on the findings of these files; `shared`: what is the same here and in the claims' source."""
    found = {path.parent.name: read_findings(path) for path in findings}
    rows = []
    for claim in yaml.safe_load(claims.read_text(encoding="utf-8")):
        room, _, number = claim["finding"].partition("/")
        if room in found:
            row = judged(claim, found[room].get(number), shared, statistics)
            if generated and claim["judge"] in ("effect", "no effect") and "ours" in row:
                row["note"] += f" {CONTROL}"
            rows.append({**row, "run": name})
    write_csv(pd.DataFrame(rows, columns=COLUMNS), output)


def collect_claims(runs: list[Path], output: Path) -> None:
    """Write the claims of all runs as one CSV."""
    write_csv(pd.concat([pd.read_csv(path, dtype=str) for path in runs]), output)


def judged(claim: dict, found: Finding | None, shared: set[str], statistics: dict) -> dict:
    """One row of the claims table; `shared`: which of corpus and model are the same here and in the claim's source.

    What counts as none is `statistics["margin"]`, unless the claim names its own tolerance.
    """
    alpha = 1 - statistics["confidence"]
    row = {key: claim[key] for key in ("id", "source", "published")}
    if found is None or np.isnan(found.value):
        note = f"{claim['says']} This run has nothing to measure it on."
        return {**row, "verdict": "not testable here", "note": note}
    nothing = claim["judge"] == "no effect"
    margin = claim.get("tolerance", statistics["margin"]) if nothing else statistics["margin"]
    found = tested(found, margin, alpha)
    missing = [part for part in claim.get("needs", []) if part not in shared]
    verdict, reason = judge(claim, found, missing, margin, alpha)
    note = " ".join(filter(None, [claim["says"], found.note, reason]))
    row |= {"ours": found.value, "low": found.low, "high": found.high, "detectable": found.detectable}
    if nothing:
        row |= {"margin": margin, "equivalence_p": found.within}
    return {**row, "verdict": verdict, "note": note}


def tested(found: Finding, margin: float, alpha: float) -> Finding:
    """A finding with what its experiment did not test: whether it lies within the margin, or beyond.

    The standard errors are those that its interval implies, one on either side. Without an interval, a number that was
    not sampled counts as exact; of one that was, from too few texts, nothing is known.
    """
    known, sampled = not np.isnan(found.within), not np.isnan(found.texts)
    if known or (sampled and not found.high > found.low):
        return found
    within, beyond, error = interval_test(found.value, found.low, found.high, margin, alpha)
    z = norm.ppf(1 - alpha / 2) + norm.ppf(POWER)
    detectable = found.detectable if not np.isnan(found.detectable) or not error else error * z
    return found._replace(within=within, beyond=beyond, detectable=detectable)


def judge(claim: dict, found: Finding, missing: list[str], margin: float, alpha: float) -> tuple[str, str]:
    """The verdict on a claim and the reason for it; `missing` names what the run does not share with the paper."""
    if claim["judge"] == "no effect":
        return _judge_nothing(found, margin, alpha)
    if claim["judge"] == "effect":
        return _judge_effect(found, claim["tolerance"], margin, alpha)
    tolerance, published = claim["tolerance"], claim["published"]
    if claim["judge"] == "procedure":
        if published > claim["headroom"]:
            return "artefact", f"The authors' log leaves a rise of {claim['headroom']:.1g} at most."
        if _apart((found.low, found.high), (found.code_low, found.code_high)):
            return "artefact", "The authors' code and the paper's text measure different things."
    if missing:
        return "not testable here", f"Comparable only with the paper's {' and '.join(missing)}."
    if abs(found.value - published) <= tolerance:
        return "reproduced", ""
    if found.low <= published + tolerance and found.high >= published - tolerance:
        gap = found._replace(**{name: getattr(found, name) - published for name in ("value", "low", "high")})
        return (
            "underpowered",
            f"Off by more than {tolerance:g}, but the interval reaches nearer. {_hidden(gap, tolerance, alpha)}",
        )
    return "contradicted", f"Off by more than {tolerance:g}."


def _judge_nothing(found: Finding, margin: float, alpha: float) -> tuple[str, str]:
    if found.within <= alpha:
        return "reproduced", f"Shown to lie within {margin:g} of zero."
    if found.beyond <= alpha:
        return "contradicted", f"Shown to lie beyond {margin:g} from zero."
    return (
        "underpowered",
        f"Neither shown to lie within {margin:g} of zero nor beyond. {_hidden(found, margin, alpha)}",
    )


def _judge_effect(found: Finding, tolerance: float, margin: float, alpha: float) -> tuple[str, str]:
    if found.low > tolerance:
        return "reproduced", f"The interval lies above {tolerance:g}."
    if found.high <= tolerance:
        return "contradicted", f"The interval does not reach above {tolerance:g}."
    # no number of texts shows that a rate is zero, but a finite one that it is small
    target = tolerance or margin if found.rate else tolerance
    return "underpowered", f"The interval lies on both sides of {tolerance:g}. {_hidden(found, target, alpha)}"


def _hidden(found: Finding, target: float, alpha: float) -> str:
    """How large an effect would have gone undetected in an underpowered sample, and how many texts would tell."""
    largest = np.nanmax(np.abs([found.value, found.low, found.high]))
    hidden = f"An effect of up to {largest:.2g} would have gone undetected"
    if found.rate:
        needed = texts_for_rate(found.value, target, alpha, POWER)
    else:
        needed = texts_for_mean(found.value, target, found.detectable, found.texts)
    if not np.isfinite(needed):
        return f"{hidden}."
    return (
        f"{hidden}; about {float(f'{needed:.2g}'):,.0f} texts would be needed to tell, instead of {found.texts:,.0f}."
    )


def _apart(first: tuple[float, float], second: tuple[float, float]) -> bool:
    """Whether two intervals do not overlap; never true of an interval that is not known."""
    return first[1] < second[0] or second[1] < first[0]
