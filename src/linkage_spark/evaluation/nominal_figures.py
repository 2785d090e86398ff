"""Counts of nominals against the truth → figures. Driver only: no Spark here; ``nominal_counts`` makes the rows.

Whole numbers and fractions until the last rounding, so that the same counts give the same text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypedDict

from linkage_spark.evaluation.figures import Proportion
from linkage_spark.evaluation.intervals import proportion
from linkage_spark.evaluation.pair_figures import F1Share, f1_share

Row = Mapping[str, Any]

PLACEHOLDER = "placeholder"
STRANGERS = "strangers"
NAMESAKES = "namesakes_of_one_date_of_birth"
TWINS = "twins"
HOUSEHOLD = "one_household"
RELATIONS: tuple[str, ...] = (TWINS, HOUSEHOLD, NAMESAKES, STRANGERS, PLACEHOLDER)
"""How two true persons in one nominal stand to each other: exactly one holds."""

SIZE_BANDS: tuple[tuple[str, int, int | None], ...] = (
    ("1", 1, 1),
    ("2", 2, 2),
    ("3", 3, 3),
    ("4", 4, 4),
    ("5-9", 5, 9),
    ("10-19", 10, 19),
    ("20+", 20, None),
)
"""Name, least and most records of each band of nominals."""


class NominalShares(TypedDict):
    """A labelling against one truth; null for 0/0.

    ``pairwise_*``: over pairs of records. Wilson's intervals take the pairs as independent; pairs of one nominal are
    not, so they are too narrow. ``b_cubed_*``: means over records of the share of the record's nominal that is its
    person's, and of the share of its person that is in its nominal.
    """

    pairwise_precision: Proportion
    pairwise_recall: Proportion
    pairwise_f1: F1Share
    b_cubed_precision: float | None
    b_cubed_recall: float | None
    b_cubed_f1: float | None


class WrongJoins(TypedDict):
    """Pairs of true persons in one nominal; ``contradicting_*``: their dates of birth no date level explains."""

    relation: str
    pairs: int
    nominals: int
    contradicting_pairs: int
    contradicting_nominals: int


class OverMerged(TypedDict):
    """Nominals with records of more than one true person.

    ``records_of_others``: not of the person who has most records in the nominal. ``persons``: wrongly joined, each
    counted once. ``largest``: true persons in one nominal. ``not_looked_into``: nominals of so many persons that
    their pairs were not listed; ``pairs`` and what follows leave them out. ``twins_joined``: of the pairs of
    twins of whom both have records (a pair joined in two nominals counts once in each).
    """

    nominals: Proportion
    records: int
    records_of_others: int
    persons: Proportion
    largest: int
    not_looked_into: int
    pairs: int
    contradicting_pairs: int
    contradicting_nominals: int
    twins_joined: int
    twin_pairs: int
    by_relation: list[WrongJoins]


class UnderMerged(TypedDict):
    """True persons in more than one nominal, of those with two records and more.

    ``extra_nominals``: nominals of those persons beyond one each. ``permitted_parts``: the same of the parts of
    persons that the rules permit to join; null where not asked. A record in no nominal counts as one by itself.
    """

    persons: Proportion
    extra_nominals: int
    permitted_parts: Proportion | None


class NominalSizes(TypedDict):
    """Nominals of a band of sizes, records without label among them."""

    size: str
    nominals: int
    records: int


class TraditionShares(TypedDict):
    """Records of one naming tradition; a joined pair of two traditions counts under both."""

    group: str
    records: int
    persons: int
    whole: NominalShares
    permitted: NominalShares | None


class NominalFigures(TypedDict):
    """One labelling of police records against the truth of a made-up force.

    ``whole``: against true persons. ``permitted``: the truth is cut down to the joins that the rules permit, and a pair
    of one true person that they do not permit is a wrong one there; null where not asked.
    """

    records: int
    unlabelled_records: int
    missing_records: int
    persons: int
    nominals: int
    largest_nominal: int
    whole: NominalShares
    permitted: NominalShares | None
    over_merged: OverMerged
    under_merged: UnderMerged
    sizes: list[NominalSizes]
    by_tradition: list[TraditionShares]


def nominal_figures(
    cells: Iterable[Row], *, sizes: Iterable[Row], over_merged: Row, wrong_joins: Iterable[Row], twins: Row
) -> NominalFigures:
    """Figures of the collected rows of ``nominal_counts.count_nominals``.

    Args:
        cells: of ``count_nominal_cells``.
        sizes: of ``cluster_figures.count_cluster_sizes``.
        over_merged: the row of ``count_over_merged``.
        wrong_joins: of ``count_wrong_joins``.
        twins: the row of ``count_twin_pairs``.
    """
    counted = list(cells)
    told = [row for row in counted if row["of_person"] is not None]
    by_size = {int(row["size"]): int(row["clusters"]) for row in sizes}
    persons = _number(told, "of_person")
    nominals = _number([row for row in told if not row["missing"]], "of_cluster")
    parts = _asks_parts(told)
    return {
        "records": _records(told),
        "unlabelled_records": sum(int(row["in_cell"]) for row in counted if row["of_person"] is None),
        "missing_records": _records([row for row in told if row["missing"]]),
        "persons": persons,
        "nominals": sum(by_size.values()),
        "largest_nominal": max(by_size, default=0),
        "whole": _shares(told, "in_both", "of_person", lambda row: int(row["of_cluster"])),
        "permitted": _shares(told, "in_cell", "of_part", lambda row: int(row["of_cluster"])) if parts else None,
        "over_merged": _over_merged(over_merged, list(wrong_joins), twins, nominals=nominals, persons=persons),
        "under_merged": _under_merged(told),
        "sizes": _sizes(by_size),
        "by_tradition": _by_tradition(told),
    }


def _shares(rows: Sequence[Row], together: str, of_entity: str, of_group: Callable[[Row], int]) -> NominalShares:
    """Shares over the records of ``rows``, every record weighing the same.

    A record of a cluster of c, of which g are of its group, is in g - 1 joined pairs within the group, each told twice,
    and in c - g joined pairs that leave it, each told once.

    Source of B-cubed: A. Bagga and B. Baldwin (1998), "Entity-based cross-document coreferencing using the vector
    space model", COLING-ACL, 79-85.

    Args:
        rows: of ``count_nominal_cells``.
        together: column: records of the record's cluster and entity.
        of_entity: column: records of its entity.
        of_group: records of its cluster that are of the group judged; all of them where everybody is judged.
    """
    joined = found = true = 0
    precision: Counter[int] = Counter()
    recall: Counter[int] = Counter()
    for row in rows:
        alike, cluster, entity = int(row["in_cell"]) * int(row["cells"]), int(row["of_cluster"]), int(row[of_entity])
        both, group = int(row[together]), of_group(row)
        joined += alike * (group - 1 + 2 * (cluster - group))
        found += alike * (both - 1)
        true += alike * (entity - 1)
        precision[cluster] += alike * both
        recall[entity] += alike * both
    records, in_cluster, in_entity = _records(rows), _total(precision), _total(recall)
    return {
        "pairwise_precision": proportion(found // 2, joined // 2),
        "pairwise_recall": proportion(found // 2, true // 2),
        "pairwise_f1": f1_share(found // 2, joined // 2, true // 2),
        "b_cubed_precision": round(float(in_cluster / records), 6) if records else None,
        "b_cubed_recall": round(float(in_entity / records), 6) if records else None,
        "b_cubed_f1": (
            round(float(2 * in_cluster * in_entity / (in_cluster + in_entity) / records), 6) if records else None
        ),
    }


def _total(over: Mapping[int, int]) -> Fraction:
    """The sum of numerators over their denominators."""
    return sum((Fraction(number, below) for below, number in sorted(over.items())), start=Fraction(0))


def _over_merged(row: Row, joins: Sequence[Row], twins: Row, *, nominals: int, persons: int) -> OverMerged:
    by_relation = {found["relation"]: found for found in joins}
    every = _wrong_joins("", by_relation.get(None))
    relations = [_wrong_joins(relation, by_relation.get(relation)) for relation in RELATIONS]
    joined = {found["relation"]: found["pairs"] for found in relations}
    return {
        "nominals": proportion(int(row["nominals"]), nominals),
        "records": int(row["records"]),
        "records_of_others": int(row["records_of_others"]),
        "persons": proportion(int(row["persons"]), persons),
        "largest": int(row["largest"]),
        "not_looked_into": int(row["not_looked_into"]),
        "pairs": every["pairs"],
        "contradicting_pairs": every["contradicting_pairs"],
        "contradicting_nominals": every["contradicting_nominals"],
        "twins_joined": joined[TWINS],
        "twin_pairs": int(twins["twin_pairs"]),
        "by_relation": relations,
    }


def _wrong_joins(relation: str, row: Row | None) -> WrongJoins:
    """One row of ``count_wrong_joins``; zeros where there is none."""
    found = row or {"pairs": 0, "nominals": 0, "contradicting_pairs": 0, "contradicting_nominals": 0}
    return {
        "relation": relation,
        "pairs": int(found["pairs"]),
        "nominals": int(found["nominals"]),
        "contradicting_pairs": int(found["contradicting_pairs"]),
        "contradicting_nominals": int(found["contradicting_nominals"]),
    }


def _under_merged(rows: Sequence[Row]) -> UnderMerged:
    split = [row for row in rows if row["in_both"] < row["of_person"]]
    parts = None
    if _asks_parts(rows):
        repeated = [row for row in rows if row["of_part"] > 1]
        apart = [row for row in repeated if row["in_cell"] < row["of_part"]]
        parts = proportion(_number(apart, "of_part"), _number(repeated, "of_part"))
    persons = _number(split, "of_person")
    return {
        "persons": proportion(persons, _number([row for row in rows if row["of_person"] > 1], "of_person")),
        "extra_nominals": _number(split, "in_both") - persons,
        "permitted_parts": parts,
    }


def _sizes(by_size: Mapping[int, int]) -> list[NominalSizes]:
    bands: list[NominalSizes] = []
    for name, least, most in SIZE_BANDS:
        inside = {size: number for size, number in by_size.items() if size >= least and (most is None or size <= most)}
        records = sum(size * number for size, number in inside.items())
        bands.append({"size": name, "nominals": sum(inside.values()), "records": records})
    return bands


def _by_tradition(rows: Sequence[Row]) -> list[TraditionShares]:
    """In alphabetical order."""

    def in_group(row: Row) -> int:
        return int(row["of_tradition"])

    groups: list[TraditionShares] = []
    for group in sorted({row["naming_tradition"] for row in rows}):
        own = [row for row in rows if row["naming_tradition"] == group]
        groups.append(
            {
                "group": group,
                "records": _records(own),
                "persons": _number(own, "of_person"),
                "whole": _shares(own, "in_both", "of_person", in_group),
                "permitted": _shares(own, "in_cell", "of_part", in_group) if _asks_parts(rows) else None,
            }
        )
    return groups


def _records(rows: Iterable[Row]) -> int:
    return sum(int(row["in_cell"]) * int(row["cells"]) for row in rows)


def _number(rows: Iterable[Row], of: str) -> int:
    """How many wholes the records of ``rows`` make, of the size in column ``of``: each record is 1/size of its whole."""
    sizes: Counter[int] = Counter()
    for row in rows:
        sizes[int(row[of])] += int(row["in_cell"]) * int(row["cells"])
    return int(_total(sizes))


def _asks_parts(rows: Iterable[Row]) -> bool:
    """Whether the permitted joins were given."""
    return any(row["of_part"] is not None for row in rows)
