"""The report of the job nominals: a page that opens offline, and a summary for the console.

It tells how police person records were joined, what was cut and why, what happened to nominals in this run, and shows a few
components as graphs. Counts, references and levels only: no name, date of birth or address of anybody.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from linkage_spark.report import nominal_pictures
from linkage_spark.report.console import WIDTH
from linkage_spark.report.nominal_pictures import CUT_WORDS
from linkage_spark.report.rendering import template
from linkage_spark.report.tables import Table, _table
from linkage_spark.report.words import count, label, percent, reasons
from linkage_spark.tables.enums import CutReason, NominalEventKind, NominalState

Figures = Mapping[str, Any]

_SHOWS: Mapping[str, str] = {
    **{reason: f"Cut: {words}" for reason, words in CUT_WORDS.items()},
    "largest": "The largest of those small enough to be drawn that was not cut",
    "far_apart": "Members that are the most steps apart",
    "quarantined": "Waits for a reviewer",
}
"""What an example shows."""

_STATES: Mapping[str, str] = {
    NominalState.LIVE: "live",
    NominalState.QUARANTINED: "live, but its records wait for a reviewer",
    NominalState.MERGED: "ended: merged into another",
    NominalState.RETIRED: "ended: no record is left",
}

_EVENTS: Mapping[str, str] = {
    NominalEventKind.CREATED: "nominals that are new",
    NominalEventKind.JOINED: "records that came to a nominal",
    NominalEventKind.LEFT: "records that are gone, and left their nominal",
    NominalEventKind.MERGED: "nominals that ended, merged into another",
    NominalEventKind.SPLIT: "nominals that gave records to another",
    NominalEventKind.QUARANTINED: "nominals that began to wait for a reviewer",
    NominalEventKind.RELEASED: "nominals that no longer wait",
    NominalEventKind.RETIRED: "nominals that ended: no record is left",
}

_SLOWEST = 3


def nominals_page(figures: Figures) -> str:
    """The whole page as HTML text: no script, and no font, picture or other resource from elsewhere.

    The same figures give the same bytes. Where there are examples the page names records, and is personal data.

    Args:
        figures: shape of ``runs.nominal_figures.gather_nominal_figures``; ``advisory``, the sentence that stands on every
            output, may stand beside them.
    """
    return template("nominals.html.j2").render(
        run=figures,
        advisory=figures.get("advisory", ""),
        verdict=_verdict(figures),
        warnings=_warnings(figures),
        headline=_headline(figures),
        sizes_words=_SIZES_WORDS,
        engine=_engine(figures),
        pictures=_pictures(figures),
        examples=[_example(example, number) for number, example in enumerate(figures["examples"], start=1)],
        tables=_tables(figures),
    )


def nominals_summary(figures: Figures) -> str:
    """The run in about twenty lines of plain text, for a terminal or a log file; its last line ends with a line break.

    Args:
        figures: as in ``nominals_page``.
    """
    facts = [
        (
            "candidate pairs",
            f"{count(figures['candidate_pairs'])}{_looked_at(figures)}, {count(figures['scored_pairs'])} above the model's floor in all",
        ),
        (
            "edges accepted",
            f"{count(figures['edges'])}, {count(figures['judged_edges'])} of them judged the same by a reviewer",
        ),
        ("PNC and CRO", _numbers(figures)),
        ("components", f"{count(figures['components'])}, the largest of {_records(figures['largest_component'])}"),
        ("found by", _engine(figures)),
        ("looked into", f"{count(figures['looked_into'])} components"),
        ("pairs against", reasons(figures["conflicts"])),
        ("edges cut", reasons(figures["cuts"])),
        ("nominals", reasons(figures["states"])),
        ("by records", ", ".join(f"{row['label']}: {count(row['nominals'])}" for row in figures["sizes"]) or "—"),
        ("in this run", reasons(figures["events"])),
        ("alerts", f"{count(figures['alerts'])} (one employee and one nominal each)"),
        ("offered", f"{count(figures['offered'])} further records of the same nominals, no hits themselves"),
        ("portraits", f"{count(figures['forms'])} forms of name, date of birth and address"),
        ("seconds", _seconds_words(figures["seconds"])),
    ]
    width = max(len(name) for name, _ in facts)
    head = (
        f"Nominals, run {figures['run_id']} (number {figures['run_no']})  model {figures['model_id']}  "
        f"code {figures['code_version']}"
    )
    lines = [head, *_wrapped(_verdict(figures)), *(line for text in _warnings(figures) for line in _wrapped(text)), ""]
    for name, text in facts:
        lines += _wrapped(text, first=f"{name.ljust(width)}  ")
    return "\n".join(lines) + "\n\n"


# ---- sentences ----------------------------------------------------------------------------------------------------


def _verdict(figures: Figures) -> str:
    """What came out, in one sentence or two."""
    if not figures["records"]:
        return "There are no police person records, so there are no nominals."
    several = sum(row["nominals"] for row in figures["sizes"] if row["label"] != "1")
    living = _living(figures)
    return (
        f"{_number(figures['records'], 'police person record')} make{'s' if figures['records'] == 1 else ''} "
        f"{_number(living, 'nominal')}, {count(several)} of them with two records and more. A nominal is a possible person, not "
        "a finding: every join can be undone."
    )


def _warnings(figures: Figures) -> list[str]:
    """What a reader must not pass over."""
    told = []
    if figures["quarantined_records"]:
        told.append(
            f"Waiting for a reviewer: {_records(figures['quarantined_records'])} of components too large to be looked into. Each "
            "stays in the nominal where it was."
        )
    return told


def _living(figures: Figures) -> int:
    """Nominals that have records."""
    return sum(row["nominals"] for row in figures["sizes"])


def _headline(figures: Figures) -> list[tuple[str, str]]:
    """The few numbers that a reader looks for first: (number, what it counts)."""
    living, records = _living(figures), figures["records"]
    return [
        (count(records), "police person records"),
        (count(living), "nominals"),
        (f"{records / living:.2f}" if living else "—", "records of a nominal on average"),
        (count(figures["edges"]), "pairs that join: by the rule, by a number or by a reviewer"),
        (count(sum(figures["cuts"].values())), "of them cut: they join nobody"),
        (count(figures["alerts"]), "alerts, one per employee and nominal"),
    ]


def _engine(figures: Figures) -> str:
    """Who found the components, and why."""
    return f"{figures['engine']}: {figures['engine_why']}"


def _numbers(figures: Figures) -> str:
    """What verified PNC and CRO numbers did."""
    told = figures["identifiers"]
    if not any(told.values()):
        return "no record bears a verified number"
    return (
        f"{_records(told['records'])} with a verified number; {_number(figures['identifier_edges'], 'edge')} with the same one, "
        f"{count(figures['edges_by_identifier'])} joined by it; not used: two of one kind on a record "
        f"{count(told['contradicted'])}, on too many records to join any {count(told['too_common'])}"
    )


def _seconds_words(seconds: Mapping[str, float]) -> str:
    """All seconds, and the slowest stages."""
    slowest = sorted(seconds.items(), key=lambda item: (-item[1], item[0]))[:_SLOWEST]
    most = ", ".join(f"{stage} {taken:.1f}" for stage, taken in slowest)
    return f"{sum(seconds.values()):.1f}{f', most of them: {most}' if most else ''}"


def _records(number: int) -> str:
    return _number(number, "record")


def _number(number: int, what: str) -> str:
    """A count and what it counts, as '1 record', '2 records'."""
    return f"{count(number)} {what}{'' if number == 1 else 's'}"


def _wrapped(text: str, *, first: str = "") -> list[str]:
    """Lines of a text; those after the first stand below its beginning."""
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))


# ---- pictures -----------------------------------------------------------------------------------------------------

_SIZES_WORDS = (
    "Nominals that have records, by how many they have, on a scale of tens. Most people are in police records once; a long tail "
    "of large nominals would be a sign that too much was joined."
)

_GRAPH_WORDS = (
    "Each frame is a nominal, each dot one of its records. Solid lines join, the wider the more they weigh; dashed lines were cut, "
    "each reason with dashes and a letter of its own."
)


def _pictures(figures: Figures) -> dict[str, Markup]:
    """Every picture that has something to show, by name."""
    drawn = {"sizes": nominal_pictures.nominals_by_size(figures["sizes"], name="sizes", words=_SIZES_WORDS)}
    for number, example in enumerate(figures["examples"], start=1):
        drawn[f"example_{number}"] = nominal_pictures.component_graph(
            example, name=f"example_{number}", title=f"Component {number}", words=f"{_told(example)} {_GRAPH_WORDS}"
        )
    return {name: Markup(svg) for name, svg in drawn.items() if svg}


def _example(example: Mapping[str, Any], number: int) -> dict[str, Any]:
    """One example for the template."""
    untold = example["cuts_untold"]
    return {
        "number": number,
        "titles": [_SHOWS[what] for what in example["shows"]],
        "told": _told(example),
        "path_head": f"The strongest path from {' to '.join(example['path_ends'])}, the two members of the first nominal "
        "that are the most steps apart:"
        if example["path"]
        else "",
        "path": example["path"],
        "cuts": example["cuts"],
        "untold": f"{untold} more edge{'' if untold == 1 else 's'} were cut." if untold else "",
    }


def _told(example: Mapping[str, Any]) -> str:
    """An example in a sentence or two; the size alone of one that is not drawn."""
    records, members = _records(example["records"]), example["members"]
    if not members:
        return f"{records} in one component: too large to be looked into, and not drawn."
    nominals = len({member["nominal"] for member in members})
    cut = sum(1 for edge in example["edges"] if edge["cut_reason"])
    joined = len(example["edges"]) - cut
    return f"{records} in {nominals} nominal{'' if nominals == 1 else 's'}; accepted edges: {joined} that join, {cut} that were cut."


# ---- tables -------------------------------------------------------------------------------------------------------


def _tables(figures: Figures) -> dict[str, Table]:
    """Every table with rows, by name."""
    made = {
        "steps": _steps(figures),
        "conflicts": _by_reason("Pairs inside components that may not be one person", "pairs", figures["conflicts"]),
        "cuts": _by_reason("Accepted edges that were cut", "edges", figures["cuts"], _CUTS_NOTE),
        "sizes": _sizes(figures["sizes"]),
        "states": _coded("Every nominal there ever was", "state", "nominals", _STATES, figures["states"]),
        "events": _coded("What happened in this run", "what", "number", _EVENTS, figures["events"]),
        "persons": _persons(figures),
        "rules": _rules(figures["rules"]),
        "seconds": _seconds(figures["seconds"]),
    }
    return {name: table for name, table in made.items() if table.rows}


_CUTS_NOTE = "An edge that was cut joins nobody, and stands with its reason in nominal_edge. Of several reasons the first is told."


def _steps(figures: Figures) -> Table:
    """From records to nominals."""
    cells = [
        ["police person records", count(figures["records"])],
        [f"candidate pairs{_looked_at(figures)}: proposed by a blocking rule", count(figures["candidate_pairs"])],
        ["pairs scored above the model’s floor", count(figures["scored_pairs"])],
        ["records with a verified PNC or CRO number", count(figures["identifiers"]["records"])],
        ["two verified numbers of one kind on a record: not used", count(figures["identifiers"]["contradicted"])],
        ["numbers on too many records to join any", count(figures["identifiers"]["too_common"])],
        [
            "edges: pairs that the joining rule accepts, a verified number joins, or a reviewer has judged the same",
            count(figures["edges"]),
        ],
        ["of which judged the same by a reviewer", count(figures["judged_edges"])],
        ["of which with the same verified number", count(figures["identifier_edges"])],
        ["of which joined by that number, where the rule does not hold", count(figures["edges_by_identifier"])],
        ["components: records that edges connect, of two records and more", count(figures["components"])],
        ["records of the largest component", count(figures["largest_component"])],
        ["components that the guard looked into", count(figures["looked_into"])],
        ["edges cut", count(sum(figures["cuts"].values()))],
        ["records that wait for a reviewer", count(figures["quarantined_records"])],
        ["nominals, single records among them", count(_living(figures))],
    ]
    return _table("From records to nominals", ["what", "number"], cells, 1)


def _looked_at(figures: Figures) -> str:
    """Of which records, where not of all."""
    looked_at = figures.get("looked_at")
    return "" if looked_at is None else f" of {_records(looked_at)} that changed with all others"


def _by_reason(title: str, what: str, counted: Mapping[str, int], note: str = "") -> Table:
    """Counts by CutReason, in its order."""
    cells = [[CUT_WORDS[reason], reason.value, count(counted[reason])] for reason in CutReason if counted.get(reason)]
    return _table(title, ["why", "reason", what], cells, 2, note)


def _coded(title: str, head: str, what: str, words: Mapping[str, str], counted: Mapping[str, int]) -> Table:
    """Counts by code, in the order of the words."""
    cells = [[text, count(counted[code])] for code, text in words.items() if counted.get(code)]
    return _table(title, [head, what], cells, 1)


def _sizes(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Nominals and their records by number of records."""
    nominals, records = sum(row["nominals"] for row in rows), sum(row["records"] for row in rows)
    cells = [
        [
            row["label"],
            count(row["nominals"]),
            percent(row["nominals"] / nominals),
            count(row["records"]),
            percent(row["records"] / records),
        ]
        for row in rows
    ]
    if cells:
        cells.append(["all", count(nominals), "", count(records), ""])
    heads = ["records of a nominal", "nominals", "share", "their records", "share"]
    return _table("Nominals by number of records", heads, cells, 1)


