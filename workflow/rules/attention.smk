"""Attention: results/models/{model}/attention/ gets the weights of sentences, and what blocking attention does."""


rule attention_weights:
    """Tabulate every head's attention weights for the configured sentences, their averages and rollout."""
    input:
        model=language_model,
        code=code_of("attention_tables"),
    output:
        weights="results/models/{model}/attention/weights.parquet",
        averages="results/models/{model}/attention/averages.parquet",
        tokens="results/models/{model}/attention/tokens.parquet",
    log:
        "logs/models/{model}/attention/weights.log",
    benchmark:
        "benchmarks/models/{model}/attention/weights.jsonl"
    conda:
        "../../envs/emoscope.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=growing(6000),
        runtime=growing(60),
    params:
        config=as_json({key: config["attention"][key] for key in ("sentences", "heads")}),
    shell:
        r"""
        python -m emoscope --threads 2 attention-weights --model {input.model:q} --config {params.config:q} \
            --weights {output.weights:q} --averages {output.averages:q} --tokens {output.tokens:q} >{log:q} 2>&1
        """


rule block_attention:
    """Block attention one weight and one head at a time, and record what becomes of the prediction."""
    input:
        model=language_model,
        texts=f"data/corpora/{config['attention']['corpus']}/test.parquet",
        code=code_of("attention_tables"),
    output:
        blocked="results/models/{model}/attention/blocked.parquet",
        looks="results/models/{model}/attention/looks.parquet",
        silenced="results/models/{model}/attention/silenced.parquet",
    log:
        "logs/models/{model}/attention/blocked.log",
    benchmark:
        "benchmarks/models/{model}/attention/blocked.jsonl"
    conda:
        "../../envs/emoscope.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=growing(6000),
        runtime=growing(240),
    params:
        config=as_json({"texts": config["attention"]["texts"]}),
        statistics=as_json({"seed": config["statistics"]["seed"]}),
    shell:
        r"""
        python -m emoscope --threads 2 block-attention --model {input.model:q} --texts {input.texts:q} \
            --config {params.config:q} \
            --statistics {params.statistics:q} --blocked {output.blocked:q} --looks {output.looks:q} \
            --silenced {output.silenced:q} >{log:q} 2>&1
        """


rule summarise_attention:
    """How often attention agrees with what blocking it does, where heads look, and the published table."""
    input:
        blocked="results/models/{model}/attention/blocked.parquet",
        looks="results/models/{model}/attention/looks.parquet",
        silenced="results/models/{model}/attention/silenced.parquet",
        weights="results/models/{model}/attention/weights.parquet",
        tokens="results/models/{model}/attention/tokens.parquet",
        code=code_of("attention_summary"),
    output:
        agreement="results/models/{model}/attention/agreement.parquet",
        heads="results/models/{model}/attention/heads.parquet",
        findings="results/models/{model}/attention/findings.csv",
    log:
        "logs/models/{model}/attention/summary.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope summarise-attention --blocked {input.blocked:q} --looks {input.looks:q} \
            --silenced {input.silenced:q} --weights {input.weights:q} --tokens {input.tokens:q} \
            --statistics {params.statistics:q} --agreement {output.agreement:q} --heads {output.heads:q} \
            --findings {output.findings:q} >{log:q} 2>&1
        """


rule attention:
    """Where a language model's heads look."""
    input:
        expand("reports/models/{model}/attention.html", model=COMPANIONS),
