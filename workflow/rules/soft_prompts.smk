"""The prompts of the prompting write-up: trained for each task, and asked of its texts.
PROMPTING_MEMORY: prompting.smk."""


rule train_prompts:
    """Train one task's soft prompts and linear heads on the frozen model."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        train="data/tasks/{task}/train.parquet",
        about="data/tasks/{task}/task.json",
        code=code_of("writeups.prompting.training"),
    output:
        prompts="results/models/{model}/prompting/{task}/prompts.safetensors",
        history="results/models/{model}/prompting/{task}/history.csv",
        means="results/models/{model}/prompting/{task}/means.safetensors",
    log:
        "logs/models/{model}/prompting/{task}.log",
    benchmark:
        "benchmarks/models/{model}/prompting/{task}.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(8)
    resources:
        gpu=1,
        mem_mb=growing(PROMPTING_MEMORY),
        runtime=growing(720),
    params:
        threads=threads_of(8),
        config=part_of(
            "prompting",
            *("tokens", "epochs", "batch_size", "learning_rate", "max_tokens", "precision", "cache_gb", "seed"),
        ),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} train-prompts \
            --model {input.model:q} --train {input.train:q} \
            --about {input.about:q} --config {params.config:q} --prompts {output.prompts:q} \
            --history {output.history:q} --means {output.means:q} >{log:q} 2>&1
        """


rule score_prompts:
    """Ask the prompts of every task about the test texts of every task, and check batches and composite heads."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        tests=expand("data/tasks/{task}/test.parquet", task=TASKS),
        about=expand("data/tasks/{task}/task.json", task=TASKS),
        prompts=expand("results/models/{{model}}/prompting/{task}/prompts.safetensors", task=TASKS),
        code=code_of("writeups.prompting.measure"),
    output:
        scores="results/models/{model}/prompting/scores.parquet",
        checks="results/models/{model}/prompting/checks.parquet",
        means="results/models/{model}/prompting/means.safetensors",
    log:
        "logs/models/{model}/prompting/score.log",
    benchmark:
        "benchmarks/models/{model}/prompting/score.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(8)
    resources:
        gpu=1,
        mem_mb=growing(PROMPTING_MEMORY),
        runtime=growing(240),
    params:
        threads=threads_of(8),
        config=part_of("prompting", "tokens", "epochs", "max_tokens", "checked_texts", "cache_gb"),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} score-prompts \
            --model {input.model:q} --tests {input.tests:q} \
            --about {input.about:q} \
            --prompts {input.prompts:q} --config {params.config:q} \
            --scores {output.scores:q} --checks {output.checks:q} --means {output.means:q} >{log:q} 2>&1
        """
