"""The report of the job nominals: everything once, nothing from elsewhere, every word allowed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from linkage_spark.report.console import WIDTH
from linkage_spark.report.nominal_pictures import (
    CUT_WORDS,
    Dot,
    bits,
    component_graph,
    lay_out,
    nominals_by_size,
    shortened,
    stroke,
)
from linkage_spark.report.nominals import nominals_page, nominals_summary
from linkage_spark.settings.wording import load_wording
from linkage_spark.tables.enums import CutReason, NominalEventKind, NominalState
from tests.unit.report.test_html import outline

CONF = Path(__file__).parents[3] / "conf"
ADVISORY = load_wording(CONF).advisory


def edge(
    left: int, right: int, weight: int, cut: CutReason | None = None, *, same: bool = False, numbered: bool = False
) -> dict[str, Any]:
    reason = None if cut is None else cut.value
    said = {"judged_same": same, "same_identifier": numbered}
    return {"left": left, "right": right, "weight_millibits": weight, "cut_reason": reason, **said}


def member(name: str, nominal: int) -> dict[str, Any]:
    return {"name": name, "nominal": nominal, "nominal_id": str(7_000 + nominal)}


TWINS = {
    "shows": ["dates_contradict", "twin_pattern"],
    "records": 6,
    "members": [
        *(member(f"crime/C-{number}", 0) for number in (1, 2, 3)),
        member("custody/K<9>", 1),
        member("intel/I-1", 1),
        member("incident/a-reference-far-too-long-to-be-shown-whole", 2),
    ],
    "edges": [
        edge(0, 1, 31_200),
        edge(1, 2, 15_000),
        edge(3, 4, 18_500, same=True),
        edge(0, 3, 24_000, CutReason.TWIN_PATTERN),
        edge(1, 3, 21_000, CutReason.TWIN_PATTERN),
        edge(4, 5, 12_000, CutReason.DATES_CONTRADICT),
    ],
    "path": ["crime/C-1 and crime/C-2: they agree.", "crime/C-2 and crime/C-3: they agree."],
    "path_ends": ["crime/C-1", "crime/C-3"],
    "cuts": ["crime/C-1 and custody/K<9> would have joined."],
    "cuts_untold": 2,
}
WHOLE = {**TWINS, "shows": ["largest"], "records": 3, "members": TWINS["members"][:3], "edges": TWINS["edges"][:2]}
WHOLE |= {"cuts": [], "cuts_untold": 0}
HELD = {"shows": ["quarantined"], "records": 2_345, "members": [], "edges": [], "path": [], "path_ends": []}
HELD |= {"cuts": [], "cuts_untold": 0}

RULE = {
    "rule_id": "premises_date",
    "rule_no": 0,
    "history_rows": 900_000,
    "roster_rows": 900_000,
    "pairs_before_refinement": 2_000_000,
    "refined_keys": 7,
    "pairs_refined_away": 11,
    "pairs_proposed": 1_900_000,
    "pairs_first": 1_900_000,
}


def figures(**changes: Any) -> dict[str, Any]:
    made = {
        "run_id": "R9",
        "run_no": 3,
        "made_from": "a" * 64,
        "model_id": "nominals_v1",
        "model_fingerprint": "f" * 64,
        "code_version": "0.6.0",
        "finished_at": "2026-11-22T01:30:00+00:00",
        "lawful_basis_reference": "DPIA-7",
        "advisory": ADVISORY,
        "records": 1_000,
        "candidate_pairs": 2_000_003,
        "scored_pairs": 54_321,
        "edges": 1_234,
        "judged_edges": 2,
        "identifier_edges": 9,
        "edges_by_identifier": 3,
        "identifiers": {"records": 120, "contradicted": 1, "too_common": 0},
        "engine": "driver",
        "engine_why": "1,234 accepted edges fit",
        "components": 190,
        "largest_component": 2_345,
        "looked_into": 77,
        "conflicts": {"twin_pattern": 5, "dates_contradict": 40},
        "cuts": {"weak_bridge": 1, "twin_pattern": 5, "dates_contradict": 12},
        "states": {"retired": 4, "live": 598, "quarantined": 2, "merged": 3},
        "quarantined_records": 21,
        "sizes": [
            {"label": "1", "nominals": 400, "records": 400},
            {"label": "2", "nominals": 150, "records": 300},
            {"label": "5 to 9", "nominals": 50, "records": 300},
        ],
        "events": {"left": 1, "created": 10, "joined": 25},
        "alerts": 31,
        "offered": 17,
        "forms": 4_567,
        "rules": [{**RULE, "rule_id": "street_date", "rule_no": 1, "pairs_first": 100_003}, RULE],
        "seconds": {"compare": 30.25, "components": 2.5, "guard": 4.0, "check": 1.0},
        "examples": [TWINS, WHOLE, HELD],
    }
    return {**made, **changes}


def nobody(**changes: Any) -> dict[str, Any]:
    """Figures of an estate without police records."""
    counts = ("records", "candidate_pairs", "scored_pairs", "edges", "judged_edges", "components", "largest_component")
    counts += (
        "identifier_edges",
        "edges_by_identifier",
        "looked_into",
        "quarantined_records",
        "alerts",
        "offered",
        "forms",
    )
    empty: dict[str, Any] = {name: {} for name in ("conflicts", "cuts", "states", "events", "seconds")}
    empty["identifiers"] = dict.fromkeys(("records", "contradicted", "too_common"), 0)
    return figures(**dict.fromkeys(counts, 0), **empty, sizes=[], rules=[], examples=[], **changes)


PAGE = nominals_page(figures())


def plain(page: str) -> str:
    """What a reader sees, in one line; pictures and style left out."""
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def rows(page: str, table: str) -> list[list[str]]:
    """The cells of one table, its head left out."""
    found = re.search(rf'<table id="table-{table}">.*?<tbody>(.*?)</tbody>', page, flags=re.DOTALL)
    assert found, table
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in re.findall(r"<tr.*?</tr>", found.group(1))
    ]


def graph(example: dict[str, Any]) -> str:
    return component_graph(example, name="one", title="Component 1", words="words")


@pytest.mark.parametrize("page", [PAGE, nominals_page(nobody())], ids=["full", "empty"])
def test_page_is_well_formed_and_every_reference_stays_on_the_page(page: str) -> None:
    found = outline(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert found.targets <= set(found.ids)


def test_page_fetches_nothing_and_runs_nothing() -> None:
    assert outline(PAGE).tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form"})
    assert re.findall(r"https?:|//[\w.]+|@import|url\((?!#)|\bon\w+=", PAGE) == []


def test_same_figures_give_the_same_bytes_also_after_a_way_through_json() -> None:
    again = json.loads(json.dumps(figures(), sort_keys=True))
    again["seconds"] = figures()["seconds"]  # stages keep the order in which they ran
    assert nominals_page(again) == PAGE
    assert nominals_summary(again) == nominals_summary(figures())


def test_what_came_out_stands_before_every_number_and_whoever_waits_is_told() -> None:
    text = plain(PAGE)
    places = [
        text.index(part)
        for part in (
            ADVISORY,
            "1,000 police person records make 600 nominals, 200 of them with two records and more.",
            "A nominal is a possible person, not a finding: every join can be undone.",
            "Waiting for a reviewer: 21 records of components too large to be looked into.",
            "1.67 records of a nominal on average",
            "Components were found by driver: 1,234 accepted edges fit.",
        )
    ]
    assert places == sorted(places)
    assert "Waiting for a reviewer" not in plain(nominals_page(figures(quarantined_records=0)))


def test_cuts_and_conflicts_stand_in_the_order_of_precedence_with_their_code() -> None:
    assert rows(PAGE, "cuts") == [
        [CUT_WORDS[CutReason.DATES_CONTRADICT], "dates_contradict", "12"],
        [CUT_WORDS[CutReason.TWIN_PATTERN], "twin_pattern", "5"],
        [CUT_WORDS[CutReason.WEAK_BRIDGE], "weak_bridge", "1"],
    ]
    assert [row[1:] for row in rows(PAGE, "conflicts")] == [["dates_contradict", "40"], ["twin_pattern", "5"]]


def test_no_reason_state_or_event_is_lost() -> None:
    page = nominals_page(
        figures(
            cuts=dict.fromkeys((reason.value for reason in CutReason), 1),
            states=dict.fromkeys((state.value for state in NominalState), 1),
            events=dict.fromkeys((kind.value for kind in NominalEventKind), 1),
        )
    )
    assert [row[1] for row in rows(page, "cuts")] == [reason.value for reason in CutReason]
    assert len(rows(page, "states")) == len(NominalState)
    assert len(rows(page, "events")) == len(NominalEventKind)


def test_sizes_with_shares_and_steps_by_hand() -> None:
    assert rows(PAGE, "sizes") == [
        ["1", "400", "66.7 %", "400", "40.0 %"],
        ["2", "150", "25.0 %", "300", "30.0 %"],
        ["5 to 9", "50", "8.3 %", "300", "30.0 %"],
        ["all", "600", "", "1,000", ""],
    ]
    assert [row[1] for row in rows(PAGE, "steps")] == [
        "1,000", "2,000,003", "54,321", "120", "1", "0", "1,234", "2", "9", "3", "190", "2,345", "77", "18", "21", "600",
    ]  # fmt: skip


def test_events_states_rules_and_seconds_by_hand() -> None:
    assert rows(PAGE, "events") == [
        ["nominals that are new", "10"],
        ["records that came to a nominal", "25"],
        ["records that are gone, and left their nominal", "1"],
    ]
    assert [row[1] for row in rows(PAGE, "states")] == ["598", "2", "3", "4"]
    assert rows(PAGE, "rules") == [
        ["premises_date", "900,000", "2,000,000", "7", "1,900,000", "1,900,000"],
        ["street_date", "900,000", "2,000,000", "7", "1,900,000", "100,003"],
        ["all", "", "", "", "", "2,000,003"],
    ]
    assert rows(PAGE, "seconds")[-1] == ["total", "37.8"]


def test_examples_tell_what_they_show_their_cuts_and_the_path() -> None:
    text = plain(PAGE)
    assert (
        "1. Cut: two dates of birth contradict each other; Cut: two records look like twins: same date of birth, two "
        "forenames" in text
    )
    assert "6 records in 3 nominals; accepted edges: 3 that join, 3 that were cut." in text
    assert "crime/C-1 and custody/K&lt;9&gt; would have joined. 2 more edges were cut." in re.sub(r"\s+", " ", text)
    assert "The strongest path from crime/C-1 to crime/C-3" in text
    assert "3. Waits for a reviewer 2,345 records in one component: too large to be looked into, and not drawn." in text
    assert PAGE.count("<figure>") == 3
    assert '<h2 id="examples"' not in nominals_page(figures(examples=[]))


def test_every_picture_has_title_description_and_caption() -> None:
    pictures = re.findall(r"<figure>.*?</figure>", PAGE, flags=re.DOTALL)
    told = r'<svg aria-describedby="(\w+)-desc" role="img" aria-label="[^"]+".*<title id="\1-title">\w.*<desc id="\1-desc">\w.*<figcaption>\w'
    assert [picture for picture in pictures if not re.search(told, picture, flags=re.DOTALL)] == []


def test_no_police_records_at_all() -> None:
    page = nominals_page(nobody())
    assert "There are no police person records, so there are no nominals." in plain(page)
    assert "<svg" not in page
    assert re.findall(r'<table id="table-(\w+)"', page) == ["steps", "persons"]
    assert nominals_summary(nobody()).splitlines()[1] == "There are no police person records, so there are no nominals."


def test_advisory_stands_at_both_ends_where_given() -> None:
    assert plain(PAGE).count(ADVISORY) == 2
    without = figures()
    del without["advisory"]
    assert 'role="note"' not in nominals_page(without)


def test_a_day_says_of_which_records_it_counts_the_candidate_pairs() -> None:
    told = {**figures(), "looked_at": 7}
    assert "candidate pairs  2,000,003 of 7 records that changed with all others, 54,321 above" in nominals_summary(
        told
    )
    assert "candidate pairs of 7 records that changed with all others: proposed" in plain(nominals_page(told))


def test_summary_by_hand() -> None:
    text = nominals_summary(figures())
    assert text.splitlines() == [
        "Nominals, run R9 (number 3)  model nominals_v1  code 0.6.0",
        "1,000 police person records make 600 nominals, 200 of them with two records and more. A nominal is a possible person,",
        "not a finding: every join can be undone.",
        "Waiting for a reviewer: 21 records of components too large to be looked into. Each stays in the nominal where it was.",
        "",
        "candidate pairs  2,000,003, 54,321 above the model's floor in all",
        "edges accepted   1,234, 2 of them judged the same by a reviewer",
        "PNC and CRO      120 records with a verified number; 9 edges with the same one, 3 joined by it; not used: two of one",
        "                 kind on a record 1, on too many records to join any 0",
        "components       190, the largest of 2,345 records",
        "found by         driver: 1,234 accepted edges fit",
        "looked into      77 components",
        "pairs against    dates contradict 40, twin pattern 5",
        "edges cut        dates contradict 12, twin pattern 5, weak bridge 1",
        "nominals         live 598, retired 4, merged 3, quarantined 2",
        "by records       1: 400, 2: 150, 5 to 9: 50",
        "in this run      joined 25, created 10, left 1",
        "alerts           31 (one employee and one nominal each)",
        "offered          17 further records of the same nominals, no hits themselves",
        "portraits        4,567 forms of name, date of birth and address",
        "seconds          37.8, most of them: compare 30.2, guard 4.0, components 2.5",
        "",
    ]
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.endswith("\n\n")


# ---- the graph of one component -----------------------------------------------------------------------------------


def test_graph_draws_every_record_once_by_name_and_every_edge_once() -> None:
    drawn = graph(TWINS)
    for one in TWINS["members"]:
        name = one["name"].replace("<", "&lt;").replace(">", "&gt;")
        assert drawn.count(f"<title>{name}, nominal {one['nominal_id']}</title>") == 1
    assert len(re.findall(r"<line [^>]*><title>", drawn)) == len(TWINS["edges"])
    assert ">incident/a-re…-shown-whole<" in drawn


def test_an_edge_between_records_of_one_number_has_a_letter_and_words() -> None:
    drawn = graph({**TWINS, "edges": [edge(0, 1, 31_200, numbered=True), *TWINS["edges"][1:]]})
    assert ">N: the same verified PNC or CRO number on both (1 edge)<" in drawn
    assert "31.2 bits; the same verified PNC or CRO number on both<" in drawn
    assert ">N: " not in graph(TWINS)


def test_every_reason_for_a_cut_has_dashes_and_a_letter_of_its_own() -> None:
    drawn = graph({**TWINS, "edges": [edge(0, 3, 9_000 + no, reason) for no, reason in enumerate(CutReason)]})
    dashes = set(re.findall(r'stroke-dasharray="([^"]+)"', drawn))
    assert len(dashes) == len(CutReason)


def test_what_numbers_did_is_told_in_counts() -> None:
    assert "PNC and CRO 120 records with a verified number; 9 edges with the same one, 3 joined by it;" in re.sub(
        r"\s+", " ", nominals_summary(figures())
    )
    assert "no record bears a verified number" in nominals_summary(nobody())
    steps = {row[0]: row[1] for row in rows(PAGE, "steps")}
    assert steps["records with a verified PNC or CRO number"] == "120"
    assert steps["of which joined by that number, where the rule does not hold"] == "3"


def test_cut_edges_are_dashed_each_reason_in_its_own_way_and_the_key_says_why() -> None:
    drawn = graph(TWINS)
    dashes = re.findall(r'stroke-dasharray="([^"]+)"[^>]*><title>[^<]*cut: ([^<]+)<', drawn)
    assert sorted(told for _, told in dashes) == sorted(
        [CUT_WORDS[CutReason.TWIN_PATTERN]] * 2 + [CUT_WORDS[CutReason.DATES_CONTRADICT]]
    )
    assert len(set(dashes)) == 2 and len({dash for dash, _ in dashes}) == 2
    assert ">joins; the wider, the more it weighs (3 edges)<" in drawn
    assert f">a: cut, {CUT_WORDS[CutReason.DATES_CONTRADICT]} (1 edge)<" in drawn
    assert f">b: cut, {CUT_WORDS[CutReason.TWIN_PATTERN]} (2 edges)<" in drawn
    assert ">S: judged the same by a reviewer (1 edge)<" in drawn
    # One letter per two nominals and reason: both edges cut for twins lie between the same two.
    assert [len(re.findall(rf'text-anchor="middle"[^>]*>{letter}<', drawn)) for letter in "abS"] == [1, 1, 1]


def test_nominals_differ_in_shape_and_not_in_colour_alone() -> None:
    paths = re.findall(r"</title><path d=\"M[-\d.]+ [-\d.]+([^\"]+)\"", graph(TWINS))
    assert paths[0] == paths[1] == paths[2]
    assert len({paths[0], paths[3], paths[5]}) == 3


def test_wider_edges_weigh_more_within_bounds() -> None:
    assert [stroke(weight) for weight in (-3_000, 10_000, 31_000, 90_000)] == [0.5, 1.0, 3.1, 5.0]
    assert [bits(weight) for weight in (31_249, -3_200)] == ["31.2", "−3.2"]


@pytest.mark.parametrize("sizes", [(1,), (2,), (3, 1), (4, 4, 2), (30,), (1,) * 30, (12, 9, 5, 2, 1, 1)], ids=str)
def test_no_two_names_meet_and_everything_stays_inside(sizes: tuple[int, ...]) -> None:
    names = iter(range(1_000))
    members = [
        member(f"intel/{next(names):05}-0000-00000000000", nominal)
        for nominal, size in enumerate(sizes)
        for _ in range(size)
    ]
    layout = lay_out(members)
    assert len(layout.dots) == len(members) and len(layout.blocks) == len(sizes)
    boxes = [name_box(dot, one["name"]) for dot, one in zip(layout.dots, members, strict=True)]
    for number, (left, top, right, bottom) in enumerate(boxes):
        block = layout.blocks[members[number]["nominal"]]
        assert block.x <= left and right <= block.x + block.width <= layout.width
        assert block.y <= top and bottom <= block.y + block.height <= layout.height
        for other in boxes[:number]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
    for number, block in enumerate(layout.blocks):
        for other in layout.blocks[:number]:
            assert block.x >= other.x + other.width or block.y >= other.y + other.height


def name_box(dot: Dot, name: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a dot with its name, at six pixels a character and twelve a line."""
    reach = 10 + 6 * len(shortened(name))
    left, right = (dot.x - 6, dot.x + reach) if dot.right else (dot.x - reach, dot.x + 6)
    return left, dot.y - 6, right, dot.y + 6


def test_a_graph_of_nobody_and_sizes_without_rows_are_not_drawn() -> None:
    assert graph(HELD) == ""
    assert nominals_by_size([], name="sizes", words="words") == ""


def test_every_reason_has_words_of_its_own() -> None:
    assert len({CUT_WORDS[reason] for reason in CutReason}) == len(CutReason)


def test_no_barred_word_on_page_or_console() -> None:
    wording = load_wording(CONF)
    every = figures(cuts=dict.fromkeys((reason.value for reason in CutReason), 1))
    for shown in (
        PAGE,
        nominals_page(every),
        nominals_summary(every),
        nominals_page(nobody()),
        nominals_summary(nobody()),
    ):
        assert wording.forbidden_in(re.sub(r"[^\w\s]", " ", shown)) == []
