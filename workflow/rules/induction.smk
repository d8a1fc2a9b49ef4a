"""Induction: results/models/{model}/induction/ gets what was measured, its summaries, and findings.csv."""

INDUCTION = "results/models/{model}/induction"
INDUCTION_SUMMARIES = ["halves", "positions", "heads", "mlps", "silenced", "pairs"]
PAGES.add(
    Page(
        "induction",
        subjects=[*COMPANIONS.values(), *STUDY.copiers.values()],
        tables=lambda model: {
            "findings": f"{model.results}/induction/findings.csv",
            "patterns": f"{model.results}/induction/patterns.parquet",
            "published": published("induction"),
            **{name: f"{model.results}/induction/summaries/{name}.parquet" for name in INDUCTION_SUMMARIES},
            **{"control": f"{copier.results}/induction/findings.csv" for copier in STUDY.copiers.values()},
        },
        sections=("induction",),
        explained=("families.md",),
    )
)


rule score_heads:
    """Predict repeated random tokens, and see where every head looks; the same with random weights."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        code=code_of("writeups.induction.measure"),
    output:
        predictions=f"{INDUCTION}/predictions.parquet",
        heads=f"{INDUCTION}/heads.parquet",
        patterns=f"{INDUCTION}/patterns.parquet",
    log:
        "logs/models/{model}/induction/score_heads.log",
    benchmark:
        "benchmarks/models/{model}/induction/score_heads.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(8)
    resources:
        gpu=1,
        mem_mb=growing(6000),
        runtime=growing(120),
    params:
        threads=threads_of(8),
        blocks=lambda wildcards: MODELS[wildcards.model].entry["blocks"],
        config=part_of("induction", "lengths", "sequences", "random_models", "seed"),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} score-heads \
            --model {input.model:q} --blocks {params.blocks} \
            --config {params.config:q} \
            --predictions {output.predictions:q} --heads {output.heads:q} --patterns {output.patterns:q} >{log:q} 2>&1
        """


rule compose_heads:
    """See whether induction heads find, through previous-token heads, the token that came before; and random pairs."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        heads=f"{INDUCTION}/heads.parquet",
        code=code_of("writeups.induction.composition"),
    output:
        f"{INDUCTION}/pairs.parquet",
    log:
        "logs/models/{model}/induction/compose_heads.log",
    benchmark:
        "benchmarks/models/{model}/induction/compose_heads.jsonl"
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
        config=part_of("induction", "best_pairs", "random_pairs", "composed_tokens", "seed"),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} compose-heads \
            --model {input.model:q} --blocks {params.blocks} \
            --heads {input.heads:q} \
            --config {params.config:q} --output {output:q} >{log:q} 2>&1
        """


rule summarise_induction:
    """Means with intervals of all that was measured on repeated tokens, and the quotable numbers."""
    input:
        predictions=f"{INDUCTION}/predictions.parquet",
        heads=f"{INDUCTION}/heads.parquet",
        mlps=f"{INDUCTION}/mlps.parquet",
        silenced=f"{INDUCTION}/silenced.parquet",
        pairs=f"{INDUCTION}/pairs.parquet",
        code=code_of("writeups.induction.summarise"),
    output:
        summaries=[f"{INDUCTION}/summaries/{name}.parquet" for name in INDUCTION_SUMMARIES],
        findings=f"{INDUCTION}/findings.csv",
    log:
        "logs/models/{model}/induction/summarise.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=part_of("statistics", "seed", "resamples", "confidence"),
        summaries=lambda wildcards, output: os.path.dirname(output.summaries[0]),
    shell:
        r"""
        python -m emoscope summarise-induction --predictions {input.predictions:q} --heads {input.heads:q} \
            --mlps {input.mlps:q} --silenced {input.silenced:q} --pairs {input.pairs:q} \
            --statistics {params.statistics:q} --summaries {params.summaries:q} --findings {output.findings:q} >{log:q} 2>&1
        """


rule induction:
    """How a language model predicts repeated tokens."""
    input:
        PAGES["induction"].asked("there is no language model to take apart; name one under `companions`"),
    localrule: True
