"""The run book, line by line: every command of docs/operations.md and the exit codes that it explains, on a made-up force."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from linkage_spark.runs.context import FORCE_ZONE
from tests.support.disks import small_disk
from tests.support.force import PLANTED, Estate, detain, rows
from tests.support.held import is_checksum
from tests.support.jobs import COMPILED, LONGEST, REPO, killed_in, stopped_in, submit, table

pytestmark = pytest.mark.slow

PAGE = (REPO / "docs" / "operations.md").read_text()
JOBS = "|".join(path.stem for path in (REPO / "jobs").glob("*.py"))
PLACES = {"DIR", "FOLDER", "FILE", "RUN", "M"}
"""Words that stand for something: what has one of them is a command to be run, and no mention of an option."""

SUBMIT = "scripts/submit.sh "
EMPLOYEE, MODEL = "9999999", "screening_v2"
LEFT_OUT_HERE = ("--env", "--size")
"""Options for the cluster alone, with their values."""


def commands() -> list[str]:
    """What the page has one run, in its order: whole commands, and jobs with their options that a sentence names."""
    named = re.findall(rf"`((?:{SUBMIT})?(?:{JOBS}) [^`]*--[^`]+)`", PAGE)
    return [*dict.fromkeys(command for command in named if PLACES & set(shlex.split(command)))]


@dataclass
class Book:
    """An estate that is run by the page.

    Attributes:
        folder: holds all of it.
        stands_for: what words of the page stand for here.
        tried: the commands of the page that ended as it says.
    """

    folder: Path
    stands_for: dict[str, str] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)

    @property
    def feeds(self) -> Path:
        """Where the sources deliver."""
        return self.folder / "feeds"

    @property
    def estate(self) -> Estate:
        """The output root."""
        return Estate(self.folder / "estate")

    @property
    def scratch(self) -> Path:
        """TMPDIR of its jobs."""
        folder = self.folder / "tmp"
        folder.mkdir(exist_ok=True)
        return folder

    def command(self, beginning: str) -> str:
        """The command of the page that begins so."""
        return next(command for command in commands() if command.removeprefix(SUBMIT).startswith(beginning))

    def typed(self, beginning: str) -> list[str]:
        """It, as it is typed here: the job and its arguments."""
        words = shlex.split(self.command(beginning).removeprefix(SUBMIT).replace("[", "").replace("]", ""))
        pairs = list(zip(["", *words], words, strict=False))
        told = {"--feeds": str(self.feeds), "--out": str(self.estate.root), "--as-of": str(today())}
        here = [
            told.get(before, self.stands_for.get(word, word))
            for before, word in pairs
            if word != "--" and word not in LEFT_OUT_HERE and before not in LEFT_OUT_HERE
        ]
        return here if "--out" in here else [*here, "--out", str(self.estate.root)]

    def run(self, beginning: str, code: int = 0, **env: str) -> str:
        """Run the command of the page that begins so; it must end with a code. What it printed."""
        job, *arguments = self.typed(beginning)
        done = submit(job, *arguments, **{"TMPDIR": str(self.scratch), **env})
        said = done.stdout + done.stderr
        assert done.returncode == code, f"{job} ended with {done.returncode}: {said[-6000:]}"
        assert not any(name.upper() in said.upper() for name in PLANTED), f"{job} tells a person's name"
        if code == 0:
            self.tried.add(self.command(beginning))
        return said

    def settings(self, name: str, now: str, then: str, *, file: str = "local.toml") -> str:
        """A copy of conf/ in which a settings file says something else."""
        conf = self.folder / name
        shutil.copytree(REPO / "conf", conf)
        path = conf / "settings" / file
        assert now in path.read_text()
        path.write_text(path.read_text().replace(now, then, 1))
        return str(conf)

    def hits(self) -> list[tuple[object, ...]]:
        """What readers see of the planted person: custody number and what became of the hit."""
        of_run = f"{self.estate.published('hit')} where run_id = '{self.estate.current}'"
        return rows(
            f"select hit_person_ref, hit_change from {of_run} and regexp_matches(hit_person_ref, '^C-[A-Z]') order by all"
        )


def today() -> str:
    return datetime.now(tz=FORCE_ZONE).date().isoformat()


@pytest.fixture(scope="module")
def book(feeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Book:
    folder = tmp_path_factory.mktemp("book")
    shutil.copytree(feeds, folder / "feeds", copy_function=shutil.copy2)
    stands_for = {"E": EMPLOYEE, "SOURCE:REF": "custody:C-PLANTED", "M": MODEL, "CASE": "ORDER-1"}
    stands_for |= {"NAME, POST": "A. Person, head of the lab", "MINUTE": "MINUTE-7"}
    return Book(folder, stands_for | {"FOLDER": str(folder / "shown"), "FILE": str(folder / "subjects.csv")})


def test_the_order_of_things(book: Book) -> None:
    book.run("backfill", **COMPILED)
    forms = book.estate.root / "published" / "nominal_form"
    assert not (forms / f"run_id={book.estate.current}").exists(), "until 'nominals' has run readers see none"
    book.run("nominals")
    assert "nothing has changed" in book.run("daily")
    said = book.run("status")
    assert "Lock: free" in said
    assert f"Readers see: {book.estate.current}" in said
    assert (forms / f"run_id={book.estate.current}").is_dir()
    assert book.hits() == [("C-PLANTED", "new")]


def cron(book: Book, job: str) -> int:
    """A line of the page's crontab as cron runs it, in an environment that knows nothing of this shell; mail goes into a file."""
    block = re.search(r"```\nCRON_TZ.*?```", PAGE, flags=re.DOTALL)
    assert block is not None
    line = next(line for line in block[0].splitlines() if f"{SUBMIT}{job}" in line)
    text = re.sub(r"^\d+ \d+ \* \* \* ", "", line)
    for there, here in {
        "/opt/linkage_spark": str(REPO),
        "--env cluster ": "",
        "hdfs:///data/feeds": str(book.feeds),
        "hdfs:///data/linkage": str(book.estate.root),
        "/var/log/linkage": str(book.folder),
    }.items():
        assert there in text
        text = text.replace(there, here)
    where_things_are = ("HOME", "LINKAGE_JARS_DIR", "LINKAGE_CACHE", "XDG_CACHE_HOME", "JAVA_HOME")
    kept = {name: os.environ[name] for name in where_things_are if name in os.environ}
    env = {**kept, "PATH": f"{book.folder / 'bin'}:/usr/bin:/bin"}
    return subprocess.run(["/bin/sh", "-c", text], env=env, timeout=LONGEST, check=False).returncode


