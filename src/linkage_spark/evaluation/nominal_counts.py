"""Nominals × the truth of a made-up force → lazy counts. ``nominal_figures`` makes figures of the collected rows.

Any labelling of police records can be judged, so that the components before the guard and the nominals after it are
measured alike. Records of the truth that stand in no cluster count as alone: what was lost on the way never drops out of
recall. Records that the truth does not name are counted and left out of every figure but the sizes.

The truth says of each record whose it is, never who is whose twin. Twins are told by three things: people of one
household (the synthesis numbers people by household), of one date of birth, of whom neither is a namesake from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from linkage_spark.evaluation.cluster_figures import count_cluster_sizes
from linkage_spark.evaluation.nominal_figures import HOUSEHOLD, NAMESAKES, PLACEHOLDER, STRANGERS, TWINS

Contradicts = Callable[[str, str], Column]
"""Of two prefixes before ``dob_year``, ``dob_month``, ``dob_day``: true where no date level explains both dates."""

MOST_PERSONS = 1_000
"""A nominal of more true persons is counted as such, and its pairs of persons are not listed: they grow with the square."""

_TWIN_OF_EMPLOYEE, _NAMESAKE = "twin_of_employee", "namesake_same_dob"
_DATE = ("dob_year", "dob_month", "dob_day")
_CLUSTER = ("cluster_id", "alone")
_PART = ("permitted_id", "part_alone")


@dataclass(frozen=True)
class NominalCounts:
    """Small lazy frames over one labelling; the run keeps ``label_records``' rows while it collects them."""

    cells: DataFrame
    sizes: DataFrame
    over_merged: DataFrame
    wrong_joins: DataFrame
    twins: DataFrame


def label_records(
    members: DataFrame, truth: DataFrame, *, permitted: DataFrame | None = None, cluster: str = "nominal_id"
) -> DataFrame:
    """Every record of the labelling or of the truth, once.

    Args:
        members: ``record_id`` and the column ``cluster``; one row per record. A null cluster is none.
        truth: ``record_id``, ``true_person_id``, ``naming_tradition``, ``hard_negative`` (null when none); one row per
            record.
        permitted: ``record_id``, ``permitted_id``: the components, inside each true person, of the true pairs that the
            rules permit to join; a record that it lacks, or with a null, is a part by itself. None: not asked.
        cluster: which column of ``members`` is the label.

    Returns:
        ``record_id``, ``cluster_id`` (null: in no cluster), ``alone`` (the record's id where it is in no cluster, else
        null), ``true_person_id`` LONG (null: the truth does not name it), ``naming_tradition`` ('' when unknown),
        ``hard_negative``; with ``permitted`` also ``permitted_id`` and ``part_alone``, of which one is null.
    """
    placed = members.select("record_id", F.col(cluster).alias("cluster_id"))
    known = truth.select(
        "record_id",
        F.col("true_person_id").cast("long").alias("true_person_id"),
        F.coalesce("naming_tradition", F.lit("")).alias("naming_tradition"),
        "hard_negative",
    )
    both = placed.join(known, on=["record_id"], how="full_outer")
    both = both.withColumn("alone", F.when(F.col("cluster_id").isNull(), F.col("record_id")))
    own = ["record_id", *_CLUSTER, "true_person_id", "naming_tradition", "hard_negative"]
    if permitted is None:
        return both.select(*own)
    parts = both.join(permitted.select("record_id", "permitted_id"), on=["record_id"], how="left")
    return parts.select(
        *own, "permitted_id", F.when(F.col("permitted_id").isNull(), F.col("record_id")).alias(_PART[1])
    )


def usual_births(labelled: DataFrame, dates: DataFrame) -> DataFrame:
    """The date of birth under which each true person is recorded most often: a stand-in where true dates are not at hand.

    Full dates go before parts of one; of dates that are as frequent, the earliest.

    Args:
        labelled: from ``label_records``.
        dates: ``record_id``, ``dob_year``, ``dob_month``, ``dob_day`` INT, one row per record, null where unknown.

    Returns:
        ``true_person_id``, ``dob_year``, ``dob_month``, ``dob_day``; only persons with a known year.
    """
    told = labelled.where("true_person_id is not null").join(dates, on=["record_id"]).where("dob_year is not null")
    in_part = F.col("dob_month").isNull() | F.col("dob_day").isNull()
    forms = told.groupBy("true_person_id", *_DATE).agg((-F.count(F.lit(1))).alias("rarity"))
    first = F.min(F.struct(in_part.alias("in_part"), "rarity", *_DATE)).alias("first")
    return forms.groupBy("true_person_id").agg(first).select("true_person_id", *[f"first.{name}" for name in _DATE])


def count_nominals(
    labelled: DataFrame,
    births: DataFrame,
    *,
    people_per_household: int,
    contradicts: Contradicts,
    most_persons: int = MOST_PERSONS,
) -> NominalCounts:
    """All counts that ``nominal_figures`` needs.

    Args:
        labelled: from ``label_records``; five frames read it.
        births: ``true_person_id``, ``dob_year``, ``dob_month``, ``dob_day``, one row per person at most: true dates
            of birth, or ``usual_births``.
        people_per_household: a person's household is the id divided by this, rounded down; the synthesis' number.
        contradicts: the project's rule for dates that no level explains; null counts as false.
        most_persons: nominals of more true persons are not looked into pair by pair.
    """
    joins = list_wrong_joins(
        labelled,
        births,
        people_per_household=people_per_household,
        contradicts=contradicts,
        most_persons=most_persons,
    )
    return NominalCounts(
        cells=count_nominal_cells(labelled),
        sizes=count_cluster_sizes(labelled.where("cluster_id is not null")),
        over_merged=count_over_merged(labelled, most_persons=most_persons),
        wrong_joins=count_wrong_joins(joins),
        twins=count_twin_pairs(labelled, births, people_per_household=people_per_household),
    )


def count_nominal_cells(labelled: DataFrame) -> DataFrame:
    """Records alike in how many share their cluster, person and permitted part, counted.

    Args:
        labelled: from ``label_records``.

    Returns:
        ``naming_tradition``, ``missing`` BOOLEAN (in no cluster), and LONGs: ``in_cell`` (records of one cluster and one
        part), ``in_both`` (of one cluster and one person), ``of_cluster``, ``of_tradition`` (of the cluster, of this
        tradition), ``of_person``, ``of_part`` (null where parts were not asked; a cell is then a cluster and a person), and
        ``cells``. A row with null ``of_person`` counts records without label in ``in_cell``.
    """
    parts = [name for name in _PART if name in labelled.columns]
    told = labelled.where("true_person_id is not null")
    cells = told.groupBy(*_CLUSTER, "naming_tradition", "true_person_id", *parts).agg(
        F.count(F.lit(1)).alias("in_cell")
    )

    def over(*names: str) -> Column:
        return F.sum("in_cell").over(Window.partitionBy(*names))

    counted = cells.select(
        "naming_tradition",
        F.col("alone").isNotNull().alias("missing"),
        "in_cell",
        over(*_CLUSTER).alias("of_cluster"),
        over(*_CLUSTER, "naming_tradition").alias("of_tradition"),
        over(*_CLUSTER, "true_person_id").alias("in_both"),
        over("true_person_id").alias("of_person"),
        (over("true_person_id", *parts) if parts else F.lit(None).cast("long")).alias("of_part"),
    )
    alike = counted.groupBy(*counted.columns).agg(F.count(F.lit(1)).alias("cells"))
    unlabelled = labelled.where("true_person_id is null").agg(
        F.count(F.lit(1)).alias("in_cell"), F.lit(1).cast("long").alias("cells"), F.lit(False).alias("missing")
    )
    return alike.unionByName(unlabelled, allowMissingColumns=True)


def count_over_merged(labelled: DataFrame, *, most_persons: int = MOST_PERSONS) -> DataFrame:
    """Nominals with records of more than one true person: one row.

    Returns:
        LONGs: ``nominals``, ``records`` with a label in them, ``records_of_others`` (not of the person who has most in the
        nominal), ``persons`` (each counted once, in however many such nominals), ``largest`` (true persons in one
        nominal, 0 when none), ``not_looked_into`` (nominals of more than ``most_persons``).
    """
    order = Window.partitionBy("cluster_id").orderBy(F.desc("records"), F.asc("true_person_id"))
    shared = _shared(labelled).withColumn("place", F.row_number().over(order))
    others = F.when(F.col("place") > 1, F.col("records"))

    def total(column: Column) -> Column:
        return F.coalesce(F.sum(column), F.lit(0)).cast("long")

    return shared.agg(
        F.count_distinct("cluster_id").alias("nominals"),
        total(F.col("records")).alias("records"),
        total(others).alias("records_of_others"),
        F.count_distinct("true_person_id").alias("persons"),
        F.coalesce(F.max("persons"), F.lit(0)).cast("long").alias("largest"),
        F.count_if((F.col("place") == 1) & (F.col("persons") > most_persons)).alias("not_looked_into"),
    )


