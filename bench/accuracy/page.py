"""The page docs/accuracy.md, made from the figures of bench.accuracy.run and from peers.toml.

python -m bench.accuracy.page
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.accuracy.cells import Figures, Row, mark, share, table, three, value_of
from bench.accuracy.force_page import force_parts
from bench.accuracy.words import COMPONENTS, FORCE_HEAD, GUARD, HEAD, SETS_HEAD

ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(__file__).with_name("peers.toml")
JSON = ROOT / "docs" / "accuracy.json"
NOTES = Path(__file__).with_name("notes.md")
"""What the figures mean and what was tried, in words; put into the page as it stands."""


def page(found: Figures, peers: Figures, notes: str) -> str:
    """The whole page as Markdown."""
    runs: Figures = found["sets"]
    parts = [
        HEAD,
        FORCE_HEAD,
        *force_parts(found["force"]),
        SETS_HEAD,
        _beside_splink(runs, peers),
        _versions(runs),
        _not_met(runs, peers),
    ]
    parts += [
        "### Pairs, at our default (a pair's probability is at least one half)",
        _pairs(runs, peers, "default"),
        "### Without the address",
        "The same runs without address, locality and postcode: names, dates of birth, and further texts where the row has "
        "them (fake_1000 keeps the e-mail; the last row keeps birth place and occupation).",
        _pairs(runs, peers, "no_place"),
        "### Without `--train`: the shipped model and frequencies",
        "Everything mapped, nothing estimated. The shipped numbers are for British files of today and guess how many "
        "partners there are; they are a start and not a result.",
        _pairs(runs, peers, "shipped"),
        "### Clusters",
        COMPONENTS,
        _clusters(runs, peers),
        *_guard(runs, peers),
        "Each cut is the least probability of a pair that joins two records, trained, everything mapped:",
        _cuts(runs),
        "### Does the probability mean what it says?",
        "Pairs by stated probability, trained, everything mapped: the mean of what was stated → the share that is true "
        "(number of pairs).",
        _calibration(runs, peers),
    ]
    if notes.strip():
        parts.append(notes.strip())
    return "\n\n".join(part for part in parts if part) + "\n"


# ---- the open sets -----------------------------------------------------------------------------------------


def _ours(runs: Figures, row: str, variant: str = "default") -> Figures | None:
    """One run's figures; None when it was not measured."""
    return runs.get(f"{row}.{variant}")


def headline(run: Figures, measured_on: str) -> dict[str, float | None]:
    """F1, precision and B-cubed at our default, of pairs or of clusters."""
    if measured_on == "pairs":
        default = run["truth"]["default"]
        return {"f1": default["f1"]["value"], "precision": default["precision"]["value"], "b_cubed": None}
    held = run["cluster_truth"]
    return {
        "f1": held["pairwise_f1"]["value"],
        "precision": held["pairwise_precision"]["value"],
        "b_cubed": held["b_cubed_f1"],
    }


def compare(ours: float | None, theirs: float) -> str:
    """Better, equal or worse, in the digits in which the other figure is stated."""
    if ours is None:
        return "not measured"
    rounded = round(ours, 3)
    return "better" if rounded > theirs else "worse" if rounded < theirs else "equal"


def _beside_splink(runs: Figures, peers: Figures) -> str:
    """One row a set."""
    head = ["set", "measured on", "ours, default F1", "Splink, default F1", "", "Splink, ceiling F1", ""]
    head += ["ours B³", "Splink B³, default", "Splink B³, ceiling"]
    lines = []
    for row, peer in peers.items():
        run = _ours(runs, row)
        mine = headline(run, peer["measured_on"]) if run else {"f1": None, "b_cubed": None}
        lines.append(
            [
                *(peer["task"], peer["measured_on"], share(mine["f1"])),
                *(f"{peer['default_f1']:.3f}", mark(compare(mine["f1"], peer["default_f1"]))),
                *(f"{peer['ceiling_f1']:.3f}", mark(compare(mine["f1"], peer["ceiling_f1"]))),
                *(share(mine["b_cubed"]), three(peer.get("default_b_cubed")), three(peer.get("ceiling_b_cubed"))),
            ]
        )
    return table(head, lines)


def _not_met(runs: Figures, peers: Figures) -> str:
    """A list of the aims that are not met."""
    lines = []
    for row, peer in peers.items():
        run = _ours(runs, row)
        if run is None:
            lines.append(f"- {peer['task']}: not measured")
            continue
        mine = headline(run, peer["measured_on"])
        for name, words in (("f1", "F1"), ("precision", "precision")):
            aim, got = peer.get(f"aim_{name}"), mine[name]
            if aim is not None and (got is None or got < aim):
                lines.append(f"- {peer['task']}, {peer['measured_on']}: {words} {share(got)}, the aim is {aim:.4f}")
    return "Aims not met:\n\n" + "\n".join(lines) if lines else "Every aim is met."


def _versions(runs: Figures) -> str:
    """The states of the code that the figures come from."""
    rows: dict[str, list[str]] = {}
    for name, run in sorted(runs.items()):
        rows.setdefault(run["run"]["code_version"], []).append(name)
    if len(rows) < 2:
        return "".join(f"Measured with {version}." for version in rows)
    latest, *others = sorted(rows, key=lambda version: (-len(rows[version]), version))
    said = "; ".join(f"{', '.join(rows[version])} with {version}" for version in others)
    return f"Measured with the code {latest}, but for {said}."


