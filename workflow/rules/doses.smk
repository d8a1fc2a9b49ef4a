"""Dose and response: results/doses/, what flips find of gaps that were planted at several sizes."""

PAGES.add(
    Page(
        "doses",
        subjects=(
            [Overview({"runs": {name: run.entry for name, run in STUDY.generated_runs.items()}})]
            if STUDY.dosed_axes
            else []
        ),
        tables=lambda overview: {name: f"results/doses/{name}.csv" for name in ("points", "lines", "power")},
        explained=("reliability.md",),
    )
)


rule summarise_doses:
    """Set what every run finds beside what was planted: lines, and how often each size is flagged."""
    input:
        truths=[f"{run.corpus.folder}/truth.json" for run in STUDY.generated_runs.values()],
        gaps=expand("results/{run}/ground_truth/{axis}.csv", run=STUDY.generated_runs, axis=STUDY.dosed_axes),
        summaries=expand(
            "results/{run}/perturbations/{axis}_summary.parquet", run=STUDY.generated_runs, axis=STUDY.dosed_axes
        ),
        code=code_of("verdicts.doses.summarise"),
    output:
        points="results/doses/points.csv",
        lines="results/doses/lines.csv",
        power="results/doses/power.csv",
    log:
        "logs/doses.log",
    localrule: True
    conda:
        "../../envs/tables.yaml"
    params:
        axes=STUDY.dosed_axes,
        statistics=part_of("statistics", "confidence"),
    shell:
        r"""
        python -m emoscope summarise-doses --axes {params.axes:q} --truths {input.truths:q} --gaps {input.gaps:q} \
            --summaries {input.summaries:q} --statistics {params.statistics:q} --points {output.points:q} \
            --lines {output.lines:q} --power {output.power:q} >{log:q} 2>&1
        """


rule doses:
    """What is found of gaps that were planted at several sizes."""
    input:
        PAGES["doses"].asked("nothing is planted at several sizes; lay workflow/configs/doses.yaml over this config"),
    localrule: True
