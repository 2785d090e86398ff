"""Weights with further attributes and classes: they add up, and an oracle apart from the scorer agrees."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pytest

from linkage_spark.linkage.comparison.pair import EVIDENCE_COLUMNS, INTEGER_COLUMNS
from linkage_spark.linkage.score_stage import BatchScorer, score_pair
from linkage_spark.model.frequencies import AttributeFrequencies, Frequencies
from linkage_spark.model.schema import ADDRESS_LEVELS, Context, Model
from tests.unit.linkage.comparison.knowledge import person, reference
from tests.unit.linkage.training.mixture import CONTEXT_ADDRESS, file_model

FURTHER = {"place_street": "street", "extra_job": "text", "extra_sex": "exact"}
HOUSEHOLD_JOB = {"differ": 0.70, "half": 0.05, "similar": 0.05, "near": 0.05, "exact": 0.15}
CONTEXT_JOB = {"differ": 0.30, "half": 0.05, "similar": 0.05, "near": 0.10, "exact": 0.50}
CONTEXT_STREET = {"differ": 0.20, "faint": 0.05, "alike": 0.05, "similar": 0.05, "near": 0.15, "exact": 0.50}
FREQUENCIES = Frequencies(
    {
        "surname": AttributeFrequencies({"smith": 0.02, "khan": 0.004}, 0.0005, 1000.0, 0.001),
        "extra_job": AttributeFrequencies({"clerk": 0.2, "farrier": 0.002}, 0.0005, 1000.0, 0.05),
    }
)
HOME = "|12|high street|birmingham|B23 6AA||"


@functools.cache
def model(which: str = "all") -> Model:
    """The shipped tables with a household and a context class that know the further attributes."""
    base = file_model(FURTHER)
    assert base.household is not None
    household = base.household.model_copy(update={"further": {"extra_job": HOUSEHOLD_JOB}})
    context = Context(
        pairs_per_match=4.0,
        address=dict(zip(ADDRESS_LEVELS, CONTEXT_ADDRESS.tolist(), strict=True)),
        further={"extra_job": CONTEXT_JOB, "place_street": CONTEXT_STREET},
    )
    return base.model_copy(
        update={
            "household": household if which in ("all", "household") else None,
            "context": context if which in ("all", "context") else None,
        }
    )


def scored(
    left: Mapping[str, object], right: Mapping[str, object], which: str = "all", frequencies: Frequencies = FREQUENCIES
) -> dict[str, int | str]:
    found = score_pair(left, right, model=model(which), frequencies=frequencies, names=reference())
    return {name: value for name, value in found.items() if isinstance(value, int | str)}


@dataclass(frozen=True)
class Case:
    """A pair, the levels it must reach, and the share of the commoner agreeing value where there is one."""

    left: dict[str, object]
    right: dict[str, object]
    given: str
    surname: str
    date: str
    address: str
    further: dict[str, str]
    surname_bits: float = 0.0
    job_bits: float = 0.0


def one(given: str, surname: str, born: str, home: str, *further: str | None) -> dict[str, object]:
    more: dict[str, object] = dict(zip(FURTHER, further, strict=True))
    return {**person(given, surname, born, home), **more}


JOB_U = 0.010  # exact agreement of texts, as in the shipped model
SURNAME_U = 0.0007
CASES = {
    "all agrees": Case(
        one("john", "smith", "1980-03-14", HOME, "high street", "clerk", "m"),
        one("john", "smith", "1980-03-14", HOME, "high street", "clerk", "m"),
        *("exact", "exact", "exact", "same_premises"),
        {"place_street": "exact", "extra_job": "exact", "extra_sex": "exact"},
        surname_bits=math.log2(SURNAME_U / 0.02),
        job_bits=math.log2(JOB_U / 0.2),
    ),
    "a relative at home": Case(
        one("john", "smith", "1980-03-14", HOME, "high street", "clerk", "m"),
        one("wilhelmina", "smith", "1951-10-02", HOME, "high street", "farrier", "f"),
        *("differ", "exact", "differ", "same_premises"),
        {"place_street": "exact", "extra_job": "differ", "extra_sex": "differ"},
        surname_bits=math.log2(SURNAME_U / 0.02),
    ),
    "a neighbour of one trade": Case(
        one("john", "smith", "1980-03-14", HOME, "high street", "farrier", "m"),
        one(
            "wilhelmina",
            "featherstone",
            "1951-10-02",
            "|40|high street|birmingham|B23 6AA||",
            "high stret",
            "farrier",
            None,
        ),
        *("differ", "differ", "differ", "same_postcode"),
        {"place_street": "near", "extra_job": "exact", "extra_sex": "missing"},
        job_bits=math.log2(JOB_U / 0.002),
    ),
    "moved, a slip in the trade": Case(
        one("john", "khan", "1980-03-14", HOME, "high street", "farrier", "m"),
        one("john", "khan", "1980-03-14", "|9|mill lane|coventry|CV1 2AB||", "mill lane", "farier", "m"),
        *("exact", "exact", "exact", "differ"),
        {"place_street": "differ", "extra_job": "near", "extra_sex": "exact"},
        surname_bits=math.log2(SURNAME_U / 0.004),
        job_bits=0.5 * math.log2(JOB_U / 0.002),  # half of it, with the commoner of farrier and an unlisted value
    ),
    "nothing but a name": Case(
        one("john", "khan", "", "||||||unknown", None, None, None),
        one("john", "khan", "1980-03-14", HOME, "high street", "clerk", "m"),
        *("exact", "exact", "missing", "missing"),
        {"place_street": "missing", "extra_job": "missing", "extra_sex": "missing"},
        surname_bits=math.log2(SURNAME_U / 0.004),
    ),
}


def oracle(case: Case, which: str) -> float:
    """s = -log2(2^-sR + 2^-sH + 2^-sC) in plain Python, from the model's tables by level name."""
    made, g = model(which), model(which).name.garbled_share
    given, surname = made.name.given[case.given], made.name.surname[case.surname]
    left_m = 1 - sum(level.m for level in made.name.crossed.values())
    left_u = 1 - sum(level.u for level in made.name.crossed.values())
    name_m = left_m * ((1 - 2 * g) * given.m * surname.m + g * (given.u * surname.m + given.m * surname.u))
    name = math.log2(name_m / (left_u * given.u * surname.u)) + case.surname_bits
    date_m, date_u = (
        (1.0, 1.0) if case.date == "missing" else (made.date_of_birth[case.date].m, made.date_of_birth[case.date].u)
    )
    date = math.log2(date_m / date_u)
    address = 0.0 if case.address == "missing" else made.address[case.address].weight
    known = {at: level for at, level in case.further.items() if level != "missing"}
    further = sum(made.further[at].levels[level].weight for at, level in known.items()) + case.job_bits
    terms = [made.prior_bits + name + date + address + further]
    if made.household is not None:
        leak_g, leak_d = made.household.forename_leak, made.household.date_leak
        name_h = ((1 - leak_g) * given.u + leak_g * given.m) * made.household.surname[case.surname]
        date_h = (1 - leak_d) * date_u + leak_d * date_m
        bits = math.log2(name_m / name_h) + math.log2(date_m / date_h) - math.log2(made.household.pairs_per_match)
        if "extra_job" in known:
            level = known["extra_job"]
            bits += math.log2(made.further["extra_job"].levels[level].m / HOUSEHOLD_JOB[level])
        terms.append(bits)
    if made.context is not None:
        bits = name + date - math.log2(made.context.pairs_per_match)
        if case.address != "missing":
            bits += math.log2(made.address[case.address].m / made.context.address[case.address])
        tables = {"place_street": CONTEXT_STREET, "extra_job": CONTEXT_JOB}
        for at, level in known.items():
            p = made.further[at].levels[level]
            bits += math.log2(p.m / (tables[at][level] if at in tables else p.u))
        terms.append(bits)
    return -math.log2(sum(2.0**-bits for bits in terms))


