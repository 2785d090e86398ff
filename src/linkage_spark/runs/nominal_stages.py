"""The stages of the job nominals. Frames that only later stages need lie in the run's work folder; tables under their contracts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from typing import Any

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from linkage_spark.errors import GateError
from linkage_spark.flows.cluster import (
    Comparing,
    accepted_edges,
    compare_across,
    compare_records,
    conflicts_inside,
    records_of,
)
from linkage_spark.kit.contract import TableContract
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.blocking import choose_refined, count_keys, price_rules, refined_hmacs
from linkage_spark.linkage.frequencies import count_frequencies
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.nominals.alerts import build_alerts, links_without_nominal
from linkage_spark.nominals.guard import GuardLimits
from linkage_spark.nominals.guard_stage import clusters, component_sizes, guard_components, with_cuts
from linkage_spark.nominals.identity import Identity, assign_members, tell_changes, with_parted
from linkage_spark.nominals.identity_checks import faults_in_words, identity_faults
from linkage_spark.nominals.judgements import judgement_faults, judgements_in_force
from linkage_spark.nominals.numbers import count_numbers, usable_numbers
from linkage_spark.nominals.portrait import portrait
from linkage_spark.nominals.records import is_police, record_faults, record_id, with_record_id
from linkage_spark.runs import checks
from linkage_spark.runs.checkpoints import Checkpoints, Done
from linkage_spark.runs.context import RunContext
from linkage_spark.runs.figures import grouped
from linkage_spark.runs.manifest import GoodRun, code_version, run_numbers
from linkage_spark.runs.nominal_components import find_checked_components
from linkage_spark.runs.progress import Stage
from linkage_spark.runs.reviewers_words import read_words
from linkage_spark.serving.star import with_baseline
from linkage_spark.tables.canonical import EVENT, INVOLVEMENT, PERSON
from linkage_spark.tables.enums import ItemKind
from linkage_spark.tables.identifiers import PERSON_IDENTIFIER
from linkage_spark.tables.lifecycle import BASELINE, ITEM
from linkage_spark.tables.linkage import LINK
from linkage_spark.tables.nominals import (
    NOMINAL,
    NOMINAL_ALERT,
    NOMINAL_EDGE,
    NOMINAL_EVENT,
    NOMINAL_FREQUENCY,
    NOMINAL_MEMBER,
    NOMINAL_PAIR,
    NOMINAL_PORTRAIT,
    NOMINAL_RECORD,
    NOMINAL_REFINED_KEY,
    NOMINAL_RUN,
    PERSON_JUDGEMENT,
    SAME_NOMINAL,
)
from linkage_spark.tables.results import HIT, HIT_LINK
from linkage_spark.tables.review import NEGATED_LINK


@dataclass(frozen=True)
class NominalRun:
    """What the stages read and write through.

    Attributes:
        run: the run.
        good: the good run whose persons, links and hits it stands on.
        saved: what is done so far.
        former: the last good run of this job; None before the first.
        run_no: its number among the runs of this job, from 1.
        judged_at_version: version of PERSON_JUDGEMENT that the run reads; None where there is no such table.
        frozen: versions of what an earlier run froze with this very model; empty before the first.
        changed: ``source_system``, ``person_ref`` of all records that are others than in ``former``, or may be; None: compare all.
    """

    run: RunContext
    good: GoodRun
    saved: Checkpoints
    former: GoodRun | None
    run_no: int
    judged_at_version: int | None
    frozen: Mapping[str, int]
    changed: DataFrame | None

    def of_estate(self, contract: TableContract) -> DataFrame:
        """A table of the run that this one stands on."""
        return self.run.store.read(contract, version=self.good.versions[contract.name])

    def own(self, contract: TableContract) -> DataFrame:
        """A table as an earlier stage of this run left it."""
        return self.run.store.read(contract, version=self.saved.versions[contract.name])

    def before(self, contract: TableContract) -> DataFrame:
        """A table as the last good run of this job left it; empty before the first, and where that run knew no such table."""
        if self.former is None or contract.name not in self.former.versions:
            return local_frame(self.run.spark, [], schema=contract.schema)
        return self.run.store.read(contract, version=self.former.versions[contract.name])

    def rows(self, contract: TableContract, rows: Any) -> DataFrame:
        """Driver rows as a frame of a contract."""
        values = [tuple(row[name] for name in contract.names) for row in rows]
        return local_frame(self.run.spark, values, schema=contract.schema)

    def keep(self, name: str, frame: DataFrame) -> DataFrame:
        """Write a frame into the work folder, and read it back."""
        self.run.refuse_unless_held()
        frame.write.mode("overwrite").parquet(self.at(name))
        return self.work(name)

    def at(self, name: str) -> str:
        """Where a frame of the work folder lies."""
        return f"{self.run.work}/{name}"

    def work(self, name: str) -> DataFrame:
        """A frame of the work folder."""
        return self.run.spark.read.parquet(self.at(name))

    @property
    def persons(self) -> DataFrame:
        """PERSON rows of the police."""
        return self.of_estate(PERSON).where(is_police())

    @property
    def records(self) -> DataFrame:
        """The same under their record ids."""
        return records_of(self.persons)

    @property
    def identifiers(self) -> DataFrame:
        """PNC and CRO numbers; none where the run was made before there was such a table."""
        if PERSON_IDENTIFIER.name not in self.good.versions:
            return self.rows(PERSON_IDENTIFIER, [])
        return self.of_estate(PERSON_IDENTIFIER)

    @property
    def negated(self) -> DataFrame:
        """Links that reviewers have negated; none where the run was made before there was such a table."""
        if NEGATED_LINK.name not in self.good.versions:
            return self.rows(NEGATED_LINK, [])
        return self.of_estate(NEGATED_LINK)

    @property
    def numbers(self) -> DataFrame:
        """Those that can be used."""
        return usable_numbers(self.identifiers)

    @property
    def judgements(self) -> DataFrame:
        """What reviewers have said, as it is in force; none where nobody has."""
        return judgements_in_force(self.said)

    @property
    def said(self) -> DataFrame:
        """All that reviewers have said up to the start of the run."""
        if self.judged_at_version is None:
            return self.rows(PERSON_JUDGEMENT, [])
        return read_words(self.run.store, PERSON_JUDGEMENT, version=self.judged_at_version)

    @cached_property
    def comparing(self) -> Comparing:
        """The model with its frozen frequencies."""
        frequencies = Frequencies.from_rows(row.asDict() for row in self.own(NOMINAL_FREQUENCY).collect())
        return Comparing(model=self.run.model, frequencies=frequencies, names=self.run.reference.names)

    @property
    def limits(self) -> GuardLimits:
        """Of one person's cluster."""
        told = self.run.settings.nominals
        return GuardLimits(
            max_records=told.max_records,
            max_path=told.max_path,
            bridge_millibits=round(told.bridge_bits * 1000),
        )

    @property
    def most_records(self) -> int:
        """Components with more records wait for a reviewer."""
        return self.run.settings.nominals.quarantine_records