def _persons(figures: Figures) -> Table:
    """What hits and reviewers get from it."""
    cells = [
        ["alerts: one employee and one nominal each, with all its records and events", count(figures["alerts"])],
        ["records offered: of a linked nominal, but not themselves matched; no hits", count(figures["offered"])],
        ["forms of name, date of birth and address, per nominal and category of data subject", count(figures["forms"])],
    ]
    return _table("Hits per person", ["what", "number"], cells, 1)


def _rules(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Candidate pairs per blocking rule."""
    cells = [
        [
            row["rule_id"],
            *(
                count(row[name])
                for name in ("history_rows", "pairs_before_refinement", "refined_keys", "pairs_proposed", "pairs_first")
            ),
        ]
        for row in sorted(rows, key=lambda row: row["rule_no"])
    ]
    if cells:
        cells.append(["all", "", "", "", "", count(sum(row["pairs_first"] for row in rows))])
    heads = ["rule", "rows with a key", "pairs priced", "keys refined", "pairs proposed", "of which first"]
    note = "A pair is kept at its first rule: the last column adds up to all candidate pairs."
    return _table("Candidate pairs per blocking rule", heads, cells, 1, note)


def _seconds(stages: Mapping[str, float]) -> Table:
    """Seconds per stage."""
    cells = [[label(stage), f"{seconds:.1f}"] for stage, seconds in stages.items()]
    if cells:
        cells.append(["total", f"{sum(stages.values()):.1f}"])
    return _table("Seconds per stage", ["stage", "seconds"], cells, 1)
