"""emoscope, called from its own folder; other workflows take workflow/Snakefile as a module."""


include: "workflow/Snakefile"