def test_the_crontab(book: Book) -> None:
    mails, mail = book.folder / "mails", book.folder / "bin" / "mail"
    mail.parent.mkdir()
    mail.write_text(f'#!/bin/sh\necho "$@" >> {mails}\n')
    mail.chmod(0o755)
    detain(book.feeds, "C-CRON")
    assert cron(book, "daily") == 0
    assert "status=published" in (book.folder / "daily.log").read_text().splitlines()[-1]
    assert cron(book, "status") == 0
    assert not mails.exists(), mails.read_text()
    assert book.hits() == [("C-CRON", "new"), ("C-PLANTED", "new")], "both came on this day"
    intel = shutil.move(book.feeds / "intel", book.folder / "intel")
    assert cron(book, "daily") == 0, "mail is what the line ends with"
    assert cron(book, "status") == 0
    shutil.move(intel, book.feeds / "intel")
    assert mails.read_text().splitlines() == [
        "-s linkage: the night failed dal-oncall",
        "-s linkage: look at the night dal-oncall",
    ]


def test_what_asks_for_another_command(book: Book) -> None:
    """Exit codes 2, 3 and 5: nothing was begun, and readers see what they saw."""
    before = book.estate.current
    assert "nothing has changed" in book.run("daily")
    detain(book.feeds, "C-CODES")
    mistyped = subprocess.run([REPO / "scripts" / "submit.sh", "dayly"], capture_output=True, text=True, check=False)
    assert mistyped.returncode == 2
    assert mistyped.stderr.startswith("submit.sh: ")
    said = book.run("daily", 2, LINKAGE_CONF=book.settings("conf-identity", '"DEMO: ', '"OTHER: '))
    assert "settings, mappings or reference lists changed" in said

    intel = shutil.move(book.feeds / "intel", book.folder / "intel")
    assert "intel.report: there is nothing at" in book.run("daily", 3)
    shutil.move(intel, book.feeds / "intel")

    lock, now = book.estate.root / "lock.json", datetime.now(tz=UTC).isoformat()
    lock.write_text(json.dumps({"run_id": "R-ELSEWHERE", "host": "node-7.invalid", "pid": 1, "since": now}))
    said = book.run("daily", 5)
    assert all(word in said for word in ("R-ELSEWHERE", "node-7.invalid", now))
    lock.unlink()
    assert book.estate.current == before


