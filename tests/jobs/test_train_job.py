"""A model learnt from the force's own records: kept, immutable, used only when a setting says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.support.force import Estate
from tests.support.jobs import REPO, ok, submit

MODEL = "screening_test_1"


class Trained:
    """A copy of the estate, in which models are trained."""

    def __init__(self, root: Path, feeds: Path) -> None:
        self.root, self.feeds, self.estate = root, feeds, Estate(root)

    def current(self) -> str:
        return self.estate.current

    def backfill(self, **env: str) -> str:
        return ok(submit("backfill", "--feeds", self.feeds, "--out", self.root, **env))

    def commits(self) -> dict[str, int]:
        """Newest commit of every table."""
        logs = (self.root / "tables").glob("*/_delta_log")
        return {log.parent.name: max(int(path.stem) for path in log.glob("*.json")) for log in logs}


@pytest.fixture(scope="module")
def trained(
    feeds: Path, estate: Estate, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Trained, str, dict[str, int]]:
    """A backfilled estate, what training said, and the tables' commits before it."""
    copied = Trained(tmp_path_factory.mktemp("train") / "estate", feeds)
    shutil.copytree(estate.root, copied.root)
    before = copied.commits()
    return copied, ok(submit("train", "--out", copied.root, "--model-id", MODEL)), before


def figures_of(estate: Trained) -> dict[str, object]:
    return dict(json.loads((estate.root / "reports" / "models" / MODEL / "figures.json").read_text()))


def true_links(estate: Trained) -> int:
    truth = estate.feeds / "truth"
    query = (
        f"select count(*) from read_parquet('{truth}/employee/*.parquet') join read_parquet('{truth}/person/*.parquet') "
        "using (true_person_id)"
    )
    return int(duckdb.sql(query).fetchall()[0][0])


def test_training_keeps_a_model_and_nothing_that_readers_see_moves(
    trained: tuple[Trained, str, dict[str, int]],
) -> None:
    estate, said, before = trained
    after = estate.commits()
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"trained_model", "trained_frequency", "trained_refined_key", "run"}
    assert estate.current().endswith("-backfill")
    assert f'set model_id = "{MODEL}" under [screening] in conf/settings/base.toml' in said
    assert "the backfill again." in " ".join(said.split())
    assert not (estate.root / "work").exists() or not any((estate.root / "work").rglob("*.parquet"))
    assert not (estate.root / "lock.json").exists()


def test_the_estimate_is_used_and_expects_about_as_many_matches_as_there_are(
    trained: tuple[Trained, str, dict[str, int]],
) -> None:
    figures = figures_of(trained[0])
    assert figures["used"] is True
    assert figures["faults"] == []
    assert figures["expected_matches"] == pytest.approx(true_links(trained[0]), rel=0.25)
    page = (trained[0].root / "reports" / "models" / MODEL / "report.html").read_text()
    assert "Advisory only" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_same_name_again_does_nothing_and_names_that_are_taken_are_refused(
    trained: tuple[Trained, str, dict[str, int]],
) -> None:
    estate = trained[0]
    before = estate.commits()
    assert "nothing was done" in ok(submit("train", "--out", estate.root, "--model-id", MODEL))
    for name, word in (("screening_v1", "a shipped model has this name"), ("New Model", "small letters")):
        refused = submit("train", "--out", estate.root, "--model-id", name)
        assert refused.returncode == 2
        assert word in refused.stdout + refused.stderr
    assert estate.commits() == before


@pytest.mark.slow
def test_a_setting_puts_the_model_into_use_with_what_was_frozen_under_it(
    trained: tuple[Trained, str, dict[str, int]], tmp_path: Path
) -> None:
    estate = trained[0]
    conf = tmp_path / "conf"
    shutil.copytree(REPO / "conf", conf)
    base = conf / "settings" / "base.toml"
    base.write_text(base.read_text().replace('model_id = "screening_v1"', f'model_id = "{MODEL}"'))
    estate.backfill(LINKAGE_CONF=str(conf))
    ok(submit("evaluate", "--feeds", estate.feeds, "--out", estate.root, LINKAGE_CONF=str(conf)))
    figures = json.loads((estate.root / "reports" / estate.current() / "figures.json").read_text())
    assert figures["run"]["model_id"] == MODEL
    assert figures["run"]["model_fingerprint"] == figures_of(estate)["fingerprint"]
    scopes = {scope["scope"]: scope for scope in figures["accuracy"]["scopes"]}
    assert scopes["match"]["precision"]["value"] >= 0.97
    assert scopes["match+possible"]["recall_supportable"]["value"] >= 0.85
    unknown = base.read_text().replace(MODEL, "no_such_model")
    base.write_text(unknown)
    refused = submit("backfill", "--feeds", estate.feeds, "--out", estate.root, LINKAGE_CONF=str(conf))
    assert refused.returncode == 2
    assert f"trained are: {MODEL}" in refused.stdout + refused.stderr


def test_a_training_without_a_published_run_ends_with_a_sentence(tmp_path: Path) -> None:
    refused = submit("train", "--out", tmp_path / "nothing", "--model-id", MODEL)
    assert refused.returncode == 2
    assert "run the backfill first" in refused.stdout + refused.stderr
    assert not (tmp_path / "nothing" / "tables").exists()
