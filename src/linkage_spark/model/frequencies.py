"""How common values are among police person records, frozen with a model."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from linkage_spark.errors import SettingsError

FREQUENCY_ATTRIBUTES: tuple[str, ...] = ("given", "surname", "date_of_birth", "postcode", "name")
"""Attributes with frequencies: given_first, surname_last, the ISO date of birth, the full postcode, and the whole name,
which is given_first and surname_last with a blank between. Further attributes have them under their column's name."""

WHOLE_NAME = FREQUENCY_ATTRIBUTES[-1]
"""The attribute of whole names."""

RARE_VALUE = ""
"""The row that stands for every value with fewer bearers than the minimum."""


@dataclass(frozen=True)
class AttributeFrequencies:
    """Shares of one attribute's values.

    Attributes:
        shares: share of all person records with a value, per value that enough persons bear.
        rare_share: the one share that each rarer value is given; below the least listed one.
        records: person records with a value.
        chance_agreement: the sum of squared shares: how often two random records agree.
        typical_agreement: share of a value of the rarity that a trained model's weights of exact agreement stand for;
            None: they stand for ``chance_agreement``.
    """

    shares: Mapping[str, float]
    rare_share: float
    records: float
    chance_agreement: float
    typical_agreement: float | None = None

    def share(self, value: str) -> float:
        """Share of a value; the rare share when the value is not listed."""
        return self.shares.get(value, self.rare_share)

    def bearers(self, value: str) -> float | None:
        """Records that bear a value; None when fewer than the minimum do."""
        share = self.shares.get(value)
        return None if share is None else share * self.records


@dataclass(frozen=True)
class WholeNameFrequencies(AttributeFrequencies):
    """Shares of whole names; one that is not listed is as common as its parts say, but no commoner than any listed.

    Attributes:
        given, surname: shares of the parts.
        most_bits_beside_parts: the largest of ``bits_beside_parts`` over the listed names.
    """

    given: AttributeFrequencies = field(kw_only=True)
    surname: AttributeFrequencies = field(kw_only=True)
    most_bits_beside_parts: float = field(kw_only=True)

    @classmethod
    def of(
        cls,
        shares: Mapping[str, float],
        *,
        records: float,
        chance_agreement: float,
        given: AttributeFrequencies,
        surname: AttributeFrequencies,
    ) -> WholeNameFrequencies:
        """Close the table of these shares, of which there is at least one."""
        found = cls(
            shares=shares,
            rare_share=min(shares.values()),
            records=records,
            chance_agreement=chance_agreement,
            given=given,
            surname=surname,
            most_bits_beside_parts=0.0,
        )
        return replace(found, most_bits_beside_parts=max(found.bits_beside_parts(value) for value in shares))

    def bits_beside_parts(self, value: str) -> float:
        """How much rarer a listed name is than its parts say, log2: below 0 for one that is commoner."""
        return math.log2(self.of_parts(value) / self.shares[value])

    def share(self, value: str) -> float:
        """Share of a whole name; ``rare_share``, that of the rarest listed, bounds one that is not."""
        listed = self.shares.get(value)
        return min(self.of_parts(value), self.rare_share) if listed is None else listed

    def of_parts(self, value: str) -> float:
        """Share of a whole name if its parts were independent."""
        given, _, surname = value.partition(" ")
        return self.given.share(given) * self.surname.share(surname)


@dataclass(frozen=True)
class Frequencies:
    """Frequencies of all attributes; an attribute without any corrects no weight."""

    by_attribute: Mapping[str, AttributeFrequencies] = field(default_factory=dict)

    @classmethod
    def none(cls) -> Frequencies:
        """No frequencies: no weight is corrected, and no value counts as rare."""
        return cls()

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, object]]) -> Frequencies:
        """Build from rows of the FREQUENCY table, in any order.

        Args:
            rows: mappings (or Spark Rows' ``asDict()``) with attribute, value, bearers, share. The row with
                value '' carries the mean share of one rarer value; where it is absent or not below the
                least listed share, half of the latter is taken. All records are told by the value that most bear,
                since a share may leave out a person's own records. Whole names have no such row.
        """
        shares: dict[str, dict[str, float]] = {}
        rare: dict[str, float] = {}
        records: dict[str, float] = {}
        most: dict[str, float] = {}
        for row in rows:
            attribute, value = str(row["attribute"]), str(row["value"])
            share, bearers = _number(row["share"]), _number(row["bearers"])
            if value == RARE_VALUE:
                rare[attribute] = share
                continue
            if share > 0:
                shares.setdefault(attribute, {})[value] = share
                most[attribute], records[attribute] = max(
                    (most.get(attribute, 0.0), records.get(attribute, 0.0)), (bearers, bearers / share)
                )
        tables = {a: _attribute(shares.get(a, {}), rare.get(a), records.get(a, 0.0)) for a in sorted({*shares, *rare})}
        return cls(_with_whole_names(tables))

    @classmethod
    def shipped(cls, conf_dir: Path | str, model_id: str) -> Frequencies:
        """The frequencies that came with a model: ``<conf_dir>/models/<model_id>.frequencies.csv``.

        Raises:
            SettingsError: no such file, or a row is none of attribute, value, bearers, share.
        """
        path = Path(conf_dir) / "models" / f"{model_id}.frequencies.csv"
        try:
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
            rows = [
                {**row, "bearers": float(row["bearers"]), "share": float(row["share"])} for row in csv.DictReader(lines)
            ]
        except FileNotFoundError as error:
            raise SettingsError(
                f"model {model_id}: no file {path.name} in the folder models of the settings"
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(f"{path.name}: every row holds attribute, value, bearers and share") from error
        return cls.from_rows(rows)

    def of(self, attribute: str) -> AttributeFrequencies | None:
        """Frequencies of one attribute; None when there are none."""
        return self.by_attribute.get(attribute)


def _attribute(shares: dict[str, float], rare: float | None, records: float) -> AttributeFrequencies:
    """Close one attribute: bound the rare share and sum the squares."""
    least = min(shares.values(), default=1.0)
    rare_share = rare if rare is not None and 0 < rare < least else least / 2
    left = max(0.0, 1.0 - sum(sorted(shares.values())))
    chance = sum(sorted(share * share for share in shares.values())) + left * rare_share
    return AttributeFrequencies(dict(shares), rare_share, records, chance)


def _with_whole_names(tables: dict[str, AttributeFrequencies]) -> dict[str, AttributeFrequencies]:
    """The same with whole names beside their parts; without them where a part has no frequencies."""
    name, given, surname = (tables.get(attribute) for attribute in (WHOLE_NAME, "given", "surname"))
    others = {attribute: table for attribute, table in tables.items() if attribute != WHOLE_NAME}
    if not (name and given and surname and name.shares):
        return others
    whole = WholeNameFrequencies.of(
        name.shares, records=name.records, chance_agreement=name.chance_agreement, given=given, surname=surname
    )
    return {**others, WHOLE_NAME: whole}


def _number(value: object) -> float:
    """A number of a row; null counts as 0."""
    return float(value) if isinstance(value, int | float) else 0.0
