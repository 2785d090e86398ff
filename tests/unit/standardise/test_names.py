"""Names as recorded -> tokens, titles, issue. Every case is written by hand."""

import pytest

from linkage_spark.standardise.names import choose_call_name, read_name, sound_of
from linkage_spark.standardise.text import mend_mojibake, to_ascii


def read(reference, *, title=None, given=None, surname=None, box=None, surname_first=False):
    return read_name(
        title=title, given=given, surname=surname, box=box, surname_first=surname_first, reference=reference
    )


@pytest.mark.parametrize(
    ("box", "given", "surname"),
    [
        ("SMITH, John Paul", "john paul", "smith"),
        ("John Smith", "john", "smith"),
        ("SMITH John", "john", "smith"),
        ("John SMITH", "john", "smith"),
        ("JOHN SMITH", "john", "smith"),
        ("MCDONALD Jane", "jane", "mcdonald"),
        ("McDONALD Jane", "jane", "mcdonald"),
        ("Mc Donald, Ronald", "ronald", "mcdonald"),
        ("VAN DER BERG Jan", "jan", "vanderberg"),
        ("Jan van der Berg", "jan", "vanderberg"),
        ("Sean O'Brien", "sean", "obrien"),
        ("Sean O’Brien", "sean", "obrien"),
        ("Seán Ó Briain", "sean", "obriain"),
        ("Anne Smith-Jones", "anne", "smith jones"),
        ("SMITH-JONES Anne", "anne", "smith jones"),
        ("KOWALSKI, Stanisław", "stanislaw", "kowalski"),
        ("Ștefan Țepeș", "stefan", "tepes"),
        ("JÃ³zef Nowak", "jozef", "nowak"),
        ("Harpreet Kaur Sandhu", "harpreet kaur", "sandhu"),
        ("Md Abdul Karim", "md abdul", "karim"),
        ("MIG_ERROR_John Smith", "john", "smith"),
        ("St. John, Ivor", "ivor", "stjohn"),
    ],
)
def test_one_box(reference, box, given, surname):
    form = read(reference, box=box)
    assert (" ".join(form.given), " ".join(form.surname), form.issue) == (given, surname, None)


def test_family_name_first(reference):
    form = read(reference, box="Nguyen Anh", surname_first=True)
    assert (form.given, form.surname) == (("anh",), ("nguyen",))


@pytest.mark.parametrize(
    ("given", "surname", "expected"),
    [
        ("John", "O' Brien", "john|obrien"),
        ("Jean-Paul", "de la Cruz", "jean paul|delacruz"),
        ("John", "Mac Donald", "john|macdonald"),
        ("John", "SAINT JOHN", "john|stjohn"),
        ("John", "St. John", "john|stjohn"),
        ("John2", "Smith", "john|smith"),
        ("J0hn", "Sm1th", "john|smith"),  # digits read for letters
        ("1sabel", "5oames", "isabel|soames"),
        ("0live", "B00n", "olive|boon"),
        ("John 1st", "Smith", "john st|smith"),
        ("Ji?i", "Dvo?ak", "jii|dvoak"),  # letters that another system could not write
        ("John?", "?Smith", "john|smith"),
        ("Rex", "Harrison", "rex|harrison"),
        ("Di", "Jones", "di|jones"),
        ("Luca", "Di Marco", "luca|dimarco"),
    ],
)
def test_parts(reference, given, surname, expected):
    form = read(reference, given=given, surname=surname)
    assert f"{' '.join(form.given)}|{' '.join(form.surname)}" == expected
    assert form.issue is None


@pytest.mark.parametrize(
    ("fields", "titles", "on_duty", "rest"),
    [
        ({"box": "PC 4512 Jones"}, "pc 4512", True, "|jones"),
        ({"box": "PC4512 JONES"}, "pc4512", True, "|jones"),
        ({"box": "DS John Smith"}, "ds", True, "john|smith"),
        ({"box": "DI Jones"}, "di", True, "|jones"),
        ({"box": "Di Jones"}, "", False, "di|jones"),
        ({"box": "Det Con Smith"}, "det con", True, "|smith"),
        ({"box": "Insp. Mary McDonald"}, "insp", True, "mary|mcdonald"),
        ({"box": "SMITH, John, PC 4512"}, "pc 4512", True, "john|smith"),
        ({"box": "Dr Md Rahman"}, "dr", False, "md|rahman"),
        ({"given": "Haji Abdul", "surname": "Khan"}, "haji", False, "abdul|khan"),
        ({"given": "PC", "surname": "JONES"}, "pc", True, "|jones"),
        ({"given": "John", "surname": "Smith Mr"}, "mr", False, "john|smith"),
        ({"title": "PC", "given": "John", "surname": "Jones"}, "pc", True, "john|jones"),
        ({"title": "Mrs", "given": "Ann", "surname": "Jones"}, "mrs", False, "ann|jones"),
        ({"box": "DUPLICATE_123 John Smith"}, "", False, "john|smith"),
    ],
)
def test_titles_ranks_and_collar_numbers(reference, fields, titles, on_duty, rest):
    form = read(reference, **fields)
    assert (" ".join(form.titles), form.on_duty) == (titles, on_duty)
    assert f"{' '.join(form.given)}|{' '.join(form.surname)}" == rest


@pytest.mark.parametrize(
    ("fields", "issue", "rest"),
    [
        ({}, "missing", "|"),
        ({"box": "  "}, "missing", "|"),
        ({"box": "UNKNOWN"}, "placeholder", "|"),
        ({"box": "A N Other"}, "placeholder", "|"),
        ({"box": "N/K"}, "placeholder", "|"),
        ({"box": "?"}, "placeholder", "|"),
        ({"box": "Unknown, John"}, "placeholder", "john|"),
        ({"surname": "REX"}, "placeholder", "|"),
        ({"given": "Baby", "surname": "Smith"}, "placeholder", "|smith"),
        ({"given": "XXXX", "surname": "Smith"}, "placeholder", "|smith"),
        ({"box": "Smithy"}, "single_token", "|smithy"),
        ({"box": "J Smith"}, "initials_only", "j|smith"),
        ({"given": "J P", "surname": "Smith"}, "initials_only", "j p|smith"),
        ({"surname": "Smith Jones"}, "missing", "|smith jones"),
        ({"box": "PC 4512"}, "missing", "|"),
    ],
)
def test_issues(reference, fields, issue, rest):
    form = read(reference, **fields)
    assert form.issue == issue
    assert f"{' '.join(form.given)}|{' '.join(form.surname)}" == rest


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("mohammed", "bilal"), "bilal"),
        (("md", "abdul"), "abdul"),
        (("mohammed",), "mohammed"),
        (("mohammed", "a"), "mohammed"),
        (("john", "mohammed"), "john"),
        ((), None),
    ],
)
def test_the_call_name_is_not_a_prefix_alone(reference, given, expected):
    assert choose_call_name(given, reference.names) == expected


def test_sounds_are_short_and_never_empty():
    assert sound_of("catherine") == "K0RN"
    assert len(sound_of("bartholomewson") or "") <= 6
    assert sound_of("h") is not None


@pytest.mark.parametrize(
    ("raw", "mended"),
    [("JÃ³zef", "Józef"), ("O\u00e2\u20ac\u2122Brien", "O’Brien"), ("José", "José"), ("Ã", "Ã")],
)
def test_mojibake_is_mended_only_where_it_round_trips(raw, mended):
    assert mend_mojibake(raw) == mended


def test_ascii_maps_letters_that_do_not_decompose():
    assert to_ascii("Łukasz Șerban Ødegård O’Neill") == "Lukasz Serban Odegard ONeill"
