"""TOML files into frozen, validated objects, with errors that name file and key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from linkage_spark.errors import SettingsError


class Frozen(BaseModel):
    """Base of every settings object: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


ModelT = TypeVar("ModelT", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """Read one TOML file.

    Raises:
        SettingsError: when the file is missing or is not TOML; names the file and the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path.name}: no such file in {path.parent.name}/; add it or correct the name") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path.name}: not valid TOML: {error}") from None


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``above`` over ``below``, table by table."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def validate(kind: type[ModelT], values: Mapping[str, Any], *, source: str) -> ModelT:
    """Build ``kind`` from ``values``.

    Raises:
        SettingsError: one line per fault, each naming ``source``, the key and what is wrong. Values
            are not repeated.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(source, fault) for fault in error.errors())) from None


def _sentence(source: str, fault: Any) -> str:
    """One fault in words."""
    key = ".".join(str(part) for part in fault["loc"]) or "(top)"
    if fault["type"] == "extra_forbidden":
        return f"{source}: unknown key '{key}'; remove it or correct its name"
    if fault["type"] == "missing":
        return f"{source}: missing key '{key}'; add it"
    return f"{source}: key '{key}': {fault['msg']}"
