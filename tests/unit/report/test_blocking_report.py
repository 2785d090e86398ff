"""The page and the summary of what blocking rules are worth: offline, the same bytes, lean rules told from rich ones."""

from __future__ import annotations

import copy
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from linkage_spark.model.schema import Model, Rule, load_model
from linkage_spark.report.blocking import blocking_page
from linkage_spark.report.blocking_console import blocking_summary
from linkage_spark.runs.advise_figures import as_csv, lean_figures, rule_figures, truth_figures
from linkage_spark.settings.wording import load_wording
from tests.unit.report.test_html import outline

CONF = Path(__file__).parents[3] / "conf"
WORDING = load_wording(CONF)
LEAN = ("premises", "date")


def model() -> Model:
    rules = (
        Rule(id="premises", parts=("premises",)),
        Rule(id="date", parts=("date",), refine="initials"),
        Rule(id="rich:sounds", parts=("sounds",)),
    )
    return load_model(CONF, "screening_v1").model_copy(update={"rules": rules})


def mask(rules: int, pairs: int, true: int, millionths: int) -> dict[str, int]:
    return {
        "rule_mask": rules,
        "pairs": pairs,
        "true_pairs": true,
        "unlabelled_pairs": 0,
        "expected_millionths": millionths,
        "likely_pairs": true,
    }


MASKS = [
    mask(0b001, 100, 40, 41_000_000),
    mask(0b011, 50, 30, 29_000_000),
    mask(0b010, 400, 20, 20_000_000),
    mask(0b100, 1_000, 5, 10_000_000),
]


def proportion(numerator: int, denominator: int) -> dict[str, Any]:
    value = numerator / denominator
    return {"numerator": numerator, "denominator": denominator, "value": value, "low": value - 0.01, "high": value}


def one_class(name: str, lean: int, every: int, of: int) -> dict[str, Any]:
    return {
        "error_class": name,
        "true_pairs": of + 4,
        "lost_by_reading": 4,
        "lean": proportion(lean, of),
        "every_rule": proportion(every, of),
        "lost_by_lean": of - lean,
        "brought_back_by": [{"rule_id": "rich:sounds", "true_pairs": every - lean}],
    }


def price(name: str) -> dict[str, Any]:
    names = ("roster_rows", "history_rows", "pairs_before_refinement", "refined_keys", "pairs_refined_away")
    return {"rule_id": name, **dict.fromkeys((*names, "pairs_proposed", "pairs_first"), 0)}


def figures(*, estate: bool = True, truth: bool = True) -> dict[str, Any]:
    held = model()
    classes = [one_class("all", 90, 95, 100), one_class("OLD", 4, 8, 10)] if truth else None
    measured = truth_figures(classes) if classes else None  # type: ignore[arg-type]
    read = None if measured is None else measured["true_pairs_read"]
    made: dict[str, Any] = {
        "run": {
            "kind": "advise_blocking",
            "of": "estate" if estate else "dedupe",
            "advisory": WORDING.advisory,
            "run_id": "R1",
            "estate_run_id": "R0",
            "finished_at": "2026-11-21T18:00:00+00:00",
            "code_version": "0.5.0",
            "model_id": held.id,
            "model_fingerprint": "f" * 64,
        },
        "files": [{"side": "roster", "name": "employees", "rows_in": 10, "records": 9}],
        "possible_pairs": 9_000,
        "found_is": "true pairs" if truth else "expected matches",
        "truth": measured,
        **rule_figures(MASKS, [price(rule.id) for rule in held.rules], model=held, read=read),
        "warnings": ["<b>odd</b>"],
        "stages": [{"stage": "count masks", "seconds": 1.0}],
    }
    if estate:
        made |= {**lean_figures(MASKS, model=held, lean=LEAN, read=read), "classes": classes}
        for step in (*made["steps"], *made["lean"]["steps"], *made["beyond_lean"]):
            step["set"] = "lean" if step["rule_id"] in LEAN else "rich"
    return made


@cache
def page_of(estate: bool, truth: bool) -> str:
    return blocking_page(figures(estate=estate, truth=truth))


KINDS = [(True, True), (True, False), (False, True), (False, False)]


@pytest.mark.parametrize(("estate", "truth"), KINDS)
def test_page_opens_offline(estate: bool, truth: bool) -> None:
    page = page_of(estate, truth)
    found = outline(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert found.targets <= set(found.ids)
    assert found.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form"})
    assert re.findall(r"(?:https?:)?//[\w.]+|@import|url\((?!#)|\bon\w+=", page) == []
    assert page.count(WORDING.advisory) == 2
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    assert WORDING.forbidden_in(page) == []


@pytest.mark.parametrize("truth", [True, False])
def test_the_picture_marks_lean_rules_on_an_estate_only(truth: bool) -> None:
    words = ("a rule of the lean set", "a rich rule", "the lean set by itself")
    estate = page_of(True, truth)
    assert all(text in estate for text in words)
    files = page_of(False, truth)
    assert not any(text in files for text in words)
    assert "<svg" in files


def test_no_picture_where_nothing_is_found() -> None:
    made = figures(estate=False)
    for step in made["steps"]:
        step["recall"] = None
    assert "<svg" not in blocking_page(made)


def test_the_lean_set_is_measured_alone_and_each_rich_rule_over_what_it_does_not_propose() -> None:
    made = figures()
    lean, (beyond,) = made["lean"], made["beyond_lean"]
    assert (lean["pairs"], lean["found"], lean["found_by_all_rules"]) == (550, 90, 95)
    assert (lean["recall"]["value"], lean["share"]) == (0.9, 0.9)
    assert (lean["expected_matches"], lean["expected_matches_all_rules"], lean["expected_share"]) == (90.0, 100.0, 0.9)
    assert (beyond["rule_id"], beyond["pairs_alone"], beyond["found_alone"]) == ("rich:sounds", 1000, 5)
    # With the lean set before it: 95 of the 100 that were read.
    assert beyond["recall"] == 0.95


def test_without_a_truth_the_share_is_that_of_what_all_rules_are_expected_to_find() -> None:
    made = figures(truth=False)
    assert (made["lean"]["found"], made["lean"]["share"], made["lean"]["recall"]) == (90.0, 0.9, None)
    assert made["beyond_lean"][0]["found_alone"] == 10.0
    assert made["beyond_lean"][0]["recall"] == 1.0
    assert made["estimate_from_true_pairs"] is None


@pytest.mark.parametrize(("estate", "truth"), KINDS)
def test_the_summary_says_what_the_figures_say(estate: bool, truth: bool) -> None:
    text = blocking_summary(figures(estate=estate, truth=truth), out="o", written=("blocking.json",))
    assert WORDING.forbidden_in(text) == []
    assert WORDING.advisory in text
    assert ("lean   2 rules of screening_v1: 550 pairs" in text) is estate
    assert ("recall 0.9000 (0." in text) is (estate and truth)
    assert ("in truth 10" in text) is (estate and truth)


def test_a_line_of_the_csv_says_which_set_its_rule_is_of() -> None:
    head, *lines = as_csv(figures()).splitlines()
    assert head.startswith("step,rule_id,parts,second_key,pairs_added,")
    assert {line.split(",")[1]: line.split(",")[-1] for line in lines} == {
        "premises": "lean",
        "date": "lean",
        "rich:sounds": "rich",
    }


def test_the_same_figures_give_the_same_bytes_and_are_left_as_they_were() -> None:
    made = figures()
    before = copy.deepcopy(made)
    assert blocking_page(made) == page_of(True, True)
    blocking_summary(made, out="o", written=())
    assert made == before
