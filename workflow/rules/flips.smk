"""Flips: data/corpora/{corpus}/perturbations/{axis}.parquet, the people in its texts flipped along one axis."""

PAGES.add(
    Page(
        "flips",
        subjects=RUNS.values(),
        tables=lambda run: {
            f"{axis}_{table}": f"{run.corpus.folder}/perturbations/{axis}{ending}.parquet"
            for axis in AXES
            for table, ending in (("pairs", ""), ("balance", "_balance"))
        }
        | {
            f"{axis}_{name}": f"{run.results}/perturbations/{axis}_{name}.parquet"
            for axis in AXES
            for name in ("scores", "summary")
        }
        | {"table4": published("table4_gender_flip_differences")}
        | STUDY.planted_effects(run, AXES),
        sections=("flips",),
        explained=("nulls.md",),
    )
)


rule flip_terms:
    """Flip the people in the test texts along one axis, and in its templates if it has some; add neutral swaps."""
    input:
        train="data/corpora/{corpus}/train.parquet",
        test="data/corpora/{corpus}/test.parquet",
        lexicon=lambda wildcards: shipped(f"data/lexicons/{KNOWN_AXES[wildcards.axis].words}"),
        neutral=shipped("data/lexicons/neutral.csv"),
        names=shipped("data/lexicons/gender.csv"),
        published=shipped("data/reference/table4_gender_pairs.csv"),
        code=code_of("experiments.flips.pair_set"),
    output:
        pairs="data/corpora/{corpus}/perturbations/{axis}.parquet",
        balance="data/corpora/{corpus}/perturbations/{axis}_balance.parquet",
    log:
        "logs/corpora/{corpus}/flip_{axis}.log",
    wildcard_constraints:
        axis=one_of(KNOWN_AXES),
    conda:
        "../../envs/tables.yaml"
    shell:
        r"""
        python -m emoscope flip-terms --train {input.train:q} --test {input.test:q} --lexicon {input.lexicon:q} \
            --neutral {input.neutral:q} --names {input.names:q} --published {input.published:q} \
            --axis {wildcards.axis} --pairs {output.pairs:q} --balance {output.balance:q} >{log:q} 2>&1
        """


rule summarise_flips:
    """The quotable numbers of all axes: how often a flip moves a prediction, and the pairs that the paper prints."""
    input:
        pairs=of_each_axis("perturbations/{axis}.parquet"),
        scores=[f"results/{{run}}/perturbations/{axis}_scores.parquet" for axis in AXES],
        code=code_of("experiments.flips.summarise"),
    output:
        "results/{run}/flips/findings.csv",
    log:
        "logs/{run}/flips/findings.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        statistics=part_of("statistics", "confidence", "margin"),
    shell:
        r"""
        python -m emoscope summarise-flips --pairs {input.pairs:q} --scores {input.scores:q} \
            --statistics {params.statistics:q} --findings {output:q} >{log:q} 2>&1
        """


rule flips:
    """What flipping gender and race does to every run."""
    input:
        PAGES["flips"].all_html(),
    localrule: True
