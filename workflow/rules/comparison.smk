"""Comparison: results/comparison/, all runs side by side, seed by seed and architecture by architecture."""

PAGES.add(
    Page(
        "comparison",
        subjects=(
            [
                Overview(
                    {
                        "runs": {name: run.entry for name, run in RUNS.items()},
                        "models": {run.model.name: run.model.entry for run in RUNS.values()},
                    }
                )
            ]
            if len(RUNS) > 1
            else []
        ),
        tables=lambda overview: {
            name: f"results/comparison/{name}.parquet" for name in ("measures", "masks", "correlations")
        }
        | {name: f"{run.results}/training.json" for name, run in RUNS.items()},
    )
)
# in the order of the runs' files, which sorted names are not
COMPARED = lambda wildcards: json.dumps({name: run.compared for name, run in RUNS.items()})


rule compare_runs:
    """What every run reaches, and every group of seeds, with intervals that cover both texts and seeds."""
    input:
        metrics=expand("results/{run}/metrics.json", run=RUNS),
        perturbations=expand("results/{run}/perturbations/{axis}_summary.parquet", run=RUNS, axis=STUDY.axes),
        code=code_of("verdicts.comparison.summarise"),
    output:
        "results/comparison/measures.parquet",
    log:
        "logs/comparison/runs.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        runs=COMPARED,
        axes=STUDY.axes,
        statistics=part_of("statistics", "confidence"),
    shell:
        r"""
        python -m emoscope compare-runs --runs {params.runs:q} --axes {params.axes:q} --metrics {input.metrics:q} \
            --perturbations {input.perturbations:q} --statistics {params.statistics:q} --output {output:q} >{log:q} 2>&1
        """


rule compare_masks:
    """Which blocks and heads every run needs, by relative depth, and how far runs agree on it."""
    input:
        summaries=expand("results/{run}/masking/summary.parquet", run=RUNS),
        code=code_of("verdicts.comparison.summarise"),
    output:
        masks="results/comparison/masks.parquet",
        correlations="results/comparison/correlations.parquet",
    log:
        "logs/comparison/masks.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        runs=COMPARED,
        statistics=part_of("statistics", "seed", "confidence"),
        heads=config["masking"]["heads"],
    shell:
        r"""
        python -m emoscope compare-masks --runs {params.runs:q} --summaries {input.summaries:q} \
            --statistics {params.statistics:q} --heads {params.heads} --masks {output.masks:q} --correlations {output.correlations:q} \
            >{log:q} 2>&1
        """


rule comparison:
    """All runs side by side: seeds, architectures, corpora."""
    input:
        PAGES["comparison"].asked(
            f"nothing to compare {next(iter(RUNS))} with; add a seed to `seeds` or a run to `runs`"
        ),
    localrule: True
