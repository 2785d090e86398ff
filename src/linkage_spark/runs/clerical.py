"""``jobs/clerical.py``: a sample of scored pairs for people to review, and what their answers say."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import SourceError, UsageError
from linkage_spark.evaluation.clerical import (
    LEAST_REVIEWED,
    ClericalFigures,
    Stratum,
    allocate,
    clerical_estimate,
    count_strata,
    draw_sample,
    least_size,
    mark_strata,
    stratum_of,
)
from linkage_spark.evaluation.expectation import Estimate, ExpectedFigures, Part, Range, expected_figures, statement
from linkage_spark.kit.frames import local_frame
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.file_inputs import reading_faults
from linkage_spark.runs.file_task import one_row
from linkage_spark.runs.lock import hold_lock
from linkage_spark.runs.manifest import new_run_id
from linkage_spark.runs.progress import Progress
from linkage_spark.runs.session import open_session
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.files import Files
from linkage_spark.store.person_files import read_person_file
from linkage_spark.tables.enums import Tier

DEFAULT_SIZE = 200
ANSWERS = {"yes": "yes", "no": "no", "cannot tell": "cannot_tell"}
"""What a reviewer may write, and how it is counted."""

SAMPLE_COLUMNS = ("ref_l", "ref_r", "stratum", "explanation", "answer")
_NEEDED = ("ref_l", "ref_r", "match_probability", "linked", "tier", "explanation")
_SEED = "clerical"
_WEIGHTS = re.compile(r"[^;]*; together [+-]\d+\.\d{3}\.")

Row = Mapping[str, Any]
Pair = tuple[str, str]


@dataclass(frozen=True)
class _Results:
    """What link or dedupe left in the folder.

    Attributes:
        pairs: pairs.csv with types.
        strata: rows of ``count_strata``.
        about: kind, run id and so on, from metrics.json; ``people`` and ``counted`` for the statement.
    """

    pairs: DataFrame
    strata: list[dict[str, Any]]
    about: dict[str, Any]

    @property
    def labels(self) -> dict[Stratum, str]:
        """A name for every stratum that tells a reviewer nothing, and is another one when the results are."""
        said = json.dumps(
            sorted((*stratum_of(row), row["pairs"], row["probability_millionths"]) for row in self.strata)
        )
        return {stratum_of(row): f"S{_digest(said, stratum_of(row).name)[:8]}" for row in self.strata}


def run_clerical(*, results: str, size: int | None, out: str | None, answers: str | None) -> int:
    """Draw a sample, or read its answers back.

    Raises:
        UsageError: the arguments do not fit together, or the sample is too small.
        SourceError: the results or the answers are missing or faulty.
    """
    if (out is None) == (answers is None) or (answers is not None and size is not None):
        raise UsageError("give either --out SAMPLE.csv, with or without --size N, or --answers SAMPLE.csv")
    conf = conf_dir()
    settings, advisory = load_settings(conf, environment()), load_wording(conf).advisory
    began, progress = datetime.now(tz=UTC), Progress()
    with open_session("clerical") as spark:
        files = Files(spark)
        folder = files.absolute(results)
        if not files.exists(f"{folder}/pairs.csv"):
            raise SourceError(f"--results {results}: there is no pairs.csv; name a folder that link or dedupe wrote")
        if out is not None and files.exists(out):
            raise _there_already(out)
        with hold_lock(
            files,
            folder,
            run_id=new_run_id(began, "clerical"),
            now=began,
            stale_after_hours=settings.lock.stale_after_hours,
            say=progress.say,
        ):
            with progress.stage("read pairs") as stage:
                read = _read_results(spark, files, folder)
                stage.counts["pairs"] = sum(row["pairs"] for row in read.strata)
            if out is not None:
                _draw(files, read, size=DEFAULT_SIZE if size is None else size, out=out, progress=progress)
            else:
                _read_back(spark, files, folder, read, str(answers), advisory, progress)
    print(f"\n{advisory}", flush=True)
    return 0


# ---- the results -------------------------------------------------------------------------------------------


def _read_results(spark: SparkSession, files: Files, folder: str) -> _Results:
    """pairs.csv, checked and counted, and what metrics.json says of it."""
    path = f"{folder}/pairs.csv"
    raw = read_person_file(spark, path)
    missing = [name for name in _NEEDED if name not in raw.columns]
    if missing:
        raise SourceError(f"pairs.csv: column {', '.join(missing)} is missing; run link or dedupe again")
    pairs = raw.select(
        "ref_l",
        "ref_r",
        F.expr("try_cast(match_probability AS DOUBLE)").alias("match_probability"),
        F.expr("try_cast(linked AS BOOLEAN)").alias("linked"),
        "tier",
        "explanation",
    )
    with reading_faults({"results": path}):
        faults = _pair_faults(one_row(_count_pair_faults(pairs)))
        if faults:
            raise SourceError(faults)
        strata = [row.asDict() for row in count_strata(pairs, shown=F.col("linked")).collect()]
    return _Results(pairs, sorted(strata, key=stratum_of), _about(files, folder))


def _count_pair_faults(pairs: DataFrame) -> DataFrame:
    """One row: rows, rows without something, pairs that stand twice."""
    probability = F.col("match_probability")
    bad = {
        "ref": F.col("ref_l").isNull() | F.col("ref_r").isNull(),
        "probability": ~F.coalesce(probability.between(0.0, 1.0), F.lit(False)),
        "linked": F.col("linked").isNull(),
        "tier": ~F.coalesce(F.col("tier").isin([tier.value for tier in Tier]), F.lit(False)),
    }
    return pairs.agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_distinct("ref_l", "ref_r").alias("distinct"),
        *[F.count_if(condition).alias(name) for name, condition in bad.items()],
    )


def _pair_faults(counted: Row) -> list[str]:
    """The faults in words."""
    if not counted["rows"]:
        return ["pairs.csv: there is no pair to review"]
    said = {
        "ref": "lack ref_l or ref_r",
        "probability": "have a match_probability that is no number from 0 to 1",
        "linked": "have a value of linked that is neither true nor false",
        "tier": f"have a tier that is none of {', '.join(tier.value for tier in Tier)}",
    }
    faults = [f"pairs.csv: {counted[name]:,} rows {words}" for name, words in said.items() if counted[name]]
    twice = counted["rows"] - counted["distinct"] - counted["ref"]
    return [*faults, *([f"pairs.csv: {twice:,} rows repeat a pair"] if twice > 0 else [])]


def _about(files: Files, folder: str) -> dict[str, Any]:
    """Kind of run, people looked for, and whether a link is a person, from metrics.json; unknown without it."""
    try:
        figures = (
            json.loads(files.read_text(f"{folder}/metrics.json")) if files.exists(f"{folder}/metrics.json") else {}
        )
        run = figures["run"]
        return {
            "run_id": str(run["run_id"]),
            "kind": str(run["kind"]),
            "people": int(figures["files"][0]["records"]),
            "counted": "people" if run["one_to_one"] else "links",
        }
    except (ValueError, KeyError, IndexError, TypeError):
        return {"run_id": None, "kind": None, "people": None, "counted": "links"}


# ---- drawing -----------------------------------------------------------------------------------------------


def _draw(files: Files, read: _Results, *, size: int, out: str, progress: Progress) -> None:
    """Write the sample, and say what the probabilities alone expect."""
    least = least_size(read.strata)
    if size < least:
        raise UsageError(f"--size {size}: the pairs fall into {len(read.strata)} strata; draw at least {least}")
    with progress.stage("draw sample") as stage:
        drawn = _drawn(read, allocate(read.strata, size))
        rows = [
            (row["ref_l"], row["ref_r"], read.labels[stratum_of(row)], _unled(row["explanation"]), "") for row in drawn
        ]
        # An order by a hash of its own: neither strata nor probabilities show in it.
        rows.sort(key=lambda row: (_digest(_SEED, "order", row[0], row[1]), row))
        if not files.create_exclusive(files.absolute(out), _as_csv([SAMPLE_COLUMNS, *rows])):
            raise _there_already(out)
        stage.counts["pairs drawn"] = len(rows)
    expected = expected_figures(read.strata)
    print(
        f"\n{_expected_statement(expected, read)}\n\n"
        f"written to {out}: {len(rows):,} pairs in {len(read.strata)} strata. Look both records up, write yes, no or "
        "cannot tell in the column answer of every row, and give the file back with --answers.",
        flush=True,
    )


def _there_already(out: str) -> UsageError:
    """A sample is never written over: somebody may have worked on it."""
    return UsageError(f"--out {out}: the file is there already, and may hold answers; take another name")


def _drawn(read: _Results, allocation: Mapping[Stratum, int]) -> list[dict[str, Any]]:
    """The sampled pairs, as they are in pairs.csv."""
    sample = draw_sample(read.pairs, allocation, strata=read.strata, seed=_SEED, shown=F.col("linked"))
    wanted = sample.select("ref_l", "ref_r", "explanation", "shown", "tier", "probability_bin")
    return [row.asDict() for row in wanted.collect()]


def _unled(explanation: str | None) -> str:
    """The explanation without its last sentence, which holds the weights and their sum."""
    before, _, after = (explanation or "").rpartition("Bits: ")
    return before.rstrip() if _WEIGHTS.fullmatch(after) else explanation or ""


def _as_csv(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV text."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _digest(*parts: str) -> str:
    """SHA-256 in hex of a few texts."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


