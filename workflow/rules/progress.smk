"""What the terminal shows of a run; included last, when all rules are known. With `--printshellcmds`, `--verbose` or `--quiet`, and where
a logger plugin writes there, Snakemake says what it says by itself."""

import logging

from emoscope.plan import progress  # whose part_of is not that of helpers.smk

SAYS = workflow.output_settings

if workflow.is_main_process and not AS_MODULE:
    if not (SAYS.dryrun or SAYS.printshellcmds or SAYS.verbose or SAYS.quiet):
        progress.show_progress(
            logging.getLogger("snakemake.logging"),
            {rule.name: progress.part_of(rule.snakefile) for rule in workflow.rules},
        )
