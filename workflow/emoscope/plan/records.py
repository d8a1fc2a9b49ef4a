"""What a record of provenance names: what a run, or the findings on a language model, came from and what came out.

Imported by the Snakefile: nothing heavy in here.
"""

from collections.abc import Callable

from emoscope.experiments.flips.axes import AXES
from emoscope.plan.pages import Pages
from emoscope.plan.settings import Study
from emoscope.plan.subjects import Model, Run

WORD_LISTS = ("synonyms.csv", "neutral.csv", "stopwords.txt")
Marked = Callable[[str], str]


def settings_of(study: Study, subject: Run | Model, pages: Pages) -> dict:
    """All settings behind it: its own, and the sections of the configuration that its pages mention."""
    sections = [section for page in pages.about(subject) for section in page.sections]
    if isinstance(subject, Model):
        own = subject.about
    else:
        kept = ("seed", "labels", "thresholds")
        own = subject.identity | {key: subject.entry[key] for key in kept if key in subject.entry}
    return own | {section: study.config[section] for section in ["prediction", *sections, "statistics"]}


def inputs_of(study: Study, subject: Run | Model, pages: Pages, shipped: Marked, own: Marked) -> list[str]:
    """Texts, the model to start from, word lists, published numbers; `shipped` finds files that come with us, `own`
    marks texts of the user's."""
    claims = shipped("data/reference/claims.yaml")
    read = [path for path in pages.read_about(subject) if not _made_by(subject, path)]
    if isinstance(subject, Model):
        texts = [f"data/corpora/{study.config['attention']['corpus']}/test.parquet"]
        texts += [f"data/corpora/{study.config['residual']['corpus']}/train.parquet"]
        texts += [f"data/tasks/{task}/{part}.parquet" for task in study.tasks for part in ("train", "test")]
        return [subject.folder, *dict.fromkeys([*texts, *read, claims])]
    words = [*(AXES[axis].words for axis in study.config["flips"]["axes"]), *WORD_LISTS]
    texts = [f"{subject.corpus.folder}/{part}.parquet" for part in ("train", "test")]
    lists = [shipped(f"data/lexicons/{name}") for name in words]
    suites = [suite.path for suite in subject.suites]
    return list(
        dict.fromkeys([*map(own, subject.corpus.files()), *suites, *texts, *subject.model.base, *lists, *read, claims])
    )


def results_of(subject: Run | Model, pages: Pages) -> list[str]:
    """What came out; `training.json`, which tells the time, is recorded by what it says."""
    made = [path for path in pages.read_about(subject) if _made_by(subject, path)]
    if isinstance(subject, Model):
        return [*made, f"{subject.results}/claims.csv"]
    whole = [f"{subject.results}/{name}" for name in ("model", "README.md", "claims.csv")]
    whole += [f"{subject.results}/{page.name}/findings.csv" for page in pages.about(subject)]
    return [*dict.fromkeys([*whole, *(path for path in made if path != f"{subject.results}/training.json")])]


def _made_by(subject: Run | Model, path: str) -> bool:
    return path.startswith(f"{subject.results}/")
