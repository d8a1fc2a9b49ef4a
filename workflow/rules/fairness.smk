"""Fairness: results/{run}/fairness, what a run makes of texts about one group of people and about another."""

PAGES.add(
    Page(
        "fairness",
        subjects=RUNS.values(),
        tables=lambda run: {f"{axis}_summary": f"{run.results}/perturbations/{axis}_summary.parquet" for axis in AXES}
        | {name: f"{run.results}/fairness/{name}.parquet" for name in ("groups", "changes", "templates")}
        | STUDY.planted_effects(run, AXES),
        sections=("flips",),
        explained=("nulls.md",),
    )
)


rule summarise_fairness:
    """Gaps between groups of people: in the same text with other people, in rates of the test texts, in confidence."""
    input:
        predictions=gather.predict("results/{{run}}/predictions/{scatteritem}.parquet"),
        test=corpus_of("test.parquet"),
        audit=corpus_of("corpus.json"),
        pairs=of_each_axis("perturbations/{axis}.parquet"),
        scores=[f"results/{{run}}/perturbations/{axis}_scores.parquet" for axis in AXES],
        summaries=[f"results/{{run}}/perturbations/{axis}_summary.parquet" for axis in AXES],
        code=code_of("experiments.fairness.summarise"),
    output:
        groups="results/{run}/fairness/groups.parquet",
        changes="results/{run}/fairness/changes.parquet",
        templates="results/{run}/fairness/templates.parquet",
        findings="results/{run}/fairness/findings.csv",
    log:
        "logs/{run}/fairness/summarise.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        # not sorted: the files are listed in the order of the axes
        sides=lambda wildcards: json.dumps({axis: KNOWN_AXES[axis].groups for axis in AXES}),
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope summarise-fairness --predictions {input.predictions:q} --test {input.test:q} \
            --audit {input.audit:q} --pairs {input.pairs:q} --scores {input.scores:q} --summaries {input.summaries:q} \
            --sides {params.sides:q} --statistics {params.statistics:q} --groups {output.groups:q} \
            --changes {output.changes:q} --templates {output.templates:q} --findings {output.findings:q} >{log:q} 2>&1
        """


rule fairness:
    """Whether every run treats two groups of people alike."""
    input:
        PAGES["fairness"].all_html(),
    localrule: True
