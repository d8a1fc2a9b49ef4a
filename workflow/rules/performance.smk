"""Performance: results/{run}/metrics.json from its predictions."""

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
        ),
    )
)


rule evaluate:
    """Accuracy, AUC, F1, confusion and calibration, with and without texts that leak from train to test."""
    input:
        predictions=gather.predict("results/{{run}}/predictions/{scatteritem}.parquet"),
        train=corpus_of("train.parquet"),
        test=corpus_of("test.parquet"),
        audit=corpus_of("corpus.json"),
        code=code_of("experiments.performance.summarise"),
    output:
        metrics="results/{run}/metrics.json",
        findings="results/{run}/performance/findings.csv",
    log:
        "logs/{run}/evaluate.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope evaluate --predictions {input.predictions:q} --train {input.train:q} --test {input.test:q} \
            --audit {input.audit:q} --statistics {params.statistics:q} --output {output.metrics:q} \
            --findings {output.findings:q} >{log:q} 2>&1
        """


rule performance:
    """How well every run does."""
    input:
        PAGES["performance"].all_html(),
    localrule: True
