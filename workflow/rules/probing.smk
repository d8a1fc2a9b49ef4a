"""Probing: results/{run}/probing, what can be read where in a classifier, and whether erasing it changes the answers."""

ERASED = ("answers", "probes", "accuracy")

PAGES.add(
    Page(
        "probing",
        subjects=RUNS.values(),
        tables=lambda run: {name: f"{run.results}/probing/{name}.parquet" for name in ("texts", "depths")}
        | {
            f"{axis}_{name}": f"{run.results}/probing/{axis}_{name}.parquet"
            for axis in AXES
            for name in ("erased", "doses")
        }
        | {"findings": f"{run.results}/probing/findings.csv", "exactness": f"{run.results}/exactness.json"},
        sections=("probing", "flips"),
        explained=("families.md",),
        on_demand=True,
    )
)


rule flip_training_texts:
    """Flip training texts, from which it is learned how states tell groups of people apart."""
    input:
        train="data/corpora/{corpus}/train.parquet",
        lexicon=lambda wildcards: shipped(f"data/lexicons/{KNOWN_AXES[wildcards.axis].words}"),
        code=code_of("experiments.flips.training_pairs"),
    output:
        "data/corpora/{corpus}/perturbations/{axis}_training.parquet",
    log:
        "logs/corpora/{corpus}/flip_{axis}_training.log",
    wildcard_constraints:
        axis=one_of(KNOWN_AXES),
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        config=as_json({"pairs": config["probing"]["learned"] // 2, "seed": config["statistics"]["seed"]}),
    shell:
        r"""
        python -m emoscope flip-training-texts --train {input.train:q} --lexicon {input.lexicon:q} \
            --axis {wildcards.axis} --config {params.config:q} --pairs {output:q} >{log:q} 2>&1
        """


rule read_concepts:
    """Learn at every depth and place to read class, gender, race and negation, and see how well that is read in test texts."""
    input:
        model="results/{run}/model",
        train=corpus_of("train.parquet"),
        test=corpus_of("test.parquet"),
        taught=of_each_axis("perturbations/{axis}_training.parquet"),
        pairs=of_each_axis("perturbations/{axis}.parquet"),
        exactness="results/{run}/exactness.json",
        code=code_of("experiments.probing.measure"),
    output:
        readings="results/{run}/probing/readings.parquet",
        texts="results/{run}/probing/texts.parquet",
    log:
        "logs/{run}/probing/readings.log",
    benchmark:
        "benchmarks/{run}/probing/readings.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        threads=threads_of(2),
        axes=AXES,
        config=seeded("probing", "learned", "judged", "controls"),
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} read-concepts \
            --model {input.model:q} --train {input.train:q} \
            --test {input.test:q} --taught {input.taught:q} --pairs {input.pairs:q} --axes {params.axes:q} \
            --exactness {input.exactness:q} --config {params.config:q} --prediction {params.prediction:q} \
            --readings {output.readings:q} --texts {output.texts:q} >{log:q} 2>&1
        """


rule summarise_probing:
    """How often each concept is read, what erasing and steering change, with intervals, and the quotable numbers of all axes."""
    input:
        **{
            name: expand("results/{{run}}/probing/{axis}_{name}.parquet", axis=AXES, name=name)
            for name in (*ERASED, "steered")
        },
        readings="results/{run}/probing/readings.parquet",
        pairs=of_each_axis("perturbations/{axis}.parquet"),
        scores=expand("results/{{run}}/perturbations/{axis}_scores.parquet", axis=AXES),
        code=code_of("experiments.probing.summarise"),
    output:
        depths="results/{run}/probing/depths.parquet",
        erased=expand("results/{{run}}/probing/{axis}_erased.parquet", axis=AXES),
        doses=expand("results/{{run}}/probing/{axis}_doses.parquet", axis=AXES),
        findings="results/{run}/probing/findings.csv",
    log:
        "logs/{run}/probing/summary.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        axes=AXES,
        statistics=part_of("statistics", "confidence", "margin"),
    shell:
        r"""
        python -m emoscope summarise-probing --readings {input.readings:q} --axes {params.axes:q} \
            --pairs {input.pairs:q} --scores {input.scores:q} --answers {input.answers:q} --probes {input.probes:q} \
            --accuracy {input.accuracy:q} --steered {input.steered:q} --statistics {params.statistics:q} --depths {output.depths:q} \
            --erased {output.erased:q} --doses {output.doses:q} --findings {output.findings:q} >{log:q} 2>&1
        """


rule probing:
    """What can be read where in every run, and whether it is used; not part of `all`."""
    input:
        PAGES["probing"].all_html(),
    localrule: True
