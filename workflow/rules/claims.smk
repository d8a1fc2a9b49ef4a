"""Claims: results/{run}/claims.csv, and reports/claims.csv for all runs together."""

from emoscope.verdicts.claims.rooms import rooms_of_runs

PAGES.add(
    Page(
        "claims",
        subjects=[Overview({"runs": {name: run.entry for name, run in RUNS.items()}})],
        tables=lambda overview: {"claims": "reports/claims.csv", "samples": published("published_samples")},
        explained=("claims.md",),
    )
)


rule assess_claims:
    """Set every published claim beside what this run finds."""
    input:
        claims=shipped("data/reference/claims.yaml"),
        findings=lambda wildcards: [
            f"results/{wildcards.run}/{room}/findings.csv"
            for room in rooms_of_runs(ROOT / "data/reference/claims.yaml")
        ],
        audit=corpus_of("corpus.json"),
        training="results/{run}/training.json",
        code=code_of("verdicts.claims.assess"),
    output:
        "results/{run}/claims.csv",
    log:
        "logs/{run}/claims.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        run=as_json(lambda wildcards: RUNS[wildcards.run].identity),
        statistics=part_of("statistics", "confidence", "margin"),
        made=as_json(made_on_demand),
        stored=int(workflow.storage_settings.default_storage_provider is not None),
    shell:
        r"""
        python -m emoscope assess-claims --claims {input.claims:q} --findings {input.findings:q} --run {params.run:q} \
            --statistics {params.statistics:q} --made {params.made:q} --stored {params.stored} --output {output:q} \
            --audit {input.audit:q} --training {input.training:q} >{log:q} 2>&1
        """


rule assess_writeup_claims:
    """Set every claim of the companion write-ups beside what this language model shows."""
    input:
        claims=shipped("data/reference/claims.yaml"),
        findings=lambda wildcards: [
            f"results/models/{wildcards.model}/{page.name}/findings.csv"
            for page in PAGES.about(COMPANIONS[wildcards.model])
        ],
        code=code_of("verdicts.claims.assess"),
    output:
        "results/models/{model}/claims.csv",
    log:
        "logs/models/{model}/claims.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        model=as_json(
            lambda wildcards: {
                "name": wildcards.model,
                "model": MODELS[wildcards.model].entry,
                "tasks": config["prompting"]["tasks"],
            }
        ),
        statistics=part_of("statistics", "confidence", "margin"),
    shell:
        r"""
        python -m emoscope assess-writeup-claims --claims {input.claims:q} --findings {input.findings:q} \
            --model {params.model:q} --statistics {params.statistics:q} --output {output:q} >{log:q} 2>&1
        """


rule collect_claims:
    """The claims of all runs and language models in one table."""
    input:
        runs=[
            *expand("results/{run}/claims.csv", run=RUNS),
            *expand("results/models/{model}/claims.csv", model=COMPANIONS),
        ],
        code=code_of("storage.shards"),
    output:
        "reports/claims.csv",
    log:
        "logs/claims.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    shell:
        "python -m emoscope join-tables --tables {input.runs:q} --output {output:q} >{log:q} 2>&1"


rule claims:
    """Every published claim beside every run."""
    input:
        PAGES["claims"].all_html(),
    localrule: True
