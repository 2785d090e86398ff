from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, BooleanType, DateType, DoubleType, IntegerType, LongType, TimestampType

from linkage_spark.errors import ContractError, GateError, SourceError, UsageError
from linkage_spark.evaluation import gaps
from linkage_spark.evaluation.accuracy import accuracy
from linkage_spark.evaluation.figures import AccuracyFigures, to_json
from linkage_spark.evaluation.judged import PAIR_KEY, TRUTH_EMPLOYEE, TRUTH_PERSON, list_event_types
from linkage_spark.evaluation.people import count_people, count_true_people
from linkage_spark.flows.measure import judge_links, measure_truth
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.model.schema import load_model
from linkage_spark.runs import evaluate, evaluate_truth
from linkage_spark.runs.reporting import collect_examples, collect_expected_false
from linkage_spark.runs.rescreen import Again
from linkage_spark.settings.run import load_settings
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, PERSON
from linkage_spark.tables.linkage import FREQUENCY, LINK, REFINED_KEY
from linkage_spark.tables.results import HIT, RUN
from linkage_spark.tables.review import NEGATED_LINK
from tests.unit.report import made_up

CONF = Path(__file__).resolve().parents[2] / "conf"

# Employee E1 is true person 1, and so on. E4's HR rows were refused, E5 was not screened.
EMPLOYEES = [
    ("E1", 1, "british"),
    ("E2", 2, "irish"),
    ("E3", 3, "british"),
    ("E4", 4, "polish"),
    ("E5", 5, "polish"),
]
# Record, true person, error classes, hard negative.
RECORDS: list[tuple[str, int, list[str], str | None]] = [
    ("N1", 1, [], None),  # shown as match
    ("N2", 1, ["spelling", "alias"], None),  # shown as possible
    ("N3", 2, ["old_address"], None),  # scored, held back
    ("N4", 2, ["missing_date_of_birth"], None),  # never scored, holds a name only
    ("N5", 3, [], None),  # not screened
    ("N6", 3, ["placeholder"], None),  # refused: no PERSON row
    ("N7", 4, [], None),  # its employee was refused
    ("N8", 5, [], None),  # its employee was not screened
    ("N9", 90, [], "twin_of_employee"),  # shown as possible for E2, wrongly
    ("N10", 91, [], "twin_of_employee"),  # never shown
    ("N11", 3, ["title_in_name"], None),  # shown as possible, on duty
    ("N12", 92, [], None),  # scored, rightly held back
]


def default(kind: Any) -> Any:
    """A value that fits a required column and says nothing."""
    if isinstance(kind, ArrayType):
        return []
    if isinstance(kind, BooleanType):
        return False
    if isinstance(kind, TimestampType):
        return datetime(2026, 1, 1, tzinfo=UTC)
    if isinstance(kind, DateType):
        return date(2026, 1, 1)
    if isinstance(kind, DoubleType):
        return 0.0
    return 0 if isinstance(kind, IntegerType | LongType) else ""


def table(spark: SparkSession, contract: TableContract, rows: Iterable[dict[str, Any]]) -> DataFrame:
    """Rows of a contract; what a row leaves out is null, or says nothing where required."""
    empty = {column.name: default(column.type) if column.required else None for column in contract.fields}
    return local_frame(spark, [tuple({**empty, **row}.values()) for row in rows], schema=contract.schema)


def person(ref: str, **other: Any) -> dict[str, Any]:
    known = {"given_tokens": ["a"], "surname_tokens": ["b"], "address_kind": "dwelling", "dob_year": 1980}
    dated = {"date_of_birth": date(1980, 5, 2), "address_raw": "1 Some Street", "postcode": "B1 1AA"}
    return {"source_system": "crime", "person_ref": ref, **known, **dated, **other}


def link(employee: str, ref: str, tier: str, weight: float, **other: Any) -> dict[str, Any]:
    base = {"employee_id": employee, "source_system": "crime", "person_ref": ref, "tier": tier}
    return {**base, "match_weight": weight, "policy_reason": "reason", "rival_posterior": 1.0, **other}