def _pairs(runs: Figures, peers: Figures, variant: str) -> str:
    """Pairs at our default, one row a set."""
    head = ["set", "P", "R", "F1", "ceiling F1 (at)", "true pairs", "lost by blocking", "below the floor"]
    head += ["lost by decision", "false links", "expected matches", "to true pairs"]
    lines: list[Row] = []
    missing: list[str] = []
    for row, peer in peers.items():
        run = _ours(runs, row, variant)
        if run is None:
            missing.append(peer["task"])
            continue
        truth, loss = run["truth"], run["truth"]["loss"]
        default, best = truth["default"], truth["ceiling"]
        expected = expected_matches(run)
        lines.append(
            [
                peer["task"],
                *(share(default[name]["value"]) for name in ("precision", "recall", "f1")),
                f"{best['f1']:.4f} ({best['at_least']:g})" if best else None,
                truth["true_pairs"],
                *(loss["lost_by_blocking"], loss["lost_by_floor"], loss["lost_by_decision"]),
                default["linked"] - default["true_linked"],
                round(expected),
                f"{expected / truth['true_pairs']:.2f}",
            ]
        )
    parts = [table(head, lines)] if lines else []
    return "\n\n".join([*parts, f"Not measured yet: {'; '.join(missing)}."] if missing else parts)


def expected_matches(run: Figures) -> float:
    """Matches among all pairs: the estimate of the training; of the shipped model the sum of probabilities."""
    training = run.get("training")
    return float(training["expected_matches"] if training else run["scored"]["expected_matches"])


def _clusters(runs: Figures, peers: Figures) -> str:
    """Clusters at our default, every variant."""
    head = ["set", "run", "P", "R", "F1", "B³ P", "B³ R", "B³", "clusters", "people", "largest"]
    lines: list[Row] = []
    for row, peer in peers.items():
        for variant, words in _VARIANTS.items():
            run = _ours(runs, row, variant)
            if run is None or "cluster_truth" not in run:
                continue
            held = run["cluster_truth"]
            lines.append(
                [
                    *(peer["task"], words),
                    *(share(held[f"pairwise_{name}"]["value"]) for name in ("precision", "recall", "f1")),
                    *(share(held[f"b_cubed_{name}"]) for name in ("precision", "recall", "f1")),
                    run["clusters"]["clusters"],
                    held.get("entities"),
                    run["clusters"]["largest_cluster"],
                ]
            )
    return table(head, lines)


def _guard(runs: Figures, peers: Figures) -> list[str]:
    """What the guard cut, and the clusters before it and after it; nothing where no run has it."""
    head = ["set", "run", "linked pairs cut", "because of", "pairs of two people", "pairs of one person", "F1", "B³"]
    lines: list[Row] = []
    for row, peer in peers.items():
        for variant, words in _VARIANTS.items():
            run = _ours(runs, row, variant)
            if run is None or "guard" not in run:
                continue
            cut: Mapping[str, int] = run["guard"]["linked_pairs_cut"]
            both = [run["cluster_truth_before_guard"], run["cluster_truth"]]
            joined = [held["pairwise_precision"] for held in both]
            lines.append(
                [
                    *(peer["task"], words, sum(cut.values())),
                    ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in cut.items()) or None,
                    _moved(f"{pairs['denominator'] - pairs['numerator']:,}" for pairs in joined),
                    _moved(f"{pairs['numerator']:,}" for pairs in joined),
                    _moved(str(share(held["pairwise_f1"]["value"])) for held in both),
                    _moved(str(share(held["b_cubed_f1"])) for held in both),
                ]
            )
    return [GUARD, table(head, lines)] if lines else []


def _moved(figures: Iterable[str]) -> str:
    """Before and after, or one figure where nothing moved."""
    before, after = figures
    return after if before == after else f"{before} → {after}"


_VARIANTS = {"default": "trained", "no_place": "trained, no address", "shipped": "shipped model"}


def _cuts(runs: Figures) -> str:
    """Clusters at other cuts: F1 of pairs inside."""
    measured = {
        name: run for name, run in runs.items() if name.endswith(".default") and "component_truth_by_cut" in run
    }
    if not measured:
        return ""
    cuts = [row["at_least"] for row in next(iter(measured.values()))["component_truth_by_cut"]]
    lines = [
        [
            name.removesuffix(".default"),
            *[f"{value_of(row['pairwise_f1'])} / {value_of(row['b_cubed_f1'])}" for row in rows],
        ]
        for name, run in measured.items()
        for rows in [run["component_truth_by_cut"]]
    ]
    return table(["F1 / B³ at", *[f"{cut:g}" for cut in cuts]], lines)


def _calibration(runs: Figures, peers: Figures) -> str:
    """Stated probability against the true share."""
    measured = {row: run for row in peers for run in [_ours(runs, row)] if run}
    edges = sorted({at["at_least"] for run in measured.values() for at in run["truth"]["calibration"]})
    lines: list[Row] = []
    for edge in edges:
        cells: list[Any] = [f"from {edge:g}"]
        for run in measured.values():
            at = next((at for at in run["truth"]["calibration"] if at["at_least"] == edge), None)
            cells.append(
                f"{at['mean_probability']:.3f} → {at['true_share']['value']:.3f} ({at['pairs']:,})" if at else None
            )
        lines.append(cells)
    return table(["stated", *measured], lines)


def main_text(figures: Path, peers: Path = PEERS, notes: Path = NOTES) -> str:
    """The page of the figures in a file."""
    found = json.loads(figures.read_text(encoding="utf-8"))
    said = notes.read_text(encoding="utf-8") if notes.is_file() else ""
    return page(found, tomllib.loads(peers.read_text(encoding="utf-8")), said)


def main() -> int:
    """Read the figures, write the page."""
    parser = argparse.ArgumentParser(prog="bench.accuracy.page", description=__doc__)
    parser.add_argument("--json", type=Path, default=JSON)
    asked = parser.parse_args()
    asked.json.with_suffix(".md").write_text(main_text(asked.json), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
