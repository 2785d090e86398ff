"""How many examples a property is tried on: all of them in ``make test``, a tenth in ``make check``."""

from __future__ import annotations

import os


def examples(number: int) -> int:
    """``number``, or a tenth of it where LINKAGE_QUICK is set."""
    return max(number // 10, 10) if os.environ.get("LINKAGE_QUICK") else number
