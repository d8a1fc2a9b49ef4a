"""emoscope: a workflow that takes a text classifier apart."""

__version__ = "1.1.0"
