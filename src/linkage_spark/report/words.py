"""How figures and coded values read to a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WEAK = "The model’s probabilities are weak:"
"""Before each doubt of a model; figures of a run from before there were any have none."""

LABELS: dict[str, str] = {
    "match": "strong possible link",
    "possible": "possible link",
    "match+possible": "all shown (strong and possible)",
    "hr": "HR roster",
    "crime": "crime",
    "custody": "custody",
    "intel": "intelligence",
    "incident": "incident",
    "intelligence": "intelligence",
    "": "—",
    "clean": "recorded without error",
    "date_of_birth": "date of birth",
    "shown_match": "shown as strong possible link",
    "shown_possible": "shown as possible link",
    "negated_by_reviewer": "a reviewer said: not the same",
    "employee_refused": "employee’s HR rows refused",
    "employee_not_screened": "employee not screened",
    "record_refused": "police record refused",
    "record_not_screened": "police record not screened",
    "below_floor": "proposed, but scored below the model’s floor",
    "never_proposed": "never proposed by a blocking rule",
    "below_floor_or_never_proposed": "never proposed, or scored below the floor",
    "not_shown": "not shown: never proposed, below the floor, or held back by policy",
    "with_address_note": "address missing or with an issue",
    "without_address_note": "address without issue",
    "on_duty_sign": "on-duty sign",
    "no_sign": "no on-duty sign",
    "not_compared": "not asked: a side was refused or not screened",
    "standardising": "standardising (refused, not screened)",
    "blocking_or_scoring": "blocking or scoring",
    "review": "review (a reviewer said: not the same)",
    "not_told_apart": "not told apart (evaluate --in-depth does)",
    "under_25": "under 25",
    "25_to_34": "25 to 34",
    "35_to_44": "35 to 44",
    "45_to_54": "45 to 54",
    "55_and_over": "55 and over",
    "age_unknown": "age unknown",
    "namesake_or_chance": "namesake or chance",
    "weight_prior": "starting point (prior)",
    "weight_name": "name",
    "weight_name_frequency": "how rare the name is",
    "weight_date_of_birth": "date of birth",
    "weight_date_of_birth_frequency": "how common the date is",
    "weight_address": "address",
    "weight_address_frequency": "how shared the postcode is",
    "weight_household": "household discount",
}
"""Coded values whose plain words are not just the code with spaces."""

SCOPE_SHORT: dict[str, str] = {"match": "strong", "match+possible": "strong + possible"}
"""Scopes in as few words as a column head allows."""


def label(code: Any) -> str:
    """A coded value in plain words; null and '' as a dash."""
    if code is None:
        return "—"
    text = str(code)
    if text in LABELS:
        return LABELS[text]
    if text.startswith("held_back: "):
        return f"held back by policy: {label(text.removeprefix('held_back: '))}"
    return text.replace("_", " ")


def count(value: int) -> str:
    """A count with thousands separators."""
    return f"{value:,}"


def percent(value: float | None) -> str:
    """A share with one decimal; a dash when there is none. Only a whole reads 100 % or 0 %."""
    if value is None:
        return "—"
    text = f"{100 * value:.1f}"
    if text == "100.0" and value < 1:
        text = "> 99.9"
    elif text == "0.0" and value > 0:
        text = "< 0.1"
    return f"{text} %"


def signed(bits: float) -> str:
    """Bits with sign and one decimal, as '+3.3' or '−2.0'."""
    return f"{bits:+.1f}".replace("-", "−")


def share(proportion: Mapping[str, Any]) -> str:
    """A proportion with its 95 % interval, as '97.3 % (95.1 to 98.6)'."""
    if proportion["value"] is None:
        return "—"
    low, high = 100 * proportion["low"], 100 * proportion["high"]
    return f"{percent(proportion['value'])} ({low:.1f} to {high:.1f})"


def of(proportion: Mapping[str, Any]) -> str:
    """The counts behind a proportion, as '1,204 of 1,238'."""
    return f"{count(proportion['numerator'])} of {count(proportion['denominator'])}"


def reasons(counted: Mapping[str, int]) -> str:
    """Counts by reason in one line, the largest first; a dash when there are none."""
    parts = sorted(((n, name) for name, n in counted.items() if n), key=lambda item: (-item[0], item[1]))
    return ", ".join(f"{label(name)} {count(n)}" for n, name in parts) or "—"
