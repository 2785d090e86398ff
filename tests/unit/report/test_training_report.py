from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from linkage_spark.linkage.training.figures import ForceTrainingFigures, level_figures
from linkage_spark.model.schema import load_model
from linkage_spark.report.console import WIDTH
from linkage_spark.report.training import DRAWN_CELLS, large, one_in, training_page, training_summary
from linkage_spark.settings.wording import load_wording
from tests.unit.report.test_html import outline

CONF = Path(__file__).parents[3] / "conf"
FAULT = "other starts end elsewhere (3,000 to 12,000 expected matches)"
DOUBT = "6.2 pairs of one household are expected for every match"


def level(attribute: str, name: str, weight: float, base: float, expected: float, *, m: float = 0.5) -> dict[str, Any]:
    return {
        "attribute": attribute,
        "level": name,
        "m": m,
        "u": min(1.0, m * 2**-weight),
        "weight": weight,
        "base_m": m,
        "base_u": min(1.0, m * 2**-base),
        "base_weight": base,
        "expected_pairs": expected,
    }


LEVELS = [
    level("date_of_birth", "exact", 13.04, 14.21, 900.0, m=0.9),
    level("date_of_birth", "day_month_swap", 9.2, 9.2, 30.0),
    level("date_of_birth", "year_only", -1.25, -1.25, 20.0),
    level("date_of_birth", "differ", -1.25, -7.76, 3.0, m=0.003),
    level("partial_date_of_birth", "partial_differ", -3.0, -3.5, 1.0),
    level("address", "differ", -2.3, -2.3, 140.0),
    level("address", "same_premises", 18.1, 17.4, 350.0, m=1 / 4000),
    level("name", "given differ, surname missing", -4.0, -2.0, 999.0),
    level("name", "given differ, surname differ", -8.0, -8.0, 0.04, m=0.0001),
    level("name", "given exact, surname exact", 17.5, 17.0, 700.0),
]


def figures(**changes: Any) -> dict[str, Any]:
    made: ForceTrainingFigures = {
        "model_id": "force_2026",
        "base_model_id": "screening_v1",
        "run_id": "R9",
        "fingerprint": "f" * 64,
        "trained_at": "2026-11-21T17:30:00Z",
        "code_version": "0.5.0",
        "used": True,
        "faults": [],
        "doubts": [],
        "employees": 13_000,
        "records": 1_000_000,
        "pairs": 13_000_000_000,
        "candidate_pairs": 1_234_567,
        "sampled_pairs": 1_000_001,
        "sampled_pair_stands_for": 12_998.765,
        "patterns": 3_456,
        "rounds": 43,
        "settled": True,
        "log_likelihood": [-90_000.0, -800.0, -7.5, 0.01, 0.0],
        "classes": {"match": 1_000.4, "random": 12_999_990_000.0, "household": 6_200.0},
        "starts": [1_000.4, 1_020.4, 1_000.2, 1_000.4],
        "sure_share": 0.913,
        "prior_bits": -22.0,
        "base_prior_bits": -23.25,
        "expected_before_frequencies": 1_000.4,
        "expected_matches": 987.6,
        "pooled": ["date_of_birth"],
        "levels": LEVELS,  # type: ignore[typeddict-item]
        "frequencies": [{"attribute": "surname", "values_kept": 20_111, "records": 990_000, "told_at_one_in": 4_012.3}],
        "refined_keys": 77,
        "calibration": [
            {"at_least": 0.0, "pairs": 5_000, "expected_matches": 50.0},
            {"at_least": 0.5, "pairs": 1_000, "expected_matches": 937.6},
        ],
        "weights": [
            {"at_least_bits": -6.0, "pairs": 5_000, "expected_matches": 50.0},
            {"at_least_bits": 3.5, "pairs": 600, "expected_matches": 540.0},
            {"at_least_bits": 9.0, "pairs": 400, "expected_matches": 397.6},
        ],
        "seconds": {"count patterns": 33.25, "fit": 12.0},
    }
    return {**made, **changes}


EMPTY: dict[str, Any] = {
    **{name: [] for name in ("log_likelihood", "starts", "pooled", "levels", "frequencies", "calibration", "weights")},
    **dict.fromkeys(("pairs", "candidate_pairs", "sampled_pairs", "patterns", "rounds", "refined_keys"), 0),
    "classes": {},
    "seconds": {},
}


def undrawn(**changes: Any) -> dict[str, Any]:
    """Figures whose lists are empty: nothing to draw."""
    return figures(**EMPTY, **changes)


PAGE = training_page(figures())


def plain(page: str) -> str:
    """What a reader sees, in one line; pictures and style left out."""
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("&#34;", '"')


def rows(page: str, table: str) -> list[list[str]]:
    """The cells of one table, its head left out."""
    found = re.search(rf'<table id="table-{table}">.*?<tbody>(.*?)</tbody>', page, flags=re.DOTALL)
    assert found, table
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in re.findall(r"<tr.*?</tr>", found.group(1))
    ]


