"""A run that looks for no canary in a source says so or does not start; one that misses a canary publishes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.errors import GateError, SettingsError
from linkage_spark.evaluation.figures import SourceFigures
from linkage_spark.runs import main_stages
from linkage_spark.runs.canaries import refuse_without_canaries
from linkage_spark.runs.checkpoints import Done
from linkage_spark.runs.main_stages import check_tables
from linkage_spark.runs.progress import Stage
from linkage_spark.settings.canaries import Canary, canaries_of, load_canaries, sources_without
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.sources import SourceMapping, load_sources

CONF = Path(__file__).resolve().parents[3] / "conf"
SOURCES, CANARIES = load_sources(CONF), load_canaries(CONF)
OF_CUSTODY = tuple(canary for canary in CANARIES if canary.source == "custody")
ALL_BUT_CUSTODY = tuple(canary for canary in CANARIES if canary.source != "custody")


def run(canaries: tuple[Canary, ...], *, needs_approval: bool) -> tuple[Any, list[str]]:
    """A run that looks for some canaries, and what it says."""
    said: list[str] = []
    settings = load_settings(CONF, "local", {"screening": {"needs_approval": needs_approval}})
    told = {"sources": SOURCES, "canaries": canaries, "settings": settings}
    return SimpleNamespace(**told, progress=SimpleNamespace(say=said.append)), said


def test_the_shipped_canaries_watch_every_shipped_source() -> None:
    for needs_approval in (True, False):
        made, said = run(CANARIES, needs_approval=needs_approval)
        refuse_without_canaries(made)
        assert said == []


def test_where_models_need_an_approval_a_source_without_a_canary_is_an_error_with_its_name_and_the_remedy() -> None:
    made, _ = run(ALL_BUT_CUSTODY, needs_approval=True)
    asks = r'^conf/canaries\.toml: no canary for custody, .* add a \[\[canary\]\] with source = "custody"'
    with pytest.raises(SettingsError, match=asks):
        refuse_without_canaries(made)


def test_without_the_file_every_source_is_named(tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    shutil.copytree(CONF, conf)
    (conf / "canaries.toml").unlink()
    made, _ = run(load_canaries(conf), needs_approval=True)
    with pytest.raises(SettingsError, match="no canary for crime, custody, incident, intel, "):
        refuse_without_canaries(made)


def test_where_no_model_needs_an_approval_the_run_says_which_sources_nobody_watches() -> None:
    made, said = run(ALL_BUT_CUSTODY, needs_approval=False)
    refuse_without_canaries(made)
    assert said == ["no canaries: custody; nothing tells when nobody is found there any more"]


def test_a_canary_of_a_source_that_is_not_mapped_is_left_out_and_counts_for_no_other() -> None:
    others = tuple(source for source in SOURCES if source.source_system != "custody")
    assert canaries_of(others, CANARIES) == ALL_BUT_CUSTODY
    assert sources_without(others, CANARIES) == ()
    assert sources_without(SOURCES, OF_CUSTODY) == ("crime", "incident", "intel")


def test_a_source_of_places_alone_needs_none() -> None:
    assert sources_without([_of_places(source) for source in SOURCES if source.source_system == "incident"], ()) == ()


def _of_places(source: SourceMapping) -> SourceMapping:
    """The mapping with its events and their places."""
    feeds = {}
    for name, feed in source.feeds.items():
        if blocks := tuple(block for block in feed.produces if block.table in ("event", "location")):
            feeds[name] = feed.model_copy(update={"produces": blocks})
    return source.model_copy(update={"feeds": feeds})


@pytest.mark.parametrize("lost", [[], ["canary same of crime: not found instead of match"]])
def test_a_run_that_misses_a_canary_is_stopped_by_its_check(lost: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    sources: list[SourceFigures] = []
    monkeypatch.setattr(main_stages, "reconciled", lambda _: sources)
    monkeypatch.setattr(main_stages.checks, "all_table_faults", lambda _: [])
    none = SimpleNamespace(where=lambda _: SimpleNamespace(count=lambda: 0))
    done = {"screen": Done(seconds=0.0, notes={"canaries missed": lost}), "decide": Done(seconds=0.0)}
    state: Any = SimpleNamespace(
        run=SimpleNamespace(settings=load_settings(CONF, "local")),
        saved=SimpleNamespace(done=done),
        read=lambda _: none,
    )
    if lost:
        with pytest.raises(GateError, match="canary same of crime: not found instead of match"):
            check_tables(state, Stage("check"), [])
    else:
        assert check_tables(state, Stage("check"), []).notes == {"sources": sources}
