"""The terminal of a run: what is shown, how the time left is told, and what is said of a job that failed."""

import json
import logging
import re
from pathlib import Path

import pytest

from benchmarks import durations
from emoscope.plan.progress import (
    BAR,
    DEFECT,
    FIX,
    HANDLER,
    KILLED,
    SENT_AWAY,
    SHOWN,
    USUAL,
    Progress,
    last_lines,
    part_of,
    seconds_left,
    show_progress,
    span,
    usual_seconds,
    what_to_do,
)

USUALLY = {"split": 2.0, "finetune": 300.0, "mask": 20.0}
ROOT = Path(__file__).parents[3]
PARTS = {"split": "data", "finetune": "training", "mask": "masking", "all": "all"}


class Said:
    """A run of three rules, as Snakemake would log it."""

    def __init__(self) -> None:
        self.progress = Progress(PARTS, USUALLY)

    def __call__(self, event: str | None, at: float = 0.0, text: str = "", **about: object) -> str | None:
        record = logging.LogRecord("snakemake", logging.INFO, "", 0, text, None, None)
        record.__dict__ |= about | {"event": event, "created": at}
        return self.progress.heed(record)

    def begins(self, job: int, rule: str, at: float, **wildcards: str) -> str | None:
        return self("job_info", at, jobid=job, rule_name=rule, wildcards=wildcards)

    def ends(self, job: int, at: float) -> str | None:
        return self("job_finished", at, job_id=job)


@pytest.fixture
def said() -> Said:
    run = Said()
    first = run("run_info", 0, stats={"split": 2, "finetune": 1, "mask": 2, "total": 5})
    assert first == "emoscope: 5 jobs; what Snakemake says of each is in .snakemake/log"
    return run


def test_a_part_has_its_line_when_all_of_it_is_done(said):
    assert said.begins(1, "split", 0) is None and said.begins(2, "split", 0) is None
    assert said.ends(1, 2) is None
    assert said.ends(2, 2) == "emoscope: data is done; 2 of 5 jobs, about 3 min left"
    said.begins(3, "finetune", 2)
    assert said.ends(3, 152) == "emoscope: training is done; 3 of 5 jobs, less than a minute left"


def test_a_part_of_several_rules_is_done_with_the_last_of_them():
    run = Said()
    run.progress.part_of = PARTS | {"finetune": "masking"}
    run("run_info", 0, stats={"finetune": 1, "mask": 1, "total": 2})
    run.begins(1, "finetune", 0)
    run.begins(2, "mask", 0)
    assert run.ends(1, 2) is None
    assert run.ends(2, 3).startswith("emoscope: masking is done; 2 of 2 jobs")


def test_a_long_part_has_a_line_a_minute(said):
    said.begins(1, "mask", 0)
    said.begins(2, "mask", 0)
    assert said.ends(1, 61).startswith("emoscope: masking goes on; 1 of 5 jobs, ")
    assert said.ends(2, 62).startswith("emoscope: masking is done; 2 of 5 jobs, ")


def test_the_last_line_says_how_long_it_took():
    run = Said()
    run("run_info", 0, stats={"mask": 1, "total": 1})
    run.begins(1, "mask", 0)
    assert run.ends(1, 720) == "emoscope: masking is done; 1 of 1 jobs in about 12 min"


def test_time_left_is_what_is_usual_until_jobs_say_otherwise():
    jobs = {"split": 2, "finetune": 1, "mask": 2}
    alone = {"elapsed": 4.0, "usual": USUALLY}
    assert seconds_left(jobs, {"split": [2, 2]}, [], **alone) == pytest.approx(340)
    late = seconds_left(jobs, {"split": [4, 4], "finetune": [600]}, [], elapsed=608, usual=USUALLY)
    assert late == pytest.approx(40 * (608 + 86) / (304 + 86))  # half as fast; 86 is a quarter of all that is usual
    assert seconds_left(jobs, {"split": [2, 2]}, [], elapsed=2, usual=USUALLY) == pytest.approx(170)  # two at once
    took = {"split": [2, 2], "mask": [50]}
    found = seconds_left(jobs, took, [], elapsed=54, usual=USUALLY)
    slower = (54 + 86) / (24 + 86)
    assert found == pytest.approx((50 + 20 * slower) / 2 + 300 * slower)  # jobs of a rule may differ