# ---- reading back ------------------------------------------------------------------------------------------


def _read_back(
    spark: SparkSession, files: Files, folder: str, read: _Results, answers: str, advisory: str, progress: Progress
) -> None:
    """Check the answers, estimate, print, write clerical.json."""
    with progress.stage("read answers") as stage:
        given = _read_answers(spark, answers)
        counted = _tally(read, spark, given, PurePosixPath(answers).name)
        stage.counts["answers"] = len(given)
    figures, expected = clerical_estimate(counted), expected_figures(read.strata)
    said = _reviewed_statement(figures, read)
    content = {
        "advisory": advisory,
        "results": read.about,
        "statement": said,
        "reviewed": figures,
        "statement_without_review": _expected_statement(expected, read),
        "without_review": expected,
    }
    path = f"{folder}/clerical.json"
    files.write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    print(f"\n{said}\n\n{_figure_lines(figures, expected)}\n\nwritten to {path}", flush=True)


def _read_answers(spark: SparkSession, path: str) -> list[dict[str, Any]]:
    """The rows of the answered sample, as they stand in the file."""
    frame, name = read_person_file(spark, path), PurePosixPath(path).name
    needed = ("ref_l", "ref_r", "stratum", "answer")
    missing = [column for column in needed if column not in frame.columns]
    if missing:
        raise SourceError(f"{name}: column {', '.join(missing)} is missing; keep the header of the sample")
    with reading_faults({"answers": path}):
        rows = [row.asDict() for row in frame.select(*needed).collect()]
    if not rows:
        raise SourceError(f"{name}: there is no row")
    return rows


