"""Our match weights equal Splink's within 0.01 bit, with the same m, u and term frequencies and no further class.

The model has the levels that both tools can express. Splink runs on DuckDB, in this process, with no network.
All people are made up.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from tests.oracle.pairs import columns_of_pairs
from tests.unit.linkage.comparison.knowledge import model as shipped
from tests.unit.linkage.comparison.knowledge import person, reference

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

try:
    import splink
except ImportError:
    if os.environ.get("LINKAGE_ORACLE") == "required":
        raise
    pytest.skip("Splink is not installed: make test-oracle installs it", allow_module_level=True)

Row = dict[str, Any]

GIVEN = ("john", "imran", "gareth", "gaeth", "priscilla", "zebedee", None)
SURNAME = ("smith", "taylor", "tailor", "featherstone", "kowalczyk", None)
BORN = ("1980-03-14", "1980-03-15", "1980-12-29", "1980-04-03", "1980-03-04", "1955-11-29", "")
POSTCODES = ("B23 6AA", "B23 6QZ", "B23 5QZ", "B44 5QZ", "CV1 5QZ", None)
TINY = 1e-12

# Level: (m, u). What neither the pairs nor Splink's levels reach is tiny, in order of weight.
PART = {
    "given": {"exact": (0.84, 0.007), "typo": (0.10, 0.004), "differ": (0.06, 0.989)},
    "surname": {"exact": (0.82, 0.0007), "typo": (0.12, 0.0008), "differ": (0.06, 0.9985)},
}
DATE = {
    "exact": (0.90, 0.00005),
    "day_month_swap": (0.02, 0.00004),
    "one_digit_or_transposition": (0.05, 0.00125),
    "same_year": (0.02, 0.012),
    "differ": (0.01, 0.98666),
}
PLACE = {
    "same_postcode": (0.40, 0.00002),
    "same_sector": (0.08, 0.002),
    "same_district": (0.10, 0.013),
    "same_area": (0.25, 0.30),
    "differ": (0.17, 0.68498),
}
PRIOR_BITS = -12.0
FREQUENCIES = {
    "given": {"john": 0.03, "imran": 0.001, "gareth": 0.002, "gaeth": 1e-5, "priscilla": 5e-4, "zebedee": 4e-6},
    "surname": {"smith": 0.012, "taylor": 0.006, "tailor": 2e-4, "featherstone": 3e-5, "kowalczyk": 6e-6},
    "date_of_birth": dict(zip(BORN[:-1], (2e-4, 9e-5, 4e-5, 3e-5, 6e-5, 1e-5), strict=True)),
    "postcode": dict(zip(POSTCODES[:-1], (4e-4, 2e-5, 3e-5, 1e-5, 5e-6), strict=True)),
}


def table(levels: dict[str, tuple[float, float]], unreached: dict[str, float]) -> dict[str, Row]:
    """Level tables of a model; ``unreached`` has m/u of the levels that no pair reaches."""
    tiny = {level: {"m": TINY * ratio, "u": TINY} for level, ratio in unreached.items()}
    return {level: {"m": m, "u": u} for level, (m, u) in levels.items()} | tiny


def our_model() -> Model:
    """The same m and u as a model of ours: no garbled share, no household, no context, every clip out of reach."""
    content = shipped().model_dump(mode="json")
    m, u = DATE["same_year"]
    same_year = {level: {"m": m / 2, "u": u / 2} for level in SAME_YEAR}
    others = {"within_ten_years": 0.1, "within_two_years": 0.2, "two_digits": m / u, "month_and_day": m / u}
    others |= {"first_of_january": 2, "century": 100}
    content |= {
        "prior_bits": PRIOR_BITS,
        "household": None,
        "thresholds": content["thresholds"] | {"floor_bits": -1000.0},
        "frequency": {"clip_bits": 60.0, "fuzzy_share": 0.5, "reference": "model"},
        "name": {
            "given": table(PART["given"], {"initial": 1, "fuzzy": 2, "variant": 50}),
            "surname": table(PART["surname"], {"initial": 1, "fuzzy": 2, "variant": 500}),
            "crossed": table({}, {"fuzzy": 1, "typo": 2, "variant": 3, "exact": 4}),
            "single_name_chances": 1.0,
            "garbled_share": 0.0,
        },
        "date_of_birth": table({level: pair for level, pair in DATE.items() if level != "same_year"}, others)
        | same_year,
        "address": table(PLACE, {"same_street": 50, "same_building": 3e4, "same_premises": 3e4}),
    }
    return Model.model_validate(content)


SAME_YEAR = ("year_only", "year_and_one_part")
GAMMA_DATE = {level: level for level in DATE} | dict.fromkeys(SAME_YEAR, "same_year") | {"missing": "missing"}


# ---- Splink ----------------------------------------------------------------------------------------


def comparison(column: str, conditions: dict[str, str], levels: dict[str, tuple[float, float]], tf: str = "") -> Row:
    """One comparison; ``tf`` names the levels whose weight follows the value's frequency, as level=share."""
    shares = dict(each.split("=") for each in tf.split())
    found: list[Row] = [
        {
            "sql_condition": f"{column}_l is null or {column}_r is null",
            "label_for_charts": "missing",
            "is_null_level": True,
        }
    ]
    for level, (m, u) in levels.items():
        adjusted = {"tf_adjustment_column": column, "tf_adjustment_weight": float(shares.get(level, 0))}
        found.append(
            {
                "sql_condition": conditions[level],
                "label_for_charts": level,
                "m_probability": m,
                "u_probability": u,
                **(adjusted if level in shares else {}),
            }
        )
    return {"output_column_name": column, "comparison_levels": found}


