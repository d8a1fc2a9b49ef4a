"""What the terminal shows of a run; included last, when all rules are known. With `--printshellcmds`, `--verbose` or `--quiet`, and where
a logger plugin writes there, Snakemake says what it says by itself."""

import logging

from emoscope.plan.progress import part_of, show_progress

SAYS = workflow.output_settings

if workflow.is_main_process and not AS_MODULE:
    if not (SAYS.dryrun or SAYS.printshellcmds or SAYS.verbose or SAYS.quiet):
        show_progress(
            logging.getLogger("snakemake.logging"),
            {rule.name: part_of(rule.snakefile) for rule in workflow.rules},
        )