def freeze(state: NominalRun, stage: Stage) -> Done:
    """Refined keys and frequencies: counted once per model id, then kept; rules are priced on every run that compares all records."""
    run, store = state.run, state.run.store
    shared = record_faults(state.persons).collect()[0]["shared_record_ids"]
    if shared:
        raise GateError(f"person: {shared} record ids stand for more than one record each; tell the maintainers")
    wrong = {name: n for name, n in judgement_faults(state.said).collect()[0].asDict().items() if n}
    if wrong:
        told = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in sorted(wrong.items()))
        raise GateError(
            f"person_judgement: {told}; take these rows out, and say it again in known words on two records"
        )
    if state.changed is not None:
        stage.counts["refined keys"] = state.run.store.read(
            NOMINAL_REFINED_KEY, version=state.frozen[NOMINAL_REFINED_KEY.name]
        ).count()
        return Done(seconds=0.0, versions=dict(state.frozen), notes={"prices": []})
    counts = count_keys(state.records, state.records, model=run.model, broadcast=False).collect()
    chosen = choose_refined(counts, model=run.model, secret=run.secret)
    prices = [_price_within(row) for row in counts]
    stage.counts["pairs expected at most"] = sum(price["pairs"] for price in prices)
    if state.frozen:
        versions = dict(state.frozen)
        before = refined_hmacs(
            state.run.store.read(NOMINAL_REFINED_KEY, version=versions[NOMINAL_REFINED_KEY.name]).collect()
        )
        stage.counts["keys grown past the cap since the freeze"] = len(chosen.hmacs - before)
    else:
        counted = count_frequencies(state.persons, min_bearers=run.model.limits.min_bearers)
        frequencies = NOMINAL_FREQUENCY.conform(counted.withColumn("model_id", F.lit(run.model.id)))
        versions = {
            NOMINAL_REFINED_KEY.name: store.overwrite(
                NOMINAL_REFINED_KEY, state.rows(NOMINAL_REFINED_KEY, chosen.refined)
            ),
            NOMINAL_FREQUENCY.name: store.overwrite(NOMINAL_FREQUENCY, frequencies),
        }
    stage.counts["refined keys"] = store.read(NOMINAL_REFINED_KEY, version=versions[NOMINAL_REFINED_KEY.name]).count()
    return Done(seconds=0.0, versions=versions, notes={"prices": prices})


