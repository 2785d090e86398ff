"""Which versions of its tables a run pins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.runs.main_stages import MainRun


@pytest.mark.parametrize(("judged", "pinned"), [(None, {}), (0, {"link_judgement": 0}), (6, {"link_judgement": 6})])
def test_a_run_pins_the_words_that_it_has_read_and_none_that_the_former_one_had(
    judged: int | None, pinned: dict[str, int]
) -> None:
    """Somebody may have taken their table away since."""
    nothing: Any = None
    saved: Any = SimpleNamespace(versions={"link": 8})
    state = MainRun(
        run=nothing,
        inputs=nothing,
        saved=saved,
        former=nothing,
        of_model=nothing,
        judged_at_version=judged,
        stands_on={"link": 7, "person": 3, "link_judgement": 5, "person_judgement": 2},
    )
    assert state.versions == {"link": 8, "person": 3} | pinned
