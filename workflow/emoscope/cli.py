"""The console command: one subcommand per rule, each a function whose signature is its command line.

Modules are named as text and imported only when called, so that `--help` is quick, an edit to one module never counts
as an edit to another rule's code, and numpy finds the threads settled.
"""

import argparse
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

from emoscope.errors import UserError
from emoscope.gpus import take_gpus, use_processes
from emoscope.threads import use_threads, wait_asleep

COMMANDS = {
    "generate-corpus": "data.planted.corpus:generate_corpus",
    "download-corpus": "data.corpus:download_corpus",
    "import-corpus": "data.corpus:import_corpus",
    "split-corpus": "data.split:split_corpus",
    "download-model": "models.sources:download_model",
    "unpack-model": "models.sources:unpack_model",
    "check-description": "training.description:check_description",
    "finetune": "training.finetune:finetune",
    "match-labels": "training.match:match_labels",
    "adopt-model": "training.adopt:adopt_model",
    "check-exactness": "models.inside.exactness:check_exactness",
    "choose-thresholds": "training.thresholds:choose_thresholds",
    "predict": "models.logits:predict",
    "predict-baselines": "experiments.performance.baselines:predict_baselines",
    "evaluate": "experiments.performance.summarise:evaluate",
    "select-confident": "experiments.masking.samples:select_confident",
    "masking-reference": "experiments.masking.reference:masking_reference",
    "screen-heads": "experiments.masking.screening.screen:screen_heads",
    "mask-block": "experiments.masking.measure:mask_block",
    "mask-all-but": "experiments.masking.measure:mask_all_but",
    "mask-pairs": "experiments.masking.head_pairs.measure:mask_pairs",
    "average-masking": "experiments.masking.measures:average_masking",
    "summarise-masking": "experiments.masking.summarise:summarise_masking",
    "flip-terms": "experiments.flips.pair_set:flip_terms",
    "count-words": "experiments.synonyms.pair_set:count_words",
    "replace-words": "experiments.synonyms.pair_set:replace_words",
    "suggest-synonyms": "experiments.synonyms.suggestions:suggest_synonyms",
    "import-suite": "experiments.suites.pair_set:import_suite",
    "score-by-words": "experiments.suites.words:score_by_words",
    "summarise-suites": "experiments.suites.summarise:summarise_suites",
    "summarise-fairness": "experiments.fairness.summarise:summarise_fairness",
    "score-perturbation": "perturbation.scored_pairs:score_perturbation",
    "join-tables": "storage.shards:join_tables",
    "summarise-effects": "perturbation.effects:summarise_effects",
    "summarise-flips": "experiments.flips.summarise:summarise_flips",
    "summarise-synonyms": "experiments.synonyms.summarise:summarise_synonyms",
    "trace-pairs": "experiments.tracing.measure:trace_pairs",
    "summarise-tracing": "experiments.tracing.summarise:summarise_tracing",
    "find-circuits": "experiments.circuits.measure:find_circuits",
    "find-edges": "experiments.circuits.measure_edges:find_edges",
    "summarise-circuits": "experiments.circuits.summarise:summarise_circuits",
    "summarise-edges": "experiments.circuits.summarise_edges:summarise_edges",
    "flip-training-texts": "experiments.flips.training_pairs:flip_training_texts",
    "read-concepts": "experiments.probing.measure:read_concepts",
    "erase-concept": "experiments.probing.erasing.erasure:erase_concept",
    "steer-concept": "experiments.probing.steering:steer_concept",
    "summarise-probing": "experiments.probing.summarise:summarise_probing",
    "learn-features": "experiments.features.measure:learn_features",
    "move-features": "experiments.features.moves:move_features",
    "switch-features": "experiments.features.switches:switch_features",
    "summarise-features": "experiments.features.summarise:summarise_features",
    "attribute-words": "experiments.words.measure:attribute_words",
    "measure-faithfulness": "experiments.words.faithfulness:measure_faithfulness",
    "summarise-words": "experiments.words.summarise:summarise_words",
    "assess-ground-truth": "verdicts.ground_truth.assess:assess_ground_truth",
    "assess-masking-truth": "verdicts.ground_truth.assess:assess_masking_truth",
    "summarise-doses": "verdicts.doses.summarise:summarise_doses",
    "compare-runs": "verdicts.comparison.summarise:compare_runs",
    "compare-masks": "verdicts.comparison.summarise:compare_masks",
    "attention-weights": "writeups.attention.measure:attention_weights",
    "block-attention": "writeups.attention.measure:block_attention",
    "summarise-attention": "writeups.attention.summarise:summarise_attention",
    "prepare-task": "writeups.prompting.tasks:prepare_task",
    "train-prompts": "writeups.prompting.training:train_prompts",
    "score-prompts": "writeups.prompting.measure:score_prompts",
    "score-baselines": "writeups.prompting.baselines:score_baselines",
    "summarise-prompting": "writeups.prompting.summarise:summarise_prompting",
    "read-residual": "writeups.residual.measure:read_residual",
    "measure-writes": "writeups.residual.write_directions:measure_writes",
    "train-autoencoder": "writeups.residual.autoencoder:train_autoencoder",
    "evaluate-autoencoder": "writeups.residual.autoencoder_scores:evaluate_autoencoder",
    "twin-autoencoder": "writeups.residual.autoencoder_scores:twin_autoencoder",
    "summarise-residual": "writeups.residual.summarise:summarise_residual",
    "train-copier": "writeups.induction.copier:train_copier",
    "score-heads": "writeups.induction.measure:score_heads",
    "ablate-mlps": "writeups.induction.ablation:ablate_mlps",
    "ablate-heads": "writeups.induction.ablation:ablate_heads",
    "compose-heads": "writeups.induction.composition:compose_heads",
    "summarise-induction": "writeups.induction.summarise:summarise_induction",
    "assess-claims": "verdicts.claims.assess:assess_claims",
    "assess-writeup-claims": "verdicts.claims.assess:assess_writeup_claims",
    "write-model-card": "verdicts.model_card:write_model_card",
    "record-provenance": "storage.provenance:record_provenance",
    "render-report": "reporting.render:render_report",
    "render-index": "reporting.index:render_index",
    "doctor": "doctor:doctor",
    "flip": "filters:flip",
    "replace": "filters:replace",
    "explain": "experiments.words.explain:explain_lines",
}
LEAST = {"--threads": 1, "--gpus": 0}
FOR_PEOPLE = {  # the others are what the workflow's jobs call
    "doctor": "what this machine has, and what will run how",
    "explain": "which words made a classifier say so: one text a line in, words with scores out",
    "flip": "exchange the gender or race of the people in texts, one a line",
    "replace": "exchange words for synonyms in texts, one a line",
}


