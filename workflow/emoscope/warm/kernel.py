"""`python -m emoscope.warm.kernel ...` is `python -m ipykernel_launcher ...`, in the warm process if there is one."""

import runpy

from emoscope.warm.client import hand_over

hand_over("ipykernel_launcher")
runpy.run_module("ipykernel_launcher", run_name="__main__", alter_sys=True)
