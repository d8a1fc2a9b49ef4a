"""Which words decide: results/{run}/words, what methods of attribution say of some test texts and whether to believe it."""

SAID = ("scores", "texts", "accounts", "steadiness", "cuts")
WEIGHED = ("ranking", "faithful", "methods", "overall", "flips", "groups")

PAGES.add(
    Page(
        "words",
        subjects=RUNS.values(),
        tables=lambda run: {name: f"{run.results}/words/{name}.parquet" for name in (*SAID, "curves", *WEIGHED)}
        | {
            f"{axis}_{table}": file
            for axis in AXES
            for table, file in (
                ("pairs", f"{run.corpus.folder}/perturbations/{axis}.parquet"),
                ("scores", f"{run.results}/perturbations/{axis}_scores.parquet"),
            )
        }
        | {"findings": f"{run.results}/words/findings.csv", "exactness": f"{run.results}/exactness.json"},
        sections=("words", "flips"),
        script=shipped("workflow/report/words_viewer.js"),
        explained=("families.md",),
    )
)


rule attribute_words:
    """Say by every method how much each word of some test texts adds to each of a few answers."""
    input:
        model="results/{run}/model",
        test=corpus_of("test.parquet"),
        exactness="results/{run}/exactness.json",
        thresholds=lambda wildcards: RUNS[wildcards.run].thresholds,
        code=code_of("experiments.words.measure"),
    output:
        scores="results/{run}/words/scores.parquet",
        texts="results/{run}/words/texts.parquet",
        accounts="results/{run}/words/accounts.parquet",
        steadiness="results/{run}/words/steadiness.parquet",
        cuts="results/{run}/words/cuts.parquet",
    log:
        "logs/{run}/words/attribution.log",
    benchmark:
        "benchmarks/{run}/words/attribution.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        threads=threads_of(2),
        config=as_json(config["words"]),
        seed=lambda wildcards: RUNS[wildcards.run].entry["seed"],
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} attribute-words \
            --model {input.model:q} --test {input.test:q} \
            --exactness {input.exactness:q} --config {params.config:q} --seed {params.seed} \
            --prediction {params.prediction:q} --thresholds {input.thresholds:q} --scores {output.scores:q} \
            --texts {output.texts:q} --accounts {output.accounts:q} --steadiness {output.steadiness:q} \
            --cuts {output.cuts:q} >{log:q} 2>&1
        """


rule measure_faithfulness:
    """Take away, or leave alone, the words that each method puts first, and see what becomes of the answer."""
    input:
        model="results/{run}/model",
        texts="results/{run}/words/texts.parquet",
        scores="results/{run}/words/scores.parquet",
        planted=lambda wildcards: RUNS[wildcards.run].corpus.planted_words,
        code=code_of("experiments.words.faithfulness"),
    output:
        curves="results/{run}/words/curves.parquet",
        faithfulness="results/{run}/words/faithfulness.parquet",
    log:
        "logs/{run}/words/faithfulness.log",
    benchmark:
        "benchmarks/{run}/words/faithfulness.jsonl"
    conda:
        "../../envs/models.yaml"
    threads: threads_of(2)
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        threads=threads_of(2),
        seed=lambda wildcards: RUNS[wildcards.run].entry["seed"],
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads {params.threads} --gpus {resources.gpu} measure-faithfulness \
            --model {input.model:q} --texts {input.texts:q} \
            --scores {input.scores:q} --planted {input.planted:q} --seed {params.seed} \
            --prediction {params.prediction:q} --curves {output.curves:q} \
            --faithfulness {output.faithfulness:q} >{log:q} 2>&1
        """


rule summarise_words:
    """Rank the methods, average over texts, set beside flips, and list the words that push each class most."""
    input:
        **{name: f"results/{{run}}/words/{name}.parquet" for name in (*SAID, "faithfulness")},
        train=corpus_of("train.parquet"),
        audit=corpus_of("corpus.json"),
        pairs=of_each_axis("perturbations/{axis}.parquet", STUDY.axes),
        pair_scores=[f"results/{{run}}/perturbations/{axis}_scores.parquet" for axis in STUDY.axes],
        planted=lambda wildcards: RUNS[wildcards.run].corpus.planted_words,
        code=code_of("experiments.words.summarise"),
    output:
        **{name: f"results/{{run}}/words/{name}.parquet" for name in WEIGHED},
        findings="results/{run}/words/findings.csv",
    log:
        "logs/{run}/words/summary.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        axes=STUDY.axes,
        seed=lambda wildcards: RUNS[wildcards.run].entry["seed"],
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope summarise-words --scores {input.scores:q} --texts {input.texts:q} \
            --accounts {input.accounts:q} --steadiness {input.steadiness:q} --cuts {input.cuts:q} \
            --faithfulness {input.faithfulness:q} --train {input.train:q} --audit {input.audit:q} \
            --axes {params.axes:q} --pairs {input.pairs:q} --pair-scores {input.pair_scores:q} \
            --planted {input.planted:q} --seed {params.seed} \
            --statistics {params.statistics:q} --ranking {output.ranking:q} --faithful {output.faithful:q} \
            --methods {output.methods:q} --overall {output.overall:q} --flips {output.flips:q} \
            --groups {output.groups:q} --findings {output.findings:q} >{log:q} 2>&1
        """


rule words:
    """Which words decide what every run says."""
    input:
        PAGES["words"].all_html(),
    localrule: True
