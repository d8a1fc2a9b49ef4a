"""Synonyms: data/corpora/{corpus}/perturbations/{words,synonyms}.parquet, and suggestions.csv on demand."""

PAGES.add(
    Page(
        "synonyms",
        subjects=RUNS.values(),
        tables=lambda run: {
            "words": f"{run.corpus.folder}/perturbations/words.parquet",
            "pairs": f"{run.corpus.folder}/perturbations/synonyms.parquet",
            "balance": f"{run.corpus.folder}/perturbations/synonyms_balance.parquet",
            "scores": f"{run.results}/perturbations/synonyms_scores.parquet",
            "summary": f"{run.results}/perturbations/synonyms_summary.parquet",
            "table3": published("table3_synonyms"),
        }
        | STUDY.planted_effects(run, ["synonyms"]),
        sections=("synonyms",),
        explained=("nulls.md",),
    )
)


rule count_words:
    """List the most frequent words of each class, stop words left out."""
    input:
        test="data/corpora/{corpus}/test.parquet",
        audit="data/corpora/{corpus}/corpus.json",
        stop_words=shipped("data/lexicons/stopwords.txt"),
        code=code_of("experiments.synonyms.pair_set"),
    output:
        "data/corpora/{corpus}/perturbations/words.parquet",
    log:
        "logs/corpora/{corpus}/count_words.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        config=part_of("synonyms", "words_per_class"),
    shell:
        r"""
        python -m emoscope count-words --test {input.test:q} --audit {input.audit:q} --stop-words {input.stop_words:q} \
            --config {params.config:q} --output {output:q} >{log:q} 2>&1
        """


rule replace_words:
    """Replace words by their synonyms: as the paper did, and one word at a time without looking at the label."""
    input:
        train="data/corpora/{corpus}/train.parquet",
        test="data/corpora/{corpus}/test.parquet",
        audit="data/corpora/{corpus}/corpus.json",
        synonyms=shipped("data/lexicons/synonyms.csv"),
        neutral=shipped("data/lexicons/neutral.csv"),
        code=code_of("experiments.synonyms.pair_set"),
    output:
        pairs="data/corpora/{corpus}/perturbations/synonyms.parquet",
        balance="data/corpora/{corpus}/perturbations/synonyms_balance.parquet",
    log:
        "logs/corpora/{corpus}/replace_words.log",
    conda:
        "../../envs/tables.yaml"
    shell:
        r"""
        python -m emoscope replace-words --train {input.train:q} --test {input.test:q} --audit {input.audit:q} \
            --synonyms {input.synonyms:q} --neutral {input.neutral:q} \
            --pairs {output.pairs:q} --balance {output.balance:q} >{log:q} 2>&1
        """


rule summarise_synonyms:
    """The quotable numbers: how often replaced words change a prediction, all together and one by one."""
    input:
        pairs=corpus_of("perturbations/synonyms.parquet"),
        scores="results/{run}/perturbations/synonyms_scores.parquet",
        words=corpus_of("perturbations/words.parquet"),
        published=published("table3_synonyms"),
        code=code_of("experiments.synonyms.summarise"),
    output:
        "results/{run}/synonyms/findings.csv",
    log:
        "logs/{run}/synonyms/findings.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=part_of("statistics", "confidence", "margin"),
    shell:
        r"""
        python -m emoscope summarise-synonyms --pairs {input.pairs:q} --scores {input.scores:q} \
            --words {input.words:q} --published {input.published:q} --statistics {params.statistics:q} \
            --findings {output:q} >{log:q} 2>&1
        """


rule suggest_synonyms:
    """Look up synonyms in WordNet for frequent words that the synonym table lacks."""
    input:
        words="data/corpora/{corpus}/perturbations/words.parquet",
        synonyms=shipped("data/lexicons/synonyms.csv"),
        code=code_of("experiments.synonyms.suggestions"),
    output:
        "data/corpora/{corpus}/perturbations/suggestions.csv",
    log:
        "logs/corpora/{corpus}/suggest_synonyms.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        suggestions=STUDY.suggestions,
    shell:
        r"""
        python -m emoscope suggest-synonyms --words {input.words:q} --synonyms {input.synonyms:q} \
            --count {params.suggestions} --output {output:q} >{log:q} 2>&1
        """


rule suggestions:
    """Synonyms from WordNet to choose from."""
    input:
        lambda wildcards: STUDY.suggestion_tables(),
    localrule: True


rule synonyms:
    """What synonyms do to every run."""
    input:
        PAGES["synonyms"].all_html(),
    localrule: True
