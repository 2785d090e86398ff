"""A disk that can be filled, or that seems to be full."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[bool]:
    """A file system of a size at a folder; False where none can be mounted here."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", str(folder)], check=False)


@contextmanager
def filled(folder: Path, *, free_bytes: int) -> Iterator[None]:
    """Fill the file system of a folder but for some bytes."""
    ballast = folder / "ballast"
    ballast.write_bytes(b"\0" * max(shutil.disk_usage(folder).free - free_bytes, 0))
    try:
        yield
    finally:
        ballast.unlink()


def no_space_left(place: str) -> OSError:
    """What the system says when a disk is full, in the words of a place in a run."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place)
