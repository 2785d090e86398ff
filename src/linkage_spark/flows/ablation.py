"""One thing less: models, references and scored pairs as if a part of the method were not there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from linkage_spark.model.schema import Model, Probabilities
from linkage_spark.reference.names import NameReference
from linkage_spark.tables.candidates import SCORED_PAIR


def with_dates_equal_or_not(model: Model) -> Model:
    """The model with one weight for all full dates that are not equal, and one for partial ones that differ.

    The levels are pooled, so m and u add up as before: what a model would say that knew no slips of a date.
    """
    return model.model_copy(
        update={
            "date_of_birth": _pooled(model.date_of_birth, kept="exact"),
            "partial_date_of_birth": _pooled_levels(model.partial_date_of_birth, ("partial_differ", "partial_near")),
        }
    )


def without_near_dates(scored: DataFrame) -> DataFrame:
    """Scored pairs of which no date counts as near for the policy; what contradicts still does.

    Args:
        scored: SCORED_PAIR.
    """
    return SCORED_PAIR.conform(scored.withColumn("dob_near", F.lit(False)))


def without_variants(names: NameReference) -> NameReference:
    """The reference without nicknames and without other spellings; prefixes and marked parts stay."""
    return replace(names, nickname_pairs=frozenset(), variants={})


def without_classes(model: Model) -> Model:
    """The model without household and context: a pair is of one person or of two taken at random."""
    return model.model_copy(update={"household": None, "context": None})


def _pooled(levels: Mapping[str, Probabilities], *, kept: str) -> dict[str, Probabilities]:
    """All levels but one share one weight."""
    return _pooled_levels(levels, tuple(name for name in levels if name != kept))


def _pooled_levels(levels: Mapping[str, Probabilities], names: tuple[str, ...]) -> dict[str, Probabilities]:
    """The named levels share one weight: each keeps its u and takes m in proportion."""
    ratio = sum(levels[name].m for name in names) / sum(levels[name].u for name in names)
    pooled = {name: Probabilities(m=levels[name].u * ratio, u=levels[name].u) for name in names}
    return {**levels, **pooled}
