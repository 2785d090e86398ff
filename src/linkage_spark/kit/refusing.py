"""What is asked before something is written."""

from __future__ import annotations


def never_refuses() -> None:
    """What whoever holds no lock asks: anything may be written."""
