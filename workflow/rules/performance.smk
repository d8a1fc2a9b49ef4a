"""Performance: results/{run}/metrics.json from its predictions, beside data/corpora/{corpus}/baselines.parquet."""

PAGES.add(
    Page(
        "performance",
        subjects=RUNS.values(),
        tables=lambda run: {
            "metrics": f"{run.results}/metrics.json",
            "performance": published("performance"),
            "class_counts": published("class_counts"),
        }
        | (
            {
                "predictions": gather.predict(f"{run.results}/predictions/{{scatteritem}}.parquet"),
                "test": f"{run.corpus.folder}/test.parquet",
            }
            if run.corpus.generated
            else {}
        )
        | ({"thresholds": run.thresholds[0]} if run.thresholds else {}),
    )
)


rule predict_baselines:
    """What a bag of words and the most frequent class make of a corpus' test texts."""
    input:
        train="data/corpora/{corpus}/train.parquet",
        validation="data/corpora/{corpus}/validation.parquet",
        test="data/corpora/{corpus}/test.parquet",
        audit="data/corpora/{corpus}/corpus.json",
        code=code_of("experiments.performance.baselines"),
    output:
        "data/corpora/{corpus}/baselines.parquet",
    log:
        "logs/corpora/{corpus}/baselines.log",
    wildcard_constraints:
        corpus=one_of(CORPORA),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    shell:
        r"""
        python -m emoscope predict-baselines --train {input.train:q} --validation {input.validation:q} \
            --test {input.test:q} --audit {input.audit:q} --predictions {output:q} >{log:q} 2>&1
        """


rule evaluate:
    """Accuracy, AUC, F1, confusion and calibration, with and without texts that leak from train to test."""
    input:
        predictions=gather.predict("results/{{run}}/predictions/{scatteritem}.parquet"),
        baselines=corpus_of("baselines.parquet"),
        train=corpus_of("train.parquet"),
        validation=corpus_of("validation.parquet"),
        test=corpus_of("test.parquet"),
        audit=corpus_of("corpus.json"),
        thresholds=lambda wildcards: RUNS[wildcards.run].thresholds,
        code=code_of("experiments.performance.summarise"),
    output:
        metrics="results/{run}/metrics.json",
        findings="results/{run}/performance/findings.csv",
    log:
        "logs/{run}/evaluate.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=part_of("statistics", "seed", "resamples", "confidence"),
    shell:
        r"""
        python -m emoscope evaluate --predictions {input.predictions:q} --baselines {input.baselines:q} \
            --train {input.train:q} --validation {input.validation:q} --test {input.test:q} --audit {input.audit:q} \
            --thresholds {input.thresholds:q} --statistics {params.statistics:q} \
            --output {output.metrics:q} --findings {output.findings:q} >{log:q} 2>&1
        """


rule performance:
    """How well every run does."""
    input:
        PAGES["performance"].all_html(),
    localrule: True
