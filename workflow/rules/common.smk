"""Where the package lies, and what the study holds; no rules. What follows from the configuration is in emoscope.plan.
Nothing heavy is imported: every job reads this file."""

import sys
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config


include: "checkout.smk"


ROOT = checkout_of(workflow.current_basedir)
PACKAGE = ROOT / "workflow"
# Snakemake puts the Snakefile's folder first, and would import a pandas.py that lies there
sys.path[:] = [str(PACKAGE), *(folder for folder in sys.path if folder != str(ROOT))]

from emoscope.errors import UserError
from emoscope.experiments.flips.axes import AXES as KNOWN_AXES
from emoscope.plan import code_inputs, records
from emoscope.plan.config import check_keys, typed
from emoscope.plan.pages import EXPLAIN_INDEX, Overview, Page, Pages, files_in, where_to_look
from emoscope.plan.settings import read_study
from emoscope.plan.storages import forget_missing_folders
from emoscope.warm import start as warm

AS_MODULE = not workflow.modifier.is_main_snakefile()


include: "environment.smk"


if AS_MODULE and (workflow.modifier.path_modifier.prefix or workflow.modifier.path_modifier.modifies_prefixes):
    sys.exit(
        "emoscope: `prefix` moves a module's files without its jobs; leave it out, and name runs and corpora apart"
    )
if workflow.modifier.skip_configfile:  # a module with a configuration of its user's, which lies over the default
    ours = load_configfile(ROOT / "config.yaml")
    update_config(ours, config)
    config.update(ours)
else:
    update_config(config, typed(workflow.config_settings.config))
try:
    check_keys([ROOT / "config.yaml", *workflow.configfiles])
    STUDY = read_study(config, made_later=AS_MODULE or workflow.remote_exec)  # a node may not see the user's texts
except UserError as error:
    sys.exit(f"emoscope: {error}")  # a WorkflowError would bury the line in a traceback

config.update(STUDY.config)
CORPORA, MODELS, RUNS, TASKS, SUITES = STUDY.corpora, STUDY.models, STUDY.runs, STUDY.tasks, STUDY.suites
COMPANIONS = STUDY.companions
AXES = config["flips"]["axes"]  # those of KNOWN_AXES along which people are flipped here
SUBJECTS = {subject.place: subject for subject in [*RUNS.values(), *COMPANIONS.values(), *STUDY.copiers.values()]}
WORKED_ON = {"run": RUNS, "model": MODELS, "subject": SUBJECTS}  # what a job's wildcards may name
for own in [*MODELS.values(), *SUITES.values(), *TASKS.values()]:  # no storage holds what is the user's
    own.entry.update({key: local(path) for key, path in own.entry.items() if key in ("path", "train", "test")})
if "snakemake_storage_plugin_s3" in sys.modules:
    forget_missing_folders(sys.modules["snakemake_storage_plugin_s3"].StorageObject)
for own in MODELS.values():  # what is read in there is named by itself; a swap file moves its date
    own.entry.update({key: ancient(path) for key, path in own.entry.items() if key == "path"})
HERE = code_inputs.seen_from_here(ROOT)
PAGES = Pages()  # each rule file adds its own
