"""The shipped model of person files, and mixtures of pairs whose every share is known, for the tests of training."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from linkage_spark.linkage.training.em import CONTEXT, HOUSEHOLD, MATCH, RANDOM, Restraint
from linkage_spark.linkage.training.layout import STRAIGHT, Attribute, Floats, Ints
from linkage_spark.model.person_files import load_person_file_model
from linkage_spark.model.schema import PART_LEVELS, Model

CONF = Path(__file__).resolve().parents[4] / "conf"
BRITISH = frozenset(
    ("name", "given_names", "surname", "date_of_birth", "address", "premises", "postcode", "town"),
)


def file_model(further: Mapping[str, str] | None = None, *, whole: bool = False) -> Model:
    """The shipped model for a fully mapped British file."""
    shipped = load_person_file_model(CONF, "person_files_v1")
    return shipped.model_for(
        mapped=BRITISH, further=further or {}, expected_matches=500.0, pairs=1_000_000.0, whole=whole
    )


# Weakest level first, m/u rising. Far enough from where the estimate starts to be found and not merely kept.
GIVEN_M = np.array([0.08, 0.01, 0.03, 0.05, 0.10, 0.73])
GIVEN_U = np.array([0.960, 0.006, 0.008, 0.003, 0.005, 0.018])
SURNAME_M = np.array([0.12, 0.002, 0.018, 0.06, 0.05, 0.75])
SURNAME_U = np.array([0.984, 0.001, 0.006, 0.002, 0.001, 0.006])
DATE_M = np.array([0.01, 0.01, 0.01, 0.01, 0.02, 0.01, 0.02, 0.02, 0.05, 0.02, 0.03, 0.79])
DATE_U = np.array([0.680, 0.230, 0.060, 0.010, 0.010, 0.003, 0.002, 0.001, 0.002, 0.0005, 0.0005, 0.001])
ADDRESS_M = np.array([0.20, 0.20, 0.10, 0.05, 0.02, 0.03, 0.05, 0.35])
ADDRESS_U = np.array([0.680, 0.290, 0.020, 0.006, 0.001, 0.001, 0.001, 0.001])
EXTRA_M = np.array([0.10, 0.90])
EXTRA_U = np.array([0.70, 0.30])
TOWN_M = np.array([0.15, 0.85])
TOWN_U = np.array([0.90, 0.10])

HOUSEHOLD_SURNAME = np.array([0.25, 0.01, 0.01, 0.02, 0.01, 0.70])
HOUSEHOLD_EXTRA = np.array([0.45, 0.55])
CONTEXT_ADDRESS = np.array([0.02, 0.03, 0.05, 0.20, 0.20, 0.45, 0.03, 0.02])
CONTEXT_EXTRA = np.array([0.20, 0.80])
HOUSEHOLD_TOWN = np.array([0.20, 0.80])
CONTEXT_TOWN = np.array([0.05, 0.95])
EXTRAS = {"extra_club": "exact", "extra_town": "exact"}
"""Two columns: with the address they make three, the fewest by which free tables of two classes can be told apart."""
LEAK = 0.005

SHARES_OF_TWO = {MATCH: 0.002, RANDOM: 0.998}
SHARES_OF_FOUR = {MATCH: 0.002, RANDOM: 0.988, HOUSEHOLD: 0.002, CONTEXT: 0.008}


def restraint(garbled_share: float = 0.0, most_rounds: int = 500) -> Restraint:
    """What is held fixed; the household's surname starts from the model's."""
    household = file_model().household
    assert household is not None
    return Restraint(
        garbled_share=garbled_share,
        forename_leak=LEAK,
        date_leak=LEAK,
        surname=np.array([household.surname[level] for level in PART_LEVELS]),
        most_rounds=most_rounds,
    )


@dataclass(frozen=True)
class Mixture:
    """Every pattern with a probability, and how many pairs bear it: expected counts, nothing drawn."""

    codes: Ints
    weight: Floats


def true_tables(name: str) -> tuple[Floats, ...]:
    """Straight name cells, full dates, addresses and the two further columns of one class."""
    leaked_given = (1 - LEAK) * GIVEN_U + LEAK * GIVEN_M
    leaked_date = (1 - LEAK) * DATE_U + LEAK * DATE_M
    chance = np.outer(GIVEN_U, SURNAME_U)
    return {
        MATCH: (np.outer(GIVEN_M, SURNAME_M), DATE_M, ADDRESS_M, EXTRA_M, TOWN_M),
        RANDOM: (chance, DATE_U, ADDRESS_U, EXTRA_U, TOWN_U),
        HOUSEHOLD: (np.outer(leaked_given, HOUSEHOLD_SURNAME), leaked_date, ADDRESS_M, HOUSEHOLD_EXTRA, HOUSEHOLD_TOWN),
        CONTEXT: (chance, DATE_U, CONTEXT_ADDRESS, CONTEXT_EXTRA, CONTEXT_TOWN),
    }[name]


def mixture(shares: Mapping[str, float], attributes: Sequence[Attribute], pairs: float) -> Mixture:
    """The pairs of a mixture of these classes over name, full date, address and two columns of kind exact."""
    _, date, address, club, town = attributes
    columns = (STRAIGHT.ravel(), date.groups[1], address.groups[0], club.groups[0], town.groups[0])
    codes = np.array(list(itertools.product(*columns)), dtype=np.int64)
    weight = np.zeros(len(codes))
    for at, share in shares.items():
        tables = [table.ravel() for table in true_tables(at)]
        weight += pairs * share * functools.reduce(np.multiply.outer, tables).ravel()
    return Mixture(codes, weight)
