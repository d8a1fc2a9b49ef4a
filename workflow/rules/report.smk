"""What to read: reports/{run}/{experiment}.html, reports/claims.html, reports/index.html, the figures as SVG, and each
run's model card, results/{run}/README.md."""


rule render_report:
    """Execute one report notebook and make a page of it; the executed notebook stays even if a cell fails."""
    input:
        notebook=lambda wildcards: shipped(f"workflow/notebooks/{wildcards.experiment}.ipynb"),
        tables=lambda wildcards: flatten(report_tables(wildcards).values()),
        page=[shipped(f"workflow/report/{name}") for name in ("page.html.j2", "page.css")],
        script=lambda wildcards: page_script(wildcards.experiment),
        code=lambda wildcards: NOTEBOOK_CODE[wildcards.experiment] + code_of("reporting.render"),
    output:
        html=report(
            "reports/{run}/{experiment}.html",
            caption="../report/page.rst",
            category="Run {run}",
            labels={"report": "{experiment}"},
        ),
        figures=directory("reports/{run}/figures/{experiment}"),
    log:
        "logs/{run}/reports/{experiment}.log",
    wildcard_constraints:
        experiment=one_of(EXPERIMENTS),
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        executed="logs/{run}/reports/{experiment}.ipynb",  # not a log: Snakemake would print all of it when a cell fails
        parameters=report_parameters,
    shell:
        r"""
        python -m emoscope render-report --notebook {input.notebook:q} --parameters {params.parameters:q} \
            --executed {params.executed:q} --figures {output.figures:q} --output {output.html:q} >{log:q} 2>&1
        """


rule render_writeup:
    """Execute the notebook of one companion write-up and make a page of it."""
    input:
        notebook=lambda wildcards: shipped(f"workflow/notebooks/{wildcards.writeup}.ipynb"),
        tables=lambda wildcards: flatten(writeup_tables(wildcards).values()),
        page=[shipped(f"workflow/report/{name}") for name in ("page.html.j2", "page.css")],
        script=lambda wildcards: page_script(wildcards.writeup),
        code=lambda wildcards: NOTEBOOK_CODE[wildcards.writeup] + code_of("reporting.render"),
    output:
        html=report(
            "reports/models/{model}/{writeup}.html",
            caption="../report/page.rst",
            category="Language model {model}",
            labels={"report": "{writeup}"},
        ),
        figures=directory("reports/models/{model}/figures/{writeup}"),
    log:
        "logs/models/{model}/reports/{writeup}.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        executed="logs/models/{model}/reports/{writeup}.ipynb",
        parameters=writeup_parameters,
    shell:
        r"""
        python -m emoscope render-report --notebook {input.notebook:q} --parameters {params.parameters:q} \
            --executed {params.executed:q} --figures {output.figures:q} --output {output.html:q} >{log:q} 2>&1
        """


rule render_claims:
    """Make the page on which every published claim stands beside what each run finds."""
    input:
        notebook=shipped("workflow/notebooks/claims.ipynb"),
        claims="reports/claims.csv",
        samples=published("published_samples"),
        page=[shipped(f"workflow/report/{name}") for name in ("page.html.j2", "page.css")],
        code=notebook_code("claims") + code_of("reporting.render"),
    output:
        html=report("reports/claims.html", caption="../report/page.rst", category="Claims", labels={"report": "claims"}),
        figures=directory("reports/figures/claims"),
    log:
        "logs/reports/claims.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        executed="logs/reports/claims.ipynb",
        parameters=as_json(
            {
                "run": "",
                "paths": {"claims": "reports/claims.csv", "samples": published("published_samples")},
                "settings": {"runs": RUNS, "statistics": config["statistics"]},
                "links": {"All reports": "reports/index.html", "Claims": "reports/claims.html"},
            }
        ),
    shell:
        r"""
        python -m emoscope render-report --notebook {input.notebook:q} --parameters {params.parameters:q} \
            --executed {params.executed:q} --figures {output.figures:q} --output {output.html:q} >{log:q} 2>&1
        """


