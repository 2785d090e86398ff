"""One component as the report draws and tells it, by hand; which components are chosen is a flow test's."""

from __future__ import annotations

import json
import random
from typing import Any

from linkage_spark.runs.nominal_examples import MOST_CUTS_TOLD, example_of
from linkage_spark.tables.enums import CutReason


def member(record: int, ref: str, nominal: int, source: str = "crime") -> dict[str, Any]:
    return {"record_id": record, "source_system": source, "person_ref": ref, "nominal_id": nominal}


def edge(left: int, right: int, weight: int, cut: CutReason | None = None, *because: int) -> dict[str, Any]:
    return {
        "left_record_id": left,
        "right_record_id": right,
        "match_weight_millibits": weight,
        "policy_reason": "same_premises_and_date",
        "level_name": "given exact, surname exact",
        "level_date_of_birth": "exact",
        "level_address": "same_premises",
        "judged_same": False,
        "same_identifier": False,
        "cut_reason": None if cut is None else cut.value,
        "because_left_record_id": because[0] if because else None,
        "because_right_record_id": because[1] if because else None,
    }


MEMBERS = [member(9, "A", 70), member(3, "C", -5), member(4, "B", -5), member(1, "K", -5, "custody"), member(2, "Z", 8)]
EDGES = [
    edge(3, 4, 21_000),
    edge(1, 4, 22_000),
    edge(3, 9, 12_000, CutReason.DATES_CONTRADICT, 1, 9),
    edge(4, 9, 19_000, CutReason.WEAK_BRIDGE),
    edge(2, 9, 8_000, CutReason.WEAK_BRIDGE),
]


def test_members_stand_by_nominal_the_largest_first_then_by_name() -> None:
    told = example_of(MEMBERS, EDGES)
    assert told["records"] == 5
    assert [(one["nominal"], one["nominal_id"], one["name"]) for one in told["members"]] == [
        (0, "-5", "crime/B"),
        (0, "-5", "crime/C"),
        (0, "-5", "custody/K"),
        (1, "70", "crime/A"),
        (2, "8", "crime/Z"),
    ]


def test_edges_name_their_ends_by_position_and_keep_why_they_were_cut() -> None:
    told = example_of(MEMBERS, EDGES)["edges"]
    assert [(one["left"], one["right"], one["weight_millibits"], one["cut_reason"]) for one in told] == [
        (0, 1, 21_000, None),
        (0, 2, 22_000, None),
        (0, 3, 19_000, "weak_bridge"),
        (1, 3, 12_000, "dates_contradict"),
        (3, 4, 8_000, "weak_bridge"),
    ]


def test_path_leads_between_the_two_farthest_of_the_first_nominal_and_cuts_are_told_heaviest_first() -> None:
    told = example_of(MEMBERS, EDGES)
    assert told["path_ends"] == ["custody/K", "crime/C"]
    assert [text.split(":")[0] for text in told["path"]] == ["custody/K and crime/B", "crime/B and crime/C"]
    assert [text.split(" (")[0] for text in told["cuts"]] == [
        "crime/B and crime/A would have joined",
        "crime/C and crime/A would have joined",
        "crime/Z and crime/A would have joined",
    ]
    assert told["cuts"][1].endswith("but custody/K and crime/A have dates of birth that contradict each other.")
    assert told["cuts_untold"] == 0


def test_the_order_of_rows_changes_nothing_and_all_of_it_is_json() -> None:
    rng, told = random.Random(3), example_of(MEMBERS, EDGES)
    for _ in range(5):
        assert example_of(rng.sample(MEMBERS, len(MEMBERS)), rng.sample(EDGES, len(EDGES))) == told
    assert json.loads(json.dumps(told)) == told


def test_a_component_of_single_records_has_no_path_and_many_cuts_are_counted() -> None:
    many = MOST_CUTS_TOLD + 3
    members = [member(0, "hub", 100), *(member(one, f"r{one:02}", one) for one in range(1, many + 1))]
    told = example_of(members, [edge(0, one, 9_000 + one, CutReason.TOO_LARGE) for one in range(1, many + 1)])
    assert (told["path"], told["path_ends"]) == ([], [])
    assert (len(told["cuts"]), told["cuts_untold"]) == (MOST_CUTS_TOLD, 3)
    assert told["cuts"][0].startswith(f"crime/hub and crime/r{many} ")


def test_nothing_but_a_size_has_no_members() -> None:
    assert example_of([], []) == {
        "records": 0,
        "members": [],
        "edges": [],
        "path": [],
        "path_ends": [],
        "cuts": [],
        "cuts_untold": 0,
    }
