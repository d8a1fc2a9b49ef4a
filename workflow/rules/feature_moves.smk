"""What moving features does to the answers, and which of them flips switch: results/{run}/features gets a table of each."""


rule move_features:
    """Remove and add the features that move a class most, beside random directions and that between the means."""
    input:
        model="results/{run}/model",
        train=corpus_of("train.parquet"),
        test=corpus_of("test.parquet"),
        weights="results/{run}/features/weights.safetensors",
        thresholds=lambda wildcards: RUNS[wildcards.run].thresholds,
        code=code_of("experiments.features.moves"),
    output:
        **{name: f"results/{{run}}/features/{name}.parquet" for name in ("moves", "cards", "texts")},
    log:
        "logs/{run}/features/moves.log",
    benchmark:
        "benchmarks/{run}/features/moves.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        threads=threads_of(2),
        config=seeded("features", "learned", "judged", "chosen", "random", "doses"),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} move-features \
            --model {input.model:q} --train {input.train:q} \
            --test {input.test:q} --weights {input.weights:q} --thresholds {input.thresholds:q} \
            --config {params.config:q} --prediction {params.prediction:q} --moves {output.moves:q} --cards {output.cards:q} \
            --texts {output.texts:q} >{log:q} 2>&1
        """


rule switch_features:
    """See which features flips, and neutral swaps, switch on or off."""
    input:
        model="results/{run}/model",
        pairs=corpus_of("perturbations/{axis}.parquet"),
        weights="results/{run}/features/weights.safetensors",
        random_weights="results/{run}/features/random_weights.safetensors",
        code=code_of("experiments.features.switches"),
    output:
        "results/{run}/features/{axis}_switches.parquet",
    log:
        "logs/{run}/features/{axis}_switches.log",
    benchmark:
        "benchmarks/{run}/features/{axis}_switches.jsonl"
    wildcard_constraints:
        axis=one_of(KNOWN_AXES),
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        threads=threads_of(2),
        config=seeded("features", "pairs"),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} switch-features \
            --model {input.model:q} --pairs {input.pairs:q} \
            --weights {input.weights:q} --random-weights {input.random_weights:q} --config {params.config:q} \
            --prediction {params.prediction:q} --switches {output:q} >{log:q} 2>&1
        """
