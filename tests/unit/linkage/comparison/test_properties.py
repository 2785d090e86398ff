"""Laws of the comparison: symmetric, whatever is recorded; missing is its own level; bounds lose nothing."""

from __future__ import annotations

import datetime

import jellyfish
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_spark.linkage.comparison import dates
from linkage_spark.linkage.comparison.levels import CROSSED, DIFFER, GIVEN, SURNAME, TYPO
from linkage_spark.linkage.comparison.names import compare_names
from linkage_spark.linkage.comparison.pair import compare
from linkage_spark.linkage.comparison.tokens import NameComparer, is_variant, may_be_alike
from linkage_spark.linkage.comparison.unlike import Vocabulary
from tests.support.examples import examples
from tests.unit.linkage.comparison.knowledge import cases, comparer, person, reference

TOKENS = st.sampled_from(
    "begum bibi popescu ionescu oluwaseun seun harpreet gurpreet xiao ming hong thi van novak novakova barnes bames dean sean "
    "john jon jonathan j smith smyth smiht mohammed muhammad md ali imran kaur singh gill kowalski kowalska "
    "anne marie annemarie o brien obrien paul paula bob robert mc donald macdonald am jm yusuf hassan desouza souza".split()
)
NAMES = st.one_of(st.none(), st.lists(TOKENS, max_size=4).map(" ".join), st.text(max_size=12), st.text(max_size=200))
PERSONS = st.builds(
    lambda given, surname, year, month, day, saon, paon, postcode, kind: (
        person(given, surname, "")
        | {"dob_year": year, "dob_month": month, "dob_day": day, "saon": saon, "paon": paon}
        | {"postcode": postcode, "postcode_district": postcode, "address_kind": kind}
        | (
            {"dob_month": None, "dob_day": None, "dob_issue": "stated_age"}
            if kind == "dwelling" and month is None
            else {}
        )
    ),
    NAMES,
    NAMES,
    st.one_of(st.none(), st.integers(1880, 2026)),
    st.one_of(st.none(), st.integers(1, 12)),
    st.one_of(st.none(), st.integers(1, 31)),
    st.sampled_from([None, "2", "22", ""]),
    st.one_of(st.sampled_from([None, "12", "12-14", "41A"]), st.text(max_size=6)),
    st.one_of(st.sampled_from([None, "B23 6AA", "B23 6AB"]), st.text(max_size=8)),
    st.sampled_from([None, "dwelling", "institution", "nonsense"]),
)


@settings(max_examples=examples(400), deadline=None)
@given(PERSONS, PERSONS)
def test_compare_is_symmetric_whatever_is_recorded(left: dict[str, object], right: dict[str, object]) -> None:
    assert compare(left, right, comparer=comparer()) == compare(right, left, comparer=comparer())


PARTS = st.one_of(st.none(), st.lists(TOKENS, min_size=1, max_size=3).map(" ".join))
WHOLE_NAMES = st.tuples(PARTS, PARTS)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.tuples(WHOLE_NAMES, WHOLE_NAMES), min_size=2, max_size=12))
def test_other_pairs_of_a_batch_change_no_name_level(
    pairs: list[tuple[tuple[str | None, str | None], tuple[str | None, str | None]]],
) -> None:
    columns = [pa.array([pair[side][part] for pair in pairs], type=pa.string()) for side in (0, 1) for part in (0, 1)]
    together = compare_names(*columns, comparer())
    for row in range(len(pairs)):
        alone = compare_names(*(column.slice(row, 1) for column in columns), comparer())
        found = (together.cell[row], together.given[row], together.surname[row], together.crossed[row])
        assert found == (alone.cell[0], alone.given[0], alone.surname[0], alone.crossed[0])


@settings(max_examples=examples(100), deadline=None)
@given(PERSONS)
def test_a_record_never_contradicts_itself(one: dict[str, object]) -> None:
    levels = compare(one, one, comparer=comparer())
    assert levels.level_given in ("exact", "missing")
    assert levels.level_surname in ("exact", "missing")
    assert not (levels.dob_contradicts or levels.twin_pattern or levels.forename_differs)


def test_an_empty_record_is_missing_in_every_attribute() -> None:
    levels = compare({}, person(), comparer=comparer())
    assert (levels.level_name, levels.level_date_of_birth, levels.level_address) == ("missing",) * 3


WORDS = st.text(alphabet="abcdeo", min_size=2, max_size=9)


