"""What a run of retention is asked, and what it says of the files that went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from linkage_spark.errors import GateError, LinkageError, LockError, UsageError
from linkage_spark.runs import publishing, retain, retain_files
from linkage_spark.runs.daily_nominals import NominalPart
from linkage_spark.runs.retain import Order, found_in_words, read_subjects
from linkage_spark.runs.retain_lists import Gone, Standing, fold_lists, gone_files, lost_lists
from linkage_spark.runs.retain_rows import RetainedEstate
from linkage_spark.runs.retain_told import count_files, told_kind
from linkage_spark.store.files import FileEntry
from linkage_spark.tables.enums import RemovalKind
from linkage_spark.tables.nominals import PERSON_JUDGEMENT


def files(text: str | None) -> Any:
    return SimpleNamespace(is_file=lambda _: text is not None, read_text=lambda _: text)


def test_a_file_of_subjects_is_read_once_each() -> None:
    text = "\ufeffkind,source_system,ref\nemployee,,E1\nperson,crime,N 1\nevent,incident,G1\nemployee,ignored,E1\n"
    assert read_subjects(files(text), "x.csv") == {
        ("employee", None, "E1"): (2, 5),
        ("person", "crime", "N 1"): (3,),
        ("event", "incident", "G1"): (4,),
    }


def test_a_line_is_told_by_its_place_in_the_file_blank_ones_counted() -> None:
    text = "kind,source_system,ref\r\n\r\nemployee,,E1\r\n\r\n\r\nnobody,,x\r\n"
    with pytest.raises(UsageError, match="line 6: kind may be"):
        read_subjects(files(text), "x.csv")
    assert read_subjects(files(text.replace("nobody", "employee")), "x.csv") == {
        ("employee", None, "E1"): (3,),
        ("employee", None, "x"): (6,),
    }


def test_who_is_named_in_no_table_is_told_by_line_and_never_by_name() -> None:
    text = "kind,source_system,ref\nemployee,,E1\nemployee,,Secret1\nperson,crime,n1\nemployee,,Secret1\n"
    lines = read_subjects(files(text), "x.csv")
    order = Order(subjects=tuple(lines), reference="IG/1", lines=lines)
    told = found_in_words(order, {("employee", None, "E1")})
    assert told.split("\n") == [
        "1 of the 3 asked for were named in a table before anything was removed.",
        "line 3, 4, 5: nothing of these was held; see whether they are written as the source writes them",
    ]
    assert "Secret1" not in told
    assert found_in_words(order, set(lines)).startswith("3 of the 3")
    assert "line" not in found_in_words(order, set(lines))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no such file"),
        ("", "needs the columns kind, source_system, ref and a row"),
        ("kind,ref\nemployee,E1\n", "needs the columns kind, source_system, ref and a row"),
        ("kind,source_system,ref\nnobody,,Secret1\n", "line 2: kind may be one of employee, person, event"),
        ("kind,source_system,ref\nemployee,,\n", "line 2: ref is empty"),
        ("kind,source_system,ref\nemployee,,E1\nperson,hr,Secret1\n", "line 3: source_system may be one of crime"),
    ],
)
def test_a_faulty_file_is_told_by_its_lines_and_not_by_what_they_say(text: str | None, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_subjects(files(text), "x.csv")
    assert said in str(raised.value)
    assert "Secret1" not in str(raised.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        read_subjects(files("kind,source_system,ref\nx,,1\nemployee,,\n"), "x.csv")
    assert len(str(raised.value).split("\n")) == 2


def test_an_order_on_somebody_names_its_case() -> None:
    with pytest.raises(UsageError, match="--reference"):
        Order(subjects=(("employee", None, "E1"),))
    assert Order(subjects=(("employee", None, "E1"),), reference="IG/1").subjects


def test_an_order_that_found_nobody_is_no_success_unless_an_earlier_run_began_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    order = Order(subjects=(("employee", None, "Secret1"),), reference="IG/1")
    run: Any = None
    monkeypatch.setattr(retain, "_was_begun", lambda *_: False)
    with pytest.raises(UsageError, match="no table named any of the 1 asked for") as raised:
        retain._refuse_unknown(run, order)
    assert raised.value.exit_code == 2
    assert "Secret1" not in str(raised.value)
    monkeypatch.setattr(retain, "_was_begun", lambda *_: True)
    retain._refuse_unknown(run, order)
    assert "An earlier run for this reference" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "kind", "part"),
    [
        ("tables/person/part-0.parquet", RemovalKind.TABLE_FILES, "person"),
        ("tables/person/_delta_log/00000000000000000001.json", RemovalKind.LOG_FILES, "person"),
        ("published/hit/run_id=R1/part-0.parquet", RemovalKind.SNAPSHOT, "R1"),
        ("reports/R1/report.html", RemovalKind.REPORT, "R1"),
        ("work/daily/batch/part-0.parquet", RemovalKind.WORK, "daily"),
    ],
)
def test_a_file_is_told_by_its_place(name: str, kind: RemovalKind, part: str) -> None:
    assert told_kind(name) == (kind, part)


def nominals_on(persons: int, *, with_pairs: bool = True) -> NominalPart:
    good = SimpleNamespace(versions={"person": persons, **({"nominal_pair": 1} if with_pairs else {})})
    former: Any = SimpleNamespace(good=good, figures={"made_from": "x", "run_id": "N", "run_no": 3})
    return NominalPart(former=former, of_model=None, judged_at=None, model=cast("Any", None))


def test_nominals_carried_over_stand_on_the_persons_that_they_were_made_of_alone() -> None:
    now: Any = SimpleNamespace(versions={"person": 7})
    assert nominals_on(7).stands_on(now)
    assert not nominals_on(6).stands_on(now)
    assert not nominals_on(7, with_pairs=False).stands_on(now), "carried over by retention, after a backfill"
    run: Any = SimpleNamespace(run_id="R")
    told = nominals_on(6).carried_over(run, now, {"person": 7}, as_they_were=False, judged_at=None)
    assert told == {"made_from": "x", "run_id": "R", "run_no": 3}


# ---- files of attempts that were cut off --------------------------------------------------------------------


def standing(run_id: str, *names: str) -> Standing:
    entries = {
        name: FileEntry(path=f"/x/{name}", name=name, size_bytes=7, modified_ms=0, is_dir=False) for name in names
    }
    return Standing(run_id=run_id, day=date(2026, 11, 21), reference=None, files=entries)


def test_a_file_is_gone_since_the_last_attempt_began_that_found_it() -> None:
    first = standing("R1", "tables/person/a", "tables/person/b", "published/hit/run_id=R0/c", "tables/person/d")
    second = standing("R2", "tables/person/b", "published/hit/run_id=R0/c", "tables/person/d", "tables/person/new")
    gone = gone_files([first, second], {"tables/person/d", "tables/person/new", "tables/person/newer"})
    assert [(file.entry.name, file.since) for file in gone] == [
        ("published/hit/run_id=R0/c", "R2"),
        ("tables/person/a", "R1"),
        ("tables/person/b", "R2"),
    ]
    assert count_files(file.entry for file in gone) == {
        ("snapshot", "R0", "superseded"): [0, 1, 7],
        ("table_files", "person", "superseded"): [0, 2, 14],
    }
    assert count_files(standing("R", "work/daily/x").files.values()) == {("work", "daily", "left_behind"): [0, 1, 7]}


def test_lists_are_folded_into_one_that_says_of_each_file_which_attempt_found_it_last() -> None:
    first = standing("R1", "tables/person/a", "tables/person/b")
    second = standing("R2", "tables/person/b", "tables/person/c")
    # As it stands once the second has taken the first one over, and was killed before it had emptied it.
    folded = fold_lists([first, standing("R1", "tables/person/a"), second])
    assert [(one.run_id, sorted(one.files)) for one in folded] == [
        ("R1", ["tables/person/a"]),
        ("R2", ["tables/person/b", "tables/person/c"]),
    ]
    assert fold_lists([standing("R1"), *folded]) == folded
    assert fold_lists([]) == ()
    left = {"tables/person/c"}
    assert gone_files(folded, left) == gone_files([first, second], left)


def test_files_of_an_attempt_are_unknown_where_the_list_is_lost_that_took_its_own_over() -> None:
    def empty(run_id: str, taken_over_by: str | None = None, *, unread: bool = False) -> Standing:
        return replace(standing(run_id), taken_over_by=taken_over_by, unread=unread)

    one, two = empty("R1", "R2"), empty("R2", "R3")
    assert lost_lists([one, two, standing("R3", "tables/person/a")]) == {}
    assert lost_lists([one, two, empty("R3", unread=True)]) == {"R1": "R3", "R2": "R3"}
    assert lost_lists([one, two]) == {"R1": "R3", "R2": "R3"}, "it is not there at all"
    assert lost_lists([one, empty("R2", unread=True)]) == {"R1": "R2"}
    found = replace(one, files=standing("R1", "tables/person/a").files)
    assert lost_lists([found, empty("R2", unread=True)]) == {}, "a later attempt knows them all the same"
    assert lost_lists([one, empty("R2", "R1")]) == {}, "nobody waits for the end of a circle"


@pytest.mark.parametrize("asked", [0, 1, 2])
def test_each_snapshot_and_report_goes_only_while_the_lock_is_held(monkeypatch: pytest.MonkeyPatch, asked: int) -> None:
    row = {"status": "published", "kind": "daily", "run_day": TODAY, "run_no": 1, "run_id": "R1", "finished_at": LATE}
    gone: list[str] = []
    for name, of_run in {
        "last_good_run": lambda _: good_run(),
        "last_removal_no": lambda *_: 0,
        "list_published_runs": lambda *_: ("R0", "R1"),
        "is_unfinished": lambda *_: False,
        "delete_published": lambda *given: gone.append(f"snapshot {given[-1]}"),
    }.items():
        monkeypatch.setattr(retain_files, name, of_run)
    report = FileEntry(path="reports/R0", name="R0", size_bytes=0, modified_ms=0, is_dir=True)
    held = iter([True] * asked)

    def refuse() -> None:
        if not next(held, False):
            raise LockError("another run holds the lock")

    run = run_on(TODAY)
    run.settings = SimpleNamespace(retention=SimpleNamespace(published_days=31))
    run.store = SimpleNamespace(read=lambda _: SimpleNamespace(collect=lambda: [row]))
    run.files = SimpleNamespace(list=lambda _: [report], delete=gone.append)
    run.refuse_unless_held = refuse
    if asked < 2:
        with pytest.raises(LockError):
            retain_files._remove_snapshots(run, earlier=False)
    else:
        retain_files._remove_snapshots(run, earlier=False)
    assert gone == ["snapshot R0", "reports/R0"][:asked]


@pytest.mark.parametrize(("since", "said"), [(("R9", "R9"), False), (("R8", "R9"), True)])
def test_what_had_gone_before_a_run_began_is_not_told_as_its_own_doing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], since: tuple[str, str], *, said: bool
) -> None:
    monkeypatch.setattr(retain, "last_good_run", lambda _: good_run())
    monkeypatch.setattr(publishing, "say_last", lambda *_: None)
    names = ("tables/person/a", "work/daily/b")
    gone = [Gone(standing("R", name).files[name], run_id) for name, run_id in zip(names, since, strict=True)]
    estate: Any = SimpleNamespace(removed={}, rows=0)
    retain._say(run_on(TODAY), estate, Order(), gone, ())
    told = capsys.readouterr().out
    assert "1 files: table_files" in told
    assert ("1 of these files had gone before this run began" in told) == said


# ---- what is refused before anything is removed -------------------------------------------------------------

TODAY = date(2026, 7, 2)
LATE = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
"""Half past midnight of TODAY in London."""


def good_run(day: date = TODAY) -> Any:
    return SimpleNamespace(day=day, run_id="R1", shown_run_id="R1", made_from=None, versions={})


def run_on(day: date) -> Any:
    return SimpleNamespace(day=day, started_at=LATE, store=None, root="/x", run_id="R9", files=None)


@pytest.mark.parametrize(
    ("day", "of_good", "refused"),
    [
        (TODAY, date(2026, 7, 1), False),
        (date(2026, 7, 3), date(2026, 7, 1), True),
        (date(2036, 7, 2), date(2026, 7, 1), True),
        (date(2026, 7, 3), date(2026, 7, 3), False),  # the last run was for the day after
        (date(2026, 7, 4), date(2026, 7, 3), True),
        (date(2026, 6, 1), date(2026, 7, 1), False),
    ],
)
def test_a_day_that_is_still_to_come_removes_nothing(
    monkeypatch: pytest.MonkeyPatch, day: date, of_good: date, *, refused: bool
) -> None:
    begun: list[Any] = []

    @contextmanager
    def opened(*_: Any, **__: Any) -> Iterator[Any]:
        yield run_on(day)

    monkeypatch.setattr(retain, "open_run", opened)
    monkeypatch.setattr(retain, "last_good_run", lambda _: good_run(of_good))
    monkeypatch.setattr(retain, "retain", lambda run, order: begun.append((run.day, order.at_once)))
    if refused:
        with pytest.raises(UsageError, match=f"--date {day}: this day is still to come"):
            retain.run_retain(root="/x", day=day, at_once=True)
        assert begun == []
    else:
        assert retain.run_retain(root="/x", day=day, at_once=True) == 0
        assert begun == [(day, True)]


class BegunError(Exception):
    """Files are about to go."""


def refuse_to_begin(*_: Any) -> None:
    raise BegunError


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Classes of the errors that a run of retention notes in RUN; it stops where files would begin to go."""
    noted: list[str] = []
    for name, of_run in {
        "last_good_run": lambda _: good_run(),
        "_refuse_taken_back": lambda *_: None,
        "nominal_part": lambda _: None,
        "begin_lists": refuse_to_begin,
    }.items():
        monkeypatch.setattr(retain, name, of_run)
    monkeypatch.setattr(publishing, "repair_current_run", lambda *_: None)
    monkeypatch.setattr(publishing, "record_failure", lambda _, *, error, **__: noted.append(type(error).__name__))
    return noted


