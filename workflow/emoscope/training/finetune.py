"""Fine-tuning a classifier with the transformers Trainer."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import torch
import transformers
from transformers import (
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from emoscope.errors import UserError
from emoscope.models.batches import encode
from emoscope.models.folder import PLAIN_FILES, check_model_folder
from emoscope.models.inside.padding import assert_padding
from emoscope.models.inside.structure import check_parts
from emoscope.models.loading import check_blocks, load_tokenizer
from emoscope.models.onednn import use_onednn
from emoscope.models.precision import attending_in_float32, use_bf16
from emoscope.storage.decisions import has_several
from emoscope.storage.files import read_json, replacing, write_json
from emoscope.storage.integrity import seal
from emoscope.training.balance import balanced
from emoscope.training.checkpoints import VERSIONS, begin, check_wanted, clear, fingerprint, last_checkpoint
from emoscope.training.context import cut_texts
from emoscope.training.start import start_model, train_tokenizer

BEST = "best"  # `keep` of a recipe: the weights after the epoch with the lowest loss on validation texts


def finetune(
    train: Path, audit: Path, base: list[Path], config: dict, checkpoints: Path, output: Path, history: Path,
    validation: list[Path] = (), code: list[Path] = (),
) -> None:  # fmt: skip
    """Fine-tune a classifier on `train`; write its folder and the history of the training.

    `config` holds `model`, `training` and `seed`; `base` is the folder of the model to start from, or nothing to start
    from random weights. Checkpoints go below `checkpoints`, in a folder named after all that decides the result, the
    files of the `code` that trains among it, so that a killed job resumes and a changed one never does; at the end the
    folder is deleted, and with it what trainings with other settings left there. UserError, and nothing is written, if
    one with other settings is at work or was started since.

    With `keep: best` in `training`, the weights are those after the epoch with the lowest loss on the texts of
    `validation`, none of which is trained on; else those after the last.

    A vocabulary is learned from all texts, also where the classifier is shown only some of the common classes.
    """
    folder = base[0] if base else None
    if folder:
        check_model_folder(folder, config["model"].get("family"))
    texts = pd.read_parquet(train)
    held = [pd.read_parquet(path) for path in validation]
    check_validation(held, validation)
    classes = read_json(audit)["classes"]
    model, tokenizer = ready_to_train(folder, texts, classes, config)
    files = sorted(file for pattern in PLAIN_FILES for file in folder.glob(pattern)) if folder else []
    scratch = checkpoints / fingerprint(config, [train, *validation, *files, *code])
    arguments = training_arguments(config["training"], config["seed"], model.config.hidden_size, scratch)
    texts, labels, loss = balanced(texts, classes, config["training"]["balance"], config["seed"])
    rows = rows_of(tokenizer, texts["text"], labels)
    judged = [rows_of(tokenizer, part["text"], balanced(part, classes, "none", 0)[1]) for part in held]
    trainer = trainer_of(model, tokenizer, rows, arguments, loss, *judged)
    locks = begin(scratch) if trainer.is_world_process_zero() else []  # a job outlives a killed Snakemake
    start, checkpoint = time.perf_counter(), last_checkpoint(scratch)
    trainer.train(resume_from_checkpoint=checkpoint)
    seconds = time.perf_counter() - start
    if not trainer.is_world_process_zero():
        return
    check_wanted(scratch, output)
    check_finite(trainer, output)
    with replacing(output) as temporary:
        trainer.save_model(temporary)
        (temporary / "training_args.bin").unlink(missing_ok=True)  # a pickle, and not part of the model
        seal(temporary)
    write_json(_history(trainer, checkpoint, seconds, cut_texts(tokenizer, texts["text"])), history)
    clear(scratch, locks)


def ready_to_train(
    folder: Path | None, texts: pd.DataFrame, classes: list[str], config: dict
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model that is trained and its tokenizer, checked for what is to be done with them."""
    transformers.set_seed(config["seed"])
    tokenizer = load_tokenizer(folder) if folder else train_tokenizer(texts["text"], config["model"])
    model = start_model(folder, tokenizer, classes, config["model"], has_several(texts))
    check_parts(model)
    check_blocks(model, config["model"]["blocks"])
    if folder:
        assert_padding(model, tokenizer, texts["text"])
    return model, tokenizer


def _history(trainer: Trainer, checkpoint: str | None, seconds: float, cut: int) -> dict:
    """What is told of a training from a checkpoint on, or from the start, with so many texts `cut`."""
    steps = [entry for entry in trainer.state.log_history if "loss" in entry]
    rows, judged = trainer.train_dataset, trainer.eval_dataset
    return {
        "loss": [{key: entry[key] for key in ("epoch", "step", "loss", "learning_rate")} for entry in steps],
        "steps": trainer.state.global_step,
        "resumed_from_step": int(checkpoint.rsplit("-", 1)[1]) if checkpoint else 0,
        "seconds": round(seconds, 1),
        "parameters": trainer.model.num_parameters(),
        "texts": len(rows),
        "tokens_per_epoch": sum(len(row["input_ids"]) for row in rows),
        "texts_cut": cut,
        "precision": "bf16" if trainer.args.bf16 else "fp32",
        "processes": trainer.args.world_size,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "versions": VERSIONS,
        **({"validation": epochs_of(trainer, len(judged))} if judged else {}),
    }


