"""Masking: results/{run}/samples.parquet, and the summaries of what masks.smk puts into masking/."""

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
        | ({"ground_truth": f"{run.results}/ground_truth/masking.csv"} if run.corpus.generated else {})
        | {"screen": table.format(run=run.name) for table in SCREENED},
        sections=("samples", "masking"),
        explained=("families.md",),
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


rule average_masking:
    """The mean change by every mask alone, without what any setting of the statistics would change."""
    input:
        samples="results/{run}/samples.parquet",
        blocks=lambda wildcards: RUNS[wildcards.run].masked_blocks,
        code=code_of("experiments.masking.measures"),
    output:
        changes="results/{run}/masking/changes.parquet",
    log:
        "logs/{run}/masking/changes.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    shell:
        r"""
        python -m emoscope average-masking --samples {input.samples:q} --blocks {input.blocks:q} \
            --changes {output.changes:q} >{log:q} 2>&1
        """


rule masking:
    """Which blocks and heads every run needs."""
    input:
        PAGES["masking"].all_html(),
    localrule: True
