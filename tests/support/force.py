"""The made-up force that tests of the jobs share, and how they look at what a job left."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

EMPLOYEES, RECORDS, SEED = 900, 15_000, 20_260_001
"""The least at which a training on the force's own records finds enough to go by."""

PLANTED = ("Zzyzxqua", "Plonkwitter")
"""A given name and a surname that no dictionary has: wherever they turn up, a person's name has leaked."""


def rows(query: str) -> list[tuple[object, ...]]:
    """Ask the published files with a reader that is not Spark."""
    return duckdb.sql(query).fetchall()


class Estate:
    """One output root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def published(self, table: str) -> str:
        """A DuckDB scan of one published table, all runs."""
        return f"read_parquet('{self.root}/published/{table}/*/*.parquet', hive_partitioning = false)"

    @property
    def current(self) -> str:
        """The run that readers follow."""
        found = rows(f"select run_id from read_parquet('{self.root}/published/current_run/*.parquet')")
        assert len(found) == 1
        return str(found[0][0])

    def figures(self) -> dict[str, object]:
        """The figures of the current run."""
        return dict(json.loads((self.root / "reports" / self.current / "figures.json").read_text()))

    def delta_versions(self) -> dict[str, int]:
        """Newest commit of every table but RUN."""
        logs = (path for path in (self.root / "tables").glob("*/_delta_log") if path.parent.name != "run")
        return {log.parent.name: max(int(p.stem) for p in log.glob("*.json")) for log in logs}


def plant(feeds: Path) -> None:
    """Add one employee with a nonsense name, and a detention of the same person."""
    given, surname = PLANTED
    person = (given, surname, "03-FEB-1984", "7 Orchard Road", "Birmingham", "B23 6TU")
    hr = next((feeds / "hr" / "extract").glob("part-*.csv"))
    cells = ("9999999", "Ms", given, "", surname, person[2], person[3], "", "", person[4], person[5])
    row = ",".join((*cells, "1", "Police Officer", "Sergeant", "CID", "01-MAR-2010"))
    (hr.parent / "part-planted.csv").write_text(f"{hr.read_text().splitlines()[0]}\n{row}\n")
    record = next((feeds / "custody" / "record").glob("part-*.parquet"))
    first = pq.read_table(record).slice(0, 1)
    values = {**first.to_pylist()[0], "CUSTODY_NO": "C-PLANTED", "DETAINEE_NAME": f"{surname.upper()}, {given}"}
    values |= {"DETAINEE_DOB": "03/02/1984", "ADDRESS": f"{person[3]}, {person[4]}", "POSTCODE": person[5]}
    pq.write_table(first.from_pylist([values], schema=first.schema), record.parent / "part-planted.parquet")


def detain(feeds: Path, number: str) -> None:
    """Another detention of the planted person, in a file of its own, as an export adds it."""
    planted = feeds / "custody" / "record" / "part-planted.parquet"
    record = pq.read_table(planted)
    values = {**record.to_pylist()[0], "CUSTODY_NO": number}
    pq.write_table(record.from_pylist([values], schema=record.schema), planted.with_name(f"part-{number}.parquet"))
