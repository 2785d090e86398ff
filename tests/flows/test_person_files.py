"""A person file, from the file to PERSON and further columns; every row is kept or refused."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import date

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from linkage_spark.errors import SourceError
from linkage_spark.kit.frames import local_frame
from linkage_spark.reference.standard import load_reference
from linkage_spark.settings.mapping import load_mapping, side
from linkage_spark.standardise.person_file_checks import (
    count_file,
    count_postcodes,
    file_warnings,
    find_issues,
    issue_counts,
    missing_columns,
    unusable_columns,
)
from linkage_spark.standardise.person_files import REFUSED_COLUMNS, count_refused, standardise_person_file
from linkage_spark.store.person_files import read_person_file, translate_person_file_error
from linkage_spark.tables.canonical import PERSON
from tests.support.feeds import CONF

REFERENCE = load_reference(CONF)
PLANTED = "Zzqxvplanted"
AS_OF = date(2026, 11, 21)

FOREIGN = """
country = "AU"
[columns]
ref = "rec_id"
given_names = "given_name"
surname = "surname"
date_of_birth = { column = "born", format = "yyyyMMdd" }
address = ["street_number", "address_1", "address_2"]
locality = "suburb"
postcode = "postcode"
[extra]
job = { column = "occupation", kind = "text" }
number = { column = "soc_sec_id", kind = "exact" }
"""
FOREIGN_CSV = """rec_id, given_name, surname, born, street_number, address_1, address_2, suburb, postcode, occupation, soc_sec_id
r1, michaela, neumann, 19151111, 8, stanley street, miami, winston hills, 4223, "Clerk, retired", 5304218
r2, , O'Néill, 19880230, , may maxwell cres,  , "Sankt  Pölten", a-12, n/a, AB1
r3, zoë, van der Berg, , 12-14, st kilda rd, , , ,  ,
"""


def columns_of(text, which=None):
    return side(load_mapping("m.toml", text), which)


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def standard(frame, text, *, country="plain", side_name="file", numbered=False):
    columns = columns_of(text)
    return standardise_person_file(
        frame,
        columns=columns,
        attributes=columns.attributes,
        side=side_name,
        country=country,
        reference=REFERENCE,
        as_of=AS_OF,
        numbered=numbered,
    )


def by_ref(found):
    return {row["person_ref"]: row.asDict() for row in found.persons.collect()}


def refused_rows(found):
    return sorted((tuple(row) for row in found.refused.collect()), key=str)


def texts(spark, rows, names):
    return local_frame(spark, rows, schema=", ".join(f"`{name}` string" for name in names))


# ---- reading -----------------------------------------------------------------------------------------------


def test_a_csv_is_read_as_it_is_with_names_trimmed(spark, tmp_path):
    text = '\ufeff"id" , full name,note\n007,"Smith, Ann","two\nlines, ""quoted"""\n008,,\n'
    for name, content in (("a.csv", text.encode()), ("b.CSV", text.replace("\n", "\r\n").encode())):
        frame = read_person_file(spark, write(tmp_path, name, content))
        assert frame.columns == ["id", "full name", "note"]
        rows = [tuple(row) for row in frame.collect()]
        assert rows[0][:2] == ("007", "Smith, Ann")
        assert rows[0][2].replace("\r\n", "\n") == 'two\nlines, "quoted"'
        assert rows[1] == ("008", None, None)
    zipped = write(tmp_path, "c.csv.gz", gzip.compress(text.encode()))
    assert read_person_file(spark, zipped).count() == 2


def test_a_parquet_file_and_a_folder_of_them_keep_their_types(spark, tmp_path):
    data = pd.DataFrame({" id ": [1, 2], "born": pd.to_datetime(["1984-02-03", None]), "no": [3.0, None]})
    data.to_parquet(tmp_path / "one.parquet", coerce_timestamps="us")
    folder = tmp_path / "many.parquet"
    folder.mkdir()
    for part in ("a", "b"):
        data.to_parquet(folder / f"{part}.parquet", coerce_timestamps="us")
    one = read_person_file(spark, str(tmp_path / "one.parquet"))
    assert one.columns == ["id", "born", "no"]
    assert dict(one.dtypes)["id"] == "bigint"
    assert read_person_file(spark, f"{folder}/").count() == 4


