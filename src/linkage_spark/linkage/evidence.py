"""What a reviewer reads: one paragraph per link, and the fingerprint of what was compared.

No sentence carries a person's value or a bare probability. Rarity stands in words.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.linkage.comparison.levels import PART_NAMES
from linkage_spark.model.schema import EXTRA_PREFIX, PLACE_PREFIX, Model
from linkage_spark.tables.enums import PolicyReason, Tier
from linkage_spark.tables.linkage import LINK

_PART_WORDS: dict[str, str] = {
    "exact": "agree",
    "variant": "are known forms of one name",
    "typo": "agree but for a slip in spelling",
    "fuzzy": "are only alike",
    "initial": "agree by an initial only",
    "differ": "differ",
}

_GIVEN_WORDS = {**_PART_WORDS, "variant": "are known forms of one name, or one of several names agrees"}
_SURNAME_WORDS = {
    **_PART_WORDS,
    "variant": "are known forms of one name, or one side leaves a part of it out",
    "fuzzy": "are only alike, or have no more than a common part in common",
}
"""How each part agrees, where it stands in its own place."""

_CROSSED_WORDS: dict[str, str] = {
    "exact": "and agree",
    "variant": "and agree as known forms of the same names",
    "typo": "and agree but for a slip in spelling",
    "fuzzy": "and are then alike",
}

_DATE_WORDS: dict[str, str] = {
    "exact": "The dates of birth agree in full.",
    "day_month_swap": "The dates of birth agree if day and month are exchanged.",
    "century": "The dates of birth are exactly a century apart, a common slip of entry.",
    "one_digit_or_transposition": ("The dates of birth differ by one digit, or by two neighbouring digits exchanged."),
    "first_of_january": (
        "The year of birth agrees and one date is 1 January, often entered when only the year is known."
    ),
    "year_and_one_part": "The dates of birth agree in the year and in one of day and month.",
    "month_and_day": "The dates of birth agree in day and month; the years differ.",
    "two_digits": "The dates of birth differ in two digits.",
    "year_only": "The dates of birth agree in the year only.",
    "within_two_years": "The dates of birth differ, by two years at most.",
    "within_ten_years": "The dates of birth differ, by ten years at most.",
    "differ": "The dates of birth differ.",
    "partial_year_and_part_agree": ("One date of birth is incomplete; the year and one part that both have agree."),
    "partial_year_agrees": "One date of birth is incomplete; the year agrees.",
    "partial_near": "One date of birth is incomplete; the rest is close but not equal.",
    "partial_differ": "One date of birth is incomplete, and what both have differs.",
    "missing": "A date of birth is missing, so it says nothing either way.",
}

_ADDRESS_WORDS: dict[str, str] = {
    "same_premises": "The recorded address is {home}.",
    "same_building": (
        "The postcode agrees and the building may be one: only one side names a flat, or gives one number of several, "
        "or names the house where the other numbers it."
    ),
    "same_postcode": "The full postcode agrees, but not the house or flat.",
    "same_street": "Street and town agree, but not the house, and a postcode is missing.",
    "same_sector": "The addresses lie in one postcode sector.",
    "same_district": "The addresses lie in one postcode district.",
    "same_area": "The addresses lie in one postcode area only.",
    "differ": "The addresses lie in different postcode areas; people move, so this counts little against.",
    "missing": "No home address could be compared, so it says nothing either way.",
}

_POLICY_WORDS: dict[str, str] = {
    PolicyReason.SAME_PREMISES_AND_DATE: (
        "Shown as a strong possible link because forename, full date of birth and home agree."
    ),
    PolicyReason.SAME_NAME_DATE_AND_POSTCODE: (
        "Shown as a strong possible link because whole name, full date of birth and full postcode agree."
    ),
    PolicyReason.SAME_PREMISES_NEAR_DATE: (
        "Shown as a strong possible link because name and home agree and the date of birth is one slip away."
    ),
    PolicyReason.NAME_AND_DATE_ONLY: (
        "Name and date of birth alone never make a strong link: two people can share both."
    ),
    PolicyReason.NAME_AND_PREMISES_ONLY: (
        "Name and home agree, but no full date of birth supports it; it may be a relative."
    ),
    PolicyReason.DATE_AND_PREMISES_ONLY: (
        "Date of birth and home agree, but the name does not; it may be a twin or a housemate."
    ),
    PolicyReason.RARE_NAME_ALONE: "Only a rare whole name agrees.",
    PolicyReason.CONFLICT: "Most agrees, but something in the names or dates speaks against it.",
    PolicyReason.TWIN_PATTERN: (
        "This is the pattern of twins: same surname, date of birth and home, another forename."
    ),
    PolicyReason.ON_DUTY_NAME: (
        "The record looks like an officer recorded on duty, so little but the name can be compared."
    ),
    PolicyReason.RIVAL_TOO_CLOSE: "Another employee fits this record nearly as well.",
    PolicyReason.RIVAL_RECORD_TOO_CLOSE: (
        "Another police record fits this employee nearly as well, and the dates of birth of the two records "
        "exclude each other: one of them is of somebody else."
    ),
    PolicyReason.BELOW_THRESHOLD: "The evidence together is too weak to be shown higher.",
    PolicyReason.ONE_ELEMENT_ONLY: "Only one of name, date of birth and home agrees.",
    PolicyReason.CONTRADICTION: "Something that cannot be of one person stands against the rest.",
}

_NAME_ISSUES: dict[str, str] = {
    "missing": "{record} has no name",
    "placeholder": "the recorded name was a placeholder",
    "single_token": "the record holds a single name",
    "initials_only": "the record holds initials only",
}

_DATE_ISSUES: dict[str, str] = {
    "missing": "{record} has no date of birth",
    "placeholder": "the recorded date of birth was a placeholder",
    "unreadable": "the recorded date of birth could not be read",
    "out_of_range": "the recorded date of birth is out of range",
    "partial": "the recorded date of birth is incomplete",
    "first_of_january": "the recorded date of birth is 1 January, often a default",
    "stated_age": "the year of birth is reckoned from a stated age, which leaves two years",
    "approximate_age": "the recorded age says too little to reckon a year of birth from",
}

_ADDRESS_ISSUES: dict[str, str] = {
    "missing": "{record} has no address",
    "placeholder": "the recorded address was a placeholder",
    "no_postcode": "the recorded address has no postcode",
    "bad_postcode": "the recorded postcode is not a real one",
    "not_a_dwelling": "the recorded address is not a home",
    "no_premises": "the recorded address names no house",
}

_FURTHER_WORDS: dict[str, str] = {
    "exact": "agree",
    "near": "agree but for a slip",
    "one_slip": "are one slip apart",
    "similar": "are much alike",
    "shared_token": "have a part in common",
    "alike": "are a little alike",
    "half": "are a little alike",
    "same_start": "begin alike",
    "faint": "differ",
    "differ": "differ",
}


@dataclass(frozen=True)
class Voice:
    """Who is compared, in words.

    Attributes:
        record: the right-hand record, whose data quality is spoken of.
        home: the left-hand record's home.
        weights: say at the end what each attribute weighs, and their sum.
    """

    record: str
    home: str
    weights: bool = False


FORCE = Voice(record="the police record", home="the employee's current home")
FILES = Voice(record="the right-hand record", home="that of the left-hand record", weights=True)

_HOUSEHOLD_NOTICEABLE_MILLIBITS = 1000
"""A discount under one bit changes nothing for a reader and is not mentioned."""


def explain_links(links: DataFrame, *, secret: bytes, model: Model) -> DataFrame:
    """Add the sentence and the evidence fingerprint to every link.

    Args:
        links: LINK without ``explanation`` and ``evidence_fingerprint``, with ``evidence_values``; where it
            also has ``frequency_one_in``, rarity is put in words.
        secret: key of the HMAC; fingerprints are personal data and erased with their person.
        model: limits for what would change the answer.

    Returns:
        LINK, lazy; ``evidence_values`` is gone.
    """
    has_rarity = "frequency_one_in" in links.columns
    kept = [name for name in LINK.names if name not in ("explanation", "evidence_fingerprint")]
    inputs = [*kept, "evidence_values", *(["frequency_one_in"] if has_rarity else [])]

    def explain_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = batch.select([name for name in inputs if name != "evidence_values"]).to_pylist()
            columns = {name: batch.column(name) for name in kept}
            columns["explanation"] = pa.array([explain(row, model) for row in rows], type=pa.string())
            values = batch.column("evidence_values").to_pylist()
            columns["evidence_fingerprint"] = pa.array(
                [evidence_fingerprint(value, secret) for value in values], type=pa.string()
            )
            yield pa.RecordBatch.from_pydict({name: columns[name] for name in LINK.names})

    frame = links.select(*[F.col(name) for name in inputs])
    return LINK.conform(frame.mapInArrow(explain_batches, schema=LINK.schema))


def evidence_fingerprint(values: str, secret: bytes) -> str:
    """HMAC-SHA-256 of the compared values' standard forms, hex: changes when anything compared changes."""
    return hmac.new(secret, values.encode(), hashlib.sha256).hexdigest()


