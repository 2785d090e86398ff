from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from linkage_spark.evaluation.cluster_figures import cluster_figures, cluster_sizes
from linkage_spark.evaluation.pair_figures import PARTS, PROBABILITY_EDGES, pair_figures, scored_figures
from linkage_spark.linkage.training.em import CONTEXT, HOUSEHOLD, MATCH, RANDOM
from linkage_spark.report import person_tables
from linkage_spark.report.person_files import FileHead, PersonFilesSummary, RunHead, render_person_files
from linkage_spark.runs.file_training import TrainingFigures
from linkage_spark.settings.wording import load_wording
from tests.unit.report.test_html import outline

WORDING = load_wording(Path(__file__).parents[3] / "conf")
ADVISORY = "Advisory only & for review."


def head(**changes: Any) -> RunHead:
    made: dict[str, Any] = {
        "kind": "link",
        "advisory": ADVISORY,
        "run_id": "R7",
        "finished_at": "2026-11-21T05:30:00Z",
        "code_version": "0.1.0",
        "model_id": "person_files_v1",
        "model_fingerprint": "f" * 16,
        "trained": False,
        "frequencies": "shipped with person_files_v1",
        "country": "GB",
        "country_reason": "In 40 of 41 postcodes the shape is that of the United Kingdom.",
        "decision": "A pair is linked from a probability of 0.5.",
        "one_to_one": True,
        "cut_bits": 0.0,
    }
    return made | changes  # type: ignore[return-value]


def file_head(side: str, **changes: Any) -> FileHead:
    made: dict[str, Any] = {
        "side": side,
        "name": f"{side}.csv",
        "rows_in": 1200,
        "records": 1198,
        "refused": {"duplicate_row": 2},
        "warnings": [f"{side}.csv holds no dates of birth."],
    }
    return made | changes  # type: ignore[return-value]


def counted() -> list[dict[str, Any]]:
    """Pairs as ``count_by_threshold`` tells them: of each bit more true and fewer false ones."""
    rows = []
    for bit in range(-6, 20):
        probability = 1 / (1 + 2.0 ** -(bit + 0.5))
        place = max(n for n, edge in enumerate(PROBABILITY_EDGES) if edge <= probability)
        for is_true, pairs in (
            (True, 40 + 9 * bit if bit > -4 else 0),
            (False, round(900 * 2.0**-bit) if bit < 8 else 0),
        ):
            if pairs:
                parts = round(probability * PARTS) * pairs
                rows.append(
                    {
                        "is_true": is_true,
                        "linked": bit >= 0,
                        "probability_bin": place,
                        "weight_bit": bit,
                        "pairs": pairs,
                        "probability_parts": parts,
                    }
                )
    return rows


CELLS = [
    {"together": 2, "of_cluster": 2, "of_entity": 2, "cells": 400, "missing": False},
    {"together": 1, "of_cluster": 3, "of_entity": 2, "cells": 9, "missing": False},
    {"together": 1, "of_cluster": 1, "of_entity": 2, "cells": 1, "missing": True},
]


TRAINING = {
    "patterns": 812,
    "sampled_pairs": 1_500_000,
    "sampled_pair_stands_for": 3.25,
    "rounds": 31,
    "settled": True,
    "log_likelihood": -5_431_234.567,
    "expected_matches": 1234.5678,
    "sure_share": 0.99967,
    "share of class match": 0.0001999753,
    "share of class random": 0.99974,
    "share of class household": 5.6e-09,
    "share of class context": 1e-12,
    "expected matches from other starts": "1,230, 1,235, 1,234",
    "used": "yes",
    "faults": "none",
    "doubts": "none",
    "levels pooled in": "name, date_of_birth, place_postcode, extra_job",
    "a_fact_of_later": 2.5e-7,
}


GUARD: dict[str, Any] = {
    "max_records": 500,
    "contradictions": "unless_strong",
    "clusters_looked_into": 40,
    "clusters_not_looked_into": 0,
    "contradicting_pairs": 9,
    "outvoted_pairs": 2,
    "clusters_parted": 7,
    "clusters_too_large": 1,
    "pairs_parted": 21,
    "linked_pairs_cut": {"dates_contradict": 12, "too_large": 1003},
}


