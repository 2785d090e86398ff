"""Screening a published run's tables again, to learn what its published links alone cannot tell."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.errors import UsageError
from linkage_spark.flows.screen import link, screen
from linkage_spark.linkage.blocking import propose_pairs, refined_hmacs
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model, load_model
from linkage_spark.reference.names import NameReference, load_name_reference
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.secret import load_secret
from linkage_spark.settings.run import load_settings
from linkage_spark.store.files import Files
from linkage_spark.tables.enums import SourceSystem


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
    """All scored links, in all tiers, and every pair that a rule proposed."""

    links: DataFrame
    proposed: DataFrame


def load_frozen(
    files: Files, root: str, *, model_id: str, fingerprint: str, refined_key: DataFrame, frequency: DataFrame
) -> Frozen:
    """The model of a run with its refined keys and frequencies.

    Args:
        files: the file system.
        root: output root of the run; the key of its hashes lies there, or where the settings say.
        model_id: the run's model.
        fingerprint: what the model was when the run used it.
        refined_key: REFINED_KEY as the run left it.
        frequency: FREQUENCY as the run left it.

    Raises:
        UsageError: the model file has changed since.
    """
    conf, env = conf_dir(), environment()
    model = load_model(conf, model_id)
    if model.fingerprint != fingerprint:
        raise UsageError(
            f"conf/models/{model_id}.toml is not the model of that run, or an earlier version of this software made the run: run the backfill again"
        )
    return Frozen(
        model=model,
        refined=refined_hmacs(refined_key.collect()),
        frequencies=Frequencies.from_rows(row.asDict() for row in frequency.collect()),
        names=load_name_reference(conf),
        secret=load_secret(files, root, settings=load_settings(conf, env), env=env),
    )


def screen_again(person: DataFrame, frozen: Frozen, *, work: str) -> Again:
    """Propose, score and decide once more, into a work folder that the caller removes.

    Args:
        person: PERSON, roster and police.
        frozen: model, refined keys and frequencies of the run.
        work: folder to write to.
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
    scored = _kept(scored, f"{work}/scored")
    proposed = propose_pairs(
        history, roster, model=frozen.model, refined=frozen.refined, secret=frozen.secret, gated=False
    ).select(
        F.col("person_ref_l").alias("employee_id"),
        F.col("source_system_r").alias("source_system"),
        F.col("person_ref_r").alias("person_ref"),
    )
    return Again(
        links=_kept(link(scored, model=frozen.model, secret=frozen.secret), f"{work}/links"),
        proposed=_kept(proposed, f"{work}/proposed"),
    )


def _kept(frame: DataFrame, path: str) -> DataFrame:
    """Write a frame and read it back."""
    frame.write.mode("overwrite").parquet(path)
    return frame.sparkSession.read.schema(frame.schema).parquet(path)
