"""Comparison: results/comparison/, all runs side by side, seed by seed and architecture by architecture."""


rule compare_runs:
    """What every run reaches, and every group of seeds, with intervals that cover both texts and seeds."""
    input:
        metrics=expand("results/{run}/metrics.json", run=RUNS),
        perturbations=expand("results/{run}/perturbations/{axis}_summary.parquet", run=RUNS, axis=AXES),
        code=code_of("verdicts.comparison.summarise"),
    output:
        "results/comparison/measures.parquet",
    log:
        "logs/comparison/runs.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        runs=as_json(COMPARED),
        axes=AXES,
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope compare-runs --runs {params.runs:q} --axes {params.axes:q} --metrics {input.metrics:q} \
            --perturbations {input.perturbations:q} --statistics {params.statistics:q} --output {output:q} >{log:q} 2>&1
        """


rule compare_masks:
    """Which blocks and heads every run needs, by relative depth, and how far runs agree on it."""
    input:
        summaries=expand("results/{run}/masking/summary.parquet", run=RUNS),
        code=code_of("verdicts.comparison.summarise"),
    output:
        masks="results/comparison/masks.parquet",
        correlations="results/comparison/correlations.parquet",
    log:
        "logs/comparison/masks.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        runs=as_json(COMPARED),
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope compare-masks --runs {params.runs:q} --summaries {input.summaries:q} \
            --statistics {params.statistics:q} --masks {output.masks:q} --correlations {output.correlations:q} \
            >{log:q} 2>&1
        """


rule render_comparison:
    """Make the page on which all runs stand side by side."""
    input:
        notebook=shipped("workflow/notebooks/comparison.ipynb"),
        tables=list(COMPARISON_TABLES.values()),
        page=[shipped(f"workflow/report/{name}") for name in ("page.html.j2", "page.css")],
        code=notebook_code("comparison") + code_of("reporting.render"),
    output:
        html=report(
            "reports/comparison.html",
            caption="../report/page.rst",
            category="Comparison",
            labels={"report": "comparison"},
        ),
        figures=directory("reports/figures/comparison"),
    log:
        "logs/reports/comparison.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        executed="logs/reports/comparison.ipynb",
        parameters=as_json(
            {
                "run": "",
                "paths": COMPARISON_TABLES,
                "settings": {
                    "runs": RUNS,
                    "models": {name: config["models"][name] for name in {run["model"] for run in RUNS.values()}},
                    "statistics": config["statistics"],
                },
                "links": {"All reports": "reports/index.html", "Claims": "reports/claims.html"},
            }
        ),
    shell:
        r"""
        python -m emoscope render-report --notebook {input.notebook:q} --parameters {params.parameters:q} \
            --executed {params.executed:q} --figures {output.figures:q} --output {output.html:q} >{log:q} 2>&1
        """


rule comparison:
    """All runs side by side: seeds, architectures, corpora."""
    input:
        comparison_page,
    localrule: True
