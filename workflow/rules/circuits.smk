"""Circuits: results/{run}/circuits, which heads and feed-forwards carry what flips, or other texts, change,
and how few are enough."""

TRIED = [*AXES, CLASS]
LOOKED_FOR = ("sample", "effects", "checked", "curves")

PAGES.add(
    Page(
        "circuits",
        subjects=RUNS.values(),
        tables=lambda run: {
            f"{axis}_{name}": f"{run.results}/circuits/{axis}_{name}.parquet"
            for axis in TRIED
            for name in ("parts", "sizes", "edges", "edge_sizes")
        }
        | {name: f"{run.results}/circuits/{name}.csv" for name in ("findings", "edge_findings")}
        | {"exactness": f"{run.results}/exactness.json"},
        sections=("circuits", "flips"),
        explained=("nulls.md", "families.md"),
        on_demand=True,
    )
)


rule find_circuits:
    """Estimate what each head and feed-forward carries of what flips, or other texts, change, patch some of them, and keep more and more of the largest."""
    input:
        model="results/{run}/model",
        pairs=pairs_of_circuits,
        changes="results/{run}/masking/changes.parquet",
        exactness="results/{run}/exactness.json",
        code=code_of("experiments.circuits.measure"),
    output:
        **{name: f"results/{{run}}/circuits/{{axis}}_{name}.parquet" for name in LOOKED_FOR},
    log:
        "logs/{run}/circuits/{axis}.log",
    benchmark:
        "benchmarks/{run}/circuits/{axis}.jsonl"
    wildcard_constraints:
        axis=one_of([*KNOWN_AXES, CLASS]),
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        threads=threads_of(2),
        config=as_json(config["circuits"] | {"seed": config["statistics"]["seed"]}),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} find-circuits \
            --model {input.model:q} --pairs {input.pairs:q} \
            --changes {input.changes:q} --exactness {input.exactness:q} --config {params.config:q} \
            --prediction {params.prediction:q} --sample {output.sample:q} \
            --effects {output.effects:q} --checked {output.checked:q} --curves {output.curves:q} >{log:q} 2>&1
        """


rule summarise_circuits:
    """How far estimates agree with patching, curves of faithfulness with intervals, and the quotable numbers of all axes."""
    input:
        **{name: expand("results/{{run}}/circuits/{axis}_{name}.parquet", axis=TRIED, name=name) for name in LOOKED_FOR},
        code=code_of("experiments.circuits.summarise"),
    output:
        parts=expand("results/{{run}}/circuits/{axis}_parts.parquet", axis=TRIED),
        sizes=expand("results/{{run}}/circuits/{axis}_sizes.parquet", axis=TRIED),
        findings="results/{run}/circuits/findings.csv",
    log:
        "logs/{run}/circuits/summary.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        axes=TRIED,
        statistics=part_of("statistics", "seed", "resamples", "confidence"),
    shell:
        r"""
        python -m emoscope summarise-circuits --sample {input.sample:q} --effects {input.effects:q} \
            --checked {input.checked:q} --curves {input.curves:q} --axes {params.axes:q} \
            --statistics {params.statistics:q} --parts {output.parts:q} --sizes {output.sizes:q} \
            --findings {output.findings:q} >{log:q} 2>&1
        """


rule circuits:
    """Which parts of every run carry what flips change, and what sets classes apart; not part of `all`."""
    input:
        PAGES["circuits"].all_html(),
    localrule: True
