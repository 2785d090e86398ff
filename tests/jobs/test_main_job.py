"""The jobs as their users run them: real processes through scripts/submit.sh, on a small made-up force."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support.force import EMPLOYEES, PLANTED, Estate, rows
from tests.support.jobs import killed_in, ok, submit


@pytest.fixture(scope="module")
def own(estate: Estate, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """A copy for the tests that run a job on it."""
    root = tmp_path_factory.mktemp("own") / "estate"
    shutil.copytree(estate.root, root)
    return Estate(root)


def names_in(path: Path) -> bool:
    """True when a planted name stands in a file, whatever its case."""
    parquet = path.suffix == ".parquet"
    text = str(pq.ParquetFile(path).read().to_pylist()) if parquet else path.read_bytes().decode(errors="replace")
    return any(token.lower() in text.lower() for token in PLANTED)


def test_every_employee_is_screened_or_not_screened_with_a_reason(estate: Estate) -> None:
    table = estate.published("screening")
    columns = [str(c[0]) for c in rows(f"describe select * from {table}")]
    screened = next(c for c in columns if c.endswith("screened") and "not" not in c)
    reason = next(c for c in columns if "reason" in c)
    (count,) = rows(f"select count(*) from {table}")[0]
    assert count == EMPLOYEES + 1
    assert rows(f"select count(*) from {table} where ({screened} = 1) = ({reason} is not null and {reason} <> '')") == [
        (0,)
    ]


def test_accuracy_against_the_truth_stays_above_the_floors(estate: Estate) -> None:
    scopes = {scope["scope"]: scope for scope in estate.figures()["accuracy"]["scopes"]}  # type: ignore[index]
    assert scopes["match"]["precision"]["value"] >= 0.97
    assert scopes["match+possible"]["recall_supportable"]["value"] >= 0.85


def test_rows_in_equal_rows_out_and_refused_for_every_source(estate: Estate) -> None:
    sources = estate.figures()["sources"]
    assert {part["source_system"] for part in sources} == {"hr", "crime", "custody", "intel", "incident"}  # type: ignore[union-attr]
    for part in sources:  # type: ignore[union-attr]
        assert part["rows_in"] == part["rows_out"] + sum(part["refused"].values()), part
    assert any(part["refused"] for part in sources)  # type: ignore[union-attr]


def test_candidate_pairs_are_counted_once_each_and_rules_are_priced(estate: Estate) -> None:
    rules = estate.figures()["rules"]
    screen = next(stage for stage in estate.figures()["stages"] if stage["stage"] == "screen")  # type: ignore[union-attr]
    assert sum(rule["pairs_first"] for rule in rules) == screen["counts"]["candidate pairs"]  # type: ignore[union-attr]
    assert all(r["pairs_proposed"] + r["pairs_refined_away"] <= r["pairs_before_refinement"] for r in rules)  # type: ignore[union-attr]


def test_published_tables_hold_scalars_only_and_every_output_says_it_is_advisory(estate: Estate) -> None:
    for table in (estate.root / "published").iterdir():
        if table.name != "current_run":
            types = {str(c[1]) for c in rows(f"describe select * from {estate.published(table.name)}")}
            assert not any("[" in kind or kind.startswith(("STRUCT", "MAP")) for kind in types), table.name
    report = estate.root / "reports" / estate.current
    assert "Advisory only" in (report / "report.html").read_text()
    assert "Advisory only" in (report / "summary.txt").read_text()
    assert not re.search(r"(src|href)=[\"']?https?:", (report / "report.html").read_text())


def test_a_planted_name_is_linked_and_stands_in_no_log_report_or_published_table(estate: Estate) -> None:
    tables = estate.root / "tables"
    linked = f"select count(*) from read_parquet('{tables / 'link'}/*.parquet') where employee_id = '9999999'"
    assert rows(linked) == [(1,)]
    home = estate.root.parent
    logs = [home / "said.txt", *(home / "events").rglob("*"), *tables.glob("*/_delta_log/**/*")]
    shown = [*(estate.root / "published").rglob("*"), *(estate.root / "reports").rglob("*")]
    searched = [path for path in (*logs, *shown) if path.is_file()]
    assert len(searched) > 50 and any("events" in path.parts for path in searched)
    assert [path for path in searched if names_in(path)] == []
    assert any(names_in(path) for path in tables.glob("person/*.parquet")), "the search finds a name that is there"


def test_why_answers_for_a_hit_and_for_a_pair_that_was_never_proposed(estate: Estate) -> None:
    delta_log = estate.root / "tables" / "link"
    link = rows(
        f"select employee_id, source_system || ':' || person_ref from read_parquet('{delta_log}/*.parquet') order by 1, 2 limit 1"
    )
    employee, person = map(str, link[0])
    answer = ok(submit("why", "--out", str(estate.root), "--employee", employee, "--person", person))
    assert "premises" in answer and "tier" in answer.lower()
    unknown = submit("why", "--out", str(estate.root), "--employee", "no-such-employee", "--person", person)
    assert unknown.returncode == 2
    said = unknown.stdout + unknown.stderr
    assert "no-such-employee" in said and "Traceback" not in said


def test_the_same_run_twice_changes_nothing_but_run(own: Estate, feeds: Path) -> None:
    before, current = own.delta_versions(), own.current
    said = ok(submit("backfill", "--feeds", str(feeds), "--out", str(own.root)))
    assert "nothing has changed" in said
    assert own.delta_versions() == before
    assert own.current == current


@pytest.mark.slow
def test_a_killed_run_started_again_ends_as_if_it_had_not_been_killed(
    estate: Estate, feeds: Path, tmp_path: Path
) -> None:
    root = tmp_path / "killed"
    killed_in("decide", root, "backfill", "--feeds", feeds, "--out", root)
    assert not (root / "published" / "current_run").exists()
    said = ok(submit("backfill", "--feeds", str(feeds), "--out", str(root)))
    assert "going on with run" in said
    again = Estate(root)
    for table in ("hit", "hit_link", "location_hit", "link", "screening"):
        left, right = again.published(table), estate.published(table)
        assert rows(
            f"select count(*) from (select * exclude (run_id) from {left} except all select * exclude (run_id) from {right})"
        ) == [(0,)], table
        assert rows(f"select count(*) from {left}") == rows(f"select count(*) from {right}"), table
    assert not (root / "work").exists()
    assert not (root / "lock.json").exists()


def test_a_failed_run_leaves_what_was_published_and_exits_with_its_own_code(
    own: Estate, feeds: Path, tmp_path: Path
) -> None:
    current, before = own.current, own.delta_versions()
    broken = tmp_path / "broken"
    broken.mkdir()
    for part in feeds.iterdir():
        (broken / part.name).symlink_to(part)
    (broken / "hr").unlink()
    failed = submit("backfill", "--feeds", str(broken), "--out", str(own.root))
    assert failed.returncode == 3
    said = failed.stdout + failed.stderr
    assert "hr.extract" in said and "Traceback" not in said
    assert own.current == current
    assert own.delta_versions() == before
