"""The planted corpus, `calibration` in the config, as the workflow's embedded source of texts."""

from pathlib import Path

from emoscope.data.corpus import write_source
from emoscope.data.planted import EMOTIONS, generate
from emoscope.storage.files import write_json, write_table


def generate_corpus(config: dict, corpus: Path, source: Path, truth: Path) -> None:
    """Write the planted corpus and what was planted in it."""
    settings = {key: config[key] for key in ("rows", "seed", "label_noise", "gender_effect", "race_effect")}
    table, planted = generate(**settings)
    write_table(table.assign(part=""), corpus)
    write_json(planted, truth)
    write_source(source, corpus, list(EMOTIONS), source="calibration", revision=f"seed {config['seed']}")