def test_what_runs_is_counted_for_what_it_lacks():
    jobs = {"mask": 3}
    found = seconds_left(jobs, {"mask": [20]}, [("mask", 15.0)], elapsed=35, usual=USUALLY)
    assert found == pytest.approx(20 + 5)
    late = seconds_left(jobs, {"mask": [20]}, [("mask", 90.0)], elapsed=110, usual=USUALLY)
    assert late == pytest.approx(20)  # one that takes longer than it should is about to end


def test_an_unknown_rule_takes_as_long_as_others():
    assert seconds_left({"new": 1}, {}, [], elapsed=1, usual=USUALLY) == pytest.approx(20 / 0.1)
    assert seconds_left({"split": 1, "new": 1}, {"split": [2]}, [], elapsed=2, usual=USUALLY) == pytest.approx(20)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59, "less than a minute"), (61, "about 1 min"), (5000, "about 83 min"), (9000, "about 2.5 h")],
)
def test_times_are_for_people(seconds, text):
    assert span(seconds) == text


def test_news_of_snakemake_are_kept_for_its_own_log(said):
    for news in ("Select jobs to execute...", "Building DAG of jobs...", "Shutting down, this might take some time."):
        assert said(None, text=news) is None
    assert said("shellcmd", shellcmd="python") is None and said("progress", done=1, total=2) is None
    assert said("error", text="RuleException:\nCalledProcessError in file x") is None
    assert said("error", text="MissingInputException: x") == "MissingInputException: x"
    for word in ("Nothing to be done (all requested files are present and up to date).", "Trying to restart job 3."):
        assert said(None, text=word) == word


def fails(said: Said, log: Path, word: str | None = None) -> list[str]:
    said.begins(7, "mask", 0, run="tiny-s1", block="3")
    return said("job_error", 5, jobid=7, rule_name="mask", log=[str(log)], rule_msg=word).splitlines()


def test_a_failed_job_shows_its_last_lines_and_the_mend(said, tmp_path):
    log = tmp_path / "mask.log"
    log.write_text(
        "".join(f"line {n}\n" for n in range(50))
        + "  7%|#   | 3/40\r 9%|#   | 4/40\nemoscope mask: no disk; free some\n"
    )
    shown = fails(said, log)
    assert shown[0] == "emoscope: mask failed (run tiny-s1, block 3)"
    assert shown[1] == f"The last lines of {log}:"
    assert shown[2:-1] == [*(f"line {n}" for n in range(51 - SHOWN, 50)), "emoscope mask: no disk; free some"]
    assert shown[-1] == FIX
    assert 7 not in said.progress.running


