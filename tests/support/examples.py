"""How many examples a property is tried on: all of them in ``make test``, a tenth in ``make check``, ten at the least."""

from __future__ import annotations

import os


def examples(number: int) -> int:
    """``number``; a tenth of it, ten at the least, where LINKAGE_QUICK is 1."""
    return min(number, max(number // 10, 10)) if os.environ.get("LINKAGE_QUICK") == "1" else number
