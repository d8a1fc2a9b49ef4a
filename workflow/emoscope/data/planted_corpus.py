"""The planted corpus, `calibration` in the config, as the workflow's embedded source of texts."""

from pathlib import Path

from emoscope.data.corpus import write_source
from emoscope.data.planted import EMOTIONS, generate
from emoscope.storage.files import write_json, write_table


def generate_corpus(config: dict, corpus: Path, source: Path, truth: Path, words: Path) -> None:
    """Write the planted corpus, what was planted in it, and which words decide its sentences."""
    settings = ("rows", "seed", "label_noise", "gender_effect", "race_effect", "shortcut_share")
    generated = generate(**{key: config[key] for key in settings})
    write_table(generated.table.assign(part=""), corpus)
    write_json(generated.truth, truth)
    write_table(generated.words, words)
    write_source(source, corpus, list(EMOTIONS), source="calibration", revision=f"seed {config['seed']}")