def hit(number: int, employee: str, ref: str, event: str, role: str, tier: str, **other: Any) -> dict[str, Any]:
    base = {"hit_id": f"h{number}", "employee_id": employee, "source_system": "crime", "event_ref": event}
    return {
        **base,
        "event_type": "crime",
        "role": role,
        "tier": tier,
        "person_ref": ref,
        "lane": "triage",
        **other,
    }


@pytest.fixture(scope="module")
def world(spark: SparkSession) -> dict[str, DataFrame]:
    only_name = {"date_of_birth": None, "postcode": None, "address_kind": "unknown", "address_raw": None}
    persons = [
        *[person(e, source_system="hr") for e in ("E1", "E2", "E3")],
        person("E5", source_system="hr", not_screened_reason="no_date_of_birth"),
        *[person(ref) for ref in ("N1", "N2", "N3", "N7", "N8", "N9", "N10", "N12")],
        person("N2", variant_no=1, not_screened_reason="name_alone"),
        person("N4", **only_name),
        person("N5", not_screened_reason="unusable_name", given_tokens=[], surname_tokens=[]),
        person("N11", on_duty_sign=True, address_issue="not_a_dwelling", address_kind="police_station"),
    ]
    links = [
        link("E1", "N1", "match", 20.0, rival_posterior=0.999),
        link("E1", "N2", "possible", 6.25, rival_posterior=0.75),
        link("E2", "N9", "possible", 6.0, rival_posterior=0.5),
        link("E3", "N11", "possible", 1.0, on_duty_sign=True),
    ]
    held_back = [
        link("E2", "N3", "non_match", 4.0, policy_reason="rival_too_close", rival_posterior=0.25),
        link("E2", "N12", "non_match", 4.0, policy_reason="contradiction"),
    ]
    hits = [
        hit(1, "E1", "N1", "C1", "suspect", "match"),
        hit(2, "E2", "N9", "C2", "victim", "possible"),
        hit(3, "E3", "N11", "C3", "witness", "possible", on_duty_sign=True),
    ]
    parts = [
        ("C1", "N1", "suspect"),
        ("C1", "N2", "suspect"),
        ("C2", "N9", "victim"),
        ("C3", "N11", "witness"),
        ("C2", "N3", "suspect"),
    ]
    return {
        "truth_employee": local_frame(spark, EMPLOYEES, schema=TRUTH_EMPLOYEE),
        "truth_person": local_frame(spark, [("crime", *row[:3], "", row[3]) for row in RECORDS], schema=TRUTH_PERSON),
        "person": table(spark, PERSON, persons),
        "link": table(spark, LINK, links),
        "scored": table(spark, LINK, [*links, *held_back]),
        "hit": table(spark, HIT, hits),
        "involvement": table(
            spark,
            INVOLVEMENT,
            [
                {"source_system": "crime", "event_ref": e, "person_ref": p, "role": r, "role_raw": r}
                for e, p, r in parts
            ],
        ),
        "event": table(
            spark,
            EVENT,
            [{"source_system": "crime", "event_ref": f"C{n}", "event_type": "crime"} for n in (1, 2, 3)],
        ),
    }


CLAIMS = "employee_id string, source_system string, person_ref string, claim_tier string, claim_reason string"


def judged(world: dict[str, DataFrame], **other: Any) -> DataFrame:
    truth = {name: world[name] for name in ("truth_employee", "truth_person", "person")}
    return judge_links(world["link"], **truth, **other)


@pytest.fixture(scope="module")
def figures(world: dict[str, DataFrame]) -> AccuracyFigures:
    frames = {name: world[name] for name in ("truth_person", "hit", "involvement", "event")}
    counts = measure_truth(judged(world, scored_links=world["scored"]), **frames)
    patterns, weights, negatives, hits = (
        [row.asDict() for row in frame.collect()]
        for frame in (counts.patterns, counts.weights, counts.hard_negatives, counts.hits)
    )
    return accuracy(patterns, weights=weights, hard_negatives=negatives, hits=hits)