NAMED = Order(subjects=(("employee", None, "Secret1"),), reference="IG/1")


@pytest.mark.parametrize(
    ("order", "stands", "refused"), [(NAMED, False, True), (NAMED, True, False), (Order(), False, False)]
)
def test_an_order_waits_for_nominals_that_were_made_since_the_last_backfill(
    monkeypatch: pytest.MonkeyPatch, failures: list[str], order: Order, *, stands: bool, refused: bool
) -> None:
    part = SimpleNamespace(stands_on=lambda _: stands)
    monkeypatch.setattr(retain, "nominal_part", lambda _: part)
    with pytest.raises(GateError if refused else BegunError) as raised:
        retain.retain(run_on(TODAY), order)
    if refused:
        assert "the nominals were made before the last backfill" in str(raised.value)
    assert "Secret1" not in str(raised.value)
    assert failures == [type(raised.value).__name__]


def test_readers_who_were_taken_back_hold_retention_up_and_run_says_so(
    monkeypatch: pytest.MonkeyPatch, failures: list[str]
) -> None:
    def refuse(*_: Any) -> None:
        raise GateError("readers were taken back")

    monkeypatch.setattr(retain, "_refuse_taken_back", refuse)
    with pytest.raises(GateError, match="taken back"):
        retain.retain(run_on(TODAY), Order())
    assert failures == ["GateError"]


