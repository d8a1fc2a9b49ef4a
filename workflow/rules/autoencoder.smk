"""The autoencoder of the residual write-up: trained on the stream, beside a twin of random weights, and judged.
RESIDUAL, RESIDUAL_CORPUS: residual.smk."""

# what decides its weights
AUTOENCODER = {key: value for key, value in config["residual"]["autoencoder"].items() if key != "patched"}


rule train_autoencoder:
    """Train a sparse autoencoder on the residual stream after one block."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        corpus=f"{RESIDUAL_CORPUS}/train.parquet",
        code=code_of("writeups.residual.autoencoder"),
    output:
        weights=f"{RESIDUAL}/autoencoder.safetensors",
        lookups=f"{RESIDUAL}/lookups.safetensors",
        history=f"{RESIDUAL}/training.csv",
    log:
        "logs/models/{model}/residual/train.log",
    benchmark:
        "benchmarks/models/{model}/residual/train.jsonl"
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        config=as_json({"autoencoder": AUTOENCODER, "seed": config["residual"]["seed"]}),
        prediction=as_json(config["prediction"]),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} train-autoencoder --model {input.model:q} --corpus {input.corpus:q} \
            --config {params.config:q} --prediction {params.prediction:q} --weights {output.weights:q} \
            --lookups {output.lookups:q} --history {output.history:q} >{log:q} 2>&1
        """


rule twin_autoencoder:
    """What the same autoencoder, and mere averages, explain of the same model with random weights."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        corpus=f"{RESIDUAL_CORPUS}/train.parquet",
        code=code_of("writeups.residual.autoencoder_scores"),
    output:
        f"{RESIDUAL}/twin.parquet",
    log:
        "logs/models/{model}/residual/twin.log",
    benchmark:
        "benchmarks/models/{model}/residual/twin.jsonl"
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        config=as_json({"autoencoder": AUTOENCODER, "seed": config["residual"]["seed"]}),
        prediction=as_json(config["prediction"]),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} twin-autoencoder --model {input.model:q} --corpus {input.corpus:q} \
            --config {params.config:q} --prediction {params.prediction:q} --output {output:q} >{log:q} 2>&1
        """


rule evaluate_autoencoder:
    """Judge the autoencoder on texts that it has not seen, beside averages and dictionaries that learned no features."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        corpus=f"{RESIDUAL_CORPUS}/train.parquet",
        audit=f"{RESIDUAL_CORPUS}/corpus.json",
        weights=f"{RESIDUAL}/autoencoder.safetensors",
        lookups=f"{RESIDUAL}/lookups.safetensors",
        code=code_of("writeups.residual.autoencoder_scores"),
    output:
        reconstruction=f"{RESIDUAL}/reconstruction.parquet",
        patched=f"{RESIDUAL}/patched.parquet",
        features=f"{RESIDUAL}/features.parquet",
        texts=f"{RESIDUAL}/texts.parquet",
        associations=f"{RESIDUAL}/associations.parquet",
        shuffles=f"{RESIDUAL}/shuffles.parquet",
        chosen=f"{RESIDUAL}/chosen.parquet",
    log:
        "logs/models/{model}/residual/evaluate.log",
    benchmark:
        "benchmarks/models/{model}/residual/evaluate.jsonl"
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        config=part_of("residual", "autoencoder", "seed"),
        prediction=as_json(config["prediction"]),
        statistics=part_of("statistics", "seed", "resamples", "confidence"),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} evaluate-autoencoder --model {input.model:q} --corpus {input.corpus:q} \
            --audit {input.audit:q} --weights {input.weights:q} --lookups {input.lookups:q} \
            --config {params.config:q} --prediction {params.prediction:q} --statistics {params.statistics:q} \
            --reconstruction {output.reconstruction:q} --patched {output.patched:q} --features {output.features:q} \
            --texts {output.texts:q} --associations {output.associations:q} --shuffles {output.shuffles:q} \
            --chosen {output.chosen:q} >{log:q} 2>&1
        """
