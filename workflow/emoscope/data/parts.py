"""What the files of a folder are for, by their names. Imported by the Snakefile: nothing heavy in here."""

from pathlib import Path

from emoscope.data.plain_text import files_in

VALIDATION = ("val", "valid", "validation", "dev")  # what parts are called that are neither for training nor for test
ENDINGS = {"semicolon": ".txt", "parallel": "_text.txt", "tabbed": ".tsv"}  # of such files, behind the part's name


def parts_in(folder: Path, source: str) -> list[str]:
    """The parts of a corpus whose files lie in a folder; none where its `source` has no files by part, or no folder."""
    ending = ENDINGS.get(source)
    return [file.name.removesuffix(ending).casefold() for file in files_in(folder, f"*{ending}")] if ending else []
