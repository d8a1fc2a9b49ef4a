"""Whether the sections of a configuration fit one another: names that are there, and settings that can go together."""

from collections.abc import Iterable

from emoscope.data.class_names import has_several
from emoscope.errors import UserError
from emoscope.experiments.flips.axes import AXES
from emoscope.plan.mistakes import suggest
from emoscope.plan.subjects import keeps_best

BESIDE_SUITES = (*AXES, "synonyms", "words")  # what else lies where pairs of texts lie


def check_names(config: dict) -> None:
    """Check what one section says of another; UserError at the first mistake."""
    for section in ("corpora", "models", "suites"):
        _check_capitals(config[section], f"config {section}")
    for name in config["suites"]:
        if name.casefold() in BESIDE_SUITES:  # the schema refuses these very names
            other = name.casefold()
            raise UserError(
                f"config suites: {name!r} would share its files with {other}, where a disk tells no capitals; rename it"
            )
    _check_capitals([task["name"] for task in config["prompting"]["tasks"]], "config prompting.tasks")
    for name in config["companions"]:
        if name not in config["models"]:
            raise UserError(f"config companions: {name!r} is not under `models`{suggest(name, config['models'])}")
        if config["models"][name]["source"] in ("scratch", "copier"):
            raise UserError(
                f"config companions: {name!r} has not read any text; name a model of source hub, package or path"
            )
        if "family" in config["models"][name]:
            raise UserError(
                f"config companions: {name!r} is described by `family`, which only classifiers can be; name a language "
                "model of a family in docs/families.md"
            )
        _check_attention(config, name, "`companions`")
    if (corpus := config["attention"]["corpus"]) not in config["corpora"]:
        hint = suggest(corpus, config["corpora"])
        raise UserError(f"config attention.corpus: {corpus!r} is not under `corpora`{hint}")
    _check_corpora(config["corpora"])
    _check_tasks(config["prompting"]["tasks"])
    _check_residual(config)
    _check_copier(config)
    seen = set()
    for position, run in enumerate(config["runs"]):
        for key, section in (("corpus", "corpora"), ("model", "models")):
            if run[key] not in config[section]:
                hint = suggest(run[key], config[section])
                raise UserError(f"config runs[{position}].{key}: {run[key]!r} is not under `{section}`{hint}")
        for suite in run.get("suites", ()):
            if suite not in config["suites"]:
                hint = suggest(suite, config["suites"])
                raise UserError(f"config runs[{position}].suites: {suite!r} is not under `suites`{hint}")
        model = config["models"][run["model"]]
        for section, key in (("flips", "traced_block"), ("features", "block")):
            if (block := config[section][key]) is not None and block >= model["blocks"]:
                raise UserError(
                    f"config {section}.{key}: {block}, but the model {run['model']!r} of run {run['name']!r} has "
                    f"blocks 0 to {model['blocks'] - 1}; name one of them"
                )
        if model["source"] == "copier":
            raise UserError(
                f"config runs[{position}].model: {run['model']!r} knows no words; name a model of another source"
            )
        if model["source"] == "scratch":
            _check_width(run["model"], model)
        _check_attention(config, run["model"], f"run {run['name']!r}")
        if run["name"].casefold() in seen:  # some disks tell no capitals
            raise UserError(f"config runs[{position}].name: {run['name']!r} is used twice; give every run its own name")
        _check_training(f"config runs[{position}]", run, model["source"])
        _check_several(config["corpora"][run["corpus"]], run, f"config runs[{position}]")
        _check_kept(config["corpora"][run["corpus"]], run, f"config runs[{position}]")
        seen.add(run["name"].casefold())


def _check_capitals(names: Iterable[str], where: str) -> None:
    """That no two names differ in capitals alone, which some disks do not tell: both would share their files."""
    seen = {}
    for name in names:
        if (other := seen.setdefault(name.casefold(), name)) != name:
            raise UserError(f"{where}: {other!r} and {name!r} differ in capitals only; rename one of them")


def _check_training(where: str, run: dict, source: str) -> None:
    """What only a run that trains may say, and what only one that takes its classifier as it is."""
    if run["training"] != "none":
        if "labels" in run:
            raise UserError(
                f"{where}.labels: they are for a classifier that is taken as it is; write `training: none`, or leave "
                "them out"
            )
        batch_size, gpus = run["training"]["batch_size"], run["training"]["gpus"]
        if batch_size % gpus:
            raise UserError(
                f"{where}.training.batch_size: {gpus} GPUs cannot share {batch_size} texts evenly; make it a multiple "
                "of `gpus`"
            )
        return
    if len(run["seeds"]) > 1:
        raise UserError(
            f"{where}.seeds: {len(run['seeds'])} seeds, but with `training: none` each would give the same classifier; "
            "leave `seeds` out"
        )
    if source == "scratch":
        raise UserError(
            f"{where}.training: none, but the weights of the model {run['model']!r} are random; name a trained one"
        )


def _check_several(corpus: dict, run: dict, where: str) -> None:
    """What only texts with several labels have, or cannot have."""
    several, asked = has_several(corpus), run.get("thresholds")
    if asked is not None and not several:
        raise UserError(f"{where}.thresholds: a text of {run['corpus']!r} has one label, the most probable; remove it")
    if several and run["training"] != "none" and run["training"]["balance"] == "downsample":
        raise UserError(
            f"{where}.training.balance: downsample cuts classes to one size, but a text of {run['corpus']!r} may stand "
            "in several; use weights, or none"
        )
    if asked == "validation" and (lack := _without_validation(corpus, run["corpus"])):
        raise UserError(
            f"{where}.thresholds: {lack}; choose thresholds on a validation part of its own "
            "(`split: {method: given}`), or write a number"
        )


