"""The files of ``link`` and ``dedupe``: read, checked, brought into standard form, counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Any, Literal

from pyspark.sql import DataFrame, SparkSession

from linkage_spark.errors import SettingsError, SourceError, UsageError
from linkage_spark.reference.standard import Reference
from linkage_spark.runs.progress import Progress
from linkage_spark.settings.mapping import (
    Columns,
    PersonMapping,
    load_mapping,
    one_file_faults,
    side,
    stated_columns,
)
from linkage_spark.settings.mapping_keys import ADDRESS, BORN, LOCALITY, NAME, POSTCODE
from linkage_spark.standardise.person_file_checks import (
    CountryChoice,
    choose_country,
    count_file,
    count_postcodes,
    file_warnings,
    find_issues,
    issue_counts,
    missing_columns,
    unusable_columns,
)
from linkage_spark.standardise.person_file_columns import Country, further_kinds
from linkage_spark.standardise.person_files import count_refused, standardise_person_file
from linkage_spark.store.files import Files
from linkage_spark.store.person_files import read_person_file, translate_person_file_error

Kind = Literal["link", "dedupe"]


@dataclass(frozen=True)
class PersonFile:
    """One input file in standard form, as it was written to the run's work folder.

    Attributes:
        side: 'left', 'right' or 'file'.
        name: the file's name without folders.
        persons: PERSON rows with further columns, one per ref.
        refused: the rows kept out.
        issue_rows: values that count as unknown or as less: side, ref, attribute, issue.
        rows_in, records: rows of the file, and of ``persons``.
        refusals: rows kept out by reason.
        issues: records by 'attribute: issue', missing values among them.
        warnings: sentences.
    """

    side: str
    name: str
    persons: DataFrame
    refused: DataFrame
    issue_rows: DataFrame
    rows_in: int
    records: int
    refusals: Mapping[str, int]
    issues: Mapping[str, int]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Inputs:
    """Everything that was read.

    Attributes:
        files: left and right, or the one file.
        country: how addresses are read, and why.
        mapped: what blocking rules may use: name, given_names, surname, date_of_birth, address, premises, postcode, town.
        further: further columns and how they are compared.
        attributes: what both files have, in words of the mapping.
    """

    files: tuple[PersonFile, ...]
    country: CountryChoice
    mapped: frozenset[str]
    further: Mapping[str, str]
    attributes: tuple[str, ...]

    @property
    def records(self) -> tuple[int, int]:
        """Records on the left and on the right; of one file twice its own."""
        return self.files[0].records, self.files[-1].records

    @property
    def pairs(self) -> int:
        """All pairs that there are."""
        left, right = self.records
        return left * right if len(self.files) == 2 else left * (left - 1) // 2


def read_mapping(files: Files, path: str) -> str:
    """The text of the mapping file.

    Raises:
        UsageError: there is no such file.
        SettingsError: it is no UTF-8.
    """
    if not files.exists(path):
        raise UsageError(f"--mapping {path}: there is no such file")
    try:
        return files.read_text(path)
    except UnicodeDecodeError:
        raise SettingsError(f"{PurePosixPath(path).name}: it is not UTF-8; save it again as UTF-8") from None


def check_mapping(path: str, text: str, kind: Kind) -> PersonMapping:
    """The mapping, when it is whole and fits the job.

    Raises:
        SettingsError: it is wrong, or its [columns] do not tell how one file is read; with every fault.
    """
    name = PurePosixPath(path).name
    try:
        mapping = load_mapping(name, text)
    except SettingsError as error:
        unfit = one_file_faults(name, text) if kind == "dedupe" else []
        raise SettingsError("\n".join([str(error), *unfit])) from None
    if kind == "dedupe":
        side(mapping, None)
    return mapping


def open_files(spark: SparkSession, paths: Mapping[str, str], mapping_text: str) -> dict[str, DataFrame]:
    """The files' frames by side, lazy; headers are read and held against what the mapping says of columns.

    Args:
        spark: the session.
        paths: 'left' and 'right', or 'file', with their paths.
        mapping_text: the mapping, whether it has faults or not; '' where there is none: then only whether the files
            can be opened is checked.

    Raises:
        SourceError: files or columns are missing, or a file cannot be read; all faults at once.
    """
    frames: dict[str, DataFrame] = {}
    faults: list[str] = []
    for which, path in paths.items():
        try:
            frame = frames[which] = read_person_file(spark, path)
        except SourceError as error:
            faults += error.faults
            continue
        stated = stated_columns(mapping_text, _side_of(which))
        faults += missing_columns(frame.columns, stated, path)
        faults += unusable_columns(frame, stated, path)
    if faults:
        raise SourceError(faults)
    return frames


def file_names(paths: Mapping[str, str]) -> dict[str, str]:
    """What warnings call each file: its name without folders, with its side where both have one name."""
    names = {which: PurePosixPath(path).name for which, path in paths.items()}
    alike = len(set(names.values())) < len(names)
    return {which: f"{which} {name}" if alike else name for which, name in names.items()}


def read_inputs(
    raw: Mapping[str, DataFrame],
    paths: Mapping[str, str],
    *,
    mapping: PersonMapping,
    reference: Reference,
    work: str,
    as_of: date,
    progress: Progress,
    numbered: Collection[str] = (),
) -> Inputs:
    """Standardise all files into the work folder, count them, and say what an analyst should know of them.

    Args:
        raw: from ``open_files``.
        paths: 'left' and 'right', or 'file', with their paths.
        mapping: which column is what.
        reference: names, placeholders, streets, postcodes.
        work: the run's work folder.
        as_of: latest date of birth that is accepted.
        progress: tells what is going on.
        numbered: paths of single CSV files, whose refused rows tell their number.

    Raises:
        SourceError: a file cannot be read to its end, or has no usable row.
    """
    columns, names = {which: side(mapping, _side_of(which)) for which in paths}, file_names(paths)
    with reading_faults(paths), progress.stage("read files") as stage:
        counts = {
            names[which]: _one(count_postcodes(frame, columns[which]))
            for which, frame in raw.items()
            if columns[which].postcode
        }
        rows_in = {which: frame.count() for which, frame in raw.items()}
        stage.counts.update({f"rows of {which}": rows for which, rows in rows_in.items()})
    country = choose_country(counts, stated=mapping.country)
    progress.say(f"  {country.reason}")
    attributes = frozenset.intersection(*(held.attributes for held in columns.values()))
    found = []
    for which, frame in raw.items():
        with reading_faults(paths), progress.stage(f"standardise {which}") as stage:
            standard = standardise_person_file(
                frame,
                columns=columns[which],
                attributes=attributes,
                side=which,
                country=country.country,
                reference=reference,
                as_of=as_of,
                numbered=paths[which] in numbered,
            )
            persons = _written(standard.persons, f"{work}/persons_{which}")
            refused = _written(standard.refused, f"{work}/refused_{which}")
            counted = _one(count_file(persons))
            reasons = {row["reason"]: int(row["rows"]) for row in count_refused(refused).collect()}
            stage.counts.update({"records": counted["records"], "refused": sum(reasons.values())})
        warnings = file_warnings(counted, columns=columns[which], file=names[which], country=country.country)
        found.append(
            PersonFile(
                side=which,
                name=PurePosixPath(paths[which]).name,
                persons=persons,
                refused=refused,
                issue_rows=find_issues(persons, which),
                rows_in=rows_in[which],
                records=counted["records"],
                refusals=reasons,
                issues=issue_counts(counted),
                warnings=tuple(warnings),
            )
        )
    _check_rows(found, paths)
    return Inputs(
        files=tuple(found),
        country=country,
        mapped=_mapped(columns, attributes, country.country),
        further=further_kinds(next(iter(columns.values())), attributes, country.country),
        attributes=tuple(sorted(attributes)),
    )


@contextmanager
def reading_faults(paths: Mapping[str, str]) -> Iterator[None]:
    """Say in words what is wrong with a file's rows.

    Raises:
        SourceError: in the place of what Spark raised.
    """
    try:
        yield
    except Exception as error:
        fault = translate_person_file_error(error, paths)
        if fault is None:
            raise
        raise fault from None


def _side_of(which: str) -> Literal["left", "right"] | None:
    """The mapping's name of a side; None for the one file."""
    return "left" if which == "left" else "right" if which == "right" else None