@settings(max_examples=examples(600), deadline=None)
@given(WORDS, WORDS)
def test_the_letter_bound_never_turns_away_what_a_spelling_rule_accepts(a: str, b: str) -> None:
    short, long = sorted((a, b), key=len)
    edits = jellyfish.damerau_levenshtein_distance(short, long)
    closeness = jellyfish.jaro_winkler_similarity(short, long)
    if closeness >= 0.84 or (edits <= 1 and len(short) >= 3) or (edits <= 2 and len(short) >= 6):
        known = comparer().lexicon.known
        assert may_be_alike(short, long, known(short).letters, known(long).letters)


def test_a_forgetful_comparer_gives_the_same_levels() -> None:
    forgetful = NameComparer(reference(), memory=1)
    pairs = [("john", "jon"), ("smith", "smyth"), ("bob james", "robert"), ("john", "jon"), ("kaur", "singh")]
    for kind in (GIVEN, SURNAME, CROSSED):
        for left, right in pairs:
            assert forgetful.part_level(kind, left, right) == comparer().part_level(kind, left, right)


def test_no_name_is_a_variant_of_itself_only_through_others() -> None:
    assert comparer().token_level(GIVEN, "xqz", "wvk") == DIFFER


DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2020, 12, 31))
SLIPS = st.sampled_from(
    [
        lambda d: d,
        lambda d: d.replace(day=1, month=1),
        lambda d: d.replace(year=d.year - 1) if (d.month, d.day) != (2, 29) else d,
        lambda d: d.replace(year=d.year - 30, day=min(d.day, 28)),
        lambda d: d.replace(month=d.day, day=d.month) if d.day <= 12 else d,
        lambda d: d.replace(day=d.day % 28 + 1),
    ]
)


@settings(max_examples=examples(600), deadline=None)
@given(DAYS, DAYS, SLIPS, st.booleans())
def test_date_levels_equal_a_plain_reading_of_their_claims(
    one: datetime.date, other: datetime.date, slip: object, related: bool
) -> None:
    right = slip(one) if related else other  # type: ignore[operator]
    found = dates.compare_dates(_column(one), _column(right))
    assert dates.LEVELS[int(found.level[0])] == _plainly(one, right)


def test_a_generation_apart_is_never_near() -> None:
    years = np.arange(1900, 2021)
    left = dates.Dates(*(np.full(len(years), part) for part in (1960, 3, 4)))
    right = dates.Dates(years, np.full(len(years), 3), np.full(len(years), 4))
    found = dates.compare_dates(left, right)
    far = (np.abs(years - 1960) >= dates.GENERATION_YEARS) & (np.abs(years - 1960) != 100)
    assert not found.near[far].any()
    assert found.contradicts[far].all()


def test_what_the_gate_closes_for_a_stated_age_contradicts() -> None:
    """Blocking lets a pair pass where a month or a day is unknown and the years are at most one apart."""
    years = np.arange(1960, 2011)
    one, other = (grid.ravel() for grid in np.meshgrid(years, years))
    nothing, yes = np.zeros(len(one), dtype=np.int64), np.ones(len(one), dtype=np.bool_)
    march = np.full(len(one), 3)
    stated = dates.Dates(one, nothing, nothing, by_age=yes)
    for right in (
        dates.Dates(other, march, march),
        dates.Dates(other, nothing, nothing),
        dates.Dates(other, nothing, nothing, by_age=yes),
    ):
        found = dates.compare_dates(stated, right)
        assert (found.contradicts == (np.abs(one - other) > 1)).all()
        assert not found.full.any()
        assert not found.near.any()


def test_a_stated_age_that_agrees_never_reaches_a_level_above_a_year_that_agrees() -> None:
    years = np.arange(1960, 2011)
    nothing = np.zeros(len(years), dtype=np.int64)
    stated = dates.Dates(np.full(len(years), 1985), nothing, nothing, by_age=np.ones(len(years), dtype=np.bool_))
    found = dates.compare_dates(stated, dates.Dates(years, nothing + 1, nothing + 1)).level
    assert {int(year): dates.LEVELS[level] for year, level in zip(years, found, strict=True) if level > 1} == {
        1984: "partial_near",
        1985: "partial_year_agrees",
        1986: "partial_year_agrees",
    }


def _column(day: datetime.date) -> dates.Dates:
    return dates.Dates(np.array([day.year]), np.array([day.month]), np.array([day.day]))


