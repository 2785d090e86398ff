"""What the demo's end says to try: whole commands, on folders and people that are there."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = "20261121T233000Z-backfill"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_next", ROOT / "scripts" / "demo_next.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def a_demo(folder: Path, hits: list[dict[str, object]]) -> tuple[Path, Path]:
    feeds, out = folder / "feeds", folder / "estate"
    (feeds / "incident" / "person").mkdir(parents=True)
    for name, rows in (("a", 1), ("b", 3)):
        (feeds / "incident" / "person" / f"part-{name}.csv").write_text("h\n" + "r\n" * rows)
    names = ("hit_match_weight", "hit_key", "employee_key", "event_key", "hit_person_ref")
    kinds = (pa.float64(), *[pa.string()] * 4)
    schema = pa.schema([*zip(names, kinds, strict=True), ("run_id", pa.string())])
    for path, table in (
        ("current_run/part.parquet", pa.table({"run_id": [RUN]})),
        (f"hit/run_id={RUN}/part-0.parquet", pa.Table.from_pylist([{**h, "run_id": RUN} for h in hits], schema=schema)),
    ):
        target = out / "published" / path
        target.parent.mkdir(parents=True)
        pq.write_table(table, target)
    return feeds, out


def a_hit(weight: float, key: str, employee: str) -> dict[str, object]:
    event = {"event_key": "custody/E1", "hit_person_ref": f"C{employee}"}
    return {"hit_match_weight": weight, "hit_key": key, "employee_key": employee, **event}


def test_every_command_names_what_is_there_and_options_that_its_job_takes(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feeds, out = a_demo(tmp_path, [a_hit(9.0, "k2", "12"), a_hit(9.0, "k1", "11"), a_hit(3.0, "k0", "10")])
    assert script.main(["--feeds", str(feeds), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert f"{out}/reports/{RUN}/report.html" in said
    commands = re.findall(r"(scripts/submit\.sh .*)", said)
    assert [shlex.split(command)[1] for command in commands] == ["status", "daily", "replay", "why", "subject"]
    for command in commands:
        _, job, dashes, *arguments = shlex.split(command)
        assert dashes == "--"
        source = (ROOT / "jobs" / f"{job}.py").read_text()
        assert all(f'"{word}"' in source for word in arguments if word.startswith("--")), command
    assert f"--out {out} --employee 11 --person custody:C11" in said
    assert "--as-of 2026-11-21 " in said
    assert f"{feeds}/incident/person/part-b.csv && rm -f {feeds}/incident/person/.part-b.csv.crc" in said


def test_a_folder_with_a_space_in_its_name_is_one_word_of_every_command(script: ModuleType, tmp_path: Path) -> None:
    feeds, out = a_demo(tmp_path / "a demo", [a_hit(9.0, "k1", "11")])
    commands = re.findall(r"^  (s.*submit\.sh .*)$", script.told(feeds, out), flags=re.MULTILINE)
    named = [[word for word in shlex.split(command) if "demo" in word] for command in commands]
    file, checksum = (feeds / "incident" / "person" / name for name in ("part-b.csv", ".part-b.csv.crc"))
    assert named == [
        [str(out), str(feeds)],
        [str(file), str(checksum), str(feeds), str(out)],
        [str(out), str(out.parent / "replay")],
        [str(out)],
        [str(out), str(out.parent / "subject")],
    ]
    checksum.touch()
    subprocess.run(["bash", "-c", commands[1].rpartition(" && ")[0]], check=True)
    assert (file.read_text(), checksum.exists()) == ("h\nr\nr\n", False)


def test_a_day_is_londons(script: ModuleType) -> None:
    assert script._day("20260721T233000Z-backfill") == "2026-07-22"


def test_where_no_hit_or_no_demo_is_it_says_no_more_than_there_is(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feeds, out = a_demo(tmp_path, [])
    assert script.main(["--feeds", str(feeds), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert " replay " in said and " why " not in said
    assert script.main(["--feeds", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "run make demo" in capsys.readouterr().err
