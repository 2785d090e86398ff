"""The page docs/robustness.md, made from the figures of bench.accuracy.robust.

python -m bench.accuracy.robust_page
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from bench.accuracy.cells import Figures, Row, share, table
from bench.accuracy.robust import JSON
from bench.accuracy.robust_scenarios import SCENARIOS, Scenario

MOST_OFF = 0.10
"""Expected matches further from the true pairs than this share of them count as wrong."""

LEAST_PRECISION = 0.90
"""Precision below this counts as low."""

HEAD = """# Robustness

Made by `make robust` from `docs/robustness.json`; change the code under `bench/accuracy`, not this page. The jobs `link` and `dedupe` with
`--train`, on generated files of made-up people with known truth, in the situations where estimating without labels goes wrong in
practice. Nothing was chosen with the truth: it measures, after every decision.

The people are those of the made-up force's generator (`conf/synthesis/force.toml`): naming traditions with common names and a long tail,
households with relatives, moves, and slips of writing at its rates. So the figures say how the jobs fare in a *situation*; how they
fare on real data `docs/accuracy.md` says better. Each scenario is one draw: where true pairs are few, a link more or less is chance.

- **expected**: the sum of the stated probabilities; **off by**: how far that lies from the true pairs.
- **P, R, F1**: of linked pairs at the default, a probability of one half. True pairs that were never compared count as missed.
- **calibration error**: mean distance of stated probability and true share over ranges of probability from 0.01, weighted by their pairs.
- **what the job said**: *used* (the estimate was believed), *weak* (used, and its probabilities flagged as weak) or *fallback* (not used: everything
  as without `--train`); the reasons stand further down."""

KIN_HEAD = """## Who was taken for whom

False links by what the two people are to each other; *at home* means in one household, *namesake* the same forename in use and surname, *neighbour*
in one street. In scenarios of streets of families nearly everybody has a relative in the file."""


def page(found: Figures) -> str:
    """The whole page as Markdown."""
    runs = [(at, found["scenarios"][at.name]) for at in SCENARIOS if at.name in found["scenarios"]]
    parts = [
        HEAD,
        "## Pairs",
        table(
            (
                *("scenario", "job", "records", "true pairs", "expected", "off by", "P", "R", "F1"),
                *("best F1 in hindsight", "calibration error", "what the job said"),
            ),
            [pair_row(at, run) for at, run in runs],
        ),
        _missing(found),
        unannounced(runs),
        "## Clusters",
        "Of `dedupe`, after average linkage: pairs that stand together.",
        table(
            ("scenario", "true pairs", "P", "R", "F1", "largest cluster", "largest in truth"),
            [cluster_row(at, run) for at, run in runs if "clusters" in run],
        ),
        KIN_HEAD,
        _kin(runs),
        "## What the job said",
        _said(runs),
        f"Measured with {', '.join(sorted({run['code_version'] for _, run in runs}))}, seed {found['seed']}.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _missing(found: Figures) -> str:
    """Scenarios without figures."""
    names = [f"{at.says} ({words_of_job(at)})" for at in SCENARIOS if at.name not in found["scenarios"]]
    return f"Not measured yet: {'; '.join(names)}." if names else ""


def pair_row(at: Scenario, run: Figures) -> Row:
    """Pairs of one scenario."""
    error = run["calibration_error"]
    return (
        *(at.says, words_of_job(at), " × ".join(f"{count:,}" for count in run["records"]), run["true_pairs"]),
        *(round(run["expected_matches"]), f"{off_by(run):+.1%}"),
        *(share(run[name]) for name in ("precision", "recall", "f1")),
        share(run["ceiling"]["f1"]) if run["ceiling"] else None,
        None if error is None else f"{error:.3f}",
        said(run),
    )


def words_of_job(at: Scenario) -> str:
    """The job and how it was asked."""
    return f"{at.job} --one-to-one" if at.one_to_one else at.job


def cluster_row(at: Scenario, run: Figures) -> Row:
    """Clusters of one scenario."""
    held = run["clusters"]
    return (
        *(at.says, run["true_pairs"]),
        *(share(held[name]) for name in ("precision", "recall", "f1")),
        *(held["largest"], at.copies),
    )


def off_by(run: Figures) -> float:
    """How far the expected matches lie from the true pairs, as a share of these."""
    return float(run["expected_matches"]) / float(run["true_pairs"]) - 1


def said(run: Figures) -> str:
    """Whether the job believed its estimate."""
    training = run["training"]
    if training["faults"]:
        return "fallback"
    return "weak" if training["doubts"] else "used"


def is_wrong(run: Figures) -> bool:
    """Expected matches or precision are off."""
    return abs(off_by(run)) > MOST_OFF or (run["precision"] or 0.0) < LEAST_PRECISION


def unannounced(runs: Iterable[tuple[Scenario, Figures]]) -> str:
    """Where the job was wrong, and whether it had said so."""
    wrong = [(at, run) for at, run in runs if is_wrong(run)]
    if not wrong:
        return (
            f"Nowhere are expected matches off by more than {MOST_OFF:.0%} or is precision below {LEAST_PRECISION:.2f}."
        )
    lines = [
        f"- {at.says} ({words_of_job(at)}): expected matches {off_by(run):+.1%}, precision {share(run['precision']) or '–'}; "
        + ("**the job did not say so**" if said(run) == "used" else f"the job said so ({said(run)})")
        for at, run in wrong
    ]
    head = f"Expected matches off by more than {MOST_OFF:.0%}, or precision below {LEAST_PRECISION:.2f}:"
    return "\n".join([head, "", *lines])


def _kin(runs: Iterable[tuple[Scenario, Figures]]) -> str:
    """False links, one row a scenario that has any."""
    held = [(at, run) for at, run in runs if run["false_links"]]
    kinds = sorted({kind for _, run in held for kind in run["false_links"]})
    rows = [
        (f"{at.says} ({words_of_job(at)})", run["linked"], *(run["false_links"].get(kind, 0) for kind in kinds))
        for at, run in held
    ]
    return table(("scenario", "linked", *kinds), rows) if rows else "No false link in any scenario."


def _said(runs: Iterable[tuple[Scenario, Figures]]) -> str:
    """Faults and doubts, a line each."""
    lines = [
        f"- {at.says} ({words_of_job(at)}), {kind}: {sentence}"
        for at, run in runs
        for kind, sentences in (("fallback", run["training"]["faults"]), ("weak", run["training"]["doubts"]))
        for sentence in sentences
    ]
    return "\n".join(lines) or "Nothing: every estimate was used as it came."


def main() -> int:
    """Read the figures, write the page."""
    parser = argparse.ArgumentParser(prog="bench.accuracy.robust_page", description=__doc__)
    parser.add_argument("--json", type=Path, default=JSON)
    asked = parser.parse_args()
    found = json.loads(asked.json.read_text(encoding="utf-8"))
    asked.json.with_suffix(".md").write_text(page(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
