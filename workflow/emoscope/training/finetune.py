"""Fine-tuning a classifier with the transformers Trainer."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import accelerate
import pandas as pd
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    GPT2ForSequenceClassification,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from emoscope.errors import UserError
from emoscope.models.anatomy import ACTIVATIONS, DESCRIBED, family_named, unknown
from emoscope.models.batches import encode
from emoscope.models.families import context_of, family_of, head_of
from emoscope.models.folder import check_model_folder
from emoscope.models.inside.exactness import assert_padding
from emoscope.models.inside.structure import check_parts
from emoscope.models.loading import (
    POOLER,
    architecture_of,
    check_blocks,
    check_vocabulary,
    load_tokenizer,
    load_weights,
)
from emoscope.models.onednn import use_onednn
from emoscope.models.precision import use_bf16
from emoscope.models.scratch import small_gpt2
from emoscope.storage.decisions import SEVERAL, has_several
from emoscope.storage.files import occupy, read_json, replacing, write_json
from emoscope.storage.hashes import sha256_of
from emoscope.storage.integrity import seal
from emoscope.training.balance import balanced

BEST = "best"  # `keep` of a recipe: the weights after the epoch with the lowest loss on validation texts


def finetune(
    train: Path, audit: Path, base: list[Path], config: dict, checkpoints: Path, output: Path, history: Path,
    validation: list[Path] = (),
) -> None:  # fmt: skip
    """Fine-tune a classifier on `train`; write its folder and the history of the training.

    `config` holds `model`, `training` and `seed`; `base` is the folder of the model to start from, or nothing to start
    from random weights. Checkpoints go below `checkpoints`, in a folder named after all that decides the result, so
    that a killed job resumes and a changed one never does; the folder is deleted at the end.

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
    transformers.set_seed(config["seed"])
    tokenizer = load_tokenizer(folder) if folder else train_tokenizer(texts["text"], config["model"])
    model = start_model(folder, tokenizer, classes, config["model"], has_several(texts))
    check_parts(model)
    check_blocks(model, config["model"]["blocks"])
    if folder:
        assert_padding(model, tokenizer, texts["text"])

    files = sorted(filter(Path.is_file, folder.glob("*.*"))) if folder else []
    scratch = checkpoints / fingerprint(config, [train, *validation, *files])
    arguments = training_arguments(config["training"], config["seed"], model.config.hidden_size, scratch)
    texts, labels, loss = balanced(texts, classes, config["training"]["balance"], config["seed"])
    rows = rows_of(tokenizer, texts["text"], labels)
    judged = [rows_of(tokenizer, part["text"], balanced(part, classes, "none", 0)[1]) for part in held]
    trainer = trainer_of(model, tokenizer, rows, arguments, loss, *judged)
    lock = occupy(scratch) if trainer.is_world_process_zero() else None  # a job outlives a killed Snakemake
    start, checkpoint = time.perf_counter(), last_checkpoint(scratch)
    trainer.train(resume_from_checkpoint=checkpoint)
    seconds = time.perf_counter() - start
    if not trainer.is_world_process_zero():
        return
    with replacing(output) as temporary:
        trainer.save_model(temporary)
        (temporary / "training_args.bin").unlink(missing_ok=True)  # a pickle, and not part of the model
        seal(temporary)
    steps = [entry for entry in trainer.state.log_history if "loss" in entry]
    write_json(
        {
            "loss": [{key: entry[key] for key in ("epoch", "step", "loss", "learning_rate")} for entry in steps],
            "steps": trainer.state.global_step,
            "resumed_from_step": int(checkpoint.rsplit("-", 1)[1]) if checkpoint else 0,
            "seconds": round(seconds, 1),
            "parameters": model.num_parameters(),
            "texts": len(rows),
            "tokens_per_epoch": sum(len(row["input_ids"]) for row in rows),
            "texts_cut": cut_texts(tokenizer, texts["text"]),
            "precision": "bf16" if arguments.bf16 else "fp32",
            "processes": arguments.world_size,
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
            "versions": {module.__name__: module.__version__ for module in (torch, transformers, accelerate)},
            **({"validation": epochs_of(trainer, len(judged[0]))} if judged else {}),
        },
        history,
    )
    shutil.rmtree(scratch, ignore_errors=True)
    lock.close()


