"""Reviewers' words on pairs of records → the one in force per pair."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.frames import last_said
from linkage_spark.tables.enums import Judgement
from linkage_spark.tables.nominals import PERSON_JUDGEMENT

_ORDER = (Judgement.WITHDRAWN, Judgement.CANNOT_TELL, Judgement.SAME, Judgement.NOT_SAME)
"""Of words of one moment the last in this order holds: doubt does not join, and *not the same* outweighs all."""


def judgements_in_force(judgement: DataFrame) -> DataFrame:
    """The newest word on each pair, whichever record stands left; of several of one moment *not the same*, then *same*; *cannot tell* and withdrawn ones leave no row.

    Args:
        judgement: PERSON_JUDGEMENT, all rows that were ever added.

    Returns:
        ``left_record_id``, ``right_record_id``, ``same`` BOOLEAN.
    """
    one, other = F.col("left_record_id"), F.col("right_record_id")
    ends = {"left_record_id": F.least(one, other), "right_record_id": F.greatest(one, other)}
    said = PERSON_JUDGEMENT.check(judgement).withColumns(ends)
    last = last_said(said, ["left_record_id", "right_record_id"], word="judgement", at="judged_at", order=_ORDER)
    held = last.where(F.col("judgement").isin(Judgement.SAME.value, Judgement.NOT_SAME.value))
    return held.select("left_record_id", "right_record_id", (F.col("judgement") == Judgement.SAME.value).alias("same"))


def judgement_faults(judgement: DataFrame) -> DataFrame:
    """Rows that no run may use; lazy.

    Args:
        judgement: PERSON_JUDGEMENT.

    Returns:
        One row: ``unknown_words`` (no Judgement) and ``self_pairs`` (a record with itself), LONG. Anything but 0 must
        stop the run: a word that nobody understands must not take back the one before it.
    """
    known = F.col("judgement").isin(*[word.value for word in Judgement])
    return judgement.agg(
        F.count_if(~known).alias("unknown_words"),
        F.count_if(F.col("left_record_id") == F.col("right_record_id")).alias("self_pairs"),
    )
