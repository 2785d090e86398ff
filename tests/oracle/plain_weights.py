"""The match weight of one pair in plain Python, from its levels, its values, a model's tables and frequencies.

Written from docs/matching.md, apart from ``linkage_spark.linkage``: no array, no code of the scorer. What it takes
from a model are the numbers of ``Model.model_dump``; what it takes from frequencies are rows of attribute, value, share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log2
from typing import Any

Numbers = Mapping[str, Any]
Values = Mapping[str, Any]

AGREES_NOT_EXACTLY = ("fuzzy", "typo", "variant")
AT_A_POSTCODE = ("same_premises", "same_building", "same_postcode")


@dataclass(frozen=True)
class Table:
    """Shares of one attribute's values; every value that is not listed has the share ``rare``."""

    shares: Mapping[str, float]
    rare: float

    def share(self, value: str | None) -> float | None:
        return None if value is None else self.shares.get(value, self.rare)

    @property
    def chance(self) -> float:
        """How often two records agree by chance."""
        return sum(s * s for s in self.shares.values()) + max(0.0, 1 - sum(self.shares.values())) * self.rare


def tables_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Table]:
    """The frequencies' rows by attribute; the row with no value has the share of every rarer one."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row["attribute"], {})[row["value"]] = row["share"]
    listed = {name: {value: share for value, share in of.items() if value} for name, of in found.items()}
    # Whole names have no row for the rarer ones: half of the least counts as chance agreement on them.
    return {name: Table(listed[name], of.get("", min(of.values()) / 2)) for name, of in found.items()}


def thousandths(bits: float) -> int:
    """Bits as an integer of 1/1000 bit."""
    return round(bits * 1000)


def common(*shares: float | None) -> float | None:
    """The commoner of the known shares."""
    return max((share for share in shares if share is not None), default=None)


class PlainWeights:
    """Weights of pairs under one model and its frequencies."""

    def __init__(self, model: Numbers, frequencies: Mapping[str, Table]) -> None:
        self.model, self.frequencies = model, frequencies
        self.name, self.g = model["name"], model["name"]["garbled_share"]

    def weigh(self, levels: Mapping[str, str], left: Values, right: Values) -> dict[str, int]:
        """Every weight of a pair, 1/1000 bit, and ``total``.

        Args:
            levels: ``name`` (the cell), ``given``, ``surname``, ``date_of_birth``, ``address``, and the further ones.
            left: given_first, surname_last, born (ISO, None where not full), postcode, and the further values.
            right: the same of the other record.
        """
        given_bits, surname_bits = self.name_corrections(levels, left, right)
        whole_bits = self.whole_name_correction(levels, left, right, given_bits + surname_bits)
        parts_moved = thousandths(given_bits) + thousandths(surname_bits)
        date_bits = self.exact_correction("date_of_birth", levels["date_of_birth"] == "exact", left["born"])
        at_postcode = levels["address"] in AT_A_POSTCODE and left["postcode"] == right["postcode"]
        place_bits = self.exact_correction("postcode", at_postcode, left["postcode"])
        found = {
            "prior": thousandths(self.model["prior_bits"]),
            "name": thousandths(log2(self.m_name(levels) / self.u_name(levels))),
            "name_frequency": parts_moved if whole_bits is None else thousandths(whole_bits),
            "date_of_birth": thousandths(self.ratio(self.dates, levels["date_of_birth"])),
            "date_of_birth_frequency": thousandths(date_bits),
            "address": thousandths(self.ratio(self.model["address"], levels["address"])),
            "address_frequency": thousandths(place_bits),
        }
        for attribute, table in self.model["further"].items():
            correction = self.further_correction(attribute, levels[attribute], left[attribute], right[attribute])
            found[attribute] = thousandths(self.ratio(table["levels"], levels[attribute])) + thousandths(correction)
        random = sum(found.values()) / 1000
        person = sum(found[part] for part in found if part.startswith(("name", "date"))) / 1000
        others = [2**-random]
        if self.model["household"]:
            others.append(2 ** -self.against_household(levels, given_bits, date_bits))
        if self.model["context"]:
            others.append(2 ** -self.against_context(levels, person))
        found["household"] = min(0, thousandths(-log2(sum(others)) - random))
        return found | {"total": sum(found.values())}

    # ---- m and u ---------------------------------------------------------------------------------

    @property
    def dates(self) -> Numbers:
        return {**self.model["date_of_birth"], **self.model["partial_date_of_birth"]}

    @staticmethod
    def ratio(table: Numbers, level: str) -> float:
        """log2(m/u) of a level; a missing value weighs nothing."""
        return 0.0 if level == "missing" else log2(table[level]["m"] / table[level]["u"])

    def m_name(self, levels: Mapping[str, str]) -> float:
        return self.name_cell(levels)[0]

    def u_name(self, levels: Mapping[str, str]) -> float:
        return self.name_cell(levels)[1]

    def name_cell(self, levels: Mapping[str, str]) -> tuple[float, float]:
        """m and u of the joint name attribute."""
        cell, given, surname = levels["name"], levels["given"], levels["surname"]
        if cell in self.name["cells"]:
            return self.name["cells"][cell]["m"], self.name["cells"][cell]["u"]
        if cell == "missing":
            return 1.0, 1.0
        one = None if given == "missing" else self.name["given"][given]
        other = None if surname == "missing" else self.name["surname"][surname]
        if cell.startswith("crossed") and "single" not in cell:
            crossed = self.name["crossed"][given]
            return crossed["m"], crossed["u"]
        if one is None or other is None:
            part = one or other
            assert part is not None
            chances = self.name["single_name_chances"] if "single" in cell else 1.0
            return (1 - self.g) * part["m"] + self.g * part["u"], min(1.0, part["u"] * chances)
        straight_m = 1 - sum(each["m"] for each in self.name["crossed"].values())
        straight_u = 1 - sum(each["u"] for each in self.name["crossed"].values())
        garbled = one["u"] * other["m"] + one["m"] * other["u"]
        m = (1 - 2 * self.g) * one["m"] * other["m"] + self.g * garbled
        return straight_m * m, straight_u * one["u"] * other["u"]

    # ---- rare and common values ------------------------------------------------------------------

    def name_corrections(self, levels: Mapping[str, str], left: Values, right: Values) -> tuple[float, float]:
        """Corrections of both parts, bits."""
        crossed = levels["name"].startswith("crossed")
        whole = crossed and "single" not in levels["name"]
        boxes = ("given_first", "surname_last")
        found = []
        for part, own in (("given", "given_first"), ("surname", "surname_last")):
            level, table = levels[part], self.frequencies.get(part)
            if table is None or level not in ("exact", *AGREES_NOT_EXACTLY):
                found.append(0.0)
                continue
            read = boxes if crossed else (own,)
            share = common(*(table.share(side[box]) for side in (left, right) for box in read))
            taken = 1.0 if level == "exact" and not whole else self.model["frequency"]["fuzzy_share"]
            found.append(0.0 if share is None else taken * self.correction(part, table, share))
        return found[0], found[1]

    def whole_name_correction(
        self, levels: Mapping[str, str], left: Values, right: Values, parts: float
    ) -> float | None:
        """Correction of a whole name both parts of which agree, in the place of theirs; None where theirs count."""
        table, given, surname = (self.frequencies.get(name) for name in ("name", "given", "surname"))
        agree = all(levels[part] in ("exact", *AGREES_NOT_EXACTLY) for part in ("given", "surname"))
        if table is None or given is None or surname is None or not agree:
            return None
        of_parts = self.reference("given", given) * self.reference("surname", surname)
        settings = self.model["frequency"]
        told = settings["reference"] == "data" or "name" in settings["shares"]
        reference = self.reference("name", table) if told else of_parts
        names = [(side["given_first"], side["surname_last"]) for side in (left, right)]
        listed = {name: table.shares[" ".join(name)] for name in names if " ".join(name) in table.shares}
        clip = settings["clip_bits"]
        if levels["name"] != "given exact, surname exact":
            # Half of what the name says beside its parts: of both sides' names the one that says less.
            beside = [
                log2(given.shares.get(one, given.rare) * surname.shares.get(other, surname.rare) / share)
                for (one, other), share in listed.items()
            ]
            least = min(beside, default=0.0) + log2(reference / of_parts)
            return parts + settings["fuzzy_share"] * max(-clip, min(clip, least))
        if listed:
            bits = log2(reference / max(listed.values()))
        else:
            # As rare as its parts say, and no commoner than the rarest that is listed.
            bits = max(parts + log2(reference / of_parts), log2(reference / min(table.shares.values())))
        return max(-2 * clip, min(2 * clip, bits))

    def exact_correction(self, attribute: str, agrees: bool, value: str | None) -> float:
        table = self.frequencies.get(attribute)
        share = table.share(value) if table is not None and agrees else None
        return 0.0 if table is None or share is None else self.correction(attribute, table, share)

    def further_correction(self, attribute: str, level: str, one: str | None, other: str | None) -> float:
        table = self.frequencies.get(attribute)
        taken = {"exact": 1.0}.get(level, self.model["frequency"]["fuzzy_share"])
        moved = level in ("exact", "near", "one_slip") and self.model["further"][attribute]["kind"] != "house"
        share = common(table.share(one), table.share(other)) if table is not None and moved else None
        return 0.0 if table is None or share is None else taken * self.correction(attribute, table, share)

    def correction(self, attribute: str, table: Table, share: float) -> float:
        """log2 of what exact agreement stands for over the value's own share, clipped."""
        clip = self.model["frequency"]["clip_bits"]
        return max(-clip, min(clip, log2(self.reference(attribute, table) / share)))

    def reference(self, attribute: str, table: Table) -> float:
        settings = self.model["frequency"]
        if settings["reference"] == "stated":
            stated: float = settings["shares"].get(attribute, table.chance)
            return stated
        if settings["reference"] == "data":
            return table.chance
        u: float
        if attribute in ("given", "surname"):
            u = self.name[attribute]["exact"]["u"]
        elif attribute == "date_of_birth":
            u = self.model["date_of_birth"]["exact"]["u"]
        elif attribute == "postcode":
            u = sum(self.model["address"][level]["u"] for level in AT_A_POSTCODE)
        else:
            u = self.model["further"][attribute]["levels"]["exact"]["u"]
        return u

    # ---- household and context -------------------------------------------------------------------

    def against_household(self, levels: Mapping[str, str], given_bits: float, date_bits: float) -> float:
        """log2 odds of one person against two of one household; the place says nothing where the model does not say."""
        household = self.model["household"]
        name = self.against_relative(levels, household, given_bits)
        date = 0.0
        if levels["date_of_birth"] != "missing":
            m, u = (self.dates[levels["date_of_birth"]][which] for which in "mu")
            leak = household["date_leak"]
            date = log2(m / ((1 - leak) * u * 2**-date_bits + leak * m))
        further = 0.0
        if household["address"] and levels["address"] != "missing":
            further = log2(self.model["address"][levels["address"]]["m"] / household["address"][levels["address"]])
        for attribute, shares in household["further"].items():
            level = levels[attribute]
            if level != "missing":
                further += log2(self.model["further"][attribute]["levels"][level]["m"] / shares[level])
        return name + date + further - log2(household["pairs_per_match"])

    def against_relative(self, levels: Mapping[str, str], household: Numbers, given_bits: float) -> float:
        """log2(m_name/h_name).

        A crossed name weighs against a relative what the straight name of the same two levels does: exchanging the
        parts is an accident of writing that meets a relative's record as often.
        """
        cell, given, surname = levels["name"], levels["given"], levels["surname"]
        if cell == "missing":
            return 0.0
        h = 1.0
        if given != "missing":
            part, leak = self.name["given"][given], household["forename_leak"]
            h *= (1 - leak) * min(1.0, part["u"] * 2**-given_bits) + leak * part["m"]
        if surname != "missing":
            h *= household["surname"][surname]
        if cell.startswith("crossed") and "single" not in cell:
            return log2(self.name["given"][given]["m"] * self.name["surname"][surname]["m"] / h)
        return log2(self.m_name(levels) / h)

    def against_context(self, levels: Mapping[str, str], person_bits: float) -> float:
        """log2 odds of one person against two of one context: name and date as by chance, places by their own shares."""
        context = self.model["context"]
        found = person_bits - log2(context["pairs_per_match"])
        if levels["address"] != "missing":
            m, u = (self.model["address"][levels["address"]][which] for which in "mu")
            found += log2(m / context["address"].get(levels["address"], u))
        for attribute, table in self.model["further"].items():
            level = levels[attribute]
            if level != "missing":
                m, u = (table["levels"][level][which] for which in "mu")
                found += log2(m / context["further"].get(attribute, {}).get(level, u))
        return found
