"""What an unfinished run has already done, so that the same command goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from linkage_spark.kit.refusing import never_refuses
from linkage_spark.store.files import Files


@dataclass(frozen=True)
class Done:
    """One finished stage.

    Attributes:
        seconds: wall time it took.
        counts: what it counted.
        versions: Delta version of every table it wrote.
        notes: small results that later stages need.
    """

    seconds: float
    counts: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Checkpoints:
    """The finished stages of one run, kept in one small file of its work folder.

    Attributes:
        files: the file system.
        path: the file.
        run_id: the run; an interrupted run keeps its id when it goes on.
        fingerprint: what the run is made from; a run with another fingerprint starts afresh.
        day: the day that the run is for, ISO; an interrupted run keeps it.
        done: finished stages by name.
        refuse: called before anything is written; raises where the run may write no more.
    """

    files: Files
    path: str
    run_id: str
    fingerprint: str
    day: str
    done: dict[str, Done] = field(default_factory=dict)
    refuse: Callable[[], None] = never_refuses

    @classmethod
    def open(
        cls,
        files: Files,
        folder: str,
        *,
        run_id: str,
        fingerprint: str,
        day: str,
        refuse: Callable[[], None] = never_refuses,
    ) -> tuple[Checkpoints, str | None]:
        """Take over what an interrupted run of the same fingerprint has done, else start afresh.

        Args:
            files: the file system.
            folder: the run's work folder.
            run_id: the run.
            fingerprint: what it is made from.
            day: the day that it is for, ISO.
            refuse: called before anything is written; raises where the run may write no more.

        Returns:
            The checkpoints, and the id of the run whose work was left behind; None when there was none. The
            interrupted run goes on when that id is the checkpoints' own.
        """
        path = f"{folder}/progress.json"
        found = _read(files, path)
        if found.get("fingerprint") == fingerprint:
            done = {name: Done(**stage) for name, stage in found["done"].items()}
            return cls(files, path, found["run_id"], fingerprint, found["day"], done, refuse), found["run_id"]
        refuse()
        files.delete(folder)
        files.mkdirs(folder, mode="700")
        fresh = cls(files, path, run_id, fingerprint, day, refuse=refuse)
        fresh._save()
        return fresh, found.get("run_id")

    def mark(self, stage: str, done: Done) -> None:
        """Remember a finished stage; the file is replaced whole, so a kill leaves the old or the new one."""
        self.done[stage] = done
        self._save()

    def forget_from(self, stage: str) -> None:
        """Forget a finished stage and all that were finished after it, so that they are done anew; nothing where it is not done.

        What they wrote stands until they write it again. So every stage writes its tables whole, or adds to the version that the last
        good run pins.
        """
        names = list(self.done)
        if stage not in names:
            return
        for name in names[names.index(stage) :]:
            del self.done[name]
        self._save()

    @property
    def versions(self) -> dict[str, int]:
        """Version of every table written so far."""
        return {name: version for stage in self.done.values() for name, version in stage.versions.items()}

    def _save(self) -> None:
        content = {
            "run_id": self.run_id,
            "fingerprint": self.fingerprint,
            "day": self.day,
            "done": {name: asdict(done) for name, done in self.done.items()},
        }
        self.refuse()
        self.files.write_text(self.path, json.dumps(content))


def _read(files: Files, path: str) -> dict[str, Any]:
    """The saved checkpoints; empty when there are none or the file is no JSON."""
    try:
        found = json.loads(files.read_text(path)) if files.exists(path) else {}
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}