def test_every_true_link_has_one_outcome_whatever_lost_it(figures: AccuracyFigures) -> None:
    found = {row["outcome"]: (row["true_links"], row["supportable"]) for row in figures["loss"]}
    assert found == {
        "shown_match": (1, 1),
        "shown_possible": (2, 2),
        "held_back: rival_too_close": (1, 1),
        "below_floor_or_never_proposed": (1, 0),
        "record_not_screened": (1, 0),
        "record_refused": (1, 0),
        "employee_refused": (1, 1),
        "employee_not_screened": (1, 1),
    }
    assert figures["true_links"] == 9


def test_precision_and_recall_count_wrong_links_and_lost_ones(figures: AccuracyFigures) -> None:
    strong, shown = figures["scopes"]
    assert (strong["precision"]["numerator"], strong["precision"]["denominator"]) == (1, 1)
    assert (shown["precision"]["numerator"], shown["precision"]["denominator"]) == (3, 4)
    assert (shown["recall"]["numerator"], shown["recall"]["denominator"]) == (3, 9)
    assert (shown["recall_supportable"]["numerator"], shown["recall_supportable"]["denominator"]) == (3, 6)
    assert figures["hard_negatives"] == [
        {"hard_negative": "twin_of_employee", "records": 2, "shown_match": 0, "shown_possible": 1}
    ]


def test_groups_follow_record_employee_and_link(figures: AccuracyFigures) -> None:
    def shown(section: Any) -> dict[str, tuple[int, int, int]]:
        rows = [row for row in section if row["scope"] == "match+possible"]
        return {r["group"]: (r["recall"]["numerator"], r["recall"]["denominator"], r["false_links"]) for r in rows}

    assert shown(figures["by_error_class"])["alias"] == (1, 1, 0)
    assert shown(figures["by_error_class"])["clean"] == (1, 4, 1)
    assert shown(figures["by_tradition"]) == {"british": (3, 5, 0), "irish": (0, 2, 1), "polish": (0, 2, 0)}
    assert shown(figures["by_on_duty"])["on_duty_sign"] == (1, 1, 0)
    assert shown(figures["by_address"])["with_address_note"] == (1, 3, 0)


def test_hits_are_judged_on_employee_event_and_role(figures: AccuracyFigures) -> None:
    found = {(row["on_duty_sign"], row["scope"]): row for row in figures["hits"]}
    off, on = found[False, "match+possible"], found[True, "match+possible"]
    assert (off["precision"]["numerator"], off["precision"]["denominator"]) == (1, 2)
    assert (off["recall"]["numerator"], off["recall"]["denominator"]) == (1, 2)
    assert (on["precision"]["numerator"], on["recall"]["denominator"]) == (1, 1)


def test_curve_takes_in_pairs_that_were_held_back(figures: AccuracyFigures) -> None:
    assert [(point["at_least_bits"], point["links"]) for point in figures["curve"]] == [
        (20.0, 1),
        (6.0, 3),
        (4.0, 5),
        (1.0, 6),
    ]
    assert figures["curve"][-1]["recall"] == pytest.approx(4 / 9, abs=1e-6)


def test_pairs_once_proposed_are_told_from_those_never_proposed(
    world: dict[str, DataFrame], spark: SparkSession
) -> None:
    proposed = local_frame(
        spark, [("E2", "crime", "N4")] * 2, schema="employee_id string, source_system string, person_ref string"
    )
    rows = judged(world, scored_links=world["scored"], proposed=proposed).where("is_true").collect()
    assert len(rows) == 9
    assert {row.person_ref: row.outcome for row in rows}["N4"] == "below_floor"
    plain = judged(world).where("is_true").collect()
    assert {row.person_ref: row.outcome for row in plain}["N3"] == "not_shown"


