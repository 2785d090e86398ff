"""Weights: they add up, order with the levels, are neutral on null, and do not depend on the batch."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping

import pyarrow as pa
import pytest

from linkage_spark.linkage.comparison import addresses, dates
from linkage_spark.linkage.comparison.names import CELL_NAMES
from linkage_spark.linkage.comparison.pair import EVIDENCE_COLUMNS, INTEGER_COLUMNS, compare_columns
from linkage_spark.linkage.comparison.tokens import NameComparer
from linkage_spark.linkage.score_stage import SEPARATOR, BatchScorer, score_pair, side_columns
from linkage_spark.linkage.scoring import Scorer, name_cells
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import CROSSED_LEVELS, PART_LEVELS
from linkage_spark.tables.candidates import BARRED_COLUMNS, SCORED_PAIR
from tests.unit.linkage.comparison.knowledge import address_columns, model, person, reference

WEIGHTS = [name for name in SCORED_PAIR.names if name.startswith("weight_")]
FREQUENCIES = Frequencies.from_rows(
    [
        {"attribute": "given", "value": "john", "bearers": 30_000, "share": 0.03},
        {"attribute": "given", "value": "imran", "bearers": 1_000, "share": 0.001},
        {"attribute": "given", "value": "", "bearers": 500, "share": 0.000002},
        {"attribute": "surname", "value": "smith", "bearers": 12_000, "share": 0.012},
        {"attribute": "surname", "value": "khan", "bearers": 9_000, "share": 0.009},
        {"attribute": "surname", "value": "", "bearers": 900, "share": 0.000002},
        {"attribute": "date_of_birth", "value": "1980-01-01", "bearers": 5_000, "share": 0.005},
        {"attribute": "date_of_birth", "value": "", "bearers": 5_000, "share": 0.00004},
        {"attribute": "postcode", "value": "B23 6AA", "bearers": 400, "share": 0.0004},
        {"attribute": "postcode", "value": "", "bearers": 900, "share": 0.00001},
    ]
)

NAMED = Frequencies.from_rows(
    [
        {"attribute": name, "value": value, "bearers": share * 1_000_000, "share": share}
        for name, table in FREQUENCIES.by_attribute.items()
        for value, share in [*table.shares.items(), ("", table.rare_share)]
    ]
    + [
        {"attribute": "name", "value": "imran khan", "bearers": 1_600, "share": 0.0016},
        {"attribute": "name", "value": "john smith", "bearers": 200, "share": 0.0002},
        {"attribute": "name", "value": "peter kaur", "bearers": 10, "share": 0.00001},
    ]
)
"""The same, whole names among them: *imran khan* far commoner than its parts say, *john smith* a little rarer."""


def scored(
    left: Mapping[str, object], right: Mapping[str, object], frequencies: Frequencies = FREQUENCIES
) -> dict[str, object]:
    return score_pair(left, right, model=model(), frequencies=frequencies, names=reference())


def weight(left: Mapping[str, object], right: Mapping[str, object]) -> int:
    value = scored(left, right)["match_weight_millibits"]
    assert isinstance(value, int)
    return value


def people(count: int, seed: int = 7) -> list[dict[str, object]]:
    """A small population in which much is shared."""
    chance = random.Random(seed)
    givens = [
        "john",
        "jon",
        "j",
        "peter",
        "mohammed imran",
        "imran",
        "imrna",
        "anne marie",
        "zebedee",
        None,
        "smith",
    ]
    surnames = ["smith", "smyth", "smith jones", "khan", "kaur", "singh", "featherstone", "john", None]
    borns = ["1980-03-04", "1980-04-03", "1980-01-01", "1981-03-04", "1950-03-04", "1980-00-00", ""]
    homes = [
        "|12|high street|birmingham|B23 6AA||",
        "2|12|high street|birmingham|B23 6AA||",
        "|12|high street|birmingham|||",
        "|9|mill lane|coventry|CV1 2AB||",
        "||||||unknown",
        "|1|winson green road|birmingham|B18 4AS||institution",
    ]
    return [
        person(
            chance.choice(givens),
            chance.choice(surnames),
            chance.choice(borns),
            chance.choice(homes),
            source_system="crime",
            person_ref=f"P{number}",
            variant_no=0,
            rule_mask=1,
            on_duty_sign=False,
        )
        for number in range(count)
    ]


def batch_of(pairs: list[tuple[dict[str, object], dict[str, object]]]) -> pa.RecordBatch:
    strings = [*EVIDENCE_COLUMNS, "source_system", "person_ref", "name_issue", "dob_issue", "address_issue"]
    columns: dict[str, pa.Array] = {}
    for side, people_ in (("l", [left for left, _ in pairs]), ("r", [right for _, right in pairs])):
        for name in strings:
            kind = pa.int32() if name in INTEGER_COLUMNS else pa.string()
            columns[f"{name}_{side}"] = pa.array([one.get(name) for one in people_], type=kind)
        columns[f"variant_no_{side}"] = pa.array([0] * len(pairs), type=pa.int32())
        columns[f"on_duty_sign_{side}"] = pa.array([False] * len(pairs), type=pa.bool_())
    columns["rule_mask"] = pa.array([1] * len(pairs), type=pa.int64())
    return pa.RecordBatch.from_pydict(columns)


@pytest.mark.parametrize("frequencies", [NAMED, Frequencies.none()], ids=["with", "without"])
def test_a_batch_scores_as_its_pairs_do_and_drops_only_what_is_below_the_floor(
    frequencies: Frequencies,
) -> None:
    population = people(22)
    pairs = list(itertools.product(population, population))
    found = BatchScorer(model(), frequencies, reference()).score(batch_of(pairs)).to_pylist()
    alone = [scored(left, right, frequencies) for left, right in pairs]
    floor = model().thresholds.floor_bits * 1000
    expected = [
        row
        for row in alone
        if isinstance(row["match_weight_millibits"], int) and row["match_weight_millibits"] >= floor
    ]
    assert len(population) <= len(expected) < len(pairs)
    assert found == expected


def test_weights_add_up_and_the_household_only_lowers_them() -> None:
    population = people(18, seed=3)
    for left, right in itertools.product(population, population):
        row = scored(left, right, NAMED)
        assert sum(int(str(row[name])) for name in WEIGHTS) == row["match_weight_millibits"]
        assert int(str(row["weight_household"])) <= 0


def test_score_is_symmetric() -> None:
    population = people(19, seed=5)
    keys = {"employee_id", "person_ref", "source_system", "employee_variant_no", "person_variant_no"}
    keys |= {"person_dob_year", "person_dob_month", "person_dob_day"}
    for left, right in itertools.combinations(population, 2):
        one, other = scored(left, right, NAMED), scored(right, left, NAMED)
        assert {k: v for k, v in one.items() if k not in keys} == {k: v for k, v in other.items() if k not in keys}


def test_a_missing_attribute_weighs_nothing() -> None:
    nobody = person(None, None, "", "||||||unknown")
    row = scored(person(), nobody)
    assert [row[name] for name in WEIGHTS if name not in ("weight_prior", "weight_household")] == [0] * 6
    assert row["level_name"] == row["level_date_of_birth"] == row["level_address"] == "missing"


def test_within_an_attribute_a_stronger_level_never_weighs_less() -> None:
    scorer = Scorer(model(), Frequencies.none())
    names = dict(zip(CELL_NAMES, scorer.name_weight.tolist(), strict=True))
    for part, others in (("given", (*PART_LEVELS, "missing")), ("surname", (*PART_LEVELS, "missing"))):
        for other in others:
            cells = [
                f"given {level}, surname {other}" if part == "given" else f"given {other}, surname {level}"
                for level in PART_LEVELS
            ]
            weights = [names[cell] for cell in cells]
            assert weights == sorted(weights), cells
    for start in ("crossed: ", "crossed: single name, given ", "crossed: single name, surname "):
        weights = [names[f"{start}{level}"] for level in CROSSED_LEVELS]
        assert weights == sorted(weights), start
    full = scorer.date_weight[[dates.CODE[level] for level in dates.DATE_LEVELS]].tolist()
    partial = scorer.date_weight[[dates.CODE[level] for level in dates.PARTIAL_DATE_LEVELS]].tolist()
    place = scorer.address_weight[[addresses.CODE[level] for level in addresses.ADDRESS_LEVELS]].tolist()
    assert (full, partial, place) == (sorted(full), sorted(partial), sorted(place))


def test_the_straight_and_crossed_cells_of_two_whole_names_sum_to_one() -> None:
    cells = name_cells(model())
    whole = [cell for name, cell in cells.items() if "missing" not in name and "single name" not in name]
    assert len(whole) == 40
    assert sum(cell.m for cell in whole) == pytest.approx(1.0)
    assert sum(cell.u for cell in whole) == pytest.approx(1.0)


def test_a_rare_name_weighs_more_and_a_common_one_less() -> None:
    common = scored(person("john", "smith"), person("john", "smith"))
    rare = scored(person("zebedee", "featherstone"), person("zebedee", "featherstone"))
    assert int(str(common["weight_name_frequency"])) < 0 < int(str(rare["weight_name_frequency"]))
    assert (common["rare_name"], rare["rare_name"]) == (False, True)
    assert (common["rare_surname"], rare["rare_surname"]) == (False, True)
    assert common["frequency_one_in"] == round(1 / (0.03 * 0.012))
    assert rare["frequency_one_in"] is None


def test_agreement_that_is_not_exact_moves_by_half_with_the_commoner_value() -> None:
    exact = scored(person("john", None), person("john", None))["weight_name_frequency"]
    slip = scored(person("john", None), person("jhon", None))["weight_name_frequency"]
    assert abs(int(str(slip)) * 2 - int(str(exact))) <= 1


def test_no_correction_is_larger_than_the_clip() -> None:
    row = scored(person("zebedee", "featherstone"), person("zebedee", "featherstone"))
    assert int(str(row["weight_name_frequency"])) <= 16_000
    assert (
        int(str(scored(person(born="1980-01-01"), person(born="1980-01-01"))["weight_date_of_birth_frequency"]))
        >= -8_000
    )


def test_a_whole_name_that_is_commoner_than_its_parts_say_is_weighed_as_the_common_name_it_is() -> None:
    imran = person("imran", "khan")
    by_parts, whole = scored(imran, imran), scored(imran, imran, NAMED)
    # The shipped u of exact agreement, 1/143 and 1/1,430, over the share of the name, and of its parts.
    u = model().name.given["exact"].u * model().name.surname["exact"].u
    assert whole["weight_name_frequency"] == round(1000 * math.log2(u / 0.0016))
    assert by_parts["weight_name_frequency"] == pytest.approx(1000 * math.log2(u / (0.001 * 0.009)), abs=1)
    assert whole["weight_name"] == by_parts["weight_name"]
    assert whole["frequency_one_in"] == round(1 / 0.0016)
    assert by_parts["frequency_one_in"] == round(1 / (0.001 * 0.009))


def test_a_near_name_takes_half_of_what_the_commoner_whole_name_says_beside_its_parts() -> None:
    imran = person("imran", "khan")
    beside_parts = 1000 * math.log2(0.001 * 0.009 / 0.0016)
    for other in (person("imrna", "khan"), person("imran", "kahn"), person("khan", "imran")):
        of_parts, whole = (int(str(scored(imran, other, of)["weight_name_frequency"])) for of in (FREQUENCIES, NAMED))
        assert whole - of_parts == pytest.approx(beside_parts / 2, abs=2)
        assert scored(other, imran, NAMED)["weight_name_frequency"] == whole


def test_the_whole_name_says_nothing_where_one_part_does_not_agree() -> None:
    imran = person("imran", "khan")
    for other in (person("peter", "khan"), person("imran", "smith"), person("imran", None), person(None, "khan")):
        assert scored(imran, other, NAMED) == scored(imran, other)


def test_a_near_name_is_as_rare_as_the_commoner_of_both_whole_names() -> None:
    for near in (person("imrna", "khan"), person("imran", "kahn"), person("khan", "imran")):
        assert scored(person("imran", "khan"), near, NAMED)["frequency_one_in"] == round(1 / 0.0016)


def test_a_whole_name_that_is_not_counted_is_as_rare_as_its_parts_say_but_no_commoner_than_any_counted() -> None:
    rare = person("zebedee", "featherstone")
    assert scored(rare, rare, NAMED) == scored(rare, rare)
    # john khan: 0.03 · 0.009 by its parts; but whoever has ten bearers has a row, and the least row is 0.00001.
    mixed = person("john", "khan")
    least = person("peter", "kaur")
    by_parts = scored(mixed, mixed)["weight_name_frequency"]
    found = scored(mixed, mixed, NAMED)["weight_name_frequency"]
    assert int(str(by_parts)) < int(str(found)) == scored(least, least, NAMED)["weight_name_frequency"]


def test_no_correction_of_a_whole_name_is_larger_than_the_clips_of_both_parts() -> None:
    clip = model().frequency.clip_bits
    for share, expected in ((0.9, -1), (1e-12, 1)):
        rows = [{"attribute": name, "value": "imran khan", "bearers": 10, "share": share} for name in ("name", "given")]
        frequencies = Frequencies.from_rows(
            [*rows, {"attribute": "surname", "value": "x", "bearers": 10, "share": 0.5}]
        )
        imran = person("imran", "khan")
        found = scored(imran, imran, frequencies)["weight_name_frequency"]
        u = model().name.given["exact"].u * model().name.surname["exact"].u
        unclipped = math.log2(u / share)
        assert found == round(1000 * max(-2 * clip, min(2 * clip, unclipped)))
        assert math.copysign(1, int(str(found))) == expected


def test_without_frequencies_nothing_is_corrected_and_nothing_is_rare() -> None:
    row = scored(person(), person(), Frequencies.none())
    assert [row[name] for name in WEIGHTS if name.endswith("_frequency")] == [0, 0, 0]
    assert not row["rare_name"]
    assert not row["rare_surname"]
    assert row["frequency_one_in"] is None


def test_twins_father_and_son_and_a_namesake_stay_below_the_cut_of_a_strong_link() -> None:
    cut = model().thresholds.match_bits * 1000
    home = "|12|high street|birmingham|B23 6AA||"
    me = person("imran", "khan", "1980-03-14", home)
    twin = person("adeel", "khan", "1980-03-14", home)
    father = person("imran", "khan", "1952-03-14", home)
    wife = person("saima", "khan", "1982-11-02", home)
    namesake = person("imran", "khan", "1980-03-14", "|9|mill lane|coventry|CV1 2AB||")
    assert weight(me, me) > cut
    for other in (twin, father, wife, namesake):
        assert weight(me, other) < cut
    row = scored(me, twin)
    assert row["twin_pattern"]
    assert row["forename_differs"]
    assert scored(me, father)["dob_contradicts"]
    assert not scored(me, father)["dob_near"]


@pytest.mark.parametrize(
    ("given", "surname", "born", "address"),
    [
        ("imran", "khan", "1980-14-03".replace("14-03", "03-14"), None),
        ("imrna", "khan", "1980-03-14", None),
        ("imran", "khan", "1980-03-15", None),
        ("imran", "khan", "1980-03-14", "|12|high street|birmingham|B23 6AB||"),
        ("khan", "imran", "1980-03-14", None),
    ],
)
def test_one_slip_at_home_stays_a_strong_link(given: str, surname: str, born: str, address: str | None) -> None:
    home = "|12|high street|birmingham|B23 6AA||"
    me = person("imran", "khan", "1980-03-14", home)
    assert weight(me, person(given, surname, born, address or home)) > model().thresholds.match_bits * 1000


def test_evidence_values_change_with_any_compared_value_and_not_with_the_sides() -> None:
    one, other = person("john"), person("jon")
    assert scored(one, other)["evidence_values"] == scored(other, one)["evidence_values"]
    moved = one | address_columns("|14|high street|birmingham|B23 6AA||")
    assert scored(one, other)["evidence_values"] != scored(moved, other)["evidence_values"]


def test_evidence_values_are_these() -> None:
    one, other = person("john", "smith", "1980-03-14"), person("jon", None, "1979-00-00")
    found = str(scored(one, other)["evidence_values"]).split(SEPARATOR)
    assert found[:4] == ["john|smith", "jon|", "1979||", "1980|3|14"]
    assert (
        found[4]
        == found[5]
        == "|".join(("", str(one["premises_key"]), "", "12", "high street", "birmingham", "B23 6AA", "B23"))
    )
    assert len(found) == 6


@pytest.mark.parametrize("frequencies", [FREQUENCIES, NAMED], ids=["of parts", "whole names"])
def test_the_bound_is_never_below_the_weight_also_of_rare_names_in_each_others_place(frequencies: Frequencies) -> None:
    population = people(20, seed=9)
    boxes = {
        "given_name": "surname",
        "surname": "given_name",
        "given_first": "surname_last",
        "surname_last": "given_first",
    }
    population += [row | {name: row[other] for name, other in boxes.items()} for row in population]
    population += [person("zyxqa", "vuuqwz", "1980-03-14"), person("vuuqwz", "zyxqa", "1984-07-19")]
    scorer, batch = Scorer(model(), frequencies), batch_of(list(itertools.product(population, population)))
    left, right = side_columns(batch, "l"), side_columns(batch, "r")
    found = compare_columns(left, right, NameComparer(reference()))
    weights = scorer.weights(found, scorer.shares(found, left, right)).total
    bounds = scorer.most_bits(found.date.level, found.address.level) + scorer.most_bits_of_name(found.name.cell)
    assert len(weights) == len(population) ** 2
    assert (bounds - weights).min() >= 0


def test_no_barred_column_reaches_a_comparison() -> None:
    assert not set(EVIDENCE_COLUMNS) & set(BARRED_COLUMNS)
    one = person()
    barred = dict.fromkeys(BARRED_COLUMNS, "nonsense")
    plain, loaded = scored(one, one), scored({**one, **barred}, {**one, **barred})
    assert plain == loaded | {"employee_id": plain["employee_id"]}
