"""Figures and example hits of realistic size, made by a fixed rule, for tests of the report."""

from __future__ import annotations

import hashlib
from datetime import date
from itertools import product
from typing import Any

from linkage_spark.evaluation.accuracy import accuracy, scopes
from linkage_spark.evaluation.calibration import calibration_figures
from linkage_spark.evaluation.expectation import expected_figures
from linkage_spark.evaluation.figures import FIGURES_VERSION, ExpectationFigures, Figures
from linkage_spark.evaluation.gaps import tradition_gaps
from linkage_spark.evaluation.pair_figures import PARTS
from linkage_spark.evaluation.people import people_figures

ADVISORY = "Advisory only: possible links for a person to review. No action may rest on one alone."
CAVEAT = "Covers records of this force only & names held in person fields only."
SENTENCE = (
    "Forename and surname agree in full; by chance, about 1 in 4,000 records would bear this surname. Full date of "
    "birth agrees. The recorded address is another dwelling, which is weak evidence against, since people "
    "move. No other employee comes near. A different date of birth would change the answer."
)
SOURCES = {"crime": 190_000, "custody": 40_000, "intel": 30_000, "incident": 40_000}
TRADITIONS = ("african", "british", "caribbean", "chinese", "irish", "polish", "romanian", "south_asian")
CLASSES = (
    "alias",
    "bad_postcode",
    "day_month_swap",
    "false_particulars",
    "first_of_january",
    "former_name",
    "missing_date_of_birth",
    "nickname",
    "old_address",
    "name_order",
    "spelling",
    "title_in_name",
    "transliteration",
)
AGES = ("under_25", "25_to_34", "35_to_44", "45_to_54", "55_and_over", "age_unknown")
KINDS = {
    "crime": (
        ("suspect", "conduct"),
        ("victim", "welfare"),
        ("witness", "welfare"),
        ("additional_relevant", "triage"),
    ),
    "custody": (("detained", "conduct"),),
    "intelligence": (("intelligence_subject", "triage"),),
    "incident": (("victim", "welfare"), ("witness", "welfare"), ("additional_relevant", "triage")),
}