def test_a_proposed_pair_that_the_gate_took_out_is_the_policys_loss_and_the_claim_stands_beside(
    world: dict[str, DataFrame], spark: SparkSession
) -> None:
    key = ("E2", "crime", "N4")
    proposed = local_frame(spark, [key], schema="employee_id string, source_system string, person_ref string")
    claims = local_frame(spark, [(*key, "non_match", "contradiction")], schema=CLAIMS)
    rows = judged(world, scored_links=world["scored"], proposed=proposed, claims=claims).where("is_true").collect()
    found = {row.person_ref: row for row in rows}
    assert found["N4"].outcome == "held_back: contradiction"
    assert (found["N4"].claim_tier, found["N1"].claim_tier) == ("non_match", None)


@pytest.fixture(scope="module")
def negated_world(world: dict[str, DataFrame], spark: SparkSession) -> dict[str, DataFrame]:
    """The world, where reviewers negated a true link of E1 with N2, and one of E3 with a stranger's record, N10."""
    wrong = table(spark, LINK, [link("E3", "N10", "match", 9.0)])
    told = [
        {"employee_id": employee, "source_system": "crime", "person_ref": ref, "tier": tier}
        for employee, ref, tier in (("E1", "N2", "possible"), ("E3", "N10", "match"))
    ]
    return {
        **world,
        "link": world["link"].where(F.col("person_ref") != "N2"),
        "scored": world["scored"].unionByName(wrong),
        "negated": table(spark, NEGATED_LINK, told),
    }


def test_a_negated_link_is_the_reviewers_loss_where_it_is_true_and_no_false_link_where_it_is_not(
    negated_world: dict[str, DataFrame],
) -> None:
    proposed = negated_world["scored"].select(*PAIR_KEY)
    published = negated_world["scored"].where(~F.col("person_ref").isin("N2", "N10"))
    deep = judged(negated_world, scored_links=published, proposed=proposed, negated=negated_world["negated"]).collect()
    shallow = judged(negated_world, negated=negated_world["negated"]).collect()
    for rows in (deep, shallow):
        found = {(row.employee_id, row.person_ref): row for row in rows}
        assert found["E1", "N2"].outcome == "negated_by_reviewer"
        assert (found["E1", "N2"].is_true, found["E1", "N2"].tier) == (True, None)
        assert found["E1", "N1"].outcome == "shown_match"
        assert ("E3", "N10") not in found
        assert sum(row.is_true for row in rows) == 9


def test_ages_are_told_on_the_runs_day_and_events_by_all_their_types(world: dict[str, DataFrame]) -> None:
    types = list_event_types(world["involvement"], world["event"])
    found = {
        (row.employee_id, row.person_ref): row
        for row in judged(world, event_types=types, as_of=date(2026, 11, 21)).collect()
    }
    assert found["E1", "N1"].age_band == "45_to_54"
    assert found["E4", "N7"].age_band == "age_unknown"
    assert (found["E1", "N1"].event_types, found["E3", "N6"].event_types) == ("crime", "")


def test_people_are_counted_by_what_is_shown_of_them(world: dict[str, DataFrame]) -> None:
    (row,) = count_true_people(judged(world, scored_links=world["scored"])).collect()
    # E1 and E3 are found; E2 is shown with a stranger's record alone, has one of its own below the tiers; E4 and E5 are missed.
    assert row.asDict() == {"shown": 3, "shown_falsely": 1, "missed_scored": 1, "missed": 3}


def test_expected_people_multiply_the_chances_of_their_links(world: dict[str, DataFrame]) -> None:
    (row,) = count_people(world["scored"]).collect()
    # E1: two shown, right with 0.999 and 0.75; E2: one shown with 0.5, two others with 0.25 and 1; E3: one shown, certain.
    assert (row.employees_scored, row.employees_shown) == (3, 3)
    assert row.falsely_stated == pytest.approx(1e6 * (0.001 * 0.25 + 0.5), abs=3)
    assert row.missed_stated == pytest.approx(1e6 * 0.5, abs=3)
    assert row.falsely_variance_stated == pytest.approx(1e6 * (0.00025 * 0.99975 + 0.25), abs=3)
    # One bit less halves the odds: 1 of 3 instead of 1 of 2.
    assert row.falsely_less == pytest.approx(1e6 * (1 / (1 + 999 / 2) * 0.4 + 2 / 3), abs=3)


