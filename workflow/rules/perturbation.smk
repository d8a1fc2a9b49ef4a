"""Flips and synonyms alike: what a run makes of the pairs, results/{run}/perturbations/{axis}_{scores,summary}.parquet."""


rule score_perturbation:
    """Predict both texts of every pair in one share of them."""
    input:
        model="results/{run}/model",
        pairs=corpus_of("perturbations/{axis}.parquet"),
        thresholds=lambda wildcards: RUNS[wildcards.run].thresholds,
        code=code_of("perturbation.scored_pairs"),
    output:
        "results/{run}/perturbations/{axis}_scores/{scatteritem}.parquet",
    log:
        "logs/{run}/perturbations/{axis}_scores/{scatteritem}.log",
    benchmark:
        "benchmarks/{run}/perturbations/{axis}_scores/{scatteritem}.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        threads=threads_of(2),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} score-perturbation \
            --model {input.model:q} --pairs {input.pairs:q} \
            --shard {wildcards.scatteritem:q} --prediction {params.prediction:q} --thresholds {input.thresholds:q} \
            --output {output:q} >{log:q} 2>&1
        """


rule join_scores:
    """Put the scores of all shares together."""
    input:
        shards=gather.score("results/{{run}}/perturbations/{{axis}}_scores/{scatteritem}.parquet"),
        code=code_of("storage.shards"),
    output:
        "results/{run}/perturbations/{axis}_scores.parquet",
    log:
        "logs/{run}/perturbations/{axis}_scores.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    shell:
        "python -m emoscope join-tables --tables {input.shards:q} --output {output:q} >{log:q} 2>&1"


rule summarise_effects:
    """Rates, mean changes and gaps between groups, with intervals."""
    input:
        pairs=corpus_of("perturbations/{axis}.parquet"),
        scores="results/{run}/perturbations/{axis}_scores.parquet",
        code=code_of("perturbation.effects"),
    output:
        "results/{run}/perturbations/{axis}_summary.parquet",
    log:
        "logs/{run}/perturbations/{axis}_summary.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=part_of("statistics", "confidence", "margin"),
    shell:
        r"""
        python -m emoscope summarise-effects --pairs {input.pairs:q} --scores {input.scores:q} \
            --statistics {params.statistics:q} --output {output:q} >{log:q} 2>&1
        """
