"""Flips and synonyms: pairs of texts in data/corpora/{corpus}/perturbations/, what a run makes of them in
results/{run}/perturbations/{axis}_{scores,summary}.parquet."""


rule flip_terms:
    """Flip the people in the test texts along one axis, and in its templates if it has some; add controls."""
    input:
        test="data/corpora/{corpus}/test.parquet",
        lexicon=flip_lexicon,
        neutral=shipped("data/lexicons/neutral.csv"),
        published=shipped("data/reference/table4_gender_pairs.csv"),
        code=code_of("experiments.flips.pair_set"),
    output:
        "data/corpora/{corpus}/perturbations/{axis}.parquet",
    log:
        "logs/corpora/{corpus}/flip_{axis}.log",
    wildcard_constraints:
        axis=one_of(FLIPPED),
    conda:
        "../../envs/emoscope.yaml"
    shell:
        r"""
        python -m emoscope flip-terms --test {input.test:q} --lexicon {input.lexicon:q} \
            --neutral {input.neutral:q} --published {input.published:q} --axis {wildcards.axis} \
            --output {output:q} >{log:q} 2>&1
        """


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
        "../../envs/emoscope.yaml"
    params:
        config=as_json(config["synonyms"]),
    shell:
        r"""
        python -m emoscope count-words --test {input.test:q} --audit {input.audit:q} --stop-words {input.stop_words:q} \
            --config {params.config:q} --output {output:q} >{log:q} 2>&1
        """


rule replace_words:
    """Replace words by their synonyms: as the paper did, and one word at a time without looking at the label."""
    input:
        test="data/corpora/{corpus}/test.parquet",
        audit="data/corpora/{corpus}/corpus.json",
        synonyms=shipped("data/lexicons/synonyms.csv"),
        neutral=shipped("data/lexicons/neutral.csv"),
        code=code_of("experiments.synonyms.pair_set"),
    output:
        "data/corpora/{corpus}/perturbations/synonyms.parquet",
    log:
        "logs/corpora/{corpus}/replace_words.log",
    conda:
        "../../envs/emoscope.yaml"
    shell:
        r"""
        python -m emoscope replace-words --test {input.test:q} --audit {input.audit:q} \
            --synonyms {input.synonyms:q} --neutral {input.neutral:q} --output {output:q} >{log:q} 2>&1
        """


rule score_perturbation:
    """Predict both texts of every pair in one share of them."""
    input:
        model="results/{run}/model",
        pairs=corpus_of("perturbations/{axis}.parquet"),
        code=code_of("perturbation.scored_pairs"),
    output:
        "results/{run}/perturbations/{axis}_scores/{scatteritem}.parquet",
    log:
        "logs/{run}/perturbations/{axis}_scores/{scatteritem}.log",
    benchmark:
        "benchmarks/{run}/perturbations/{axis}_scores/{scatteritem}.jsonl"
    conda:
        "../../envs/emoscope.yaml"
    threads: 2
    resources:
        gpu=1,
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        prediction=as_json(config["prediction"]),
    shell:
        r"""
        python -m emoscope --threads 2 score-perturbation --model {input.model:q} --pairs {input.pairs:q} \
            --shard {wildcards.scatteritem:q} --prediction {params.prediction:q} --output {output:q} >{log:q} 2>&1
        """


rule join_scores:
    """Put the scores of all shares together."""
    input:
        shards=gather.score("results/{{run}}/perturbations/{{axis}}_scores/{scatteritem}.parquet"),
        code=code_of("storage.shards"),
    output:
        "results/{run}/perturbations/{axis}_scores.parquet",
    log:
        "logs/{run}/perturbations/{axis}_scores.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    shell:
        "python -m emoscope join-shards --shards {input.shards:q} --output {output:q} >{log:q} 2>&1"


rule summarise_effects:
    """Rates, mean changes and gaps between groups, with intervals."""
    input:
        pairs=corpus_of("perturbations/{axis}.parquet"),
        scores="results/{run}/perturbations/{axis}_scores.parquet",
        code=code_of("perturbation.effects"),
    output:
        "results/{run}/perturbations/{axis}_summary.parquet",
    log:
        "logs/{run}/perturbations/{axis}_summary.log",
    localrule: True
    conda:
        "../../envs/emoscope.yaml"
    params:
        statistics=as_json(config["statistics"]),
    shell:
        r"""
        python -m emoscope summarise-effects --pairs {input.pairs:q} --scores {input.scores:q} \
            --statistics {params.statistics:q} --output {output:q} >{log:q} 2>&1
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
        "../../envs/emoscope.yaml"
    params:
        suggestions=SUGGESTIONS,
    shell:
        r"""
        python -m emoscope suggest-synonyms --words {input.words:q} --synonyms {input.synonyms:q} \
            --count {params.suggestions} --output {output:q} >{log:q} 2>&1
        """
