"""The published claims beside what was found, each with a verdict."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.stats import norm

from emoscope.data.paper import shared_with_paper, shared_with_writeups
from emoscope.reporting.findings import Finding, read_findings
from emoscope.reporting.several_labels import is_several
from emoscope.statistics.clusters import POWER
from emoscope.statistics.equivalence import interval_test
from emoscope.statistics.sample_size import texts_for_mean, texts_for_rate
from emoscope.storage.files import read_json, write_csv

GENERATED = "The corpus is generated, so this tests the method and says nothing about the paper."
SEVERAL = "It speaks of classes of which each text has one; here a text may have several labels."
COLUMNS = ["id", "source", "published", "ours", "low", "high", "verdict", "note", "run"]
COLUMNS += ["margin", "detectable", "equivalence_p", "says", "untested"]
PUBLISHED = {  # what the configuration may quote of a classifier: its name in a sentence, and the number beside it
    "accuracy": ("an accuracy", "performance/accuracy.test"),
    "macro_f1": ("a macro F1", "performance/macro_f1.test"),
}
ORDER = ("artefact", "contradicted", "underpowered", "reproduced")  # of several numbers, the first of these counts
Rooms = Mapping[str, Mapping[str, Finding]]  # findings by room and name


def assess_claims(claims: Path, findings: list[Path], run: dict, statistics: dict, output: Path, audit: Path) -> None:
    """Write one run's claims as CSV.

    `run` holds its name, the settings of its corpus and model, and what is `published` of it, if anything is; `audit`
    is that of the corpus; `findings` are files `.../{room}/findings.csv`; claims on those of other rooms are left out.
    """
    generated = run["corpus"]["source"] == "calibration"
    own = published_claims(run["name"], run.get("published", {}), statistics["margin"])
    write_claims(
        claims,
        findings,
        run["name"],
        shared_with_paper(run),
        statistics,
        output,
        generated,
        own,
        is_several(read_json(audit)),
    )


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
    own: Sequence[dict] = (),
    several: bool = False,
) -> None:
    """Judge every claim, and those of the run's `own`, on the findings of these files.

    `shared`: what is the same here and in the claims' source. `several`: a text may have several labels here, so what
    speaks of classes that exclude one another cannot be tested.
    """
    rooms = {path.parent.name: read_findings(path) for path in findings}
    listed = [*yaml.safe_load(claims.read_text(encoding="utf-8")), *own]
    rows = assess(listed, rooms, shared, statistics, several)
    kinds = {claim["id"]: claim["judge"] for claim in listed}
    for row in rows:
        if generated and kinds[row["id"]] != "value" and row["verdict"] != "not testable here":
            row["note"] = f"{row['note']} {GENERATED}".strip()
    write_csv(pd.DataFrame([{**row, "run": name} for row in rows], columns=COLUMNS), output)


def published_claims(run: str, published: Mapping, margin: float) -> list[dict]:
    """What others say of the run's classifier, as claims; it holds within `margin`, as what counts as no difference."""
    source = published.get("source", "published of this classifier")
    return [
        {
            "id": f"published.{run}.{name}",
            "source": source,
            "says": f"The classifier of {run} reaches {title} of {published[name]:g}.",
            "published": published[name],
            "finding": finding,
            "judge": "value",
            "tolerance": margin,
        }
        for name, (title, finding) in PUBLISHED.items()
        if name in published
    ]


def collect_claims(runs: list[Path], output: Path) -> None:
    """Write the claims of all runs as one CSV."""
    write_csv(pd.concat([pd.read_csv(path, dtype=str) for path in runs]), output)


def assess(claims: list[dict], rooms: Rooms, shared: set[str], statistics: dict, several: bool = False) -> list[dict]:
    """A row for every claim on these rooms; what shows no effect counts only if the claim that it is `given` holds."""
    rows = [
        judged(claim, rooms[room_of(claim)], shared, statistics, several) for claim in claims if room_of(claim) in rooms
    ]
    given = {claim["id"]: claim["given"] for claim in claims if "given" in claim}
    verdicts = {row["id"]: row["verdict"] for row in rows}
    for row in rows:
        condition = given.get(row["id"])
        if condition and row["verdict"] == "reproduced" and verdicts.get(condition) != "reproduced":
            reason = f"No effect was found, but neither was {condition}, without which it means nothing."
            row |= {"verdict": "not testable here", "untested": "blind", "note": reason}
    return rows


def room_of(claim: dict) -> str:
    """The room whose findings a claim is judged on; one that nobody measures belongs to the room of its id."""
    return (claim["finding"] or claim["id"].replace(".", "/", 1)).partition("/")[0]


