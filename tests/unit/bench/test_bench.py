"""The benchmark's own arithmetic: what it reads out of a run's lines and of Spark's event log, and the page."""

import json
import sys

import pytest

pytest.importorskip("psutil", reason="psutil is installed by scripts/setup.sh bench")

from bench.components import with_run
from bench.eventlog import Window, read_totals
from bench.markdown import table
from bench.nominals_page import nominal_parts
from bench.page import FOLDER, main_text
from bench.process import Watched, watch
from bench.run import read_stages
from bench.submit import merge_options

LINES = [
    (100.0, "[    5.0 s] standardise …"),
    (110.0, "[   15.0 s]   person written"),
    (112.5, "[   17.5 s]   event written"),
    (113.0, "[   18.0 s] standardise done: rows in 1,200, 13.0 s"),
    (113.0, "[   18.0 s] freeze model …"),
    (114.0, "[   19.0 s] freeze model done: pairs expected 4, refined keys 0, 1.0 s"),
    (114.0, "[   19.0 s] screen …"),
]


def test_stages_and_tables_are_read_from_the_jobs_own_lines_and_an_unfinished_stage_is_none():
    stages, tables = read_stages(Watched(lines=LINES))
    assert [(s["stage"], s["seconds"], s["from_start"], s["began_at"], s["ended_at"]) for s in stages] == [
        ("standardise", 13.0, 5.0, 100.0, 113.0),
        ("freeze model", 1.0, 18.0, 113.0, 114.0),
    ]
    assert tables == {"person": 10.0, "event": 2.5}


def task(finished_ms, read, shuffled):
    return {
        "Event": "SparkListenerTaskEnd",
        "Task Info": {"Finish Time": finished_ms},
        "Task Metrics": {
            "Input Metrics": {"Bytes Read": read},
            "Output Metrics": {"Bytes Written": 0},
            "Shuffle Write Metrics": {"Shuffle Bytes Written": shuffled},
            "Disk Bytes Spilled": 0,
            "Executor Run Time": 500,
            "Executor CPU Time": 250_000_000,
            "JVM GC Time": 0,
        },
    }


def test_a_task_counts_for_the_stage_in_which_it_ended_and_always_for_the_whole(tmp_path):
    events = [task(101_000, 10, 1), task(102_000, 20, 2), task(109_000, 40, 4), {"Event": "SparkListenerJobEnd"}]
    text = "\n".join(json.dumps(event, separators=(",", ":")) for event in events)
    (tmp_path / "app").write_text(text)
    totals = read_totals(tmp_path, [Window("first", 100.0, 105.0), Window("second", 106.0, 108.0)])
    read = {name: (t["tasks"], t["input_bytes"], t["shuffle_bytes"]) for name, t in totals.items()}
    assert read == {"all": (3, 70, 7), "first": (2, 30, 3), "second": (0, 0, 0)}
    assert totals["all"]["jvm_cpu_seconds"] == 0.8


def test_a_jar_of_ours_joins_the_projects_and_a_setting_comes_after_them():
    merged = merge_options(["--jars", "a.jar", "--conf", "x=1"], ["--jars", "b.jar", "--conf", "x=2"])
    assert merged == ["--jars", "a.jar,b.jar", "--conf", "x=1", "--conf", "x=2"]


def test_a_watched_program_gives_its_lines_its_code_and_its_memory(tmp_path):
    code = "import time; block = bytearray(60_000_000); print('here', flush=True); time.sleep(0.8); raise SystemExit(3)"
    watched = watch([sys.executable, "-c", code], environment={}, log=tmp_path / "log")
    assert watched.code == 3
    assert [line for _, line in watched.lines] == ["here"]
    assert watched.peak_bytes > 60_000_000
    assert watched.seconds > 0.8


def test_numbers_stand_with_thousands_and_what_is_not_there_is_a_dash():
    assert table(["a", "b", "c"], [["x", 1234, None], ["y", 2.25, "z"]]).splitlines() == [
        "| a | b | c |",
        "| --- | ---: | ---: |",
        "| x | 1,234 | – |",
        "| y | 2.2 | z |",
    ]


def test_the_page_is_what_the_figures_make_of_it():
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == main_text(FOLDER)


def graph_run(engine, edges, seconds):
    return {"engine": engine, "checkpoints": "none", "edges": edges, "seconds": seconds}


def test_a_graphs_run_takes_the_place_of_the_one_of_its_engine_and_size_and_sizes_stand_in_order():
    ten, one = graph_run("driver", 10_000_000, 40.0), graph_run("driver", 1_000_000, 5.0)
    other, again = graph_run("graphframes", 1_000_000, 90.0), graph_run("driver", 1_000_000, 4.0)
    assert with_run(with_run(with_run([ten], other), one), again) == [again, ten, other]


def test_sizes_that_were_not_held_against_their_truth_are_named_and_stand_in_no_table_of_it():
    sizes = json.loads((FOLDER / "nominals.json").read_text(encoding="utf-8"))["sizes"]
    judged = {size: run for size, run in sizes.items() if "accuracy" in run}
    timed = {"7000000": {name: told for name, told in judged["1000000"].items() if name != "accuracy"}}
    *_, heading, of_judged, last = nominal_parts(judged | timed)
    assert (heading, last) == ("Against the truth, after the guard:", "Timed alone: 7,000,000 records.")
    assert "7,000,000" not in of_judged
    assert "Against the truth" not in "".join(nominal_parts(timed))
    assert "Timed alone" not in "".join(nominal_parts(judged))
