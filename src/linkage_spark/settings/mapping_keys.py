"""Keys of a mapping file, and how its tables lie over one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAME, BORN, ADDRESS, LOCALITY, POSTCODE = "name", "date_of_birth", "address", "locality", "postcode"

NAMES = ("given_names", "surname")
TEXTS = ("ref", *NAMES, "full_name", ADDRESS, LOCALITY, POSTCODE)
COLUMN_KEYS = (*TEXTS, BORN)
TOP_KEYS = ("country", "columns", "extra", "left", "right", "clusters")
SIDE_KEYS = ("columns", "extra_columns")
DATE_PARTS = ("day", "month", "year")
AGE = ("age", "age_as_of")
BIRTH_KEYS = ("column", "format", *DATE_PARTS, *AGE)
EXTRA_KEYS = ("column", "kind")
CLUSTER_KEYS = ("max_records", "contradictions")
CONTRADICTIONS = ("unless_strong", "always", "never")
KINDS = ("text", "exact")


def is_sided(values: Mapping[str, Any]) -> bool:
    """True when there is a part for one side."""
    return "left" in values or "right" in values


def raw_columns(values: Mapping[str, Any], which: str | None) -> dict[str, Any]:
    """[columns], with [which.columns] over it key by key; a name in parts replaces a full name, and the reverse."""
    base = dict(values.get("columns", {}))
    own = dict(values.get(which, {}).get("columns", {})) if which else {}
    if "full_name" in own:
        base = {key: at for key, at in base.items() if key not in NAMES}
    if any(key in own for key in NAMES):
        base.pop("full_name", None)
    return {**base, **own}
