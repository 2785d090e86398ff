"""Progress that a person can follow, or with LINKAGE_LOG=json a program: stage, counts, elapsed. Never a person's value."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO


@dataclass
class Stage:
    """One stage that has run or is running.

    Attributes:
        name: the stage.
        seconds: wall time; 0 while it runs.
        counts: what it counted, by name.
        resumed: True when an earlier, interrupted run had already done it.
    """

    name: str
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    resumed: bool = False


@dataclass
class Progress:
    """Prints a line at the start and at the end of every stage, and remembers them.

    Attributes:
        stream: where to.
        as_json: a JSON object a line, with ``at`` (UTC), ``event``, and what belongs to it.
        stages: those that are done.
    """

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    as_json: bool = field(default_factory=lambda: os.environ.get("LINKAGE_LOG") == "json")
    stages: list[Stage] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """Print one line with the elapsed time."""
        self._print("said", text, said=text)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time one stage; the caller puts its counts on the object it gets."""
        stage = Stage(name=name)
        began = time.monotonic()
        self._print("stage_started", f"{name} …", stage=name)
        yield stage
        stage.seconds = round(time.monotonic() - began, 2)
        self.stages.append(stage)
        again = "taken over from the interrupted run, " if stage.resumed else ""
        text = f"{name} done: {again}{in_words(stage.counts)}{stage.seconds:.1f} s"
        told = {"stage": name, "stage_seconds": stage.seconds, "counts": stage.counts, "resumed": stage.resumed}
        self._print("stage_done", text, **told)

    def end(self, told: Mapping[str, str]) -> None:
        """The one line that a scheduler keeps of a run."""
        if self.as_json:
            self._print("run_ended", "", **told)
        else:
            line = " ".join(f"{name}={value}" for name, value in told.items())
            print(f"linkage_spark {line}", file=self.stream, flush=True)

    def _print(self, event: str, text: str, **told: Any) -> None:
        """One line."""
        if self.as_json:
            stamp = {"at": datetime.now(tz=UTC).isoformat(timespec="milliseconds"), "event": event}
            line = json.dumps({**stamp, "elapsed_seconds": round(self.elapsed, 1), **told}, ensure_ascii=False)
        else:
            line = f"[{self.elapsed:7.1f} s] {text}"
        print(line, file=self.stream, flush=True)


def in_words(counts: Mapping[str, int]) -> str:
    """``{'rows in': 1200}`` as ``'rows in 1,200, '``."""
    return "".join(f"{name} {value:,}, " for name, value in counts.items())
