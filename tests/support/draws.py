"""What the made-up days are drawn from: a seed, the day on which the tests run, and which of the two clock changes they come through."""

from __future__ import annotations

import os
from datetime import date

SEED = int(os.environ.get("LINKAGE_DAY_SEED", "20261122"))
"""Of the made-up worlds, and of where runs are killed in them."""

KILL_DAY = os.environ.get("LINKAGE_KILL_DAY", f"{date.today():%Y-%m-%d}")  # noqa: DTZ011
"""Runs are killed in other places every day; a failure says which day to name here to see it again."""

CLOCKS = os.environ.get("LINKAGE_CLOCKS", ("forward", "back")[date.fromisoformat(KILL_DAY).toordinal() % 2])
"""Whether the clocks go forward or back in the made-up days: the one and the other by turns, day by day."""

TOLD = f"seed {SEED}, clocks {CLOCKS}"
"""What a failure says of all that, so that it can be seen again."""
