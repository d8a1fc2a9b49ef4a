"""What a usable model folder holds. Imported by the Snakefile: nothing heavy in here."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from emoscope.errors import UserError
from emoscope.models.families import DEPTHS, DESCRIBED, WIDTHS, Family, family_named, unknown
from emoscope.models.tokenizer_files import check_tokenizer_files, read_object

PLAIN_FILES = ("*.json", "*.txt", "*.safetensors", "*.model", "*.codes")  # never a pickle
WEIGHTS = "model.safetensors"
CLASSIFIER = "ForSequenceClassification"  # ends the names of such architectures
FLOATS = {"F64", "F32", "F16", "BF16"}
BUFFERS = re.compile(r"(^|\.)((attn|attention)\.(masked_)?bias|(position|token_type)_ids)$")  # old versions saved them


def check_model_folder(folder: Path, described: dict | None = None) -> None:
    """Check that a folder holds a Hugging Face model of a known family: config, whole float weights, tokenizer.

    `described` is the family's description, if the configuration has one. UserError if something is missing, or if
    something in the folder would be left out without a word.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such model folder; give the path of a Hugging Face model folder")
    if adapters := sorted(file.name for file in folder.glob("adapter_*") if file.suffix in (".json", ".safetensors")):
        raise UserError(
            f"{folder}: an adapter ({adapters[0]}), which would be left out; merge it into its model "
            "(`merge_and_unload()` of peft) and give the folder that `save_pretrained` writes then"
        )
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder}: no config.json; give the folder that `save_pretrained` wrote")
    for file in ("config.json", "tokenizer_config.json"):
        if (folder / file).is_file() and "auto_map" in read_object(folder / file):
            raise UserError(
                f"{folder}: {file} names code to be run on loading (auto_map), which is never run; "
                "choose a model that needs no code of its own"
            )
    config = read_object(folder / "config.json")
    family = _family(folder, config | ({DESCRIBED: described} if described else {}))
    tensors = _tensors(folder)
    _check_floats(folder, config, tensors)
    check_tokenizer_files(folder, config, family, _rows(folder, family, tensors))


def tensor_names(folder: Path) -> list[str]:
    """The names of all weights of a model folder."""
    return sorted(_tensors(folder))


def _tensors(folder: Path) -> dict[str, tuple[str, list[int]]]:
    return {name: tensor for file in _weight_files(folder) for name, tensor in _header(file).items()}


def _family(folder: Path, config: dict) -> Family:
    if (family := family_named(config)) is None:
        raise UserError(f"{folder}: config.json says {unknown(config.get('model_type'))}")
    if (positions := config.get("position_embedding_type", "absolute")) != "absolute":
        raise UserError(
            f"{folder}: config.json says position_embedding_type {positions!r}, whose weights transformers would leave "
            "out; choose a model with absolute positions"
        )
    return family


def holds_classifier(folder: Path) -> bool:
    """Whether config.json says that a folder holds a classifier of texts, with its classification head."""
    return any(name.endswith(CLASSIFIER) for name in architectures_in(folder))


def architectures_in(folder: Path) -> list[str]:
    """The names of the classes that config.json says a model is of, such as BertForMaskedLM."""
    names = read_object(folder / "config.json").get("architectures")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def blocks_in(folder: Path) -> int | None:
    """The number of transformer blocks by a model folder's config.json; None where that does not say."""
    return _number_in(folder, DEPTHS)


def width_in(folder: Path) -> int | None:
    """The width of the residual stream by a model folder's config.json; None where that does not say."""
    return _number_in(folder, WIDTHS)


def _number_in(folder: Path, names: Iterable[str]) -> int | None:
    file = folder / "config.json"
    config = read_object(file) if file.is_file() else {}
    return next((config[name] for name in names if isinstance(config.get(name), int)), None)


def _weight_files(folder: Path) -> list[Path]:
    """What transformers reads: one file, or those that an index names."""
    index = folder / f"{WEIGHTS}.index.json"
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if index.is_file():
        try:
            names = sorted(set(map(str, read_object(index)["weight_map"].values())))
        except (KeyError, AttributeError):
            raise UserError(f"{index}: no weight_map, which names the files; fetch the model again") from None
        if lost := [name for name in names if not (folder / name).is_file()]:
            raise UserError(
                f"{folder}: {lost[0]} is missing; {index.name} names {len(names)} files, of which "
                f"{len(names) - len(lost)} are there; fetch the model again"
            )
        return [folder / name for name in names]
    if others := sorted(file.name for file in folder.glob("*.safetensors")):
        raise UserError(
            f"{folder}: {others[0]}, but no {WEIGHTS} and no {index.name}; fetch the whole model, or save it again "
            "with `save_pretrained`"
        )
    pickles = sorted(file.name for suffix in ("*.bin", "*.pt", "*.pth", "*.ckpt") for file in folder.glob(suffix))
    found = f"only a pickle ({pickles[0]}), which can run code when loaded" if pickles else "no weights"
    raise UserError(f"{folder}: {found}; save the model with `save_pretrained(..., safe_serialization=True)`")


def _header(weights: Path) -> dict[str, tuple[str, list[int]]]:
    """Each tensor's type, such as F32, and shape; UserError for a file that is not whole.

    A safetensors file starts with the length of its header, which says where each tensor's bytes end.
    Read by hand: safetensors' `safe_open` imports numpy, 0.14 s more at the start of every job.
    """
    size = weights.stat().st_size
    with weights.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = stream.read(length) if length < size else b""
    try:
        entries = {name: entry for name, entry in json.loads(header).items() if name != "__metadata__"}
        tensors = {name: (entry["dtype"], entry["shape"]) for name, entry in entries.items()}
        whole = size == 8 + length + max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):  # not a header
        whole = False
    if not whole:
        raise UserError(f"{weights}: cut short or damaged; fetch the model again")
    return tensors


def _check_floats(folder: Path, config: dict, tensors: dict[str, tuple]) -> None:
    kinds = ((name, kind) for name, (kind, _) in sorted(tensors.items()) if not BUFFERS.search(name))
    found = [f"{name} is {kind}" for name, kind in kinds if kind not in FLOATS]
    if config.get("quantization_config"):
        found.insert(0, "quantization_config in config.json")
    if found:
        raise UserError(
            f"{folder}: quantised weights ({found[0]}), which can be neither trained nor taken apart; give the model "
            "as it was before, or `dequantize()` it and save it again"
        )


def _rows(folder: Path, family: Family, tensors: dict[str, tuple]) -> int | None:
    """How many tokens the embedding knows, by the headers; None where it goes by no name of its family's."""
    whole = f"{family.embedding}.weight"
    base, bare = whole.split(".", 1)
    for name in (whole, bare):
        if name in tensors:
            return tensors[name][1][0]
    for name in sorted(tensors):
        if name.endswith(f".{bare}"):
            prefix = name.removesuffix(bare).removesuffix(f"{base}.")
            raise UserError(
                f"{folder}: names of its weights begin with {prefix!r} (such as {name}), so they would not be found; "
                "save the model itself with `save_pretrained`, not what wraps it"
            )
    return None
