"""What is priced on the force's estate: the candidate rules, and the last good run's tables at the versions that it pins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import SourceError
from linkage_spark.evaluation.judged import TRUTH_EMPLOYEE, TRUTH_PERSON
from linkage_spark.linkage.blocking import refined_hmacs
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.person_files import MOST_RULES, load_person_file_model
from linkage_spark.model.schema import Model, Rule
from linkage_spark.runs.entry import conf_dir
from linkage_spark.runs.file_pairs import MODEL_ID
from linkage_spark.runs.file_task import FileRun
from linkage_spark.runs.manifest import GoodRun
from linkage_spark.runs.models import find_model
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import SourceSystem
from linkage_spark.tables.linkage import FREQUENCY, REFINED_KEY

BRITISH = frozenset(
    {"name", "given_names", "surname", "date_of_birth", "address", "premises", "postcode", "town"},
)
"""What a force's records may hold, in the words of a mapping."""

RICH = "rich:"
"""Stands before the id of a rule that only analysts' files have."""


@dataclass(frozen=True)
class Candidates:
    """The rules that are priced together.

    Attributes:
        rules: the lean ones first, then the rich ones.
        lean: ids of the lean ones.
        same: id of a rich rule that has the parts of a lean one → that one's id.
        left_out: ids of rich rules for which no bit was left.
    """

    rules: tuple[Rule, ...]
    lean: tuple[str, ...]
    same: dict[str, str]
    left_out: tuple[str, ...]


def candidate_rules(lean: Sequence[Rule], rich: Sequence[Rule]) -> Candidates:
    """Each rule once: rules of the same parts, in any order, are one, and the lean one stands for it.

    Args:
        lean: rules of the model in use, in its order.
        rich: rules of analysts' files, in their order; those that no bit is left for are left out.
    """
    known = {frozenset(rule.parts): rule.id for rule in lean}
    same: dict[str, str] = {}
    further: list[Rule] = []
    for rule in rich:
        parts = frozenset(rule.parts)
        if parts in known:
            same[rule.id] = known[parts]
        else:
            known[parts] = f"{RICH}{rule.id}"
            further.append(rule.model_copy(update={"id": f"{RICH}{rule.id}"}))
    room = MOST_RULES - len(lean)
    return Candidates(
        rules=(*lean, *further[:room]),
        lean=tuple(rule.id for rule in lean),
        same=same,
        left_out=tuple(rule.id for rule in further[room:]),
    )


@dataclass(frozen=True)
class Estate:
    """What the last good run left.

    Attributes:
        model: the model in use with all candidate rules.
        refined: HMACs of the keys that the run froze: of lean rules.
        truth: of roster and police records; None without one.
    """

    good: GoodRun
    rules: Candidates
    model: Model
    refined: frozenset[str]
    frequencies: Frequencies
    roster: DataFrame
    history: DataFrame
    truth: tuple[DataFrame, DataFrame] | None


def open_truth(spark: SparkSession, files: Files, feeds: str) -> tuple[DataFrame, DataFrame]:
    """Truth of the roster and of the police records.

    Raises:
        SourceError: a part is missing, or lacks a column.
    """
    paths = {name: f"{feeds.rstrip('/')}/truth/{name}" for name in ("employee", "person")}
    missing = [path for path in paths.values() if not files.exists(path)]
    if missing:
        raise SourceError([f"--truth: there is no {path}; leave --truth out where there is none" for path in missing])
    employee, person = (spark.read.parquet(path) for path in paths.values())
    faults = [
        f"truth/{name} lacks column {field.name}; make the force again with jobs/synthesise.py"
        for name, frame, schema in (("employee", employee, TRUTH_EMPLOYEE), ("person", person, TRUTH_PERSON))
        for field in schema.fields
        if field.name not in frame.columns
    ]
    if faults:
        raise SourceError(faults)
    return employee, person


def open_estate(run: FileRun, store: DeltaStore, good: GoodRun, truth: tuple[DataFrame, DataFrame] | None) -> Estate:
    """The run's tables at the versions that it pins, and the candidate rules."""
    conf = conf_dir()
    model = find_model(conf, store, good.model_id)
    if model.fingerprint != good.made_from.model:
        run.summary["warnings"].append(
            f"model {model.id} is not what it was in run {good.shown_run_id}; rules and weights are today's"
        )
    rules = candidate_rules(model.rules, load_person_file_model(conf, MODEL_ID).rules_for(BRITISH, {}))
    if rules.left_out:
        run.summary["warnings"].append(
            f"a pair's mask holds {MOST_RULES} rules: {len(rules.left_out)} rich rules were left out: "
            f"{', '.join(rules.left_out)}"
        )
    person = store.read(PERSON, version=good.versions[PERSON.name])
    frequency = store.read(FREQUENCY, version=good.versions[FREQUENCY.name])
    of_hr = F.col("source_system") == SourceSystem.HR.value
    return Estate(
        good=good,
        rules=rules,
        model=model.model_copy(update={"rules": rules.rules}),
        refined=refined_hmacs(store.read(REFINED_KEY, version=good.versions[REFINED_KEY.name]).collect()),
        frequencies=Frequencies.from_rows(row.asDict() for row in frequency.collect()),
        roster=person.where(of_hr),
        history=person.where(~of_hr),
        truth=truth,
    )