def splink_settings() -> Row:
    def name(column: str, levels: dict[str, tuple[float, float]]) -> Row:
        conditions = {
            "exact": f"{column}_l = {column}_r",
            "typo": f"damerau_levenshtein({column}_l, {column}_r) <= 1",
            "differ": "ELSE",
        }
        return comparison(column, conditions, levels, "exact=1 typo=0.5")

    date = {
        "exact": "born_l = born_r",
        "day_month_swap": "substr(born_l, 1, 4) = substr(born_r, 1, 4) and substr(born_l, 6, 2) = substr(born_r, 9, 2)"
        " and substr(born_l, 9, 2) = substr(born_r, 6, 2)",
        "one_digit_or_transposition": "damerau_levenshtein(born_l, born_r) <= 1",
        "same_year": "substr(born_l, 1, 4) = substr(born_r, 1, 4)",
        "differ": "ELSE",
    }
    place = {
        "same_postcode": "postcode_l = postcode_r",
        "same_sector": "sector_l = sector_r",
        "same_district": "district_l = district_r",
        "same_area": "area_l = area_r",
        "differ": "ELSE",
    }
    odds = 2.0**PRIOR_BITS
    return {
        "link_type": "link_only",
        "unique_id_column_name": "id",
        "probability_two_random_records_match": odds / (1 + odds),
        "blocking_rules_to_generate_predictions": ["1 = 1"],
        "comparisons": [
            name("given", PART["given"]),
            name("surname", PART["surname"]),
            comparison("born", date, DATE, "exact=1"),
            comparison("postcode", place, PLACE, "same_postcode=1"),
        ],
        "additional_columns_to_retain": [],
        "retain_intermediate_calculation_columns": True,
        "retain_matching_columns": False,
    }


def splinks_weights(people: list[Row]) -> dict[tuple[int, int], Row]:
    """Splink's prediction of every pair of the same people on both sides."""
    api: Any = splink.DuckDBAPI()
    frame = pd.DataFrame(people)
    tables = [api.register(frame, dataset_display_name=side) for side in ("l", "r")]
    linker = splink.Linker(tables, splink_settings(), log_level=50)
    columns = {"given": "given", "surname": "surname", "date_of_birth": "born", "postcode": "postcode"}
    for attribute, column in columns.items():
        shares = FREQUENCIES[attribute]
        known = pd.DataFrame({column: list(shares), f"tf_{column}": list(shares.values())})
        linker.table_management.register_term_frequency_lookup(api.register(known), column)
    found = linker.inference.predict().as_pandas_dataframe()
    return {(row["id_l"], row["id_r"]): row for row in found.to_dict(orient="records")}


# ---- both ------------------------------------------------------------------------------------------


def parts(postcode: str | None) -> Row:
    outward, _, inward = (postcode or "").partition(" ")
    area = outward.rstrip("0123456789")
    found = {"postcode": postcode, "sector": f"{outward} {inward[:1]}", "district": outward, "area": area}
    return found if postcode else dict.fromkeys(found)


def everybody() -> list[Row]:
    """Each value of each attribute beside each value of its neighbour: every level, and what is missing."""
    rows = [(given, surname, BORN[0], POSTCODES[0]) for given, surname in itertools.product(GIVEN, SURNAME)]
    rows += [(GIVEN[0], SURNAME[0], born, code) for born, code in itertools.product(BORN, POSTCODES)]
    listed = sorted(set(rows), key=repr)
    return [
        {"id": no, "given": given, "surname": surname, "born": born or None, **parts(code)}
        for no, (given, surname, born, code) in enumerate(listed)
    ]


def our_weights(spark: SparkSession, people: list[Row]) -> dict[tuple[int, int], Row]:
    homes = {code: f"|||birmingham|{code or ''}||" for code in POSTCODES}
    rows = [person(row["given"], row["surname"], row["born"] or "", homes[row["postcode"]]) for row in people]
    pairs = list(itertools.product(range(len(people)), repeat=2))
    values, schema = columns_of_pairs([(rows[left], rows[right]) for left, right in pairs])
    listed = [
        {"attribute": attribute, "value": value, "bearers": 1e6 * share, "share": share}
        for attribute, shares in FREQUENCIES.items()
        for value, share in shares.items()
    ]
    found = score_candidates(
        local_frame(spark, values, schema=schema),
        model=our_model(),
        frequencies=Frequencies.from_rows(listed),
        names=reference(),
    ).collect()
    assert len(found) == len(pairs)
    return {pairs[int(row["employee_id"])]: row.asDict() for row in found}


def test_the_same_probabilities_give_the_same_weights_as_splink(spark: SparkSession) -> None:
    people = everybody()
    theirs, ours = splinks_weights(people), our_weights(spark, people)
    assert theirs.keys() == ours.keys()
    seen: set[tuple[str, str]] = set()
    apart = []
    for key, row in ours.items():
        seen |= {(part, row[f"level_{part}"]) for part in ("given", "surname", "date_of_birth", "address")}
        gap = row["match_weight_millibits"] / 1000 - theirs[key]["match_weight"]
        if abs(gap) > 0.01:
            apart.append((gap, people[key[0]], people[key[1]], row["level_name"], row["level_date_of_birth"]))
    assert not apart, f"{len(apart)} of {len(ours)} pairs, first {apart[0]}"
    # Every level that both know was reached, and no other.
    assert seen == {
        *((part, level) for part in PART for level in (*PART[part], "missing")),
        *(("date_of_birth", level) for level in GAMMA_DATE if level != "same_year"),
        *(("address", level) for level in (*PLACE, "missing")),
    }
