"""Snakemake in a fork of a process that has imported it: what that had of this package goes, since a Snakefile imports
its own, and so does what the process was found by."""

import os
import runpy
import sys

for module in [name for name in sys.modules if name.partition(".")[0] == "emoscope"]:
    del sys.modules[module]
found_by = os.environ.pop("PYTHONPATH").split(os.pathsep)
sys.path[:] = [folder for folder in sys.path if folder not in found_by]
del os.environ["PYTHONSAFEPATH"]
os.environ["EMOSCOPE_WARM"] = "no"
runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
