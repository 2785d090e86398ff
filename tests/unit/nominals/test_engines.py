"""Which engine a run takes, and why."""

from __future__ import annotations

from typing import Literal

import pytest

from linkage_spark.errors import SettingsError
from linkage_spark.nominals.engines import DRIVER_BYTES_PER_EDGE, choose_engine, price_graph
from linkage_spark.nominals.graphframes_engine import GraphFramesEngine

Setting = Literal["auto", "driver", "graphframes"]


@pytest.mark.parametrize(("count", "expected"), [(0, "driver"), (100, "driver"), (101, "graphframes")])
def test_auto_takes_the_driver_up_to_the_limit_and_graphframes_beyond(count: int, expected: str) -> None:
    assert choose_engine("auto", edge_count=count, driver_edges=100, graphframes_at_hand=True).engine == expected
    assert price_graph(count, driver_edges=100).engine == expected


def test_auto_says_how_many_edges_how_much_memory_and_which_limit() -> None:
    within, beyond = (
        choose_engine("auto", edge_count=count, driver_edges=20_000_000, graphframes_at_hand=True).why
        for count in (10_000_000, 30_000_000)
    )
    assert within == (
        f"10,000,000 accepted edges would take about {DRIVER_BYTES_PER_EDGE / 100:.1f} GB of the driver's memory, "
        "and [nominals] driver_edges allows 20,000,000"
    )
    assert beyond == (
        f"30,000,000 accepted edges would take about {DRIVER_BYTES_PER_EDGE * 3 / 100:.1f} GB of the driver's memory, "
        "and [nominals] driver_edges allows only 20,000,000"
    )


@pytest.mark.parametrize("at_hand", [True, False])
@pytest.mark.parametrize("count", [1, 1_000_000])
def test_the_driver_is_taken_where_the_settings_name_it_whatever_the_graph(count: int, at_hand: bool) -> None:
    choice = choose_engine("driver", edge_count=count, driver_edges=100, graphframes_at_hand=at_hand)
    assert choice.engine == "driver"
    assert 'engine = "driver"' in choice.why
    assert f"{count:,} accepted edges" in choice.why


@pytest.mark.parametrize("count", [1, 1_000_000])
def test_graphframes_is_taken_where_the_settings_name_it_whatever_the_graph(count: int) -> None:
    choice = choose_engine("graphframes", edge_count=count, driver_edges=100, graphframes_at_hand=True)
    assert choice == ("graphframes", '[nominals] engine = "graphframes"')


@pytest.mark.parametrize(("setting", "count"), [("auto", 101), ("graphframes", 1), ("graphframes", 101)])
def test_graphframes_that_is_not_there_stops_the_run_with_every_remedy(setting: Setting, count: int) -> None:
    with pytest.raises(SettingsError) as raised:
        choose_engine(setting, edge_count=count, driver_edges=100, graphframes_at_hand=False)
    said = str(raised.value)
    assert "install the Python package graphframes-py" in said
    assert "spark.jars" in said
    assert 'engine = "driver"' in said
    assert ("raise [nominals] driver_edges" in said) == (setting == "auto")


def test_auto_needs_no_graphframes_for_what_fits() -> None:
    assert choose_engine("auto", edge_count=100, driver_edges=100, graphframes_at_hand=False).engine == "driver"


@pytest.mark.parametrize(("count", "limit"), [(-1, 5), (5, -1)])
def test_negative_counts_are_refused(count: int, limit: int) -> None:
    with pytest.raises(ValueError, match="negative"):
        price_graph(count, driver_edges=limit)


@pytest.mark.parametrize("threshold", [0, -1])
def test_a_broadcast_threshold_that_was_reported_to_give_wrong_components_is_refused(threshold: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        GraphFramesEngine(broadcast_threshold=threshold)
