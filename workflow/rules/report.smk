"""What to read: reports/{run}/{experiment}.html, reports/{claims,index}.html, figures as SVG, results/{run}/README.md."""

# read at once: Snakemake takes an error inside an input function for a missing file, and an old page for up to date
NOTEBOOK_CODE = {
    name: [*map(shipped, code_inputs.page_code(name)), *filter(None, [page.script])] for name, page in PAGES.items()
}
OVERVIEWS = {
    page.name: subject for page in PAGES.values() for subject in page.subjects if isinstance(subject, Overview)
}


rule render_report:
    """Execute the notebook of a page and make the page of it; the executed notebook stays even if a cell fails."""
    input:
        notebook=lambda wildcards: shipped(f"workflow/notebooks/{wildcards.page}.ipynb"),
        tables=lambda wildcards: files_in(PAGES[wildcards.page].paths(SUBJECTS[wildcards.subject])),
        code=lambda wildcards: NOTEBOOK_CODE[wildcards.page],
    output:
        html=report(
            "reports/{subject}/{page}.html",
            caption="../report/page.rst",
            category="{subject}",
            labels={"report": "{page}"},
        ),
        figures=directory("reports/{subject}/figures/{page}"),
    log:
        "logs/{subject}/reports/{page}.log",
    wildcard_constraints:
        page=one_of(PAGES),
    localrule: True
    conda:
        "../../envs/pages.yaml"
    params:
        executed="logs/{subject}/reports/{page}.ipynb",  # not a log: Snakemake would print all of it when a cell fails
        parameters=lambda wildcards: PAGES.parameters(wildcards.page, SUBJECTS[wildcards.subject], config),
    shell:
        r"""
        python -m emoscope render-report --notebook {input.notebook:q} --parameters {params.parameters:q} \
            --tables {input.tables:q} --executed {params.executed:q} --figures {output.figures:q} \
            --output {output.html:q} >{log:q} 2>&1
        """


use rule render_report as render_overview with:
    input:
        notebook=lambda wildcards: shipped(f"workflow/notebooks/{wildcards.page}.ipynb"),
        tables=lambda wildcards: files_in(PAGES[wildcards.page].paths(OVERVIEWS[wildcards.page])),
        code=lambda wildcards: NOTEBOOK_CODE[wildcards.page],
    output:
        html=report(
            "reports/{page}.html", caption="../report/page.rst", category="All runs", labels={"report": "{page}"}
        ),
        figures=directory("reports/figures/{page}"),
    log:
        "logs/reports/{page}.log",
    wildcard_constraints:
        page=one_of(OVERVIEWS),
    params:
        executed="logs/reports/{page}.ipynb",
        parameters=lambda wildcards: PAGES.parameters(wildcards.page, OVERVIEWS[wildcards.page], config),


rule render_index:
    """Make the page that leads to all others."""
    input:
        pages=PAGES.html([*OVERVIEWS.values(), *SUBJECTS.values()]),
        claims="reports/claims.csv",
        page=[shipped(f"workflow/report/{name}") for name in ("page.html.j2", "index.html.j2", "page.css")],
        code=code_of("reporting.index"),
    output:
        report("reports/index.html", caption="../report/page.rst", category="Index", labels={"report": "index"}),
    log:
        "logs/reports/index.log",
    localrule: True
    conda:
        "../../envs/pages.yaml"
    params:
        names=[
            *PAGES.html([*OVERVIEWS.values(), *SUBJECTS.values()]),
            "reports/claims.csv",
        ],
    shell:
        r"""
        python -m emoscope render-index --pages {input.pages:q} --claims {input.claims:q} --names {params.names:q} \
            --output {output:q} >{log:q} 2>&1
        """


rule write_model_card:
    """Write what a classifier is made of, how well it does, what its limits are and how to load it."""
    input:
        audit=corpus_of("corpus.json"),
        training="results/{run}/training.json",
        metrics="results/{run}/metrics.json",
        effects=[f"results/{{run}}/perturbations/{axis}_summary.parquet" for axis in STUDY.axes],
        model="results/{run}/model",
        base=lambda wildcards: RUNS[wildcards.run].model.base,
        template=shipped("workflow/report/model_card.md.j2"),
        code=code_of("verdicts.model_card"),
    output:
        "results/{run}/README.md",
    log:
        "logs/{run}/model_card.log",
    localrule: True
    conda:
        "../../envs/pages.yaml"
    params:
        settings=as_json(lambda wildcards: RUNS[wildcards.run].card(config["statistics"]["confidence"])),
    shell:
        r"""
        python -m emoscope write-model-card --audit {input.audit:q} --training {input.training:q} \
            --metrics {input.metrics:q} --effects {input.effects:q} --model {input.model:q} --base {input.base:q} \
            --settings {params.settings:q} --output {output:q} >{log:q} 2>&1
        """


rule record_provenance:
    """Record what a run, or the findings on a language model, came from and what came out: settings, seed, versions, commit, machine, hashes."""
    input:
        inputs=lambda wildcards: records.inputs_of(STUDY, SUBJECTS[wildcards.subject], PAGES, shipped, local),
        training=lambda wildcards: SUBJECTS[wildcards.subject].page_tables().get("training", []),
        results=lambda wildcards: records.results_of(SUBJECTS[wildcards.subject], PAGES),
        code=code_of("storage.provenance"),
    output:
        "results/{subject}/provenance.json",
    log:
        "logs/{subject}/provenance.log",
    localrule: True
    conda:
        "../../envs/models.yaml"
    params:
        settings=lambda wildcards: json.dumps(records.settings_of(STUDY, SUBJECTS[wildcards.subject], PAGES)),
        names=as_json(
            lambda wildcards: {
                "inputs": records.inputs_of(STUDY, SUBJECTS[wildcards.subject], PAGES, shipped, local),
                "results": records.results_of(SUBJECTS[wildcards.subject], PAGES),
            }
        ),
    shell:
        r"""
        python -m emoscope record-provenance --settings {params.settings:q} --names {params.names:q} --inputs {input.inputs:q} \
            --training {input.training:q} --results {input.results:q} --output {output:q} >{log:q} 2>&1
        """


rule reports:
    """All pages, and the record of where each run comes from."""
    input:
        rules.all.input,
    localrule: True
