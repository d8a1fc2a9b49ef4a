"""The masks themselves: results/{run}/masking gets one table per block, one of all blocks but one, and one of pairs.
REFERENCE: masking_reference.smk. SCREEN: masking.smk."""


rule mask_block:
    """Re-score the confident samples with one block's attention, its MLP, or one of its heads ablated."""
    input:
        **REFERENCE,
        model="results/{run}/model",
        samples="results/{run}/samples.parquet",
        exactness="results/{run}/exactness.json",
        screen=SCREEN,
        thresholds=lambda wildcards: RUNS[wildcards.run].thresholds,
        code=code_of("experiments.masking.measure"),
    output:
        "results/{run}/masking/block_{block}.parquet",
    log:
        "logs/{run}/masking/block_{block}.log",
    benchmark:
        "benchmarks/{run}/masking/block_{block}.jsonl"
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        masking=part_of("masking", "block_conditions", "head_conditions", "resample_draws"),
        seed=lambda wildcards: RUNS[wildcards.run].entry["seed"],
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} mask-block \
            --model {input.model:q} --samples {input.samples:q} --means {input.means:q} \
            --texts {input.texts:q} --exactness {input.exactness:q} --block {wildcards.block} \
            --masking {params.masking:q} --seed {params.seed} --prediction {params.prediction:q} \
            --thresholds {input.thresholds:q} --screen {input.screen:q} --output {output:q} >{log:q} 2>&1
        """


rule mask_all_but:
    """Re-score the confident samples with every block's attention but one's ablated, for each block in turn."""
    input:
        **REFERENCE,
        model="results/{run}/model",
        samples="results/{run}/samples.parquet",
        exactness="results/{run}/exactness.json",
        thresholds=lambda wildcards: RUNS[wildcards.run].thresholds,
        code=code_of("experiments.masking.measure"),
    output:
        "results/{run}/masking/all_but.parquet",
    log:
        "logs/{run}/masking/all_but.log",
    benchmark:
        "benchmarks/{run}/masking/all_but.jsonl"
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        masking=part_of("masking", "block_conditions", "resample_draws"),
        seed=lambda wildcards: RUNS[wildcards.run].entry["seed"],
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} mask-all-but \
            --model {input.model:q} --samples {input.samples:q} --means {input.means:q} \
            --texts {input.texts:q} --exactness {input.exactness:q} --masking {params.masking:q} --seed {params.seed} \
            --prediction {params.prediction:q} --thresholds {input.thresholds:q} --output {output:q} >{log:q} 2>&1
        """


rule mask_pairs:
    """Re-score the confident samples with every two of the costliest heads ablated, alone and together."""
    input:
        **REFERENCE,
        model="results/{run}/model",
        samples="results/{run}/samples.parquet",
        blocks=lambda wildcards: RUNS[wildcards.run].masked_blocks,
        exactness="results/{run}/exactness.json",
        thresholds=lambda wildcards: RUNS[wildcards.run].thresholds,
        code=code_of("experiments.masking.head_pairs.measure"),
    output:
        "results/{run}/masking/pairs.parquet",
    log:
        "logs/{run}/masking/pairs.log",
    benchmark:
        "benchmarks/{run}/masking/pairs.jsonl"
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        paired_heads=config["masking"]["paired_heads"],
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} mask-pairs \
            --model {input.model:q} --samples {input.samples:q} --blocks {input.blocks:q} \
            --means {input.means:q} --texts {input.texts:q} --exactness {input.exactness:q} \
            --paired-heads {params.paired_heads} --prediction {params.prediction:q} --thresholds {input.thresholds:q} \
            --output {output:q} >{log:q} 2>&1
        """
