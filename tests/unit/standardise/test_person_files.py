"""What is said of a person file, and which columns it gets. The stages themselves are under tests/flows."""

import re
from pathlib import Path

import pytest

from linkage_spark.errors import SettingsError
from linkage_spark.settings.mapping import load_mapping, side
from linkage_spark.standardise import person_file_columns as made
from linkage_spark.standardise.dates import EARLIEST_YEAR
from linkage_spark.standardise.person_file_checks import choose_country, file_warnings, missing_columns
from linkage_spark.standardise.person_file_dates import EARLIEST_FILE_YEAR
from linkage_spark.standardise.person_files import FileRefusal
from linkage_spark.standardise.text import words_of
from linkage_spark.tables.enums import DobIssue, RefusalReason

MAPPING = """
[columns]
ref = "id"
given_names = "first"
surname = "last"
date_of_birth = "dob"
address = ["no", "street"]
locality = "town"
postcode = "pc"
[extra]
job = "text"
"""
COLUMNS = side(load_mapping("m.toml", MAPPING), None)
FULL = {
    **dict.fromkeys(("records", "with_given", "with_surname", "with_name", "with_full_date"), 100),
    **{f"dob_{issue.value}": 0 for issue in DobIssue},
    **dict.fromkeys(("recorded_postcode", "with_postcode", "recorded_address", "with_address"), 100),
    **{f"filled_{name}": 100 for name in (*made.PLACE_COLUMNS, "extra_job")},
    **dict.fromkeys(("with_partial_date", "broken_letters"), 0),
}


def test_every_missing_column_is_named_with_near_spellings():
    there = ["ID", "first", "last_name", "dob", "no", "street", "town", "pc", "job"]
    assert missing_columns(there, COLUMNS.keys, "data/people.csv") == [
        "data/people.csv: column 'id' (ref) is not in the file; correct the mapping: did you mean 'ID'?",
        "data/people.csv: column 'last' (surname) is not in the file; correct the mapping: did you mean 'last_name'?",
    ]
    assert missing_columns([*there, "id", "last"], COLUMNS.keys, "data/people.csv") == []


def test_a_missing_column_without_a_near_spelling_lists_what_is_there():
    columns = side(load_mapping("m.toml", "[columns]\nref='id'\ndate_of_birth={day='d1',month='m1',year='yob'}"), None)
    assert missing_columns(["id", "d1", "m1", "Alter"], columns.keys, "a.csv") == [
        "a.csv: column 'yob' (date_of_birth.year) is not in the file; correct the mapping: there are id, d1, m1, Alter"
    ]


@pytest.mark.parametrize(
    ("counts", "country"),
    [
        ({"file": {"postcodes": 100, "shaped": 80}}, "GB"),
        ({"file": {"postcodes": 100, "shaped": 79}}, "plain"),
        ({"file": {"postcodes": 19, "shaped": 18}}, "plain"),
        ({"file": {"postcodes": 19, "shaped": 19}}, "GB"),
        ({"file": {"postcodes": 20, "shaped": 16}}, "GB"),
        ({"left": {"postcodes": 9000, "shaped": 9000}, "right": {"postcodes": 500, "shaped": 3}}, "plain"),
        ({"left": {"postcodes": 9000, "shaped": 9000}, "right": {"postcodes": 0, "shaped": 0}}, "GB"),
        ({"file": {"postcodes": 0, "shaped": 0}}, "plain"),
        ({}, "plain"),
    ],
)
def test_the_country_follows_from_the_postcodes(counts, country):
    assert choose_country(counts, stated=None).country == country


def test_the_choice_of_country_says_why():
    counts = {"left": {"postcodes": 1000, "shaped": 7}, "right": {"postcodes": 30, "shaped": 0}}
    assert choose_country(counts, stated=None).reason == (
        "No country is stated; 7 of 1,000 postcodes (left) and 0 of 30 postcodes (right) are formed like British ones: "
        'addresses are compared as words and the postcode as a plain code; state country = "GB" in the mapping if they '
        "are British."
    )
    assert choose_country({}, stated=None).reason.startswith("No country is stated and no postcode is mapped: ")


def test_a_stated_country_wins():
    british, foreign = {"file": {"postcodes": 50, "shaped": 50}}, {"file": {"postcodes": 50, "shaped": 0}}
    assert choose_country(foreign, stated="GB").country == "GB"
    assert choose_country(british, stated="NL").country == "plain"
    assert choose_country(british, stated="NL").reason.startswith("Country NL, as the mapping states: ")


