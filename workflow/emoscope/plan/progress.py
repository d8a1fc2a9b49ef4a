"""What a terminal shows of a run: a line for each part that is done, with the time left; a failed job's last lines.

Snakemake's own words, half a screen a job, stay in .snakemake/log. This hangs on the handler that brings them to the
terminal. A logger plugin would be the other way, but a profile that names one stops any run where it is not installed.
"""

import csv
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

USUAL = Path(__file__).with_name("usual_seconds.csv")  # of the default on two cores: `python -m benchmarks durations`
HANDLER = "DefaultStreamHandler"  # by this name Snakemake calls it
MERE_NEWS = (
    *("Building DAG", "Using shell", "Select jobs", "Execute ", "Conda environments: ignored", "Group jobs: inactive"),
    *("Provided ", "Rules claiming more", "Shutting down", "Singularity containers: ignored", "Exiting because"),
    "RuleException:\nCalledProcessError",  # the command line of a job that failed, of which we say more
)
CONTINUED = {  # rule files whose rules belong to the part of another
    "Snakefile": "all",
    "ablation": "induction",
    "autoencoder": "residual",
    "circuit_edges": "circuits",
    "descriptions": "training",
    "erasure": "probing",
    "feature_moves": "features",
    "masking_reference": "masking",
    "masks": "masking",
    "matched_corpora": "data",
    "models": "training",
    "records": "report",
    "soft_prompts": "prompting",
}
SHOWN = 12  # last lines of a failed job's log
BELIEF = 0.25  # how much of a run has to be done to count as much as the belief that all is as usual
SLOWEST = 0.1  # jobs at once: Snakemake itself takes time between small ones
QUIET = 60  # seconds after which a finished job has a line of its own
BAR = re.compile(r"\d+%\|.*\||\d+it \[")  # what progress bars leave in a log
STORED = re.compile(r"(\w+)://(.+) \(send to storage\)")  # as Snakemake names a file that goes to a storage
OF_OURS = re.compile(r"emoscope [\w-]+: ")  # how an error begins that says what to do
FIX = "Fix that and run the same command again; finished jobs are kept."
DEFECT = "No fix is known. If it is not your disk or memory, it is a mistake of ours: report it with that file."
KILLED = "It said nothing: it may have been killed for want of memory. A smaller `--cores` runs fewer jobs at once."
SENT_AWAY = "The cluster's own words are above. A job that was cut short is tried again, with more time and memory."


def part_of(rule_file: str) -> str:
    """The part of the workflow that a file's rules belong to."""
    stem = Path(rule_file).stem
    return CONTINUED.get(stem, stem)


class Progress:
    """Follows a run by what Snakemake logs.

    part_of: the part of the workflow that each rule belongs to. usual: seconds that a rule's jobs take elsewhere.
    """

    def __init__(self, part_of: Mapping[str, str], usual: Mapping[str, float]) -> None:
        self.part_of, self.usual = part_of, usual
        self.jobs: dict[str, int] = {}  # by rule
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.running: dict[int, tuple[str, float]] = {}  # by job: its rule, and when it began
        self.wildcards: dict[int, Mapping[str, str]] = {}
        self.began = self.said = 0.0

    def heed(self, record: logging.LogRecord) -> str | None:
        """What the terminal shows of a message; None for nothing."""
        event = str(getattr(record, "event", None) or "")
        if not event or event == "error":
            text = record.getMessage() if record.msg else ""
            return None if not text or text.startswith(MERE_NEWS) else text
        if event == "run_info":
            self.jobs = {rule: count for rule, count in record.stats.items() if rule != "total"}
            self.began = self.said = record.created
            return f"emoscope: {sum(self.jobs.values())} jobs; what Snakemake says of each is in .snakemake/log"
        if event == "job_info":
            self.running[record.jobid] = record.rule_name, record.created
            self.wildcards[record.jobid] = record.wildcards
        if event == "job_finished":
            return self._finished(record.job_id, record.created)
        if event in ("job_error", "group_error"):
            return self._failed(record)
        return None

    def _finished(self, job: int, now: float) -> str | None:
        rule, began = self.running.pop(job, ("", now))
        if not rule:
            return None
        self.took[rule].append(now - began)
        part = self.part_of.get(rule, rule)
        whole = all(len(self.took.get(other, ())) >= count for other, count in self._jobs_of(part))
        if not whole and now - self.said < QUIET:
            return None
        self.said = now
        done, total = sum(map(len, self.took.values())), sum(self.jobs.values())
        running = [(other, now - since) for other, since in self.running.values()]
        left = seconds_left(self.jobs, self.took, running, now - self.began, self.usual)
        ahead = f", {span(left)} left" if done < total else f" in {span(now - self.began)}"
        return f"emoscope: {part}{' is done' if whole else ' goes on'}; {done} of {total} jobs{ahead}"

    def _jobs_of(self, part: str) -> Iterable[tuple[str, int]]:
        return ((rule, count) for rule, count in self.jobs.items() if self.part_of.get(rule, rule) == part)

    def _failed(self, record: logging.LogRecord) -> str:
        failed = getattr(record, "job_error_info", None) or [vars(record)]
        logs = [*getattr(record, "aux_logs", ()), *(log for job in failed for log in job["log"])]
        texts, away = [], False
        for job in failed:
            self.running.pop(job["jobid"], None)
            about = ", ".join(map(" ".join, self.wildcards.get(job["jobid"], {}).items()))
            texts.append(f"emoscope: {job['rule_name']} failed" + (f" ({about})" if about else ""))
            if word := job.get("rule_msg"):  # of a cluster: what became of the job there
                texts.append(word.strip())
                away = True
        file, lines = next(((log, lines) for log in logs if (lines := last_lines(here(log)))), (None, []))
        if file:
            texts += [f"The last lines of {file.removesuffix(' (send to storage)')}:", *lines]
        return "\n".join([*texts, what_to_do(lines, away)])


