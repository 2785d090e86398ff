"""How a mapping says what a feed's changes are told by."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from linkage_spark.settings.sources import FeedMapping

BLOCK: dict[str, Any] = {"table": "person", "columns": {"person_ref": "REF", "surname": "NAME"}}


def feed(**others: Any) -> FeedMapping:
    return FeedMapping(
        **{
            "name": "nominal",
            "source_system": "crime",
            "path": "x",
            "format": "parquet",
            "produces": (BLOCK,),
            **others,
        }
    )


def test_a_feed_is_compared_unless_it_says_otherwise() -> None:
    assert feed().changes == "compare"
    assert feed().read_columns == ("REF", "NAME")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"changes": "change_feed"}, "needs format = 'delta'"),
        ({"changes": "timestamp"}, "goes with changed_at"),
        ({"changed_at": "UPDATED"}, "goes with changed_at"),
        ({"changes": "guess"}, "change_feed"),
        ({"withdrawn": {"column": "STATUS", "values": ()}}, "at least 1"),
        ({"withdrawn": {"column": "STATUS", "values": ("D",)}, "never_read": ("STATUS",)}, "never_read"),
    ],
)
def test_what_does_not_go_together_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        feed(**values)


def test_columns_of_changes_and_withdrawals_are_read_and_needed() -> None:
    made = feed(changes="timestamp", changed_at="UPDATED", withdrawn={"column": "STATUS", "values": ("D",)})
    assert made.read_columns == ("REF", "NAME", "UPDATED", "STATUS")
    assert set(made.needed_columns) == {"REF", "NAME", "UPDATED", "STATUS"}
    assert set(made.known_columns) >= {"UPDATED", "STATUS"}