def test_no_room_for_scratch(book: Book) -> None:
    """Exit code 1."""
    before = book.estate.current
    with small_disk(book.folder / "disk", megabytes=16) as is_mounted:
        if not is_mounted:
            pytest.skip("no file system can be mounted here: needs the right to mount a tmpfs")
        book.run("daily", 1, TMPDIR=str(book.folder / "disk"))
    assert book.estate.current == before


def test_a_night_that_is_stopped_killed_and_held_back_by_a_gate(book: Book) -> None:
    """Exit codes 143, 4 and 6, and a kill -9, on one night; then it goes on and comes to its end."""
    before = book.estate.current
    job, *arguments = book.typed("daily")
    assert stopped_in("decide", job, *arguments, TMPDIR=str(book.scratch)) == 128 + signal.SIGTERM
    assert list(book.scratch.iterdir()) == []

    killed_in("hits", book.estate.root, job, *arguments, TMPDIR=str(book.scratch))
    left = list(book.scratch.glob("linkage_spark.*"))
    assert left, "what the page has one remove after kill -9"
    for path in left:
        shutil.rmtree(path)

    conf = book.settings("conf-gate", "conduct_match = 100\n", "conduct_match = 0\n", file="base.toml")
    said = book.run("daily", 4, LINKAGE_CONF=conf)
    assert "taking over the lock" in said
    assert "going on with run" in said
    assert "gate new_items of conduct_match" in said
    assert "newest run failed" in book.run("status", 6)
    assert book.estate.current == before

    said = book.run("daily", LINKAGE_LOG="json")
    assert "going on with run" in said
    events = [json.loads(line) for line in said.splitlines() if line.startswith('{"at"')]
    assert {"said", "stage_started", "stage_done", "run_ended"} <= {event["event"] for event in events}
    assert ("C-CODES", "new") in book.hits()
    assert "Lock: free" in book.run("status")


def test_looking_back(book: Book) -> None:
    assert ", 0 differ" in book.run("replay")
    shown = {row["person_ref"] for row in table(book.folder / "shown" / "hit.csv")}
    assert shown >= {"C-PLANTED", "C-CRON", "C-CODES"}
    book.stands_for["FOLDER"] = str(book.folder / "subject")
    book.run("subject")
    page = (book.folder / "subject" / "subject.html").read_text().upper()
    assert all(name.upper() in page for name in PLANTED)


def test_taking_readers_back(book: Book) -> None:
    now = book.estate.current
    earlier = {run for run in re.findall(r"\d{8}T\d{6}Z-daily", book.run("status")) if run < now}
    shown = {path.name.removeprefix("run_id=") for path in (book.estate.root / "published" / "hit").iterdir()}
    book.stands_for["RUN"] = max(earlier & shown)
    book.run("publish")
    assert book.estate.current == book.stands_for["RUN"]
    assert "C-CODES" not in dict(book.hits())
    book.stands_for["RUN"] = now
    book.run("publish")
    assert book.estate.current == now


