"""What the induction write-up silences: feed-forwards at a position, and sets of heads. INDUCTION: induction.smk."""


rule ablate_mlps:
    """Replace the output of one MLP in the second half by that in the first half, position by position."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        code=code_of("writeups.induction.ablation"),
    output:
        f"{INDUCTION}/mlps.parquet",
    log:
        "logs/models/{model}/induction/ablate_mlps.log",
    benchmark:
        "benchmarks/models/{model}/induction/ablate_mlps.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(8)
    resources:
        gpu=1,
        mem_mb=growing(6000),
        runtime=growing(240),
    params:
        threads=threads_of(8),
        blocks=lambda wildcards: MODELS[wildcards.model].entry["blocks"],
        config=part_of("induction", "lengths", "ablated_sequences", "ablated_positions", "seed"),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} ablate-mlps \
            --model {input.model:q} --blocks {params.blocks} \
            --config {params.config:q} \
            --output {output:q} >{log:q} 2>&1
        """


rule ablate_heads:
    """Silence the best induction heads, the best previous-token heads, and as many random ones."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        heads=f"{INDUCTION}/heads.parquet",
        code=code_of("writeups.induction.ablation"),
    output:
        f"{INDUCTION}/silenced.parquet",
    log:
        "logs/models/{model}/induction/ablate_heads.log",
    benchmark:
        "benchmarks/models/{model}/induction/ablate_heads.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(8)
    resources:
        gpu=1,
        mem_mb=growing(6000),
        runtime=growing(240),
    params:
        threads=threads_of(8),
        blocks=lambda wildcards: MODELS[wildcards.model].entry["blocks"],
        config=part_of("induction", "lengths", "ablated_sequences", "ablated_heads", "random_heads", "seed"),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} ablate-heads \
            --model {input.model:q} --blocks {params.blocks} \
            --heads {input.heads:q} \
            --config {params.config:q} --output {output:q} >{log:q} 2>&1
        """
