"""Where the workflow writes. Imported by the Snakefile: nothing heavy in here."""

WRITTEN = ("data/corpora", "data/models", "data/tasks", "reports", "work")  # and below results/
