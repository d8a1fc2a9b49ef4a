"""Residual: results/models/{model}/residual/, the residual stream by depth and position, write directions, autoencoder."""

RESIDUAL = "results/models/{model}/residual"
PAGES.add(
    Page(
        "residual",
        subjects=COMPANIONS.values(),
        tables=lambda model: {
            "findings": f"{model.results}/residual/findings.csv",
            **{
                name: f"{model.results}/residual/{name}.parquet"
                for name in (
                    *("positions", "sentences", "curves", "norms", "overlaps", "histogram"),
                    *("reconstruction", "patched", "features", "texts", "associations", "shuffles", "chosen"),
                )
            },
            "history": f"{model.results}/residual/training.csv",
            "published": published("notebook_positions"),
        },
        sections=("residual",),
        explained=("families.md",),
    )
)

RESIDUAL_CORPUS = f"data/corpora/{config['residual']['corpus']}"


rule read_residual:
    """The notebook's tables, and the logit lens and the norms at every depth."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        corpus=f"{RESIDUAL_CORPUS}/train.parquet",
        code=code_of("writeups.residual.measure"),
    output:
        positions=f"{RESIDUAL}/positions.parquet",
        sentences=f"{RESIDUAL}/sentences.parquet",
        lens=f"{RESIDUAL}/lens.parquet",
    log:
        "logs/models/{model}/residual/read.log",
    benchmark:
        "benchmarks/models/{model}/residual/read.jsonl"
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        config=part_of("residual", "lens_texts", "seed"),
        prediction=as_json(config["prediction"]),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} read-residual \
            --model {input.model:q} --corpus {input.corpus:q} --config {params.config:q} \
            --prediction {params.prediction:q} --positions {output.positions:q} --sentences {output.sentences:q} \
            --lens {output.lens:q} >{log:q} 2>&1
        """


rule measure_writes:
    """How the write directions of every block's MLP overlap."""
    input:
        model=lambda wildcards: MODELS[wildcards.model].folder,
        files=lambda wildcards: own_files(MODELS[wildcards.model]),
        code=code_of("writeups.residual.write_directions"),
    output:
        overlaps=f"{RESIDUAL}/overlaps.parquet",
        histogram=f"{RESIDUAL}/histogram.parquet",
    log:
        "logs/models/{model}/residual/writes.log",
    benchmark:
        "benchmarks/models/{model}/residual/writes.jsonl"
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=1,
        mem_mb=growing(3000),
    params:
        config=part_of("residual", "seed"),
        statistics=part_of("statistics", "confidence"),
        stamps=lambda wildcards: own_stamps(MODELS[wildcards.model]),
    shell:
        r"""
        python -m emoscope --gpus {resources.gpu} measure-writes \
            --model {input.model:q} --config {params.config:q} --statistics {params.statistics:q} \
            --overlaps {output.overlaps:q} --histogram {output.histogram:q} \
            >{log:q} 2>&1
        """


rule summarise_residual:
    """Curves over depth and every quotable number, with intervals."""
    input:
        positions=f"{RESIDUAL}/positions.parquet",
        lens=f"{RESIDUAL}/lens.parquet",
        overlaps=f"{RESIDUAL}/overlaps.parquet",
        reconstruction=f"{RESIDUAL}/reconstruction.parquet",
        twin=f"{RESIDUAL}/twin.parquet",
        patched=f"{RESIDUAL}/patched.parquet",
        features=f"{RESIDUAL}/features.parquet",
        associations=f"{RESIDUAL}/associations.parquet",
        shuffles=f"{RESIDUAL}/shuffles.parquet",
        chosen=f"{RESIDUAL}/chosen.parquet",
        code=code_of("writeups.residual.summarise"),
    output:
        curves=f"{RESIDUAL}/curves.parquet",
        norms=f"{RESIDUAL}/norms.parquet",
        findings=f"{RESIDUAL}/findings.csv",
    log:
        "logs/models/{model}/residual/summary.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=part_of("statistics", "seed", "resamples", "confidence"),
    shell:
        r"""
        python -m emoscope summarise-residual --positions {input.positions:q} --lens {input.lens:q} \
            --overlaps {input.overlaps:q} --reconstruction {input.reconstruction:q} --twin {input.twin:q} \
            --patched {input.patched:q} --features {input.features:q} --associations {input.associations:q} \
            --shuffles {input.shuffles:q} --chosen {input.chosen:q} --statistics {params.statistics:q} \
            --curves {output.curves:q} --norms {output.norms:q} --findings {output.findings:q} >{log:q} 2>&1
        """


rule residual:
    """What the residual stream holds, block by block."""
    input:
        PAGES["residual"].asked("there is no language model to take apart; name one under `companions`"),
    localrule: True
