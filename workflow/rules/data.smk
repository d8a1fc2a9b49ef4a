"""Texts: data/corpora/{corpus}/ gets corpus.parquet, {train,validation,test}.parquet and corpus.json, the audit of them."""


rule generate_corpus:
    """Generate sentences with planted effects; truth.json says which, and words.parquet which words decide each."""
    input:
        code=code_of("data.planted_corpus"),
    output:
        corpus="data/corpora/{corpus}/corpus.parquet",
        source="data/corpora/{corpus}/source.json",
        truth="data/corpora/{corpus}/truth.json",
        words="data/corpora/{corpus}/words.parquet",
    log:
        "logs/corpora/{corpus}/fetch.log",
    wildcard_constraints:
        corpus=from_source(STUDY.own_corpora, "calibration"),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        config=as_json(lambda wildcards: CORPORA[wildcards.corpus].origin),
    shell:
        r"""
        python -m emoscope generate-corpus --config {params.config:q} \
            --corpus {output.corpus:q} --source {output.source:q} --truth {output.truth:q} \
            --words {output.words:q} >{log:q} 2>&1
        """


rule import_corpus:
    """Read and check a local file or folder of labelled texts."""
    input:
        files=lambda wildcards: list(map(local, CORPORA[wildcards.corpus].files())),
        code=code_of("data.corpus"),
    output:
        corpus="data/corpora/{corpus}/corpus.parquet",
        source="data/corpora/{corpus}/source.json",
    log:
        "logs/corpora/{corpus}/fetch.log",
    wildcard_constraints:
        corpus=from_source(STUDY.own_corpora, "csv", "tsv", "parquet", "semicolon", "parallel", "tabbed"),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        config=as_json(lambda wildcards: CORPORA[wildcards.corpus].origin),
        digests=digests_of(lambda wildcards: CORPORA[wildcards.corpus].files()),
    shell:
        r"""
        python -m emoscope import-corpus --config {params.config:q} \
            --corpus {output.corpus:q} --source {output.source:q} >{log:q} 2>&1
        """


rule download_corpus:
    """Fetch a data set from the hub and record the revision it resolved to."""
    input:
        code=code_of("data.corpus"),
    output:
        corpus="data/corpora/{corpus}/corpus.parquet",
        source="data/corpora/{corpus}/source.json",
    log:
        "logs/corpora/{corpus}/fetch.log",
    wildcard_constraints:
        corpus=from_source(STUDY.own_corpora, "hub"),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        config=as_json(lambda wildcards: CORPORA[wildcards.corpus].origin),
    shell:
        r"""
        python -m emoscope download-corpus --config {params.config:q} \
            --corpus {output.corpus:q} --source {output.source:q} >{log:q} 2>&1
        """


rule split_corpus:
    """Cut the corpus into training, validation and test set, and count what leaks from training to test."""
    input:
        corpus="data/corpora/{corpus}/corpus.parquet",
        source="data/corpora/{corpus}/source.json",
        code=code_of("data.split"),
    output:
        train="data/corpora/{corpus}/train.parquet",
        validation="data/corpora/{corpus}/validation.parquet",
        test="data/corpora/{corpus}/test.parquet",
        audit="data/corpora/{corpus}/corpus.json",
    log:
        "logs/corpora/{corpus}/split.log",
    wildcard_constraints:
        corpus=one_of(STUDY.own_corpora),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        config=as_json(lambda wildcards: CORPORA[wildcards.corpus].division),
    shell:
        r"""
        python -m emoscope split-corpus --config {params.config:q} --corpus {input.corpus:q} --source {input.source:q} \
            --train {output.train:q} --validation {output.validation:q} --test {output.test:q} \
            --audit {output.audit:q} >{log:q} 2>&1
        """


rule match_labels:
    """Number a corpus' labels as an adopted classifier does; leave out what it has no class for."""
    input:
        base=lambda wildcards: STUDY.matched_corpora[wildcards.corpus].model.folder,
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
        "cp {input.truth:q} {output:q} > {log:q} 2>&1"
