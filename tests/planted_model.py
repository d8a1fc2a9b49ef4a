"""A planted GPT-2 in a folder, and where the two texts of its pairs differ."""

from pathlib import Path

from transformers import PreTrainedModel

from emoscope.models.planted.compiled import tokenizer_for


def save_planted(model: PreTrainedModel, folder: Path) -> None:
    """Write a compiled GPT-2 with its tokenizer."""
    model.save_pretrained(folder)
    tokenizer_for("gpt2").save_pretrained(folder)


def exchanged(text: str, changed: str) -> tuple[str, list[list[int]]]:
    """The one word of a text that is exchanged in the changed one, and the spans of both, as pairs have them."""
    words, others = text.split(), changed.split()
    place = next(place for place, (one, other) in enumerate(zip(words, others, strict=True)) if one != other)
    start = len(" ".join(words[:place])) + (place > 0)
    return words[place], [[start, start + len(words[place]), start, start + len(others[place])]]
