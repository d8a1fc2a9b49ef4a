"""Taking over a classifier that was trained elsewhere, as it is."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from emoscope.errors import UserError
from emoscope.models.families import DESCRIBED
from emoscope.models.folder import check_model_folder
from emoscope.models.loading import check_blocks, load_classifier, load_tokenizer
from emoscope.models.parts import family_of, longest_text
from emoscope.models.sources import copy_files, told_of
from emoscope.storage.files import read_json, replacing, write_json
from emoscope.storage.integrity import seal
from emoscope.training.checkpoints import begin, clear
from emoscope.training.context import cut_texts
from emoscope.training.labels import labels_of, written_names

ADOPTED = "adopted"  # in place of the name of a training's folder
UNKNOWN = ["the texts it was trained on", "how it was trained"]


def adopt_model(
    base: Path, audit: Path, train: Path, test: Path, config: dict, checkpoints: Path, output: Path, history: Path
) -> None:
    """Write the folder of a run whose classifier lies in the folder `base`, and what is known of its training; and how
    many texts of the training and test set are longer than its context.

    Weights, vocabulary and card are copied byte for byte. Its labels get the names that `audit` has for them, and what
    prediction in batches needs is written down where the folder leaves it open: a padding token, and the longest text.
    Where the run was trained before, below `checkpoints`, that is no longer wanted: UserError if it is still at work.
    """
    locks = begin(checkpoints / ADOPTED) if checkpoints.is_dir() else []
    described = config.get("family")
    check_model_folder(base, described)
    about = read_json(audit)
    texts = pd.concat([pd.read_parquet(path, columns=["text"]) for path in (train, test)])["text"]
    own = labels_of(base, about.get("multilabel", False))
    with replacing(output) as folder, told_of(folder, str(base)):
        copy_files(base, folder)
        name_labels(folder / "config.json", about["classes"])
        if described:
            change(folder / "config.json", {DESCRIBED: described})
        model, tokenizer = load_classifier(folder)
        check_blocks(model, config["blocks"])
        check_pads(folder, model, tokenizer)
        settle(folder, model, tokenizer)
        cut = cut_texts(load_tokenizer(folder), texts)  # as it cuts from now on
        seal(folder)
    write_json(
        {
            "trained": "elsewhere",
            "unknown": UNKNOWN,
            "labels": dict(zip(own, about["classes"], strict=True)),
            "parameters": model.num_parameters(),
            "texts": len(texts),
            "texts_cut": cut,
        },
        history,
    )
    if locks:
        clear(checkpoints / ADOPTED, locks)


def name_labels(file: Path, classes: list[str]) -> None:
    """Give the labels in a model's config.json these names, if they have others."""
    if classes != written_names(read_json(file)):
        names = {
            "id2label": {str(number): name for number, name in enumerate(classes)},
            "label2id": {name: number for number, name in enumerate(classes)},
        }
        change(file, names)


def check_pads(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """UserError if the model reads its last token, but takes for padding another one than its tokenizer pads with."""
    meant, used = model.config.pad_token_id, tokenizer.pad_token_id
    if family_of(model).pools_first or None in (meant, used) or meant == used:
        return
    raise UserError(
        f"{folder}: config.json says pad_token_id {meant}, but the tokenizer pads with {tokenizer.pad_token!r}, number "
        f"{used}, which the classification head would read as a text's last token; name the same token in both, the "
        "one that it was trained with: `pad_token_id` in config.json, `pad_token` in tokenizer_config.json"
    )


def settle(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Settle how texts are padded and cut, as fine-tuning does, and write it down where the folder does not say so."""
    change(folder / "tokenizer_config.json", settle_tokenizer(model, tokenizer))
    if model.config.pad_token_id is None:
        change(folder / "config.json", {"pad_token_id": tokenizer.pad_token_id})


def settle_tokenizer(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> dict[str, str | int]:
    """Let a loaded tokenizer pad and cut texts as fine-tuning does; its settings that this changed, and how it cuts."""
    number = model.config.pad_token_id
    meant = tokenizer.eos_token if number is None else tokenizer.convert_ids_to_tokens(number)
    wanted = {"pad_token": tokenizer.pad_token or meant, "padding_side": "right"}
    changes = {name: value for name, value in wanted.items() if getattr(tokenizer, name) != value}
    changes["model_max_length"] = longest_text(model, tokenizer)
    for name, value in changes.items():
        setattr(tokenizer, name, value)
    return changes


def change(file: Path, settings: Mapping) -> None:
    """Give a JSON file these settings; one that has them keeps its bytes."""
    written = read_json(file) if file.is_file() else {}
    if written | settings != written:
        write_json(written | settings, file)