def test_times_in_nanoseconds_get_a_remedy(spark, tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"id": [1], "born": pd.to_datetime(["1984-02-03"])}).to_parquet(path)
    with pytest.raises(SourceError, match="a column holds times in nanoseconds; write them in microseconds"):
        read_person_file(spark, str(path))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", "id\n1", "its name ends in none of .csv, .csv.gz, .parquet"),
        ("a.csv", "", "it has no header line"),
        ("a.csv", "id,,name\n1,2,3", "column 2 of the header has no name"),
        ("a.csv", "id, name ,Name\n1,2,3", "2 columns have one name ('name', 'Name'); rename all but one"),
        ("a.csv", "id;name\n1;2", "its columns are parted by semicolons; export it again with commas"),
        ("a.csv", "id,name\n1,x".encode("utf-16"), "it is not UTF-8"),
        ("a.csv", "id,pr\u00e9nom\n1,x".encode("latin-1"), "it is not UTF-8"),
        ("a.parquet", "id,name\n", "a file is not whole Parquet (it may be cut off); export it again"),
        ("a.csv.gz", "id,name\n", "a.csv.gz: it is no whole gzip file (it may be cut off); export it again"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_in_words(spark, tmp_path, name, content, says):
    path = write(tmp_path, name, content)
    with pytest.raises(SourceError) as caught:
        read_person_file(spark, path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
    assert "java" not in str(caught.value).lower()


def test_a_file_that_is_not_there_is_said(spark, tmp_path):
    with pytest.raises(SourceError, match=r"nothing\.csv: there is no such file; correct the path"):
        read_person_file(spark, str(tmp_path / "nothing.csv"))


def test_a_row_of_another_length_is_said_without_its_values(spark, tmp_path):
    path = write(tmp_path, "people.csv", f"id,name\n1,Ann\n2,Bob,{PLANTED}\n3\n")
    frame = read_person_file(spark, path)
    with pytest.raises((PySparkException, Py4JJavaError)) as caught:
        frame.collect()
    fault = translate_person_file_error(caught.value, {"left": f"{tmp_path}/a.csv", "right": path})
    assert str(fault) == (
        "right: file people.csv: a row has more or fewer values than the header has columns (cut off, or a quote not "
        "closed); export it again"
    )


def test_a_cut_off_gzip_file_is_said(spark, tmp_path):
    whole = gzip.compress("".join(f"{number},{number * 7919}\n" for number in range(200_000)).encode())
    path = write(tmp_path, "people.csv.gz", gzip.compress(b"id,name\n") + whole[: len(whole) // 2])
    with pytest.raises((PySparkException, Py4JJavaError)) as caught:
        read_person_file(spark, path).collect()
    fault = translate_person_file_error(caught.value, {"file": path})
    assert str(fault) == "file: file people.csv.gz: it is no whole gzip file (it may be cut off); export it again"


# ---- standard form -----------------------------------------------------------------------------------------


def test_a_foreign_file_gets_parts_of_places_and_extras(spark, tmp_path):
    frame = read_person_file(spark, write(tmp_path, "a.csv", FOREIGN_CSV))
    assert missing_columns(frame.columns, columns_of(FOREIGN).keys, "a.csv") == []
    found = standard(frame, FOREIGN)
    places = ["place_postcode", "place_house", "place_street", "place_locality"]
    assert found.persons.columns == [*PERSON.names, *places, "extra_job", "extra_number"]
    assert found.refused.columns == list(REFUSED_COLUMNS)
    rows = by_ref(found)
    assert {ref: [row[name] for name in found.persons.columns[-6:]] for ref, row in rows.items()} == {
        "r1": ["4223", "8", "stanley street miami", "winston hills", "clerk retired", "5304218"],
        "r2": ["A12", None, "may maxwell crescent", "sankt polten", None, "ab1"],
        "r3": [None, "12 14", "st kilda road", None, None, None],
    }
    first, second, third = rows["r1"], rows["r2"], rows["r3"]
    assert (first["source_system"], first["variant_no"], first["variant_kind"]) == ("file", 0, "recorded")
    assert (first["given_name"], first["surname"], first["name_raw"]) == ("michaela", "neumann", "michaela neumann")
    assert (first["date_of_birth"], first["date_of_birth_raw"]) == (date(1915, 11, 11), "19151111")
    assert (second["surname"], second["date_of_birth"], second["dob_issue"]) == ("oneill", None, "unreadable")
    assert (third["given_name"], third["surname"], third["dob_issue"]) == ("zoe", "vanderberg", "missing")
    for row in rows.values():
        address = [row[name] for name in ("address_raw", "postcode_raw", "paon", "street", "town", "postcode", "uprn")]
        assert address == [None] * 7
        assert (row["address_kind"], row["not_screened_reason"], row["on_duty_sign"]) == ("unknown", None, False)


def test_a_british_file_fills_the_address_of_person(spark):
    names = ("id", "name", "dob", "house", "street", "town", "pc")
    rows = [
        ("1", "Smith, Ann", "3/2/1984", "Flat 2", "14 High St", "Bham", "b236ab"),
        ("2", "", "", "", "", "", ""),
    ]
    text = '[columns]\nref="id"\nfull_name="name"\ndate_of_birth="dob"\naddress=["house","street"]\nlocality="town"\n'
    found = standard(texts(spark, rows, names), text + 'postcode="pc"', country="GB", side_name="left")
    assert found.persons.columns == list(PERSON.names)
    first, second = (by_ref(found)[ref] for ref in ("1", "2"))
    assert first["premises_key"] == "B23 6AB|14|2"
    assert (first["street"], first["town"], first["source_system"]) == ("high street", "birmingham", "left")
    assert (first["address_raw"], first["postcode_raw"]) == ("Flat 2, 14 High St, Bham", "b236ab")
    assert (first["given_name"], first["surname"], first["on_duty_sign"]) == ("ann", "smith", False)
    assert (second["name_issue"], second["address_issue"], second["not_screened_reason"]) == (
        "missing",
        "missing",
        None,
    )


def test_every_row_is_kept_or_refused_with_its_reason(spark):
    names = ("id", "surname", "town", "unread")
    rows = [
        ("1", "Smith", "York", "a"),
        (" 1 ", "Smith", "York ", "b"),
        ("2", "Jones", "Hull", "a"),
        ("2", PLANTED, None, "a"),
        ("2", "Jones", "Hull", "a"),
        ("", "Brown", "Leeds", "a"),
        (None, "Brown", "Leeds", "a"),
        ("3", "Green", "Ely", "a"),
    ]
    frame = texts(spark, rows, names)
    found = standard(frame, '[columns]\nref="id"\nsurname="surname"\nlocality="town"')
    assert sorted(by_ref(found)) == ["1", "3"]
    assert refused_rows(found) == sorted(
        [
            ("file", None, "1", "duplicate_row", None),
            *[("file", None, "2", "conflicting_rows", "surname, town")] * 3,
            *[("file", None, None, "missing_key", "id")] * 2,
        ],
        key=str,
    )
    assert [tuple(row) for row in count_refused(found.refused).collect()] == [
        ("conflicting_rows", 3),
        ("duplicate_row", 1),
        ("missing_key", 2),
    ]


def test_a_ref_of_several_columns_needs_every_one(spark):
    rows = [("A", "1", "Smith"), ("A", None, "Smith"), ("A", "2", "Smith")]
    found = standard(texts(spark, rows, ("book", "page", "s")), '[columns]\nref=["book","page"]\nsurname="s"')
    assert sorted(by_ref(found)) == ["A 1", "A 2"]
    assert refused_rows(found) == [("file", None, None, "missing_key", "book, page")]


def test_a_refused_row_of_a_csv_tells_its_number_and_of_equal_rows_the_first_is_kept(spark, tmp_path):
    text = 'id,surname,town\n1,Smith,York\n,Brown,"Le\neds"\n2,Jones,Hull\n1,Smith,York\n2,Jones,Ely\n1,Smith,York\n'
    frame = read_person_file(spark, write(tmp_path, "a.csv", text))
    found = standard(frame, '[columns]\nref="id"\nsurname="surname"\nlocality="town"', numbered=True)
    refused = sorted((row["row"], row["ref"], row["reason"]) for row in found.refused.collect())
    assert refused == [
        (2, None, "missing_key"),
        (3, "2", "conflicting_rows"),
        (4, "1", "duplicate_row"),
        (5, "2", "conflicting_rows"),
        (6, "1", "duplicate_row"),
    ]


@pytest.mark.parametrize("name", ["row_no", "Row_No", "copy", "content", "reason", "person_ref"])
@pytest.mark.parametrize("numbered", [True, False])
def test_a_column_may_have_any_name(spark, name, numbered):
    rows = [("A17", "Smith"), ("A18", "Jones"), ("A18", "Jones"), (None, "Green")]
    frame = texts(spark, rows, (name, "least")).coalesce(1)
    found = standard(frame, f'[columns]\nref="{name}"\nsurname="least"', numbered=numbered)
    assert sorted(by_ref(found)) == ["A17", "A18"]
    assert [(row["row"], row["ref"], row["reason"]) for row in found.refused.orderBy("reason").collect()] == [
        (3 if numbered else None, "A18", "duplicate_row"),
        (4 if numbered else None, None, "missing_key"),
    ]


def test_a_repaired_postcode_and_a_name_of_which_one_part_is_mapped_are_no_issues(spark):
    rows = [("1", "Smith", "AB1O 1AB"), ("2", "Jones", "XX9 9"), ("3", "Unknown", None)]
    text = '[columns]\nref="id"\nsurname="s"\npostcode="p"'
    found = standard(texts(spark, rows, ("id", "s", "p")), text, country="GB")
    listed = sorted(tuple(row)[1:] for row in find_issues(found.persons, "file").collect())
    assert listed == [("2", "address", "bad_postcode"), ("3", "name", "placeholder")]
    assert issue_counts(count_file(found.persons).collect()[0].asDict()) == {
        "name: placeholder": 1,
        "address: missing": 1,
        "address: bad_postcode": 1,
    }


def test_values_that_could_not_be_used_are_listed_by_record_and_counted(spark):
    rows = [("1", "Smith", "31/02/1980"), ("2", "Unknown", "1/1/1973"), ("3", "Jones", "1980"), ("4", "Brown", None)]
    found = standard(texts(spark, rows, ("id", "s", "d")), '[columns]\nref="id"\nsurname="s"\ndate_of_birth="d"')
    listed = sorted(tuple(row) for row in find_issues(found.persons, "file").collect())
    born = [row[1:] for row in listed if row[2] == "date_of_birth"]
    assert born == [
        ("1", "date_of_birth", "unreadable"),
        ("2", "date_of_birth", "first_of_january"),
        ("3", "date_of_birth", "partial"),
    ]
    assert ("file", "2", "name", "placeholder") in listed
    counted = issue_counts(count_file(found.persons).collect()[0].asDict())
    assert {name: records for name, records in counted.items() if name.startswith("date_of_birth")} == {
        "date_of_birth: missing": 1,
        "date_of_birth: unreadable": 1,
        "date_of_birth: partial": 1,
        "date_of_birth: first_of_january": 1,
    }


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.sampled_from([None, "", "1", "2", "3"]), st.sampled_from(["smith", "jones", None])), max_size=12
    ),
    seed=st.randoms(use_true_random=False),
)
def test_rows_in_are_rows_out_and_order_and_partitions_change_nothing(spark, rows, seed):
    text = '[columns]\nref="id"\nsurname="s"'
    shuffled = list(rows)
    seed.shuffle(shuffled)
    one = standard(texts(spark, rows, ("id", "s")), text)
    other = standard(texts(spark, shuffled, ("id", "s")).repartition(3), text)
    persons = sorted((row["person_ref"], row["surname"]) for row in one.persons.collect())
    assert persons == sorted((row["person_ref"], row["surname"]) for row in other.persons.collect())
    assert refused_rows(one) == refused_rows(other)
    assert len(rows) == len(persons) + len(refused_rows(one))
    counted = Counter(ref for ref, _ in rows if ref)
    whole = {ref for ref in counted if len({name for at, name in rows if at == ref}) == 1}
    assert [ref for ref, _ in persons] == sorted(whole)


# ---- dates -------------------------------------------------------------------------------------------------


def dates(spark, listed, born):
    rows = [(str(number), *(value if isinstance(value, tuple) else (value,))) for number, value in enumerate(listed)]
    names = ("id", "d", "m", "y")[: len(rows[0])]
    found = by_ref(standard(texts(spark, rows, names), f'[columns]\nref="id"\ndate_of_birth={born}'))
    fields = ("date_of_birth", "dob_year", "dob_month", "dob_day", "dob_issue")
    return [tuple(found[ref][name] for name in fields) for ref, *_ in rows]


def full(year, month, day, issue=None):
    return (date(year, month, day), year, month, day, issue)


def nothing(issue):
    return (None, None, None, None, issue)


def test_a_stated_age_beside_a_date_or_alone(spark):
    listed = [
        ("03/02/1984", "34", "06/05/2020"),
        ("", "34", "06/05/2020"),
        ("31/02/1984", "34", "06/05/2020"),
        ("", "", "06/05/2020"),
        ("", "34", ""),
        ("03/02/1783", "34", "06/05/2020"),
        ("", "30s", "06/05/2020"),
    ]
    aged = (None, 1985, None, None, "stated_age")
    beside = dates(spark, listed, "{ column = 'd', format = 'dd/MM/yyyy', age = 'm', age_as_of = 'y' }")
    assert beside == [
        full(1984, 2, 3),
        aged,
        aged,
        nothing("missing"),
        nothing("approximate_age"),
        aged,
        nothing("approximate_age"),
    ]
    alone = dates(spark, listed, "{ age = 'm', age_as_of = 'y' }")
    assert alone == [aged, aged, aged, nothing("missing"), nothing("approximate_age"), aged, nothing("approximate_age")]


def test_dates_without_a_format(spark):
    listed = ["1984-02-03", "03/02/1984", "19840203", "1984-02-03 00:00:00", "1984", "1984-02", " ", "1984-02-30"]
    listed += ["1984023", "02/30/1984", "2077-01-02", "1900-01-01", "not known", "1984-01-01"]
    assert dates(spark, listed, '"d"') == [
        *[full(1984, 2, 3)] * 4,
        (None, 1984, None, None, "partial"),
        (None, 1984, 2, None, "partial"),
        nothing("missing"),
        *[nothing("unreadable")] * 3,
        nothing("out_of_range"),
        nothing("placeholder"),
        nothing("placeholder"),
        full(1984, 1, 1, "first_of_january"),
    ]


def test_a_zero_that_a_spreadsheet_dropped_is_put_back(spark):
    listed = ["1021984", "01021984", "21984", "1984", "00000000"]
    assert dates(spark, listed, '{column="d", format="ddMMyyyy"}') == [
        full(1984, 2, 1),
        full(1984, 2, 1),
        nothing("unreadable"),
        (None, 1984, None, None, "partial"),
        nothing("placeholder"),
    ]


def test_a_date_in_parts_keeps_what_is_known(spark):
    listed = [
        ("3", "2", "1984"),
        ("03", "Feb", "1984"),
        ("3", "february", "84"),
        (None, "2", "1984"),
        ("0", "00", "1984"),
        ("5", None, "1984"),
        (None, "Feb", "1984"),
        ("30", "2", "1984"),
        ("3", "2", None),
        (None, " ", None),
    ]
    assert dates(spark, listed, '{day="d", month="m", year="y"}') == [
        *[full(1984, 2, 3)] * 3,
        (None, 1984, 2, None, "partial"),
        (None, 1984, None, None, "partial"),
        (None, 1984, None, None, "partial"),
        (None, 1984, 2, None, "partial"),
        nothing("unreadable"),
        nothing("unreadable"),
        nothing("missing"),
    ]


def test_people_of_earlier_centuries_keep_their_dates(spark):
    listed = ["1856-06-18", "18/06/1856", "1856", "06/1856", "1856-01-01", "1856-02-30", "0999-02-03", "1884-02-03"]
    assert dates(spark, listed, '"d"') == [
        *[full(1856, 6, 18)] * 2,
        (None, 1856, None, None, "partial"),
        (None, 1856, 6, None, "partial"),
        full(1856, 1, 1, "first_of_january"),
        nothing("unreadable"),
        nothing("out_of_range"),
        full(1884, 2, 3),
    ]
    assert dates(spark, ["18-Jun-1856"], '{column="d", format="dd-MMM-yyyy"}') == [full(1856, 6, 18)]


def test_numbers_and_dates_of_a_parquet_file_are_read_as_text(spark, tmp_path):
    data = pd.DataFrame(
        {
            "id": [7.0, 8.0],
            "s": ["Smith", "Jones"],
            "born": pd.to_datetime(["1984-02-03", None]),
            "no": [3.5, None],
            "pc": [4223.0, None],
            "code": [5304218, 12],
        }
    )
    data.to_parquet(tmp_path / "a.parquet", coerce_timestamps="us")
    text = '[columns]\nref="id"\nsurname="s"\ndate_of_birth="born"\npostcode="pc"\n[extra]\nno="exact"\ncode="exact"'
    rows = by_ref(standard(read_person_file(spark, str(tmp_path / "a.parquet")), text))
    names = ("date_of_birth", "place_postcode", "extra_code", "extra_no")
    assert {ref: tuple(row[name] for name in names) for ref, row in rows.items()} == {
        "7": (date(1984, 2, 3), "4223", "5304218", "3.5"),
        "8": (None, None, "12", None),
    }


def test_a_column_that_is_no_text_is_a_fault(spark):
    frame = local_frame(spark, [("1", ["a"])], schema="id string, names array<string>")
    columns = columns_of('[columns]\nref="id"\nsurname="names"')
    assert unusable_columns(frame, columns.keys, "people.parquet") == [
        "people.parquet: column 'names' (surname) has type array<string>; give it as text, a number or a date"
    ]


# ---- what is said ------------------------------------------------------------------------------------------


def test_postcodes_are_counted_by_their_form(spark):
    rows = [(text,) for text in ("B23 6AB", "b236ab", " SW1A 1AA ", "4223", "B23", "K1A 0B1", "", None)]
    columns = columns_of('[columns]\nref="pc"\npostcode="pc"')
    assert tuple(count_postcodes(texts(spark, rows, ("pc",)), columns).collect()[0]) == (6, 3)


def test_counts_say_what_is_empty_and_warnings_hold_no_value(spark):
    names = ("id", "first", "last", "dob", "town", "pc")
    rows = [(str(number), PLANTED, " ", "2/30/1984", "M\ufffdnster", None) for number in range(4)]
    rows.append(("9", None, None, None, "Ulm", "4223"))
    text = (
        '[columns]\nref="id"\ngiven_names="first"\nsurname="last"\ndate_of_birth="dob"\nlocality="town"\npostcode="pc"'
    )
    found = standard(texts(spark, rows, names), text)
    counts = count_file(found.persons).collect()[0].asDict()
    expected = {
        "records": 5,
        "with_given": 4,
        "with_surname": 0,
        "with_name": 4,
        "with_full_date": 0,
        "dob_unreadable": 4,
        "dob_missing": 1,
        "filled_place_postcode": 1,
        "filled_place_locality": 5,
        "broken_letters": 4,
    }
    assert {name: counts[name] for name in expected} == expected
    warnings = file_warnings(counts, columns=columns_of(text), file="a.csv", country="plain")
    assert [warning.split(";")[0] for warning in warnings] == [
        "a.csv: column last (surname) has no usable value in any of 5 records and is not compared",
        "a.csv: 4 of 4 dates of birth (column dob) cannot be read as dd/MM/yyyy, yyyyMMdd",
        "a.csv: 4 records hold letters that are not UTF-8",
    ]
    assert PLANTED not in " ".join(warnings)