@pytest.mark.parametrize("which", ["none", "household", "context", "all"])
@pytest.mark.parametrize("name", CASES)
def test_the_match_weight_is_what_the_formula_says(name: str, which: str) -> None:
    case = CASES[name]
    found = scored(case.left, case.right, which)
    reached = (found["level_given"], found["level_surname"], found["level_date_of_birth"], found["level_address"])
    assert reached == (case.given, case.surname, case.date, case.address)
    assert {at: found[f"level_{at}"] for at in FURTHER} == case.further
    # Ten shown weights, each rounded to 1/1000 bit.
    assert int(found["match_weight_millibits"]) / 1000 == pytest.approx(oracle(case, which), abs=0.005)


def people() -> list[dict[str, object]]:
    """Every mixture of a few values of each attribute, every 29th of them."""
    listed = itertools.product(
        ("john", "jon", None),
        ("smith", "khan", None),
        ("1980-03-14", "1980-04-13", "1951-00-00", ""),
        (HOME, "|9|mill lane|coventry|CV1 2AB||", "||||||unknown"),
        (("high street", "clerk", "m"), ("high stret", "farrier", None), (None, "farier", "f")),
    )
    return [
        {
            **person(*values[:4], source_system="file", person_ref=f"P{no}", variant_no=0),
            **dict(zip(FURTHER, values[4], strict=True)),
            "rule_mask": 1,
            "on_duty_sign": False,
        }
        for no, values in enumerate(itertools.islice(listed, 0, None, 29))
    ]