def _written(frame: DataFrame, path: str) -> DataFrame:
    """Write a frame into the work folder and read it back."""
    frame.write.mode("overwrite").parquet(path)
    return frame.sparkSession.read.schema(frame.schema).parquet(path)


def _check_rows(found: list[PersonFile], paths: Mapping[str, str]) -> None:
    """Rows in = rows out + refused, and something to compare on every side.

    Raises:
        SourceError: a file has no usable record.
        AssertionError: rows were lost, a defect of this code.
    """
    for file in found:
        assert file.rows_in == file.records + sum(file.refusals.values()), f"{file.side}: rows were lost"
    empty = [file for file in found if not file.records]
    if empty:
        raise SourceError([f"{paths[file.side]}: it has no record that could be taken" for file in empty])


def _mapped(columns: Mapping[str, Columns], attributes: frozenset[str], country: Country) -> frozenset[str]:
    """What blocking rules may use; parts of a British address only where addresses are read as such."""
    whole = all(held.full_name or (held.given_names and held.surname) for held in columns.values())
    given = whole or all(held.full_name or held.given_names for held in columns.values())
    surname = whole or all(held.full_name or held.surname for held in columns.values())
    british = country == "GB"
    claims = {
        NAME: whole,
        "given_names": given,
        "surname": surname,
        BORN: BORN in attributes,
        ADDRESS: british and ADDRESS in attributes,
        POSTCODE: british and POSTCODE in attributes,
        "premises": british and {ADDRESS, POSTCODE} <= attributes,
        "town": british and LOCALITY in attributes,
    }
    return frozenset(name for name, holds in claims.items() if holds)


def _one(frame: DataFrame) -> dict[str, Any]:
    """The only row of a frame of counts."""
    return frame.collect()[0].asDict()