def seconds_left(
    jobs: Mapping[str, int],
    took: Mapping[str, Sequence[float]],
    running: Sequence[tuple[str, float]],
    elapsed: float,
    usual: Mapping[str, float],
) -> float:
    """Seconds until all jobs are done, if they go on as before.

    jobs: how many of each rule there are in all. took: seconds of those that are done. running: of those at work, the
    rule and the seconds so far. A job will take the mean of what others of its rule took and of what is usual, times
    how much longer this run's jobs took than that, of which the first few tell little: jobs of a rule differ. As many
    run at once as did on the average.
    """
    known = median(usual.values())
    expected = sum(usual.get(rule, known) * len(seconds) for rule, seconds in took.items())
    spent = sum(map(sum, took.values()))
    belief = sum(usual.get(rule, known) * count for rule, count in jobs.items()) * BELIEF
    factor = (spent + belief) / (expected + belief)

    def one(rule: str) -> float:
        seconds = took.get(rule, ())
        return (sum(seconds) + factor * usual.get(rule, known)) / (len(seconds) + 1)

    waiting = {rule: count - len(took.get(rule, ())) for rule, count in jobs.items()}
    rest = sum(max(one(rule) - so_far, 0) - one(rule) for rule, so_far in running)
    rest += sum(one(rule) * count for rule, count in waiting.items())
    at_once = (spent + sum(so_far for _, so_far in running)) / elapsed if elapsed else 1.0
    return max(rest, 0.0) / max(at_once, SLOWEST)


def span(seconds: float) -> str:
    """A time for people: `less than a minute`, `about 12 min`, `about 3.5 h`."""
    if seconds < 60:
        return "less than a minute"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def here(log: str) -> Path:
    """Where a log lies on this machine; what a storage will get, `s3://...`, until then in Snakemake's copy of it."""
    stored = STORED.fullmatch(log)
    return Path(".snakemake", "storage", *stored.groups()) if stored else Path(log)


def last_lines(log: Path) -> list[str]:
    """The last lines of a log, without progress bars; none if there is no such file or nothing in it.

    They end with the line that says what to do, if there is one: what `torchrun` says then of its processes hides it.
    """
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = [line for line in text.splitlines() if line.strip() and not BAR.search(line)]
    end = max((number for number, line in enumerate(lines, start=1) if OF_OURS.match(line)), default=len(lines))
    return lines[:end][-SHOWN:]


def what_to_do(lines: Sequence[str], away: bool = False) -> str:
    """What a reader of a failed job's last lines can do; away: a cluster ran it, and has told what became of it."""
    if lines and OF_OURS.match(lines[-1]):
        return FIX
    if away:
        return SENT_AWAY
    return DEFECT if lines else KILLED


def usual_seconds() -> dict[str, float]:
    with USUAL.open(encoding="utf-8", newline="") as file:
        return {row["rule"]: float(row["seconds"]) for row in csv.DictReader(file)}


class _Heeded(logging.Filter):
    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress

    def filter(self, record: logging.LogRecord) -> bool:
        record.shown = self.progress.heed(record)
        return record.shown is not None


class _Shown(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return record.shown


def show_progress(logger: logging.Logger, part_of: Mapping[str, str]) -> None:
    """Have Snakemake's handler for the terminal show progress alone; if there is none, all stays as it is."""
    for handler in logger.handlers:
        if handler.name == HANDLER:
            handler.addFilter(_Heeded(Progress(part_of, usual_seconds())))
            handler.setFormatter(_Shown())
