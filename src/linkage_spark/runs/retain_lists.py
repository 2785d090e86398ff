"""Retention: which files went. What stands is written down before anything goes: where an attempt is cut off, the one that finishes tells of it.

Between two attempts other runs delete files too, so a file is told with the attempt since whose beginning it is gone, never as deleted by it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from linkage_spark.errors import LinkageError
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.csv_files import write_csv
from linkage_spark.runs.retain_told import append_removals, count_files, removal_rows, told_in_full, told_kind
from linkage_spark.store.files import FileEntry, Files

STANDING: Final = "files_before.json"
"""What stood there when an attempt began, in its report folder: it is there as long as no attempt has finished.

The next attempt takes over what it says and leaves it empty, so that one list alone is full however many attempts fail. An empty one names
the attempt that took it over.
"""

UNREADABLE: Final = "files_before.unreadable.json"
"""A list that could not be read, once an attempt has finished: nobody reads it again, and it goes with the report folder."""

REMOVED_FILES: Final = "removed_files.csv"
"""The list of deleted files in a run's report folder."""

_FOLDERS: Final = ("tables", "published", "reports", "work")


@dataclass(frozen=True)
class Standing:
    """What stood below the root when an attempt of retention began.

    Attributes:
        run_id: the attempt.
        day: the day that it was for.
        reference: the case that asked for it.
        files: files by their path below the root: all that it found, or those alone that no later attempt found.
        taken_over_by: the attempt that took its list over and left it empty; None where nobody did.
        unread: its list cannot be read.
    """

    run_id: str
    day: date
    reference: str | None
    files: Mapping[str, FileEntry]
    taken_over_by: str | None = None
    unread: bool = False


@dataclass(frozen=True)
class Gone:
    """A file that stands there no more, and the attempt since whose beginning it is gone."""

    entry: FileEntry
    since: str


def begin_lists(run: RunContext, reference: str | None) -> tuple[Standing, ...]:
    """Write down every file that stands there, before any is deleted, and what attempts that were cut off had written down.

    Args:
        run: the run.
        reference: the case that asked for it.

    Returns:
        Of each attempt that was cut off since one last finished, the oldest first, the files that no later one found; then those that this
        one found.

    Raises:
        LinkageError: the list of one that was cut off could not be got at. Nothing is removed then, so that nothing of it is lost.
    """
    earlier, there = _cut_off(run)
    lost = lost_lists(earlier)
    for one in earlier:
        run.progress.say(_told_of(one, lost))
    lists = fold_lists((*earlier, Standing(run.run_id, run.day, reference, list_files(run))))
    _write(run, lists[-1], lists[:-1])
    # From here on the new list says what they say: an empty one still says that its attempt has not come to its end.
    for one in lists[:-1]:
        if one.run_id in there - lost.keys():
            _write(run, replace(one, files={}, taken_over_by=run.run_id))
    return lists


def finish_lists(run: RunContext, lists: Sequence[Standing]) -> list[Gone]:
    """Tell of every file that is gone, in the run's report and in REMOVAL; nothing is left to tell then.

    A row of REMOVAL stands under the attempt since whose beginning its files are gone. It names that attempt's case only where this run is
    for the same: otherwise whoever worked between the two may have deleted them, and for no case.

    Args:
        run: the run.
        lists: what ``begin_lists`` returned.
    """
    gone = gone_files(lists, list_files(run))
    run.refuse_unless_held()
    _write_list(run, gone)
    # Killed from here on, an attempt is known by its rows as one of which all files are told.
    told = told_in_full(run)
    case = lists[-1].reference
    rows = []
    for one in lists:
        if one.run_id == run.run_id or one.run_id not in told:
            removed = count_files(file.entry for file in gone if file.since == one.run_id)
            rows += removal_rows(one.run_id, one.day, one.reference if one.reference == case else None, removed)
    append_removals(run, rows)
    for one in lists:
        run.refuse_unless_held()
        _put_away(run, one)
    return gone


def fold_lists(lists: Sequence[Standing]) -> tuple[Standing, ...]:
    """Every attempt once, with the files that no later one found.

    Args:
        lists: what stood there when each attempt began, the oldest first; of one attempt there may be several.
    """
    attempts = {one.run_id: one for one in lists}
    files: dict[str, dict[str, FileEntry]] = {run_id: {} for run_id in attempts}
    for file in gone_files(lists, ()):
        files[file.since][file.entry.name] = file.entry
    return tuple(replace(one, files=files[run_id]) for run_id, one in attempts.items())


def gone_files(lists: Sequence[Standing], left: Collection[str]) -> list[Gone]:
    """Files that stood there and do so no more: each is gone since the attempt began that found it last.

    Args:
        lists: what stood there when each attempt began, the oldest first.
        left: paths below the root of the files that stand there now.
    """
    found = {name: Gone(entry, one.run_id) for one in lists for name, entry in one.files.items() if name not in left}
    return [found[name] for name in sorted(found)]


def lost_lists(lists: Sequence[Standing]) -> dict[str, str]:
    """Attempts whose files nobody knows, since the list of another that took theirs over cannot be read; with that other one.

    Args:
        lists: what attempts that were cut off wrote down, each once.
    """
    known = {one.run_id for one in lists if not one.unread}
    takers = {one.run_id: one.taken_over_by for one in lists if not one.files}
    lost = {}
    for run_id in takers:
        # Each list is gone through once, so that names which somebody edited into a circle end too.
        seen, taker = {run_id}, takers[run_id]
        while taker in known and taker not in seen:
            seen.add(taker)
            taker = takers.get(taker)
        if taker is not None and taker not in known:
            lost[run_id] = taker
    return lost


