"""The accuracy page of nominals: both truths, before and after the guard, traditions beside one another."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from linkage_spark.evaluation.intervals import proportion
from linkage_spark.evaluation.nominal_figures import nominal_figures
from linkage_spark.report.nominal_accuracy import nominal_accuracy_page
from linkage_spark.settings.wording import load_wording
from tests.unit.report.test_html import outline
from tests.unit.report.test_nominals import plain, rows

ADVISORY = load_wording(Path(__file__).parents[3] / "conf").advisory


def shares(true: int, joined: int, all_true: int) -> dict[str, Any]:
    return {
        "pairwise_precision": proportion(true, joined),
        "pairwise_recall": proportion(true, all_true),
        "b_cubed_precision": 0.99,
        "b_cubed_recall": 0.8,
        "b_cubed_f1": 0.885,
    }


def cell(person: int, cluster: int, **sizes: int) -> dict[str, Any]:
    """Records of one cluster, person and permitted part, as ``count_nominals`` counts them."""
    whole = {"in_cell": 1, "in_both": 1, "of_cluster": 1, "of_tradition": 1, "of_person": 1, "of_part": 1, "cells": 1}
    return {"naming_tradition": "british", "missing": False, **whole, **sizes}


def judged(*, joined: int, twins: int) -> dict[str, Any]:
    """Figures as ``nominal_figures`` makes them: one person of two records together, another of two apart."""
    wrong = {
        "relation": "twins",
        "pairs": twins,
        "nominals": twins,
        "contradicting_pairs": 0,
        "contradicting_nominals": 0,
    }
    both = {"in_cell": 2, "in_both": 2, "of_cluster": 2, "of_tradition": 2, "of_person": 2, "of_part": 2}
    apart = {"of_person": 2, "cells": 2, "naming_tradition": "polish"}
    over = {
        "nominals": twins,
        "records": 2 * twins,
        "records_of_others": twins,
        "persons": 2 * twins,
        "largest": 2 if twins else 1,
        "not_looked_into": 0,
        "pairs": twins,
        "contradicting_pairs": 0,
        "contradicting_nominals": 0,
    }
    return dict(
        nominal_figures(
            [cell(1, 1, **both, cells=joined), cell(2, 2) | apart],
            sizes=[{"size": 1, "clusters": 2}, {"size": 2, "clusters": joined}],
            over_merged=over,
            wrong_joins=[wrong] if twins else [],
            twins={"twin_pairs": 80, "twins_joined": twins},
        )
    )


FOUND = {"before": judged(joined=3, twins=2), "after": judged(joined=2, twins=1)}
PAGE = nominal_accuracy_page(FOUND, run_id="R9", advisory=ADVISORY)


def test_both_truths_stand_beside_one_another_before_and_after() -> None:
    told = rows(PAGE, "accuracy")
    assert [row[:2] for row in told] == [
        ["joins that the rule permits", "before the guard"],
        ["joins that the rule permits", "after the guard"],
        ["every true person", "before the guard"],
        ["every true person", "after the guard"],
    ]
    assert [row[3] for row in told] == ["3 of 3", "2 of 2", "3 of 3", "2 of 2"]
    assert [row[5] for row in told] == ["3 of 3", "2 of 2", "3 of 4", "2 of 3"]


def test_who_was_joined_wrongly_is_told_first() -> None:
    assert "2 of 3 people stand in a nominal with somebody else" in plain(PAGE)
    assert "and 1 of 80 pairs of twins were joined" in plain(PAGE)
    assert rows(PAGE, "wrong_joins") == [["twins", "2", "1", "0", "0"]]
    assert rows(PAGE, "over_merged")[-1] == ["pairs of twins joined", "2 of 80", "1 of 80"]


def test_who_was_left_apart() -> None:
    assert rows(PAGE, "under_merged") == [
        ["people in more than one nominal, of those with two records and more", "1 of 4", "1 of 3"],
        ["the same, of what the rule permits to join", "0 of 3", "0 of 2"],
        ["nominals beyond one for each person", "1", "1"],
    ]


def test_traditions_and_sizes() -> None:
    assert [row[:3] for row in rows(PAGE, "by_tradition")] == [["british", "2", "4"], ["polish", "1", "2"]]
    assert rows(PAGE, "sizes") == [["1", "2", "2", "2", "2"], ["2", "3", "2", "6", "4"]]


def test_a_truth_without_permitted_joins_leaves_them_out() -> None:
    found = copy.deepcopy(FOUND)
    for one in found.values():
        one["permitted"], one["under_merged"]["permitted_parts"] = None, None
        for row in one["by_tradition"]:
            row["permitted"] = None
    page = nominal_accuracy_page(found, run_id="R9", advisory=ADVISORY)
    assert [row[0] for row in rows(page, "accuracy")] == ["every true person"] * 2
    assert rows(page, "under_merged")[1][1:] == ["—", "—"]
    assert rows(page, "by_tradition")[0][-2:] == ["—", "—"]


def test_the_page_is_whole_and_the_same_for_the_same_figures() -> None:
    assert nominal_accuracy_page(FOUND, run_id="R9", advisory=ADVISORY) == PAGE
    assert plain(PAGE).count(ADVISORY) == 2
    found = outline(PAGE)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert found.targets <= set(found.ids)
    assert found.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form"})
    assert re.findall(r"https?:|//[\w.]+|@import|url\((?!#)|\bon\w+=", PAGE) == []


@pytest.mark.parametrize("name", ["accuracy", "by_tradition", "over_merged", "under_merged", "sizes"])
def test_every_table_is_shown(name: str) -> None:
    assert f'id="table-{name}"' in PAGE