def test_a_restored_root_catches_up(book: Book) -> None:
    root, backup = book.estate.root, book.folder / "backup"
    shutil.copytree(root, backup)
    detain(book.feeds, "C-RESTORED")
    book.run("daily")
    then = book.hits()
    assert ("C-RESTORED", "new") in then
    shutil.rmtree(root)
    shutil.move(backup, root)
    assert "C-RESTORED" not in dict(book.hits())
    book.run("daily")
    assert book.hits() == then


def test_an_order_to_erase(book: Book) -> None:
    asked = [
        "kind,source_system,ref",
        f"employee,,{EMPLOYEE}",
        *(f"person,custody,C-{name}" for name in ("CRON", "CODES")),
    ]
    (book.folder / "subjects.csv").write_text("\n".join(asked) + "\n")
    assert "3 of the 3 asked for still stand in the feeds" in book.run("retain --subjects")
    assert set(dict(book.hits())) == {"C-PLANTED", "C-CRON", "C-CODES", "C-RESTORED"}, "what holds stays"
    for path in (
        book.feeds / "hr" / "extract" / "part-planted.csv",
        book.feeds / "custody" / "record" / "part-planted.parquet",
        *book.feeds.glob("custody/record/part-C-*.parquet"),
    ):
        path.unlink()
    book.run("daily")
    assert book.hits() == []
    assert "no table has grown" not in book.run("compact")
    assert holding(book.estate.root, EMPLOYEE), "until the order is carried out histories tell of it"
    book.run("retain --subjects")
    for ref in (EMPLOYEE, "C-CRON", "C-CODES"):
        assert holding(book.estate.root, ref) == [], ref
    assert holding(book.estate.root, "C-RESTORED") == [], "what its source took back goes with any 'retain'"
    for name in PLANTED:
        assert holding(book.estate.root, name, any_case=True) == [], "nobody of this name is left in any feed"
    book.run("retain --env")


def holding(root: Path, word: str, *, any_case: bool = False) -> list[str]:
    """Files below a root that hold a word: in rows and footers of Parquet, in anything else as text."""
    whole, found = re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE if any_case else 0), []
    for path in sorted(path for path in root.rglob("*") if path.is_file() and not is_checksum(path)):
        text = path.read_bytes().decode(errors="replace")
        if path.suffix == ".parquet":
            text += json.dumps(pq.ParquetFile(path).read().to_pylist(), default=str)
        if whole.search(text):
            found.append(str(path.relative_to(root)))
    return found


def test_another_model_and_a_further_backfill(book: Book) -> None:
    in_use = book.settings("conf-approval", "needs_approval = false", "needs_approval = true")
    wanted = book.settings("conf-model", "needs_approval = false", f'needs_approval = true\nmodel_id = "{MODEL}"')
    for conf in (in_use, wanted):
        shipped = (REPO / "conf" / "models" / "screening_v1.toml").read_text()
        (Path(conf) / "models" / f"{MODEL}.toml").write_text(shipped.replace('"screening_v1"', f'"{MODEL}"', 1))
    assert "nobody has approved it" in book.run("backfill", 2, LINKAGE_CONF=wanted)
    said = book.run("shadow -- ", LINKAGE_CONF=in_use)
    assert ": 0 gained, 0 lost, 0 in another tier" in said, "it is the same model under another name"
    book.run("shadow --model-id", LINKAGE_CONF=in_use)
    book.run("backfill", LINKAGE_CONF=wanted, **COMPILED)
    book.run("nominals", LINKAGE_CONF=wanted)
    book.run("status")
    assert "nothing has changed" in book.run("daily", LINKAGE_CONF=wanted)


def test_no_command_of_the_page_was_left_out(book: Book) -> None:
    assert len(commands()) >= 12
    assert set(commands()) == book.tried
