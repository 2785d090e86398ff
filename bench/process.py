"""Run one program and watch it: its lines with their times, wall and processor time, peak memory of the whole tree."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.5


@dataclass
class Watched:
    """What a program did.

    Attributes:
        code: exit code.
        seconds: wall time, start of processes included.
        cpu_seconds: processor time of the tree, as far as samples saw it.
        cpu_by_program: the same by program (java, python).
        others_cpu_seconds: processor time that everything else on the machine took meanwhile: how quiet it was.
        peak_bytes: the largest sum of memory over the tree at one sample. A page that processes share is parted
            between them (PSS), where the system says so: a fork of Java would count twice otherwise.
        peak_by_program: the largest sum over the processes of one program (java, python) at one sample.
        lines: (wall clock time, line) of standard output.
    """

    code: int = -1
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    cpu_by_program: dict[str, float] = field(default_factory=dict)
    others_cpu_seconds: float = 0.0
    peak_bytes: int = 0
    peak_by_program: dict[str, int] = field(default_factory=dict)
    lines: list[tuple[float, str]] = field(default_factory=list)


def watch(command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> Watched:
    """Run ``command`` to its end and say what it took.

    Args:
        command: words; started without a shell.
        environment: the whole environment.
        log: where both streams are kept.

    Returns:
        Also when the program failed: the caller looks at ``code``.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    watched = Watched()
    began, busy = time.monotonic(), _busy_seconds()
    with log.open("w", encoding="utf-8") as kept:
        process = subprocess.Popen(
            list(command), env=dict(environment), stdout=subprocess.PIPE, stderr=kept, text=True, bufsize=1
        )
        ended = threading.Event()
        sampler = threading.Thread(target=_sample, args=(process.pid, watched, ended), daemon=True)
        sampler.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                watched.lines.append((time.time(), line.rstrip("\n")))
                kept.write(line)
                kept.flush()
            watched.code = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            ended.set()
            sampler.join()
    watched.seconds = time.monotonic() - began
    watched.others_cpu_seconds = max(0.0, _busy_seconds() - busy - watched.cpu_seconds)
    return watched


def _sample(pid: int, watched: Watched, ended: threading.Event) -> None:
    """Add up the tree's memory and processor time until it has ended."""
    cpu: dict[tuple[int, float, str], float] = {}
    while not ended.is_set():
        memory: dict[str, int] = {}
        for process in _tree(pid):
            try:
                with process.oneshot():
                    program = process.name().split(".")[0].rstrip("0123456789")
                    memory[program] = memory.get(program, 0) + _memory(process)
                    spent = process.cpu_times()
                    cpu[(process.pid, process.create_time(), program)] = spent.user + spent.system
            except psutil.Error:
                continue
        watched.peak_bytes = max(watched.peak_bytes, sum(memory.values()))
        for program, size in memory.items():
            watched.peak_by_program[program] = max(watched.peak_by_program.get(program, 0), size)
        watched.cpu_seconds = sum(cpu.values())
        programs = {program for _, _, program in cpu}
        watched.cpu_by_program = {
            name: sum(spent for (_, _, program), spent in cpu.items() if program == name) for name in sorted(programs)
        }
        ended.wait(SAMPLE_SECONDS)


def _memory(process: psutil.Process) -> int:
    """Bytes a process holds, its part of shared pages."""
    found = process.memory_full_info()
    return int(getattr(found, "pss", found.rss))


def _busy_seconds() -> float:
    """Processor time of the whole machine since it started."""
    spent = psutil.cpu_times()
    return float(spent.user + spent.nice + spent.system)


def _tree(pid: int) -> list[psutil.Process]:
    """A process and everything below it."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []
