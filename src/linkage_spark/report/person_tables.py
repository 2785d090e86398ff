"""Parts of a person-file run's summary → tables of text; see ``person_files.PersonFilesSummary``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from linkage_spark.report.tables import Table
from linkage_spark.report.training import one_in
from linkage_spark.report.words import count, label, of, percent, reasons, share, signed

Rows = Sequence[Mapping[str, Any]]

_SHOWN_THRESHOLDS = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], words: int, note: str = "") -> Table:
    """A table whose first ``words`` columns are text and whose others are numbers."""
    numeric = frozenset(range(words, len(heads)))
    return Table(title=title, heads=tuple(heads), rows=tuple(tuple(row) for row in rows), numeric=numeric, note=note)


def _bin(row: Mapping[str, Any]) -> str:
    """A bin of probability in words."""
    return f"{row['at_least']:g} to {1 if row['below'] is None else row['below']:g}"


def files(rows: Rows) -> Table:
    """Rows read, kept and refused per file."""
    cells = [
        [
            label(row["side"]),
            row["name"],
            reasons(row["refused"]),
            count(row["rows_in"]),
            count(row["records"]),
            count(sum(row["refused"].values())),
        ]
        for row in rows
    ]
    heads = ["side", "file", "reasons", "rows read", "records", "refused"]
    return _table("Files read", heads, cells, 3, "Rows read = records + refused.")


def issues(rows: Rows) -> Table:
    """Values that count as unknown or as less, per file."""
    cells = [
        [label(row["side"]), *(label(part) for part in name.split(": ")), count(records)]
        for row in rows
        for name, records in row.get("issues", {}).items()
    ]
    note = (
        "These records take part with what else they hold. issues.csv names each of them, but for values that are "
        "missing, which are counted here only."
    )
    title = "Values that are missing, could not be used, or only in part"
    return _table(title, ["side", "attribute", "issue", "records"], cells, 3, note)


def rules(rows: Rows) -> Table:
    """Pairs per blocking rule."""
    cells = [[label(row["rule_id"]), count(row["pairs_proposed"]), count(row["pairs_first"])] for row in rows]
    note = "A pair that several rules propose is compared once, and counted as first where it was proposed first."
    return _table("Blocking rules", ["rule", "pairs proposed", "of them first"], cells, 1, note)


def probabilities(scored: Mapping[str, Any]) -> Table:
    """Scored pairs by probability."""
    cells = [[_bin(row), count(row["pairs"]), count(row["linked"])] for row in scored["by_probability"]]
    note = (
        f"The probabilities of all scored pairs add up to {scored['expected_matches']:,.1f} expected matches, "
        f"and leave {scored['expected_false_links']:,.1f} expected false links among those linked: "
        "the model's own reckoning, only as good as the model."
    )
    return _table("Scored pairs by match probability", ["probability", "pairs", "linked"], cells, 1, note)


def tiers(counted: Mapping[str, int]) -> Table:
    """Scored pairs per tier of the reviewers' policy."""
    cells = [[label(tier), count(pairs)] for tier, pairs in counted.items()]
    note = "The tier is the reviewers’ policy. It does not depend on whether a pair is linked by default."
    return _table("Scored pairs by tier", ["tier", "pairs"], cells, 1, note)


def rivals(shares: Mapping[str, float]) -> Table:
    """Shares of records with a partner."""
    cells = [[label(side), percent(shares[f"share_{side}"])] for side in ("left", "right")]
    note = "Estimated from these pairs; a record has at most one partner, and its pairs share the probability."
    return _table("Records with a partner in the other file", ["side", "share"], cells, 1, note)


def training(facts: Mapping[str, Any]) -> Table:
    """Facts of the estimation, in the order of what a reader asks first; those that have no words of their own last."""
    known = [name for name in _FACTS if name in facts]
    cells = [[_FACTS[name][0], _FACTS[name][1](facts[name])] for name in known]
    cells += [[label(name), _fact(value)] for name, value in facts.items() if name not in known]
    note = (
        "Learnt without labels: what is expected here is the estimate’s own account, and no count against a truth. "
        "Pairs of a home, a family, a street or a trade look alike without being of one person, and are set apart."
    )
    return _table("How the model was estimated", ["what", "figure"], cells, 2, note)