def _tally(read: _Results, spark: SparkSession, given: Sequence[Row], name: str) -> list[dict[str, Any]]:
    """Rows of strata with their answers counted.

    Raises:
        SourceError: names every faulty row by its refs, with the reason.
    """
    wanted = local_frame(
        spark,
        sorted({(row["ref_l"], row["ref_r"]) for row in given if row["ref_l"] and row["ref_r"]}),
        schema="ref_l string, ref_r string",
    )
    marked = mark_strata(read.pairs, shown=F.col("linked"))
    found = marked.join(F.broadcast(wanted), on=["ref_l", "ref_r"], how="left_semi")
    columns = ("ref_l", "ref_r", "shown", "tier", "probability_bin")
    known = {(row["ref_l"], row["ref_r"]): stratum_of(row.asDict()) for row in found.select(*columns).collect()}
    faults = _row_faults(given, known, read.labels)
    if not faults:
        faults = _set_faults(read, known)
    if faults:
        raise SourceError([f"{name}: {fault}" for fault in faults])
    tally: Counter[tuple[Stratum, str]] = Counter()
    for row in given:
        tally[known[row["ref_l"], row["ref_r"]], ANSWERS[_plain(row["answer"])]] += 1
    return [{**row, **{answer: tally[stratum_of(row), answer] for answer in ANSWERS.values()}} for row in read.strata]