def number(*parts: object, below: int) -> int:
    """A number that looks drawn and is always the same."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
    return int(digest[:8], 16) % below


def carries(tier: str | None) -> dict[str, Any]:
    """The tier that values carry, with a clause that grants it."""
    reasons = {"match": "same_premises_and_date", "possible": "name_and_date_only", "non_match": "contradiction"}
    return {"claim_tier": tier, "claim_reason": reasons.get(tier or "")}


def patterns() -> list[dict[str, Any]]:
    """Counted patterns as ``count_patterns`` gives them."""
    rows = []
    lost = {
        "never_proposed": carries("possible"),
        "held_back: contradiction": carries("non_match"),
        "record_not_screened": carries(None),
    }
    for source, tradition, kind in product(SOURCES, TRADITIONS, ("", *CLASSES, "old_address|spelling")):
        base = {
            "source_system": source,
            "naming_tradition": tradition,
            "error_classes": kind,
            "hard_negative": None,
            "on_duty_sign": kind == "title_in_name",
            "address_noted": "postcode" in kind,
            "claim_tier": None,
            "claim_reason": None,
            "age_band": AGES[number(source, tradition, kind, below=len(AGES))],
            "event_types": {"intel": "intelligence"}.get(source, source),
        }
        true = {**base, "is_true": True, "supportable": kind != "missing_date_of_birth"}
        size = (400 if not kind else 60) if tradition == "british" else (60 if not kind else 12)
        match, possible, missed = (number(source, tradition, kind, n, below=size) for n in range(3))
        outcomes = ("never_proposed", "held_back: contradiction", "record_not_screened")
        outcome = outcomes[number(source, tradition, kind, below=3)]
        rows += [
            {**true, **carries("match"), "tier": "match", "outcome": "shown_match", "pairs": match},
            {**true, **carries("possible"), "tier": "possible", "outcome": "shown_possible", "pairs": possible},
            {**true, **lost[outcome], "tier": None, "outcome": outcome, "pairs": missed // (12 if not kind else 2)},
        ]
        wrong = {**base, "is_true": False, "supportable": True}
        if not kind:
            rows.append(
                {
                    **wrong,
                    "hard_negative": "namesake_same_dob",
                    "tier": "possible",
                    "outcome": "shown_possible",
                    "pairs": number(source, tradition, below=6),
                }
            )
            rows.append(
                {
                    **wrong,
                    "hard_negative": "parent_child_same_name",
                    "tier": "match",
                    "outcome": "shown_match",
                    "pairs": number(tradition, source, below=2),
                }
            )
    return [row for row in rows if row["pairs"]]


def weights() -> list[dict[str, Any]]:
    """Counted weights as ``count_weights`` gives them."""
    rows = []
    for step in range(90):
        bits = -5 + step / 2
        right = int(260 * 2 ** (-(((bits - 18) / 12) ** 2)))
        wrong = int(120 * 2 ** (-(((bits + 2) / 4) ** 2)))
        rows += [
            {"at_least_bits": bits, "is_true": True, "pairs": right},
            {"at_least_bits": bits, "is_true": False, "pairs": wrong},
        ]
    return [row for row in rows if row["pairs"]]


def judged_hits() -> list[dict[str, Any]]:
    """Counted hits as ``count_judged_hits`` gives them."""
    rows = []
    for event_type, on_duty in product(KINDS, (False, True)):
        if on_duty and event_type not in ("crime", "incident"):
            continue
        for tier, is_true, below in (
            ("match", True, 3000),
            ("match", False, 12),
            ("possible", True, 900),
            ("possible", False, 90),
            (None, True, 500),
        ):
            rows.append(
                {
                    "event_type": event_type,
                    "on_duty_sign": on_duty,
                    "tier": tier,
                    "is_true": is_true,
                    "hits": number(event_type, on_duty, tier, is_true, below=below),
                }
            )
    return rows


def examples(count: int = 12) -> list[dict[str, Any]]:
    """Example hits with references only and sentences of realistic length."""
    kinds = [
        (t, role, lane, tier) for t, roles in KINDS.items() for role, lane in roles for tier in ("match", "possible")
    ]
    made = []
    for n, (event_type, role, lane, tier) in enumerate(kinds[:count]):
        parts = {
            "weight_prior": -16_200,
            "weight_name": 17_100 - 500 * n,
            "weight_name_frequency": -1_450 + 300 * n,
            "weight_date_of_birth": 13_900,
            "weight_date_of_birth_frequency": -200,
            "weight_address": 9_300 if tier == "match" else -2_300,
            "weight_address_frequency": 1_100,
            "weight_household": -900,
        }
        made.append(
            {
                "hit_id": hashlib.sha256(str(n).encode()).hexdigest()[:32],
                "employee_id": f"E{100200 + n}",
                "source_system": {"intelligence": "intel"}.get(event_type, event_type),
                "event_ref": f"20DV/{30411 + n}/24",
                "person_ref": f"N{700123 + n}",
                "event_type": event_type,
                "role": role,
                "lane": lane,
                "tier": tier,
                "match_weight": sum(parts.values()) / 1000,
                "policy_reason": "same_premises_and_date" if tier == "match" else "name_and_date_only",
                "event_date": date(2019 + n % 6, 1 + n % 12, 3),
                "on_duty_sign": n == 4,
                "default_view": n != 4,
                "before_employment": n % 3 == 0,
                "link_count": 1 + n % 3,
                "explanation": SENTENCE,
                **parts,
            }
        )
    return made


def figures(*, with_accuracy: bool = True) -> Figures:
    """All figures of one made-up run."""
    sources: list[Any] = [
        {
            "source_system": "hr",
            "feed": "hr.extract",
            "produces": "person",
            "rows_in": 13_412,
            "rows_out": 13_377,
            "refused": {"conflicting_roster_rows": 24, "duplicate_row": 11},
            "not_screened": {"no_date_of_birth": 31, "unusable_name": 4},
        }
    ]
    for source, rows in SOURCES.items():
        refused = {
            "not_a_person": rows // 60,
            "duplicate_row": rows // 400,
            "superseded_version": rows // 900,
        }
        sources.append(
            {
                "source_system": source,
                "feed": f"{source}.nominal",
                "produces": "person",
                "rows_in": rows,
                "rows_out": rows - sum(refused.values()),
                "refused": refused,
                "not_screened": {"name_alone": rows // 11, "unusable_name": rows // 70},
            }
        )
        sources.append(
            {
                "source_system": source,
                "feed": f"{source}.record",
                "produces": "event",
                "rows_in": rows // 2,
                "rows_out": rows // 2,
                "refused": {},
                "not_screened": {},
            }
        )
    hits: list[Any] = []
    for event_type, roles in KINDS.items():
        for (role, lane), tier, on_duty in product(roles, ("match", "possible"), (False, True)):
            if on_duty and role not in ("victim", "witness"):
                continue
            hits.append(
                {
                    "event_type": event_type,
                    "role": role,
                    "tier": tier,
                    "lane": lane,
                    "on_duty_sign": on_duty,
                    "default_view": not on_duty,
                    "hits": number(event_type, role, tier, on_duty, below=1800),
                }
            )
    months: list[Any] = [{"month": "", "event_type": "intelligence", "hits": 12}]
    months += [
        {
            "month": f"{year}-{month:02d}",
            "event_type": event_type,
            "hits": number(year, month, event_type, below=14 + 3 * (year - 2009)),
        }
        for year, month, event_type in product(range(2009, 2026), range(1, 13), KINDS)
    ]
    rules: list[Any] = [
        {
            "rule_id": rule,
            "rule_no": no,
            "history_rows": 280_000,
            "roster_rows": 13_300,
            "pairs_before_refinement": 90_000 * (no + 1),
            "refined_keys": 14 * no,
            "pairs_refined_away": 21_000 * no,
            "pairs_proposed": 90_000 * (no + 1) - 21_000 * no,
            "pairs_first": 61_234 + no,
        }
        for no, rule in enumerate(
            (
                "surname_dob",
                "given_sound_dob",
                "premises",
                "surname_given_district",
                "dob_postcode_sector",
                "rare_surname_given",
            )
        )
    ]
    tiers: list[Any] = [
        {
            "source_system": source,
            "tier": tier,
            "policy_reason": reason,
            "links": number(source, tier, reason, below=rows // 60),
        }
        for (source, rows), (tier, reason) in product(
            SOURCES.items(),
            (
                ("match", "same_premises_and_date"),
                ("match", "same_name_date_and_postcode"),
                ("match", "same_premises_near_date"),
                ("possible", "name_and_date_only"),
                ("possible", "name_and_premises_only"),
                ("possible", "twin_pattern"),
                ("possible", "on_duty_name"),
            ),
        )
    ]
    made: Figures = {
        "version": FIGURES_VERSION,
        "run": {
            "run_id": "20261121T053000Z-backfill",
            "kind": "backfill",
            "status": "published",
            "started_at": "2026-11-21T05:30:00Z",
            "finished_at": "2026-11-21T05:34:41Z",
            "code_version": "0.1.0+0123456789ab",
            "settings_fingerprint": "5f" * 32,
            "model_id": "screening_v1",
            "model_fingerprint": "a1" * 32,
            "model_doubts": [],
            "input_fingerprint": "9c" * 32,
            "lawful_basis_reference": "DPIA-2026-014",
            "advisory": ADVISORY,
            "coverage_caveat": CAVEAT,
        },
        "stages": [
            {"stage": stage, "seconds": seconds, "counts": counts}
            for stage, seconds, counts in (
                ("standardise", 61.2, {"rows_in": 913_412, "rows_out": 907_100, "refused": 6_312}),
                ("count keys", 18.4, {"keys": 412_000, "refined": 210}),
                ("screen", 74.9, {"pairs": 367_419, "scored": 51_200}),
                ("decide", 9.8, {"links": 9_412}),
                ("hits", 14.0, {"hits": 11_204, "location_hits": 1_950}),
                ("publish", 21.3, {"files": 44}),
            )
        ],
        "sources": sources,
        "rules": rules,
        "tiers": tiers,
        "hits": hits,
        "hits_by_month": months,
        "location_hits": [
            {"place_level": "same_building", "person_also_linked": False, "hits": 310},
            {"place_level": "same_dwelling", "person_also_linked": False, "hits": 1_204},
            {"place_level": "same_dwelling", "person_also_linked": True, "hits": 436},
        ],
        "screening": {
            "employees": 13_000,
            "screened": 12_941,
            "not_screened": {"no_date_of_birth": 31, "refused": 24, "unusable_name": 4},
            "address_usable": 12_610,
            "with_hits": 3_204,
        },
        "expected_false_links": [
            {"tier": "match", "links": 6_100, "expected_false": 11.4},
            {"tier": "possible", "links": 3_312, "expected_false": 402.75},
        ],
        "data_quality": [
            {
                "source_system": source,
                "attribute": attribute,
                "issue": issue,
                "records": number(source, attribute, issue, below=rows // (2 if not issue else 9)) + 1,
            }
            for (source, rows), (attribute, issue) in product(
                SOURCES.items(),
                (
                    ("name", ""),
                    ("name", "single_token"),
                    ("date_of_birth", ""),
                    ("date_of_birth", "first_of_january"),
                    ("date_of_birth", "missing"),
                    ("address", ""),
                    ("address", "bad_postcode"),
                ),
            )
        ],
    }
    if with_accuracy:
        negatives = [
            {"hard_negative": "namesake_same_dob", "records": 412},
            {"hard_negative": "parent_child_same_name", "records": 230},
            {"hard_negative": "twin_of_employee", "records": 61},
        ]
        found = accuracy(patterns(), weights=weights(), hard_negatives=negatives, hits=judged_hits())
        found["gaps"] = tradition_gaps(patterns(), max_gap=0.1, max_precision_gap=0.2, min_links=200)
        found["calibration"] = calibration_figures(thresholds(), true_links=found["true_links"], covers="all_scored")
        found["scopes_without_address"] = scopes(patterns())
        found["ablation"] = [
            {
                "changed": changed,
                "scopes": scopes(patterns()),
                "match_of_match": found["carried"]["match_of_match"],
                "shown_of_possible": found["carried"]["shown_of_possible"],
            }
            for changed in ("nothing", "no address", "no household or context")
        ]
        made["accuracy"] = found
    return made


def thresholds() -> list[dict[str, Any]]:
    """Counted probabilities as ``count_by_threshold`` gives them."""
    return [
        {
            "is_true": is_true,
            "linked": place >= 50,
            "probability_bin": place,
            "weight_bit": place // 10,
            "pairs": pairs,
            "probability_parts": pairs * place * (PARTS // 100),
        }
        for place in (0, 5, 50, 95, 99)
        for is_true, pairs in ((True, 2 * place + 1), (False, 200 - 2 * place))
    ]


def expectation(*, truth_was_there: bool) -> ExpectationFigures:
    """What a run says of itself."""
    sums = {"falsely": 133_900_000, "missed": 71_900_000}
    row: dict[str, int] = {"employees_scored": 5_200, "employees_shown": 4_341}
    for name, total in sums.items():
        for scenario, times in (("stated", 1.0), ("less", 1.6), ("more", 0.6)):
            row |= {f"{name}_{scenario}": int(total * times), f"{name}_variance_{scenario}": int(total * times / 2)}
    strata = [
        {"shown": True, "pairs": 6_000, "probability_millionths": 5_724_000_000},
        {"shown": False, "pairs": 40_000, "probability_millionths": 300_000_000},
    ]
    people = people_figures(row, employees=13_000, not_screened=59)
    if truth_was_there:
        people["truth"] = {"shown": 4_341, "shown_falsely": 266, "missed_scored": 368, "missed": 683}
    return {"truth_was_there": truth_was_there, "people": people, "links": expected_figures(strata)}


def costly(*, with_values: bool = False) -> dict[str, Any]:
    """The costliest errors as the run collects them."""
    found: dict[str, Any] = {"false": [], "lost": [], "with_values": with_values}
    for n, kind in product(range(20), ("false", "lost")):
        row: dict[str, Any] = {
            "employee_id": f"E{200300 + n}",
            "source_system": "crime",
            "person_ref": f"N{800400 + n}",
            "tier": ("match" if n < 2 else "possible") if kind == "false" else None,
            "why": "twin_of_employee" if kind == "false" else "blocking: never_proposed",
            "policy_reason": "same_premises_and_date",
            "level_given": "differ",
            "level_surname": "exact",
            "level_date_of_birth": "day_month_swap",
            "level_address": "same_premises",
            "error_classes": "OLD|TYP" if n % 2 else "",
            "weight_bits": 24.0 - n,
            "weight_prior": -23_250,
            "weight_name": 9_000,
            "weight_name_frequency": 1_000,
            "weight_date_of_birth": 14_000,
            "weight_date_of_birth_frequency": 0,
            "weight_address": 17_000 - 1000 * n,
            "weight_address_frequency": 6_250,
            "weight_household": 0,
        }
        if with_values:
            both = {"given_name": "zebedee", "surname": "planted", "birth": "1980-3-14", "address": "14 high street"}
            row |= {f"{name}_{side}": value for name, value in both.items() for side in "lr"}
        found[kind].append(row)
    return found
