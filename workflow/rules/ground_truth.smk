"""Ground truth: results/{run}/ground_truth/{axis}.csv, what was planted in a generated corpus and what was found of it."""

PAGES.add(
    Page(
        "ground_truth",
        subjects=(
            [Overview({"runs": {name: run.entry for name, run in STUDY.generated_runs.items()}})]
            if STUDY.generated_runs
            else []
        ),
        tables=lambda overview: {"table": "reports/ground_truth.csv"},
        explained=("reliability.md",),
    )
)


rule assess_ground_truth:
    """Set every planted effect, and every planted absence of one, beside what this run finds."""
    input:
        truth=corpus_of("truth.json"),
        train=corpus_of("train.parquet"),
        pairs=corpus_of("perturbations/{axis}.parquet"),
        scores="results/{run}/perturbations/{axis}_scores.parquet",
        summary="results/{run}/perturbations/{axis}_summary.parquet",
        code=code_of("verdicts.ground_truth.assess"),
    output:
        "results/{run}/ground_truth/{axis}.csv",
    log:
        "logs/{run}/ground_truth/{axis}.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope assess-ground-truth --truth {input.truth:q} --train {input.train:q} --pairs {input.pairs:q} \
            --scores {input.scores:q} --summary {input.summary:q} --axis {wildcards.axis} --run {wildcards.run:q} \
            --statistics {params.statistics:q} --output {output:q} >{log:q} 2>&1
        """


rule assess_masking_truth:
    """Whether the sentences that need attention, by the grammar, lose more than others when it is silenced."""
    input:
        truth=corpus_of("truth.json"),
        samples="results/{run}/samples.parquet",
        blocks=lambda wildcards: RUNS[wildcards.run].masked_blocks,
        code=code_of("verdicts.ground_truth.assess"),
    output:
        "results/{run}/ground_truth/masking.csv",
    log:
        "logs/{run}/ground_truth/masking.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=part_of("statistics", "seed", "resamples", "confidence"),
    shell:
        r"""
        python -m emoscope assess-masking-truth --truth {input.truth:q} --samples {input.samples:q} \
            --blocks {input.blocks:q} --run {wildcards.run:q} --statistics {params.statistics:q} \
            --output {output:q} >{log:q} 2>&1
        """


rule collect_ground_truth:
    """The planted effects of all runs in one table."""
    input:
        runs=expand(
            "results/{run}/ground_truth/{part}.csv",
            run=STUDY.generated_runs,
            part=[*STUDY.planted_axes, "masking"],
        ),
        code=code_of("storage.shards"),
    output:
        "reports/ground_truth.csv",
    log:
        "logs/ground_truth.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    shell:
        "python -m emoscope join-tables --tables {input.runs:q} --output {output:q} >{log:q} 2>&1"


rule ground_truth:
    """What was planted in the generated corpora and what was found of it, over all their runs."""
    input:
        PAGES["ground_truth"].asked("no run has generated texts; name one with a corpus of source calibration"),
    localrule: True
