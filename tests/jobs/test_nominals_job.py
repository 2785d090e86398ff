"""The job nominals as its users run it: after a backfill, again, killed, with other settings, and measured."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.force import PLANTED, Estate, rows
from tests.support.jobs import QUICK, REPO, ok, submit


@pytest.fixture(scope="module")
def joined(
    estate: Estate, estate_with_nominals: Estate, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Estate, str, str]:
    """A copy of the estate with its nominals, what the job said, and the run that readers saw before."""
    root = tmp_path_factory.mktemp("nominals") / "estate"
    shutil.copytree(estate_with_nominals.root, root)
    return Estate(root), (estate_with_nominals.root.parent / "said.txt").read_text(), estate.current


LARGE = ("10 to 19", "20 to 49", "50 and more")
"""Sizes of nominals that count as large ones."""


def figures(estate: Estate) -> dict[str, object]:
    return dict(json.loads((estate.root / "reports" / estate.current / "nominals.json").read_text()))


def of_run(estate: Estate, table: str) -> str:
    """A published table of the run that readers follow."""
    return f"(select * from {estate.published(table)} where run_id = '{estate.current}')"


def test_the_snapshot_is_published_anew_with_the_same_hits_and_one_alert_per_person(
    joined: tuple[Estate, str, str],
) -> None:
    estate, said, before = joined
    assert estate.current.endswith("-nominals")
    hits = f"select count(*), count(distinct hit_key) from {estate.published('hit')} where run_id = "
    assert rows(f"{hits}'{estate.current}'") == rows(f"{hits}'{before}'")
    alerts, keys, employees = rows(
        f"select count(*), count(distinct nominal_alert_key), count(distinct employee_key) from {of_run(estate, 'nominal_alert')}"
    )[0]
    assert alerts == keys == figures(estate)["alerts"]
    assert 0 < employees <= alerts
    linked = rows(f"select sum(nominal_alert_linked_records) from {of_run(estate, 'nominal_alert')}")[0][0]
    links = rows(f"select count(*) from {of_run(estate, 'link')}")[0][0]
    assert linked >= links > 0
    assert re.search(r"components by driver: .* accepted edges", said)
    assert not (estate.root / "lock.json").exists()
    assert not (estate.root / "work").exists() or not any((estate.root / "work").rglob("*.parquet"))


def test_every_form_and_offered_record_belongs_to_an_alert(joined: tuple[Estate, str, str]) -> None:
    estate = joined[0]
    for table in ("nominal_form", "nominal_other"):
        stray = rows(
            f"select count(*) from {of_run(estate, table)} anti join {of_run(estate, 'nominal_alert')} using (nominal_alert_key)"
        )
        assert stray == [(0,)]
    assert rows(f"select count(*) from {of_run(estate, 'nominal_form')}")[0][0] > 0


def test_figures_add_up_and_the_page_opens_offline_without_a_persons_value(joined: tuple[Estate, str, str]) -> None:
    estate, said, _ = joined
    told = figures(estate)
    assert sum(size["records"] for size in told["sizes"]) == told["records"]
    assert sum(size["nominals"] for size in told["sizes"]) == sum(told["states"].values())
    assert told["events"]["created"] == told["states"]["live"]
    assert told["candidate_pairs"] >= told["scored_pairs"] >= told["edges"] > 0
    page = (estate.root / "reports" / estate.current / "nominals.html").read_text()
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "Advisory only" in page
    assert not any(value.lower() in (page + said).lower() for value in PLANTED)


def test_the_first_run_is_measured_and_held_against_nothing(joined: tuple[Estate, str, str]) -> None:
    estate = joined[0]
    noted = json.loads((estate.root / "reports" / estate.current / "gates.json").read_text())
    told = {figure["measure"]: figure["value"] for figure in noted["figures"]}
    large = sum(size["nominals"] for size in figures(estate)["sizes"] if size["label"] in LARGE)
    assert told == {"largest_component": figures(estate)["largest_component"], "large_nominals": large}
    assert (noted["breaches"], [figure["usual"] for figure in noted["figures"]]) == ([], [None, None])


@pytest.mark.slow
def test_nothing_is_done_twice_and_a_backfill_leaves_the_nominals_shown(
    joined: tuple[Estate, str, str], feeds: Path
) -> None:
    estate, before = joined[0], joined[0].current
    commits = estate.delta_versions()
    assert "nothing has changed since run" in ok(submit("nominals", "--out", estate.root))
    assert "nothing has changed since run" in ok(submit("backfill", "--feeds", feeds, "--out", estate.root))
    assert "nothing has changed since run" in ok(submit("nominals", "--out", estate.root))
    assert (estate.delta_versions(), estate.current) == (commits, before)


@pytest.mark.slow
def test_a_run_killed_after_it_wrote_its_events_goes_on_and_tells_each_event_once(
    joined: tuple[Estate, str, str], estate: Estate, tmp_path: Path
) -> None:
    root = tmp_path / "estate"
    shutil.copytree(estate.root, root)
    words = [str(REPO / "scripts" / "submit.sh"), "nominals", "--", "--out", str(root)]
    env = {**os.environ, **QUICK, "LINKAGE_DRIVER_MEMORY": "2g"}
    with subprocess.Popen(words, cwd=REPO, env=env, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        for line in job.stdout:
            if "persons …" in line:
                # As if it had been killed between writing the events and noting it: the stage must not add them twice.
                # The job's processes are in a group of their own; all of them name the output root.
                subprocess.run(["pkill", "-KILL", "-f", str(root)], check=False)
                break
    notes = root / "work" / "nominals" / "progress.json"
    done = json.loads(notes.read_text())
    del done["done"]["identity"]
    notes.write_text(json.dumps(done))
    (notes.parent / f".{notes.name}.crc").unlink(missing_ok=True)
    assert "going on with run" in ok(submit("nominals", "--out", root))
    undisturbed, again = figures(joined[0]), figures(Estate(root))
    same = ("records", "edges", "components", "cuts", "states", "sizes", "events", "alerts", "offered", "forms")
    assert {name: again[name] for name in same} == {name: undisturbed[name] for name in same}
    assert again["events"]["created"] == again["states"]["live"]


@pytest.mark.slow
def test_other_settings_make_a_new_run_in_which_ids_last_and_changes_are_events(
    joined: tuple[Estate, str, str], tmp_path: Path
) -> None:
    estate = joined[0]
    former, before = figures(estate), estate.current
    conf = tmp_path / "conf"
    shutil.copytree(REPO / "conf", conf)
    base = conf / "settings" / "base.toml"
    base.write_text(base.read_text().replace("max_records = 500", "max_records = 2"))
    ok(submit("nominals", "--out", estate.root, LINKAGE_CONF=str(conf)))
    told = figures(estate)
    assert told["run_no"] == 2
    assert estate.current != before
    assert told["cuts"]["too_large"] > 0
    # Whoever stays together keeps the id: only parts that were cut off are new.
    assert told["events"].get("created", 0) == told["states"]["live"] - former["states"]["live"] > 0
    assert told["events"]["joined"] >= told["events"]["created"]
    assert "retired" not in told["events"]


@pytest.mark.slow
def test_evaluation_measures_the_nominals_before_and_after_the_guard(
    joined: tuple[Estate, str, str], feeds: Path
) -> None:
    estate = joined[0]
    done = submit("evaluate", "--feeds", feeds, "--out", estate.root)
    assert done.returncode in (0, 4), done.stdout[-3000:] + done.stderr[-3000:]  # 4: a gap between naming traditions
    assert "before the guard" in done.stdout
    found = json.loads((estate.root / "reports" / estate.current / "nominal_accuracy.json").read_text())
    assert found["before"]["whole"]["pairwise_precision"]["value"] > 0.99
    assert found["before"]["permitted"]["b_cubed_f1"] > 0.95
    page = (estate.root / "reports" / estate.current / "nominal_accuracy.html").read_text()
    assert "By naming tradition" in page
    # The last run joined at most two records: nothing wrong in it, and less of what the rule permits.
    assert found["after"]["largest_nominal"] == 2
    assert found["after"]["permitted"]["b_cubed_f1"] < found["before"]["permitted"]["b_cubed_f1"]


def test_without_a_backfill_it_says_what_to_run_first(tmp_path: Path) -> None:
    refused = submit("nominals", "--out", tmp_path)
    assert refused.returncode == 2
    assert "run the backfill first" in refused.stdout + refused.stderr