def explain(row: Mapping[str, object], model: Model | None = None, voice: Voice = FORCE) -> str:
    """Say in plain English what agreed, what differed, how rare, and what would change the answer.

    Args:
        row: columns of LINK (absent and null ones are passed over) and, if known, ``frequency_one_in``.
        model: for the rival's margin and the further attributes; without it a rival is named only where it
            decided the tier.
        voice: who is compared.
    """
    sentences = [
        _name_sentence(row),
        _rarity_sentence(row),
        _DATE_WORDS[str(row["level_date_of_birth"])],
        _common_date_sentence(row),
        _address_sentence(row, model, voice),
        _further_sentence(row, model),
        _conflict_sentence(row),
        _household_sentence(row),
        _quality_sentence(row, voice),
        _on_duty_sentence(row),
        _rival_sentence(row, model),
        _policy_sentence(row),
        _change_sentence(row, model),
        _weights_sentence(row, model) if voice.weights else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _name_sentence(row: Mapping[str, object]) -> str:
    """The joint name level in words."""
    level = str(row["level_name"])
    given, surname = str(row["level_given"]), str(row["level_surname"])
    if level == "missing":
        return "A name is missing, so it says nothing either way."
    if level.startswith("crossed: single name"):
        part = "given names" if given in _PART_WORDS else "surname"
        how = _CROSSED_WORDS[level.rsplit(" ", 1)[1]].removeprefix("and ").removeprefix("are then ")
        words = {"agree": "equals", "agree but for a slip in spelling": "equals, but for a slip in spelling,"}
        verb = words.get(how, "resembles" if how == "alike" else "is a known form of")
        return f"One side has a single name, which {verb} the other side's {part}."
    if level.startswith("crossed: "):
        how = _CROSSED_WORDS[level.removeprefix("crossed: ")]
        return f"Given names and surname stand in each other's place {how}."
    if given == "missing" or surname == "missing":
        if given == "missing":
            return f"The surnames {_SURNAME_WORDS[surname]}; the given names cannot be compared."
        return f"The given names {_GIVEN_WORDS[given]}; the surname cannot be compared."
    if given == surname == "exact":
        return "Given names and surname agree."
    if given == surname == "differ":
        return "Given names and surname differ."
    return f"The given names {_GIVEN_WORDS[given]}; the surnames {_SURNAME_WORDS[surname]}."


_MOST_RECORDS = 10_000_000
"""Rarity beyond what any force's records could show is not put into a figure: it is a product of shares."""


def _rarity_sentence(row: Mapping[str, object]) -> str:
    """How rare the agreeing name is, in words."""
    one_in = row.get("frequency_one_in")
    part = _agreeing_part(row)
    if not part:
        return ""
    if isinstance(one_in, int) and one_in > 0:
        if one_in > _MOST_RECORDS:
            return f"Fewer than 1 in {_MOST_RECORDS:,} records would bear this {part} by chance."
        return f"By chance, about 1 in {_rounded(one_in):,} records would bear this {part}."
    if row.get("rare_name"):
        return "The whole name is rare among the records here."
    return ""


def _agreeing_part(row: Mapping[str, object]) -> str:
    """Which part of the name agrees well enough to speak of its rarity."""
    strong = PART_NAMES[3:6]
    given, surname = row["level_given"] in strong, row["level_surname"] in strong
    if given and surname:
        return "name"
    return "surname" if surname else "forename" if given else ""


def _rounded(number: int) -> int:
    """Two leading figures: rarity is an estimate."""
    magnitude = int(10 ** max(0, len(str(number)) - 2))
    return round(number / magnitude) * magnitude


def _common_date_sentence(row: Mapping[str, object]) -> str:
    """A full agreeing date that weighs less than the model gives an ordinary one.

    The cause is not named: in a short history every ordinary date has a large share of the records.
    """
    if row["level_date_of_birth"] == "exact" and _number(row.get("weight_date_of_birth_frequency")) <= -2000:
        return "Dates agree by chance more often among these records than the model expects, so it says less."
    return ""


def _conflict_sentence(row: Mapping[str, object]) -> str:
    """Twin pattern and sex-marked names."""
    found = []
    if row.get("twin_pattern") and row.get("policy_reason") != PolicyReason.TWIN_PATTERN:
        found.append(_POLICY_WORDS[PolicyReason.TWIN_PATTERN])
    if row.get("sex_marked_conflict"):
        found.append("Parts of the two names are usual for different sexes.")
    return " ".join(found)


def _household_sentence(row: Mapping[str, object]) -> str:
    """The household discount, when it is more than a trifle."""
    if _number(row.get("weight_household")) > -_HOUSEHOLD_NOTICEABLE_MILLIBITS:
        return ""
    return "The weight is lowered because relatives and housemates can share what agrees."


def _address_sentence(row: Mapping[str, object], model: Model | None, voice: Voice) -> str:
    """The address level in words; nothing where the place stands in further attributes."""
    if row["level_address"] == "missing" and _has_places(model):
        return ""
    return _ADDRESS_WORDS[str(row["level_address"])].format(home=voice.home)


def _has_places(model: Model | None) -> bool:
    """The place is compared by further attributes."""
    return model is not None and any(name.startswith(PLACE_PREFIX) for name in model.further)


def _further_sentence(row: Mapping[str, object], model: Model | None) -> str:
    """Further attributes of an analyst's file, those that both records have."""
    further = model.further if model is not None else {}
    known = [(name, str(row[f"level_{name}"])) for name in further if row[f"level_{name}"] != "missing"]
    return " ".join(f"{_label(name).capitalize()}: the values {_FURTHER_WORDS[level]}." for name, level in known)


def _label(column: str) -> str:
    """A further attribute as its owner calls it."""
    return column.removeprefix(PLACE_PREFIX).removeprefix(EXTRA_PREFIX).replace("_", " ")


def _weights_sentence(row: Mapping[str, object], model: Model | None) -> str:
    """What each attribute weighs, in bits, and their sum: the match weight."""
    further = [(_label(name), f"weight_{name}") for name in (model.further if model is not None else {})]
    listed = [(label, sum(int(str(row[column])) for column in columns)) for label, columns in _WEIGHTS]
    listed += [(label, int(str(row[column]))) for label, column in further]
    said = ", ".join(f"{label} {bits / 1000:+.3f}" for label, bits in listed if bits) or "nothing weighs"
    return f"Bits: {said}; together {int(str(row['match_weight_millibits'])) / 1000:+.3f}."


_WEIGHTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("prior", ("weight_prior",)),
    ("name", ("weight_name",)),
    ("how common the name is", ("weight_name_frequency",)),
    ("date of birth", ("weight_date_of_birth",)),
    ("how common the date is", ("weight_date_of_birth_frequency",)),
    ("address", ("weight_address",)),
    ("how common the postcode is", ("weight_address_frequency",)),
    ("household or neighbours", ("weight_household",)),
)


