"""What to read: reports/{run}/{experiment}.html, reports/claims.csv and .html, reports/index.html."""


def report_tables(wildcards):
    """The tables that each report draws, by the name under which its notebook knows them."""
    run = f"results/{wildcards.run}"
    corpus = f"data/corpora/{RUNS[wildcards.run]['corpus']}"
    perturbed = f"{run}/perturbations"
    common = {"audit": f"{corpus}/corpus.json", **planted(wildcards.run)}
    axes = config["flips"]["axes"]
    return common | {
        "performance": {"metrics": f"{run}/metrics.json", "training": f"{run}/training.json"},
        "masking": {
            "samples": f"{run}/samples.parquet",
            "summary": f"{run}/masking/summary.parquet",
            "all_but": f"{run}/masking/all_but_summary.parquet",
        },
        "flips": {
            f"{axis}_{kind}": path
            for axis in axes
            for kind, path in {
                "pairs": f"{corpus}/perturbations/{axis}.parquet",
                "scores": f"{perturbed}/{axis}_scores.parquet",
                "summary": f"{perturbed}/{axis}_summary.parquet",
                "traces": f"{perturbed}/{axis}_traces.parquet",
            }.items()
        },
        "synonyms": {
            "words": f"{corpus}/perturbations/words.parquet",
            "pairs": f"{corpus}/perturbations/synonyms.parquet",
            "scores": f"{perturbed}/synonyms_scores.parquet",
            "summary": f"{perturbed}/synonyms_summary.parquet",
        },
    }[wildcards.experiment]
