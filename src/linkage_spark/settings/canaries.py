"""Canaries: made-up employees whose records every run must find."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, field_validator

from linkage_spark.settings.files import Frozen, read_toml, validate
from linkage_spark.settings.sources import SourceMapping

CANARY: Final = "CANARY-"
"""How the reference of every canary begins, on the roster and in the sources."""


class Differs(Frozen):
    """In what a record differs from the roster; None: in nothing, '' leaves the value out."""

    given: str | None = None
    surname: str | None = None
    born: date | Literal[""] | None = None
    house: str | None = None
    street: str | None = None
    town: str | None = None
    postcode: str | None = None


class Canary(Frozen):
    """One made-up employee and one record.

    Attributes:
        name: its name in messages, and its reference with ``CANARY`` before it.
        source: the police source whose mapping it goes through.
        tier: the tier in which it must be found.
        record: what the record says otherwise.
    """

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    source: str
    given: str
    surname: str
    born: date
    house: str
    street: str
    town: str
    postcode: str
    tier: Literal["match", "possible"]
    record: Differs = Differs()

    @property
    def ref(self) -> str:
        """Its reference, on the roster and in the source."""
        return f"{CANARY}{self.name}"

    @property
    def number(self) -> int:
        """Its reference where the source has whole numbers: of nine digits at most."""
        return zlib.crc32(self.name.encode()) % 1_000_000_000

    def is_called(self, ref: str) -> bool:
        """A reference is its own, in text or as a number, with places after the point or without."""
        return ref == self.ref or (ref.replace(".", "", 1).isdecimal() and float(ref) == self.number)

    def told(self, *, on_roster: bool) -> dict[str, str | date]:
        """What one side says: given, surname, born, house, street, town, postcode; '' where it says nothing."""
        own = {name: getattr(self, name) for name in Differs.model_fields}
        return own if on_roster else own | self.record.model_dump(exclude_none=True)


class Canaries(Frozen):
    """The file."""

    canary: tuple[Canary, ...] = ()

    @field_validator("canary")
    @classmethod
    def _names(cls, value: tuple[Canary, ...]) -> tuple[Canary, ...]:
        """Names are unique."""
        names = [canary.name for canary in value]
        if len(set(names)) != len(names):
            raise ValueError("two canaries have one name; give each its own")
        return value


def load_canaries(conf_dir: Path) -> tuple[Canary, ...]:
    """Read ``canaries.toml``; none where there is no such file, which ``sources_without`` tells.

    Raises:
        SettingsError: names every faulty key.
    """
    path = conf_dir / "canaries.toml"
    return validate(Canaries, read_toml(path), source="conf/canaries.toml").canary if path.is_file() else ()


def canaries_of(sources: Iterable[SourceMapping], canaries: Iterable[Canary]) -> tuple[Canary, ...]:
    """The canaries of mapped sources: the others go nowhere, and are neither found nor missed."""
    mapped = {source.source_system for source in sources}
    return tuple(canary for canary in canaries if canary.source in mapped)


_MADE_OF_A_HIT: Final = frozenset({"person", "event", "involvement"})
"""The tables that a source must make for anybody in it to become a hit."""


def sources_without(sources: Iterable[SourceMapping], canaries: Iterable[Canary]) -> tuple[str, ...]:
    """The police sources that somebody can be found in, and that have no canary; by name."""
    watched = {canary.source for canary in canaries}
    return tuple(
        sorted(
            source.source_system
            for source in sources
            if not source.roster and source.source_system not in watched and _makes_hits(source)
        )
    )


def _makes_hits(source: SourceMapping) -> bool:
    """A source of places alone can have no canary."""
    made = {block.table for feed in source.feeds.values() for block in feed.produces if not block.is_variant}
    return made >= _MADE_OF_A_HIT
