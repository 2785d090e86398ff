"""Measure the jobs link and dedupe on openly available labelled files, at their default.

    python -m bench.accuracy.run --data DIR [--force FIGURES.json] [--only CASE,...]

For every set the truth is split off first: the job gets a file without it, with keys of its own. Each case is one
run of scripts/submit.sh. The figures land in docs/accuracy.json, from which bench.accuracy.page makes the page.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.accuracy.keep import keep_force, keep_run

ROOT = Path(__file__).resolve().parents[2]
MAPPINGS = Path(__file__).parent / "mappings"
JSON = ROOT / "docs" / "accuracy.json"

FILES = {
    "febrl4": ("febrl4a.csv", "febrl4b.csv"),
    "febrl3": ("febrl3.csv",),
    "fake_1000": ("fake_1000.csv",),
    "historical_half": ("historical_half.parquet",),
}
"""Set -> its files; two for link, one for dedupe."""


@dataclass(frozen=True)
class Case:
    """One run.

    Attributes:
        row: the row of the table that it belongs to.
        data: the set.
        mapping: name of a file of ``mappings``, without its ending.
        variant: 'default' (trained, everything mapped), 'no_place' (trained, without address, locality and
            postcode) or 'shipped' (everything mapped, nothing estimated).
        one_to_one: with --one-to-one.
    """

    row: str
    data: str
    mapping: str
    variant: str
    one_to_one: bool = False

    @property
    def name(self) -> str:
        """What --only calls it."""
        return f"{self.row}.{self.variant}"

    @property
    def job(self) -> str:
        """The job that runs it."""
        return "link" if len(FILES[self.data]) == 2 else "dedupe"


def _cases() -> tuple[Case, ...]:
    """Every set three times."""
    rows = (
        ("febrl4_one_to_one", "febrl4", "febrl", True),
        ("febrl4", "febrl4", "febrl", False),
        ("febrl3", "febrl3", "febrl", False),
        ("fake_1000", "fake_1000", "fake_1000", False),
        ("historical_half", "historical_half", "historical", False),
        ("historical_half_text", "historical_half", "historical_text", False),
    )
    variants = ("default", "no_place", "shipped")
    return tuple(
        Case(row, data, f"{mapping}_no_place" if variant == "no_place" else mapping, variant, one_to_one)
        for variant in variants
        for row, data, mapping, one_to_one in rows
    )


CASES = _cases()


# ---- the files without their truth -------------------------------------------------------------------------


def _febrl(frame: pd.DataFrame) -> tuple[pd.Series[str], pd.Series[str]]:
    """Key and entity of FEBRL: 'rec-N-org' and 'rec-N-dup-0' are of entity N."""
    return frame["rec_id"], frame["rec_id"].str.split("-").str[1]


def _clustered(frame: pd.DataFrame) -> tuple[pd.Series[str], pd.Series[str]]:
    """Key and entity where a column names the cluster."""
    return frame["unique_id"], frame["cluster"]


_TRUTH: Mapping[str, Callable[[pd.DataFrame], tuple[pd.Series[str], pd.Series[str]]]] = {
    "febrl4": _febrl,
    "febrl3": _febrl,
    "fake_1000": _clustered,
    "historical_half": _clustered,
}

_WITHHELD = frozenset(
    # what tells the truth, and an identity number
    ("rec_id", "soc_sec_id", "unique_id", "cluster", "full_name", "first_and_surname")
)
"""Columns that no job gets to see."""


def split_truth(frame: pd.DataFrame, data: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A set's file without what tells the truth, and the truth.

    Args:
        frame: the file, all columns text, names without outer blanks.
        data: the set.

    Returns:
        The file with a new key ``ref`` (a hash of the old one, which for some sets holds the entity) and in
        the order of it; and ``ref``, ``entity``.
    """
    key, entity = _TRUTH[data](frame)
    ref = key.map(lambda text: hashlib.sha256(f"{data} {text}".encode()).hexdigest()[:16])
    if ref.duplicated().any():
        raise SystemExit(f"accuracy: {data}: its keys are not unique; the file is not the one that is meant")
    kept = frame[[name for name in frame.columns if name not in _WITHHELD]].copy()
    kept.insert(0, "ref", ref)
    truth = pd.DataFrame({"ref": ref, "entity": entity})
    return kept.sort_values("ref"), truth.sort_values("ref")


