"""Dates of birth as recorded -> parts and issue."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("text", "year", "issue"),
    [
        ("age 34 on 06/05/2020", 1985, "stated_age"),  # born from 7 May 1985 to 6 May 1986
        ("age 34 on 2020-05-06 14:30:00.123", 1985, "stated_age"),
        ("age 34.0 on 06/05/2020 14:30", 1985, "stated_age"),
        ("age 34 yrs on 2020-05-06", 1985, "stated_age"),
        ("unknown; age 34 on 06/05/2020", 1985, "stated_age"),
        ("31/02/1985; age 34 on 06/05/2020", 1985, "stated_age"),
        ("1984; age 34 on 06/05/2020", 1984, "partial"),
        ("age 34", None, "approximate_age"),
        ("age c. 34 on 06/05/2020", None, "approximate_age"),
        ("age 30-35 on 06/05/2020", None, "approximate_age"),
        ("age 30s on 06/05/2020", None, "approximate_age"),
        ("age 34 on Tuesday", None, "approximate_age"),
        ("31/02/1985; age 30s on 06/05/2020", None, "unreadable"),
        ("age 0 on 06/05/2020", None, "placeholder"),
        ("age 121 on 06/05/2020", None, "out_of_range"),
        ("age 34 on 06/05/2030", None, "out_of_range"),
    ],
)
def test_a_stated_age_leaves_the_earlier_of_two_years_and_says_so(reference, text, year, issue):
    form = read(reference, text, "dd/MM/yyyy")
    assert (form.full, form.year, form.month, form.day, form.issue) == (None, year, None, None, issue)


def test_a_date_on_record_counts_more_than_a_stated_age(reference):
    form = read(reference, "03/02/1984; age 34 on 06/05/2020", "dd/MM/yyyy")
    assert (form.full, form.issue) == (date(1984, 2, 3), None)


@pytest.mark.parametrize(
    ("text", "forms", "expected"),
    [
        ("03/14/1984", ("MM/dd/yyyy",), date(1984, 3, 14)),
        ("03/04/1984", ("MM/dd/yyyy",), date(1984, 3, 4)),
        ("03/14/1984", ("dd/MM/yyyy",), None),
        ("03/14/1984", ("dd/MM/yyyy", "MM/dd/yyyy"), date(1984, 3, 14)),
        ("03/04/1984", ("dd/MM/yyyy", "MM/dd/yyyy"), date(1984, 4, 3)),
    ],
)
def test_the_month_comes_first_only_where_the_mapping_says_so(reference, text, forms, expected):
    assert read(reference, text, *forms).full == expected


@pytest.mark.parametrize(
    "text", ["3.2.1984", "03-02-1984", "3 2 1984", "1984/02/03", "3 Feb 1984", "3rd February 1984", "3 FEB. 1984"]
)
def test_the_usual_signs_between_the_parts_and_written_months_are_read_too(reference, text):
    assert read(reference, text, "dd/MM/yyyy").full == date(1984, 2, 3)


@pytest.mark.parametrize("text", ["30.2.1984", "3.2", "3.2.84", "19840203", "13.13.1984", "3 Foo 1984"])
def test_what_no_format_explains_stays_unreadable(reference, text):
    assert read(reference, text, "dd/MM/yyyy").issue == "unreadable"


@pytest.mark.parametrize(
    ("text", "forms", "changes_on"),
    [
        ("24/11/2026", ("dd/MM/yyyy",), date(2026, 11, 24)),
        ("09/1985", ("dd/MM/yyyy",), None),
        ("05/2031", ("dd/MM/yyyy",), date(2031, 1, 1)),
        ("age 3 on 24/12/2026", ("dd/MM/yyyy",), date(2026, 12, 24)),
        ("24/12/2026; age 34 on 06/05/2020", ("dd/MM/yyyy",), date(2026, 12, 24)),
        ("31/02/1984; age 34 on 24/12/2026", ("dd/MM/yyyy",), date(2026, 12, 24)),
        ("unknown; age 34 on 24/12/2026", ("dd/MM/yyyy",), date(2026, 12, 24)),
        ("03/02/27", ("dd/MM/yy",), date(2027, 1, 1)),
        ("01/01/1879", ("dd/MM/yyyy",), None),
        ("03/02/1984", ("dd/MM/yyyy",), None),
        ("99/99/9999", ("dd/MM/yyyy",), None),
    ],
)
def test_the_day_on_which_a_date_reads_otherwise_is_known(reference, text, forms, changes_on):
    assert read(reference, text, *forms).changes_on == changes_on
    assert read(reference, text, *forms, latest=None).changes_on is None


_DAYS = st.dates(date(2026, 6, 1), date(2029, 6, 1))
_RECORDED = st.one_of(
    st.just(""),
    st.builds(
        lambda day, form: day.strftime(form),
        st.one_of(_DAYS, st.dates(date(1850, 1, 1), date(2110, 1, 1))),
        st.sampled_from(
            ["%d/%m/%Y", "%d/%m/%y", "%Y-%m-%d", "%d-%b-%Y", "%m/%Y", "%Y", "00/%m/%Y", "%d %B %Y", "31/02/%y"]
        ),
    ),
)
_AGES = st.builds(
    lambda years, day, form: f"age {years} on {day.strftime(form)}",
    st.integers(0, 130),
    _DAYS,
    st.sampled_from(["%d/%m/%y", "%d/%m/%Y", "%Y-%m-%d"]),
)


@given(
    recorded=_RECORDED,
    age=st.one_of(st.none(), _AGES),
    formats=st.sampled_from([("dd/MM/yyyy",), ("dd/MM/yy", "dd-MMM-yyyy"), ("dd/MM/yyyy", "dd/MM/yy")]),
    days=st.tuples(_DAYS, _DAYS).map(sorted),
)
def test_between_two_days_a_date_reads_alike_unless_it_says_that_it_changes(reference, recorded, age, formats, days):
    text = "; ".join(part for part in (recorded, age) if part)
    first, second = (read(reference, text, *formats, latest=day) for day in days)
    if first.changes_on is None or first.changes_on > days[1]:
        assert first == second
    else:
        before, on = (
            read(reference, text, *formats, latest=day)
            for day in (first.changes_on - timedelta(days=1), first.changes_on)
        )
        assert before[:5] == first[:5] != on[:5]
