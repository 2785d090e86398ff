"""A day in real processes: it is killed and started again, nominals are there, and the rest of the desk looks at it."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from linkage_spark.runs.context import FORCE_ZONE
from linkage_spark.runs.daily_stages import AGAIN
from tests.support.force import PLANTED, Estate, detain, rows
from tests.support.held import is_checksum
from tests.support.jobs import REPO, killed_in, ok, submit, table

DAY = datetime.now(tz=FORCE_ZONE).date() + timedelta(days=1)
"""The day after the shared backfill, whenever that was."""


STAGES = (
    "find changes",
    "standardise",
    "screen",
    "decide",
    "hits",
    "follow",
    "check",
    "compare",
    "identity",
    "persons",
    "publish",
)
"""Where the first attempt is killed: another stage every day."""


@dataclass
class Days:
    """An estate with nominals, and the day after.

    Attributes:
        feeds: its feeds.
        estate: its root.
        before: what readers saw before the day.
        stage: the stage in which the day was killed for the first time.
        said: what its second attempt printed.
    """

    feeds: Path
    estate: Estate
    before: str
    stage: str
    said: str


@pytest.fixture(scope="module")
def days(feeds: Path, estate_with_nominals: Estate, tmp_path_factory: pytest.TempPathFactory) -> Days:
    base = tmp_path_factory.mktemp("days")
    own_feeds, own = base / "feeds", Estate(base / "estate")
    shutil.copytree(feeds, own_feeds, copy_function=shutil.copy2)
    shutil.copytree(estate_with_nominals.root, own.root)
    before = own.current
    detain(own_feeds, "C-DAILY-1")
    stage = STAGES[DAY.toordinal() % len(STAGES)]
    arguments = ("--feeds", own_feeds, "--out", own.root, "--date", DAY.isoformat())
    killed_in(stage, own.root, "daily", *arguments)
    assert own.current == before, f"killed in '{stage}', and readers were moved"
    return Days(own_feeds, own, before, stage, said=ok(daily(own_feeds, own)))


def daily(feeds: Path, estate: Estate) -> CompletedProcess[str]:
    """The day, to its end."""
    arguments = ("--feeds", feeds, "--out", estate.root, "--date", DAY.isoformat())
    return submit("daily", *arguments)


def test_a_run_that_was_killed_goes_on_where_it_stopped_and_takes_over_the_lock(days: Days) -> None:
    assert "taking over the lock that run" in days.said, days.stage
    assert "going on with run" in days.said, days.stage
    for name, count in (("work", 0), ("lock.json", 0)):
        assert len(list(days.estate.root.glob(name))) == count, f"killed in '{days.stage}': {name} is left"
    runs = {path.name for path in (days.estate.root / "published" / "hit").iterdir()}
    assert f"run_id={days.estate.current}" in runs


def test_the_day_is_published_with_hits_and_nominals_of_one_run(days: Days) -> None:
    run = days.estate.current
    assert run.endswith("-daily")
    assert run > days.before
    for name in ("hit", "link", "event", "withdrawn", "nominal_alert", "nominal_form", "run"):
        assert (days.estate.root / "published" / name / f"run_id={run}").is_dir(), name
    star = f"{days.estate.published('hit')} where run_id = '{run}'"
    new = rows(
        f"select hit_person_ref, hit_change, hit_since_baseline from {star} and hit_change = 'new' and hit_since_baseline = 1"
    )
    assert new == [("C-DAILY-1", "new", 1)]
    known = rows(f"select count(*) from {star} and hit_since_baseline = 0")[0][0]
    assert known == rows(f"select count(*) from {days.estate.published('hit')} where run_id = '{days.before}'")[0][0]
    alerts = f"{days.estate.published('nominal_alert')} where run_id = '{run}'"
    assert rows(f"select count(*) from {alerts}")[0][0] != 0
    assert rows(f"select count(*) from {alerts} and employee_key not in (select employee_key from {star})")[0][0] == 0
    forms = f"{days.estate.published('nominal_form')} where run_id = '{run}'"
    keys = f"(select nominal_alert_key from {alerts})"
    assert rows(f"select count(*) from {forms} and nominal_alert_key not in {keys}")[0][0] == 0
    day = rows(f"select run_day_date_key, run_kind from {days.estate.published('run')} where run_id = '{run}'")
    assert day == [(int(f"{DAY:%Y%m%d}"), "daily")]


def test_the_day_looked_at_what_changed_and_at_nothing_else(days: Days) -> None:
    figures = json.loads((days.estate.root / "reports" / days.estate.current / "figures.json").read_text())
    counts = {stage["stage"]: stage["counts"] for stage in figures["stages"]}
    again = counts["find changes"].pop(AGAIN, 0)  # a made-up date of a wrong century may come on this very day
    assert counts["find changes"] == {"custody event": 1, "custody involvement": 1, "custody person": 1}
    assert 1 <= counts["standardise"]["rows of person"] <= 1 + 3 * again
    assert counts["follow"]["hits new"] == 1
    nominals = json.loads((days.estate.root / "reports" / days.estate.current / "nominals.json").read_text())
    assert nominals["looked_at"] == 1 + again
    assert nominals["records"] > 8_000
    assert not any(name in days.said for name in PLANTED)


def test_the_same_day_again_changes_nothing(days: Days) -> None:
    before, versions = days.estate.current, days.estate.delta_versions()
    assert "nothing has changed" in ok(daily(days.feeds, days.estate))
    assert days.estate.current == before
    assert days.estate.delta_versions() == versions


def test_what_was_shown_can_be_shown_again_and_scores_the_same(days: Days, tmp_path: Path) -> None:
    said = ok(submit("replay", "--out", days.estate.root, "--as-of", DAY.isoformat(), "--to", tmp_path))
    assert "0 differ" in said
    shown = rows(f"select count(*) from {days.estate.published('hit')} where run_id = '{days.estate.current}'")[0][0]
    assert len(table(tmp_path / "hit.csv")) == shown
    alerts = rows(
        "select employee_key, nominal_alert_nominal, nominal_alert_linked_records, nominal_alert_other_records "
        f"from {days.estate.published('nominal_alert')} where run_id = '{days.estate.current}'"
    )
    told = table(tmp_path / "nominal.csv")
    links = Counter((row["employee_id"], row["nominal_id"]) for row in told)
    sizes = {(row["employee_id"], row["nominal_id"]): int(row["nominal_records"]) for row in told}
    assert len(alerts) > 0
    assert {(*key, count, sizes[key] - count) for key, count in links.items()} == set(alerts)


@pytest.mark.slow
def test_what_was_shown_of_one_employee_can_be_shown_alone_from_the_day_on_which_it_was(
    days: Days, tmp_path: Path
) -> None:
    """Readers saw the run from the moment when it ended, though it was for the day after."""
    asked = ("--out", days.estate.root, "--to", tmp_path / "shown", "--employee", "9999999", "--as-of")
    ok(submit("replay", *asked, (DAY - timedelta(days=1)).isoformat()))
    with (tmp_path / "shown" / "hit.csv").open(newline="", encoding="utf-8") as file:
        assert {row["person_ref"] for row in csv.DictReader(file)} == {"C-PLANTED", "C-DAILY-1"}
    assert submit("replay", *asked, (DAY - timedelta(days=3)).isoformat()).returncode == 2


def test_readers_can_be_taken_back_to_an_earlier_run_and_status_says_so(days: Days) -> None:
    run = days.estate.current
    refused = submit("publish", "--out", days.estate.root, "--run", "20200101T000000Z-daily")
    assert refused.returncode == 2
    assert run in refused.stdout + refused.stderr
    ok(submit("publish", "--out", days.estate.root, "--run", days.before))
    assert days.estate.current == days.before
    said = ok(submit("status", "--out", days.estate.root, "--feeds", days.feeds))
    assert f"Readers see: {days.before}" in said
    assert "Lock: free" in said
    assert "Feeds written to since the last good run: none" in said
    assert "nothing has changed" in ok(daily(days.feeds, days.estate))
    assert days.estate.current == days.before, "a day without news must not bring back what was taken from readers"
    ok(submit("publish", "--out", days.estate.root, "--run", run))
    assert days.estate.current == run


@pytest.mark.slow
def test_a_day_that_a_gate_stops_publishes_nothing_and_goes_on_once_the_gate_is_raised(
    days: Days, tmp_path: Path
) -> None:
    run, conf = days.estate.current, tmp_path / "conf"
    shutil.copytree(REPO / "conf", conf)
    base = conf / "settings" / "base.toml"
    base.write_text(base.read_text().replace("conduct_match = 100\n", "conduct_match = 0\n"))
    detain(days.feeds, "C-DAILY-2")
    arguments = ("--feeds", days.feeds, "--out", days.estate.root, "--date", DAY.isoformat())
    stopped = submit("daily", *arguments, LINKAGE_CONF=str(conf))
    assert stopped.returncode == 4, stopped.stdout[-3000:]
    assert "gate new_items of conduct_match: 2 came or changed in this day" in stopped.stdout + stopped.stderr
    assert days.estate.current == run
    assert submit("status", "--out", days.estate.root).returncode == 6
    said = ok(daily(days.feeds, days.estate))
    assert "going on with run" in said
    assert days.estate.current > run


def test_what_is_held_on_one_person_is_written_and_superseded_files_are_removed(days: Days, tmp_path: Path) -> None:
    root, run = days.estate.root, days.estate.current
    said = ok(submit("subject", "--out", root, "--person", "custody:C-DAILY-1", "--to", tmp_path / "held"))
    page = (tmp_path / "held" / "subject.html").read_text()
    assert all(name.upper() in page.upper() for name in PLANTED)
    assert {"person", "link", "hit", "event", "nominal_record"} <= {
        path.stem for path in (tmp_path / "held").glob("*.csv")
    }
    assert [row["person_ref"] for row in table(tmp_path / "held" / "person.csv")] == ["C-DAILY-1"]
    assert not any(name in said for name in PLANTED)

    before = _files(root)
    said = ok(submit("retain", "--out", root, "--date", DAY.isoformat(), "--now", LINKAGE_LOG="json"))
    assert days.estate.current == run
    events = [json.loads(line) for line in said.splitlines() if line.startswith('{"at"')]
    ended = next(event for event in events if event["event"] == "run_ended")
    assert (ended["kind"], ended["status"], ended["rows_removed"]) == ("retain", "unchanged", "0")
    listed = next((root / "reports").glob("*-retain/removed_files.csv"))
    removed = {root / row["file"] for row in table(listed)}
    assert removed == before - _files(root)
    assert any("_delta_log" in str(path) for path in removed)
    assert "nothing has changed" in ok(daily(days.feeds, days.estate))


def _files(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file() and not is_checksum(path)}