def check_validation(held: list[pd.DataFrame], paths: Sequence[Path]) -> None:
    """UserError if there are no validation texts to choose an epoch by."""
    if held and held[0].empty:
        raise UserError(
            f"{paths[0]}: the corpus has no validation part, so no epoch can be chosen by it; leave `keep` of "
            "`training` out, or add such a part"
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


def train_tokenizer(texts: pd.Series, config: dict) -> PreTrainedTokenizerBase:
    """Learn a byte-level BPE vocabulary, GPT-2's kind, from the training texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|pad|>", "<|endoftext|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=config["vocabulary"],
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=special[0],
        bos_token=special[1],
        eos_token=special[1],
        model_max_length=config["context"],
    )


def start_model(
    folder: Path | None, tokenizer: PreTrainedTokenizerBase, classes: list[str], config: dict, several: bool = False
) -> PreTrainedModel:
    """A classifier over `classes`: pretrained below a new head, even if the base has one, or random GPT-2.

    `several`: it may give a text several of them, or none.
    """
    labels = {
        "num_labels": len(classes),
        "id2label": dict(enumerate(classes)),
        "label2id": {name: number for number, name in enumerate(classes)},
    }
    if several:
        labels["problem_type"] = SEVERAL
    if folder is None:
        settings = small_gpt2(
            config,
            vocabulary=len(tokenizer),
            activation_function="gelu_pytorch_tanh",  # GPT-2's own, in one kernel
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            **labels,
        )
        return GPT2ForSequenceClassification(settings)
    settings = architecture_of(folder, **{"problem_type": "single_label_classification"} | labels)
    if config.get("family"):
        setattr(settings, DESCRIBED, config["family"])
    model, drawn = load_weights(
        AutoModelForSequenceClassification,
        folder,
        new=new_parts(settings),
        config=settings,
        dtype=torch.float32,
        use_safetensors=True,
    )
    if f"{family_of(model).readout[-1]}.weight" not in drawn:  # the base's, of other classes, even if they are as many
        draw_head(model)
    check_vocabulary(tokenizer, model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.config.pad_token_id = tokenizer.pad_token_id
    tokenizer.padding_side = "right"  # as in prediction; GPT-2 counts positions from the left
    tokenizer.model_max_length = min(tokenizer.model_max_length, context_of(model))
    return model


def new_parts(settings: PretrainedConfig) -> tuple[str, ...]:
    """Parts of a classifier that a model without its head lacks, by the names that `load_weights` wants."""
    family = family_named(settings.to_dict())
    if family is None:
        raise UserError(unknown(settings.model_type))
    base = family.embedding.split(".")[0]
    return (POOLER, *{step.split(".")[0] for step in family.readout if step not in ACTIVATIONS} - {base})


def draw_head(model: PreTrainedModel) -> None:
    """Give a classifier new random weights in its head, as transformers draws them."""
    head = head_of(model)
    torch.nn.init.normal_(head.weight, std=model.config.initializer_range)
    if head.bias is not None:
        torch.nn.init.zeros_(head.bias)


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


def fingerprint(config: dict, files: list[Path]) -> str:
    """Sixteen hexadecimal digits that change with the settings and with the content of any file."""
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for file in files:
        digest.update(sha256_of(file).encode())
    return digest.hexdigest()[:16]


def last_checkpoint(folder: Path) -> str | None:
    """The newest complete checkpoint: the Trainer writes `trainer_state.json` last, if it is not stopped in it."""
    complete = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json") if _is_whole(path)]
    return str(max(complete, key=lambda path: int(path.name.split("-")[1]))) if complete else None


def _is_whole(file: Path) -> bool:
    try:
        read_json(file)
    except ValueError:
        return False
    return True


def cut_texts(tokenizer: PreTrainedTokenizerBase, texts: pd.Series) -> int:
    """How many texts are longer than the model's context."""
    lengths = map(len, tokenizer(texts.tolist(), truncation=False, verbose=False)["input_ids"])
    return sum(length > tokenizer.model_max_length for length in lengths)
