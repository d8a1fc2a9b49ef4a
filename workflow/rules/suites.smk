"""Suites: data/corpora/{corpus}/perturbations/{suite}.parquet, pairs that others wrote, and what a run makes of them."""

PAGES.add(
    Page(
        "suites",
        subjects=[run for run in RUNS.values() if run.suites],
        tables=lambda run: {
            f"{suite.name}_{table}": f"{run.corpus.folder}/perturbations/{suite.name}{ending}.parquet"
            for suite in run.suites
            for table, ending in (("pairs", ""), ("balance", "_balance"))
        }
        | {
            f"{suite.name}_{table}": f"{run.results}/perturbations/{suite.name}_{table}.parquet"
            for suite in run.suites
            for table in ("scores", "summary")
        }
        | {"goals": f"{run.results}/suites/goals.parquet"},
        sections=("suites",),
        explained=("your-own.md", "nulls.md"),
    )
)


rule import_suite:
    """Read and check pairs of texts that others wrote; add neutral swaps. Soon, so that a bad file is known early."""
    input:
        file=lambda wildcards: SUITES[wildcards.suite].path,
        train="data/corpora/{corpus}/train.parquet",
        audit="data/corpora/{corpus}/corpus.json",
        neutral=shipped("data/lexicons/neutral.csv"),
        code=code_of("experiments.suites.pair_set"),
    output:
        pairs="data/corpora/{corpus}/perturbations/{suite}.parquet",
        balance="data/corpora/{corpus}/perturbations/{suite}_balance.parquet",
    log:
        "logs/corpora/{corpus}/suite_{suite}.log",
    priority: 1
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        config=as_json(lambda wildcards: SUITES[wildcards.suite].entry),
        digests=digests_of(lambda wildcards: [SUITES[wildcards.suite].path]),
    shell:
        r"""
        python -m emoscope import-suite --suite {wildcards.suite:q} --config {params.config:q} --train {input.train:q} \
            --audit {input.audit:q} --neutral {input.neutral:q} --pairs {output.pairs:q} --balance {output.balance:q} \
            >{log:q} 2>&1
        """


rule score_by_words:
    """How a bag of words, learnt on the training set, answers the pairs that ask for something."""
    input:
        pairs="data/corpora/{corpus}/perturbations/{suite}.parquet",
        train="data/corpora/{corpus}/train.parquet",
        audit="data/corpora/{corpus}/corpus.json",
        code=code_of("experiments.suites.words"),
    output:
        words="data/corpora/{corpus}/perturbations/{suite}_words.parquet",
    log:
        "logs/corpora/{corpus}/suite_{suite}_words.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    shell:
        r"""
        python -m emoscope score-by-words --pairs {input.pairs:q} --train {input.train:q} --audit {input.audit:q} \
            --words {output.words:q} >{log:q} 2>&1
        """


rule summarise_suites:
    """The quotable numbers of a run's suites: how often pairs move a prediction, and whether as their writers meant."""
    input:
        pairs=of_each_suite("{corpus}/perturbations/{suite}.parquet"),
        scores=of_each_suite("results/{run}/perturbations/{suite}_scores.parquet"),
        words=of_each_suite("{corpus}/perturbations/{suite}_words.parquet"),
        summaries=of_each_suite("results/{run}/perturbations/{suite}_summary.parquet"),
        audit=corpus_of("corpus.json"),
        code=code_of("experiments.suites.summarise"),
    output:
        goals="results/{run}/suites/goals.parquet",
        findings="results/{run}/suites/findings.csv",
    log:
        "logs/{run}/suites/findings.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=part_of("statistics", "confidence", "margin"),
    shell:
        r"""
        python -m emoscope summarise-suites --pairs {input.pairs:q} --scores {input.scores:q} \
            --words {input.words:q} --summaries {input.summaries:q} --audit {input.audit:q} --statistics {params.statistics:q} \
            --goals {output.goals:q} --findings {output.findings:q} >{log:q} 2>&1
        """


rule suites:
    """What pairs that others wrote do to every run."""
    input:
        PAGES["suites"].asked("no run has pairs of texts that others wrote; name some under `suites`"),
    localrule: True
