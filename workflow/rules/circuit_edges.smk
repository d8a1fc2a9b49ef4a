"""Circuits by their edges: which head or feed-forward reads what of which, for the page of circuits.smk.
TRIED: circuits.smk."""

OF_EDGES = ("effects", "checked", "curves", "followed")


rule find_edges:
    """Estimate what each edge between heads and feed-forwards carries of what they change, patch some, and keep more and more of the largest."""
    input:
        model="results/{run}/model",
        pairs=pairs_of_circuits,
        sample="results/{run}/circuits/{axis}_sample.parquet",
        changes="results/{run}/masking/changes.parquet",
        code=code_of("experiments.circuits.measure_edges"),
    output:
        **{name: f"results/{{run}}/circuits/{{axis}}_edge_{name}.parquet" for name in OF_EDGES},
    log:
        "logs/{run}/circuits/{axis}_edges.log",
    benchmark:
        "benchmarks/{run}/circuits/{axis}_edges.jsonl"
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
        config=seeded("circuits", "steps", "checked", "random_orders"),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} find-edges \
            --model {input.model:q} --pairs {input.pairs:q} \
            --sample {input.sample:q} --changes {input.changes:q} --config {params.config:q} \
            --prediction {params.prediction:q} --effects {output.effects:q} --checked {output.checked:q} \
            --curves {output.curves:q} --followed {output.followed:q} >{log:q} 2>&1
        """


rule summarise_edges:
    """How far estimates of edges agree with patching, curves of faithfulness with intervals, and the quotable numbers of all axes."""
    input:
        **{
            name: expand("results/{{run}}/circuits/{axis}_edge_{name}.parquet", axis=TRIED, name=name)
            for name in OF_EDGES
        },
        sample=expand("results/{{run}}/circuits/{axis}_sample.parquet", axis=TRIED),
        code=code_of("experiments.circuits.summarise_edges"),
    output:
        edges=expand("results/{{run}}/circuits/{axis}_edges.parquet", axis=TRIED),
        edge_sizes=expand("results/{{run}}/circuits/{axis}_edge_sizes.parquet", axis=TRIED),
        edge_findings="results/{run}/circuits/edge_findings.csv",
    log:
        "logs/{run}/circuits/edge_summary.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        axes=TRIED,
        statistics=part_of("statistics", "seed", "resamples", "confidence"),
    shell:
        r"""
        python -m emoscope summarise-edges --sample {input.sample:q} --effects {input.effects:q} \
            --checked {input.checked:q} --curves {input.curves:q} --followed {input.followed:q} \
            --axes {params.axes:q} --statistics {params.statistics:q} --edges {output.edges:q} --edge-sizes {output.edge_sizes:q} \
            --edge-findings {output.edge_findings:q} >{log:q} 2>&1
        """
