"""An attention page in numbers: how often attention agrees with effects, where heads look, the published table."""

from pathlib import Path

import numpy as np
import pandas as pd

from emoscope.reporting.findings import Finding, write_findings
from emoscope.statistics.bootstrap import bootstrap_mean
from emoscope.statistics.bounded import SHARE, bounded_interval
from emoscope.statistics.equivalence import largest
from emoscope.statistics.ranks import rank_agreement, top_agreement
from emoscope.statistics.settings import resampling
from emoscope.storage.files import write_table
from emoscope.writeups.attention.published import published_findings

SCORES = ("mean", "rollout", "nearness", "first")
TARGETS = ("all", "rest")  # the rest is without the tokens that draw attention whatever the text says
LOOKS = ("first", "itself", "previous", "next", "last")  # the last two only where heads look ahead


def summarise_attention(
    blocked: Path,
    looks: Path,
    silenced: Path,
    weights: Path,
    tokens: Path,
    statistics: dict,
    agreement: Path,
    heads: Path,
    findings: Path,
) -> None:
    """Write how attention agrees with effects (`agreement`), a row for each head (`heads`), and the findings.

    `agreement` has a row for each score (`mean` and `rollout` of the attention; `nearness`, which knows only how near a
    target is, and `first`, only how near to the text's beginning), targets (`all`, or all but the resting places:
    `rest`) and measure (`correlation`, or `top`, the share of sources whose largest score and largest effect are at one
    target), with the mean over sources, its interval over texts, and for `top` the share that guessing reaches.
    """
    options = resampling(statistics)
    blocks, maps, labels = map(pd.read_parquet, (blocked, weights, tokens))
    published = [] if maps.empty else published_findings(maps, labels)  # if attention can be read exactly
    if blocks.empty:  # nor if all texts are too short
        for table in (agreement, heads):
            write_table(pd.DataFrame(), table)
        return write_findings(published, findings)
    own = blocks["weights"] == "trained"
    sources, random = source_agreement(blocks[own]), source_agreement(blocks[~own])
    twins = blocks[~own].groupby("text")["weights"].first()
    agreed = agreement_table(sources, options)
    by_head = head_table(pd.read_parquet(looks), pd.read_parquet(silenced), options)
    by_head["repeated"] = repeated_looks(maps, labels).to_numpy()
    write_table(agreed, agreement)
    write_table(by_head, heads)
    write_findings(
        [
            *agreement_findings(agreed, sources, options),
            *random_findings(sources, random, twins, options),
            *head_findings(by_head, pd.read_parquet(looks), pd.read_parquet(silenced), options),
            *published,
        ],
        findings,
    )


def source_agreement(blocked: pd.DataFrame) -> pd.DataFrame:
    """Agreement of every score with the divergence: a row for each text and source, columns (score, targets, measure).

    Sources with too few targets beside the resting places are left out; `counts` is how many (targets) they have.
    """
    rows = []
    for text, table in blocked.groupby("text"):
        length = table["source"].max() + 1
        place, places = (table["source"], table["target"]), np.arange(length)
        maps = {name: np.full((length, length), np.nan) for name in ("mean", "rollout", "divergence", "resting")}
        for name, values in maps.items():
            values[place] = table[name]
        maps["nearness"] = -np.abs(places[:, None] - places)
        maps["first"] = np.tile(-places, (length, 1))
        scores = np.stack([maps[name] for name in SCORES])
        effects = {"all": maps["divergence"], "rest": np.where(maps["resting"] == 0, maps["divergence"], np.nan)}
        found = {
            (score, targets, measure): values[number]
            for targets in TARGETS
            for measure, function in (("correlation", rank_agreement), ("top", top_agreement))
            for values in [function(scores, effects[targets])]
            for number, score in enumerate(SCORES)
        }
        counts = {("counts", targets, ""): (~np.isnan(effects[targets])).sum(axis=1) for targets in TARGETS}
        rows.append(pd.DataFrame({**found, **counts, ("text", "", ""): text, ("source", "", ""): places}))
    return pd.concat(rows, ignore_index=True).dropna()