def test_a_failed_jobs_log_is_read_before_it_goes_to_a_storage(said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = Path(".snakemake/storage/s3/texts/logs/mask.log")
    log.parent.mkdir(parents=True)
    log.write_text("emoscope mask: no disk; free some\n")
    said.begins(7, "mask", 0)
    stored = ["s3://texts/logs/mask.log (send to storage)"]
    shown = said("job_error", 5, jobid=7, rule_name="mask", log=stored).splitlines()
    assert shown[1:] == ["The last lines of s3://texts/logs/mask.log:", "emoscope mask: no disk; free some", FIX]


def test_what_is_not_the_users_doing_is_said_to_be_ours(said, tmp_path):
    log = tmp_path / "mask.log"
    log.write_text("Traceback (most recent call last):\nKeyError: 'joy'\n")
    assert fails(said, log)[-1] == DEFECT


def test_what_torchrun_says_of_its_processes_does_not_hide_the_mend(said, tmp_path):
    log = tmp_path / "finetune.log"
    ours = "emoscope finetune: the corpus has no validation part; fix that\n"
    box = "".join(f"torchrun's line {n}\n" for n in range(40))
    log.write_text(
        f"  0%|    | 0/1\nloading\n{ours}{ours}{box}torch.distributed.elastic.ChildFailedError: \n{'=' * 60}\n"
    )
    assert fails(said, log)[2:] == ["loading", ours.strip(), ours.strip(), FIX]


def test_a_job_that_said_nothing_was_perhaps_killed(said, tmp_path):
    assert fails(said, tmp_path / "none.log") == ["emoscope: mask failed (run tiny-s1, block 3)", KILLED]
    assert what_to_do([]) == KILLED and last_lines(tmp_path) == []


def test_a_cluster_says_what_became_of_a_job(said, tmp_path):
    log = tmp_path / "mask.log"
    word = "SLURM-job '3' failed, SLURM status is: 'TIMEOUT'. "
    assert fails(said, log, word) == ["emoscope: mask failed (run tiny-s1, block 3)", word.strip(), SENT_AWAY]
    log.write_text("loading\n")
    assert fails(said, log, word)[1:] == [word.strip(), f"The last lines of {log}:", "loading", SENT_AWAY]
    log.write_text("emoscope mask: fix me\n")
    assert fails(said, log, word)[-1] == FIX


def test_a_failed_group_names_its_jobs(said, tmp_path):
    log = tmp_path / "b.log"
    log.write_text("emoscope mask: fix me\n")
    said.begins(1, "mask", 0, block="1")
    said.begins(2, "mask", 0, block="2")
    jobs = [{"rule_name": "mask", "jobid": 1, "log": ["none"]}, {"rule_name": "mask", "jobid": 2, "log": [str(log)]}]
    shown = said("group_error", 5, job_error_info=jobs, aux_logs=[]).splitlines()
    assert shown[:2] == ["emoscope: mask failed (block 1)", "emoscope: mask failed (block 2)"]
    assert shown[-2:] == ["emoscope mask: fix me", FIX]


@pytest.mark.parametrize("line", ["  7%|#    | 3/40 [00:01<00:12]", "mutants: 100%|##########| 4/4", "12it [00:01]"])
def test_progress_bars_are_no_last_lines(line):
    assert BAR.search(line) and not BAR.search("accuracy fell by 7%")


def test_only_the_terminals_handler_is_changed():
    logger = logging.Logger("snakemake.logging")
    terminal, file = logging.Handler(), logging.Handler()
    terminal.name = HANDLER
    logger.addHandler(terminal)
    logger.addHandler(file)
    show_progress(logger, PARTS)
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, "Select jobs to execute...", None, None)
    assert not terminal.filter(record) and file.filter(record) and file.formatter is None
    assert record.getMessage() == "Select jobs to execute..."  # for the whole log


def test_a_part_is_one_that_can_be_asked_for():
    files = [ROOT / "workflow/Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]
    targets = {path: set(re.findall(r"^rule (\w+):", path.read_text(), flags=re.MULTILINE)) for path in files}
    parts = {part_of(str(path)) for path, rules in targets.items() if rules}
    assert parts - set().union(*targets.values()) == {"data", "training", "perturbation", "report"}
    assert {"all", "masking", "circuits"} <= parts


def test_usual_times_are_of_rules_that_are_there():
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    usual = usual_seconds()
    assert len(usual) > 40 and min(usual.values()) > 0
    assert not [rule for rule in usual if f"rule {rule}:" not in rules and f" as {rule} with:" not in rules]


def test_usual_times_are_the_means_of_a_run(tmp_path, monkeypatch):
    folder = tmp_path / ".snakemake" / "metadata"
    folder.mkdir(parents=True)
    for number, (rule, log, start, end) in enumerate(
        [("mask", "a", 0, 10), ("mask", "a", 0, 10.5), ("mask", "b", 5, 25.5), ("split", "c", 1, 2)]
    ):
        record = {"rule": rule, "log": [log], "starttime": start, "endtime": end}
        (folder / str(number)).write_text(json.dumps(record))
    assert durations.durations(tmp_path) == {"mask": pytest.approx(15.5), "split": 1}
    monkeypatch.setattr(durations, "USUAL", tmp_path / USUAL.name)
    assert durations.measure(str(tmp_path)) == {"rules": 2}
    assert (tmp_path / USUAL.name).read_text() == "rule,seconds\nmask,15.5\nsplit,1.0\n"