def test_what_asks_for_another_command_is_no_failure_of_a_run(
    monkeypatch: pytest.MonkeyPatch, failures: list[str]
) -> None:
    def refuse(*_: Any) -> None:
        raise UsageError("no table named any of the 1 asked for")

    monkeypatch.setattr(retain, "begin_lists", refuse)
    with pytest.raises(LinkageError):
        retain.retain(run_on(TODAY), NAMED)
    assert failures == []


# ---- reviewers' words --------------------------------------------------------------------------------------


def test_words_go_only_once_removal_tells_of_them_and_before_a_run_says_that_they_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    told: list[Any] = []

    def note(name: str) -> Any:
        return lambda *_, **__: done.append(name)

    for name in ("_copy_snapshot", "remove_words", "write_run", "move_current_run"):
        monkeypatch.setattr(retain, name, note(name))
    monkeypatch.setattr(retain, "append_removals", lambda _, rows: (done.append("append_removals"), told.extend(rows)))
    monkeypatch.setattr(publishing, "run_row", lambda *_, **__: {})
    run = run_on(TODAY)
    run.refuse_unless_held = lambda: None
    good = SimpleNamespace(**{**vars(good_run()), "counts_json": "{}", "model_id": "m"})
    removed = Counter({("link_judgement", "asked_for"): 2})
    estate = RetainedEstate(
        good=cast("Any", good), nominals=None, nominals_as_they_were=False, versions={}, removed=removed
    )
    retain._switch(run, estate, NAMED)
    assert done == ["_copy_snapshot", "append_removals", "remove_words", "write_run", "move_current_run"]
    assert [(row[4], row[5], row[6], row[9]) for row in told] == [("link_judgement", "asked_for", 2, "IG/1")]


