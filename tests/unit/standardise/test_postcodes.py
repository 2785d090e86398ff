"""Postcodes as recorded -> unit, sector, district."""

import pytest

from linkage_spark.standardise.postcodes import find_postcode, read_postcode


@pytest.mark.parametrize(
    ("text", "unit"),
    [("B23 6AB", "B23 6AB"), ("b236ab", "B23 6AB"), (" B23  6AB ", "B23 6AB"), ("EC1A 1BB", "EC1A 1BB")]
    + [("W1A 1AA", "W1A 1AA"), ("M1 1AA", "M1 1AA"), ("CR0 2AB", "CR0 2AB"), ("DY1 1AA", "DY1 1AA")],
)
def test_well_formed(reference, text, unit):
    form = read_postcode(text, reference)
    outward = unit.split()[0]
    assert (form.postcode, form.sector, form.district) == (unit, unit[: len(outward) + 2], outward)
    assert not form.faulty


@pytest.mark.parametrize(
    ("text", "unit"),
    [("CRO 2AB", "CR0 2AB"), ("S01 4AB", "SO1 4AB"), ("B1I 4AB", "B11 4AB"), ("BI2 3AB", "B12 3AB")]
    + [("B23 OAB", "B23 0AB"), ("B2O 2AA", "B20 2AA")],
)
def test_repaired_when_only_one_is_real(reference, text, unit):
    form = read_postcode(text, reference)
    assert (form.postcode, form.faulty) == (unit, True)


@pytest.mark.parametrize(
    ("text", "sector", "district"),
    [("B23 6A", "B23 6", "B23"), ("B23 6", "B23 6", "B23"), ("B23", None, "B23"), ("B2 3", "B2 3", "B2")],
)
def test_partial(reference, text, sector, district):
    form = read_postcode(text, reference)
    assert (form.postcode, form.sector, form.district, form.faulty) == (None, sector, district, True)


@pytest.mark.parametrize("text", ["QQ1 1AA", "B23 6AC", "XX", "12345", "GIR 0AA", "ZX1 1AA", "BX1 1AA"])
def test_not_a_postcode(reference, text):
    form = read_postcode(text, reference)
    assert form.postcode is None
    assert form.faulty


def test_codes_that_mean_no_place(reference):
    assert read_postcode("NF1 1NF", reference).kind == "no_fixed_abode"
    assert read_postcode("ZZ99 3VZ", reference).kind == "no_fixed_abode"
    assert read_postcode("ZZ99 3WZ", reference).placeholder
    assert read_postcode("unknown", reference).placeholder


def test_at_the_end_of_a_line(reference):
    head, form = find_postcode("BIRMINGHAM B23 6AB", reference)
    assert form is not None
    assert (head, form.postcode) == ("BIRMINGHAM", "B23 6AB")
    assert find_postcode("UNIT B2 3AB ROAD", reference) == ("UNIT B2 3AB ROAD", None)
