"""The one exception for what a user can cause and fix, and what it quotes of others."""


class UserError(Exception):
    """A mistake in the input. The message is one line: what is wrong, where, and how to fix it.

    It may quote data: what is not printable, such as a line break or a control code, is written as an escape.
    """

    def __init__(self, message: str) -> None:
        super().__init__("".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in message))


def first_line(error: Exception) -> str:
    """What another library's error says, cut to one line; its type if it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
