"""What a finished classifier calls its classes, and which classes of a corpus these are.

Imported by the Snakefile: nothing heavy in here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from emoscope.data.class_names import TAKEN
from emoscope.errors import UserError
from emoscope.models.folder import architectures_in, holds_classifier, tensor_names
from emoscope.models.tokenizer_files import read_object

HEADS = ("classifier.", "score.")  # how the names of a classification head's weights begin, in every family
MOST = 127  # labels are written as int8


def labels_of(folder: Path, several: bool) -> list[str]:
    """The names of a classifier's classes in the order of its logits.

    UserError unless the folder holds a classifier that gives a text one class, or, if `several`, any number of labels.
    """
    config = read_object(folder / "config.json")
    if not holds_classifier(folder):
        named = ", ".join(architectures_in(folder)) or "none"
        raise UserError(
            f"{folder}: config.json says architectures {named}, no classifier of texts; give one, or let this model be "
            "trained: leave `training: none` out"
        )
    if not any(name.startswith(HEADS) for name in tensor_names(folder)):
        raise UserError(
            f"{folder}: no weights of a classification head; save the classifier itself with `save_pretrained`, not "
            "the model below its head"
        )
    named = config.get("id2label") or {}
    if not isinstance(named, Mapping) or {*named} != {*map(str, range(len(named)))}:
        raise UserError(
            f"{folder}: id2label in config.json should map numbers to names, the number of each logit from 0, such as "
            '{"0": "calm", "1": "angry"}; fix it'
        )
    if not named and type(count := config.get("num_labels", 2)) is not int:
        raise UserError(f"{folder}: num_labels in config.json is {count!r}, no number of classes; fix it")
    labels = [name.strip() for name in written_names(config)]
    kind = config.get("problem_type")
    if kind == "regression" or len(labels) == 1:
        raise UserError(f"{folder}: its head gives a number (regression), not a class; give a classifier")
    if several != (kind == "multi_label_classification"):
        theirs = "gives any number of labels to a text" if not several else "gives one class to a text"
        unsaid = (  # as where the loss was one's own
            ", or say `problem_type: multi_label_classification` there if it was trained with a sigmoid for each label"
        )
        raise UserError(
            f"{folder}: config.json says problem_type {kind!r}, so the model {theirs}, but a text of the corpus has "
            f"{'any number' if several else 'exactly one'}; give a corpus or a model of the other kind"
            f"{unsaid if several and kind is None else ''}"
        )
    if len(labels) > MOST:
        raise UserError(f"{folder}: {len(labels)} classes; at most {MOST} can be handled")
    for label in labels:
        if labels.count(label) > 1 or label in ("", *TAKEN):
            raise UserError(f"{folder}: config.json names the label {label!r}, which is taken; fix its id2label")
    return labels


def written_names(config: Mapping) -> list[str]:
    """The names of a classifier's classes by what its config.json holds, to the letter, in the order of its logits."""
    unnamed = {str(number): f"LABEL_{number}" for number in range(config.get("num_labels", 2))}
    numbered = config.get("id2label") or unnamed  # transformers leaves out what would be 2 labels without a name
    return [str(numbered[number]) for number in sorted(numbered, key=int)]


def check_given(given: Mapping[str, str], classes: Sequence[str], where: str) -> None:
    """UserError, which begins with `where`, unless the labels of a map mean classes of the corpus, each another one."""
    for name in given.values():
        if name not in classes:
            raise UserError(f"{where}.labels: the corpus has no class {name!r}; its classes: {', '.join(classes)}")
        if len(same := [str(label) for label, other in given.items() if other == name]) > 1:
            raise _both(same, name, where)


def matched(
    labels: Sequence[str], classes: Sequence[str], given: Mapping[str, str], whole: bool, where: str
) -> list[str]:
    """The model's labels, in its order, under the corpus' names where it has that class, else under their own.

    A label means the class that `given` says, or that is called so, up to case if no other is. With `whole`, every
    class must have a label. UserError, which begins with `where`, if labels and classes do not go together.
    """
    check_given(given, classes, where)
    theirs = f"the model's labels: {', '.join(labels)}"
    for label in given:
        if label not in labels:
            raise UserError(f"{where}.labels: the model has no label {label!r}; {theirs}")
    alike = {name.casefold(): name for name in reversed(classes)} | {name: name for name in classes}
    means = {label: given.get(label) or alike.get(label) or alike.get(label.casefold()) for label in labels}
    for name in classes:
        if len(same := [label for label in labels if means[label] == name]) > 1:
            raise _both(same, name, where)
    shared = {*means.values()} - {None}
    if len(shared) < 2:
        count = f"only {shared.pop()!r}" if shared else "none"
        raise UserError(
            f"{where}: of the model's labels, {count} is a class of the corpus, at least 2 are needed; {theirs}; the "
            f"corpus' classes: {', '.join(classes)}; say which label is which class in the run, as in "
            f"`labels: {{{labels[0]}: {classes[0]}}}`"
        )
    if whole and (lost := [name for name in classes if name not in shared]):
        raise UserError(
            f"{where}: the model has no label for {', '.join(lost)}, and generated texts need all classes; {theirs}"
        )
    return [means[label] or label for label in labels]


def _both(labels: Sequence[str], name: str, where: str) -> UserError:
    names = " and ".join(map(repr, labels))
    return UserError(f"{where}.labels: {names} of the model mean the same class {name!r}; give each a class of its own")