def parts_of(claim: dict) -> dict[str, tuple[float | str, str]]:
    """The numbers that a claim states: by name, what was published and the finding; a single number has no name."""
    finding, published = claim["finding"].partition("/")[2], claim["published"]
    if isinstance(published, dict):
        return {name: (value, finding.format(name)) for name, value in published.items()}
    return {"": (published, finding)}


def judged(
    claim: dict, found: Mapping[str, Finding], shared: set[str], statistics: dict, several: bool = False
) -> dict:
    """One row of the claims table; `shared`: which of corpus and model are the same here and in the claim's source.

    A claim of several numbers holds if each does, and fails if one is shown to fail, with Bonferroni's correction for
    their number; the row shows the number that decides. What counts as none is `statistics["margin"]`, unless the claim
    names its own tolerance.
    """
    row = {key: claim[key] for key in ("id", "source", "says")} | {"published": _wording(claim["published"])}
    row |= {"verdict": "not testable here", "note": ""}
    if claim["finding"] is None:
        return row | {"untested": "unmeasured"}
    if several and claim.get("exclusive"):
        return row | {"untested": "one label", "note": SEVERAL}
    parts = {name: (value, found.get(finding)) for name, (value, finding) in parts_of(claim).items()}
    if any(one is None or np.isnan(one.value) for _, one in parts.values()):
        return row | {"untested": "nothing"}
    missing = [part for part in claim.get("needs", []) if part not in shared]
    verdicts = list(_verdicts(claim, parts, missing, statistics))
    decisive = min(verdicts, key=lambda part: _rank(*part[1:]))
    name, published, one, verdict, reason = decisive
    if verdict == "not testable here":
        return row | _numbers(one) | {"untested": " and ".join(sorted(missing)), "note": reason}
    count = f"Of {len(parts)} numbers, {sum(part[3] == verdict for part in verdicts)} {verdict}; shown is {name}."
    row |= {"published": f"{published:.6g} ({name})"} if name and not isinstance(published, str) else {}
    row |= {"verdict": verdict, "note": " ".join(filter(None, [count if name else "", one.note, reason]))}
    if claim["judge"] == "no effect":
        row |= {"margin": claim.get("tolerance", statistics["margin"]), "equivalence_p": one.within}
    return row | _numbers(one)


def _verdicts(claim: dict, parts: dict, missing: list[str], statistics: dict) -> Iterator[tuple]:
    alpha, margin = 1 - statistics["confidence"], statistics["margin"]
    limit = claim.get("tolerance", margin) if claim["judge"] == "no effect" else margin
    for name, (published, one) in parts.items():
        one = tested(one, limit, alpha, claim.get("exact", False))
        yield name, published, one, *judge(claim | {"published": published}, one, missing, limit, alpha, len(parts))


def _rank(published: float | str, one: Finding, verdict: str, _: str) -> tuple[int, float]:
    """The first verdict of ORDER first, and of one verdict the number furthest from the published one, or from zero."""
    place = ORDER.index(verdict) if verdict in ORDER else -1
    return place, -abs(one.value - (0 if isinstance(published, str) else published))


def _numbers(one: Finding) -> dict:
    return {"ours": one.value, "low": one.low, "high": one.high, "detectable": one.detectable}


def _wording(published: float | str | dict) -> float | str:
    """What was published, as it fits into one cell."""
    if not isinstance(published, dict):
        return published
    if len(set(published.values())) == 1 or len(published) > 6:
        return f"{len(published)} numbers"
    words = (f"{name} {value}" if isinstance(value, str) else f"{value:.4g}" for name, value in published.items())
    return ", ".join(words)


def tested(found: Finding, margin: float, alpha: float, exact: bool) -> Finding:
    """A finding with what its experiment did not test: whether it lies within the margin, or beyond.

    The standard errors are those that its interval implies, one on either side. Without an interval nothing is known of
    a number, unless it is `exact`, not taken from a sample.
    """
    if not np.isnan(found.within) or not (exact or found.high > found.low):
        return found
    within, beyond, error = interval_test(found.value, found.low, found.high, margin, alpha)
    z = norm.ppf(1 - alpha / 2) + norm.ppf(POWER)
    detectable = found.detectable if not np.isnan(found.detectable) or not error else error * z
    return found._replace(within=within, beyond=beyond, detectable=detectable)


