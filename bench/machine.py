"""What a figure was measured on: processor, memory, versions. No host name, no path."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import subprocess
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent

_PACKAGES = ("pyspark", "delta-spark", "numpy", "pyarrow", "jellyfish", "splink", "duckdb")


def describe_machine() -> dict[str, object]:
    """Processor, cores and memory."""
    return {
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(logical=True),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def describe_versions(java: str) -> dict[str, str]:
    """Python, Java, the packages that matter, and the project's commit.

    Args:
        java: the java command that runs use.
    """
    packages = {name: importlib.metadata.version(distribution_name=name) for name in _PACKAGES}
    return {"python": platform.python_version(), "java": _java_version(java), **packages, "commit": _commit()}


def _cpu_model() -> str:
    """The processor's own name; the architecture where it has none."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.is_file() else ""
    found = re.search(pattern=r"^model name\s*:\s*(.+)$", string=text, flags=re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def _java_version(java: str) -> str:
    """Version of a java command."""
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = re.search(pattern=r'version "([^"]+)"', string=told.stderr)
    return found.group(1) if found else "unknown"


def _commit() -> str:
    """The commit, marked where the working tree differs from it; 'unknown' outside a repository."""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--dirty=+changes"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