def _plainly(a: datetime.date, b: datetime.date) -> str:
    texts = f"{a:%d%m%Y}", f"{b:%d%m%Y}"
    gap = abs(a.year - b.year)
    differing = [place for place in range(8) if texts[0][place] != texts[1][place]]
    starts = ((a.month, a.day) == (1, 1)), ((b.month, b.day) == (1, 1))
    if a == b:
        return "exact"
    if gap == 0 and (a.day, a.month) == (b.month, b.day):
        return "day_month_swap"
    if gap == 100 and (a.day, a.month) == (b.day, b.month):
        return "century"
    if gap == 0 and starts[0] != starts[1]:
        return "first_of_january"
    if gap < 13 and (len(differing) == 1 or _exchanged(texts, differing)):
        return "one_digit_or_transposition"
    if gap == 0 and (a.day == b.day or a.month == b.month):
        return "year_and_one_part"
    if (a.day, a.month) == (b.day, b.month) and not starts[0]:
        return "month_and_day"
    if gap < 13 and len(differing) == 2:
        return "two_digits"
    if gap == 0:
        return "year_only"
    return "within_two_years" if gap <= 2 else "within_ten_years" if gap <= 10 else "differ"


def _exchanged(texts: tuple[str, str], differing: list[int]) -> bool:
    if len(differing) != 2 or differing[1] != differing[0] + 1 or differing[0] in (1, 3):
        return False
    first, second = differing
    return texts[0][first] == texts[1][second] and texts[0][second] == texts[1][first]


def test_known_forms_follow_the_reference_of_nicknames() -> None:
    pairs = [
        *sorted(reference().nickname_pairs)[::7],
        ("bob", "robert"),
        ("alexander", "sasha"),
        ("john", "peter"),
    ]
    for one, other in pairs:
        known = reference().are_nicknames(one, other)
        short, long = sorted((one, other), key=len)
        known_forms = [(token, comparer().lexicon.known(token)) for token in (short, long)]
        alike = is_variant(GIVEN, *known_forms)
        same_spelling = reference().canonical(one) == reference().canonical(other)
        assert alike == (known or same_spelling), (one, other)


NAMES_ALIKE = st.sampled_from(
    (
        "alexander alexandra paul paula paulette jo ja mario maria marius mohammed muhammad md o oo ann anne annie nan "
        "catherine katherine kate kasia katarzyna kowalski kowalska ivanov ivanova singh kaur smith smyth smithson mac "
        "macdonald mcdonald saint st john jon jonathan jean jane janet jan paul jp jjp abdul rahman abdelrahman desouza souza "
        "alhussein hussain vandijk dijk cristian cristina begum bibi khatun popescu ionescu popesku oluwaseun seun oluwafemi femi "
        "harpreet gurpreet harprit baljit daljit barnes bames meena mina yaqoob yaqub xiao ming hong xiaoming dean sean novak novakova "
        "kazlauskaite kazlauskiene abdulrahman abdulrahim karim abdulkarim thi lan nibhriain"
    ).split()
)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(NAMES_ALIKE, TOKENS, WORDS, st.text(min_size=1, max_size=9)), min_size=1, max_size=3).map(
            " ".join
        ),
        min_size=2,
        max_size=20,
    )
)
def test_pairs_turned_away_on_whole_columns_differ_one_by_one(values: list[str]) -> None:
    values = list(dict.fromkeys(value for value in values if value.split()))
    vocabulary = Vocabulary(comparer().lexicon)
    vocabulary.numbers(values[::2])  # words that are known before others come
    a, b = (np.array(index).ravel() for index in np.meshgrid(np.arange(len(values)), np.arange(len(values))))
    number = vocabulary.numbers(values)
    for kind in (GIVEN, SURNAME, CROSSED):
        away = np.flatnonzero(vocabulary.surely_differ(kind, number[a], number[b]))
        for one, other in zip(a[away], b[away], strict=True):
            assert comparer().part_level(kind, values[one], values[other]) == DIFFER


RELATED = (
    (GIVEN, "abdhi", "abdifatah"),
    (GIVEN, "ab", "abette"),
    (GIVEN, "pius", "pia"),
    (GIVEN, "gus", "ga"),
    (GIVEN, "jo", "ja"),
    (GIVEN, "maca bc", "mcabc"),
    (GIVEN, "a", "anne"),
    (GIVEN, "kate mary", "kate"),
    (GIVEN, "jp", "jean paul"),
    (GIVEN, "abdul rahman", "abdelrahman"),
    (GIVEN, "cristian", "cristina"),
    (SURNAME, "alhussein", "hussain"),
    (SURNAME, "delacruz", "cruz"),
    (SURNAME, "borauskas", "boraite"),
    (SURNAME, "saint", "st"),
    (SURNAME, "macdonald", "mcdonald"),
    (SURNAME, "o neill", "oneill"),
    (GIVEN, "oluwaseun", "seun"),
    (GIVEN, "abdulkarim", "karim"),
    (GIVEN, "meena", "mina"),
    (GIVEN, "vvendy", "wendy"),
    (SURNAME, "begum", "bibi"),
    (SURNAME, "khatun", "bano"),
    (SURNAME, "novak", "novakova"),
    (SURNAME, "burns", "bums"),
    (SURNAME, "kazlauskaite", "kazlauskiene"),
    (CROSSED, "oluwaseun", "seun"),
    (CROSSED, "meena", "mina"),
    (CROSSED, "abdhi", "abdifatah"),
    (CROSSED, "borauskas", "boraite"),
)