@pytest.mark.parametrize("page", [PAGE, training_page(undrawn())], ids=["full", "empty"])
def test_page_is_well_formed_and_every_reference_stays_on_the_page(page: str) -> None:
    found = outline(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert found.targets <= set(found.ids)


def test_page_fetches_nothing_and_runs_nothing() -> None:
    assert outline(PAGE).tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "base", "form"})
    assert re.findall(r"https?:|//[\w.]+|@import|url\((?!#)|\bon\w+=", PAGE) == []


def test_same_figures_give_the_same_bytes_and_the_order_of_levels_changes_nothing() -> None:
    assert training_page(figures(levels=LEVELS[::-1])) == PAGE
    assert training_summary(figures(levels=LEVELS[::-1])) == training_summary(figures())


def test_faults_and_doubts_stand_before_every_number() -> None:
    text = plain(training_page(undrawn(used=False, faults=[FAULT, "<odd> fault"], doubts=[DOUBT])))
    places = [
        text.index(part)
        for part in (
            "The estimate is not used: force_2026 keeps the shipped parameters of screening_v1.",
            f"O{FAULT[1:]}.",
            "&lt;odd&gt; fault.",
            f"{DOUBT}.",
            "Classes, rounds and starts below tell of the estimate that was set aside",
            "13,000",
        )
    ]
    assert places == sorted(places)


def test_a_used_estimate_without_fault_says_so_and_that_it_is_no_measure() -> None:
    text = plain(PAGE)
    assert "The estimate is used: force_2026 holds the parameters learnt from the force’s own records." in text
    assert "No fault and no doubt was found. That is no measure of how often it is right." in text
    assert "set aside" not in text


def test_sections_stand_in_the_order_of_the_decision() -> None:
    order = ["verdict", "use", "numbers", "convergence", "parameters", "scores", "frequency", "stood-on"]
    assert re.findall(r'<h2 id="([\w-]+)"', PAGE) == order


def test_page_says_how_to_put_the_model_into_use_and_that_nothing_changed() -> None:
    text = plain(PAGE)
    assert 'Set in conf/settings/base.toml [screening] model_id = "force_2026"' in " ".join(text.split())
    assert "run the backfill again" in text
    assert "Nothing has changed yet" in text


def test_every_level_stands_once_strongest_first_with_both_weights_that_add_up() -> None:
    assert rows(PAGE, "date_of_birth") == [
        ["exact", "90.0 %", "90.0 %", "1 in 9,360", "1 in 21,100", "+13.0", "+14.2", "−1.2", "900"],
        ["day month swap", "50.0 %", "50.0 %", "1 in 1,180", "1 in 1,180", "+9.2", "+9.2", "+0.0", "30"],
        ["year only", "50.0 %", "50.0 %", "100.0 %", "100.0 %", "−1.2", "−1.2", "+0.0", "20"],
        ["differ", "1 in 333", "1 in 333", "1 in 140", "65.0 %", "−1.2", "−7.8", "+6.6", "3.0"],
    ]
    assert [row[0] for row in rows(PAGE, "address")] == ["same premises", "differ"]
    assert [row[0] for row in rows(PAGE, "name")] == [
        "given exact, surname exact",
        "given differ, surname missing",
        "given differ, surname differ",
    ]
    assert rows(PAGE, "name")[2][-1] == "&lt; 0.1"


def test_every_level_of_the_shipped_model_stands_once() -> None:
    base = load_model(CONF, "screening_v1")
    levels = level_figures(base, base, matches=1000.0)
    page = training_page(figures(levels=levels, used=False, faults=[FAULT]))
    for attribute in ("date_of_birth", "partial_date_of_birth", "address", "name"):
        expected = sorted(row["level"].replace("_", " ") for row in levels if row["attribute"] == attribute)
        assert sorted(row[0] for row in rows(page, attribute)) == expected
    assert {row[7] for row in rows(page, "name")} == {"+0.0"}
    assert rows(page, "date_of_birth")[0][0] == "exact"
    assert f"Drawn are the {DRAWN_CELLS} cells" in plain(page)


def test_pooled_levels_are_named() -> None:
    text = plain(PAGE)
    assert "pooled in: date of birth." in text
    assert "Of one weight, having been pooled: differ = year only." in text
    assert "none came out of order" in plain(training_page(undrawn()))


def test_prior_and_classes_in_words() -> None:
    assert rows(PAGE, "prior") == [["trained", "1 in 4.19 million", "−22.0"], ["shipped", "1 in 9.98 million", "−23.2"]]
    assert rows(PAGE, "classes") == [
        ["match: both records of one person", "1,000", "1 in 13 million", "1.0"],
        ["random: two people taken at random", "12,999,990,000", "&gt; 99.9 %", "12,994,792"],
        ["household: two people of one home or family", "6,200", "1 in 2.1 million", "6.2"],
    ]


