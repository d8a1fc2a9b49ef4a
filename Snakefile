"""emoscope, called from its own folder; other workflows take workflow/Snakefile as a module."""


include: "workflow/Snakefile"


workflow.default_target = "all"  # Snakemake forgets that of an included file
