"""What masks put in place, and which heads are masked: results/{run}/masking/reference.*, and screen.parquet."""

REFERENCE = {
    "means": "results/{run}/masking/reference.safetensors",
    "texts": "results/{run}/masking/reference.parquet",
}


rule masking_reference:
    """What blocks put out on average in training texts, and which texts these are."""
    input:
        model="results/{run}/model",
        train=corpus_of("train.parquet"),
        test=corpus_of("test.parquet"),
        code=code_of("experiments.masking.reference"),
    output:
        **REFERENCE,
    log:
        "logs/{run}/masking/reference.log",
    benchmark:
        "benchmarks/{run}/masking/reference.jsonl"
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        masking=part_of("masking", "reference_texts"),
        seed=lambda wildcards: RUNS[wildcards.run].entry["seed"],
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} masking-reference \
            --model {input.model:q} --train {input.train:q} --test {input.test:q} \
            --masking {params.masking:q} --seed {params.seed} --prediction {params.prediction:q} \
            --means {output.means:q} --texts {output.texts:q} >{log:q} 2>&1
        """


rule screen_heads:
    """Estimate what masking each head would do, and choose those that are masked: the largest, and some by chance."""
    input:
        **REFERENCE,
        model="results/{run}/model",
        samples="results/{run}/samples.parquet",
        exactness="results/{run}/exactness.json",
        code=code_of("experiments.masking.screening.screen"),
    output:
        "results/{run}/masking/screen.parquet",
    log:
        "logs/{run}/masking/screen.log",
    benchmark:
        "benchmarks/{run}/masking/screen.jsonl"
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        masking=part_of("masking", "head_conditions", "screened_heads"),
        seed=lambda wildcards: RUNS[wildcards.run].entry["seed"],
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} screen-heads \
            --model {input.model:q} --samples {input.samples:q} --means {input.means:q} \
            --texts {input.texts:q} --exactness {input.exactness:q} --masking {params.masking:q} --seed {params.seed} \
            --prediction {params.prediction:q} --output {output:q} >{log:q} 2>&1
        """