def full() -> PersonFilesSummary:
    rows = counted()
    return {
        "run": head(),
        "files": [file_head("left"), file_head("right", warnings=[])],
        "attributes": ["name", "date_of_birth", "postcode"],
        "warnings": ["The model sees <many> relatives."],
        "possible_pairs": 1_435_204,
        "compared_whole": False,
        "candidates": 60_000,
        "rules": [{"rule_id": "surname_postcode", "pairs_proposed": 40_000, "pairs_first": 38_000}],
        "scored": scored_figures(rows),  # type: ignore[typeddict-item]
        "tiers": {"match": 1000, "possible": 200, "non_match": 4000},
        "rivals": {"share_left": 0.8, "share_right": 0.75},
        "training": TRAINING,
        "model": [{"attribute": "date_of_birth", "level": "exact", "m": 0.9, "u": 0.00005, "weight_bits": 14.1}],
        "clusters": cluster_sizes([{"size": 1, "clusters": 300}, {"size": 2, "clusters": 450}]),  # type: ignore[typeddict-item]
        "truth": pair_figures(rows, true_pairs=4000, true_pairs_read=3990, true_candidates=3900),  # type: ignore[typeddict-item]
        "guard": GUARD,
        "cluster_truth": cluster_figures(CELLS),  # type: ignore[typeddict-item]
        "cluster_truth_before_guard": cluster_figures(CELLS[:2]),  # type: ignore[typeddict-item]
        "outputs": {"pairs.csv": "every pair above the floor"},
        "stages": [{"stage": "read", "seconds": 1.25}],
    }


PAGE = render_person_files(full())


def test_page_is_well_formed_and_every_reference_stays_on_the_page() -> None:
    found = outline(PAGE)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert found.targets <= set(found.ids)


def test_page_fetches_nothing_and_runs_nothing() -> None:
    found = outline(PAGE)
    assert found.tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form"})
    assert re.findall(r"(?:https?:)?//[\w.]+|@import|url\((?!#)|\bon\w+=", PAGE) == []


def test_same_summary_gives_the_same_bytes() -> None:
    assert render_person_files(full()) == PAGE


def test_advisory_stands_at_top_and_bottom_and_texts_are_escaped() -> None:
    assert PAGE.count(ADVISORY.replace("&", "&amp;")) == 2
    assert "&lt;many&gt;" in PAGE and "<many>" not in PAGE


def test_every_part_of_a_full_summary_is_shown() -> None:
    pictures = re.findall(r"<svg[^>]*>", PAGE)
    assert len(pictures) == 3
    assert all('role="img"' in svg and re.search('aria-label="[^"]+"', svg) for svg in pictures)
    assert set(re.findall(r'<table id="table-(\w+)"', PAGE)) == {
        *("files", "rules", "probabilities", "tiers", "rivals", "training", "model", "clusters", "accuracy"),
        *("thresholds", "loss", "calibration", "cluster_accuracy", "cluster_accuracy_before", "outputs", "stages"),
        "guard",
    }
    for said in (
        "The shipped model person_files_v1 was used as it is, but for the share of matches, which was found on these files.",
        "How common a value is: shipped with person_files_v1.",
        "In 40 of 41 postcodes",
        "Of 1,435,204 possible pairs 60,000 were compared",
        "left.csv holds no dates of birth.",
        "chosen with the truth",
        "Compared: name, date of birth, postcode.",
    ):
        assert said in PAGE, said


def test_without_training_nothing_is_said_of_an_estimate() -> None:
    plain = {name: part for name, part in full().items() if name != "training"}
    assert "The shipped model person_files_v1 was used as it is. How" in render_person_files(plain)


def test_heads_alone_make_a_page() -> None:
    text = render_person_files({"run": head(kind="dedupe", trained=True, one_to_one=False, country="plain", run_id="")})
    assert outline(text).open == []
    assert "Repeated persons in one file" in text
    assert "was estimated on these files, without labels" in text
    assert "Addresses were compared as words" in text
    assert "Accuracy" not in text and "<svg" not in text and "One-to-one" not in text and "<table" not in text


def test_without_truth_no_accuracy_is_claimed() -> None:
    summary = full()
    del summary["truth"], summary["cluster_truth"], summary["cluster_truth_before_guard"]
    text = render_person_files(summary)
    assert "Accuracy against the truth" not in text and "Precision" not in text
    assert text.count("<svg") == 1


def test_what_the_guard_cut_is_told_by_reason_and_in_all() -> None:
    made = person_tables.guard(GUARD)
    assert made.rows == (("dates contradict", "12"), ("too large", "1,003"), ("all", "1,015"))
    assert "stand together only where their own pair is strong" in made.note
    assert "500 records at most" in made.note and "Clusters parted: 7" in made.note