def test_starts_tell_how_far_they_end_apart() -> None:
    assert [row[2] for row in rows(PAGE, "starts")] == ["—", "+2.0 %", "+0.0 %", "+0.0 %"]


def test_calibration_adds_up_from_each_probability_upwards_and_is_called_the_models_own_word() -> None:
    assert rows(PAGE, "calibration") == [
        ["0 and more", "5,000", "50", "1.0 %", "6,000", "988", "5,012"],
        ["0.5 and more", "1,000", "938", "93.8 %", "1,000", "938", "62"],
    ]
    assert "No truth was at hand here. What follows is what the model says of itself" in plain(PAGE)
    assert "Half of the expected matches weigh +3.5 bits or more." in plain(PAGE)


def test_frequencies_and_seconds() -> None:
    assert rows(PAGE, "frequencies") == [["surname", "20,111", "990,000", "1 in 4,010"]]
    assert rows(PAGE, "seconds") == [["count patterns", "33.2"], ["fit", "12.0"], ["total", "45.2"]]


def test_every_picture_has_title_description_and_caption() -> None:
    pictures = re.findall(r"<figure>.*?</figure>", PAGE, flags=re.DOTALL)
    assert len(pictures) == 6
    told = r'<svg aria-describedby="(\w+)-desc" role="img" aria-label="[^"]+".*<title id="\1-title">\w.*<desc id="\1-desc">\w.*<figcaption>\w'
    assert [picture for picture in pictures if not re.search(told, picture, flags=re.DOTALL)] == []


def test_cells_of_the_name_are_folded_and_those_that_lack_a_part_are_not_drawn() -> None:
    folded = re.search(r"<details>.*</details>", PAGE, flags=re.DOTALL)
    assert folded and 'id="table-name"' in folded.group(0)
    drawn = re.search(r'<svg aria-describedby="name-desc".*?</svg>', PAGE, flags=re.DOTALL)
    assert drawn and "given exact, surname exact" in drawn.group(0)
    assert "missing" not in drawn.group(0)


def test_empty_lists_leave_out_their_tables_and_pictures() -> None:
    page = training_page(undrawn())
    assert "<svg" not in page
    assert re.findall(r'<table id="table-(\w+)"', page) == ["counts", "prior"]
    assert "No weight differs from the shipped one." in training_summary(undrawn())


def test_advisory_stands_at_both_ends_where_given() -> None:
    assert training_page(undrawn(advisory="Advisory only & for review.")).count("Advisory only &amp; for review.") == 2
    assert 'role="note"' not in PAGE


def test_summary_by_hand() -> None:
    text = training_summary(figures(used=False, faults=[FAULT], doubts=[DOUBT]))
    assert text.splitlines() == [
        "Model force_2026  base screening_v1  run R9  code 0.5.0",
        "The estimate is not used: force_2026 keeps the shipped parameters of screening_v1. Its probabilities count as weak.",
        f"Fault: {FAULT}.",
        f"Doubt: {DOUBT}.",
        "",
        "learnt from       13,000 employees and 1,000,000 person records",
        "candidate pairs   1,234,567 of 13 billion",
        "rounds            43, settled; every start: 1,000 to 1,020 expected matches",
        "expected matches  988 among candidate pairs (1,000 in the whole space before frequencies)",
        "prior             1 in 4.19 million (−22.0 bits); shipped 1 in 9.98 million (−23.2 bits)",
        "",
        "BIGGEST CHANGES OF WEIGHT, OF LEVELS THAT 1 IN 1,000 MATCHES OR MORE SHOW (BITS)",
        "attribute      level                       trained  shipped  change",
        "-------------  --------------------------  -------  -------  ------",
        "date of birth  differ                         −1.2     −7.8    +6.6",
        "date of birth  exact                         +13.0    +14.2    −1.2",
        "name           given exact, surname exact    +17.5    +17.0    +0.5",
        "",
        'To put it into use: set model_id = "force_2026" under [screening] in conf/settings/base.toml, and run the backfill',
        "again. Until then nothing has changed.",
    ]
    assert max(map(len, text.splitlines())) <= WIDTH


def test_numbers_in_words() -> None:
    assert [one_in(share) for share in (0.9055, 0.01, 0.00025, 1 / 9_980_000, 0.0)] == [
        "90.5 %",
        "1.0 %",
        "1 in 4,000",
        "1 in 9.98 million",
        "0.0 %",
    ]
    assert [large(number) for number in (1_234, 1_234.0, 999_499, 999_999.0, 13_000_000_000, 2e12)] == [
        "1,234",
        "1,230",
        "999,499",
        "1 million",
        "13 billion",
        "2 trillion",
    ]


def test_no_barred_word_on_page_or_console() -> None:
    wording = load_wording(CONF)
    odd = undrawn(used=False, faults=[FAULT], doubts=[DOUBT], settled=False)
    for shown in (PAGE, training_summary(figures()), training_page(odd), training_summary(odd)):
        assert wording.forbidden_in(re.sub(r"[^\w\s]", " ", shown)) == []
