"""Screening a published run's tables again, to learn what its published links alone cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import UsageError
from linkage_spark.flows.screen import link, screen
from linkage_spark.linkage.blocking import propose_pairs, refined_hmacs
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model
from linkage_spark.reference.names import NameReference, load_name_reference
from linkage_spark.review.judgements import without_negated
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.models import find_model
from linkage_spark.runs.secret import load_secret
from linkage_spark.settings.run import load_settings
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.enums import SourceSystem
from linkage_spark.tables.review import NEGATED_LINK


@dataclass(frozen=True)
class Frozen:
    """What a run froze with its model, read back."""

    model: Model
    refined: frozenset[str]
    frequencies: Frequencies
    names: NameReference
    secret: bytes


@dataclass(frozen=True)
class Again:
    """All scored links, in all tiers, and every pair that a rule proposed; None where nobody asked for it."""

    links: DataFrame
    proposed: DataFrame | None


def load_frozen(
    files: Files,
    store: DeltaStore,
    *,
    model_id: str,
    fingerprint: str,
    refined_key: DataFrame,
    frequency: DataFrame,
) -> Frozen:
    """The model of a run with its refined keys and frequencies.

    Args:
        files: the file system.
        store: output root of the run: trained models, and the key of its hashes unless the settings say where.
        model_id: the run's model.
        fingerprint: what the model was when the run used it.
        refined_key: REFINED_KEY as the run left it.
        frequency: FREQUENCY as the run left it.

    Raises:
        UsageError: the model has changed since.
        SettingsError: there is no such model any more.
    """
    conf, env = conf_dir(), environment()
    model = find_model(conf, store, model_id)
    if model.fingerprint != fingerprint:
        raise UsageError(
            f"model {model_id} is not what it was in that run, or an earlier version of this software made the run: run the "
            "backfill again"
        )
    return Frozen(
        model=model,
        refined=refined_hmacs(refined_key.collect()),
        frequencies=Frequencies.from_rows(row.asDict() for row in frequency.collect()),
        names=load_name_reference(conf),
        secret=load_secret(files, store.root, settings=load_settings(conf, env), env=env),
    )


def screen_again(
    person: DataFrame,
    frozen: Frozen,
    *,
    work: str,
    with_proposed: bool = True,
    change: Callable[[DataFrame], DataFrame] | None = None,
) -> Again:
    """Propose, score and decide once more, into a work folder that the caller removes.

    Args:
        person: PERSON, roster and police.
        frozen: model, refined keys and frequencies of the run.
        work: folder to write to.
        with_proposed: keep every proposed pair too.
        change: what to do to SCORED_PAIR before the policy decides; None: nothing.
    """
    of_hr = F.col("source_system") == SourceSystem.HR.value
    roster, history = person.where(of_hr), person.where(~of_hr)
    scored = screen(
        roster,
        history,
        model=frozen.model,
        refined=frozen.refined,
        frequencies=frozen.frequencies,
        names=frozen.names,
        secret=frozen.secret,
    )
    scored = keep(change(scored) if change else scored, f"{work}/scored")
    links = keep(link(scored, model=frozen.model, secret=frozen.secret), f"{work}/links")
    if not with_proposed:
        return Again(links=links, proposed=None)
    proposed = propose_pairs(
        history, roster, model=frozen.model, refined=frozen.refined, secret=frozen.secret, gated=False
    ).select(
        F.col("person_ref_l").alias("employee_id"),
        F.col("source_system_r").alias("source_system"),
        F.col("person_ref_r").alias("person_ref"),
    )
    return Again(links=links, proposed=keep(proposed, f"{work}/proposed"))


def as_judged(store: DeltaStore, versions: Mapping[str, int]) -> Callable[[DataFrame], DataFrame] | None:
    """What leaves out of SCORED_PAIR the pairs that reviewers had negated in a run; None where the run knew nothing of such pairs.

    Another model leaves out the same pairs, whichever variants of them it would find the best.

    Args:
        store: the tables.
        versions: what the run pins.
    """
    if NEGATED_LINK.name not in versions:
        return None
    return partial(without_negated, negated=store.read(NEGATED_LINK, version=versions[NEGATED_LINK.name]))


def keep(frame: DataFrame, path: str) -> DataFrame:
    """Write a frame and read it back. One action."""
    frame.write.mode("overwrite").parquet(path)
    return frame.sparkSession.read.schema(frame.schema).parquet(path)
