"""Texts: data/corpora/{corpus}/ gets corpus.parquet, {train,validation,test}.parquet and corpus.json, the audit of them."""


rule generate_corpus:
    """Generate sentences with planted effects; truth.json says which, and words.parquet which words decide each."""
    input:
        code=code_of("data.planted.corpus"),
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
    """Fetch a data set from the hub and record the revision it resolved to; one that is a folder here is read there."""
    input:
        files=lambda wildcards: list(map(local, CORPORA[wildcards.corpus].files())),
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
        digests=digests_of(lambda wildcards: CORPORA[wildcards.corpus].files()),
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
