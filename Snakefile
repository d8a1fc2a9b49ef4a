"""emoscope: fine-tune a language model to classify emotions in tweets, then take it apart.

results/{run}/        one fine-tuned classifier: model, predictions, metrics, masking, perturbations
results/models/{model} one pretrained language model, and what the companion write-ups find in it
data/corpora/{corpus} texts, their split, perturbation sets
reports/              what to read
"""

from snakemake.utils import min_version

min_version("9.20")


configfile: workflow.source_path("config.yaml")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


wildcard_constraints:
    run=one_of(RUNS),
    corpus=one_of(CORPORA),
    model=one_of(MODELS),
    subject=one_of(SUBJECTS),
    block=r"\d+",
    axis=one_of([*FLIPPED, "synonyms", *SUITES]),
    suite=one_of(SUITES),


scattergather:
    predict=config["shards"]["predict"],
    score=config["shards"]["score"],


resource_scopes:
    gpu="local",  # a limit on GPUs is one on each job of a cluster, not on all of them together


rule all:
    """Everything: every report of every run, the claims and the index."""
    default_target: True
    input:
        "reports/index.html",
        [f"results/{subject.place}/provenance.json" for subject in [*RUNS.values(), *COMPANIONS.values()]],
    localrule: True


include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/performance.smk"
include: "workflow/rules/masking.smk"
include: "workflow/rules/perturbation.smk"
include: "workflow/rules/flips.smk"
include: "workflow/rules/synonyms.smk"
include: "workflow/rules/suites.smk"
include: "workflow/rules/fairness.smk"
include: "workflow/rules/tracing.smk"
include: "workflow/rules/induction.smk"
include: "workflow/rules/attention.smk"
include: "workflow/rules/prompting.smk"
include: "workflow/rules/residual.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/ground_truth.smk"
include: "workflow/rules/doses.smk"
include: "workflow/rules/comparison.smk"
include: "workflow/rules/report.smk"