def _quality_sentence(row: Mapping[str, object], voice: Voice) -> str:
    """What was wrong with the right-hand record's own data."""
    found = [
        words[str(row[column])]
        for column, words in (
            ("quality_name", _NAME_ISSUES),
            ("quality_date_of_birth", _DATE_ISSUES),
            ("quality_address", _ADDRESS_ISSUES),
        )
        if row.get(column) in words
    ]
    return f"Data quality: {'; '.join(found)}.".format(record=voice.record) if found else ""


def _on_duty_sentence(row: Mapping[str, object]) -> str:
    """A record of an officer at work."""
    if not row.get("on_duty_sign"):
        return ""
    return "A rank, a collar number or a station address stands in the record: it may show someone on duty."


def _rival_sentence(row: Mapping[str, object], model: Model | None) -> str:
    """The runner-up, when it is close enough to matter."""
    margin = row.get("leader_margin_bits")
    if row.get("rival_employee_id") is None or not isinstance(margin, int | float):
        return ""
    if margin < 0:
        return "Another employee fits this record better."
    if row.get("policy_reason") == PolicyReason.RIVAL_TOO_CLOSE and model and margin >= model.rival.margin_bits:
        return "Several other employees fit this record, together nearly as well."
    close = model is not None and margin < model.rival.margin_bits
    return "Another employee fits this record nearly as well." if close else "Another employee also fits, less well."