def _row_faults(given: Sequence[Row], known: Mapping[Pair, Stratum], labels: Mapping[Stratum, str]) -> list[str]:
    """What is wrong with single rows; an answer is never repeated, it may hold anything."""
    faults, times = [], Counter((row["ref_l"], row["ref_r"]) for row in given)
    for number, row in enumerate(given, start=1):
        pair = row["ref_l"], row["ref_r"]
        reasons = []
        if not row["ref_l"] or not row["ref_r"]:
            reasons.append("ref_l or ref_r is empty")
        elif pair not in known:
            reasons.append("the pair is not in pairs.csv; copy its refs from the sample as they were")
        elif row["stratum"] != labels[known[pair]]:
            reasons.append(
                "its stratum is not that of pairs.csv as it is now; draw the sample anew if link or dedupe ran since"
            )
        if times[pair] > 1 and all(pair):
            reasons.append(f"the pair stands {times[pair]} times")
        if not _plain(row["answer"]):
            reasons.append("there is no answer")
        elif _plain(row["answer"]) not in ANSWERS:
            reasons.append(f"the answer is none of {', '.join(ANSWERS)}")
        faults += [f"row {number}, {_refs(pair)}: {reason}" for reason in reasons]
    return faults


def _set_faults(read: _Results, known: Mapping[Pair, Stratum]) -> list[str]:
    """What is wrong with the sample as a whole: in each stratum it must hold the pairs that are drawn first."""
    held = Counter(known.values())
    first = {stratum_of(row): max(held[stratum_of(row)], min(LEAST_REVIEWED, row["pairs"])) for row in read.strata}
    drawn = {(row["ref_l"], row["ref_r"]) for row in _drawn(read, first)}
    return [
        *[
            f"{_refs(pair)}: the pair was drawn and its row is missing; put it back"
            for pair in sorted(drawn - set(known))
        ],
        *[
            f"{_refs(pair)}: the pair stands in the place of one that was drawn; it counts only beside the missing ones"
            for pair in sorted(set(known) - drawn)
        ],
    ]


def _refs(pair: tuple[object, object]) -> str:
    return f"ref_l {pair[0] or '(empty)'}, ref_r {pair[1] or '(empty)'}"


def _plain(answer: str | None) -> str:
    """An answer without capitals, and with single blanks."""
    return " ".join((answer or "").lower().replace("_", " ").split())


# ---- in words ----------------------------------------------------------------------------------------------


def _expected_statement(expected: ExpectedFigures, read: _Results) -> str:
    """The statement from the probabilities alone."""
    parts: dict[Part, Any] = {"false": expected["false_shown"], "missed": expected["missed_among_scored"]}
    wide = {name: (part["wide_low"], part["wide_high"]) for name, part in parts.items()}
    return _said(read, expected["shown"], parts, wide=wide)


def _reviewed_statement(figures: ClericalFigures, read: _Results) -> str:
    """The statement from the review."""
    return _said(read, figures["shown"], {"false": figures["false_shown"], "missed": figures["missed_among_scored"]})


def _said(read: _Results, shown: int, parts: Mapping[Part, Any], *, wide: Mapping[Part, Range] | None = None) -> str:
    """The statement; how many are shown was counted, so it has no interval."""
    counted: Literal["people", "links"] = read.about["counted"]
    people = read.about["people"]
    return statement(
        people if people is not None else _people_scored(read),
        shown,
        min(shown, parts["false"]["value"]),
        parts["missed"]["value"],
        {name: (part["low"], part["high"]) for name, part in parts.items()},
        reviewed=wide is None,
        wide=wide,
        counted=counted,
    )


def _people_scored(read: _Results) -> int:
    """Records on the left that stand in a scored pair: all that is known of a folder without metrics.json."""
    return int(read.pairs.select("ref_l").distinct().count())


def _figure_lines(figures: ClericalFigures, expected: ExpectedFigures) -> str:
    """The figures that a reader looks for first."""
    sample = figures["sample"]
    lines = [
        f"sample     {sample['pairs']:,} pairs from {sample['strata']} strata: {sample['yes']:,} yes, {sample['no']:,} no, "
        f"{sample['cannot_tell']:,} cannot tell",
        f"precision  {_share(figures['precision'])}; by the probabilities alone {_share(expected['precision'])}",
        f"recall     {_share(figures['recall_among_scored'])} among scored pairs; by the probabilities alone "
        f"{_share(expected['recall_among_scored'])}",
    ]
    if sample["strata_without_answer"]:
        lines.append(
            f"warning: {sample['strata_without_answer']} strata have no yes and no no; the model's mean stands in for them"
        )
    return "\n".join(lines)


def _share(figure: Estimate | Mapping[str, Any]) -> str:
    """A share with its interval; 'none' for 0/0."""
    if figure["value"] is None:
        return "none"
    return f"{figure['value']:.4f} ({figure['low']:.4f} to {figure['high']:.4f})"
