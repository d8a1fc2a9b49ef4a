"""Flips from inside: results/{run}/tracing/{axis}_*.parquet, of all flips and of the strongest, and findings.csv."""

TRACED = ("traces", "patching", "attribution", "lens", "averaged")
SUMMARISED = ("shares", "dimensions", "counts", "concentration")

PAGES.add(
    Page(
        "tracing",
        subjects=RUNS.values(),
        tables=lambda run: {f"{axis}_pairs": f"{run.corpus.folder}/perturbations/{axis}.parquet" for axis in AXES}
        | {f"{axis}_scores": f"{run.results}/perturbations/{axis}_scores.parquet" for axis in AXES}
        | {
            f"{axis}_{name}": f"{run.results}/tracing/{axis}_{name}.parquet"
            for axis in AXES
            for name in (*TRACED, *SUMMARISED)
        }
        | {"findings": f"{run.results}/tracing/findings.csv", "exactness": f"{run.results}/exactness.json"},
        sections=("flips",),
        explained=("nulls.md", "families.md"),
    )
)


rule trace_pairs:
    """Look inside flips, and neutral swaps beside them: patching, attribution, lens, and changes of the residual stream."""
    input:
        model="results/{run}/model",
        pairs=corpus_of("perturbations/{axis}.parquet"),
        scores="results/{run}/perturbations/{axis}_scores.parquet",
        test=corpus_of("test.parquet"),
        exactness="results/{run}/exactness.json",
        code=code_of("experiments.tracing.measure"),
    output:
        traces="results/{run}/tracing/{axis}_traces.parquet",
        patching="results/{run}/tracing/{axis}_patching.parquet",
        attribution="results/{run}/tracing/{axis}_attribution.parquet",
        lens="results/{run}/tracing/{axis}_lens.parquet",
        averaged="results/{run}/tracing/{axis}_averaged.parquet",
        effects="results/{run}/tracing/{axis}_effects.parquet",
        changes="results/{run}/tracing/{axis}_changes.parquet",
    log:
        "logs/{run}/tracing/{axis}.log",
    benchmark:
        "benchmarks/{run}/tracing/{axis}.jsonl"
    wildcard_constraints:
        axis=one_of(KNOWN_AXES),
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        threads=threads_of(2),
        config=seeded("flips", "traced_pairs", "traced_block", "averaged_pairs"),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} trace-pairs \
            --model {input.model:q} --pairs {input.pairs:q} \
            --scores {input.scores:q} --test {input.test:q} --exactness {input.exactness:q} \
            --config {params.config:q} --prediction {params.prediction:q} --traces {output.traces:q} \
            --patching {output.patching:q} --attribution {output.attribution:q} --lens {output.lens:q} \
            --averaged {output.averaged:q} --effects {output.effects:q} --changes {output.changes:q} >{log:q} 2>&1
        """


rule summarise_tracing:
    """Shares of the difference with intervals, dimensions against neutral swaps, and the quotable numbers of all axes."""
    input:
        averaged=expand("results/{{run}}/tracing/{axis}_averaged.parquet", axis=AXES),
        effects=expand("results/{{run}}/tracing/{axis}_effects.parquet", axis=AXES),
        changes=expand("results/{{run}}/tracing/{axis}_changes.parquet", axis=AXES),
        code=code_of("experiments.tracing.summarise"),
    output:
        shares=expand("results/{{run}}/tracing/{axis}_shares.parquet", axis=AXES),
        dimensions=expand("results/{{run}}/tracing/{axis}_dimensions.parquet", axis=AXES),
        counts=expand("results/{{run}}/tracing/{axis}_counts.parquet", axis=AXES),
        concentration=expand("results/{{run}}/tracing/{axis}_concentration.parquet", axis=AXES),
        findings="results/{run}/tracing/findings.csv",
    log:
        "logs/{run}/tracing/summary.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        axes=AXES,
        statistics=part_of("statistics", "seed", "resamples", "confidence"),
    shell:
        r"""
        python -m emoscope summarise-tracing --averaged {input.averaged:q} --effects {input.effects:q} \
            --changes {input.changes:q} --axes {params.axes:q} --statistics {params.statistics:q} \
            --shares {output.shares:q} --dimensions {output.dimensions:q} --counts {output.counts:q} \
            --concentration {output.concentration:q} --findings {output.findings:q} >{log:q} 2>&1
        """


rule tracing:
    """What flips change inside every run."""
    input:
        PAGES["tracing"].all_html(),
    localrule: True