def main(argv: list[str] | None = None) -> None:
    """Run one subcommand; what a user or the machine can cause becomes one line on standard error and exit status 1.

    `--threads N` before the subcommand: compute with N threads, whatever number of cores the job was given.
    `--gpus N`: on N GPUs that no other job has; a training on several is one of as many processes.
    """
    given = sys.argv[1:] if argv is None else argv
    wait_asleep()
    job, argv = job_options(given)
    if not argv or argv[0] not in COMMANDS:
        _no_command(argv[0] if argv else "")
    name, arguments = argv[0], argv[1:]
    if job.get("--gpus", 0) > 1 and name == "finetune":
        use_processes(job["--gpus"], given)
    if "--threads" in job:
        use_threads(job["--threads"])
    if job.get("--gpus"):
        take_gpus(job["--gpus"])
    options: dict[str, Any] = {}
    try:
        module, function = COMMANDS[name].split(":")
        command = getattr(importlib.import_module(f"emoscope.{module}"), function)
        options = vars(parser_of(command, name).parse_args(arguments))
        if paths := _paths(options):
            from emoscope.storage.integrity import check_whole  # brings pandas, without which the doctor does

            check_whole(paths)
        command(**options)
    except UserError as error:
        raise SystemExit(f"emoscope {name}: {error}") from None
    except BrokenPipeError:  # whoever reads our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
    except KeyboardInterrupt:
        raise SystemExit(f"emoscope {name}: interrupted; run again to finish it") from None
    except Exception as error:
        from emoscope.storage.integrity import disk_trouble

        if reason := disk_trouble(error, _paths(options)):
            raise SystemExit(f"emoscope {name}: {reason}") from None
        raise


def job_options(argv: list[str]) -> tuple[dict[str, int], list[str]]:
    """What stands before the subcommand, each option with its number, and the rest."""
    found = {}
    while argv and (least := LEAST.get(argv[0])) is not None:
        if not (argv[1:] and argv[1].isdecimal() and int(argv[1]) >= least):
            raise SystemExit(f"emoscope: {argv[0]}: write how many, a number from {least}")
        found[argv[0]] = int(argv[1])
        argv = argv[2:]
    return found, argv


def _no_command(wanted: str) -> NoReturn:
    """End with the list of commands, where that was asked for or nothing was; else with the command that was meant."""
    if wanted in ("", "-h", "--help"):
        print("usage: emoscope COMMAND [options]; `emoscope COMMAND --help` lists the options of one command\n")
        print("\n".join(f"  {name:<9}{what}" for name, what in FOR_PEOPLE.items()))
        print("\nwhat the workflow's jobs call:\n")
        print("\n".join(f"  {name}" for name in COMMANDS if name not in FOR_PEOPLE))
        raise SystemExit(0 if wanted else 2)
    meant = get_close_matches(wanted, COMMANDS, n=1)
    hint = f"did you mean {meant[0]!r}?" if meant else "`emoscope --help` lists them"
    raise SystemExit(f"emoscope: no command {wanted!r}; {hint}")


def parser_of(command: Callable, name: str) -> argparse.ArgumentParser:
    """Build the parser of a command from its signature: Path, str, int, JSON dict, and lists of these."""
    parser = argparse.ArgumentParser(prog=f"emoscope {name}", description=inspect.getdoc(command))
    for option, parameter in inspect.signature(command).parameters.items():
        parser.add_argument(f"--{option.replace('_', '-')}", dest=option, **_argument(parameter))
    return parser


def _argument(parameter: inspect.Parameter) -> dict[str, Any]:
    kinds = {Path: Path, str: str, int: int, dict: _json_object}
    required = parameter.default is inspect.Parameter.empty
    common = {"required": required} if required else {"default": parameter.default}
    annotation = parameter.annotation
    if getattr(annotation, "__origin__", None) is list:
        common |= {} if required else {"default": [*parameter.default]}  # what is given is added to it
        return {"nargs": "*", "action": "extend", "type": kinds[annotation.__args__[0]], **common}
    return {"type": kinds[annotation], **common}


def _paths(options: dict[str, Any]) -> list[Path]:
    values = [value if isinstance(value, list) else [value] for value in options.values()]
    return [value for value in chain.from_iterable(values) if isinstance(value, Path)]


def _json_object(text: str) -> dict:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"expected a JSON object, got {text!r}")
    return value


if __name__ == "__main__":
    main()
