"""What is kept of a run's figures: nothing that another machine would give otherwise, no path, no time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_RUN = ("kind", "trained", "one_to_one", "model_id", "model_fingerprint", "frequencies", "country", "code_version")
_FILE = ("side", "rows_in", "records", "refused")
_PLAIN = ("attributes", "possible_pairs", "compared_whole", "candidates", "clusters", "guard", "rivals")
_TRUTH = ("true_pairs", "default", "ceiling", "expected_matches", "calibration", "loss")
_THRESHOLDS = (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999)
_FORCE_ACCURACY = (
    "scopes",
    "scopes_without_address",
    "carried",
    "calibration",
    "ablation",
    "by_address",
    "by_age_band",
    "by_event_type",
    "gaps",
    "hard_negatives",
    "by_error_class",
    "loss",
    "loss_by_stage",
    "loss_by_class",
)


def keep_run(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Of metrics.json of link or dedupe."""
    truth = metrics["truth"]
    kept: dict[str, Any] = {
        "run": {name: metrics["run"][name] for name in _RUN},
        "files": [{name: file[name] for name in _FILE} for file in metrics["files"]],
        **{name: metrics[name] for name in _PLAIN if name in metrics},
        "training": metrics.get("training"),
        "scored": {name: metrics["scored"][name] for name in ("pairs", "linked", "expected_matches")},
        "truth": {name: truth[name] for name in _TRUTH},
        "warnings": list(metrics.get("warnings", ())),
    }
    kept["truth"]["thresholds"] = [
        row for row in truth["thresholds"] if row["measure"] == "match_probability" and row["at_least"] in _THRESHOLDS
    ]
    if "cluster_truth" in metrics:
        kept["cluster_truth"] = metrics["cluster_truth"]
        kept["cluster_truth_before_guard"] = metrics["cluster_truth_before_guard"]
        kept["component_truth_by_cut"] = metrics["component_truth_by_cut"]
    return kept


def keep_force(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Of figures.json of the main job on a made-up force, measured with the job evaluate.

    Raises:
        SystemExit: the run was not measured against its truth.
    """
    if "accuracy" not in figures:
        raise SystemExit("accuracy: that figures.json has no accuracy: run the job evaluate on the force first")
    accuracy, screening = figures["accuracy"], figures["screening"]
    return {
        "model_id": figures["run"]["model_id"],
        "model_fingerprint": figures["run"]["model_fingerprint"],
        "code_version": figures["run"]["code_version"],
        "screening": {name: screening[name] for name in ("employees", "screened", "with_hits")},
        **{name: accuracy[name] for name in _FORCE_ACCURACY if name in accuracy},
        **({"expectation": figures["expectation"]} if "expectation" in figures else {}),
    }
