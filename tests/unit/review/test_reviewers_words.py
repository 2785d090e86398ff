"""What a reviewer needs to say a word on a link is published, and what the word is kept under."""

from __future__ import annotations

from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK
from linkage_spark.tables.star import STAR_LINK


def test_readers_find_what_a_word_is_said_of() -> None:
    published = "link_evidence_fingerprint"
    (column,) = (column for column in STAR_LINK.fields if column.name == published)
    assert column.required
    assert "keyed HMAC" in column.description
    assert f"`{published}`" in _said_of()


def test_a_word_is_kept_under_the_evidence_that_it_was_said_of() -> None:
    assert LINK_JUDGEMENT.key == (*LINK.key, "evidence_fingerprint", "judged_at", "judgement")
    assert NEGATED_LINK.key == LINK.key


def test_it_is_told_that_another_model_may_find_other_evidence() -> None:
    assert "another pair of variants is the best one, as another model may find" in _said_of()


def _said_of() -> str:
    (column,) = (column for column in LINK_JUDGEMENT.fields if column.name == "evidence_fingerprint")
    return column.description
