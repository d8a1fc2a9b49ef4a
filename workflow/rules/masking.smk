"""Masking: results/{run}/samples.parquet, and masking/ with one table per block, one of pairs, and their summaries."""

REFERENCE = {
    "means": "results/{run}/masking/reference.safetensors",
    "texts": "results/{run}/masking/reference.parquet",
}

SCREEN, SCREENED = (
    [f"results/{{run}}/masking/{name}.parquet"] if config["masking"]["heads"] == "screened" else []
    for name in ("screen", "screen_summary")
)

PAGES.add(
    Page(
        "masking",
        subjects=RUNS.values(),
        tables=lambda run: {
            "samples": f"{run.results}/samples.parquet",
            "summary": f"{run.results}/masking/summary.parquet",
            "all_but": f"{run.results}/masking/all_but_summary.parquet",
            "pairs": f"{run.results}/masking/pair_summary.parquet",
            "table1": published("table1_head_masking"),
            "table2": published("table2_all_but_block0"),
            "exactness": f"{run.results}/exactness.json",
        }
        | ({"masks": run.masked_blocks} if run.corpus.generated else {})
        | {"screen": table.format(run=run.name) for table in SCREENED},
        sections=("samples", "masking"),
    )
)


rule select_confident:
    """Choose the test texts of each class that the classifier is most sure of."""
    input:
        predictions=gather.predict("results/{{run}}/predictions/{scatteritem}.parquet"),
        test=corpus_of("test.parquet"),
        code=code_of("experiments.masking.samples"),
    output:
        "results/{run}/samples.parquet",
    log:
        "logs/{run}/select_confident.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        config=as_json(config["samples"]),
    shell:
        r"""
        python -m emoscope select-confident --predictions {input.predictions:q} --test {input.test:q} \
            --config {params.config:q} --output {output:q} >{log:q} 2>&1
        """


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
        python -m emoscope masking-reference --model {input.model:q} --train {input.train:q} --test {input.test:q} \
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
        code=code_of("experiments.masking.screen"),
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
        python -m emoscope screen-heads --model {input.model:q} --samples {input.samples:q} --means {input.means:q} \
            --texts {input.texts:q} --exactness {input.exactness:q} --masking {params.masking:q} --seed {params.seed} \
            --prediction {params.prediction:q} --output {output:q} >{log:q} 2>&1
        """


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
        python -m emoscope mask-block --model {input.model:q} --samples {input.samples:q} --means {input.means:q} \
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
        python -m emoscope mask-all-but --model {input.model:q} --samples {input.samples:q} --means {input.means:q} \
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
        code=code_of("experiments.masking.pairs"),
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
        python -m emoscope mask-pairs --model {input.model:q} --samples {input.samples:q} --blocks {input.blocks:q} \
            --means {input.means:q} --texts {input.texts:q} --exactness {input.exactness:q} \
            --paired-heads {params.paired_heads} --prediction {params.prediction:q} --thresholds {input.thresholds:q} \
            --output {output:q} >{log:q} 2>&1
        """


rule summarise_masking:
    """Mean changes with intervals for every mask and pair of heads; the paper's tables 1 and 2 as CSV."""
    input:
        samples="results/{run}/samples.parquet",
        blocks=lambda wildcards: RUNS[wildcards.run].masked_blocks,
        all_but="results/{run}/masking/all_but.parquet",
        pairs="results/{run}/masking/pairs.parquet",
        screen=SCREEN,
        code=code_of("experiments.masking.summarise"),
    output:
        summary="results/{run}/masking/summary.parquet",
        all_but_summary="results/{run}/masking/all_but_summary.parquet",
        pair_summary="results/{run}/masking/pair_summary.parquet",
        table1="results/{run}/masking/table1.csv",
        table2="results/{run}/masking/table2.csv",
        findings="results/{run}/masking/findings.csv",
        screen_summary=SCREENED,
    log:
        "logs/{run}/masking/summary.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope summarise-masking --samples {input.samples:q} --blocks {input.blocks:q} \
            --all-but {input.all_but:q} --pairs {input.pairs:q} --statistics {params.statistics:q} \
            --summary {output.summary:q} --all-but-summary {output.all_but_summary:q} \
            --pair-summary {output.pair_summary:q} --table1 {output.table1:q} --table2 {output.table2:q} \
            --findings {output.findings:q} --screen {input.screen:q} --screen-summary {output.screen_summary:q} \
            >{log:q} 2>&1
        """


rule masking:
    """Which blocks and heads every run needs."""
    input:
        PAGES["masking"].all_html(),
    localrule: True
