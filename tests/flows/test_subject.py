"""What a subject report holds of reviewers' words, of an employee and of a police person record alike."""

from __future__ import annotations

import csv
import json
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.runs import subject
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.canonical import INVOLVEMENT
from linkage_spark.tables.lifecycle import HIT_HISTORY, LINK_HISTORY
from linkage_spark.tables.results import RUN
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK
from tests.support.contract_rows import contract_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
PAIRS = [("E1", "crime", "N1"), ("E1", "custody", "C1"), ("E2", "crime", "N1"), ("E2", "custody", "N1")]
"""Employee and record; the last one speaks of neither of the two that are asked for, though its reference is one of theirs."""


@pytest.fixture(scope="module")
def root(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A published run, with words given before it and a link that each of them took away."""
    root = f"{tmp_path_factory.mktemp('subject')}/out"
    store = DeltaStore(spark, root)
    pairs: list[dict[str, Any]] = [
        dict(zip(("employee_id", "source_system", "person_ref"), pair, strict=True)) for pair in PAIRS
    ]
    frames = {
        **{table: contract_rows(spark, table) for table in (INVOLVEMENT, LINK_HISTORY, HIT_HISTORY)},
        NEGATED_LINK: contract_rows(spark, NEGATED_LINK, *[{**pair, "judged_at": AT} for pair in pairs]),
    }
    versions = {table.name: store.overwrite(table, frame) for table, frame in frames.items()}
    said = {"judgement": "not_same", "judged_at": AT, "reviewer": "R1", "reason": "seen on paper"}
    store.append(LINK_JUDGEMENT, contract_rows(spark, LINK_JUDGEMENT, *[{**pair, **said} for pair in pairs]))
    told = {"run_id": "R1", "shown_run_id": "R1", "status": "published", "table_versions_json": json.dumps(versions)}
    store.append(RUN, contract_rows(spark, RUN, told))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(subject, "open_session", lambda app_name: nullcontext(spark))
        yield root


def test_words_whose_table_is_gone_are_not_looked_for_at_the_version_that_a_run_had_read(
    spark: SparkSession, tmp_path: Path
) -> None:
    store = DeltaStore(spark, str(tmp_path))
    store.append(RUN, contract_rows(spark, RUN, {"run_id": "R1"}).limit(0))
    assert subject._versions(store, {"link": 3, "link_judgement": 5, "person_judgement": 2}) == {"link": 3}


@pytest.mark.parametrize(
    ("whom", "held"),
    [
        ({"employee_id": "E1"}, [("E1", "crime", "N1"), ("E1", "custody", "C1")]),
        ({"person": "crime:N1"}, [("E1", "crime", "N1"), ("E2", "crime", "N1")]),
    ],
    ids=["employee", "person"],
)
def test_words_and_what_they_took_away_are_held_on_the_employee_and_on_the_record(
    root: str, tmp_path: Path, whom: dict[str, str], held: list[tuple[str, str, str]]
) -> None:
    assert subject.run_subject(root=root, out=str(tmp_path / "held"), **whom) == 0
    for table in (LINK_JUDGEMENT, NEGATED_LINK):
        with (tmp_path / f"held/{table.name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(row["employee_id"], row["source_system"], row["person_ref"]) for row in rows] == held, table.name
    page = (tmp_path / "held" / subject.PAGE).read_text(encoding="utf-8")
    assert "seen on paper" in page