def check_validation(held: list[pd.DataFrame], paths: Sequence[Path]) -> None:
    """UserError if there are no validation texts to choose an epoch by."""
    if held and held[0].empty:
        raise UserError(
            f"{paths[0]}: the corpus has no validation part, so no epoch can be chosen by it; leave `keep` of "
            "`training` out, or add such a part"
        )


def check_finite(trainer: Trainer, output: Path) -> None:
    """UserError if the weights, or the losses of every epoch on the validation texts, are no numbers."""
    whole = all(bool(weights.isfinite().all()) for weights in trainer.model.parameters())
    judged = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    if not whole or (judged and trainer.state.best_global_step is None):
        raise UserError(
            f"{output}: the training diverged, so that its {'losses' if whole else 'weights'} are no numbers; lower "
            "`learning_rate` of `training`, add `warmup`, or write `precision: fp32`"
        )


def epochs_of(trainer: Trainer, texts: int) -> dict:
    """On how many texts the epochs were judged, the loss there after each, and which one's weights were kept."""
    judged = [entry for entry in trainer.state.log_history if "eval_loss" in entry]
    kept = next(entry["epoch"] for entry in judged if entry["step"] == trainer.state.best_global_step)
    losses = [{"epoch": entry["epoch"], "loss": entry["eval_loss"]} for entry in judged]
    return {"texts": texts, "loss": losses, "kept_epoch": kept}


def rows_of(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], labels: Sequence[int | list[float]]
) -> list[dict]:
    """What the Trainer collates into batches: each text's token ids, unpadded, and its label, or a number for each."""
    encoded = encode(tokenizer, texts)
    names = [*encoded, "labels"]
    return [dict(zip(names, row, strict=True)) for row in zip(*encoded.values(), labels, strict=True)]


def trainer_of(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: list[dict],
    arguments: TrainingArguments,
    loss: Callable | None = None,
    judged: list[dict] | None = None,
) -> Trainer:
    """A Trainer whose batches hold texts of similar length, padded to the longest of them and no further.

    `loss` takes outputs and labels of a batch; without one, the loss is the model's own, mean cross-entropy. It is also
    computed of `judged`, more rows, after every epoch, if the arguments say so.
    """
    if arguments.bf16 and arguments.use_cpu:
        attending_in_float32(model)
    return Trainer(
        model=use_onednn(model),
        args=arguments,
        train_dataset=rows,
        eval_dataset=judged,
        data_collator=DataCollatorWithPadding(tokenizer),
        processing_class=tokenizer,
        callbacks=[OrderOfEpoch()],
        compute_loss_func=loss,
    )


def training_arguments(training: dict, seed: int, width: int, scratch: Path) -> TrainingArguments:
    """The Trainer's settings for a training recipe."""
    cpu = not torch.cuda.is_available()
    # the best weights so far are a checkpoint, so these are written when they are judged
    best = {"save_strategy": "epoch", "eval_strategy": "epoch", "load_best_model_at_end": True}
    best |= {"per_device_eval_batch_size": training["batch_size"]}
    saving = best if training.get("keep") == BEST else {"save_strategy": "steps", "save_steps": 0.1}  # of all steps
    arguments = TrainingArguments(
        output_dir=str(scratch),
        num_train_epochs=training["epochs"],
        per_device_train_batch_size=training["batch_size"],
        accelerator_config={"split_batches": True},  # several processes share each batch: the recipe stays as it is
        average_tokens_across_devices=False,  # it would multiply the loss by the processes: classifiers take its mean
        learning_rate=training["learning_rate"],
        weight_decay=training["weight_decay"],
        lr_scheduler_type=training["schedule"],
        warmup_steps=training["warmup"],  # a number below 1 is a share of the steps
        train_sampling_strategy="group_by_length",
        bf16=use_bf16(training["precision"], width),
        use_cpu=cpu,
        dataloader_pin_memory=not cpu,
        seed=seed,
        **saving,
        save_total_limit=1,
        logging_steps=0.01,
        report_to=[],
    )
    if arguments.n_gpu > 1:  # one process would spread each batch over all GPUs, and so change the recipe
        arguments._n_gpu = 1
    return arguments


class OrderOfEpoch(TrainerCallback):
    """Draw the order of each epoch's texts from the seed and the epoch alone: a resumed training has to go on in it."""

    def on_epoch_begin(self, args, state, control, train_dataloader, **_):
        batches = train_dataloader.batch_sampler
        sampler = getattr(batches, "batch_sampler", batches).sampler  # several processes have a layer more
        sampler.generator = torch.Generator().manual_seed(args.seed + int(state.epoch or 0))