def test_words_whose_table_is_gone_are_pinned_no_more() -> None:
    there = {"person_judgement": 4, "link_judgement": None}
    run: Any = SimpleNamespace(store=SimpleNamespace(version=lambda table: there[table.name]))
    pinned = {"person": 7, "person_judgement": 3, "link_judgement": 5}
    assert retain.without_lost_words(run, pinned) == {"person": 7, "person_judgement": 3}


@pytest.mark.parametrize(
    ("judged_at", "newest", "removed", "came_in"),
    [
        (3, 3, False, False),
        (3, 4, False, True),
        (3, 4, True, False),
        (3, 5, True, True),
        (None, None, False, False),
        (None, 0, False, True),
    ],
)
def test_words_on_records_that_come_in_while_retention_works_are_news_for_the_next_day(
    judged_at: int | None, newest: int | None, *, removed: bool, came_in: bool
) -> None:
    estate: Any = SimpleNamespace(words={PERSON_JUDGEMENT: None} if removed else {})
    part: Any = SimpleNamespace(judged_at=judged_at)
    assert retain.words_came_in(estate, part, newest) == came_in


@pytest.mark.parametrize("at_once", [False, True])
def test_what_is_being_added_to_words_is_spared_for_a_day_unless_all_goes_at_once(
    monkeypatch: pytest.MonkeyPatch, *, at_once: bool
) -> None:
    asked: dict[str, dict[str, Any]] = {}
    monkeypatch.setattr(retain_files, "_remove_snapshots", lambda *_, **__: None)
    monkeypatch.setattr(retain_files, "purge", lambda _, table, **given: asked.update({table.name: given}))
    run = run_on(TODAY)
    run.settings = SimpleNamespace(retention=SimpleNamespace(table_days=30))
    run.store = SimpleNamespace(exists=lambda _: True)
    run.refuse_unless_held = lambda: None
    retain_files.remove_files(run, at_once=at_once, earlier=False)
    spared = {name for name, given in asked.items() if given["spared_hours"] == retain_files.SPARED_HOURS > 0}
    assert spared == (set() if at_once else {"link_judgement", "person_judgement"})
    assert all(given["spared_hours"] == 0 for name, given in asked.items() if name not in spared)
    assert asked["link_judgement"]["kept_days"] == asked["person_judgement"]["kept_days"] == 0
