"""The desk over a published run: what a reviewer's word took away, and what was said of other evidence."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linkage_spark.flows.screen import link, screen
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import load_model
from linkage_spark.reference.names import load_name_reference
from linkage_spark.review.judgements import link_judgements_in_force, negated_links, without_negated
from linkage_spark.runs import why
from linkage_spark.store.delta import DeltaStore
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.linkage import FREQUENCY, LINK, REFINED_KEY
from linkage_spark.tables.results import RUN
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK
from tests.support.contract_rows import contract_rows
from tests.support.persons import employee, person, persons

if TYPE_CHECKING:
    import pytest
    from pyspark.sql import DataFrame, SparkSession

CONF = Path(__file__).resolve().parents[2] / "conf"
HOME, AWAY = "14|elm grove|birmingham|B23 6AB", "99|mill lane|walsall|WS1 1AA"
ROSTER = [employee("e1", "qorwen", "vantrizzel", "1984-03-12", HOME)]
HISTORY = [
    person("negated", "qorwen", "vantrizzel", "1984-03-12", HOME),
    person("amended", "qorwen", "vantrizzel", "1984-03-12", AWAY),
]
AT = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)


def word(spark: SparkSession, of: dict[str, Any], judgement: str, at: datetime, evidence: str) -> DataFrame:
    """One reviewer's word on a pair."""
    pair = {name: of[name] for name in LINK.key}
    told = {"judgement": judgement, "judged_at": at, "reviewer": "Q. Reader", "evidence_fingerprint": evidence}
    return contract_rows(spark, LINK_JUDGEMENT, {**pair, **told})


def test_the_desk_tells_what_a_word_took_away_and_what_was_said_of_other_evidence(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, secret = load_model(CONF, "screening_v1"), b"s" * 32
    scored = screen(
        persons(spark, ROSTER),
        persons(spark, HISTORY),
        model=model,
        refined=(),
        frequencies=Frequencies.none(),
        names=load_name_reference(CONF),
        secret=secret,
    )
    links = link(scored, model=model, secret=secret).persist()
    found = {row.person_ref: row.asDict() for row in links.collect()}
    gone, amended = found["negated"], found["amended"]
    assert (gone["tier"], amended["tier"]) == ("match", "possible")
    words = word(spark, gone, "not_same", AT, gone["evidence_fingerprint"]).unionByName(
        word(spark, amended, "not_same", AT, "of another address")
    )
    negated = negated_links(links, link_judgements_in_force(words))
    store = DeltaStore(spark, f"{tmp_path}/out")
    frames = {
        PERSON: persons(spark, [*ROSTER, *HISTORY]),
        REFINED_KEY: contract_rows(spark, REFINED_KEY),
        FREQUENCY: contract_rows(spark, FREQUENCY),
        LINK: without_negated(links, negated),
        NEGATED_LINK: negated,
    }
    versions = {contract.name: store.overwrite(contract, frame) for contract, frame in frames.items()}
    links.unpersist()
    store.append(LINK_JUDGEMENT, words)
    run = {"run_id": "R1", "shown_run_id": "R1", "status": "published", "model_id": model.id}
    told = {"model_fingerprint": model.fingerprint, "table_versions_json": json.dumps(versions)}
    store.append(RUN, contract_rows(spark, RUN, {**run, **told}))
    monkeypatch.setattr(why, "open_session", lambda app_name: nullcontext(spark))

    def said(ref: str) -> str:
        assert why.run_why(employee_id="e1", person=f"crime:{ref}", root=f"{tmp_path}/out") == 0
        return capsys.readouterr().out

    of_gone = said("negated")
    assert (
        f"no link, because of a reviewer's word; without it: tier match, weight {gone['match_weight']:+.3f} bits."
        in of_gone
    )
    assert "On 2026-07-01 09:30 (Europe/London) a reviewer said of this very evidence: not the same." in of_gone
    assert "no longer in force" not in of_gone
    of_amended = said("amended")
    assert "Published: tier possible" in of_amended
    assert (
        "On 2026-07-01 09:30 (Europe/London) a reviewer said of other evidence than this: not the same." in of_amended
    )
    assert "Reader" not in of_gone + of_amended

    # Taken back since that run: what it published stands until the next one.
    store.append(LINK_JUDGEMENT, word(spark, gone, "withdrawn", AT + timedelta(days=1), gone["evidence_fingerprint"]))
    later = said("negated")
    assert "because of a reviewer's word" in later
    assert "That word is no longer in force" in later