def test_further_columns_are_of_mapped_attributes_in_order():
    everything = {"name", "date_of_birth", "address", "locality", "postcode", "zeal", "job"}
    places = ("place_postcode", "place_house", "place_street", "place_locality")
    assert made.further_columns(everything, "plain") == (*places, "extra_job", "extra_zeal")
    assert made.further_columns(everything, "GB") == ("extra_job", "extra_zeal")
    assert made.further_columns({"name", "locality"}, "plain") == ("place_locality",)
    assert made.further_kinds(COLUMNS, {"postcode", "address", "job"}, "plain") == {
        "place_postcode": "code",
        "place_house": "house",
        "place_street": "street",
        "extra_job": "text",
    }


def test_letters_are_folded_as_names_fold_them():
    single = dict(zip(made._SINGLE_FROM, made._SINGLE_TO, strict=False))
    assert {letter: single[letter] for letter in "éłøüñçš"} == dict(zip("éłøüñçš", "elouncs", strict=True))
    assert dict(made._SEVERAL)["ß"] == "ss"
    assert all(
        plain == "".join(words_of(letter)) for letter, plain in (*single.items(), *made._SEVERAL) if letter.isalpha()
    )


def test_a_full_file_has_no_warning():
    assert file_warnings(FULL, columns=COLUMNS, file="a.csv", country="plain") == []
    assert file_warnings(FULL, columns=COLUMNS, file="a.csv", country="GB") == []


@pytest.mark.parametrize(
    ("change", "country", "expected"),
    [
        ({"with_surname": 0}, "plain", "a.csv: column last (surname) has no usable value in any of 100 records"),
        (
            {"with_full_date": 0, "dob_missing": 100},
            "plain",
            "a.csv: column dob (date_of_birth) has no usable value in any of 100 records",
        ),
        (
            {"with_full_date": 60, "dob_missing": 20, "dob_unreadable": 20},
            "GB",
            "a.csv: 20 of 80 dates of birth (column dob) cannot be read as dd/MM/yyyy, yyyyMMdd; state its format",
        ),
        ({"with_full_date": 0, "dob_partial": 100}, "GB", "a.csv: no full date of birth is known in 100 records"),
        ({"filled_place_locality": 0}, "plain", "a.csv: column town (locality) has no usable value"),
        ({"filled_extra_job": 0}, "GB", "a.csv: column job (extra.job) has no usable value"),
        ({"filled_place_street": 0, "filled_place_house": 0}, "plain", "a.csv: column no, street (address) has no"),
        ({"with_postcode": 3}, "GB", "a.csv: 3 of 100 postcodes (column pc) are British ones"),
        ({"recorded_postcode": 0, "with_postcode": 0}, "GB", "a.csv: column pc (postcode) has no usable value"),
        ({"broken_letters": 4}, "GB", "a.csv: 4 records hold letters that are not UTF-8"),
        ({"records": 0}, "GB", "a.csv: no record is left to compare"),
    ],
)
def test_what_is_empty_or_unreadable_gets_a_warning(change, country, expected):
    found = file_warnings({**FULL, **change}, columns=COLUMNS, file="a.csv", country=country)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_a_file_without_a_mapped_date_is_said():
    columns = side(load_mapping("m.toml", "[columns]\nref='id'\nsurname='s'"), None)
    counts = {**FULL, "with_full_date": 0, "dob_missing": 100}
    assert file_warnings(counts, columns=columns, file="b.csv", country="plain") == [
        "b.csv: no date of birth is mapped; records are compared without one"
    ]


def test_reasons_that_the_main_job_has_keep_their_words():
    assert FileRefusal.MISSING_KEY.value == RefusalReason.MISSING_KEY.value
    assert FileRefusal.DUPLICATE_ROW.value == RefusalReason.DUPLICATE_ROW.value


def test_messages_on_person_files_stand_on_the_page():
    page = (Path(__file__).resolve().parents[3] / "docs" / "bad-input.md").read_text(encoding="utf-8")
    wrong = (
        "[columns]\nsurnam = 's'",
        "[columns]\nref = 'id'\nfull_name = 'n'\nsurname = 's'\n[extra]\n'Job Title' = 'text'",
        "[columns]\nref = 'id'\ndate_of_birth = { column = 'd', format = 'YYYYMMDD' }",
    )
    said = missing_columns(
        ["id", "first", "last_name", "dob", "no", "street", "town", "pc", "job"], COLUMNS.keys, "people.csv"
    )
    for text in wrong:
        with pytest.raises(SettingsError) as caught:
            load_mapping("m.toml", text)
        said += str(caught.value).split("\n")
    assert len(said) == 1 + 3 + 2 + 1
    assert [sentence for sentence in said if f"`{sentence}`" not in page] == []
    section = page.split("## Person files")[1]
    assert {str(reason) for reason in FileRefusal} == set(
        re.findall(r"\| `([a-z_]+)`[, ].*\|.*\|$", section, re.MULTILINE)
    )
    assert f"from {EARLIEST_FILE_YEAR} to {EARLIEST_YEAR - 1}" in section
