"""The measurement of other seeds: what it compares exists, and how far a figure moves."""

from __future__ import annotations

from pathlib import Path

from bench.accuracy.seeds import LIMIT, cases, spread


def test_the_spread_is_between_the_extremes_and_nothing_where_a_figure_is_not_measured() -> None:
    found = {"0": {"f1": 0.991}, "1": {"f1": 0.988}, "2": {"f1": 0.99}}
    assert round(spread(found, "f1"), 6) == 0.003 > LIMIT
    assert spread(found, "cluster_f1") == 0.0


def test_the_examples_are_there_and_every_case_has_a_mapping(tmp_path: Path) -> None:
    known = cases(tmp_path)
    assert {"examples.link", "examples.register", "febrl3", "fake_1000"} <= {case.name for case in known}
    for case in known:
        assert Path(case.task["mapping"]).is_file()
        paths = [*case.task["paths"].values(), case.task["truth"]]
        assert all(Path(path).is_file() for path in paths) or case.data