def test_a_guard_that_cut_nothing_is_said_to_have_looked_and_the_figures_before_it_are_not_shown_twice() -> None:
    text = render_person_files({**full(), "guard": {**GUARD, "linked_pairs_cut": {}}})
    assert "and cut nothing" in text and "and cut nothing" not in PAGE
    assert 'id="table-guard"' not in text and 'id="table-cluster_accuracy_before"' not in text


def test_a_guard_that_did_not_look_for_contradictions_says_so() -> None:
    idle = {**GUARD, "linked_pairs_cut": {}}
    never = render_person_files({**full(), "guard": {**idle, "contradictions": "never"}})
    assert "looked for clusters of too many records alone" in never
    some = render_person_files({**full(), "guard": {**idle, "clusters_not_looked_into": 1_002}})
    assert "1,002 clusters hold too many pairs to be looked into" in some
    for text in (never, some):
        assert "looked into the clusters for contradictions" not in text


def test_pairs_of_two_people_in_one_cluster_are_counted() -> None:
    made = person_tables.cluster_accuracy(cluster_figures(CELLS))
    assert ("pairs of two people in one cluster", "9") in made.rows


def test_a_run_that_scored_nothing_still_has_a_page() -> None:
    summary = full()
    summary["scored"] = scored_figures([])  # type: ignore[typeddict-item]
    summary["truth"] = pair_figures([], true_pairs=0)  # type: ignore[typeddict-item]
    summary["cluster_truth"] = cluster_figures([])  # type: ignore[typeddict-item]
    summary["cluster_truth_before_guard"] = cluster_figures([])  # type: ignore[typeddict-item]
    text = render_person_files(summary)
    assert outline(text).open == []
    assert "<svg" not in text


@pytest.mark.parametrize("cut", [None, -2.5])
def test_the_cut_is_drawn_where_there_is_one(cut: float | None) -> None:
    text = render_person_files({**full(), "run": head(cut_bits=cut)})
    assert ("linked from -2.5 bits" in text) == (cut is not None)


def test_no_barred_word_stands_on_the_page() -> None:
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", PAGE, flags=re.DOTALL)
    assert WORDING.forbidden_in(re.sub(r"[^\w\s]", " ", text)) == []


def test_the_estimate_is_told_in_words_and_in_numbers_that_can_be_read() -> None:
    made = person_tables.training(TRAINING)
    assert made.rows == (
        ("Is the estimate used?", "yes"),
        ("What rules it out", "none"),
        ("What makes its probabilities weak", "none"),
        ("Matches expected among all possible pairs", "1,235"),
        ("The same, begun from other numbers: they should be alike", "1,230, 1,235, 1,234"),
        ("Of these matches, among pairs that are a match more likely than not", "> 99.9 %"),
        ("Of all possible pairs: two records of one person", "1 in 5,000"),
        ("Of all possible pairs: two people of one home or family", "1 in 179 million"),
        ("Of all possible pairs: two people of one street, town or trade", "next to none (fewer than 1 in a billion)"),
        ("Of all possible pairs: two people who have nothing in common but by chance", "> 99.9 %"),
        ("Did the estimate settle?", "yes"),
        ("Rounds that were made", "31"),
        ("Different ways in which pairs agree and differ", "812"),
        ("Pairs drawn from those that no rule proposes", "1,500,000"),
        ("Pairs that each drawn pair stands for", "3.2"),
        ("Log-likelihood: of two estimates on these files the one nearer to 0 fits better", "−5,431,234.6"),
        ("Attributes whose levels came out of order and were pooled", "name, date of birth, postcode, job"),
        ("a fact of later", "< 0.1"),
    )


def test_every_fact_that_a_run_notes_of_its_estimate_has_words() -> None:
    noted = set(TrainingFigures.__annotations__) - {"shares", "expected_from_other_starts", "pooled"}
    noted |= {f"share of class {name}" for name in (MATCH, RANDOM, HOUSEHOLD, CONTEXT)}
    noted |= {"expected matches from other starts", "levels pooled in"}
    assert noted == set(person_tables._FACTS)


def test_the_page_points_to_issues_csv_only_for_what_stands_there() -> None:
    files = [file_head("left", issues={"date_of_birth: missing": 7, "date_of_birth: unreadable": 2})]
    text = render_person_files({"run": head(), "files": files})
    assert "issues.csv names each of them, but for values that are missing, which are counted here only." in text