def true_pairs(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """``ref_l``, ``ref_r`` of one entity."""
    joined = left.merge(right, on="entity", suffixes=("_l", "_r"))
    return joined[["ref_l", "ref_r"]].sort_values(["ref_l", "ref_r"])


def prepare(data: str, source: Path, work: Path) -> None:
    """Write a set's files without truth, and its truth, into a folder of the work folder."""
    folder = work / data
    folder.mkdir(parents=True, exist_ok=True)
    split = [split_truth(_read(source / name), data) for name in FILES[data]]
    for side, (kept, _) in zip(_sides(data), split, strict=True):
        kept.to_csv(folder / f"{side}.csv", index=False)
    truths = [truth for _, truth in split]
    known = true_pairs(*truths) if len(truths) == 2 else truths[0]
    known.to_csv(folder / "truth.csv", index=False)


def _read(path: Path) -> pd.DataFrame:
    """A file, every column as text; a blank in the place of nothing stays."""
    text = path.suffix != ".parquet"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False) if text else pd.read_parquet(path)
    return frame.rename(columns=str.strip)


def _sides(data: str) -> tuple[str, ...]:
    """Names of a set's files in the work folder."""
    return ("left", "right") if len(FILES[data]) == 2 else ("input",)


# ---- running -----------------------------------------------------------------------------------------------


def command(case: Case, work: Path, *, measured: bool = True) -> list[str]:
    """The words of one run; without the truth where it is not measured."""
    folder, words = work / case.data, [str(ROOT / "scripts" / "submit.sh"), case.job, "--"]
    for side in _sides(case.data):
        words += [f"--{side}", str(folder / f"{side}.csv")]
    words += ["--mapping", str(MAPPINGS / f"{case.mapping}.toml"), "--out", str(work / "out" / case.name)]
    words += ["--truth", str(folder / "truth.csv")] if measured else []
    words += ["--train"] if case.variant != "shipped" else []
    return words + (["--one-to-one"] if case.one_to_one else [])


def measure(case: Case, work: Path, master: str) -> dict[str, Any]:
    """One run to its end, and what is kept of its figures."""
    out, log = work / "out" / case.name, work / f"{case.name}.log"
    shutil.rmtree(out, ignore_errors=True)
    with log.open("wb") as said:
        done = subprocess.run(
            command(case, work), env={**os.environ, "LINKAGE_MASTER": master}, stdout=said, stderr=said, check=False
        )
    if done.returncode:
        raise SystemExit(f"accuracy: {case.name} ended with exit code {done.returncode}; see {log.name} in {work}")
    return keep_run(json.loads((out / "metrics.json").read_text(encoding="utf-8")))


def missing_files(source: Path | None, cases: tuple[Case, ...]) -> str | None:
    """A sentence when the sets are not there; None when all are."""
    if source is None:
        return (
            "accuracy: name the folder of the labelled sets, for example: make accuracy OPEN_DATA=DIR "
            "(docs/accuracy.md says which sets); or FORCE=FIGURES.json alone"
        )
    needed = sorted({name for case in cases for name in FILES[case.data]})
    missing = [name for name in needed if not (source / name).is_file()]
    return f"accuracy: {source} lacks {', '.join(missing)}; nothing was run" if missing else None


def read_figures(path: Path) -> dict[str, Any]:
    """The figures so far."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {"force": None, "sets": {}, **found}


def write_figures(path: Path, found: Mapping[str, Any]) -> None:
    """Replace the figures whole; cases in the order of CASES."""
    sets = {case.name: found["sets"][case.name] for case in CASES if case.name in found["sets"]}
    path.write_text(json.dumps({**found, "sets": sets}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def say(text: str) -> None:
    """One line to whoever waits."""
    print(f"accuracy: {text}", flush=True)  # noqa: T201


def read_arguments() -> argparse.Namespace:
    """What was asked."""
    parser = argparse.ArgumentParser(
        prog="bench.accuracy.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of the labelled sets")
    parser.add_argument("--force", type=Path, help="figures.json of a made-up force's report")
    parser.add_argument("--only", default="", help="cases to measure again, joined by commas; the others are kept")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "accuracy")
    parser.add_argument("--json", type=Path, default=JSON)
    asked = parser.parse_args()
    asked.work = asked.work.resolve()
    return asked


def main() -> int:
    """Measure what was asked; cases that are not measured again stay as they were."""
    asked = read_arguments()
    only = {name for name in asked.only.split(",") if name}
    cases = tuple(case for case in CASES if not only or case.name in only)
    if unknown := only - {case.name for case in CASES}:
        say(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(case.name for case in CASES)}")
        return 2
    if asked.force is not None:
        if not asked.force.is_file():
            say(f"{asked.force}: there is no such file")
            return 2
        found = read_figures(asked.json)
        found["force"] = keep_force(json.loads(asked.force.read_text(encoding="utf-8")))
        write_figures(asked.json, found)
        if asked.data is None:
            return 0
    if fault := missing_files(asked.data, cases):
        print(fault, file=sys.stderr)  # noqa: T201
        return 2
    for data in sorted({case.data for case in cases}):
        prepare(data, asked.data, asked.work)
    for case in cases:
        say(f"{case.name} …")
        figures = measure(case, asked.work, asked.master)
        found = read_figures(asked.json)
        found["sets"][case.name] = figures
        write_figures(asked.json, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
