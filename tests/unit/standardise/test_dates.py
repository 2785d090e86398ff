"""Dates of birth as recorded -> parts and issue."""

from datetime import date

import pytest

from linkage_spark.standardise.dates import read_date

TODAY = date(2026, 11, 21)


def read(reference, text, *formats, latest=TODAY):
    return read_date(text, formats=formats, reference=reference, latest=latest)


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("03-FEB-1984", "dd-MMM-yyyy", date(1984, 2, 3)),
        ("3-Feb-1984", "dd-MMM-yyyy", date(1984, 2, 3)),
        ("03/02/1984", "dd/MM/yyyy", date(1984, 2, 3)),
        ("1984-02-03", "dd/MM/yyyy", date(1984, 2, 3)),
        ("1984-02-03 00:00:00", "dd/MM/yyyy", date(1984, 2, 3)),
        ("03/02/84", "dd/MM/yy", date(1984, 2, 3)),
        ("03/02/14", "dd/MM/yy", date(2014, 2, 3)),
        ("29/02/2004", "dd/MM/yyyy", date(2004, 2, 29)),
    ],
)
def test_full_dates(reference, text, form, expected):
    read_form = read(reference, text, form)
    assert read_form.full == expected
    assert (read_form.year, read_form.month, read_form.day) == (expected.year, expected.month, expected.day)
    assert read_form.issue is None


@pytest.mark.parametrize(
    ("text", "year", "month"),
    [("1984", 1984, None), ("05/1984", 1984, 5), ("May 1984", 1984, 5), ("1984-05", 1984, 5)]
    + [
        ("00/05/1984", 1984, 5),
        ("00/00/1984", 1984, None),
        ("1984-00-00", 1984, None),
        ("c. 1984", 1984, None),
    ],
)
def test_partial_dates(reference, text, year, month):
    form = read(reference, text, "dd/MM/yyyy")
    assert (form.full, form.year, form.month, form.day, form.issue) == (None, year, month, None, "partial")


@pytest.mark.parametrize(
    ("text", "issue"),
    [(None, "missing"), (" ", "missing"), ("1900-01-01", "placeholder"), ("1970-01-01", "placeholder")]
    + [("00/00/0000", "placeholder"), ("Unknown", "placeholder"), ("99/99/9999", "placeholder")]
    + [("31/02/1984", "unreadable"), ("yesterday", "unreadable"), ("13/1984", "unreadable")]
    + [("01/01/1879", "out_of_range"), ("22/11/2026", "out_of_range"), ("1850", "out_of_range")],
)
def test_nothing_usable(reference, text, issue):
    form = read(reference, text, "dd/MM/yyyy")
    assert (form.full, form.year, form.month, form.day) == (None, None, None, None)
    assert form.issue == issue


def test_first_of_january_is_kept_and_named(reference):
    form = read(reference, "01/01/1985", "dd/MM/yyyy")
    assert (form.full, form.issue) == (date(1985, 1, 1), "first_of_january")


def test_without_a_latest_day_the_future_is_not_judged(reference):
    assert read(reference, "2040-05-05", latest=None).issue is None