def list_wrong_joins(
    labelled: DataFrame,
    births: DataFrame,
    *,
    people_per_household: int,
    contradicts: Contradicts,
    most_persons: int = MOST_PERSONS,
) -> DataFrame:
    """One row per nominal and pair of true persons who both have records in it.

    Args:
        labelled: from ``label_records``.
        births: as in ``count_nominals``.
        people_per_household: as in ``count_nominals``.
        contradicts: as in ``count_nominals``.
        most_persons: nominals of more true persons are left out; ``count_over_merged`` counts them.

    Returns:
        ``cluster_id``, ``true_person_id_l`` < ``true_person_id_r``, ``relation`` (RELATIONS), ``dates_contradict``
        BOOLEAN, never null.
    """
    shared = _shared(labelled).where(F.col("persons") <= most_persons)
    person = _with_particulars(shared, births, people_per_household).select("cluster_id", "person")
    pairs = person.withColumnRenamed("person", "one").join(
        person.withColumnRenamed("person", "other"), on=["cluster_id"]
    )
    return pairs.where("one.true_person_id < other.true_person_id").select(
        "cluster_id",
        F.col("one.true_person_id").alias("true_person_id_l"),
        F.col("other.true_person_id").alias("true_person_id_r"),
        _relation().alias("relation"),
        F.coalesce(contradicts("one.", "other."), F.lit(False)).alias("dates_contradict"),
    )


def count_wrong_joins(joins: DataFrame) -> DataFrame:
    """Wrongly joined pairs of persons by relation, and all of them.

    Args:
        joins: from ``list_wrong_joins``.

    Returns:
        ``relation`` (null: all; no row where there are none) and LONGs: ``pairs`` of a nominal and two persons,
        ``nominals``, and of both those whose dates of birth no level explains: ``contradicting_pairs``,
        ``contradicting_nominals``.
    """
    against = F.when(F.col("dates_contradict"), F.col("cluster_id"))
    return joins.rollup("relation").agg(
        F.count(F.lit(1)).alias("pairs"),
        F.count_distinct("cluster_id").alias("nominals"),
        F.count_if(F.col("dates_contradict")).alias("contradicting_pairs"),
        F.count_distinct(against).alias("contradicting_nominals"),
    )


def count_twin_pairs(labelled: DataFrame, births: DataFrame, *, people_per_household: int) -> DataFrame:
    """Pairs of twins of whom both have records: one row, ``twin_pairs`` LONG. Arguments as in ``count_nominals``."""
    told = labelled.where("true_person_id is not null")
    people = told.groupBy("true_person_id").agg(F.min("hard_negative").alias("hard_negative"))
    person = _with_particulars(people, births, people_per_household).select("person", "person.household_id")
    pairs = person.withColumnRenamed("person", "one").join(
        person.withColumnRenamed("person", "other"), on=["household_id"]
    )
    twins = pairs.where("one.true_person_id < other.true_person_id").where(_relation() == TWINS)
    return twins.agg(F.count(F.lit(1)).alias("twin_pairs"))


def _shared(labelled: DataFrame) -> DataFrame:
    """True persons of clusters that hold more than one: ``cluster_id``, ``true_person_id``, ``records``, ``persons``."""
    told = labelled.where("cluster_id is not null and true_person_id is not null")
    cells = told.groupBy("cluster_id", "true_person_id").agg(
        F.count(F.lit(1)).alias("records"), F.min("hard_negative").alias("hard_negative")
    )
    persons = F.count(F.lit(1)).over(Window.partitionBy("cluster_id"))
    return cells.withColumn("persons", persons).where("persons > 1")


def _with_particulars(people: DataFrame, births: DataFrame, people_per_household: int) -> DataFrame:
    """Add ``person``: id, household (null for placeholders), kind of hard negative, date of birth."""
    number = F.col("true_person_id")
    household = F.when(number >= 0, F.floor(number / F.lit(people_per_household))).cast("long")
    dated = people.join(births.select("true_person_id", *_DATE), on=["true_person_id"], how="left")
    return dated.withColumn(
        "person", F.struct("true_person_id", household.alias("household_id"), "hard_negative", *_DATE)
    )


def _relation() -> Column:
    """The relation of ``one`` and ``other``, the lower id first."""

    def either(kind: str) -> Column:
        return F.coalesce(F.col("one.hard_negative") == kind, F.lit(False)) | F.coalesce(
            F.col("other.hard_negative") == kind, F.lit(False)
        )

    unmarked = F.col("one.hard_negative").isNull() | F.col("other.hard_negative").isNull()
    dates = [(F.col(f"one.{name}"), F.col(f"other.{name}")) for name in _DATE]
    same_date = (dates[0][0] == dates[0][1]) & (dates[1][0] == dates[1][1]) & (dates[2][0] == dates[2][1])
    # Of the employee's own twin the truth says so; the date is asked where it is known.
    twins = F.coalesce(same_date, either(_TWIN_OF_EMPLOYEE) & unmarked)
    return (
        F.when(F.col("one.true_person_id") < 0, F.lit(PLACEHOLDER))
        .when(F.col("one.household_id") != F.col("other.household_id"), F.lit(STRANGERS))
        .when(either(_NAMESAKE), F.lit(NAMESAKES))
        .when(twins, F.lit(TWINS))
        .otherwise(F.lit(HOUSEHOLD))
    )
