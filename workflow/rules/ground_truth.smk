"""Ground truth: results/{run}/ground_truth/{axis}.csv, what was planted in a generated corpus and what was found of it."""


rule assess_ground_truth:
    """Set every planted effect, and every planted absence of one, beside what this run finds."""
    input:
        truth=corpus_of("truth.json"),
        train=corpus_of("train.parquet"),
        pairs=corpus_of("perturbations/{axis}.parquet"),
        scores="results/{run}/perturbations/{axis}_scores.parquet",
        summary="results/{run}/perturbations/{axis}_summary.parquet",
        code=code_of("verdicts.ground_truth.assess"),
    output:
        "results/{run}/ground_truth/{axis}.csv",
    log:
        "logs/{run}/ground_truth/{axis}.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope assess-ground-truth --truth {input.truth:q} --train {input.train:q} --pairs {input.pairs:q} \
            --scores {input.scores:q} --summary {input.summary:q} --axis {wildcards.axis} --run {wildcards.run:q} \
            --statistics {params.statistics:q} --output {output:q} >{log:q} 2>&1
        """


rule collect_ground_truth:
    """The planted effects of all runs in one table."""
    input:
        runs=expand("results/{run}/ground_truth/{axis}.csv", run=GENERATED, axis=PLANTED),
        code=code_of("verdicts.ground_truth.assess"),
    output:
        "reports/ground_truth.csv",
    log:
        "logs/ground_truth.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    shell:
        "python -m emoscope collect-ground-truth --runs {input.runs:q} --output {output:q} > {log:q} 2>&1"


rule render_ground_truth:
    """Make the page on which what was planted stands beside what each run finds."""
    input:
        notebook=shipped("workflow/notebooks/ground_truth.ipynb"),
        table="reports/ground_truth.csv",
        page=[shipped(f"workflow/report/{name}") for name in ("page.html.j2", "page.css")],
        code=notebook_code("ground_truth") + code_of("reporting.render"),
    output:
        html=report(
            "reports/ground_truth.html",
            caption="../report/page.rst",
            category="Ground truth",
            labels={"report": "ground truth"},
        ),
        figures=directory("reports/figures/ground_truth"),
    log:
        "logs/reports/ground_truth.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        executed="logs/reports/ground_truth.ipynb",
        parameters=as_json(
            {
                "run": "",
                "paths": {"table": "reports/ground_truth.csv"},
                "settings": {"runs": {run: RUNS[run] for run in GENERATED}, "statistics": config["statistics"]},
                "links": {"All reports": "reports/index.html", "Claims": "reports/claims.html"},
            }
        ),
    shell:
        r"""
        python -m emoscope render-report --notebook {input.notebook:q} --parameters {params.parameters:q} \
            --executed {params.executed:q} --figures {output.figures:q} --output {output.html:q} >{log:q} 2>&1
        """


rule ground_truth:
    """What was planted in the generated corpora and what was found of it, over all their runs."""
    input:
        "reports/ground_truth.html",
    localrule: True
