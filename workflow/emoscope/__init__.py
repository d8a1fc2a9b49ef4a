"""emoscope: fine-tune a language model to classify emotions in tweets, then take it apart."""

__version__ = "1.0.0"
