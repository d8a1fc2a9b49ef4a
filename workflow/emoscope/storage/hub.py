"""The Hugging Face hub: whatever keeps it from giving what was asked for becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from emoscope.errors import UserError, first_line


@contextmanager
def asking_hub(
    repository: str, hint: str = "the default configuration and workflow/configs/tweets.yaml work offline"
) -> Iterator[None]:
    """Turn any error of the block into a UserError that names the repository and ends with the hint."""
    try:
        yield
    except Exception as error:  # the hub's clients raise many unrelated types when it is out of reach
        raise UserError(f"the hub did not give {repository}: {first_line(error)}; {hint}") from error
