"""Why records stand in one nominal, or apart, in sentences: references, levels and weights, no person's value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from linkage_spark.nominals.paths import reached, too_far_apart, tree_path
from linkage_spark.tables.enums import CutReason
from linkage_spark.tables.star import PLAIN_WORDS

Names = Mapping[int, str]
"""Record id → how the record is called, as 'crime/C-12'."""

CUT_SENTENCES: Mapping[CutReason, str] = {
    CutReason.JUDGED_NOT_SAME: "{pair} have been judged not the same by a reviewer",
    CutReason.PNC_DIFFERS: "{pair} have different verified PNC numbers",
    CutReason.CRO_DIFFERS: "{pair} have different verified CRO numbers",
    CutReason.DATES_CONTRADICT: "{pair} have dates of birth that contradict each other",
    CutReason.TWIN_PATTERN: "{pair} agree in date of birth, and bear two forenames, as twins do",
    CutReason.ANOTHER_OF_THE_HOUSEHOLD: "{pair} share a home, bear two forenames, and their dates of birth are not fully equal",
    CutReason.SEX_MARKED_CONFLICT: "{pair} have names that are marked for different sexes",
    CutReason.TOO_LARGE: "that would have made more records than one nominal may have",
    CutReason.TOO_LONG: "records on either side would have been more steps apart than one nominal may have",
    CutReason.WEAK_BRIDGE: "this edge alone, too weak for it, would have held two groups of records together",
}
"""Second half of the sentence of a cut; ``pair`` stands for the two records that may not meet."""

_LEVELS_OF = (("name", "level_name"), ("date", "level_date_of_birth"), ("address", "level_address"))


@dataclass(frozen=True)
class ToldEdge:
    """One accepted edge with its evidence, as in NOMINAL_EDGE: ``left`` < ``right`` are record ids.

    Attributes:
        left: the record with the lower id.
        right: the record with the higher id.
        weight_millibits: log2 odds of a match in 1/1000 bit.
        policy_reason: PolicyReason: the clause that the pair falls under.
        level_name: level of the whole name.
        level_date_of_birth: level of the date of birth.
        level_address: level of the address.
        judged_same: a reviewer's judgement *same* is in force for the pair.
        same_identifier: both records bear the same verified PNC or CRO number.
    """

    left: int
    right: int
    weight_millibits: int
    policy_reason: str
    level_name: str
    level_date_of_birth: str
    level_address: str
    judged_same: bool = False
    same_identifier: bool = False


def path_in_words(edges: Iterable[ToldEdge], start: int, end: int, *, names: Names) -> list[str]:
    """The strongest path between two records of one nominal, a sentence per step.

    Args:
        edges: edges that join, in any order; each pair once.
        start: record id.
        end: record id; the same as ``start`` gives no sentence.
        names: of every record on the path.

    Returns:
        As "crime/C-12 and custody/K-7: name, date of birth and home agree (31.2 bits; name exact, date exact, address
        same premises).", from the start on.

    Raises:
        ValueError: no path leads from one to the other.
    """
    told, here = [], start
    for edge in strongest_path(edges, start, end):
        there = edge.right if edge.left == here else edge.left
        told.append(f"{names[here]} and {names[there]}: {_why(edge)}.")
        here = there
    return told


def strongest_path(edges: Iterable[ToldEdge], start: int, end: int) -> list[ToldEdge]:
    """The edges between two records along the maximum spanning tree: no other path has a stronger weakest edge.

    Edges have the guard's order: judged the same before all others, then by weight, then lowest left, lowest right.

    Raises:
        ValueError: no path leads from one to the other.
    """
    if start == end:
        return []
    ordered = sorted(edges, key=lambda edge: (not edge.judged_same, -edge.weight_millibits, edge.left, edge.right))
    code = _codes(ordered)
    tree: list[dict[int, int]] = [{} for _ in code]
    group = list(range(len(code)))
    for number, edge in enumerate(ordered):
        one, other = code[edge.left], code[edge.right]
        kept, gone = group[one], group[other]
        if kept != gone:
            tree[one][other] = tree[other][one] = number
            group = [kept if label == gone else label for label in group]
    if start not in code or end not in code or group[code[start]] != group[code[end]]:
        raise ValueError(f"no path of {len(ordered)} edges leads from record {start} to record {end}")
    return [ordered[number] for number in tree_path(tree, code[start], code[end])]


def farthest_records(edges: Collection[ToldEdge], records: Sequence[int]) -> tuple[int, int] | None:
    """The two records of one nominal that are the most steps apart, of several the lowest pair.

    Args:
        edges: edges that join, each between two of ``records``.
        records: of one nominal, in any order; those that no path joins to the lowest are left out.

    Returns:
        The pair, the lower id first; None where the lowest record stands alone.
    """
    ordered = sorted(records)
    code = {record: number for number, record in enumerate(ordered)}
    near: list[dict[int, int]] = [{} for _ in ordered]
    for number, edge in enumerate(edges):
        near[code[edge.left]][code[edge.right]] = near[code[edge.right]][code[edge.left]] = number
    joined = sorted(reached(near, 0)) if ordered else []
    if len(joined) < 2:
        return None
    one, other = too_far_apart(joined, near, max_path=1) or joined[:2]
    return ordered[one], ordered[other]


def cut_in_words(edge: ToldEdge, reason: CutReason, because: tuple[int, int] | None, *, names: Names) -> str:
    """Why an accepted edge joins nobody, in one sentence.

    Args:
        edge: the edge.
        reason: why it was cut.
        because: the two records that would have met and may not; None where a limit is the reason.
        names: of the records of both.

    Returns:
        As "crime/C-12 and custody/K-9 would have joined (24.0 bits), but custody/K-9 and intel/I-3 have dates of
        birth that contradict each other."
    """
    judged = "a reviewer has judged them the same; " if edge.judged_same else ""
    numbered = "the same verified PNC or CRO number stands on both; " if edge.same_identifier else ""
    pair = "they"
    if because is not None and sorted(because) != [edge.left, edge.right]:
        pair = f"{names[because[0]]} and {names[because[1]]}"
    said = CUT_SENTENCES[reason].format(pair=pair)
    return (
        f"{names[edge.left]} and {names[edge.right]} would have joined ({judged}{numbered}{_bits(edge)}), but {said}."
    )


def _why(edge: ToldEdge) -> str:
    """What joins the two records of an edge."""
    levels = ", ".join(f"{attribute} {_level(getattr(edge, column))}" for attribute, column in _LEVELS_OF)
    if edge.judged_same:
        said = "a reviewer has judged them the same"
    elif edge.same_identifier:
        said = "the same verified PNC or CRO number stands on both"
    else:
        said = PLAIN_WORDS["policy_reason"][edge.policy_reason]
    return f"{said} ({_bits(edge)}; {levels})"


def _level(code: str) -> str:
    """A level in words; parts of a name that agree alike are told once."""
    parts = [part.split(" ", 1) for part in code.split(", ")]
    if [part[0] for part in parts] == ["given", "surname"] and parts[0][1] == parts[1][1]:
        return parts[0][1].replace("_", " ")
    return code.replace(", ", " and ").replace("_", " ")


def _bits(edge: ToldEdge) -> str:
    """The weight, as '24.0 bits'."""
    return f"{edge.weight_millibits / 1000:.1f} bits".replace("-", "−")


def _codes(edges: Iterable[ToldEdge]) -> dict[int, int]:
    """Record id → position among the records that edges touch, ascending."""
    return {record: number for number, record in enumerate(sorted({end for e in edges for end in (e.left, e.right)}))}
