"""Features: results/{run}/features, what a sparse autoencoder finds in the stream, what it does, and which flips switch it."""

PAGES.add(
    Page(
        "features",
        subjects=RUNS.values(),
        tables=lambda run: {
            name: f"{run.results}/features/{name}.parquet"
            for name in ("replaced", "effects", "doses", "cards", "texts")
        }
        | {f"{axis}_switched": f"{run.results}/features/{axis}_switched.parquet" for axis in AXES}
        | {"findings": f"{run.results}/features/findings.csv", "exactness": f"{run.results}/exactness.json"},
        sections=("features", "flips"),
        explained=("nulls.md", "families.md"),
        on_demand=True,
    )
)


rule learn_features:
    """Train sparse autoencoders on the residual stream after one block, beside random weights, and judge what they explain."""
    input:
        model="results/{run}/model",
        train=corpus_of("train.parquet"),
        test=corpus_of("test.parquet"),
        exactness="results/{run}/exactness.json",
        thresholds=lambda wildcards: RUNS[wildcards.run].thresholds,
        code=code_of("experiments.features.measure"),
    output:
        weights="results/{run}/features/weights.safetensors",
        random_weights="results/{run}/features/random_weights.safetensors",
        judged="results/{run}/features/judged.parquet",
        rates="results/{run}/features/rates.parquet",
    log:
        "logs/{run}/features/autoencoders.log",
    benchmark:
        "benchmarks/{run}/features/autoencoders.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        threads=threads_of(2),
        config=seeded("features", "block", "features", "active", "steps", "seeds", "learned", "judged"),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} learn-features \
            --model {input.model:q} --train {input.train:q} \
            --test {input.test:q} --exactness {input.exactness:q} --thresholds {input.thresholds:q} \
            --config {params.config:q} --prediction {params.prediction:q} --weights {output.weights:q} \
            --random-weights {output.random_weights:q} --judged {output.judged:q} --rates {output.rates:q} >{log:q} 2>&1
        """


rule summarise_features:
    """What is explained, which features act and which of them flips switch, with intervals, and the quotable numbers."""
    input:
        **{name: f"results/{{run}}/features/{name}.parquet" for name in ("judged", "rates", "moves")},
        switches=expand("results/{{run}}/features/{axis}_switches.parquet", axis=AXES),
        code=code_of("experiments.features.summarise"),
    output:
        **{name: f"results/{{run}}/features/{name}.parquet" for name in ("replaced", "effects", "doses")},
        switched=expand("results/{{run}}/features/{axis}_switched.parquet", axis=AXES),
        findings="results/{run}/features/findings.csv",
    log:
        "logs/{run}/features/summary.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        axes=AXES,
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope summarise-features --judged {input.judged:q} --rates {input.rates:q} --moves {input.moves:q} \
            --axes {params.axes:q} --switches {input.switches:q} --statistics {params.statistics:q} \
            --replaced {output.replaced:q} --effects {output.effects:q} --doses {output.doses:q} \
            --switched {output.switched:q} --findings {output.findings:q} >{log:q} 2>&1
        """


rule features:
    """What the features of every run's stream do; not part of `all`."""
    input:
        PAGES["features"].all_html(),
    localrule: True
