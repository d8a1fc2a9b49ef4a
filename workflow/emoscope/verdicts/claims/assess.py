"""The published claims beside what was found, each with a verdict."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.data.paper import shared_with_paper, shared_with_writeups
from emoscope.reporting.findings import Finding, read_findings
from emoscope.reporting.several_labels import is_several
from emoscope.statistics.settings import alpha_of
from emoscope.storage.files import read_json, write_csv
from emoscope.storage.hashes import sha256_of
from emoscope.storage.yaml_files import read_yaml
from emoscope.verdicts.claims.judge import impossible, judge, tested
from emoscope.verdicts.claims.rooms import room_of, rooms_on_demand

GENERATED = "The corpus is generated, so this tests the method and says nothing about the paper."
UNCOMPARED = "No neutral swaps stand beside it, so it may be what any change of words does."
NO_MORE = "What goes beyond neutral words is no more than that."
ASKED = "`snakemake --cores 2 {0}`, then `snakemake --cores 2 claims`, would test it, if this run is asked for that."
STORED = "`{0}` is measured on demand, and what is, is judged on the disk where Snakemake starts, not in a storage."
SEVERAL = "It speaks of classes of which each text has one; here a text may have several labels."
COLUMNS = ["id", "source", "published", "ours", "low", "high", "verdict", "note", "run"]
COLUMNS += ["margin", "detectable", "equivalence_p", "says", "untested", "impossible"]
PUBLISHED = {  # what the configuration may quote of a classifier: its name in a sentence, and the number beside it
    "accuracy": ("an accuracy", "performance/accuracy.test"),
    "macro_f1": ("a macro F1", "performance/macro_f1.test"),
}
ORDER = ("artefact", "contradicted", "underpowered", "reproduced")  # of several numbers, the first of these counts
Rooms = Mapping[str, Mapping[str, Finding]]  # findings by room and name


@dataclass(frozen=True)
class Terms:
    """On which terms a run's claims are judged: which of corpus and model are the claims' own (`shared`), `confidence`
    and `margin` (`statistics`), whether a text may have `several` labels, so that what speaks of classes that exclude
    one another cannot be tested, which rooms are measured only `on_demand`, so that their findings may be lacking, and
    whether results are `stored` where these would not be looked for.
    """

    shared: set[str]
    statistics: dict
    several: bool = False
    on_demand: Sequence[str] = ()
    stored: bool = False


def assess_claims(
    claims: Path,
    findings: list[Path],
    run: dict,
    statistics: dict,
    output: Path,
    audit: Path,
    made: dict,
    training: Path,
    stored: int = 0,
) -> None:
    """Write one run's claims as CSV.

    `run` holds its name, the settings of its corpus, model and training, and what is `published` of it, if anything is;
    `audit` is that of the corpus; `findings` are files `.../{room}/findings.csv`, and so are the keys of `made`, those
    that were made on demand, see `still_so`, of which none is found if results are `stored` elsewhere than on this disk
    (1); claims on those of other rooms are left out.
    """
    generated = run["corpus"]["source"] == "calibration"
    own = published_claims(run["name"], run.get("published", {}), statistics["margin"])
    shared = shared_with_paper(run["corpus"], run["model"], run["training"])
    terms = Terms(shared, statistics, is_several(read_json(audit)), rooms_on_demand(claims), bool(stored))
    write_claims(claims, [*findings, *still_so(made, training)], run["name"], terms, output, generated, own)


def still_so(made: Mapping[str, str], training: Path) -> list[Path]:
    """Those files that hold what they held when this was planned, by their SHA-256, and are of this classifier, not of
    one that it gave way to: made since its `training`. No rule makes them anew for what reads them here."""
    there = [(Path(name), digest) for name, digest in made.items() if Path(name).is_file()]
    latest = [(path, digest) for path, digest in there if path.stat().st_mtime_ns >= training.stat().st_mtime_ns]
    return [path for path, digest in latest if sha256_of(path) == digest]


def assess_writeup_claims(claims: Path, findings: list[Path], model: dict, statistics: dict, output: Path) -> None:
    """Write one language model's claims as CSV; `model` holds its name, its settings, and the tasks of its prompts."""
    terms = Terms(shared_with_writeups(model["model"], model["tasks"]), statistics)
    write_claims(claims, findings, model["name"], terms, output)


def write_claims(
    claims: Path,
    findings: list[Path],
    name: str,
    terms: Terms,
    output: Path,
    generated: bool = False,
    own: Sequence[dict] = (),
) -> None:
    """Judge every claim, and those of the run's `own`, on the findings of these files."""
    rooms = {path.parent.name: read_findings(path) for path in findings}
    listed = [*read_yaml(claims), *own]
    rows = assess(listed, rooms, terms)
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


