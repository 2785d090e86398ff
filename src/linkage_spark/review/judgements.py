"""Reviewers' words on links → the one in force per pair, and the links that it takes away."""

from __future__ import annotations

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.frames import last_said
from linkage_spark.tables.enums import Judgement, Tier
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK

_ORDER: Final = (Judgement.WITHDRAWN, Judgement.CANNOT_TELL, Judgement.SAME, Judgement.NOT_SAME)
"""Of words of one moment the last in this order holds: *not the same* outweighs all."""

_PAIR: Final = list(LINK.key)


def link_judgements_in_force(judgement: DataFrame) -> DataFrame:
    """The newest word on each pair; of several of one moment *not the same*, then *same*. *Cannot tell* and withdrawn ones leave no row.

    Args:
        judgement: LINK_JUDGEMENT, all rows that were ever added.

    Returns:
        The pair, ``judgement``, ``judged_at``, and the ``evidence_fingerprint`` that it was said of.
    """
    last = last_said(
        LINK_JUDGEMENT.check(judgement),
        _PAIR,
        word="judgement",
        at="judged_at",
        order=_ORDER,
        keep="evidence_fingerprint",
    )
    return last.where(F.col("judgement").isin(Judgement.SAME.value, Judgement.NOT_SAME.value))


def negated_links(links: DataFrame, in_force: DataFrame) -> DataFrame:
    """The links that are not shown, since a reviewer said of this very evidence that the two are not the same.

    Other evidence, such as an amended address on either side, is no longer what the reviewer spoke of: the link is shown again. Another
    model weighs the same evidence otherwise and brings nothing back.

    Args:
        links: LINK, in all tiers.
        in_force: what ``link_judgements_in_force`` gave.

    Returns:
        NEGATED_LINK.
    """
    said = in_force.where(F.col("judgement") == Judgement.NOT_SAME.value).select(
        *_PAIR, "evidence_fingerprint", "judged_at"
    )
    shown = links.where(F.col("tier") != Tier.NON_MATCH.value)
    return NEGATED_LINK.conform(shown.join(F.broadcast(said), on=[*_PAIR, "evidence_fingerprint"]))


def without_negated(frame: DataFrame, negated: DataFrame) -> DataFrame:
    """Rows of pairs that no reviewer has negated: so these are no rivals of others either.

    Args:
        frame: rows with the pair's columns.
        negated: NEGATED_LINK.
    """
    return frame.join(F.broadcast(negated.select(*_PAIR)), on=_PAIR, how="left_anti").select(*frame.columns)


def link_judgement_faults(judgement: DataFrame) -> DataFrame:
    """Rows that no run may use; lazy.

    Args:
        judgement: LINK_JUDGEMENT.

    Returns:
        One row: ``unknown_words`` (no Judgement), LONG. Anything but 0 must stop the run: a word that nobody understands must not take
        back the one before it.
    """
    known = F.col("judgement").isin(*[word.value for word in Judgement])
    return judgement.agg(F.count_if(~known).alias("unknown_words"))
