"""GraphFrames' connected components against the union-find oracle, where its jars are at hand.

The jars are looked for in LINKAGE_GRAPHFRAMES_JARS, then in the folder 'graphframes' of the jars' cache.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FOREIGN, ROOT
from tests.support.graphs import RANDOM, SHAPES, everything, restricted
from tests.support.union_find import members, union_find

WHOLE = ("settings_untold", "reliable_no_aqe", "reliable_aqe_hubs")
"""Runs of the whole catalogue: local checkpoints under the session's own AQE, which nobody has set; reliable ones without AQE,
and with it, where vertices of more than 20 neighbours are joined by broadcast."""

SMALL = ("empty_local", "empty_reliable", "asked_again")
FAILED = ("failed_local", "failed_reliable")


def jars() -> list[Path]:
    """GraphFrames' jars; skips with a sentence that says where it looked."""
    home_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(os.environ.get("LINKAGE_CACHE") or Path(home_cache) / "linkage_spark") / "graphframes"
    folder = Path(os.environ.get("LINKAGE_GRAPHFRAMES_JARS") or cache)
    found = sorted(folder.glob("*.jar"))
    if not found:
        asked = "LINKAGE_GRAPHFRAMES_JARS" if "LINKAGE_GRAPHFRAMES_JARS" in os.environ else "the jars' cache"
        pytest.skip(
            f"no GraphFrames jars in {folder} ({asked}): put graphframes and graphframes-graphx for Spark 4 there"
        )
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process with the jars found."""
    places = jars()
    scratch = tmp_path_factory.mktemp("graphframes")
    out = scratch / "runs.json"
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN} | {
        "SPARK_CONF_DIR": str(ROOT / "conf/spark"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    }
    command = [
        sys.executable,
        "-m",
        "tests.graphframes.catalogue_run",
        str(out),
        str(scratch),
        ",".join(map(str, places)),
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    told: dict[str, Any] = json.loads(out.read_text())
    assert told["missing"] == "", f"{[jar.name for jar in places]} are not enough: {told['missing']}"
    found: dict[str, Any] = told["runs"]
    return found


def labels(run: dict[str, Any]) -> dict[int, int]:
    found = dict(run["rows"])
    assert len(found) == len(run["rows"]), "a record has two rows"
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", WHOLE)
def test_every_shape_has_the_members_and_names_of_the_oracle(runs: dict[str, Any], name: str, shape: str) -> None:
    expected, found = union_find(SHAPES[shape]), restricted(labels(runs[name]), SHAPES[shape])
    assert members(found) == members(expected)
    assert found == expected


@pytest.mark.parametrize("name", WHOLE)
def test_random_graphs_have_the_members_and_names_of_the_oracle(runs: dict[str, Any], name: str) -> None:
    for seed, edges in RANDOM.items():
        expected, found = union_find(edges), restricted(labels(runs[name]), edges)
        assert members(found) == members(expected), f"seed {seed}"
        assert found == expected, f"seed {seed}"
    assert set(labels(runs[name])) == {end for edge in everything() for end in edge}


@pytest.mark.parametrize("name", [*WHOLE, *SMALL])
def test_the_runs_own_check_finds_no_fault(runs: dict[str, Any], name: str) -> None:
    assert set(runs[name]["faults"].values()) == {0}
    assert runs[name]["schema"] == "struct<record_id:bigint,component_id:bigint>"


@pytest.mark.parametrize("name", [*WHOLE, *SMALL, *FAILED])
def test_settings_cache_and_checkpoint_folder_are_as_before_also_after_an_error(
    runs: dict[str, Any], name: str
) -> None:
    assert runs[name]["after"] == runs[name]["before"]


def test_adaptive_execution_was_unset_set_and_off_before_the_runs(runs: dict[str, Any]) -> None:
    said = {name: runs[name]["before"]["settings"].get("spark.sql.adaptive.enabled") for name in WHOLE}
    assert said == {"settings_untold": None, "reliable_no_aqe": "false", "reliable_aqe_hubs": "true"}


def test_what_somebody_else_persisted_and_nothing_more_is_persisted_meanwhile(runs: dict[str, Any]) -> None:
    assert len(runs["reliable_aqe_hubs"]["after"]["persisted"]) == 1
    assert runs["settings_untold"]["after"]["persisted"] == []
    assert runs["settings_untold"]["after"]["nothing_cached"]


def test_no_edges_give_no_components(runs: dict[str, Any]) -> None:
    assert runs["empty_local"]["rows"] == []
    assert runs["empty_reliable"]["rows"] == []


def test_checkpoints_are_deleted_and_the_result_stays_until_the_run_ends(runs: dict[str, Any]) -> None:
    assert runs["reliable_aqe_hubs"]["left_on_disk"] == ["components-1"]
    assert runs["asked_again"]["left_on_disk"] == ["components-1", "components-2"]
    assert runs["failed_reliable"]["left_on_disk"] == []


@pytest.mark.parametrize("name", FAILED)
def test_an_error_of_the_graph_is_not_swallowed(runs: dict[str, Any], name: str) -> None:
    assert "broken on purpose" in runs[name]["error"]


def test_nothing_is_registered_as_cached_after_an_error_where_nothing_was_before(runs: dict[str, Any]) -> None:
    assert runs["failed_local"]["after"]["nothing_cached"]


def test_nothing_is_persisted_when_all_is_done(runs: dict[str, Any]) -> None:
    assert runs["end"]["persisted"] == []
