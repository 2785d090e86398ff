"""Spark's scores equal those of an independent reference in plain Python, in every part, to 1/1000 bit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.comparison import addresses, dates
from linkage_spark.linkage.comparison.names import CELL_NAMES
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import ADDRESS_LEVELS, FURTHER_LEVELS, Model
from tests.oracle.pairs import FURTHER, columns_of_pairs, made_up_pairs, values_of
from tests.oracle.plain_weights import PlainWeights, tables_of
from tests.unit.linkage.comparison.knowledge import model as shipped
from tests.unit.linkage.comparison.knowledge import reference

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Row = dict[str, Any]

KINDS = {
    "place_postcode": "code",
    "place_house": "house",
    "place_street": "street",
    "extra_trade": "text",
    "extra_ward": "exact",
}
PARTS = ("name", "name_frequency", "date_of_birth", "date_of_birth_frequency", "address", "address_frequency")


def rows_of(attribute: str, shares: dict[str, float], rare: float) -> list[Row]:
    listed = [*shares.items(), ("", rare)]
    return [{"attribute": attribute, "value": value, "bearers": 1e6 * share, "share": share} for value, share in listed]


FREQUENCIES = [
    # 'john' and 'smith' stand in both tables, so that a crossed name has something to choose from.
    *rows_of("given", {"john": 0.03, "imran": 0.001, "smith": 0.0001, "william": 0.02}, 2e-6),
    *rows_of("surname", {"smith": 0.012, "taylor": 0.006, "tailor": 0.0002, "john": 0.0005}, 3e-6),
    *rows_of("date_of_birth", {"1980-01-01": 0.005, "1980-03-04": 0.0002}, 4e-5),
    *rows_of("postcode", {"B23 6AA": 0.0004}, 1e-5),
    *rows_of("place_street", {"calle mayor": 0.02}, 1e-4),
    *rows_of("place_house", {"12": 0.01}, 1e-4),
    *rows_of("extra_trade", {"baker": 0.05, "bakers": 0.001}, 1e-9),
]

WHOLE_NAMES = [
    {"attribute": "name", "value": value, "bearers": 1e6 * share, "share": share}
    for value, share in {
        "john smith": 0.002,
        "zebedee smith": 3e-6,
        "gareth taylor": 4e-5,
        "john thomson": 1e-4,
    }.items()
]
KNOWN: dict[str, list[Row]] = {
    "no frequencies": [],
    "frequencies of parts": FREQUENCIES,
    "and of whole names": [*FREQUENCIES, *WHOLE_NAMES],
}


def spread(levels: tuple[str, ...], strongest: float) -> dict[str, float]:
    """Shares of levels, weakest first: the strongest has the given one, the rest is halved from level to level."""
    rest = [2.0**-no for no in range(1, len(levels))]
    shares = [*(share * (1 - strongest) / sum(rest) for share in rest), strongest]
    return dict(zip(levels, shares, strict=True))


def further_levels(kind: str) -> dict[str, Row]:
    """m and u of a further attribute; a stronger level never weighs less."""
    levels = FURTHER_LEVELS[kind]
    weights = [0.3 * 3.0**no for no in range(len(levels))]
    u = list(spread(levels, 0.001).values())
    m = [weight * share for weight, share in zip(weights, u, strict=True)]
    return {level: {"m": one / sum(m), "u": other / sum(u)} for level, one, other in zip(levels, m, u, strict=True)}


def changed(**parts: Any) -> Model:
    """The shipped model with no floor and other parts."""
    content = shipped().model_dump(mode="json")
    content["thresholds"]["floor_bits"] = -1000.0
    return Model.model_validate(content | parts)


HOUSEHOLD = shipped().model_dump(mode="json")["household"]
CONTEXT = {"pairs_per_match": 40.0, "address": spread(ADDRESS_LEVELS, 0.05)}
FULL: Row = {
    "further": {name: {"kind": kind, "levels": further_levels(kind)} for name, kind in KINDS.items()},
    "household": HOUSEHOLD
    | {"address": spread(ADDRESS_LEVELS, 0.4)}
    | {"further": {"extra_trade": spread(FURTHER_LEVELS["text"], 0.3)}},
    "context": CONTEXT
    | {
        "further": {
            "extra_trade": spread(FURTHER_LEVELS["text"], 0.9),
            "place_street": spread(FURTHER_LEVELS["street"], 0.6),
        }
    },
}
CELLS = {
    "given exact, surname exact": {"m": 0.61, "u": 3e-6},
    "given differ, surname exact": {"m": 0.05, "u": 7e-4},
    "crossed: exact": {"m": 0.004, "u": 1e-6},
    "crossed: single name, surname exact": {"m": 0.8, "u": 0.002},
    "given exact, surname missing": {"m": 0.9, "u": 0.01},
}
STATED = {
    "clip_bits": 3.0,
    "fuzzy_share": 0.25,
    "reference": "stated",
    "shares": {"given": 0.002, "surname": 0.0003, "name": 2e-6, "place_street": 0.01},
}
DATA = {"clip_bits": 8.0, "fuzzy_share": 0.5, "reference": "data"}

MODELS = {
    "as shipped": changed(),
    "neither household nor context": changed(household=None),
    "context, address as by chance": changed(context={"pairs_per_match": 5.0}),
    "every class and attribute, measured at the data": changed(**FULL, frequency=DATA),
    "cells of a trained model, measured at stated shares": changed(
        **FULL, frequency=STATED, name=shipped().model_dump(mode="json")["name"] | {"cells": CELLS}
    ),
}
PAIRS = made_up_pairs()


def scored(spark: SparkSession, model: Model, rows: list[Row]) -> list[Row]:
    """The pairs through the stage, in their order."""
    values, schema = columns_of_pairs(PAIRS)
    found = score_candidates(
        local_frame(spark, values, schema=schema),
        model=model,
        frequencies=Frequencies.from_rows(rows),
        names=reference(),
    ).collect()
    return sorted((row.asDict() for row in found), key=lambda row: str(row["employee_id"]))


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("name", MODELS)
def test_every_weight_equals_that_of_the_plain_reference(spark: SparkSession, name: str, known: str) -> None:
    model, rows = MODELS[name], KNOWN[known]
    plain = PlainWeights(model.model_dump(mode="json"), tables_of(rows))
    found = scored(spark, model, rows)
    assert len(found) == len(PAIRS)
    wrong = []
    for row, (left, right) in zip(found, PAIRS, strict=True):
        levels = {
            part: row[f"level_{part}"]
            for part in ("name", "given", "surname", "date_of_birth", "address", *model.further)
        }
        expected = plain.weigh(levels, values_of(left), values_of(right))
        ours = {part: row[f"weight_{part}"] for part in ("prior", *PARTS, "household", *model.further)}
        if ours | {"total": row["match_weight_millibits"]} != expected:
            wrong.append((levels, ours, expected))
    assert not wrong, f"{len(wrong)} of {len(PAIRS)} pairs, first {wrong[0]}"


def test_the_pairs_reach_every_level_and_every_class_matters(spark: SparkSession) -> None:
    name = "every class and attribute, measured at the data"
    found = scored(spark, MODELS[name], FREQUENCIES)
    levels = {part: {row[f"level_{part}"] for row in found} for part in ("name", "date_of_birth", "address", *FURTHER)}
    # A single name that is only alike never beats the part it stands in by enough to be read as the other part.
    assert levels["name"] == set(CELL_NAMES) - {"crossed: single name, given fuzzy"}
    assert levels["date_of_birth"] == set(dates.LEVELS)
    assert levels["address"] == set(addresses.LEVELS)
    for attribute, kind in KINDS.items():
        assert levels[attribute] == {"missing", *FURTHER_LEVELS[kind]}
    discounts = Counter(row["weight_household"] <= -100 for row in found)
    assert min(discounts.values()) > 500
