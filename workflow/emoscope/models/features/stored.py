"""Sparse autoencoders as files: tensors as safetensors, and settings, such as `active` and `block`, in the metadata."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from emoscope.models.features.autoencoder import TopKAutoencoder
from emoscope.storage.files import replacing


def save(tensors: Mapping[str, Tensor], settings: dict, path: Path) -> None:
    """Write tensors and, as JSON, settings into one safetensors file."""
    metadata = {"settings": json.dumps(settings)}  # one entry: safetensors writes several in any order
    with replacing(path) as temporary:
        save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, temporary, metadata)


def load(path: Path, device: torch.device) -> tuple[dict[str, Tensor], dict]:
    """The tensors and settings that `save` wrote."""
    with safe_open(path, "pt", device=str(device)) as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        return tensors, json.loads(stored.metadata()["settings"])


def autoencoder_of(tensors: Mapping[str, Tensor], active: int) -> TopKAutoencoder:
    """The autoencoder with these tensors, where they are, no longer to be trained."""
    features, width = tensors["encoder"].shape
    autoencoder = TopKAutoencoder(width, features, active).to(tensors["encoder"].device)
    autoencoder.load_state_dict(tensors)
    return autoencoder.requires_grad_(False)


def save_autoencoders(autoencoders: list[TopKAutoencoder], block: int, path: Path) -> None:
    """Write the tensors of all seeds, stacked."""
    states = [own.state_dict() for own in autoencoders]
    tensors = {name: torch.stack([state[name] for state in states]) for name in (states[0] if states else ())}
    save(tensors, {"active": [own.active for own in autoencoders], "block": block}, path)


def load_autoencoders(path: Path, device: torch.device) -> tuple[list[TopKAutoencoder], int]:
    """What `save_autoencoders` wrote: one for each seed, and the block."""
    tensors, settings = load(path, device)
    each = [{name: tensor[seed] for name, tensor in tensors.items()} for seed in range(len(settings["active"]))]
    return [autoencoder_of(*own) for own in zip(each, settings["active"], strict=True)], settings["block"]
