"""The report of a training on the force's own records: a page that opens offline, and a summary for the console.

It tells what was made, what speaks against it, how to put it into use, and every parameter beside the shipped
one. It holds counts and figures only: no value of any record.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from linkage_spark.model.schema import ADDRESS_LEVELS, DATE_LEVELS, PARTIAL_DATE_LEVELS
from linkage_spark.report import training_pictures
from linkage_spark.report.console import WIDTH, _as_text
from linkage_spark.report.rendering import template
from linkage_spark.report.tables import Table, _table
from linkage_spark.report.words import count, label, percent, signed

Figures = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]

DRAWN_CELLS = 20
"""Cells of the name that are drawn: those that most matches are expected to show."""

LEAST_SHARE = 0.001
"""Share of matches that show a level, below which its change of weight is not among the biggest that are told."""

_ATTRIBUTES = {
    "date_of_birth": "Date of birth",
    "partial_date_of_birth": "Date of birth that lacks day or month",
    "address": "Address",
    "name": "Name",
}
_ORDERED = {
    "date_of_birth": DATE_LEVELS,
    "partial_date_of_birth": PARTIAL_DATE_LEVELS,
    "address": ADDRESS_LEVELS,
}
_CLASSES = {
    "match": "match: both records of one person",
    "random": "random: two people taken at random",
    "household": "household: two people of one home or family",
    "context": "context: two people of one street, town or trade",
}
_FREQUENCIES = {"given": "given names"}


def training_page(figures: Figures) -> str:
    """The whole page as HTML text: no script, and no font, picture or other resource from elsewhere.

    The same figures give the same bytes.

    Args:
        figures: shape of ``linkage.training.figures.ForceTrainingFigures``; ``advisory``, the sentence that stands on
            every output, may stand beside them.
    """
    words = _captions(figures)
    return template("training.html.j2").render(
        run=figures,
        advisory=figures.get("advisory", ""),
        verdict=_verdict(figures),
        faults=[_sentence(text) for text in figures["faults"]],
        doubts=[_sentence(text) for text in figures["doubts"]],
        headline=_headline(figures),
        attributes=[(name, title) for name, title in _ATTRIBUTES.items() if name != "name"],
        pooled=", ".join(label(name) for name in figures["pooled"]),
        nothing_found=_NOTHING_FOUND,
        sure=_sure(figures),
        rounds=_convergence(figures),
        words=words,
        pictures={name: Markup(svg) for name, svg in _pictures(figures, words).items() if svg},
        tables=_tables(figures),
    )


def training_summary(figures: Figures) -> str:
    """The training in about fifteen lines of plain text, for a terminal or a log file.

    Args:
        figures: shape of ``linkage.training.figures.ForceTrainingFigures``.
    """
    told = [_verdict(figures), *(_sentence(f"fault: {text}") for text in figures["faults"])]
    told += [_sentence(f"doubt: {text}") for text in figures["doubts"]]
    told += [] if figures["faults"] or figures["doubts"] else [_NOTHING_FOUND]
    facts = [
        ("learnt from", f"{count(figures['employees'])} employees and {count(figures['records'])} person records"),
        ("candidate pairs", f"{count(figures['candidate_pairs'])} of {large(figures['pairs'])}"),
        ("rounds", _rounds(figures)),
        ("expected matches", _expected_matches(figures)),
        ("prior", f"{_prior(figures['prior_bits'])}; shipped {_prior(figures['base_prior_bits'])}"),
    ]
    width = max(len(name) for name, _ in facts)
    head = f"Model {figures['model_id']}  base {figures['base_model_id']}  run {figures['run_id']}  code {figures['code_version']}"
    changes = biggest_changes(figures["levels"])
    parts = [
        "\n".join([head, *(_wrapped(text) for text in told)]),
        "\n".join(f"{name.ljust(width)}  {text}" for name, text in facts),
        _as_text(changes) if changes.rows else "No weight differs from the shipped one.",
        _wrapped(
            f'To put it into use: set model_id = "{figures["model_id"]}" under [screening] in conf/settings/base.toml, and run '
            "the backfill again. Until then nothing has changed."
        ),
    ]
    return "\n\n".join(parts) + "\n"


_NOTHING_FOUND = "No fault and no doubt was found. That is no measure of how often it is right."


def one_in(share: float) -> str:
    """A share in words: from 1 in 100 on as per cent, below it as '1 in 4,000'."""
    if share >= 0.01 or share <= 0:
        return percent(share)
    return f"1 in {large(1 / share)}"


def large(number: float) -> str:
    """A number with three figures that count, as '4,000', '16.7 million'; whole numbers below a million in full."""
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= 0.9995 * size:
            return f"{float(f'{number / size:.3g}'):,g} {name}"
    if isinstance(number, int):
        return count(number)
    return f"{float(f'{number:.3g}'):,.0f}"


def biggest_changes(rows: Rows, *, most: int = 3) -> Table:
    """The levels whose weight moved most from the shipped one, of those that matches show often enough to count."""
    moved = [
        row for row in rows if _has_both_parts(row) and row["m"] >= LEAST_SHARE and row["weight"] != row["base_weight"]
    ]
    moved.sort(key=lambda row: (-abs(row["weight"] - row["base_weight"]), row["attribute"], row["level"]))
    cells = [[label(row["attribute"]), label(row["level"]), *_weights(row)] for row in moved[:most]]
    title = f"Biggest changes of weight, of levels that {one_in(LEAST_SHARE)} matches or more show (bits)"
    return _table(title, ["attribute", "level", "trained", "shipped", "change"], cells, 2)


def _verdict(figures: Figures) -> str:
    """Whether the estimate stands in the model, in one sentence or two."""
    if figures["used"]:
        return (
            f"The estimate is used: {figures['model_id']} holds the parameters learnt from the force’s own records. "
            "No labels were used."
        )
    return (
        f"The estimate is not used: {figures['model_id']} keeps the shipped parameters of {figures['base_model_id']}. "
        "Its probabilities count as weak."
    )


def _headline(figures: Figures) -> list[tuple[str, str]]:
    """The few numbers that a reader looks for first: (number, what it counts)."""
    return [
        (count(figures["employees"]), "employees"),
        (count(figures["records"]), "police person records"),
        (count(figures["candidate_pairs"]), f"candidate pairs, of {large(figures['pairs'])} that there could be"),
        (_expected(figures["expected_matches"]), "matches expected among the candidate pairs"),
        (one_in(2.0 ** figures["prior_bits"]), "pairs taken at random is expected to be a match (prior odds)"),
    ]


def _pictures(figures: Figures, words: Mapping[str, str]) -> dict[str, str]:
    """Every picture that has something to show, by name; '' where a picture would be empty."""
    drawn = {
        "rounds": training_pictures.convergence(figures["log_likelihood"], name="rounds", words=words["rounds"]),
    }
    for attribute, title in _ATTRIBUTES.items():
        rows = _of(figures, attribute)
        if attribute == "name":
            rows = _carrying(rows)
        if rows:
            drawn[attribute] = training_pictures.weights_beside(
                rows, name=attribute, title=f"{title}: shipped and trained weights", words=words[attribute]
            )
    if figures["weights"]:
        drawn["weights"] = training_pictures.matches_by_weight(
            figures["weights"], name="weights", words=words["weights"]
        )
    return drawn


def _captions(figures: Figures) -> dict[str, str]:
    """What each picture shows, in words."""
    beside = "A ring is the shipped weight, a dot the trained one; the line between them is the change. The strongest level stands at the top."
    words = {
        "rounds": f"How far each round’s log-likelihood (natural logarithm) lay below that of the last of {count(len(figures['log_likelihood']))} "
        "rounds. A line that goes down evenly is a fit that settles. Rounds that were not below the last have no point.",
        "weights": f"Above: candidate pairs in grey, expected matches among them in blue, on a scale of tens. Below: the same expected matches on an even scale.{_half_way(figures['weights'])}",
        **dict.fromkeys(_ATTRIBUTES, beside),
    }
    cells = len(_carrying(_of(figures, "name")))
    words["name"] = (
        f"{beside} Drawn are the {cells} cells, both parts of the name known, that most matches are expected to show; "
        "all cells stand in the table below."
    )
    return words


def _half_way(rows: Rows) -> str:
    """The weight from which half of the expected matches lie, as a sentence; '' where none is expected."""
    total, above = sum(row["expected_matches"] for row in rows), 0.0
    for row in sorted(rows, key=lambda row: -row["at_least_bits"]):
        above += row["expected_matches"]
        if total > 0 and above >= total / 2:
            return f" Half of the expected matches weigh {_bits(row['at_least_bits'])} bits or more."
    return ""


def _tables(figures: Figures) -> dict[str, Table]:
    """Every table with rows, by name."""
    made = {
        "counts": _counts(figures),
        "classes": _classes(figures),
        "starts": _starts(figures),
        "prior": _priors(figures),
        "changes": biggest_changes(figures["levels"], most=10),
        **{name: _levels(figures, name) for name in _ATTRIBUTES},
        "calibration": _calibration(figures["calibration"]),
        "frequencies": _frequencies(figures["frequencies"]),
        "seconds": _seconds(figures["seconds"]),
    }
    return {name: table for name, table in made.items() if table.rows}


def _counts(figures: Figures) -> Table:
    """What the estimate stood on."""
    stands_for = large(figures["sampled_pair_stands_for"]) if figures["sampled_pairs"] else "—"
    cells = [
        ["employees", count(figures["employees"])],
        ["police person records", count(figures["records"])],
        ["pairs in the whole space: every employee with every record", count(figures["pairs"])],
        ["candidate pairs: proposed by a blocking rule", count(figures["candidate_pairs"])],
        ["other pairs: a sample of the rest", count(figures["sampled_pairs"])],
        ["pairs that one sampled pair stands for", stands_for],
        ["different patterns of levels among candidates and sample", count(figures["patterns"])],
        ["expected matches in the whole space, before frequencies", _expected(figures["expected_before_frequencies"])],
        ["expected matches among candidate pairs, with frequencies", _expected(figures["expected_matches"])],
        ["heavy keys that take a second key under this model", count(figures["refined_keys"])],
    ]
    return _table("What the estimate stood on", ["what", "number"], cells, 1)


def _classes(figures: Figures) -> Table:
    """Expected pairs of each class, and how many there are for every match."""
    classes, pairs = figures["classes"], figures["pairs"]
    matches = classes.get("match", 0.0)
    cells = [
        [
            _CLASSES.get(name, label(name)),
            _expected(expected),
            one_in(expected / pairs) if pairs else "—",
            _expected(expected / matches) if matches else "—",
        ]
        for name, expected in classes.items()
    ]
    note = "Expected pairs add up to the whole space. A class that took no part in the estimate is not listed."
    heads = ["class of pairs", "expected pairs", "share of all pairs", "pairs for every match"]
    return _table("Pairs of each class", heads, cells, 1, note)


def _starts(figures: Figures) -> Table:
    """Expected matches from each start, beside the one that counts."""
    starts = figures["starts"]
    cells = [
        [
            "the start that counts" if number == 0 else f"other start {number}",
            _expected(found),
            f"{_bits(100 * (found / starts[0] - 1))} %" if number and starts[0] else "—",
        ]
        for number, found in enumerate(starts)
    ]
    note = (
        "Before frequencies. Each start begins with another share of matches or with other levels; where they end far "
        "apart, these pairs fit more than one answer."
    )
    return _table("Expected matches from each start", ["start", "expected matches", "difference"], cells, 1, note)


def _priors(figures: Figures) -> Table:
    """The prior, trained beside shipped."""
    cells = [
        [name, one_in(2.0**bits), _bits(bits)]
        for name, bits in (("trained", figures["prior_bits"]), ("shipped", figures["base_prior_bits"]))
    ]
    note = "The odds of a match for an employee and a record taken at random: where every score starts from."
    return _table("Prior", ["prior", "odds of a match", "bits"], cells, 1, note)


def _levels(figures: Figures, attribute: str) -> Table:
    """Every level of one attribute, strongest first, trained beside shipped."""
    rows = _of(figures, attribute)
    cells = [
        [
            label(row["level"]),
            *(one_in(row[name]) for name in ("m", "base_m", "u", "base_u")),
            *_weights(row),
            _expected(row["expected_pairs"]),
        ]
        for row in reversed(rows)
    ]
    heads = ["level", "m", "m shipped", "u", "u shipped", "weight", "weight shipped", "change", "expected matches"]
    note = _pooled_note(rows) if attribute.removeprefix("partial_") in figures["pooled"] and figures["used"] else ""
    return _table(f"{_ATTRIBUTES[attribute]}: every level, trained beside shipped", heads, cells, 1, note)


def _pooled_note(rows: Rows) -> str:
    """Which neighbouring levels share one weight, in a sentence; '' where none do."""
    groups: list[list[Mapping[str, Any]]] = []
    for row in rows:
        if groups and groups[-1][0]["weight"] == row["weight"]:
            groups[-1].append(row)
        else:
            groups.append([row])
    told = [" = ".join(label(row["level"]) for row in group) for group in groups if len(group) > 1]
    return f"Of one weight, having been pooled: {'; '.join(told)}." if told else ""


def _calibration(rows: Rows) -> Table:
    """Candidate pairs by match probability, and what would be shown from each bin upwards."""
    cells = []
    for number, row in enumerate(rows):
        pairs = sum(above["pairs"] for above in rows[number:])
        expected = sum(above["expected_matches"] for above in rows[number:])
        cells.append(
            [
                f"{row['at_least']:g} and more",
                count(row["pairs"]),
                _expected(row["expected_matches"]),
                percent(row["expected_matches"] / row["pairs"] if row["pairs"] else None),
                count(pairs),
                _expected(expected),
                _expected(max(pairs - expected, 0.0)),
            ]
        )
    heads = [
        "match probability",
        "pairs, up to the next row",
        "expected matches",
        "mean probability",
        "pairs from here up",
        "matches among them",
        "not a match",
    ]
    note = "All of it is expected by the model, none of it counted against a truth."
    return _table("Candidate pairs by match probability: what the model states", heads, cells, 1, note)


def _frequencies(rows: Rows) -> Table:
    """Frequencies per attribute."""
    cells = [
        [
            _FREQUENCIES.get(row["attribute"], label(row["attribute"])),
            count(row["values_kept"]),
            count(row["records"]),
            f"1 in {large(row['told_at_one_in'])}",
        ]
        for row in rows
    ]
    heads = [
        "attribute",
        "values with a frequency of their own",
        "records that bear them",
        "weight told for a value of",
    ]
    note = "Agreement on a rarer value weighs more than the table of levels says, on a commoner one less."
    return _table("How common values are", heads, cells, 1, note)


def _seconds(stages: Mapping[str, float]) -> Table:
    """Seconds per stage."""
    cells = [[label(stage), f"{seconds:.1f}"] for stage, seconds in stages.items()]
    if cells:
        cells.append(["total", f"{sum(stages.values()):.1f}"])
    return _table("Seconds per stage", ["stage", "seconds"], cells, 1)


def _of(figures: Figures, attribute: str) -> Rows:
    """The levels of one attribute, weakest first: in the order of their meaning, name cells by weight."""
    order = {level: number for number, level in enumerate(_ORDERED.get(attribute, ()))}
    rows = [row for row in figures["levels"] if row["attribute"] == attribute]
    return sorted(rows, key=lambda row: (order.get(row["level"], len(order)), row["weight"], row["level"]))


def _carrying(cells: Rows) -> Rows:
    """The cells of the name that carry the most expected matches, in the order of their weight."""
    whole = [row for row in cells if _has_both_parts(row)]
    ranked = sorted(whole, key=lambda row: (-row["expected_pairs"], row["level"]))[:DRAWN_CELLS]
    return sorted(ranked, key=lambda row: (row["weight"], row["level"]))


def _has_both_parts(row: Mapping[str, Any]) -> bool:
    """Not a cell of a name of which one part is missing: its m is a share of those few pairs only."""
    return row["attribute"] != "name" or not ("missing" in row["level"] or "single name" in row["level"])


def _weights(row: Mapping[str, Any]) -> list[str]:
    """Trained and shipped weight and the change, as shown: the three add up."""
    trained, shipped = round(row["weight"], 1), round(row["base_weight"], 1)
    return [_bits(trained), _bits(shipped), _bits(trained - shipped)]


def _bits(bits: float) -> str:
    """Bits with sign and one decimal; never '−0.0'."""
    return signed(round(bits, 1) + 0.0)


def _expected(number: float) -> str:
    """An expected count: whole from 10 on, with one decimal below."""
    if number >= 9.95:
        return count(round(number))
    return "< 0.1" if 0 < number < 0.05 else f"{number:.1f}"


def _prior(bits: float) -> str:
    """A prior in words and bits."""
    return f"{one_in(2.0**bits)} ({_bits(bits)} bits)"


def _sure(figures: Figures) -> str:
    """How many matches can be told from other pairs, as a sentence."""
    return (
        f"Of the matches that the estimate expects, {percent(figures['sure_share'])} are among pairs that are a match "
        "more likely than not; the others cannot be told from other pairs by these attributes."
    )


def _convergence(figures: Figures) -> str:
    """How the fit went, as sentences for the page."""
    rounds = count(figures["rounds"])
    if figures["settled"]:
        return f"The estimate settled after {rounds} rounds."
    return f"The estimate had not settled after {rounds} rounds: its last round still moved it, so read it with care."


def _rounds(figures: Figures) -> str:
    """How the fit went, for the console."""
    settled = "settled" if figures["settled"] else "not settled"
    starts = figures["starts"]
    ends = f"; every start: {_expected(min(starts))} to {_expected(max(starts))} expected matches" if starts else ""
    return f"{count(figures['rounds'])}, {settled}{ends}"


def _expected_matches(figures: Figures) -> str:
    """Expected matches after and before frequencies, for the console."""
    before = _expected(figures["expected_before_frequencies"])
    return f"{_expected(figures['expected_matches'])} among candidate pairs ({before} in the whole space before frequencies)"


def _sentence(text: str) -> str:
    """The text as a sentence: first letter large, a full stop at its end."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, WIDTH))