@functools.cache
def scored_pairs() -> list[dict[str, int | str]]:
    return [scored(left, right) for left, right in itertools.product(people(), people())]


def test_the_shown_weights_add_up_and_a_discount_never_adds() -> None:
    discounts = []
    for found in scored_pairs():
        shown = [int(value) for name, value in found.items() if name.startswith("weight_")]
        assert len(shown) == 8 + len(FURTHER)
        assert sum(shown) == found["match_weight_millibits"]
        discounts.append(int(found["weight_household"]))
    assert max(discounts) <= 0
    assert min(discounts) < -1000


def test_a_further_attribute_that_a_side_lacks_weighs_nothing() -> None:
    missing = [(name, found) for found in scored_pairs() for name in FURTHER if found[f"level_{name}"] == "missing"]
    assert missing
    assert {found[f"weight_{name}"] for name, found in missing} == {0}


def test_the_sides_may_be_exchanged() -> None:
    for left, right in itertools.combinations(people()[:8], 2):
        one_way, other_way = scored(left, right), scored(right, left)
        keys = ("employee_id", "person_ref", "person_dob_year", "person_dob_month", "person_dob_day")
        assert {n: v for n, v in one_way.items() if n not in keys} == {
            n: v for n, v in other_way.items() if n not in keys
        }


@pytest.mark.parametrize("frequencies", [FREQUENCIES, Frequencies.none()], ids=["with", "without"])
def test_a_batch_drops_only_what_is_below_the_floor(frequencies: Frequencies) -> None:
    pairs = list(itertools.product(people(), people()))
    columns: dict[str, pa.Array] = {}
    for side, rows in (("l", [left for left, _ in pairs]), ("r", [right for _, right in pairs])):
        for name in (
            *EVIDENCE_COLUMNS,
            *FURTHER,
            "source_system",
            "person_ref",
            "name_issue",
            "dob_issue",
            "address_issue",
        ):
            kind = pa.int32() if name in INTEGER_COLUMNS else pa.string()
            columns[f"{name}_{side}"] = pa.array([row.get(name) for row in rows], type=kind)
        columns[f"variant_no_{side}"] = pa.array([0] * len(pairs), type=pa.int32())
        columns[f"on_duty_sign_{side}"] = pa.array([False] * len(pairs), type=pa.bool_())
    columns["rule_mask"] = pa.array([1] * len(pairs), type=pa.int64())
    batch = BatchScorer(model(), frequencies, reference()).score(pa.RecordBatch.from_pydict(columns)).to_pylist()
    floor = model().thresholds.floor_bits * 1000
    alone = [score_pair(*pair, model=model(), frequencies=frequencies, names=reference()) for pair in pairs]
    expected = [row for row in alone if float(str(row["match_weight_millibits"])) >= floor]
    assert 0 < len(expected) < len(pairs)
    assert batch == expected
