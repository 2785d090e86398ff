"""The documents are true where a machine can tell: commands, options, targets and paths they name exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
PAGES = sorted([REPO / "README.md", *(REPO / "docs").rglob("*.md")])


def found(pattern: str) -> list[tuple[str, str]]:
    return [(page.name, hit) for page in PAGES for hit in re.findall(pattern, page.read_text(), flags=re.MULTILINE)]


COMMANDS = [
    (page, command) for page, command in found(r"(scripts/submit\.sh [^`\n#]+)") if not command.endswith("submit.sh ")
]


def test_there_are_commands_to_check() -> None:
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_a_command_names_a_job_and_options_that_it_takes(page: str, command: str) -> None:
    words = shlex.split(command.replace("…", "").replace("[", "").replace("]", ""))
    if words[1].startswith("--"):
        return
    job, _, arguments = words[1], words.index("--") if "--" in words else None, words
    source = REPO / "jobs" / f"{job}.py"
    assert source.is_file(), f"{page}: no job {job}"
    given = arguments[arguments.index("--") + 1 :] if "--" in arguments else []
    for option in (word for word in given if word.startswith("--")):
        assert f'"{option}"' in source.read_text(), f"{page}: job {job} takes no {option}"


@pytest.mark.thorough
@pytest.mark.parametrize("job", sorted(path.stem for path in (REPO / "jobs").glob("*.py")))
def test_every_job_explains_itself_without_a_session(job: str) -> None:
    python = REPO / ".venv" / "bin" / "python"
    done = subprocess.run(
        [str(python), str(REPO / "jobs" / f"{job}.py"), "--help"],
        env={**os.environ, "PYTHONPATH": str(REPO / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


@pytest.mark.parametrize(("page", "target"), found(r"`?make ([a-z][a-z-]+)`?"))
def test_every_make_target_exists(page: str, target: str) -> None:
    if target in {"sure", "it"}:
        return
    assert re.search(rf"^{target}:", (REPO / "Makefile").read_text(), flags=re.MULTILINE), f"{page}: make {target}"


@pytest.mark.parametrize(("page", "path"), sorted(set(found(r"`((?:docs|conf|jobs|scripts|src|tests)/[\w./-]+)`"))))
def test_every_path_exists(page: str, path: str) -> None:
    assert (REPO / path).exists(), f"{page} names {path}"