def _check_kept(corpus: dict, run: dict, where: str) -> None:
    """That there may be texts to choose an epoch by, as far as the settings tell."""
    best = keeps_best(run["training"])
    if best and (lack := _without_validation(corpus, run["corpus"])):
        raise UserError(
            f"{where}.training.keep: {lack}; leave `keep` out, or give the corpus such a part "
            "(`split: {method: given}`)"
        )


def _without_validation(corpus: dict, name: str) -> str:
    """Why a corpus surely has no texts for validation; empty if it may have some."""
    if corpus["split"]["method"] == "shuffled":
        return f"{name!r} is cut into training and test texts alone"
    if corpus["split"].get("validation") == "train":
        return f"the validation part of {name!r} is trained on"
    if "splits" in corpus and "validation" not in corpus["splits"]:
        return f"`splits` of {name!r} names no validation part"
    return ""


def _check_attention(config: dict, name: str, user: str) -> None:
    """Heads of the attention pages, as far as they can be judged without the model."""
    model, attention = config["models"][name], config["attention"]
    for place, chosen in enumerate(attention["heads"]):
        for part, number in zip(("block", "head"), chosen, strict=True):
            if number >= (count := model.get(f"{part}s", number + 1)):
                raise UserError(
                    f"config attention.heads[{place}]: {part} {number}, but the model {name!r} of {user} has "
                    f"{part}s 0 to {count - 1}; name one of them"
                )


def _check_corpora(corpora: dict[str, dict]) -> None:
    for name, corpus in corpora.items():
        if "labels" in corpus and "multilabel" in corpus:
            raise UserError(
                f"config corpora.{name}: `labels` names columns of 0 and 1, `multilabel` means one column of lists; "
                "write one of them"
            )
        if "splits" in corpus and corpus["split"]["method"] == "shuffled":
            raise UserError(
                f"config corpora.{name}.splits: a test part is named, but `split` would cut all rows anew; "
                "write `split: {method: given}`"
            )


def _check_tasks(tasks: list[dict]) -> None:
    for position, task in enumerate(tasks):
        where = f"config prompting.tasks[{position}]"
        if task["name"] in [other["name"] for other in tasks[:position]]:
            raise UserError(f"{where}.name: {task['name']!r} is used twice; give every task its own name")
        if task["source"] != "generated" and ("labels" in task) == ("classes" in task):
            raise UserError(
                f"{where}: name either `classes`, if each text has one, or `labels`, the columns of 0 and 1"
            )
        labels = [task["alone"]] if task.get("task") == "emotion" else task.get("labels", [])
        if task["alone"] and task["alone"] not in labels:
            hint = suggest(task["alone"], labels) if labels else "; it has classes, of which none can stand alone"
            raise UserError(f"{where}.alone: {task['alone']!r} is not among the labels of this task{hint}")


def _check_residual(config: dict) -> None:
    residual, autoencoder = config["residual"], config["residual"]["autoencoder"]
    if not config["companions"]:
        return
    if (corpus := residual["corpus"]) not in config["corpora"]:
        hint = suggest(corpus, config["corpora"])
        raise UserError(f"config residual.corpus: {corpus!r} is not under `corpora`{hint}")
    if has_several(config["corpora"][corpus]):
        raise UserError(
            f"config residual.corpus: a text of {corpus!r} may have several labels; name one of one label each"
        )
    where = "config residual.autoencoder"
    for small, large in (("active", "features"), ("patched", "held_out")):
        if autoencoder[small] > autoencoder[large]:
            raise UserError(f"{where}.{small}: {autoencoder[small]} is more than `{large}`, {autoencoder[large]}")
    block = autoencoder["block"]
    for name in config["companions"]:
        if block >= (blocks := config["models"][name]["blocks"]):
            raise UserError(f"{where}.block: {block}, but {name!r} has blocks 0 to {blocks - 1}; name one of them")


def _check_copier(config: dict) -> None:
    if (name := config["induction"]["control"]) is None:
        return
    if config["models"].get(name, {}).get("source") != "copier":
        copiers = [model for model, entry in config["models"].items() if entry["source"] == "copier"]
        raise UserError(f"config induction.control: {name!r} is not a model of source copier{suggest(name, copiers)}")
    model, longest = config["models"][name], config["induction"]["lengths"][0]
    _check_width(name, model)
    if 1 + 2 * longest > model["context"] or longest >= model["vocabulary"]:
        raise UserError(
            f"config models.{name}: BOS and two halves of {longest} tokens (induction.lengths) need a `context` of "
            f"{1 + 2 * longest} and a `vocabulary` above {longest}"
        )
    fewest, heads = min(config["induction"]["ablated_heads"]), model["blocks"] * model["heads"]
    if fewest > heads:
        raise UserError(
            f"config induction.ablated_heads: {fewest} or more heads are to be silenced at once, but {name!r} "
            f"(induction.control) has {heads}; name a smaller number, too"
        )


def _check_width(name: str, model: dict) -> None:
    if model["width"] % model["heads"]:
        raise UserError(f"config models.{name}.width: {model['width']} is not a multiple of `heads`, {model['heads']}")