def _fact(value: str | int | float) -> str:
    """A fact as text: yes or no, a number with the figures that count, never as a power of ten."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    return _expected(value) if isinstance(value, float) else value


def _expected(number: float) -> str:
    """A number that need not be whole: with one decimal below ten."""
    if number >= 9.95:
        return count(round(number))
    return "< 0.1" if 0 < number < 0.05 else f"{number:.1f}"


def _likelihood(value: float) -> str:
    """A log-likelihood, with all its figures: estimates differ in the last ones."""
    return f"{value:,.1f}".replace("-", "−")


def _of_all_pairs(share: float) -> str:
    """A share of all pairs, as '38.0 %' or '1 in 4,000'; below one in a billion as next to none."""
    return one_in(share) if share >= _NEXT_TO_NONE else "next to none (fewer than 1 in a billion)"


def _attributes(listed: str) -> str:
    """Names of attributes, parted by commas, in words."""
    return ", ".join(label(name.removeprefix("extra_").removeprefix("place_")) for name in listed.split(", "))


_NEXT_TO_NONE = 1e-9
_FACTS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "used": ("Is the estimate used?", _fact),
    "faults": ("What rules it out", _fact),
    "doubts": ("What makes its probabilities weak", _fact),
    "expected_matches": ("Matches expected among all possible pairs", _expected),
    "expected matches from other starts": ("The same, begun from other numbers: they should be alike", _fact),
    "sure_share": ("Of these matches, among pairs that are a match more likely than not", percent),
    "share of class match": ("Of all possible pairs: two records of one person", _of_all_pairs),
    "share of class household": ("Of all possible pairs: two people of one home or family", _of_all_pairs),
    "share of class context": ("Of all possible pairs: two people of one street, town or trade", _of_all_pairs),
    "share of class random": (
        "Of all possible pairs: two people who have nothing in common but by chance",
        _of_all_pairs,
    ),
    "settled": ("Did the estimate settle?", _fact),
    "rounds": ("Rounds that were made", _fact),
    "patterns": ("Different ways in which pairs agree and differ", _fact),
    "sampled_pairs": ("Pairs drawn from those that no rule proposes", _fact),
    "sampled_pair_stands_for": ("Pairs that each drawn pair stands for", _expected),
    "log_likelihood": ("Log-likelihood: of two estimates on these files the one nearer to 0 fits better", _likelihood),
    "levels pooled in": ("Attributes whose levels came out of order and were pooled", _attributes),
}
"""Fact of an estimation -> what the page calls it, and how its value reads."""


def model(rows: Rows) -> Table:
    """Levels and weights of the model that was used."""
    cells = [
        [
            label(row["attribute"]),
            label(row["level"]),
            f"{row['m']:.4g}",
            f"{row['u']:.4g}",
            "—" if row["weight_bits"] is None else signed(row["weight_bits"]),
        ]
        for row in rows
    ]
    note = "m: share of pairs of one person with this level; u: of random pairs. One bit doubles the odds."
    return _table("Levels and weights", ["attribute", "level", "m", "u", "bits"], cells, 2, note)


def clusters(sizes: Mapping[str, Any]) -> Table:
    """The clusters by themselves."""
    names = ("records", "clusters", "clusters_of_one", "largest_cluster", "largest_component", "pairs_together")
    cells = [[label(name), count(sizes[name])] for name in names if name in sizes]
    return _table(
        "Clusters",
        ["what", "number"],
        cells,
        1,
        "Pairs together: all pairs of records of one cluster, linked themselves or not. Largest component: what would "
        "stand together if one linked pair were enough.",
    )


def guard(told: Mapping[str, Any]) -> Table:
    """Linked pairs that the guard cut, by reason; none where nothing was cut."""
    cells = [[label(reason), count(pairs)] for reason, pairs in told["linked_pairs_cut"].items()]
    if cells:
        cells.append(["all", count(sum(told["linked_pairs_cut"].values()))])
    note = (
        f"cuts.csv names each with the two records behind it. {_CONTRADICTIONS[told['contradictions']]} A cluster has "
        f"{count(told['max_records'])} records at most. Clusters parted: {count(told['clusters_parted'])}; pairs of "
        f"records that stood together and no longer do, linked themselves or not: {count(told['pairs_parted'])}."
    )
    return _table("Linked pairs cut by the guard", ["reason", "linked pairs"], cells, 1, note)


_CONTRADICTIONS = {
    "unless_strong": "Two records that contradict each other stand together only where their own pair is strong.",
    "always": "Two records that contradict each other never stand together.",
    "never": "Contradictions cut nothing.",
}


def accuracy(truth: Mapping[str, Any]) -> Table:
    """The default decision, and the best threshold in hindsight."""
    default, ceiling = truth["default"], truth["ceiling"]
    cells = [
        [
            "as linked by default",
            share(default["precision"]),
            share(default["recall"]),
            share(default["f1"]),
            count(default["linked"]),
            count(default["true_linked"]),
        ]
    ]
    note = "In brackets 95 % intervals (Wilson)."
    if ceiling is not None:
        unit = "bits of weight" if ceiling["measure"] == "match_weight" else "probability"
        cells.append(
            [
                f"best threshold: {ceiling['at_least']:g} {unit}",
                percent(ceiling["precision"]),
                percent(ceiling["recall"]),
                percent(ceiling["f1"]),
                count(ceiling["linked"]),
                count(ceiling["true_linked"]),
            ]
        )
        note = f"{note} Best threshold: {ceiling['note']}"
    heads = ["decision", "precision", "recall", "F1", "linked pairs", "of them true"]
    return _table("Linked pairs against the truth", heads, cells, 1, note)


def thresholds(truth: Mapping[str, Any]) -> Table:
    """Accuracy at some thresholds of probability."""
    cells = [
        [
            f"{point['at_least']:g}",
            count(point["linked"]),
            count(point["true_linked"]),
            percent(point["precision"]),
            percent(point["recall"]),
            percent(point["f1"]),
        ]
        for point in truth["thresholds"]
        if point["measure"] == "match_probability" and point["at_least"] in _SHOWN_THRESHOLDS
    ]
    heads = ["probability at least", "pairs", "of them true", "precision", "recall", "F1"]
    return _table("Accuracy over the thresholds", heads, cells, 0, "Every step stands in metrics.json.")


def loss(truth: Mapping[str, Any]) -> Table:
    """Where true pairs went."""
    lost = truth["loss"]
    steps = ["lost_by_reading", "lost_by_blocking", "lost_by_floor"]
    if lost["lost_by_blocking"] is None:
        steps = ["lost_before_scoring"]
    cells = [[label(name), count(lost[name])] for name in (*steps, "lost_by_decision") if lost[name] is not None]
    cells = [["found and linked", count(lost["true_linked"])], *cells, ["all true pairs", count(lost["true_pairs"])]]
    note = "Lost by reading: a record was refused, or stands in no file. By blocking: no rule proposed the pair."
    if truth["unlabelled"]:
        note += f" {count(truth['unlabelled'])} scored pairs have a record that the truth does not name: left out."
    return _table("What became of the true pairs", ["outcome", "pairs"], cells, 1, note)


def calibration(truth: Mapping[str, Any]) -> Table:
    """Mean probability against the true share."""
    cells = [
        [
            _bin(row),
            count(row["pairs"]),
            percent(row["mean_probability"]),
            share(row["true_share"]),
            of(row["true_share"]),
        ]
        for row in truth["calibration"]
    ]
    note = (
        f"Expected matches among the labelled scored pairs: {truth['expected_matches']:,.1f}; "
        f"true among them: {count(truth['true_scored'])}."
    )
    heads = ["probability", "pairs", "mean probability", "true share", "true pairs"]
    return _table("Mean probability and true share", heads, cells, 1, note)


def cluster_accuracy(truth: Mapping[str, Any]) -> Table:
    """Clusters against entities."""
    return _cluster_accuracy(truth, "Clusters against the truth")


def cluster_accuracy_before(truth: Mapping[str, Any]) -> Table:
    """The clusters as they were before the guard, against entities."""
    return _cluster_accuracy(truth, "Clusters against the truth, before the guard")


def _cluster_accuracy(truth: Mapping[str, Any], title: str) -> Table:
    pairs = truth["pairwise_precision"]
    cells = [
        ["pairs of records in one cluster: precision", share(truth["pairwise_precision"])],
        ["pairs of records in one cluster: recall", share(truth["pairwise_recall"])],
        ["pairs of records in one cluster: F1", share(truth["pairwise_f1"])],
        ["pairs of two people in one cluster", count(pairs["denominator"] - pairs["numerator"])],
        ["B-cubed precision", percent(truth["b_cubed_precision"])],
        ["B-cubed recall", percent(truth["b_cubed_recall"])],
        ["B-cubed F1", percent(truth["b_cubed_f1"])],
        ["entities", count(truth["entities"])],
        ["clusters", count(truth["clusters"])],
        ["records in a cluster with more than one entity", count(truth["records_wrongly_joined"])],
        ["entities in more than one cluster", count(truth["entities_split"])],
    ]
    note = "Over records that the truth names. B-cubed: the mean over records, so that one large cluster does not rule."
    if truth["missing_records"]:
        note += f" Records of the truth in no cluster: {count(truth['missing_records'])}; each counts as alone."
    return _table(title, ["measure", "figure"], cells, 1, note)


def outputs(written: Mapping[str, str]) -> Table:
    """Files written."""
    return _table("Files written", ["file", "what stands in it"], list(written.items()), 2)


def stages(rows: Rows) -> Table:
    """Seconds per stage."""
    cells = [[row["stage"], f"{row['seconds']:.1f}"] for row in rows]
    if cells:
        cells.append(["total", f"{sum(row['seconds'] for row in rows):.1f}"])
    return _table("Stages", ["stage", "seconds"], cells, 1)


BY_PART: dict[str, tuple[str, Callable[[Any], Table]]] = {
    "files": ("files", files),
    "issues": ("files", issues),
    "rules": ("rules", rules),
    "probabilities": ("scored", probabilities),
    "tiers": ("tiers", tiers),
    "rivals": ("rivals", rivals),
    "training": ("training", training),
    "model": ("model", model),
    "clusters": ("clusters", clusters),
    "guard": ("guard", guard),
    "accuracy": ("truth", accuracy),
    "thresholds": ("truth", thresholds),
    "loss": ("truth", loss),
    "calibration": ("truth", calibration),
    "cluster_accuracy": ("cluster_truth", cluster_accuracy),
    "cluster_accuracy_before": ("cluster_truth_before_guard", cluster_accuracy_before),
    "outputs": ("outputs", outputs),
    "stages": ("stages", stages),
}
"""Per table of the page: the part of the summary that it shows, and the function that makes it."""
