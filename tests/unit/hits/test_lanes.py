"""Every role has a lane and a purpose."""

from __future__ import annotations

import pytest

from linkage_spark.hits.lanes import LANES
from linkage_spark.tables.enums import Role


def test_every_role_has_a_lane() -> None:
    assert set(LANES) == set(Role)


@pytest.mark.parametrize(
    ("role", "lane", "purpose"),
    [
        ("suspect", "conduct", "law_enforcement"),
        ("offender", "conduct", "law_enforcement"),
        ("detained", "conduct", "law_enforcement"),
        ("victim", "welfare", "public_task"),
        ("witness", "welfare", "public_task"),
        ("additional_relevant", "triage", "law_enforcement"),
        ("intelligence_subject", "triage", "law_enforcement"),
    ],
)
def test_a_role_leads_to_its_lane(role: str, lane: str, purpose: str) -> None:
    assert LANES[Role(role)] == (lane, purpose)
