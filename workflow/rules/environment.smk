"""What jobs find: this package, and the Python that runs Snakemake, whether or not its environment was activated; and no
pandas.py or tokenize.py that lies in the working folder. No rules."""

import os
from shlex import quote

DEPLOYED = bool(workflow.deployment_settings.deployment_method)  # jobs run in conda environments, or the like
BESIDE = str(Path(sys.executable).parent)

if not AS_MODULE:
    os.environ.update(
        PYTHONSAFEPATH="1",
        PYTHONPATH=os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")])),
        PATH=os.pathsep.join([BESIDE, os.environ.get("PATH", os.defpath)]),
    )
if AS_MODULE or DEPLOYED:

    class shell(shell):
        """Snakemake's, for these rules alone: as a module, they leave the jobs of their user's rules as they are."""

    # said in the command, behind what activates a conda environment: Snakemake takes PYTHONPATH away from such a job
    told = "PYTHONSAFEPATH=1 PYTHONPATH=" + quote(str(PACKAGE)) + "${PYTHONPATH:+:$PYTHONPATH}"
    if not DEPLOYED:
        told += f" PATH={quote(BESIDE)}:$PATH"
    # Snakemake formats a prefix: braces that stand for themselves are doubled
    shell.prefix(f"set -euo pipefail; export {told}; ".replace("{", "{{").replace("}", "}}"))
