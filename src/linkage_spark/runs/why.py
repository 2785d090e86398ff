"""Why a pair was linked or not: the desk for complaints. It speaks to the console, never through the log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from linkage_spark.errors import UsageError
from linkage_spark.kit.frames import local_frame
from linkage_spark.linkage.blocking import refined_hmacs, with_keys
from linkage_spark.linkage.comparison.tokens import NameKnowledge
from linkage_spark.linkage.decision import clause_of, judge, least_shown
from linkage_spark.linkage.keys import key_hmac
from linkage_spark.linkage.score_stage import score_pair
from linkage_spark.model.frequencies import Frequencies
from linkage_spark.model.schema import Model, Rule
from linkage_spark.reference.names import load_name_reference
from linkage_spark.review.judgements import link_judgements_in_force
from linkage_spark.runs.context import FORCE_ZONE
from linkage_spark.runs.entry import conf_dir, environment
from linkage_spark.runs.manifest import GoodRun, last_good_run
from linkage_spark.runs.models import find_model
from linkage_spark.runs.reviewers_words import read_words
from linkage_spark.runs.secret import load_secret
from linkage_spark.runs.session import open_session
from linkage_spark.settings.run import load_settings
from linkage_spark.settings.wording import load_wording
from linkage_spark.store.delta import DeltaStore
from linkage_spark.store.files import Files
from linkage_spark.tables.canonical import PERSON
from linkage_spark.tables.enums import Judgement, PolicyReason, SourceSystem, Tier
from linkage_spark.tables.linkage import FREQUENCY, LINK, REFINED_KEY
from linkage_spark.tables.review import LINK_JUDGEMENT, NEGATED_LINK

Row = Mapping[str, Any]

_RANK = {Tier.NON_MATCH: 0, Tier.POSSIBLE: 1, Tier.MATCH: 2}
_WEIGHTS = (
    ("prior", "weight_prior", None),
    ("name", "weight_name", "level_name"),
    ("  how common", "weight_name_frequency", None),
    ("date of birth", "weight_date_of_birth", "level_date_of_birth"),
    ("  how common", "weight_date_of_birth_frequency", None),
    ("address", "weight_address", "level_address"),
    ("  how common", "weight_address_frequency", None),
    ("household", "weight_household", None),
)


@dataclass(frozen=True)
class Desk:
    """What a pair is judged with, as the run froze it.

    Attributes:
        model: the run's model.
        refined: HMACs of the refined keys.
        frequencies: shares of values.
        names: nicknames, transliterations and sex-marked parts.
        secret: key of the HMACs.
    """

    model: Model
    refined: Collection[str]
    frequencies: Frequencies
    names: NameKnowledge
    secret: bytes


# --- Pure: rows in, text out ----------------------------------------------------------------------


def explain_pair(
    employee_rows: Sequence[Row],
    person_rows: Sequence[Row],
    desk: Desk,
    link: Row | None = None,
    *,
    negated: Row | None = None,
    said: Sequence[Row] = (),
) -> str:
    """Say of every pair of variants which rules propose it, its levels, weights and policy clause.

    Args:
        employee_rows: the employee's PERSON rows with ``key_parts`` and ``keys`` (``with_keys``).
        person_rows: those of the police person record.
        desk: model, refined keys, frequencies.
        link: the LINK row that the run published of the two; None when it published none.
        negated: the NEGATED_LINK row of the two; None where no reviewer's word took a link away.
        said: the words that are in force on the two by now, one for each evidence, as ``link_judgements_in_force`` gives them.

    Returns:
        Plain text without a person's recorded values: ids, rule names, levels and weights only. The
        best pair of variants, as ``decide`` chooses it, comes first.
    """
    pairs = [_Pair(left, right, desk) for left in employee_rows for right in person_rows]
    best = max(pairs, key=lambda pair: (pair.takes_part, bool(pair.proposed), *pair.order))
    others = [pair for pair in pairs if pair is not best]
    parts = [best.text(), *[pair.text() for pair in others], _outcome(best, pairs, link, negated, said)]
    return "\n\n".join(parts)


class _Pair:
    """One pair of variants, judged."""

    def __init__(self, left: Row, right: Row, desk: Desk) -> None:
        self.left, self.right, self.desk = left, right, desk
        self.said = [_rule_says(no, rule, left, right, desk) for no, rule in enumerate(desk.model.rules)]
        self.proposed = [rule.id for rule, (holds, _) in zip(desk.model.rules, self.said, strict=True) if holds]
        self.scored = score_pair(left, right, model=desk.model, frequencies=desk.frequencies, names=desk.names)
        self.tier, self.reason = judge(self.scored, desk.model)
        self.clause = clause_of(self.scored)

    @property
    def takes_part(self) -> bool:
        """Neither side is kept out of the comparison."""
        return not (self.left["not_screened_reason"] or self.right["not_screened_reason"])

    @property
    def order(self) -> tuple[int, int, int, int]:
        """Tier, weight, then the lowest variants: the order of ``decide``."""
        weight = int(str(self.scored["match_weight_millibits"]))
        return _RANK[self.tier], weight, -int(self.left["variant_no"]), -int(self.right["variant_no"])

    @property
    def bits(self) -> float:
        """The match weight in bits."""
        return int(str(self.scored["match_weight_millibits"])) / 1000

    def text(self) -> str:
        """Everything about this pair of variants."""
        head = (
            f"Variant {self.left['variant_no']} of the employee ({self.left['variant_kind']}) and "
            f"variant {self.right['variant_no']} of the person ({self.right['variant_kind']})"
        )
        return "\n".join([head, *self._sides(), *self._rules(), *self._weights(), *self._policy()])

    def _sides(self) -> list[str]:
        sides = (("employee", self.left), ("person", self.right))
        return [
            f"  Not compared in the run: the {name}'s row is kept out ({row['not_screened_reason']})."
            for name, row in sides
            if row["not_screened_reason"]
        ]

    def _rules(self) -> list[str]:
        width = max(len(rule.id) for rule in self.desk.model.rules)
        rows = zip(self.desk.model.rules, self.said, strict=True)
        lines = [f"    {rule.id:<{width}}  {'yes' if holds else 'no '}  {words}" for rule, (holds, words) in rows]
        return ["  Rules that propose it:", *lines]

    def _weights(self) -> list[str]:
        lines = [
            f"    {label:<15}{_bits(self.scored[weight])}  {self.scored[level] if level else ''}".rstrip()
            for label, weight, level in _WEIGHTS
        ]
        return ["  Levels and weights in bits:", *lines, f"    {'sum':<15}{self.bits:>+9.3f}"]

    def _policy(self) -> list[str]:
        model, thresholds = self.desk.model, self.desk.model.thresholds
        allows = f"{self.clause.reason.value}, which allows {self.clause.tier.value}"
        lines = [f"  Policy: {allows}; before rivals: {self.tier.value}."]
        if self.reason is PolicyReason.BELOW_THRESHOLD:
            shown = least_shown(model, on_duty=self.clause.reason is PolicyReason.ON_DUTY_NAME) / 1000
            asked = thresholds.match_bits if self.bits >= shown else shown
            lines.append(f"  Held back by its weight: {self.bits:+.3f} bits, where {asked:+.3f} are asked.")
        elif self.tier is not Tier.MATCH:
            lines.append(f"  Held back by the policy: {_first_line(self.clause.holds.__doc__)}")
        floor = thresholds.floor_bits - (model.on_duty_bits if self.right["on_duty_sign"] else 0.0)
        if self.bits < floor:
            lines.append(f"  Below the floor of {floor:+.3f} bits: the run kept no row of it.")
        return lines


def _rule_says(no: int, rule: Rule, left: Row, right: Row, desk: Desk) -> tuple[bool, str]:
    """Whether one rule proposes the pair, and why or why not."""
    unknown = [
        f"{name} is not there on the {side}"
        for side, row in (("employee", left), ("person", right))
        for name in rule.parts
        if row["key_parts"][name] is None
    ]
    if unknown:
        return False, ", ".join(unknown)
    differing = [name for name in rule.parts if left["key_parts"][name] != right["key_parts"][name]]
    if differing:
        return False, f"{', '.join(differing)} {'differs' if len(differing) == 1 else 'differ'}"
    equal = f"{', '.join(rule.parts)} equal"
    if not rule.refine or key_hmac(desk.secret, rule.id, left["keys"][no]) not in desk.refined:
        return True, equal
    second = left["key_parts"][rule.refine]
    if second is not None and second == right["key_parts"][rule.refine]:
        return True, f"{equal}; the key is a heavy one, and its second key {rule.refine} is equal too"
    return False, f"{equal}, but the key is a heavy one and its second key {rule.refine} is not equal"


def _outcome(best: _Pair, pairs: Sequence[_Pair], link: Row | None, negated: Row | None, said: Sequence[Row]) -> str:
    """What the run published of the two records, and what decided it."""
    if link is not None:
        return "\n".join([*_published(link), *word_beside(link, said)])
    if negated is not None:
        return "\n".join(taken_away(negated, said))
    if not any(pair.takes_part for pair in pairs):
        return "Published: no link; the two were never compared, because one is kept out of the comparison."
    proposed = [pair for pair in pairs if pair.proposed and pair.takes_part]
    if not proposed:
        would = f"it would have been {best.tier.value} ({best.reason.value}) with {best.bits:+.3f} bits"
        return f"Published: no link; no rule proposes the pair. Compared all the same, {would}."
    return f"Published: no link; the best pair of variants is {best.tier.value} ({best.reason.value})."


def _published(link: Row) -> list[str]:
    """The published link in words."""
    variants = f"variants {link['employee_variant_no']} and {link['person_variant_no']}"
    weight = f"weight {link['match_weight']:+.3f} bits"
    lines = [f"Published: tier {link['tier']}, {link['policy_reason']}, {weight}, {variants}."]
    if link["rival_employee_id"] is None:
        lines.append("No other employee competes for this person record.")
    else:
        lead = f"this pair leads by {link['leader_margin_bits']:+.3f} bits"
        lines.append(f"Strongest other employee: {link['rival_employee_id']}; {lead}.")
    lines.append(f"Posterior beside other employees and records that contradict it: {link['rival_posterior']:.4f}.")
    lines.append(str(link["explanation"]))
    return lines


def word_beside(link: Row, said: Sequence[Row]) -> list[str]:
    """What a reviewer said against a link that is shown all the same, in one line; no line where nobody did.

    Args:
        link: the LINK row.
        said: the words in force by now.
    """
    against = sorted(_not_same(said), key=lambda word: word["judged_at"])
    if not against:
        return []
    of_this = [word for word in against if word["evidence_fingerprint"] == link["evidence_fingerprint"]]
    if of_this:
        when = _when(of_this[-1]["judged_at"])
        return [f"On {when} a reviewer said of this very evidence: not the same. The next run takes the link away."]
    when = _when(against[-1]["judged_at"])
    return [
        f"On {when} a reviewer said of other evidence than this: not the same. Of this evidence nobody has said it."
    ]


def taken_away(negated: Row, said: Sequence[Row]) -> list[str]:
    """What a reviewer's word keeps from being shown, since when, and what brings it back.

    Args:
        negated: the NEGATED_LINK row.
        said: the words in force by now.
    """
    lines = [
        "Published: no link, because of a reviewer's word; without it: "
        f"tier {negated['tier']}, weight {negated['match_weight']:+.3f} bits.",
        f"On {_when(negated['judged_at'])} a reviewer said of this very evidence: not the same.",
        "The link comes back when a value that was compared changes, or when the word is taken back.",
    ]
    if all(word["evidence_fingerprint"] != negated["evidence_fingerprint"] for word in _not_same(said)):
        lines.append("That word is no longer in force: the next run no longer goes by it.")
    return lines


def _not_same(said: Sequence[Row]) -> list[Row]:
    """The words that say that the two are not the same."""
    return [word for word in said if word["judgement"] == Judgement.NOT_SAME.value]


def _when(moment: datetime) -> str:
    """A moment by the clock on the wall."""
    return f"{moment.astimezone(FORCE_ZONE):%Y-%m-%d %H:%M} (Europe/London)"


def _bits(millibits: object) -> str:
    """1/1000 bit as bits, signed."""
    return f"{int(str(millibits)) / 1000:>+9.3f}"


def _first_line(text: str | None) -> str:
    """The first line of a docstring."""
    return (text or "").strip().splitlines()[0]


# --- I/O ------------------------------------------------------------------------------------------


def parse_person(text: str) -> tuple[str, str]:
    """Split SOURCE:REF at the first colon.

    Raises:
        UsageError: no colon, no reference, or a source that is no police source.
    """
    source, _, ref = text.partition(":")
    known = [system.value for system in SourceSystem if system is not SourceSystem.HR]
    if source not in known or not ref:
        raise UsageError(f"--person {text}: write SOURCE:REF, where SOURCE is one of {', '.join(known)}")
    return source, ref


def run_why(*, employee_id: str, person: str, root: str) -> int:
    """Print why the two were linked or not in the run that readers see.

    Raises:
        UsageError: nothing is published under ``root``, or the run knows no such employee or person.
    """
    source, ref = parse_person(person)
    conf, env = conf_dir(), environment()
    settings, wording, names = load_settings(conf, env), load_wording(conf), load_name_reference(conf)
    with open_session("why") as spark:
        files = Files(spark)
        root = files.absolute(root)
        store = DeltaStore(spark, root)
        run = last_good_run(store)
        if run is None:
            raise UsageError(f"--out {root}: no run has been published there; run the backfill first")
        model = find_model(conf, store, run.model_id)
        desk = Desk(
            model=model,
            refined=refined_hmacs(_pinned(store, run, REFINED_KEY.name).collect()),
            frequencies=Frequencies.from_rows(row.asDict() for row in _pinned(store, run, FREQUENCY.name).collect()),
            names=names,
            secret=load_secret(files, root, settings=settings, env=env),
        )
        persons = _pinned(store, run, PERSON.name)
        left = _rows_of(spark, persons, SourceSystem.HR.value, employee_id, model, on_roster=True)
        if not left:
            raise UsageError(f"--employee {employee_id}: run {run.shown_run_id} has no such employee")
        right = _rows_of(spark, persons, source, ref, model, on_roster=False)
        if not right:
            raise UsageError(f"--person {person}: run {run.shown_run_id} has no such person record")
        pair = (employee_id, source, ref)
        link = _row_of(_of_pair(spark, _pinned(store, run, LINK.name), pair))
        negated, said = _negated(spark, store, run, pair), _said(spark, store, pair)
        text = explain_pair(left, right, desk, link, negated=negated, said=said)
        print(f"Employee {employee_id} and person {source}:{ref}, run {run.shown_run_id}, model {model.id}")
        if run.made_from.model != model.fingerprint:
            print("Note: the model file has changed since that run; these weights are today's file's.")
        print(f"\n{text}\n\n{wording.advisory}")
    return 0


def _pinned(store: DeltaStore, run: GoodRun, table: str) -> DataFrame:
    """One table as the run left it."""
    contract = {each.name: each for each in (PERSON, REFINED_KEY, FREQUENCY, LINK, NEGATED_LINK)}[table]
    return store.read(contract, version=run.versions[table])


def _rows_of(
    spark: SparkSession, persons: DataFrame, source: str, ref: str, model: Model, *, on_roster: bool
) -> list[dict[str, Any]]:
    """All variants of one record, by a join: an id never stands as a literal in a plan."""
    wanted = local_frame(spark, [(source, ref)], schema="source_system string, person_ref string")
    found = persons.join(F.broadcast(wanted), on=["source_system", "person_ref"], how="left_semi")
    rows = [row.asDict(recursive=True) for row in with_keys(found, model=model, on_roster=on_roster).collect()]
    return sorted(rows, key=lambda row: int(row["variant_no"]))


def _negated(spark: SparkSession, store: DeltaStore, run: GoodRun, pair: tuple[str, str, str]) -> dict[str, Any] | None:
    """The link of the two that a word took away in the run; None where there is none, or where the run knew of no such links."""
    if NEGATED_LINK.name not in run.versions:
        return None
    return _row_of(_of_pair(spark, _pinned(store, run, NEGATED_LINK.name), pair))


def _said(spark: SparkSession, store: DeltaStore, pair: tuple[str, str, str]) -> list[dict[str, Any]]:
    """The words in force on the two by now: of words the newest version alone is kept."""
    if not store.exists(LINK_JUDGEMENT):
        return []
    in_force = link_judgements_in_force(_of_pair(spark, read_words(store, LINK_JUDGEMENT), pair))
    return [row.asDict() for row in in_force.collect()]


def _of_pair(spark: SparkSession, frame: DataFrame, pair: tuple[str, str, str]) -> DataFrame:
    """The rows of the two, by a join: an id never stands as a literal in a plan."""
    wanted = local_frame(spark, [pair], schema="employee_id string, source_system string, person_ref string")
    return frame.join(F.broadcast(wanted), on=list(LINK.key), how="left_semi").select(*frame.columns)


def _row_of(frame: DataFrame) -> dict[str, Any] | None:
    """The one row of the two; None when there is none."""
    rows = frame.collect()
    return rows[0].asDict() if rows else None
