"""Progress that a person can follow: stage, counts, elapsed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO


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
    """Prints a line at the start and at the end of every stage, and remembers them."""

    stream: TextIO = field(default_factory=lambda: sys.stdout)
    stages: list[Stage] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """Print one line with the elapsed time."""
        print(f"[{self.elapsed:7.1f} s] {text}", file=self.stream, flush=True)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time one stage; the caller puts its counts on the object it gets."""
        stage = Stage(name=name)
        began = time.monotonic()
        self.say(f"{name} …")
        yield stage
        stage.seconds = round(time.monotonic() - began, 2)
        self.stages.append(stage)
        again = "taken over from the interrupted run, " if stage.resumed else ""
        self.say(f"{name} done: {again}{in_words(stage.counts)}{stage.seconds:.1f} s")


def in_words(counts: Mapping[str, int]) -> str:
    """``{'rows in': 1200}`` as ``'rows in 1,200, '``."""
    return "".join(f"{name} {value:,}, " for name, value in counts.items())
