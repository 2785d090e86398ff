"""Employees × police persons → scored pairs → links. Frames in, frames out; no action is taken here."""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import DataFrame, Observation

from linkage_spark.linkage.blocking import propose_pairs
from linkage_spark.linkage.comparison.tokens import NameKnowledge
from linkage_spark.linkage.decision import decide
from linkage_spark.linkage.evidence import explain_links
from linkage_spark.linkage.score_stage import score_candidates
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from linkage_spark.tables.candidates import SCORED_PAIR
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.linkage import LINK


def screen(
    roster: DataFrame,
    history: DataFrame,
    *,
    model: Model,
    refined: Collection[str],
    frequencies: Frequencies,
    names: NameKnowledge,
    secret: bytes,
    observation: Observation | None = None,
) -> DataFrame:
    """Propose and score pairs of employees and police person records.

    Args:
        roster: PERSON rows of HR.
        history: PERSON rows of the police, read once.
        model: rules, levels and weights.
        refined: HMACs of the refined keys, frozen with the model.
        frequencies: how often values occur, frozen with the model.
        names: nicknames, transliterations and sex-marked parts of names.
        secret: key of the HMACs.
        observation: takes the per-rule counts of ``propose_pairs``; they ride on the first action.

    Returns:
        SCORED_PAIR: pairs of variants above the model's floor.

    Raises:
        ContractError: when roster or history is not a PERSON table.
    """
    candidates = propose_pairs(
        PERSON.check(history),
        PERSON.check(roster),
        model=model,
        refined=refined,
        secret=secret,
        observation=observation,
    )
    return SCORED_PAIR.conform(score_candidates(candidates, model=model, frequencies=frequencies, names=names))


def link(scored: DataFrame, *, model: Model, secret: bytes) -> DataFrame:
    """Decide and explain: one LINK per employee and police record, in all tiers.

    Args:
        scored: SCORED_PAIR.
        model: thresholds, prior, rivals.
        secret: key of the evidence fingerprint.
    """
    return LINK.conform(explain_links(decide(scored, model=model), secret=secret, model=model))
