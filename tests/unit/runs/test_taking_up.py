"""Which stopped run is gone on with, and what of another is removed."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.errors import LockError
from linkage_spark.runs import taking_up
from linkage_spark.runs.checkpoints import Checkpoints, Done
from linkage_spark.runs.day_gates import forget_gates_of_others
from linkage_spark.runs.left_behind import SET_ASIDE
from linkage_spark.runs.reviewers_words import forget_other_words
from linkage_spark.runs.taking_up import take_up_work


class MemoryFiles:
    """The calls that checkpoints make, in memory."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def exists(self, path: str) -> bool:
        return path in self.texts

    def read_text(self, path: str) -> str:
        return self.texts[path]

    def write_text(self, path: str, text: str) -> None:
        self.texts[path] = text

    def delete(self, folder: str) -> None:
        self.texts = {path: text for path, text in self.texts.items() if not path.startswith(folder)}

    def mkdirs(self, _: str, *, mode: str) -> None:
        assert mode == "700", "nobody else may read it"


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs whose files were removed; R1 stands in RUN, and a later run is the last good one."""
    found: list[str] = []
    monkeypatch.setattr(taking_up.publishing, "forget", lambda _, left: found.append(left))
    monkeypatch.setattr(taking_up, "run_numbers", lambda _: {"R1": 1})
    return found


def stopped(run_id: str, *, fingerprint: str = "same") -> Any:
    """The files that a run left which was killed after its first stage."""
    files: Any = MemoryFiles()
    saved, _ = Checkpoints.open(files, "out/work/daily", run_id=run_id, fingerprint=fingerprint, day="2026-11-20")
    saved.mark("screen", Done(seconds=1.0))
    return files


def start(files: Any) -> Any:
    progress = SimpleNamespace(say=lambda _: None)
    at = {"files": files, "work": "out/work/daily", "store": None, "progress": progress}
    run = SimpleNamespace(**at, run_id="R9", day=date(2026, 11, 21), is_lost=False)

    def refuse() -> None:
        if run.is_lost:
            raise LockError("lost")

    run.refuse_unless_held = refuse
    return run


def test_a_stopped_run_made_from_the_same_goes_on_under_its_id_and_day(forgotten: list[str]) -> None:
    run = start(stopped("R2"))
    saved = take_up_work(run, fingerprint="same", pinned={})
    assert (run.run_id, run.day, list(saved.done)) == ("R2", date(2026, 11, 20), ["screen"])
    assert forgotten == []


def test_of_a_stopped_run_made_from_something_else_its_files_go(forgotten: list[str]) -> None:
    run = start(stopped("R2", fingerprint="another"))
    assert take_up_work(run, fingerprint="same", pinned={}).done == {}
    assert (run.run_id, forgotten) == ("R9", ["R2"])


def test_what_a_run_left_of_its_work_never_costs_it_what_it_published(forgotten: list[str]) -> None:
    """It was killed after RUN had switched, and others were published since."""
    run = start(stopped("R1", fingerprint="another"))
    assert take_up_work(run, fingerprint="same", pinned={}).done == {}
    assert forgotten == []


def test_of_a_run_whose_notes_were_set_aside_its_files_go_and_nothing_of_it_is_gone_on_with(
    forgotten: list[str],
) -> None:
    files = stopped("R2")
    files.texts = {f"out/work/daily/{SET_ASIDE}": files.texts["out/work/daily/progress.json"]}
    run = start(files)
    assert take_up_work(run, fingerprint="same", pinned={}).done == {}
    assert (run.run_id, forgotten) == ("R9", ["R2"])
    assert list(files.texts) == ["out/work/daily/progress.json"]


def test_what_a_run_that_lost_its_lock_has_done_is_noted_nowhere(forgotten: list[str]) -> None:
    run = start(stopped("R2"))
    saved = take_up_work(run, fingerprint="same", pinned={})
    before, run.is_lost = dict(run.files.texts), True
    with pytest.raises(LockError):
        saved.mark("decide", Done(seconds=1.0))
    with pytest.raises(LockError):
        take_up_work(run, fingerprint="another", pinned={})
    assert run.files.texts == before
    assert forgotten == []


# ---- reviewers' words --------------------------------------------------------------------------------------


def decided(judged: int | None) -> Any:
    """The files that a run left which was killed before it was published, and had read that version of the words."""
    files: Any = MemoryFiles()
    saved, _ = Checkpoints.open(files, "out/work/daily", run_id="R2", fingerprint="same", day="2026-11-20")
    for no, stage in enumerate(("screen", "decide", "hits", "check", "gates")):
        notes = {"judged": judged} if stage == "decide" else {}
        saved.mark(stage, Done(seconds=1.0, versions={f"of {stage}": no}, notes=notes))
    return files


@pytest.mark.parametrize("judged", [None, 0, 4])
def test_a_stopped_run_goes_on_where_nobody_has_said_anything_since_it_read_the_words(
    forgotten: list[str], judged: int | None
) -> None:
    run = start(decided(judged))
    saved = take_up_work(run, fingerprint="same", pinned={})
    forget_other_words(run, saved, judged)
    assert list(saved.done) == ["screen", "decide", "hits", "check", "gates"]


@pytest.mark.parametrize(("judged", "now"), [(None, 0), (4, 5), (4, None)])
def test_where_somebody_has_it_decides_anew_and_keeps_what_knows_of_no_words(
    forgotten: list[str], judged: int | None, now: int | None
) -> None:
    run = start(decided(judged))
    saved = take_up_work(run, fingerprint="same", pinned={})
    forget_other_words(run, saved, now)
    assert (run.run_id, list(saved.done), saved.versions) == ("R2", ["screen"], {"of screen": 0})
    again = take_up_work(start(run.files), fingerprint="same", pinned={})
    assert list(again.done) == ["screen"], "it is killed once more right then"


def test_a_run_that_was_stopped_before_it_read_the_words_reads_those_that_stand_now(forgotten: list[str]) -> None:
    run = start(stopped("R2"))
    saved = take_up_work(run, fingerprint="same", pinned={})
    forget_other_words(run, saved, 5)
    assert list(saved.done) == ["screen"]


def test_a_run_that_lost_its_lock_forgets_nothing(forgotten: list[str]) -> None:
    run = start(decided(4))
    saved = take_up_work(run, fingerprint="same", pinned={})
    before, run.is_lost = dict(run.files.texts), True
    with pytest.raises(LockError):
        forget_other_words(run, saved, 5)
    assert run.files.texts == before


@pytest.mark.parametrize(
    ("measured", "now", "left"), [("A", "A", ["screen", "gates"]), ("A", "B", ["screen"]), (None, "B", ["screen"])]
)
def test_gates_that_were_held_on_other_nominals_are_held_again(
    forgotten: list[str], measured: str | None, now: str, left: list[str]
) -> None:
    """As after a reviewer's word on two persons, said between a stop in publishing and the next start."""
    files = stopped("R2")
    run = start(files)
    saved = take_up_work(run, fingerprint="same", pinned={})
    saved.mark("gates", Done(seconds=1.0, notes={"nominals": measured}))
    nominals: Any = SimpleNamespace(saved=SimpleNamespace(fingerprint=now))
    forget_gates_of_others(saved, nominals)
    assert list(saved.done) == left