def agreement_table(sources: pd.DataFrame, options: dict) -> pd.DataFrame:
    """Means over sources with intervals over texts: `score, targets, measure, value, low, high, guessing, sources`."""
    keys = [(score, targets, measure) for score in SCORES for targets in TARGETS for measure in ("correlation", "top")]
    texts, values = sources["text"].to_numpy(), sources[keys].to_numpy()
    low, high = bootstrap_mean(values, texts, **options)
    shares = [measure == "top" for *_, measure in keys]
    low[shares], high[shares] = bounded_interval(values[:, shares], texts, SHARE, options["alpha"])
    guessing = {(targets, "top"): (1 / sources["counts", targets, ""]).mean() for targets in TARGETS}
    guessing |= {(targets, "correlation"): 0.0 for targets in TARGETS}
    table = pd.DataFrame(keys, columns=["score", "targets", "measure"])
    chance = [guessing[key[1:]] for key in keys]
    return table.assign(value=values.mean(axis=0), low=low, high=high, guessing=chance, sources=len(values))


def head_table(looks: pd.DataFrame, silenced: pd.DataFrame, options: dict) -> pd.DataFrame:
    """A row for each head, by block and head: means over texts of where it looks, of its agreement, and of the effect
    of silencing it, `divergence`, with its interval."""
    table = looks.groupby(["block", "head"])[[*looks_in(looks), "agreement"]].mean()
    wide = silenced.pivot(index="text", columns=["block", "head"], values="divergence")
    low, high = bootstrap_mean(wide.to_numpy(), wide.index.to_numpy(), **options)
    effects = pd.DataFrame({"divergence": wide.mean(), "low": low, "high": high}, index=wide.columns)
    return table.join(effects).reset_index()


def looks_in(table: pd.DataFrame) -> list[str]:
    """The kinds of places that a table has columns for."""
    return [look for look in LOOKS if look in table]


def repeated_looks(weights: pd.DataFrame, tokens: pd.DataFrame) -> pd.Series:
    """For each (block, head), in order: the mean weight on what followed earlier occurrences of the source, in the
    sentence that repeats most of its tokens; NaN if none repeats any."""
    sentence = most_repetitive(tokens)
    ids = tokens[tokens["sentence"] == sentence].set_index("position")["id"]
    own = weights[weights["sentence"] == sentence]
    earlier = (own["target"] > 0) & (own["target"] <= own["source"])
    follows = earlier & (ids.reindex(own["target"] - 1).to_numpy() == ids[own["source"]].to_numpy())
    repeats = own.loc[follows, "source"].nunique()
    sums = own["weight"].where(follows, 0).groupby([own["block"], own["head"]]).sum()
    return sums / repeats if repeats else sums * np.nan


def most_repetitive(tokens: pd.DataFrame) -> int:
    """The sentence with the largest share of tokens that occurred before."""
    return int(tokens.groupby("sentence")["id"].agg(lambda ids: ids.duplicated().mean()).idxmax())


def agreement_findings(agreed: pd.DataFrame, sources: pd.DataFrame, options: dict) -> list[Finding]:
    """Every agreement, what guessing reaches, and how far attention's correlation lies above that of nearness alone."""
    texts = sources["text"].to_numpy()
    note = f"{len(sources)} sources in {len(np.unique(texts))} texts"
    found = [
        Finding(f"agreement.{row.score}.{row.targets}.{row.measure}", row.value, row.low, row.high, note)
        for row in agreed.itertuples()
    ]
    for targets in TARGETS:
        chance = agreed.query("targets == @targets and measure == 'top'")["guessing"].iloc[0]
        found.append(Finding(f"agreement.guessing.{targets}.top", chance, note="one over the number of targets"))
        for score in ("mean", "rollout"):
            lead = sources[score, targets, "correlation"] - sources["nearness", targets, "correlation"]
            low, high = bootstrap_mean(lead.to_numpy(), texts, **options)
            found.append(Finding(f"agreement.{score}.{targets}.lead_over_nearness", lead.mean(), low, high, note))
    return found


