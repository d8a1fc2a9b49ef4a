"""Prompting: data/tasks/{task}/ gets the texts of each task, results/models/{model}/prompting/ what prompts make of them."""

PAGES.add(
    Page(
        "prompting",
        subjects=COMPANIONS.values(),
        tables=lambda model: {
            "findings": f"{model.results}/prompting/findings.csv",
            **{
                name: f"{model.results}/prompting/{name}.parquet"
                for name in ("reports", "correlations", "alone", "compared", "checks")
            },
            "history": f"{model.results}/prompting/history.csv",
            "tasks": f"{model.results}/prompting/tasks.json",
            "published": published("prompting"),
        },
        sections=("prompting",),
    )
)
# megabytes: the states of the texts, and the model at work
PROMPTING_MEMORY = int(1000 * config["prompting"]["cache_gb"]) + 4000


rule prepare_task:
    """Generate, read or download the texts of one task."""
    input:
        files=lambda wildcards: TASKS[wildcards.task].files(),
        code=code_of("writeups.prompting.tasks"),
    output:
        train="data/tasks/{task}/train.parquet",
        test="data/tasks/{task}/test.parquet",
        about="data/tasks/{task}/task.json",
    log:
        "logs/tasks/{task}.log",
    wildcard_constraints:
        task=one_of(TASKS),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        config=as_json(lambda wildcards: TASKS[wildcards.task].entry),
        digests=digests_of(lambda wildcards: TASKS[wildcards.task].files()),
    shell:
        r"""
        python -m emoscope prepare-task --config {params.config:q} \
            --train {output.train:q} --test {output.test:q} --about {output.about:q} >{log:q} 2>&1
        """


rule score_baselines:
    """Ask the cheapest classifiers about the same texts, trained on the same ones."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        trains=expand("data/tasks/{task}/train.parquet", task=TASKS),
        tests=expand("data/tasks/{task}/test.parquet", task=TASKS),
        about=expand("data/tasks/{task}/task.json", task=TASKS),
        train_means=expand("results/models/{{model}}/prompting/{task}/means.safetensors", task=TASKS),
        test_means="results/models/{model}/prompting/means.safetensors",
        code=code_of("writeups.prompting.baselines"),
    output:
        "results/models/{model}/prompting/baselines.parquet",
    log:
        "logs/models/{model}/prompting/baselines.log",
    benchmark:
        "benchmarks/models/{model}/prompting/baselines.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(8)
    resources:
        gpu=1,
        mem_mb=growing(PROMPTING_MEMORY),
        runtime=growing(240),
    params:
        threads=threads_of(8),
        config=part_of("prompting", "max_tokens", "seed"),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} score-baselines \
            --model {input.model:q} --trains {input.trains:q} \
            --tests {input.tests:q} --about {input.about:q} --train-means {input.train_means:q} \
            --test-means {input.test_means:q} --config {params.config:q} --scores {output:q} >{log:q} 2>&1
        """


rule summarise_prompting:
    """Classification reports, correlations within and across tasks, and prompts beside baselines and one another."""
    input:
        scores="results/models/{model}/prompting/scores.parquet",
        baselines="results/models/{model}/prompting/baselines.parquet",
        checks="results/models/{model}/prompting/checks.parquet",
        tests=expand("data/tasks/{task}/test.parquet", task=TASKS),
        about=expand("data/tasks/{task}/task.json", task=TASKS),
        histories=expand("results/models/{{model}}/prompting/{task}/history.csv", task=TASKS),
        code=code_of("writeups.prompting.summarise"),
    output:
        reports="results/models/{model}/prompting/reports.parquet",
        correlations="results/models/{model}/prompting/correlations.parquet",
        alone="results/models/{model}/prompting/alone.parquet",
        compared="results/models/{model}/prompting/compared.parquet",
        history="results/models/{model}/prompting/history.csv",
        tasks="results/models/{model}/prompting/tasks.json",
        findings="results/models/{model}/prompting/findings.csv",
    log:
        "logs/models/{model}/prompting/summarise.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=part_of("statistics", "seed", "resamples", "confidence"),
    shell:
        r"""
        python -m emoscope summarise-prompting --scores {input.scores:q} --baselines {input.baselines:q} \
            --checks {input.checks:q} \
            --tests {input.tests:q} --about {input.about:q} --histories {input.histories:q} \
            --statistics {params.statistics:q} --reports {output.reports:q} --correlations {output.correlations:q} \
            --alone {output.alone:q} --compared {output.compared:q} --history {output.history:q} --tasks {output.tasks:q} \
            --findings {output.findings:q} >{log:q} 2>&1
        """


rule prompting:
    """What a soft prompt and a linear head make of a frozen language model."""
    input:
        PAGES["prompting"].asked("there is no language model to take apart; name one under `companions`"),
    localrule: True