@pytest.mark.parametrize(("kind", "one", "other"), RELATED)
def test_related_names_are_never_turned_away(kind: str, one: str, other: str) -> None:
    assert comparer().part_level(kind, one, other) != DIFFER, "the example is no example"
    for memory in (500_000, 1):
        vocabulary = Vocabulary(NameComparer(reference(), memory=memory).lexicon)
        for _ in range(2):
            number = vocabulary.numbers([one, other, "zyx"])
            pairs = number[[0, 1]], number[[1, 0]]
            assert not vocabulary.surely_differ(kind, *pairs).any()
            assert vocabulary.surely_differ(kind, number[[0, 1]], number[[2, 2]]).all()


def test_a_shared_ending_makes_no_two_surnames_alike_and_hides_no_slip() -> None:
    ending = [text for kind, text, least in reference().shared_parts if kind == "surname_ending" and least <= 3]
    for text in ending:
        one, other, slip = f"brzk{text}", f"dolm{text}", f"brzek{text}"
        assert comparer().part_level(SURNAME, one, other) == DIFFER, text
        assert comparer().part_level(SURNAME, one, slip) >= TYPO, text


def test_names_built_on_shared_parts_are_turned_away_only_where_they_differ_one_by_one() -> None:
    roots = "kub kob kobby call col colum columb dim dym bar ber mar mur paul pol sim sym".split()
    for kind, part in ((GIVEN, "given"), (SURNAME, "surname")):
        endings = sorted(text for at, text, _ in reference().shared_parts if at == f"{part}_ending")
        beginnings = sorted(text for at, text, _ in reference().shared_parts if at == f"{part}_beginning")
        for text in (*endings, *beginnings):
            values = [f"{root}{text}" if text in endings else f"{text}{root}" for root in roots]
            a, b = (np.array(index).ravel() for index in np.meshgrid(np.arange(len(values)), np.arange(len(values))))
            vocabulary = Vocabulary(comparer().lexicon)
            number = vocabulary.numbers(values)
            for row in np.flatnonzero(vocabulary.surely_differ(kind, number[a], number[b])):
                one, other = values[a[row]], values[b[row]]
                assert comparer().part_level(kind, one, other) == DIFFER, (kind, one, other)


def test_no_nickname_and_no_vector_of_the_cases_is_turned_away() -> None:
    nicknames = sorted(reference().nickname_pairs)
    listed = {kind: [(one, other) for _, one, other, _ in cases(f"names_{kind}")] for kind in (GIVEN, SURNAME)}
    for kind, pairs in ((GIVEN, nicknames), (CROSSED, nicknames), *listed.items()):
        vocabulary = Vocabulary(comparer().lexicon)
        values = [value for pair in pairs for value in pair]
        number = vocabulary.numbers(values)
        away = np.flatnonzero(vocabulary.surely_differ(kind, number[::2], number[1::2]))
        wrong = [pairs[row] for row in away if comparer().part_level(kind, *pairs[row]) != DIFFER]
        assert wrong == []


def test_a_vocabulary_forgets_strings_as_well_as_tokens() -> None:
    vocabulary = Vocabulary(NameComparer(reference(), memory=50).lexicon)
    words = [f"{first} {second}" for first in "abcdefgh" for second in "ijklmnop"]
    for start in range(0, len(words), 16):
        vocabulary.numbers(words[start : start + 16])
        assert len(vocabulary.count) <= 50


def test_most_pairs_of_unlike_names_are_turned_away() -> None:
    names_ = sorted({name for pair in reference().nickname_pairs for name in pair})[::40]
    vocabulary = Vocabulary(comparer().lexicon)
    a, b = (np.array(index).ravel() for index in np.meshgrid(np.arange(len(names_)), np.arange(len(names_))))
    number = vocabulary.numbers(names_)
    away = vocabulary.surely_differ(GIVEN, number[a], number[b])
    differ = np.array([comparer().part_level(GIVEN, names_[x], names_[y]) == DIFFER for x, y in zip(a, b, strict=True)])
    assert not (away & ~differ).any()
    assert away.sum() > 0.9 * differ.sum()