def judge(
    claim: dict, found: Finding, missing: list[str], margin: float, alpha: float, tests: int = 1
) -> tuple[str, str]:
    """The verdict on one number of a claim and the reason for it.

    `missing` names what the run does not share with the source, `tests` counts the claim's numbers. A claim with a
    `headroom` is from code that did not do what its text says: it is an artefact if the number is impossible, or if it
    cannot be upheld and the authors' code and their text differ here.
    """
    kind, apart = claim["judge"], "headroom" in claim and _apart(found)
    if kind == "value":
        if "headroom" in claim and claim["published"] > claim["headroom"]:
            return "artefact", f"The authors' log leaves a rise of {claim['headroom']:.1g} at most."
        if apart:
            return "artefact", f"{DIFFERENT} {found.code:+.3g}."
    if missing:
        return "not testable here", f"Comparable only with the source's {' and '.join(missing)}."
    if kind == "value":
        return _judge_value(claim, found, alpha, tests)
    if kind != "no effect":
        return _judge_effect(found, claim["tolerance"], margin, alpha, tests, above=kind == "effect")
    verdict, reason = _judge_nothing(found, margin, alpha, tests)
    if verdict == "contradicted" and apart:
        return "artefact", f"{reason} {DIFFERENT} {found.code:+.3g}."
    return verdict, reason


DIFFERENT = "The authors' code and the paper's text measure different things; their code's number here is"


def _judge_value(claim: dict, found: Finding, alpha: float, tests: int) -> tuple[str, str]:
    """Whether a number is the published one, within the tolerance or, if the source leaves one, in a range.

    On texts of our own an interval wider than the tolerance would agree by luck; the source's own corpus is not a
    sample, since the published number was taken from it, too.
    """
    if np.isnan(found.low) and not np.isnan(found.texts):
        return "underpowered", f"{found.texts:.0f} independent texts are too few for an interval."
    published = claim["published"]
    least, most = claim.get("range") or (published - claim["tolerance"], published + claim["tolerance"])
    allowed = f"between {least:.3g} and {most:.3g}" if "range" in claim else f"within {claim['tolerance']:.3g} of it"
    wide = "corpus" not in claim.get("needs", []) and (found.high - found.low) / 2 > (most - least) / 2
    if round(least, 12) <= round(found.value, 12) <= round(most, 12):
        return ("underpowered", f"It lies {allowed}, but its interval is wider.") if wide else ("reproduced", "")
    low, high = widened(found, alpha, tests)
    if low <= most and high >= least:
        if found.rate:
            hidden = _hidden(found, least if found.value < least else most, alpha)
        else:
            gap = found._replace(**{name: getattr(found, name) - published for name in ("value", "low", "high")})
            hidden = _hidden(gap, (most - least) / 2, alpha)
        return "underpowered", f"Not {allowed}, but the interval reaches there. {hidden}"
    return "contradicted", f"Not {allowed}."


def _judge_nothing(found: Finding, margin: float, alpha: float, tests: int) -> tuple[str, str]:
    if found.within <= alpha:
        return "reproduced", f"Shown to lie within {margin:g} of zero."
    if found.beyond * tests <= alpha:
        return "contradicted", f"Shown to lie beyond {margin:g} from zero."
    return (
        "underpowered",
        f"Neither shown to lie within {margin:g} of zero nor beyond. {_hidden(found, margin, alpha)}",
    )


def _judge_effect(
    found: Finding, tolerance: float, margin: float, alpha: float, tests: int, above: bool
) -> tuple[str, str]:
    """Whether the whole interval lies above the tolerance, or below it if that is the claim."""
    side, (low, high) = "above" if above else "below", widened(found, alpha, tests)
    if np.isnan(found.low):
        return "underpowered", "It has no interval."
    if found.low > tolerance if above else found.high < tolerance:
        return "reproduced", f"The interval lies {side} {tolerance:g}."
    if high <= tolerance if above else low >= tolerance:
        return "contradicted", f"The interval does not reach {side} {tolerance:g}."
    # no number of texts shows that a rate is zero, but a finite one that it is small
    target = tolerance or margin if found.rate else tolerance
    return "underpowered", f"The interval lies on both sides of {tolerance:g}. {_hidden(found, target, alpha)}"


def widened(found: Finding, alpha: float, tests: int) -> tuple[float, float]:
    """The interval with Bonferroni's correction for several tests, by the normal curve; an exact number stays."""
    if np.isnan(found.low):
        return found.value, found.value
    one, all_ = norm.ppf([1 - alpha / 2, 1 - alpha / 2 / tests])
    return tuple(found.value + (bound - found.value) * all_ / one for bound in (found.low, found.high))


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


def _apart(found: Finding) -> bool:
    """Whether the intervals of text and code do not overlap; never true of one that is not known."""
    return found.high < found.code_low or found.code_high < found.low