def random_findings(sources: pd.DataFrame, random: pd.DataFrame, twins: pd.Series, options: dict) -> list[Finding]:
    """The agreement of random twins' attention, and how far the trained model's lies above it, source by source.

    Blocking does more the larger the weight that it takes away, whatever the weights are: a model that has learnt
    nothing shows how much agreement that alone makes. What lies above it, without the tokens that heads rest on
    (`rest`), is what attention knows of what matters. By text, `twins` says which twin has read it: what is independent
    are twins, with the texts that each has read, as another draw of weights would agree otherwise on the same texts.
    """
    key = [("text", "", ""), ("source", "", "")]
    trained, twin = (table.set_index(key) for table in (sources, random))
    both = trained.index.intersection(twin.index)
    trained, twin, texts = trained.loc[both], twin.loc[both], both.get_level_values(0)
    count, drawn = texts.nunique(), twins.loc[texts].to_numpy()
    note = f"{len(both)} sources in {count} texts, {len(np.unique(drawn))} random models of the same architecture"
    found = []
    for targets in TARGETS:
        one, other = (table["mean", targets, "correlation"].to_numpy() for table in (trained, twin))
        for name, values in (("random", other), ("above_random", one - other)):
            low, high = bootstrap_mean(values, drawn, **options)
            found.append(
                Finding(f"agreement.mean.{targets}.{name}", float(values.mean()), low, high, note, texts=count)
            )
    return found


def head_findings(heads: pd.DataFrame, looks: pd.DataFrame, silenced: pd.DataFrame, options: dict) -> list[Finding]:
    """How much heads look at each place, the head that does most, and which heads matter where."""
    count, texts = f"{len(heads)} heads", silenced["text"].nunique()
    found = []
    for look in looks_in(heads):
        shares = looks.groupby("text")[look].mean()
        found.append(_mean(f"looks.{look}.share", shares, f"mean of {count}, {texts} texts", options))
        top = heads.loc[heads[look].idxmax()]
        own = looks[(looks["block"] == top["block"]) & (looks["head"] == top["head"])].set_index("text")[look]
        found.append(
            _mean(f"looks.{look}.largest", own, f"{_named(top)}, the largest of {count}, {texts} texts", options)
        )
    if heads["repeated"].notna().any():
        top = heads.loc[heads["repeated"].idxmax()]
        note = f"{_named(top)}, the largest of {count}, one sentence that repeats itself"
        found.append(Finding("looks.repeated.largest", top["repeated"], note=note))
    found += [
        _mean(f"heads.{name}.correlation", correlations, f"rank correlation over {count}, {texts} texts", options)
        for name, correlations in head_correlations(silenced).items()
    ]
    measured = heads.dropna(subset="divergence")
    place, (low, high) = largest(*measured[["divergence", "low", "high"]].to_numpy(float).T, options["alpha"])
    top = measured.iloc[place]
    note = f"{_named(top)}, the largest of {count}, {texts} texts, nats"
    return [*found, Finding("heads.divergence.largest", top["divergence"], low, high, note)]


def head_correlations(silenced: pd.DataFrame) -> dict[str, pd.Series]:
    """For each text, over heads: the rank correlation of the effect of silencing a head with how much it looks away
    from the resting places (`elsewhere`) and with its largest weight (`sharpest`); 0 where all heads are alike."""
    return {
        name: silenced.groupby("text")[[name, "divergence"]]
        .corr(method="spearman")
        .xs("divergence", level=1)[name]
        .fillna(0)
        for name in ("elsewhere", "sharpest")
    }


def _named(head: pd.Series) -> str:
    return f"block {head['block']:.0f}, head {head['head']:.0f}"


def _mean(name: str, values: pd.Series, note: str, options: dict) -> Finding:
    """The mean over texts with its interval; `values` are indexed by text."""
    low, high = bootstrap_mean(values.to_numpy(), values.index.to_numpy(), **options)
    return Finding(name, float(values.mean()), float(low), float(high), note)
