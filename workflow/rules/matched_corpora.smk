"""Adopted classifiers, and their texts: data/corpora/{corpus}.{run}/, labels numbered as the classifier numbers them."""


rule adopt_model:
    """Take over a classifier that was trained elsewhere, as it is."""
    input:
        base=lambda wildcards: RUNS[wildcards.run].model.folder,
        files=lambda wildcards: own_files(RUNS[wildcards.run].model),
        audit=corpus_of("corpus.json"),
        train=corpus_of("train.parquet"),
        test=corpus_of("test.parquet"),
        code=code_of("training.adopt"),
    output:
        model=directory("results/{run}/model"),
        history="results/{run}/training.json",
    log:
        "logs/{run}/adopt.log",
    wildcard_constraints:
        run=one_of(name for name, run in RUNS.items() if run.adopted),
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(8000),
    params:
        config=as_json(lambda wildcards: RUNS[wildcards.run].model.entry),
        stamps=lambda wildcards: own_stamps(RUNS[wildcards.run].model),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} adopt-model \
            --base {input.base:q} --audit {input.audit:q} --config {params.config:q} \
            --train {input.train:q} --test {input.test:q} --checkpoints work/{wildcards.run:q} \
            --output {output.model:q} --history {output.history:q} >{log:q} 2>&1
        """


rule match_labels:
    """Number a corpus' labels as an adopted classifier does; leave out what it has no class for."""
    input:
        base=lambda wildcards: STUDY.matched_corpora[wildcards.corpus].model.folder,
        files=lambda wildcards: own_files(STUDY.matched_corpora[wildcards.corpus].model),
        train=parent_of("train.parquet"),
        validation=parent_of("validation.parquet"),
        test=parent_of("test.parquet"),
        audit=parent_of("corpus.json"),
        code=code_of("training.match"),
    output:
        matched_train="data/corpora/{corpus}/train.parquet",
        matched_validation="data/corpora/{corpus}/validation.parquet",
        matched_test="data/corpora/{corpus}/test.parquet",
        matched_audit="data/corpora/{corpus}/corpus.json",
    log:
        "logs/corpora/{corpus}/match.log",
    wildcard_constraints:
        corpus=one_of(STUDY.matched_corpora),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        config=as_json(lambda wildcards: STUDY.matched_corpora[wildcards.corpus].matching),
        stamps=lambda wildcards: own_stamps(STUDY.matched_corpora[wildcards.corpus].model),
    shell:
        r"""
        python -m emoscope match-labels --base {input.base:q} --train {input.train:q} --validation {input.validation:q} \
            --test {input.test:q} --audit {input.audit:q} --config {params.config:q} \
            --matched-train {output.matched_train:q} --matched-validation {output.matched_validation:q} \
            --matched-test {output.matched_test:q} --matched-audit {output.matched_audit:q} >{log:q} 2>&1
        """


rule share_truth:
    """What is planted in generated texts holds of them under any numbers of their labels."""
    input:
        truth=parent_of("truth.json"),
        audit="data/corpora/{corpus}/corpus.json",
    output:
        "data/corpora/{corpus}/truth.json",
    log:
        "logs/corpora/{corpus}/truth.log",
    wildcard_constraints:
        corpus=from_source(STUDY.matched_corpora, "calibration"),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    shell:
        "cp {input.truth:q} {output:q} >{log:q} 2>&1"
