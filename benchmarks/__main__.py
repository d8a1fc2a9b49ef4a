"""Measure how fast emoscope is: `python -m benchmarks [NAME [ARGUMENT ...]]`, from the project's folder.

Without a name, every benchmark of FASTER runs, each in a process of its own. A benchmark prints one JSON line: its
ratios, taken side by side in one run, the machine's ceilings, and where and on which commit it ran. See README.md here.
"""

import contextlib
import importlib
import json
import subprocess
import sys

FASTER = ("training", "masking", "prediction", "memory", "startup", "growth")


def main() -> None:
    if len(sys.argv) > 1:
        name, *arguments = sys.argv[1:]
        from benchmarks.measuring import machine

        where = machine()
        with contextlib.redirect_stdout(sys.stderr):  # the Trainer reports there
            found = importlib.import_module(f"benchmarks.{name}").measure(*arguments)
        print(json.dumps({"benchmark": name, **where, **found}), flush=True)
        return
    for name in FASTER:
        subprocess.run([sys.executable, "-m", "benchmarks", name], check=True)


if __name__ == "__main__":
    main()
