"""What erasing a concept, or steering along it, does to the answers: results/{run}/probing gets a table of each axis.
ERASED: probing.smk."""


rule erase_concept:
    """Erase which group texts name, at several depths and in several ways, and see what becomes of answers and probes."""
    input:
        model="results/{run}/model",
        train=corpus_of("train.parquet"),
        test=corpus_of("test.parquet"),
        taught=corpus_of("perturbations/{axis}_training.parquet"),
        pairs=corpus_of("perturbations/{axis}.parquet"),
        exactness="results/{run}/exactness.json",
        thresholds=lambda wildcards: RUNS[wildcards.run].thresholds,
        code=code_of("experiments.probing.erasing.erasure"),
    output:
        **{name: f"results/{{run}}/probing/{{axis}}_{name}.parquet" for name in ERASED},
    log:
        "logs/{run}/probing/{axis}_erasure.log",
    benchmark:
        "benchmarks/{run}/probing/{axis}_erasure.jsonl"
    wildcard_constraints:
        axis=one_of(KNOWN_AXES),
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        threads=threads_of(2),
        config=seeded("probing", "learned", "judged", "depths", "random"),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} erase-concept \
            --model {input.model:q} --train {input.train:q} \
            --test {input.test:q} --taught {input.taught:q} --pairs {input.pairs:q} \
            --exactness {input.exactness:q} --thresholds {input.thresholds:q} --config {params.config:q} \
            --prediction {params.prediction:q} --answers {output.answers:q} --probes {output.probes:q} \
            --accuracy {output.accuracy:q} >{log:q} 2>&1
        """


rule steer_concept:
    """Move the words that name a group towards the other group, further and further, and see what becomes of answers."""
    input:
        model="results/{run}/model",
        train=corpus_of("train.parquet"),
        taught=corpus_of("perturbations/{axis}_training.parquet"),
        pairs=corpus_of("perturbations/{axis}.parquet"),
        exactness="results/{run}/exactness.json",
        code=code_of("experiments.probing.steering"),
    output:
        "results/{run}/probing/{axis}_steered.parquet",
    log:
        "logs/{run}/probing/{axis}_steering.log",
    benchmark:
        "benchmarks/{run}/probing/{axis}_steering.jsonl"
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
        config=seeded("probing", "learned", "judged", "depths", "random", "doses"),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} steer-concept \
            --model {input.model:q} --train {input.train:q} \
            --taught {input.taught:q} --pairs {input.pairs:q} --exactness {input.exactness:q} \
            --config {params.config:q} --prediction {params.prediction:q} --steered {output:q} >{log:q} 2>&1
        """
