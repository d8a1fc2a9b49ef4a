"""The command that ends a killed run's jobs on a cluster, with a Slurm that only lists them."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SQUEUE = """#!{python}
import sys
[form] = [word for word in sys.argv[1:] if "%" in word]
jobs = [{jobs}]
if "--me" in sys.argv:
    jobs = [job for job in jobs if job["user"] == "me"]
for job in jobs:
    print(form.replace("%i", job["number"]).replace("%j", job["name"]).replace("%Z", job["folder"]))
"""


def test_on_slurm_the_clean_up_ends_jobs_of_the_same_folder_alone(tmp_path):
    """And none at all where there is none."""
    here = tmp_path / "my study"
    here.mkdir()
    (tmp_path / "link").symlink_to(here)
    places = {"1": here, "2": tmp_path, "3": f"{here}-2", "4": here, "5": here, "6": here / "more", "7": here}
    jobs = [{"number": n, "name": f"emoscope_{n}a", "folder": str(place), "user": "me"} for n, place in places.items()]
    jobs[3]["name"], jobs[4]["user"] = "training", "another"
    page = (ROOT / "docs" / "set-ups.md").read_text(encoding="utf-8").replace("\n", " ")
    [command] = re.findall(r"`(squeue .*?)`", page)

    def ended(queue: list[dict]) -> str:
        said = tmp_path / "ended"
        said.unlink(missing_ok=True)
        for name, text in {
            "squeue": SQUEUE.format(python=sys.executable, jobs=", ".join(map(repr, queue))),
            "scancel": f"#!/bin/sh\necho \"$@\" >> '{said}'\n",
        }.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        shell = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PWD": str(tmp_path / "link")}
        subprocess.run(["sh", "-c", command], cwd=tmp_path / "link", env=shell, check=True)
        return said.read_text() if said.exists() else "nothing"

    assert ended(jobs) == "1 7\n"
    assert ended(jobs[1:6]) == "nothing"
