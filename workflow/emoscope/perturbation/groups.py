"""The two groups of people that each axis of flips tells apart. Imported by the Snakefile: nothing heavy in here."""

GROUPS = {"gender": ("male", "female"), "race": ("white", "black")}  # gaps are those of the first minus the second
