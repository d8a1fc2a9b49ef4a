"""The console command: one subcommand per rule, each a function whose signature is its command line.

Modules are named as text and imported only when called, so that `--help` is quick and an edit to one module never
counts as an edit to another rule's code.
"""

import argparse
import importlib
import inspect
import json
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

from emoscope.errors import UserError
from emoscope.threads import use_threads, wait_asleep

COMMANDS = {
    "generate-corpus": "calibration_corpus:generate_corpus",
    "download-corpus": "corpus:download_corpus",
    "import-corpus": "corpus:import_corpus",
    "split-corpus": "split:split_corpus",
    "download-model": "models:download_model",
    "unpack-model": "models:unpack_model",
    "finetune": "finetune:finetune",
    "predict": "predict:predict",
    "evaluate": "evaluate:evaluate",
    "select-confident": "samples:select_confident",
    "mask-block": "masking:mask_block",
    "mask-all-but": "masking:mask_all_but",
    "summarise-masking": "masking_summary:summarise_masking",
    "flip-terms": "flip_sets:flip_terms",
    "count-words": "synonym_sets:count_words",
    "replace-words": "synonym_sets:replace_words",
    "suggest-synonyms": "suggestions:suggest_synonyms",
    "score-perturbation": "scoring:score_perturbation",
    "join-shards": "shards:join_shards",
    "summarise-effects": "effects:summarise_effects",
    "trace-pairs": "tracing:trace_pairs",
    "assess-ground-truth": "ground_truth:assess_ground_truth",
    "collect-ground-truth": "ground_truth:collect_ground_truth",
    "compare-runs": "comparison:compare_runs",
    "compare-masks": "comparison:compare_masks",
    "attention-weights": "attention_tables:attention_weights",
    "block-attention": "attention_tables:block_attention",
    "summarise-attention": "attention_summary:summarise_attention",
    "prepare-task": "prompting_tasks:prepare_task",
    "train-prompts": "prompt_training:train_prompts",
    "score-prompts": "prompt_scores:score_prompts",
    "summarise-prompting": "prompting_summary:summarise_prompting",
    "read-residual": "lens:read_residual",
    "measure-writes": "write_directions:measure_writes",
    "train-autoencoder": "autoencoder:train_autoencoder",
    "evaluate-autoencoder": "autoencoder_scores:evaluate_autoencoder",
    "summarise-residual": "residual_summary:summarise_residual",
    "train-copier": "copier:train_copier",
    "score-heads": "induction:score_heads",
    "ablate-mlps": "induction_ablation:ablate_mlps",
    "ablate-heads": "induction_ablation:ablate_heads",
    "compose-heads": "composition:compose_heads",
    "summarise-induction": "induction_summary:summarise_induction",
    "measure-dimensions": "dimensions:measure_dimensions",
    "assess-claims": "claims:assess_claims",
    "assess-writeup-claims": "writeup_claims:assess_writeup_claims",
    "collect-claims": "claims:collect_claims",
    "write-model-card": "model_card:write_model_card",
    "record-provenance": "provenance:record_provenance",
    "render-report": "reports:render_report",
    "render-index": "reports:render_index",
    "flip": "filters:flip",
    "replace": "filters:replace",
}


def main(argv: list[str] | None = None) -> None:
    """Run one subcommand; what a user or the machine can cause becomes one line on standard error and exit status 1.

    `--threads N` before the subcommand: compute with N threads, whatever number of cores the job was given.
    """
    argv = sys.argv[1:] if argv is None else argv
    wait_asleep()
    if argv[:1] == ["--threads"]:
        use_threads(int(argv[1]))
        argv = argv[2:]
    if not argv or argv[0] not in COMMANDS:
        wanted = argv[0] if argv else ""
        if wanted in ("", "-h", "--help"):
            print("usage: emoscope COMMAND [options]; `emoscope COMMAND --help` lists the options of one command\n")
            print("\n".join(f"  {name}" for name in COMMANDS))
            raise SystemExit(0 if wanted else 2)
        raise SystemExit(f"emoscope: no command {wanted!r}; `emoscope --help` lists them")
    from emoscope.damage import check_whole, disk_trouble  # brings numpy, which must find the threads settled

    name, arguments = argv[0], argv[1:]
    options: dict[str, Any] = {}
    try:
        module, function = COMMANDS[name].split(":")
        command = getattr(importlib.import_module(f"emoscope.{module}"), function)
        options = vars(parser_of(command, name).parse_args(arguments))
        check_whole(_paths(options))
        command(**options)
    except UserError as error:
        raise SystemExit(f"emoscope {name}: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(f"emoscope {name}: interrupted; run again to finish it") from None
    except Exception as error:
        if reason := disk_trouble(error, _paths(options)):
            raise SystemExit(f"emoscope {name}: {reason}") from None
        raise


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
