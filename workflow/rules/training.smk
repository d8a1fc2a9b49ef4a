"""Classifiers: results/{run}/ gets model/, training.json, exactness.json, predictions/."""


rule finetune:
    """Fine-tune a classifier, one process for each GPU; a killed job goes on from its last checkpoint below work/."""
    input:
        train=corpus_of("train.parquet"),
        audit=corpus_of("corpus.json"),
        base=lambda wildcards: RUNS[wildcards.run].model.base,
        files=lambda wildcards: own_files(RUNS[wildcards.run].model),
        validation=lambda wildcards: RUNS[wildcards.run].judging_epochs,
        description=ancient(lambda wildcards: RUNS[wildcards.run].description),
        code=code_of("training.finetune"),
    output:
        model=directory("results/{run}/model"),
        history="results/{run}/training.json",
    log:
        "logs/{run}/finetune.log",
    benchmark:
        "benchmarks/{run}/finetune.jsonl"
    wildcard_constraints:
        run=one_of(name for name, run in RUNS.items() if not run.adopted),
    priority: 1  # most waits for it
    conda:
        "../../envs/models.yaml"
    threads: threads_of(8)
    resources:
        gpu=lambda wildcards: RUNS[wildcards.run].training["gpus"],
        mem_mb=growing(8000),
        runtime="24h",  # does not grow: the next attempt goes on where this one stopped, and sites have a longest time
    params:
        threads=threads_of(8),
        config=as_json(lambda wildcards: RUNS[wildcards.run].recipe),
        stamps=lambda wildcards: own_stamps(RUNS[wildcards.run].model),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} finetune \
            --train {input.train:q} --audit {input.audit:q} \
            --base {input.base:q} --validation {input.validation:q} --code {input.code:q} --config {params.config:q} \
            --checkpoints work/{wildcards.run:q} --output {output.model:q} --history {output.history:q} >{log:q} 2>&1
        """


rule check_exactness:
    """Check what can be read out of the classifier exactly, on some of its test texts, and what is refused."""
    input:
        model="results/{run}/model",
        test=corpus_of("test.parquet"),
        code=code_of("models.inside.exactness"),
    output:
        "results/{run}/exactness.json",
    log:
        "logs/{run}/exactness.log",
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(30),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} check-exactness --model {input.model:q} --test {input.test:q} \
            --output {output:q} >{log:q} 2>&1
        """


rule choose_thresholds:
    """From which probability on each of several labels is given: as configured, or as is best on the validation part."""
    input:
        model="results/{run}/model",
        audit=corpus_of("corpus.json"),
        validation=lambda wildcards: RUNS[wildcards.run].validation,
        code=code_of("training.thresholds"),
    output:
        "results/{run}/thresholds.json",
    log:
        "logs/{run}/thresholds.log",
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        threads=threads_of(2),
        asked=as_json(lambda wildcards: RUNS[wildcards.run].asked_thresholds),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} choose-thresholds \
            --model {input.model:q} --audit {input.audit:q} \
            --validation {input.validation:q} --asked {params.asked:q} --prediction {params.prediction:q} \
            --output {output:q} >{log:q} 2>&1
        """


rule predict:
    """Predict one share of all texts."""
    input:
        model="results/{run}/model",
        train=corpus_of("train.parquet"),
        test=corpus_of("test.parquet"),
        exactness=ancient("results/{run}/exactness.json"),  # nothing is done with a model that depends on padding
        thresholds=lambda wildcards: RUNS[wildcards.run].thresholds,
        code=code_of("models.logits"),
    output:
        "results/{run}/predictions/{scatteritem}.parquet",
    log:
        "logs/{run}/predict/{scatteritem}.log",
    benchmark:
        "benchmarks/{run}/predict/{scatteritem}.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(8)
    resources:
        gpu=1,
        mem_mb=growing(8000),
        runtime=growing(120),
    params:
        threads=threads_of(8),
        config=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} predict \
            --model {input.model:q} --train {input.train:q} --test {input.test:q} \
            --shard {wildcards.scatteritem:q} --config {params.config:q} --thresholds {input.thresholds:q} \
            --output {output:q} >{log:q} 2>&1
        """
