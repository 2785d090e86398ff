"""How common values are among police person records, frozen with a model."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from linkage_spark.errors import SettingsError

FREQUENCY_ATTRIBUTES: tuple[str, ...] = ("given", "surname", "date_of_birth", "postcode")
"""Attributes with frequencies: given_first, surname_last, the ISO date of birth, the full postcode. Further
attributes have them under their column's name."""

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
                least listed share, half of the latter is taken.
        """
        shares: dict[str, dict[str, float]] = {}
        rare: dict[str, float] = {}
        records: dict[str, float] = {}
        for row in rows:
            attribute, value = str(row["attribute"]), str(row["value"])
            share, bearers = _number(row["share"]), _number(row["bearers"])
            if value == RARE_VALUE:
                rare[attribute] = share
                continue
            if share > 0:
                shares.setdefault(attribute, {})[value] = share
                records[attribute] = max(records.get(attribute, 0.0), bearers / share)
        return cls(
            {a: _attribute(shares.get(a, {}), rare.get(a), records.get(a, 0.0)) for a in sorted({*shares, *rare})}
        )

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


def _number(value: object) -> float:
    """A number of a row; null counts as 0."""
    return float(value) if isinstance(value, int | float) else 0.0
