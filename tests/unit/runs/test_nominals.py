"""What nominals and their alerts stand on: reviewers' words on links among it, where the run before knew of any."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from linkage_spark.runs import nominal_stages, nominals
from linkage_spark.runs.nominal_stages import NominalRun
from linkage_spark.runs.nominals import nominals_made_from
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.review import NEGATED_LINK


def good(**versions: int) -> Any:
    """A good run that pins these tables."""
    return SimpleNamespace(made_from=SimpleNamespace(digest="d"), versions=versions)


def test_alerts_are_made_anew_once_other_links_are_negated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nominals, "settings_digest", lambda _: "s")
    same = SimpleNamespace(fingerprint="f")
    run: Any = SimpleNamespace(model=same, settings=SimpleNamespace(nominals=same))
    known = ({}, {NEGATED_LINK.name: 1}, {NEGATED_LINK.name: 2})
    digests = [nominals_made_from(run, good(**{LINK.name: 1, **negated}), None) for negated in known]
    assert len(set(digests)) == len(known)
    assert digests[1] == nominals_made_from(run, good(**{NEGATED_LINK.name: 1, LINK.name: 1}), None)


def test_of_a_run_from_before_there_were_words_no_link_is_negated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nominal_stages, "local_frame", lambda _, rows, schema: (rows, schema))
    store = SimpleNamespace(read=lambda contract, version: (contract.name, version))
    run: Any = SimpleNamespace(spark=None, store=store)

    def negated(**versions: int) -> Any:
        made: dict[str, Any] = {"saved": None, "former": None, "judged_at_version": None, "frozen": {}, "changed": None}
        return NominalRun(run=run, good=good(**versions), run_no=1, **made).negated

    assert negated(**{LINK.name: 3}) == ([], NEGATED_LINK.schema)
    assert negated(**{LINK.name: 3, NEGATED_LINK.name: 5}) == (NEGATED_LINK.name, 5)
