"""The figures of a ``link`` or ``dedupe`` run: for metrics.json and the page, and in words for the console."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from linkage_spark.model.schema import Model
from linkage_spark.runs.file_inputs import Inputs
from linkage_spark.runs.file_task import OF_CLUSTERS, WRITTEN, FileRun, Used
from linkage_spark.runs.manifest import code_version


def summarise(run: FileRun, inputs: Inputs, used: Used, *, replaced: str | None) -> dict[str, Any]:
    """The figures in the shape that the page takes.

    Args:
        run: with what its steps noted.
        inputs: the files.
        used: the model.
        replaced: the run whose results these take the place of; None when there was none.
    """
    head = {
        "kind": run.task.kind,
        "advisory": run.wording.advisory,
        "run_id": run.run_id,
        "replaces": replaced,
        "finished_at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "model_id": used.model.id,
        "model_fingerprint": used.model.fingerprint,
        "trained": run.summary.get("training", {}).get("used") == "yes",
        "frequencies": used.named,
        "country": inputs.country.country,
        "country_reason": inputs.country.reason,
        "decision": _DECIDED[run.task.one_to_one],
        "one_to_one": run.task.one_to_one,
        "cut_bits": None if run.task.one_to_one else 0.0,
    }
    shown = {name: part for name, part in run.summary.items() if name != "country"}
    return {
        "run": head,
        **shown,
        "model": _levels(used.model),
        "outputs": {name: words for name, words in WRITTEN.items() if name not in OF_CLUSTERS or run.within},
        "stages": [{"stage": stage.name, "seconds": stage.seconds} for stage in run.progress.stages],
    }


_DECIDED = {
    False: "A pair is linked when its own probability is at least one half.",
    True: "A pair is linked when it has at least one half of the probability against all rivals on both sides.",
}


def _levels(model: Model) -> list[dict[str, Any]]:
    """Every level of the model with its probabilities and weight."""
    tables: dict[str, Mapping[str, Any]] = {
        "given names": model.name.given,
        "surname": model.name.surname,
        "names exchanged": model.name.crossed,
        "date of birth": model.date_of_birth,
        "incomplete date of birth": model.partial_date_of_birth,
        "address": model.address,
        **{name: attribute.levels for name, attribute in model.further.items()},
    }
    return [
        {"attribute": name, "level": level, "m": at.m, "u": at.u, "weight_bits": round(at.weight, 3)}
        for name, levels in tables.items()
        for level, at in levels.items()
    ]


def in_words(summary: Mapping[str, Any], out: str) -> str:
    """What a person reads at the end."""
    run, scored = summary["run"], summary["scored"]
    lines = ["", f"{run['kind']}: {run['run_id']}"]
    for file in summary["files"]:
        refused = sum(file["refused"].values())
        lines.append(f"  {file['side']:<6} {file['name']}: {file['records']:,} records, {refused:,} rows refused")
    shipped = "shipped, but for the share of matches" if "training" in summary else "shipped, nothing was estimated"
    trained = "estimated on these files" if run["trained"] else shipped
    lines += [
        f"  model  {run['model_id']} ({trained}); frequencies {run['frequencies']}",
        f"  pairs  {summary['possible_pairs']:,} possible, {summary['candidates']:,} compared, "
        f"{scored['pairs']:,} above the floor, {scored['linked']:,} linked",
    ]
    if "clusters" in summary:
        sizes = summary["clusters"]
        lines.append(f"  found  {sizes['clusters']:,} clusters, the largest of {sizes['largest_cluster']:,} records")
    if "guard" in summary:
        lines.append(_guard_line(summary["guard"]))
    if "truth" in summary:
        lines += _accuracy_lines(summary)
    said = [text for file in summary["files"] for text in file["warnings"]] + summary["warnings"]
    lines += [f"  warning: {text}" for text in said]
    replacing = f" (in the place of {run['replaces']})" if run["replaces"] else ""
    lines.append(f"  written to {out}{replacing}: {', '.join(summary['outputs'])}")
    return "\n".join([*lines, "", run["advisory"]])


def _guard_line(told: Mapping[str, Any]) -> str:
    """What the guard cut, by reason."""
    cut = told["linked_pairs_cut"]
    if not cut:
        return "  guard  nothing was cut"
    reasons = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in cut.items())
    return (
        f"  guard  {sum(cut.values()):,} linked pairs cut in {told['clusters_parted']:,} clusters (cuts.csv): {reasons}"
    )


def _accuracy_lines(summary: Mapping[str, Any]) -> list[str]:
    """The figures that a reader looks for first."""
    truth = summary["truth"]
    default, best = truth["default"], truth["ceiling"]
    lines = [
        f"  truth  {truth['true_pairs']:,} true pairs; {truth['loss']['lost_by_blocking']:,} lost by blocking; "
        f"linked: precision {_share(default['precision'])}, recall {_share(default['recall'])}, "
        f"F1 {_share(default['f1'])}"
    ]
    if best:
        lines.append(f"         best F1 over all thresholds, chosen with the truth: {best['f1']:.4f}")
    if "cluster_truth" in summary:
        lines.append(_cluster_line("clusters", summary["cluster_truth"]))
    if summary.get("guard", {}).get("linked_pairs_cut"):
        lines.append(_cluster_line("clusters before the guard", summary["cluster_truth_before_guard"]))
    return lines


def _cluster_line(named: str, held: Mapping[str, Any]) -> str:
    """Clusters against the truth, in one line."""
    b_cubed = "none" if held["b_cubed_f1"] is None else f"{held['b_cubed_f1']:.4f}"
    pairs = held["pairwise_precision"]
    return (
        f"         {named}: precision {_share(pairs)}, recall {_share(held['pairwise_recall'])}, "
        f"F1 {_share(held['pairwise_f1'])}, B-cubed F1 {b_cubed}; "
        f"{pairs['denominator'] - pairs['numerator']:,} pairs of two people together"
    )


def _share(figure: Mapping[str, Any]) -> str:
    """A share of 1 to four figures; 'none' for 0/0."""
    return "none" if figure["value"] is None else f"{figure['value']:.4f}"