def test_expected_false_links_are_what_the_posterior_beside_rivals_leaves(world: dict[str, DataFrame]) -> None:
    found = {row["tier"]: row for row in collect_expected_false(world["link"])}
    assert found["match"]["expected_false"] == pytest.approx(0.001, abs=1e-6)
    expected = 0.25 + 0.5 + 0.0
    assert found["possible"] == {
        "tier": "possible",
        "links": 3,
        "expected_false": pytest.approx(expected, abs=2e-6),
    }


def test_examples_carry_the_weights_of_their_link(world: dict[str, DataFrame]) -> None:
    examples = collect_examples(
        world["hit"], world["link"].withColumn("weight_name", world["link"].match_weight.cast("long"))
    )
    assert [(row["hit_id"], row["weight_name"]) for row in examples] == [("h1", 20), ("h2", 6), ("h3", 1)]


def test_truth_that_lacks_columns_is_refused_with_their_names(world: dict[str, DataFrame]) -> None:
    with pytest.raises(SourceError) as caught:
        judge_links(
            world["link"],
            truth_employee=world["truth_employee"].drop("true_person_id"),
            truth_person=world["truth_person"].drop("error_classes", "hard_negative"),
            person=world["person"],
        )
    assert len(caught.value.faults) == 3
    with pytest.raises(ContractError, match="missing tier"):
        judge_links(
            world["link"].drop("tier"),
            truth_employee=world["truth_employee"],
            truth_person=world["truth_person"],
            person=world["person"],
        )


@pytest.fixture(scope="module")
def published(
    world: dict[str, DataFrame], spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """An output root with one published run R1 of the world, and its truth, under one folder."""
    root = tmp_path_factory.mktemp("published")
    publish(spark, world, root)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(evaluate, "open_session", lambda app_name: nullcontext(spark))
        yield root


def publish(spark: SparkSession, world: dict[str, DataFrame], root: Path) -> None:
    """Write one published run R1 of a world, and its truth, under one folder."""
    store = DeltaStore(spark, f"{root}/out")
    tables = {"person": PERSON, "link": LINK, "hit": HIT, "involvement": INVOLVEMENT, "event": EVENT}
    if "negated" in world:
        tables["negated"] = NEGATED_LINK
    versions = {contract.name: store.overwrite(contract, world[name]) for name, contract in tables.items()}
    for contract in (REFINED_KEY, FREQUENCY):
        versions[contract.name] = store.overwrite(contract, local_frame(spark, [], schema=contract.schema))
    now = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)
    model = load_model(CONF, "screening_v1")
    run = {
        "run_id": "R1",
        "model_id": model.id,
        "model_fingerprint": model.fingerprint,
        "kind": "backfill",
        "status": "published",
        "shown_run_id": "R1",
        "started_at": now,
        "finished_at": now,
        "table_versions_json": json.dumps(versions),
        "counts_json": to_json(made_up.figures(with_accuracy=False)),
    }
    store.append(RUN, table(spark, RUN, [run]))
    for name in ("employee", "person"):
        world[f"truth_{name}"].write.parquet(f"{root}/feeds/truth/{name}")


