"""Standard input, line by line, and what is answered: UTF-8 both, whatever the terminal's encoding."""

import sys
from collections.abc import Iterator

from emoscope.errors import UserError


def input_lines() -> Iterator[str]:
    """The lines of standard input with their ends; a line ends at a line feed, and all else is text. UserError names a
    line that is not UTF-8."""
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"standard input: line {number}: byte 0x{line[error.start]:02x} is not UTF-8; convert it, for example "
                "with `iconv -f latin1 -t utf-8`"
            ) from None


def write_output(text: str) -> None:
    """Write a text to standard output as it is, at once, so that whoever reads it need not wait."""
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()
