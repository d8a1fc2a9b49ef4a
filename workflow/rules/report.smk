"""What to read: reports/{run}/{experiment}.html, reports/{claims,index}.html, and the figures as SVG."""

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
        documents=lambda wildcards: documents(PAGES[wildcards.page].documents),
    shell:
        r"""
        python -m emoscope render-report --notebook {input.notebook:q} --parameters {params.parameters:q} \
            --tables {input.tables:q} --documents {params.documents:q} --executed {params.executed:q} \
            --figures {output.figures:q} --output {output.html:q} >{log:q} 2>&1
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
        documents=lambda wildcards: documents(PAGES[wildcards.page].documents),


rule render_index:
    """Make the page that leads to all others; to those on demand as far as they are there, for it waits for none."""
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
        on_demand=PAGES.html_on_demand(),
        documents=documents(EXPLAIN_INDEX),
    shell:
        r"""
        python -m emoscope render-index --pages {input.pages:q} --on-demand {params.on_demand:q} \
            --claims {input.claims:q} --names {params.names:q} --documents {params.documents:q} --output {output:q} \
            >{log:q} 2>&1
        """


rule reports:
    """All pages, and the record of where each run comes from."""
    input:
        rules.all.input,
    localrule: True