def list_files(run: RunContext) -> dict[str, FileEntry]:
    """Every file below the root that may hold somebody's data, by its path below the root."""
    found = {}
    for folder in _FOLDERS:
        for entry in run.files.list(f"{run.root}/{folder}", recursive=True):
            name = f"{folder}/{entry.name}"
            if not name.endswith(f"/{STANDING}"):
                found[name] = replace(entry, name=name)
    return found


def is_unfinished(files: Files, root: str, run_id: str) -> bool:
    """A run of retention that has not come to its end, nor has a later one that told what is gone since it began."""
    return files.exists(f"{root}/reports/{run_id}/{STANDING}")


def _report(run: RunContext, run_id: str) -> str:
    return f"{run.root}/reports/{run_id}"


def _told_of(one: Standing, lost: Mapping[str, str]) -> str:
    """What is said of an attempt that was cut off."""
    if one.run_id in lost:
        return (
            f"{one.run_id} was cut off, and the list of {lost[one.run_id]}, which took its own over, cannot be read: what it deleted is not "
            "known file by file"
        )
    if one.unread and not one.files:
        return f"the list of {one.run_id} cannot be read: what it deleted is not known file by file"
    return f"{one.run_id} was cut off: what is gone since it began is told with the files of this run"


def _cut_off(run: RunContext) -> tuple[tuple[Standing, ...], frozenset[str]]:
    """What attempts wrote down that were cut off, the oldest first; those of them whose own lists can be read."""
    lists: tuple[Standing, ...] = ()
    there = set()
    # An id sorts by time; one list after the other, since each full one may name every file there is.
    for run_id in sorted(folder.name for folder in run.files.list(f"{run.root}/reports")):
        if run_id == run.run_id or not is_unfinished(run.files, run.root, run_id):
            continue
        told = _read(run, run_id)
        if told is None:
            told = (Standing(run_id, run.day, None, {}, unread=True),)
        else:
            there.add(run_id)
        lists = fold_lists((*lists, *told))
    return lists, frozenset(there)


def _put_away(run: RunContext, one: Standing) -> None:
    """An attempt of which all is told needs no list; one that could not be read stays for whoever can read it."""
    folder = _report(run, one.run_id)
    if one.unread and is_unfinished(run.files, run.root, one.run_id):
        run.files.rename_overwrite(f"{folder}/{STANDING}", f"{folder}/{UNREADABLE}")
    else:
        run.files.delete(f"{folder}/{STANDING}")
        run.files.delete_empty(folder)


def _write(run: RunContext, mine: Standing, earlier: Iterable[Standing] = ()) -> None:
    """An attempt's list, with what those before it found and it did not."""
    told = {**_as_json(mine), "earlier": [_as_json(one) for one in earlier if one.files]}
    folder = _report(run, mine.run_id)
    run.refuse_unless_held()
    run.files.mkdirs(folder, mode="700")
    run.files.write_text(f"{folder}/{STANDING}", json.dumps(told), mode="600")


def _as_json(one: Standing) -> dict[str, Any]:
    files = [(entry.name, entry.size_bytes, entry.modified_ms) for entry in one.files.values()]
    told = {"run_id": one.run_id, "day": one.day.isoformat(), "reference": one.reference, "files": files}
    return told if one.taken_over_by is None else {**told, "taken_over_by": one.taken_over_by}


def _read(run: RunContext, run_id: str) -> tuple[Standing, ...] | None:
    """An attempt's list, those before it first; None where what it says cannot be read.

    Raises:
        LinkageError: the file could not be got at, which may pass.
    """
    path = f"{_report(run, run_id)}/{STANDING}"
    try:
        content = run.files.read_bytes(path)
    except Exception as error:
        raise LinkageError(
            f"{path} could not be got at ({type(error).__name__}); nothing was removed. Start this again. If the file is lost for good, rename "
            f"it to {UNREADABLE}: what {run_id} deleted is then not known file by file"
        ) from error
    try:
        told = json.loads(content.decode())
        # Its folder says whose it is, whatever somebody wrote into it.
        return tuple(_standing(run, one) for one in (*told.get("earlier", ()), {**told, "run_id": run_id}))
    except _NO_LIST:
        # It was edited, or another version wrote it: it would be so every night, and nothing would ever be removed again.
        return None


_NO_LIST: Final = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)
"""What a text ends with that is no list; OSError is a time that no calendar has. No file is read meanwhile."""


def _standing(run: RunContext, told: Mapping[str, Any]) -> Standing:
    """What ``_as_json`` wrote; any error for anything that could not be told later."""
    files = {}
    for name, size_bytes, modified_ms in told["files"]:
        told_kind(name)
        _utc(modified_ms)
        path = f"{run.root}/{name}"
        files[name] = FileEntry(path, name, size_bytes=int(size_bytes), modified_ms=int(modified_ms), is_dir=False)
    reference, taker = told["reference"], told.get("taken_over_by")
    return Standing(
        run_id=str(told["run_id"]),
        day=date.fromisoformat(told["day"]),
        reference=None if reference is None else str(reference),
        files=files,
        taken_over_by=None if taker is None else str(taker),
    )


def _write_list(run: RunContext, gone: Iterable[Gone]) -> None:
    """The list of deleted files, kept with the run's report."""
    rows = [
        (
            file.entry.name,
            file.entry.size_bytes,
            _utc(file.entry.modified_ms),
            file.since,
        )
        for file in gone
    ]
    heads = ("file", "bytes", "modified_utc", "gone_since")
    write_csv(run.files, f"{_report(run, run.run_id)}/{REMOVED_FILES}", heads, rows)


def _utc(modified_ms: int) -> str:
    return datetime.fromtimestamp(modified_ms / 1000, tz=UTC).isoformat(timespec="seconds")
