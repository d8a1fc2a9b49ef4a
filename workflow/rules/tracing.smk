"""Flips from inside: results/{run}/perturbations/{axis}_{traces,patching,attribution,lens,dimensions,agreement}.parquet."""

TRACED = ("traces", "patching", "attribution", "lens", "dimensions", "agreement")


rule trace_pairs:
    """Look inside the pairs whose predictions a flip changed most: activations, patching, attribution and lens."""
    input:
        model="results/{run}/model",
        pairs=corpus_of("perturbations/{axis}.parquet"),
        scores="results/{run}/perturbations/{axis}_scores.parquet",
        code=code_of("experiments.tracing.measure"),
    output:
        traces="results/{run}/perturbations/{axis}_traces.parquet",
        patching="results/{run}/perturbations/{axis}_patching.parquet",
        attribution="results/{run}/perturbations/{axis}_attribution.parquet",
        lens="results/{run}/perturbations/{axis}_lens.parquet",
    log:
        "logs/{run}/perturbations/{axis}_traces.log",
    benchmark:
        "benchmarks/{run}/perturbations/{axis}_traces.jsonl"
    wildcard_constraints:
        axis=one_of(FLIPPED),
    conda:
        "../../envs/emoscope.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        config=as_json(config["flips"]),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads 2 trace-pairs --model {input.model:q} --pairs {input.pairs:q} \
            --scores {input.scores:q} \
            --config {params.config:q} --prediction {params.prediction:q} --traces {output.traces:q} \
            --patching {output.patching:q} --attribution {output.attribution:q} --lens {output.lens:q} >{log:q} 2>&1
        """


rule measure_dimensions:
    """Test which dimensions of the residual stream change at flipped words, over all test texts that can be flipped."""
    input:
        model="results/{run}/model",
        pairs=corpus_of("perturbations/{axis}.parquet"),
        test=corpus_of("test.parquet"),
        code=code_of("experiments.tracing.dimensions"),
    output:
        dimensions="results/{run}/perturbations/{axis}_dimensions.parquet",
        agreement="results/{run}/perturbations/{axis}_agreement.parquet",
    log:
        "logs/{run}/perturbations/{axis}_dimensions.log",
    benchmark:
        "benchmarks/{run}/perturbations/{axis}_dimensions.jsonl"
    wildcard_constraints:
        axis=one_of(FLIPPED),
    conda:
        "../../envs/emoscope.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        config=as_json({"traced_block": config["flips"]["traced_block"]}),
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope --threads 2 measure-dimensions --model {input.model:q} --pairs {input.pairs:q} \
            --test {input.test:q} \
            --config {params.config:q} --statistics {params.statistics:q} --dimensions {output.dimensions:q} \
            --agreement {output.agreement:q} >{log:q} 2>&1
        """