rule render_index:
    """Make the page that leads to all others."""
    input:
        pages=[
            "reports/claims.html",
            *(["reports/ground_truth.html"] if GENERATED else []),
            *(["reports/comparison.html"] if len(RUNS) > 1 else []),
            *expand("reports/{run}/{experiment}.html", run=RUNS, experiment=EXPERIMENTS),
            *expand("reports/models/{model}/{writeup}.html", model=COMPANIONS, writeup=WRITEUPS),
            *expand("reports/models/{model}/induction.html", model=CONTROLS),
        ],
        claims="reports/claims.csv",
        page=[shipped(f"workflow/report/{name}") for name in ("page.html.j2", "index.html.j2", "page.css")],
        code=code_of("reporting.render"),
    output:
        report("reports/index.html", caption="../report/page.rst", category="Index", labels={"report": "index"}),
    log:
        "logs/reports/index.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    shell:
        r"""
        python -m emoscope render-index --pages {input.pages:q} --claims {input.claims:q} --output {output:q} \
            >{log:q} 2>&1
        """


rule write_model_card:
    """Write what a classifier is made of, how well it does, what its limits are and how to load it."""
    input:
        audit=corpus_of("corpus.json"),
        training="results/{run}/training.json",
        metrics="results/{run}/metrics.json",
        effects=[f"results/{{run}}/perturbations/{axis}_summary.parquet" for axis in AXES],
        model="results/{run}/model",
        base=base_model,
        template=shipped("workflow/report/model_card.md.j2"),
        code=code_of("verdicts.model_card"),
    output:
        "results/{run}/README.md",
    log:
        "logs/{run}/model_card.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        settings=card_settings,
    shell:
        r"""
        python -m emoscope write-model-card --audit {input.audit:q} --training {input.training:q} --metrics {input.metrics:q} --effects {input.effects:q} --model {input.model:q} --base {input.base:q} --settings {params.settings:q} --output {output:q} >{log:q} 2>&1
        """


rule record_provenance:
    """Record what a run was made from and what came out: settings, seed, versions, commit, machine, hashes."""
    input:
        inputs=run_inputs,
        training="results/{run}/training.json",
        results=run_results,
        code=code_of("storage.provenance"),
    output:
        "results/{run}/provenance.json",
    log:
        "logs/{run}/provenance.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        settings=run_record,
    shell:
        r"""
        python -m emoscope record-provenance --settings {params.settings:q} --inputs {input.inputs:q} \
            --training {input.training:q} --results {input.results:q} --output {output:q} >{log:q} 2>&1
        """


rule record_model_provenance:
    """Record what the findings on a language model were made from and what came out."""
    input:
        inputs=writeup_inputs,
        results=writeup_results,
        code=code_of("storage.provenance"),
    output:
        "results/models/{model}/provenance.json",
    log:
        "logs/models/{model}/provenance.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        settings=writeup_record,
    shell:
        r"""
        python -m emoscope record-provenance --settings {params.settings:q} --inputs {input.inputs:q} --training \
            --results {input.results:q} --output {output:q} >{log:q} 2>&1
        """


rule performance:
    """How well every run does."""
    input:
        expand("reports/{run}/performance.html", run=RUNS),
    localrule: True


rule masking:
    """Which blocks and heads every run needs."""
    input:
        expand("reports/{run}/masking.html", run=RUNS),
    localrule: True


rule flips:
    """What flipping gender and race does to every run."""
    input:
        expand("reports/{run}/flips.html", run=RUNS),
    localrule: True


rule synonyms:
    """What synonyms do to every run."""
    input:
        expand("reports/{run}/synonyms.html", run=RUNS),
    localrule: True


rule suggestions:
    """Synonyms from WordNet to choose from."""
    input:
        suggestion_tables,
    localrule: True


rule claims:
    """Every published claim beside every run."""
    input:
        "reports/claims.html",
    localrule: True


rule reports:
    """All pages, and the record of where each run comes from."""
    input:
        "reports/index.html",
        PROVENANCE,
    localrule: True
