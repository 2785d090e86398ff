"""A whole run of dedupe and of link, its files sent to every task or their keys joined: the same files come out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.accuracy.seeded import seeded
from linkage_spark.runs import file_pairs
from linkage_spark.runs.file_task import Task
from linkage_spark.runs.person_files import run_person_files

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "person-files"

DEDUPE = Task("dedupe", {"file": str(EXAMPLES / "register.csv")}, str(EXAMPLES / "register.toml"), "", train=True)
LINK = Task(
    "link",
    {"left": str(EXAMPLES / "members.csv"), "right": str(EXAMPLES / "volunteers.csv")},
    str(EXAMPLES / "link.toml"),
    "",
)


@pytest.mark.parametrize(
    "task", [DEDUPE, LINK], ids=["dedupe, trained, from a sample", "link, shipped, compared whole"]
)
def test_both_ways_write_the_same_bytes(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], task: Task
) -> None:
    monkeypatch.setenv("LINKAGE_CONF", str(ROOT / "conf"))
    monkeypatch.setenv("LINKAGE_ENV", "local")
    written = {}
    for way, most in {"sent": file_pairs.MOST_KEYS_IN_TASKS, "joined": 0}.items():
        monkeypatch.setattr(file_pairs, "MOST_KEYS_IN_TASKS", most)
        asked = Task(task.kind, task.paths, task.mapping, str(tmp_path / way), train=task.train)
        with seeded(spark, 0, sampled=task.train):
            run_person_files(asked)
        said = capsys.readouterr().out
        assert ("compare pairs" in said, "propose pairs" in said) == (way == "sent", way == "joined")
        files = sorted((tmp_path / way).glob("*.csv")) + [tmp_path / way / "model.json"]
        written[way] = {path.name: path.read_bytes() for path in files}
    assert written["sent"] == written["joined"]
    assert {"pairs.csv", "evidence.csv", "model.json"} < set(written["sent"])
    assert written["sent"]["pairs.csv"].count(b"\n") > 20
