"""Text files of strangers, line by line. Imported by the Snakefile: nothing heavy in here."""

from pathlib import Path

from emoscope.errors import UserError


def files_in(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder, but not of folders in it, with such names, sorted; none if there is no such folder."""
    return sorted(filter(Path.is_file, folder.glob(pattern)))


def check_utf8(path: Path) -> None:
    """UserError that names the line and the byte if a file is not text in UTF-8."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                byte = line[error.start]
                raise UserError(
                    f"{path}: line {number}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
                ) from None
            if b"\0" in line:
                raise UserError(f"{path}: line {number}: byte 0x00 is no text; save the file as UTF-8")


def text_lines(path: Path) -> list[str]:
    """The lines of a file without their ends, nor an empty one behind the last end; UserError if it is not UTF-8.

    Lines end at a line feed alone, or at one behind a carriage return: `splitlines` would cut inside a tweet, too.
    """
    check_utf8(path)
    lines = path.read_bytes().decode("utf-8-sig").split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]
