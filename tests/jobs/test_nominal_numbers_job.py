"""A small force whose custody feed names PNC ids: backfill and nominals as their users run them, with settings of their own."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.force import Estate, rows
from tests.support.jobs import REPO, ok, submit
from tests.support.numbers import pnc

pytestmark = pytest.mark.slow  # tests/flows/test_nominal_numbers.py has the same rules, in the tests' own session

MAPPING = """
[[feeds.record.produces]]
table = "person_identifier"
verified = { "Y" = true, "N" = false }
[feeds.record.produces.columns]
person_ref = "CUSTODY_NO"
pnc_id = "PNC_ID"
cro = "CRO"
verified = "FINGERPRINTED"
version = "UPDATED_AT"

[feeds.number]
path = "custody/number"
format = "parquet"
[[feeds.number.produces]]
table = "person_identifier"
constants = { verified = true }
[feeds.number.produces.columns]
person_ref = "CUSTODY_NO"
pnc_id = "PNC_ID"
"""


ONE, OTHER, SHARED = pnc(2004, 7_310_123), pnc(2011, 7_320_456), pnc(1998, 7_330_789)
REPLACED, STRANGER = pnc(1997, 7_340_012), pnc(1996, 7_350_345)
"""Numbers that are refused: of an older version of a row, and of a person that is not there."""
HOME, AWAY = ("7 Orchard Road, Birmingham", "B23 6TU"), ("3 Mill Lane, Walsall", "WS1 1AA")
DETAINED: dict[str, dict[str, Any]] = {
    # Name, date of birth and home agree; the numbers differ.
    "C-DIFFER-1": {"DETAINEE_NAME": "PLONKWITTER, Zzyzxqua", "home": HOME, "PNC_ID": ONE, "FINGERPRINTED": "Y"},
    "C-DIFFER-2": {"DETAINEE_NAME": "PLONKWITTER, Zzyzxqua", "home": HOME, "PNC_ID": OTHER, "FINGERPRINTED": "Y"},
    # Name and date of birth alone agree; the numbers are the same, one of them written short.
    "C-EQUAL-1": {"DETAINEE_NAME": "QUIBBLEWORTH, Ozrinda", "home": HOME, "PNC_ID": SHARED, "FINGERPRINTED": "Y"},
    "C-EQUAL-2": {"DETAINEE_NAME": "QUIBBLEWORTH, Ozrinda", "home": AWAY, "PNC_ID": SHARED[2:], "FINGERPRINTED": "Y"},
    # The same, but nobody verified the number.
    "C-UNSURE": {
        "DETAINEE_NAME": "QUIBBLEWORTH, Ozrinda",
        "home": ("88 Long Acre, Dudley", "DY1 2BC"),
        "PNC_ID": SHARED,
    },
    "C-DUMMY": {"DETAINEE_NAME": "NUMBERLESS, Tobrin", "home": AWAY, "CRO": "000000/00Z", "FINGERPRINTED": "Y"},
}


def add_numbers(feeds: Path) -> None:
    """Give the custody feed columns for numbers, and plant the detentions."""
    parts = sorted((feeds / "custody" / "record").glob("part-*.parquet"))
    first = pq.read_table(parts[0]).slice(0, 1).to_pylist()[0]
    names = ("PNC_ID", "CRO", "FINGERPRINTED")
    for part in parts:
        table = pq.read_table(part).replace_schema_metadata()  # Spark believes its own note of the columns
        for name in names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
        pq.write_table(table, part)
    schema = pq.read_schema(parts[0])
    planted = []
    for ref, told in DETAINED.items():
        address, postcode = told["home"]
        row = {**first, **dict.fromkeys(names), "CUSTODY_NO": ref, "DETAINEE_DOB": "03/02/1984", "ADDRESS": address}
        planted.append({**row, "POSTCODE": postcode} | {name: value for name, value in told.items() if name != "home"})
    equal = next(row for row in planted if row["CUSTODY_NO"] == "C-EQUAL-1")
    planted.append({**equal, "PNC_ID": REPLACED, "UPDATED_AT": equal["UPDATED_AT"] - datetime.timedelta(days=1)})
    pq.write_table(pa.Table.from_pylist(planted, schema=schema), parts[0].parent / "part-planted.parquet")
    (feeds / "custody" / "number").mkdir()
    strangers = pa.table({"CUSTODY_NO": ["C-GONE"], "PNC_ID": [STRANGER]})
    pq.write_table(strangers, feeds / "custody" / "number" / "part-0.parquet")
    for checksum in parts[0].parent.glob(".*.crc"):
        checksum.unlink()


class Made:
    """The force, its settings, its output root, and what the jobs said."""

    def __init__(self, folder: Path) -> None:
        self.feeds, conf = folder / "feeds", folder / "conf"
        ok(submit("synthesise", "--out", self.feeds, "--employees", "80", "--person-records", "1500", "--seed", "11"))
        add_numbers(self.feeds)
        shutil.copytree(REPO / "conf", conf)
        with (conf / "sources" / "custody.toml").open("a") as file:
            file.write(MAPPING)
        self.env = {"LINKAGE_CONF": str(conf)}
        self.estate = Estate(folder / "estate")
        self.said = self.backfill() + self.nominals()

    def backfill(self) -> str:
        return ok(submit("backfill", "--feeds", self.feeds, "--out", self.estate.root, **self.env))

    def nominals(self) -> str:
        return ok(submit("nominals", "--out", self.estate.root, **self.env))

    def table(self, name: str) -> str:
        """A DuckDB scan of a Delta table that was written once."""
        return f"read_parquet('{self.estate.root}/tables/{name}/*.parquet')"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("numbers"))


def test_numbers_part_and_join_and_the_report_counts_them(made: Made) -> None:
    placed = dict(
        rows(f"select person_ref, nominal_id from {made.table('nominal_record')} where source_system = 'custody'")
    )
    assert placed["C-DIFFER-1"] != placed["C-DIFFER-2"]
    assert placed["C-EQUAL-1"] == placed["C-EQUAL-2"]
    assert placed["C-UNSURE"] not in {placed[ref] for ref in DETAINED if ref != "C-UNSURE"}
    edges = rows(
        f"select cut_reason, same_identifier, policy_reason from {made.table('nominal_edge')} "
        "where same_identifier or cut_reason = 'pnc_differs'"
    )
    assert sorted(map(str, edges)) == sorted(
        map(str, [("pnc_differs", False, "same_premises_and_date"), (None, True, "name_and_date_only")])
    )
    told = json.loads((made.estate.root / "reports" / made.estate.current / "nominals.json").read_text())
    assert told["cuts"]["pnc_differs"] == told["conflicts"]["pnc_differs"] == 1
    assert (told["identifier_edges"], told["edges_by_identifier"]) == (1, 1)
    assert told["identifiers"] == {"records": 4, "contradicted": 0, "too_common": 0}
    page = (made.estate.root / "reports" / made.estate.current / "nominals.html").read_text()
    assert "different verified PNC numbers" in page


def test_the_table_is_kept_reconciled_and_pinned(made: Made) -> None:
    kept = rows(
        f"select person_ref, kind, identifier, identifier_issue, verified from {made.table('person_identifier')}"
    )
    assert sorted(kept) == sorted(
        [
            ("C-DIFFER-1", "pnc_id", ONE, None, True),
            ("C-DIFFER-2", "pnc_id", OTHER, None, True),
            ("C-EQUAL-1", "pnc_id", SHARED, None, True),
            ("C-EQUAL-2", "pnc_id", SHARED, None, True),
            ("C-UNSURE", "pnc_id", SHARED, None, False),
            ("C-DUMMY", "cro", None, "dummy", True),
        ]
    )
    pinned = {
        versions
        for (versions,) in rows(f"select table_versions_json from {made.table('run')} where status = 'published'")
    }
    assert len(pinned) == 2
    assert all("person_identifier" in json.loads(str(versions)) for versions in pinned)
    figures = next((made.estate.root / "reports").glob("*-backfill/figures.json"))
    told = [part for part in json.loads(figures.read_text())["sources"] if part["produces"] == "person_identifier"]
    assert [(part["source_system"], part["rows_in"], part["rows_out"], part["refused"]) for part in told] == [
        ("custody", 8, 6, {"superseded_version": 1, "unknown_person": 1})
    ]


SERIALS = [number.split("/")[1] for number in (ONE, OTHER, SHARED, REPLACED, STRANGER)]


def holding(relation: str, where: str = "true") -> set[str]:
    """The serial numbers that stand anywhere in the rows of a DuckDB relation, nested values included."""
    held = ", ".join(f"count(*) filter (contains(cast(held as varchar), '{serial}'))" for serial in SERIALS)
    counts = rows(f"select {held} from {relation} held where {where}")[0]
    return {serial for serial, count in zip(SERIALS, counts, strict=True) if count}


def test_no_number_stands_in_what_was_said_reported_or_logged_by_delta(made: Made) -> None:
    root = made.estate.root
    logged = list((root / "tables").rglob("_delta_log/*.json"))
    written = [path for path in (root / "reports").rglob("*") if path.suffix in (".html", ".json", ".txt")]
    assert logged and written
    texts = [made.said, *(path.read_text() for path in (*logged, *written))]
    for serial in SERIALS:
        assert not any(serial in text for text in texts)


def test_of_all_tables_two_alone_hold_a_number_and_refused_only_of_its_own_rows(made: Made) -> None:
    root = made.estate.root
    own, refused = root / "tables" / "person_identifier", root / "tables" / "refused"
    others = [path for path in root.rglob("*.parquet") if not {own, refused} & set(path.parents)]
    assert {root / "tables" / "person", root / "published"} <= {folder for path in others for folder in path.parents}
    assert {str(path) for path in others if holding(f"read_parquet('{path}')")} == set()
    kept = {number.split("/")[1] for number in (ONE, OTHER, SHARED)}
    assert holding(made.table("person_identifier")) == kept
    assert holding(made.table("refused"), "produces = 'person_identifier'") == set(SERIALS) - kept
    assert holding(made.table("refused"), "produces <> 'person_identifier'") == set()
    superseded = rows(
        f"select produces from {made.table('refused')} where split_part(row_key, '/', 1) = 'C-EQUAL-1' order by 1"
    )
    assert [name for (name,) in superseded] == ["event", "involvement", "person", "person_identifier"]


def test_running_again_changes_nothing(made: Made) -> None:
    before, shown = made.estate.delta_versions(), made.estate.current
    assert "nothing has changed since run" in made.backfill()
    assert "nothing has changed since run" in made.nominals()
    assert (made.estate.delta_versions(), made.estate.current) == (before, shown)