def _policy_sentence(row: Mapping[str, object]) -> str:
    """The clause of the tier policy that decided."""
    reason = row.get("policy_reason")
    words = _POLICY_WORDS.get(str(reason), "") if reason is not None else ""
    said = reason == PolicyReason.RIVAL_TOO_CLOSE and row.get("rival_employee_id") is not None
    return "" if said else words


def _change_sentence(row: Mapping[str, object], model: Model | None) -> str:
    """What would make the answer another one."""
    missing = []
    if row["level_date_of_birth"] == "missing" or str(row["level_date_of_birth"]).startswith("partial"):
        missing.append("a full date of birth")
    if not _has_places(model):
        if row["level_address"] == "missing":
            missing.append("an address")
        elif row["level_address"] not in ("same_premises", "same_postcode"):
            missing.append("an earlier or former address in common")
    if row["level_given"] == "missing" or row["level_surname"] == "missing" or row["level_given"] == "initial":
        missing.append("the full name")
    if row.get("tier") == Tier.MATCH:
        return (
            "It would fall if another person of that name is found at the address, "
            "or if the date of birth is corrected."
        )
    if not missing:
        return "A further record with other details could change the answer either way."
    return f"What would change the answer: {', '.join(missing)}."


def _number(value: object) -> float:
    """A number; null counts as 0."""
    return float(value) if isinstance(value, int | float) else 0.0
