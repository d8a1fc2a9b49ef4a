"""Attention: results/{subject}/attention/, where a subject is a run or models/{model}: where its heads look, and what
blocking that does."""

PAGES.add(
    Page(
        "attention",
        subjects=[*RUNS.values(), *COMPANIONS.values()],
        tables=lambda subject: {
            "findings": f"{subject.results}/attention/findings.csv",
            **{
                name: f"{subject.results}/attention/{name}.parquet"
                for name in ("weights", "averages", "tokens", "agreement", "heads")
            },
            **(
                {"exactness": f"{subject.results}/exactness.json"}
                if subject.name in RUNS
                else {"published": published("attention_explore")}
            ),
        },
        sections=("attention",),
        script=shipped("workflow/report/attention_viewer.js"),
        explained=("families.md",),
    )
)


# whose attention is read: a copier has no words
ATTENTIVE = one_of(subject.place for subject in PAGES["attention"].subjects)


rule attention_weights:
    """Tabulate every head's attention weights for the configured sentences, their averages and rollout."""
    input:
        model=lambda wildcards: SUBJECTS[wildcards.subject].folder,
        files=lambda wildcards: [] if wildcards.subject in RUNS else own_files(SUBJECTS[wildcards.subject]),
        exactness=exactness_of,
        code=code_of("writeups.attention.measure"),
    output:
        weights="results/{subject}/attention/weights.parquet",
        averages="results/{subject}/attention/averages.parquet",
        tokens="results/{subject}/attention/tokens.parquet",
    log:
        "logs/{subject}/attention/weights.log",
    benchmark:
        "benchmarks/{subject}/attention/weights.jsonl"
    wildcard_constraints:
        subject=ATTENTIVE,
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(6000),
        runtime=growing(60),
    params:
        threads=threads_of(2),
        config=part_of("attention", "sentences", "heads"),
        stamps=lambda wildcards: [] if wildcards.subject in RUNS else own_stamps(SUBJECTS[wildcards.subject]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} attention-weights \
            --model {input.model:q} --exactness {input.exactness:q} \
            --config {params.config:q} --weights {output.weights:q} --averages {output.averages:q} --tokens {output.tokens:q} >{log:q} 2>&1
        """


rule block_attention:
    """Block attention one weight and one head at a time, and record what becomes of the answer."""
    input:
        model=lambda wildcards: SUBJECTS[wildcards.subject].folder,
        files=lambda wildcards: [] if wildcards.subject in RUNS else own_files(SUBJECTS[wildcards.subject]),
        texts=lambda wildcards: f"{STUDY.attention_corpus(SUBJECTS[wildcards.subject]).folder}/test.parquet",
        exactness=exactness_of,
        code=code_of("writeups.attention.measure"),
    output:
        blocked="results/{subject}/attention/blocked.parquet",
        looks="results/{subject}/attention/looks.parquet",
        silenced="results/{subject}/attention/silenced.parquet",
    log:
        "logs/{subject}/attention/blocked.log",
    benchmark:
        "benchmarks/{subject}/attention/blocked.jsonl"
    wildcard_constraints:
        subject=ATTENTIVE,
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(6000),
        runtime=growing(240),
    params:
        threads=threads_of(2),
        config=part_of("attention", "texts"),
        statistics=part_of("statistics", "seed"),
        stamps=lambda wildcards: [] if wildcards.subject in RUNS else own_stamps(SUBJECTS[wildcards.subject]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} block-attention \
            --model {input.model:q} --texts {input.texts:q} \
            --exactness {input.exactness:q} --config {params.config:q} \
            --statistics {params.statistics:q} --blocked {output.blocked:q} --looks {output.looks:q} \
            --silenced {output.silenced:q} >{log:q} 2>&1
        """


rule summarise_attention:
    """How often attention agrees with what blocking it does, where heads look, and the published table."""
    input:
        blocked="results/{subject}/attention/blocked.parquet",
        looks="results/{subject}/attention/looks.parquet",
        silenced="results/{subject}/attention/silenced.parquet",
        weights="results/{subject}/attention/weights.parquet",
        tokens="results/{subject}/attention/tokens.parquet",
        code=code_of("writeups.attention.summarise"),
    output:
        agreement="results/{subject}/attention/agreement.parquet",
        heads="results/{subject}/attention/heads.parquet",
        findings="results/{subject}/attention/findings.csv",
    log:
        "logs/{subject}/attention/summary.log",
    wildcard_constraints:
        subject=ATTENTIVE,
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=part_of("statistics", "seed", "resamples", "confidence"),
    shell:
        r"""
        python -m emoscope summarise-attention --blocked {input.blocked:q} --looks {input.looks:q} \
            --silenced {input.silenced:q} --weights {input.weights:q} --tokens {input.tokens:q} \
            --statistics {params.statistics:q} --agreement {output.agreement:q} --heads {output.heads:q} \
            --findings {output.findings:q} >{log:q} 2>&1
        """


rule attention:
    """Where the heads of every run and every language model look."""
    input:
        PAGES["attention"].all_html(),
    localrule: True
