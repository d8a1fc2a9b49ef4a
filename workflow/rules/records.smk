"""What a run is and where it came from: results/{run}/README.md, its model card, and provenance.json."""


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
        input_names=lambda wildcards: list(
            map(str, records.inputs_of(STUDY, SUBJECTS[wildcards.subject], PAGES, shipped, local))
        ),
        result_names=lambda wildcards: records.results_of(SUBJECTS[wildcards.subject], PAGES),
    shell:
        r"""
        python -m emoscope record-provenance --settings {params.settings:q} \
            --inputs {input.inputs:q} --input-names {params.input_names:q} --training {input.training:q} \
            --results {input.results:q} --result-names {params.result_names:q} --output {output:q} >{log:q} 2>&1
        """
