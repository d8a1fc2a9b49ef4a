"""The one exception for what a user can cause and mend."""


class UserError(Exception):
    """A mistake in the input. The message is one line: what is wrong, where, and how to mend it."""