def test_evaluate_adds_accuracy_to_the_report_of_a_published_run(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feeds, out = f"{published}/feeds", f"{published}/out"
    assert evaluate.run_evaluate(feeds_root=feeds, root=out) == 0
    folder = published / "out/reports/R1"
    figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    assert figures["accuracy"]["true_links"] == 9
    assert (folder / "summary.txt").read_text(encoding="utf-8") in capsys.readouterr().out
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Accuracy against the truth" in page
    assert "3 hits over tiers" in page
    # The costliest errors are on the page by reference alone, and in no figures.
    assert 'id="table-costly_false"' in page
    assert "crime:N9" in page
    assert "Some Street" not in page
    assert "N9" not in json.dumps(figures)
    with pytest.raises(UsageError, match="no published run R2"):
        evaluate.run_evaluate(feeds_root=feeds, root=out, run_id="R2")
    with pytest.raises(UsageError, match="run the backfill first"):
        evaluate.run_evaluate(feeds_root=feeds, root=f"{published}/nowhere")
    with pytest.raises(SourceError, match=r"there is no folder .*/nowhere; correct --feeds"):
        evaluate.run_evaluate(feeds_root=f"{published}/nowhere", root=out)


def test_every_screening_leaves_out_what_reviewers_had_negated_and_the_report_tells_it_apart(
    negated_world: dict[str, DataFrame], spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(spark, negated_world, tmp_path)
    screened: list[set[str]] = []

    def screen_again(
        person: DataFrame, frozen: Any, *, work: str, with_proposed: bool = True, change: Any = None
    ) -> Again:
        """All that rules propose is scored as it was."""
        scored = negated_world["scored"]
        links = change(scored) if change else scored
        screened.append({row.person_ref for row in links.collect()})
        return Again(links=links, proposed=scored.select(*PAIR_KEY) if with_proposed else None)

    monkeypatch.setattr(evaluate, "open_session", lambda app_name: nullcontext(spark))
    monkeypatch.setattr(evaluate, "screen_again", screen_again)
    monkeypatch.setattr(evaluate_truth, "screen_again", screen_again)
    assert evaluate.run_evaluate(feeds_root=f"{tmp_path}/feeds", root=f"{tmp_path}/out", in_depth=True) == 0
    # Once in depth, and once without addresses.
    assert screened == [{"N1", "N9", "N11", "N3", "N12"}] * 2
    folder = tmp_path / "out/reports/R1"
    figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))["accuracy"]
    assert {row["outcome"]: row["true_links"] for row in figures["loss"]}["negated_by_reviewer"] == 1
    assert {row["stage"]: row["true_links"] for row in figures["loss_by_stage"]}["review"] == 1
    for scopes in (figures["scopes"], figures["scopes_without_address"]):
        precision = scopes[1]["precision"]
        assert (precision["numerator"], precision["denominator"]) == (2, 3)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "a reviewer said: not the same" in page
    assert "had no reviewer said otherwise" in page


def test_a_run_without_a_truth_says_what_it_expects_and_that_no_truth_was_there(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (published / "bare").mkdir()
    out = f"{published}/out"
    assert evaluate.run_evaluate(feeds_root=f"{published}/bare", root=out) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Out of 13,000 people we expect to find" in said
    assert "No truth was there" in said
    figures = json.loads((published / "out/reports/R1/figures.json").read_text(encoding="utf-8"))
    assert figures["expectation"]["truth_was_there"] is False
    assert "accuracy" not in figures
    assert not (published / "out/work/evaluate").exists()
    with pytest.raises(UsageError, match="need the truth"):
        evaluate.run_evaluate(feeds_root=None, root=out, ablation=True)


def test_half_a_truth_is_refused(published: Path, world: dict[str, DataFrame]) -> None:
    world["truth_person"].write.parquet(f"{published}/half/truth/person")
    with pytest.raises(SourceError, match=r"no truth at .*/half/truth/employee; run jobs/synthesise.py once more"):
        evaluate.run_evaluate(feeds_root=f"{published}/half", root=f"{published}/out")


def test_a_gap_that_is_too_wide_ends_the_job_after_everything_was_written(
    published: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = {"max_tradition_gap": 0.0, "max_tradition_precision_gap": 1.0, "min_tradition_links": 1}
    monkeypatch.setattr(evaluate, "load_settings", lambda conf, env: load_settings(conf, env, {"evaluation": limits}))
    monkeypatch.setattr(gaps, "difference", lambda best, share: (0.4, 0.1, 0.6))
    with pytest.raises(GateError, match=r"recall of irish is 40\.0 points below that of british") as caught:
        evaluate.run_evaluate(feeds_root=f"{published}/feeds", root=f"{published}/out")
    assert caught.value.exit_code == 4
    assert "GAPS BETWEEN NAMING TRADITIONS" in capsys.readouterr().out
    assert (published / "out/reports/R1/report.html").is_file()
