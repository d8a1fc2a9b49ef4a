"""What a usable model folder holds. Imported by the Snakefile: nothing heavy in here."""

import json
from pathlib import Path

from emoscope.errors import UserError


def check_model_folder(folder: Path) -> None:
    """Check that a folder holds a Hugging Face model: config, safetensors weights, tokenizer; UserError if not."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such model folder; give the path of a Hugging Face model folder")
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder}: no config.json; give the folder that `save_pretrained` wrote")
    for file in ("config.json", "tokenizer_config.json"):
        if (folder / file).is_file() and "auto_map" in _settings(folder / file):
            raise UserError(
                f"{folder}: {file} names code to be run on loading (auto_map), which is never run; "
                "choose a model that needs no code of its own"
            )
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        pickles = sorted(file.name for suffix in ("*.bin", "*.pt", "*.pth", "*.ckpt") for file in folder.glob(suffix))
        found = f"only a pickle ({pickles[0]}), which can run code when loaded" if pickles else "no weights"
        raise UserError(f"{folder}: {found}; save the model with `save_pretrained(..., safe_serialization=True)`")
    if not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model")):
        raise UserError(f"{folder}: no tokenizer; save it there with `tokenizer.save_pretrained({str(folder)!r})`")
    for file in weights:
        if not _is_complete(file):
            raise UserError(f"{file}: cut short or damaged; fetch the model again")


def _is_complete(weights: Path) -> bool:
    """A safetensors file starts with the length of its header, which says where each tensor's bytes end.

    Read by hand: safetensors' `safe_open` imports numpy, 0.14 s more at the start of every job.
    """
    size = weights.stat().st_size
    with weights.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length >= size:
            return False
        header = stream.read(length)
    try:
        ends = [tensor["data_offsets"][1] for name, tensor in json.loads(header).items() if name != "__metadata__"]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):  # not a header
        return False
    return size == 8 + length + max(ends, default=0)


def _settings(file: Path) -> dict:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{file}: not a JSON file: {error}; fetch the model again") from None
    if not isinstance(settings, dict):
        raise UserError(f"{file}: no JSON object; fetch the model again")
    return settings
