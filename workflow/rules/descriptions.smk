"""What the configuration says of models of a type that is no known family: results/{run}/description.json."""


rule check_description:
    """Check that a model is what the configuration says of its parts, before it is trained."""
    input:
        train=corpus_of("train.parquet"),
        audit=corpus_of("corpus.json"),
        base=lambda wildcards: RUNS[wildcards.run].model.base,
        files=lambda wildcards: own_files(RUNS[wildcards.run].model),
        code=code_of("training.description"),
    output:
        "results/{run}/description.json",
    log:
        "logs/{run}/description.log",
    wildcard_constraints:
        run=one_of(name for name, run in RUNS.items() if run.description),
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        config=as_json(lambda wildcards: RUNS[wildcards.run].recipe),
        stamps=lambda wildcards: own_stamps(RUNS[wildcards.run].model),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} check-description --train {input.train:q} --audit {input.audit:q} \
            --base {input.base:q} --config {params.config:q} --output {output:q} >{log:q} 2>&1
        """