def assess(claims: list[dict], rooms: Rooms, terms: Terms) -> list[dict]:
    """A row for every claim on these rooms, and on those on demand; what shows no effect counts only if the claim that
    it is `given` holds."""
    asked = {room: rooms.get(room) for room in [*rooms, *terms.on_demand]}
    rows = [judged(claim, asked[room_of(claim)], terms) for claim in claims if room_of(claim) in asked]
    given = {claim["id"]: claim["given"] for claim in claims if "given" in claim}
    verdicts = {row["id"]: row["verdict"] for row in rows}
    for row in rows:
        condition = given.get(row["id"])
        if condition and row["verdict"] == "reproduced" and verdicts.get(condition) != "reproduced":
            reason = f"No effect was found, but neither was {condition}, without which it means nothing."
            row |= {"verdict": "not testable here", "untested": "blind", "note": reason}
    return rows


def parts_of(claim: dict) -> dict[str, tuple[float | str, str]]:
    """The numbers that a claim states: by name, what was published and the finding; a single number has no name."""
    finding, published = claim["finding"].partition("/")[2], claim["published"]
    if isinstance(published, dict):
        return {name: (value, finding.format(name)) for name, value in published.items()}
    return {"": (published, finding)}


def judged(claim: dict, found: Mapping[str, Finding] | None, terms: Terms) -> dict:
    """One row of the claims table; `found` is None where its room was not asked for.

    A claim of several numbers holds if each does, and fails if one is shown to fail, with Bonferroni's correction for
    their number; the row shows the number that decides, and whether it is `impossible`. What counts as none is the
    margin, unless the claim names its own tolerance.
    """
    statistics = terms.statistics
    row = {key: claim[key] for key in ("id", "source", "says")} | {"published": _wording(claim["published"])}
    row |= {"verdict": "not testable here", "note": "", "impossible": False}
    if claim["finding"] is None:
        return row | {"untested": "unmeasured"}
    if found is None and terms.stored:
        return row | {"untested": "storage", "note": STORED.format(room_of(claim))}
    if found is None:
        return row | {"untested": "on demand", "note": ASKED.format(room_of(claim))}
    if terms.several and claim.get("exclusive"):
        return row | {"untested": "one label", "note": SEVERAL}
    alpha = alpha_of(statistics)
    parts = {name: (value, _found(claim, found, finding, alpha)) for name, (value, finding) in parts_of(claim).items()}
    if any(one is None or np.isnan(one.value) for _, one in parts.values()):
        return row | {"untested": "nothing"}
    missing = [part for part in claim.get("needs", []) if part not in terms.shared]
    verdicts = list(_verdicts(claim, parts, missing, statistics))
    decisive = min(verdicts, key=lambda part: _rank(*part[1:]))
    name, published, one, verdict, reason = decisive
    if verdict == "not testable here":
        return row | _numbers(one) | {"untested": " and ".join(sorted(missing)), "note": reason}
    count = f"Of {len(parts)} numbers, {sum(part[3] == verdict for part in verdicts)} {verdict}; shown is {name}."
    row |= {"impossible": impossible(claim | {"published": published})}
    row |= {"published": f"{name} {published:.6g}"} if name and not isinstance(published, str) else {}
    row |= {"verdict": verdict, "note": " ".join(filter(None, [count if name else "", one.note, reason]))}
    if claim["judge"] == "no effect":
        row |= {"margin": claim.get("tolerance", statistics["margin"]), "equivalence_p": one.within}
    return row | _numbers(one)


def _found(claim: dict, found: Mapping[str, Finding], name: str, alpha: float) -> Finding | None:
    """What a claim is held against: the finding of this name, or the claim's `raw` one with a remark, or none.

    What goes beyond neutral words is never more than the raw rate. So that nothing changes is also shown where this
    lies within the margin; as either of two tests will do, the p of both is doubled.
    """
    one, raw = found.get(name), found.get(claim.get("raw", "").partition("/")[2])
    if raw is None:
        return one
    if one is None:
        return raw._replace(note=f"{raw.note} {UNCOMPARED}".strip())
    if claim["judge"] != "no effect":
        return one
    if 2 * raw.within <= alpha:
        return raw._replace(within=2 * raw.within, note=f"{raw.note} {NO_MORE}")
    return one._replace(within=float(np.minimum(1.0, 2 * one.within)))  # without a test, no p


def _verdicts(claim: dict, parts: dict, missing: list[str], statistics: dict) -> Iterator[tuple]:
    alpha, margin = alpha_of(statistics), statistics["margin"]
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
    words = (f"{name} {value}" if isinstance(value, str) else f"{value:.6g}" for name, value in published.items())
    return ", ".join(words)
