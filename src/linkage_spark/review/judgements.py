"""Reviewers' words on links → the one in force per pair and evidence, and the links that it takes away."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.kit.frames import last_said
from linkage_spark.tables.enums import Judgement, SourceSystem, Tier
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK

NULL: Final = "null_"
"""How the counts of nulls begin in ``link_judgement_faults``; the column's name follows."""

_ORDER: Final = (Judgement.WITHDRAWN, Judgement.CANNOT_TELL, Judgement.SAME, Judgement.NOT_SAME)
"""Of words of one moment the last in this order holds: *not the same* outweighs all."""

_PAIR: Final = list(LINK.key)
_SAID_OF: Final = [*_PAIR, "evidence_fingerprint"]


def link_judgements_in_force(judgement: DataFrame) -> DataFrame:
    """The newest word on each pair and evidence; of several of one moment *not the same*, then *same*.

    *Cannot tell* and withdrawn ones leave no row: they take back what was said of the same evidence. What was said of other evidence of
    the pair stands beside it, so that a pair may have several rows.

    Args:
        judgement: LINK_JUDGEMENT, all rows that were ever added.

    Returns:
        One row per pair and ``evidence_fingerprint`` that a word in force was said of, ``judgement``, ``judged_at``.
    """
    last = last_said(LINK_JUDGEMENT.check(judgement), _SAID_OF, word="judgement", at="judged_at", order=_ORDER)
    return last.where(F.col("judgement").isin(Judgement.SAME.value, Judgement.NOT_SAME.value))


def negated_links(links: DataFrame, in_force: DataFrame) -> DataFrame:
    """The links that are not shown, since a reviewer said of this very evidence that the two are not the same.

    The evidence is what the fingerprint covers: the standard forms of names, date of birth, address and further attributes of the best
    pair of variants, of both sides; neither references nor tier, weights, rivals or events. Other evidence, such as an amended address on
    either side, is no longer what the reviewer spoke of: the link is shown again. Another model that weighs the same values otherwise
    brings nothing back by that; one that finds another pair of variants the best, such as an alias or a former address, shows the link on
    the values of that pair, which are another evidence.

    Args:
        links: LINK, in all tiers.
        in_force: what ``link_judgements_in_force`` gave.

    Returns:
        NEGATED_LINK.
    """
    said = _not_same(in_force).select(*_SAID_OF, "judged_at")
    return NEGATED_LINK.conform(_shown(links).join(F.broadcast(said), on=_SAID_OF))


def words_on_other_evidence(links: DataFrame, in_force: DataFrame) -> DataFrame:
    """Words *not the same* on pairs whose link is shown, on other evidence than they were said of: a reviewer may want to look again.

    Args:
        links: LINK; links that are held back are not among them.
        in_force: what ``link_judgements_in_force`` gave.

    Returns:
        The pair and the ``evidence_fingerprint`` that the word was said of.
    """
    now = _shown(links).select(*_PAIR, F.col("evidence_fingerprint").alias("evidence_now"))
    both = now.join(F.broadcast(_not_same(in_force).select(*_SAID_OF)), on=_PAIR)
    return both.where(F.col("evidence_fingerprint") != F.col("evidence_now")).select(*_SAID_OF)


def words_on_nobody(in_force: DataFrame, scored: DataFrame, persons: DataFrame) -> DataFrame:
    """Words on a pair of which one at least is no person of the tables: one who has left, or a reference that was mistyped.

    References are compared as their source writes them, capitals too; published keys of employees are in capitals.

    Args:
        in_force: what ``link_judgements_in_force`` gave.
        scored: SCORED_PAIR, with what is negated or without: who is compared stands.
        persons: PERSON. It is read where a word is on no such pair, for two columns.

    Returns:
        Rows of ``in_force``.
    """
    doubtful = in_force.join(scored.select(*_PAIR).distinct(), on=_PAIR, how="left_anti")
    reference = ["source_system", "person_ref"]
    employee = F.struct(F.lit(SourceSystem.HR.value).alias("source_system"), F.col("employee_id").alias("person_ref"))
    named = doubtful.select(
        F.struct(*_SAID_OF).alias("word"), F.explode(F.array(employee, F.struct(*reference))).alias("of")
    )
    wanted = named.select("word", "of.*")
    there = persons.select(*reference).join(
        F.broadcast(wanted.select(*reference).distinct()), on=reference, how="left_semi"
    )
    nobodys = wanted.join(there.distinct(), on=reference, how="left_anti").select("word.*").distinct()
    return doubtful.join(nobodys, on=_SAID_OF, how="left_semi").select(*in_force.columns)


def _not_same(in_force: DataFrame) -> DataFrame:
    """The words that say that two are not the same."""
    return in_force.where(F.col("judgement") == Judgement.NOT_SAME.value)


def _shown(links: DataFrame) -> DataFrame:
    """Links in the tiers that are shown."""
    return links.where(F.col("tier") != Tier.NON_MATCH.value)


def without_negated(frame: DataFrame, negated: DataFrame) -> DataFrame:
    """Rows of pairs that no reviewer has negated: so these are no rivals of others either.

    Args:
        frame: rows with the pair's columns.
        negated: NEGATED_LINK.
    """
    return frame.join(F.broadcast(negated.select(*_PAIR)), on=_PAIR, how="left_anti").select(*frame.columns)


def link_judgement_faults(judgement: DataFrame, *, until: datetime) -> DataFrame:
    """Rows that no run may use; lazy.

    Args:
        judgement: LINK_JUDGEMENT, whose required columns may hold nulls where another program has made the table.
        until: the last moment, with its zone, at which a word can have been said.

    Returns:
        One row of LONG: ``unknown_words`` (no Judgement, null aside), ``words_to_come`` (``judged_at`` after ``until``), and ``null_`` with
        the name of each required column. Anything but 0 must stop the run: a word that nobody understands must not take back the one
        before it, and one of a time to come would outweigh all that are said until then.
    """
    known = F.col("judgement").isin(*[word.value for word in Judgement])
    nulls = [
        F.count_if(F.col(name).isNull()).alias(f"{NULL}{name}")
        for name in (column.name for column in LINK_JUDGEMENT.fields if column.required)
    ]
    to_come = F.col("judged_at") > F.lit(until)
    return judgement.agg(F.count_if(~known).alias("unknown_words"), F.count_if(to_come).alias("words_to_come"), *nulls)