def _price_within(row: Any) -> dict[str, int]:
    """A rule's price where both sides are one file: a key with n rows makes n(n - 1)/2 pairs, not n squared."""
    price = {name: int(row[name]) for name in ("rule_no", "history_rows", "roster_rows", "pairs")}
    return {**price, "pairs": (price["pairs"] - price["history_rows"]) // 2}


def compare(state: NominalRun, stage: Stage) -> Done:
    """All pairs that the rules propose, scored: of all records, or of those that changed beside what is known of the others."""
    run = state.run
    refined = [row.asDict() for row in state.own(NOMINAL_REFINED_KEY).collect()]
    among, across = Observation("nominals"), Observation("changed records and the others")
    compared = partial(
        compare_records,
        comparing=state.comparing,
        refined=refined_hmacs(refined),
        secret=run.secret,
        observation=among,
    )
    if state.changed is None:
        scored = compared(state.records)
    else:
        ids = with_record_id(state.changed).select(F.col("record_id").cast("string").alias("person_ref"))
        changed = state.keep("changed", ids.distinct())
        stage.counts["records looked at"] = looked_at = changed.count()
        few = looked_at <= _MOST_SENT
        sent = F.broadcast(changed) if few else changed
        touched, others = (
            state.records.join(sent, on=["person_ref"], how=how).select(*PERSON.names)
            for how in ("left_semi", "left_anti")
        )
        known = state.before(NOMINAL_PAIR)
        for end in ("employee_id", "person_ref"):
            known = known.join(sent.withColumnRenamed("person_ref", end), on=[end], how="left_anti")
        found = compare_across(
            touched,
            others,
            comparing=state.comparing,
            refined=refined_hmacs(refined),
            secret=run.secret,
            broadcast=few,
            observation=across,
        )
        parts = [known.select(*NOMINAL_PAIR.names), state.keep("across", found), state.keep("among", compared(touched))]
        scored = reduce(DataFrame.unionByName, parts)
    version = run.store.overwrite(NOMINAL_PAIR, scored)
    observed: Counter[str] = Counter()
    for observation in (among,) if state.changed is None else (among, across):
        observed.update({name: int(value or 0) for name, value in observation.get.items()})
    prices = state.saved.done["freeze model"].notes["prices"]
    priced = price_rules(prices, observed, model=run.model, refined=refined) if prices else []
    stage.counts["candidate pairs"] = observed["pairs_first"]
    stage.counts["of these settled by the gate"] = observed["pairs_gated"]
    stage.counts["scored above the floor"] = run.store.read(NOMINAL_PAIR, version=version).count()
    return Done(seconds=0.0, versions={NOMINAL_PAIR.name: version}, notes={"rules": priced})


_MOST_SENT = 100_000
"""Changed records whose keys are sent to every task: about 300 bytes a key and record."""


def accept(state: NominalRun, stage: Stage) -> Done:
    """Pairs that the joining rule accepts, pairs with the same verified number, and pairs judged the same."""
    most = state.run.settings.nominals.max_bearers
    edges = accepted_edges(
        state.own(NOMINAL_PAIR),
        state.records,
        state.judgements,
        state.numbers,
        comparing=state.comparing,
        most_bearers=most,
    )
    told = count_numbers(state.identifiers, max_records=most).collect()[0]
    stage.counts["pairs with the same verified number, at most"] = int(told["pairs"])
    stage.counts["records with a verified number"] = int(told["records"])
    stage.counts["two verified numbers of one kind on a record, not used"] = int(told["contradicted"])
    stage.counts["numbers on too many records to join any"] = int(told["too_common"])
    counts = {
        "accepted edges": F.count(F.lit(1)),
        "of these with the same verified number": F.count_if("same_identifier"),
        "of these joined by the number": F.count_if(F.expr("same_identifier and not by_rule and not judged_same")),
        "of these judged the same": F.count_if("judged_same"),
        "of these judged not the same": F.count_if("denied"),
    }
    row = state.keep("edges", edges).agg(*[count.alias(name) for name, count in counts.items()]).collect()[0]
    stage.counts.update({name: int(row[name]) for name in counts})
    return Done(seconds=0.0)


def find_components(state: NominalRun, stage: Stage) -> Done:
    """Connected components by the engine that fits, checked: no edge crosses, every vertex has one.

    Raises:
        GateError: the components are wrong.
    """
    done = state.saved.done["accept"].counts
    choice = find_checked_components(
        state.work("edges").where("not denied"),
        edge_count=done["accepted edges"] - done["of these judged not the same"],
        settings=state.run.settings.nominals,
        work=state.run.work,
        name="components",
        progress=state.run.progress,
        refuse=state.run.refuse_unless_held,
    )
    sizes = component_sizes(state.work("components"))
    row = sizes.agg(F.count(F.lit(1)).alias("components"), F.max("records").alias("largest")).collect()[0]
    stage.counts["components"] = int(row["components"])
    stage.counts["records in the largest"] = int(row["largest"] or 0)
    return Done(seconds=0.0, notes={"engine": choice.engine, "why": choice.why})


def look_inside(state: NominalRun, stage: Stage) -> Done:
    """What speaks against two records of one component being one person; priced first."""
    size = F.col("records").cast("long")
    inside = component_sizes(state.work("components")).where(size <= F.lit(state.most_records))
    priced = inside.agg(F.coalesce(F.sum(size * (size - 1) / 2), F.lit(0)).cast("long").alias("pairs")).collect()[0]
    stage.counts["pairs inside components"] = int(priced["pairs"])
    found = conflicts_inside(
        state.records,
        state.work("components"),
        state.work("edges"),
        state.judgements,
        state.numbers,
        comparing=state.comparing,
        most_records=state.most_records,
    )
    for row in grouped(state.keep("conflicts", found), ["reason"], "pairs"):
        stage.counts[f"pairs with {row['reason']}"] = int(row["pairs"])
    return Done(seconds=0.0)


def guard(state: NominalRun, stage: Stage) -> Done:
    """Cut what does not hold together; keep every edge with what became of it."""
    edges, components = state.work("edges"), state.work("components")
    found = guard_components(
        components,
        edges.where("not denied"),
        state.work("conflicts"),
        limits=state.limits,
        most_records=state.most_records,
    )
    guarded = state.keep("guarded", found)
    version = state.run.store.overwrite(NOMINAL_EDGE, NOMINAL_EDGE.conform(with_cuts(edges, guarded)))
    stage.counts["components looked into"] = guarded.count()
    written = state.run.store.read(NOMINAL_EDGE, version=version)
    lost = written.where("judged_same and cut_reason is not null").count()
    stage.counts["edges judged the same that were cut all the same"] = lost
    for row in grouped(written.where("cut_reason is not null"), ["cut_reason"], "edges"):
        stage.counts[f"edges cut for {row['cut_reason']}"] = int(row["edges"])
    return Done(seconds=0.0, versions={NOMINAL_EDGE.name: version})


def identify(state: NominalRun, stage: Stage) -> Done:
    """Every record gets its nominal; ids last, and what happened is told in events."""
    store = state.run.store
    live = state.persons.select(record_id().alias("record_id")).distinct()
    grouping = clusters(live, state.work("components"), state.work("guarded"), most_records=state.most_records)
    former = (state.before(NOMINAL_MEMBER), state.before(NOMINAL))
    # Kept first: with_parted goes back to it three times, and it goes back to all records.
    grouped_records = with_parted(state.keep("grouping", grouping), former[0], state.judgements)
    members = assign_members(state.keep("clusters", grouped_records), *former, run_no=state.run_no)
    versions = {NOMINAL_MEMBER.name: store.overwrite(NOMINAL_MEMBER, members)}
    written = store.read(NOMINAL_MEMBER, version=versions[NOMINAL_MEMBER.name])
    made = tell_changes(written, *former, run_no=state.run_no)
    _put_back(state, NOMINAL_EVENT)
    versions |= {
        NOMINAL.name: store.overwrite(NOMINAL, made.nominal),
        NOMINAL_EVENT.name: store.append(NOMINAL_EVENT, made.event),
        NOMINAL_RUN.name: store.overwrite(NOMINAL_RUN, _runs(state)),
    }
    kept = store.read(NOMINAL, version=versions[NOMINAL.name])
    for row in grouped(kept, ["state"], "nominals"):
        stage.counts[f"{row['state']} nominals"] = int(row["nominals"])
    return Done(seconds=0.0, versions=versions)


def _runs(state: NominalRun) -> DataFrame:
    """NOMINAL_RUN with this run."""
    run = state.run
    row = {
        "run_no": state.run_no,
        "run_id": run.run_id,
        "started_at": run.started_at,
        "model_id": run.model.id,
        "code_version": code_version(),
    }
    return state.before(NOMINAL_RUN).unionByName(state.rows(NOMINAL_RUN, [row]))


def _put_back(state: NominalRun, contract: TableContract) -> None:
    """A table that is added to, as it was before this run: an interrupted attempt may have added to it already."""
    store = state.run.store
    if not store.exists(contract):
        return
    if state.former is None:
        store.drop(contract)
    else:
        store.restore(contract, state.former.versions[contract.name])


def describe(state: NominalRun, stage: Stage) -> Done:
    """What each person looks like, and the alerts: an employee and a person, with all their records and events."""
    store, member = state.run.store, state.own(NOMINAL_MEMBER)
    involvement, event = state.of_estate(INVOLVEMENT), state.of_estate(EVENT)
    looks = portrait(state.persons, involvement, event, member)
    built = build_alerts(
        hit=_with_default_view(state),
        hit_link=state.of_estate(HIT_LINK),
        link=state.of_estate(LINK),
        negated=state.negated,
        persons=state.persons,
        involvement=involvement,
        member=member,
    )
    versions = {
        NOMINAL_RECORD.name: store.overwrite(NOMINAL_RECORD, _by_reference(state, member)),
        NOMINAL_PORTRAIT.name: store.overwrite(NOMINAL_PORTRAIT, looks),
        NOMINAL_ALERT.name: store.overwrite(NOMINAL_ALERT, built.alert),
        SAME_NOMINAL.name: store.overwrite(SAME_NOMINAL, built.same_nominal),
    }
    stray = links_without_nominal(state.of_estate(LINK), member).agg(F.sum("links")).first()
    stage.counts["links without a nominal"] = int(stray[0] or 0) if stray else 0
    for contract, said in ((NOMINAL_PORTRAIT, "forms"), (NOMINAL_ALERT, "alerts"), (SAME_NOMINAL, "records offered")):
        stage.counts[said] = store.read(contract, version=versions[contract.name]).count()
    return Done(seconds=0.0, versions=versions)


def _with_default_view(state: NominalRun) -> DataFrame:
    """HIT, where ``default_view`` says what readers are shown by default: since the baseline of its lane, and no officer on duty."""
    items = with_baseline(state.of_estate(ITEM), state.of_estate(BASELINE), run_numbers(state.run.store))
    told = items.where(F.col("item_kind") == ItemKind.HIT.value).select(
        F.col("item_id").alias("hit_id"), "since_baseline"
    )
    hits = state.of_estate(HIT).join(told, on=["hit_id"], how="left")
    return hits.withColumn("default_view", F.col("default_view") & F.coalesce("since_baseline", F.lit(False)))


def _by_reference(state: NominalRun, member: DataFrame) -> DataFrame:
    """NOMINAL_RECORD."""
    named = with_record_id(state.persons.select("source_system", "person_ref").distinct())
    return NOMINAL_RECORD.conform(named.join(member, on=["record_id"]))


def check(state: NominalRun, stage: Stage) -> Done:
    """Keys, nulls, and what must hold of edges, members and nominals together; every fault at once."""
    tables = (
        NOMINAL_PAIR,
        NOMINAL_EDGE,
        NOMINAL_MEMBER,
        NOMINAL_RECORD,
        NOMINAL,
        NOMINAL_EVENT,
        NOMINAL_RUN,
        NOMINAL_PORTRAIT,
        NOMINAL_ALERT,
        SAME_NOMINAL,
    )
    faults = checks.all_table_faults([(table, state.own(table)) for table in tables])
    faults += _identity_faults(state)
    crossing = _crossing_edges(state)
    if stray := state.saved.done["persons"].counts["links without a nominal"]:
        faults.append(f"nominal_alert: {stray} links to records that belong to no nominal make no alert")
    faults += [f"nominal_edge: {n} {name}" for name, n in crossing.items() if n]
    stage.counts["tables"], stage.counts["faults"] = len(tables), len(faults)
    checks.stop_if(faults)
    return Done(seconds=0.0)


def _identity_faults(state: NominalRun) -> list[str]:
    """What is wrong with members, nominals and events."""
    of_this_run = F.col("run_no") == F.lit(state.run_no)
    made = Identity(
        member=state.own(NOMINAL_MEMBER), nominal=state.own(NOMINAL), event=state.own(NOMINAL_EVENT).where(of_this_run)
    )
    counted = identity_faults(
        made,
        state.work("clusters"),
        state.before(NOMINAL_MEMBER),
        state.before(NOMINAL),
        state.before(NOMINAL_EVENT),
        run_no=state.run_no,
    )
    return faults_in_words({row["fault"]: row["found"] for row in counted.collect()})


def _crossing_edges(state: NominalRun) -> dict[str, int]:
    """Edges that contradict the nominals, quarantined records aside."""
    member = state.own(NOMINAL_MEMBER)
    sides = {
        side: member.select(
            F.col("record_id").alias(f"{side}_record_id"),
            F.col("nominal_id").alias(f"{side}_nominal"),
            F.col("quarantined").alias(f"{side}_held"),
        )
        for side in ("left", "right")
    }
    placed = (
        state.own(NOMINAL_EDGE).join(sides["left"], on=["left_record_id"]).join(sides["right"], on=["right_record_id"])
    )
    free = placed.where("not left_held and not right_held")
    apart = F.col("left_nominal") != F.col("right_nominal")
    counted = free.agg(
        F.count_if(apart & F.col("cut_reason").isNull()).alias("edges that were not cut join two nominals"),
        F.count_if(~apart & F.col("cut_reason").isNotNull()).alias("edges that were cut stand inside one nominal"),
    )
    return {name: int(n) for name, n in counted.collect()[0].asDict().items()}
