"""A mapping file is read with all its faults at once."""

import pytest

from linkage_spark.errors import SettingsError
from linkage_spark.settings.mapping import (
    DEFAULT_DATE_FORMATS,
    BirthColumns,
    ClusterSettings,
    Extra,
    load_mapping,
    one_file_faults,
    side,
    stated_columns,
)

ISSUE = """
country = "GB"
[columns]
ref = "id"
given_names = "first_name"
surname = "surname"
date_of_birth = { column = "dob", format = "yyyyMMdd" }
address = ["house", "street"]
locality = "town"
postcode = "postcode"
[extra]
occupation = "text"
"""


def faults(text):
    with pytest.raises(SettingsError) as caught:
        load_mapping("m.toml", text)
    return str(caught.value).split("\n")


def test_the_mapping_of_the_issue_is_read():
    mapping = load_mapping("m.toml", ISSUE)
    columns = side(mapping, None)
    assert (mapping.country, columns.ref, columns.address) == ("GB", ("id",), ("house", "street"))
    assert columns.date_of_birth == BirthColumns(column=("dob",), formats=("yyyyMMdd",), stated=True)
    assert columns.extras == (Extra(name="occupation", column=("occupation",), kind="text"),)
    assert columns.attributes == {"name", "date_of_birth", "address", "locality", "postcode", "occupation"}
    assert not mapping.is_two_sided
    assert mapping.attributes == columns.attributes


def test_without_a_format_the_usual_ones_are_tried():
    born = side(load_mapping("m.toml", '[columns]\nref = "id"\ndate_of_birth = "dob"'), None).date_of_birth
    assert born == BirthColumns(column=("dob",), formats=DEFAULT_DATE_FORMATS, stated=False)


def test_a_date_may_stand_in_parts():
    text = '[columns]\nref = "id"\ndate_of_birth = { day = "d", month = "m", year = "y" }'
    born = side(load_mapping("m.toml", text), None).date_of_birth
    assert born is not None
    assert (born.column, born.day, born.month, born.year) == ((), ("d",), ("m",), ("y",))


def test_a_stated_age_stands_beside_a_date_or_alone():
    text = "[columns]\nref='id'\ndate_of_birth = {{ {} age = 'years', age_as_of = ['day', 'time'] }}"
    alone = side(load_mapping("m.toml", text.format("")), None).date_of_birth
    assert (alone.column, alone.age, alone.age_as_of) == ((), ("years",), ("day", "time"))
    beside = side(load_mapping("m.toml", text.format("column = 'dob', format = 'MM/dd/yyyy',")), None)
    assert beside.date_of_birth.formats == ("MM/dd/yyyy",)
    assert beside.keys["date_of_birth.age_as_of"] == ("day", "time")
    assert beside.attributes == {"date_of_birth"}


def test_country_may_be_written_in_small_letters_and_uk_is_gb():
    text = '[columns]\nref = "id"\nsurname = "s"'
    assert [load_mapping("m", f"country = '{code}'\n{text}").country for code in ("gb", "uk", "nl")] == [
        "GB",
        "GB",
        "NL",
    ]
    assert load_mapping("m", text).country is None


def test_a_side_replaces_columns_key_by_key():
    text = """
    [columns]
    ref = "id"
    given_names = "first"
    surname = "last"
    [extra]
    job = "text"
    email = { column = "E-mail", kind = "exact" }
    [left.columns]
    surname = ["last_1", "last_2"]
    postcode = "pc"
    [right.columns]
    ref = "key"
    full_name = "name"
    [right.extra_columns]
    job = "occupation"
    """
    mapping = load_mapping("m.toml", text)
    left, right = side(mapping, "left"), side(mapping, "right")
    assert [stated_columns(text, which) for which in ("left", "right")] == [left.keys, right.keys]
    assert (left.ref, left.given_names, left.surname, left.full_name) == (("id",), ("first",), ("last_1", "last_2"), ())
    assert (right.ref, right.given_names, right.surname, right.full_name) == (("key",), (), (), ("name",))
    assert [(extra.name, extra.column, extra.kind) for extra in right.extras] == [
        ("email", ("E-mail",), "exact"),
        ("job", ("occupation",), "text"),
    ]
    assert left.extras[1].column == ("job",)


def test_in_linking_an_attribute_counts_only_where_both_sides_have_it():
    text = '[columns]\nref = "id"\nsurname = "s"\n[left.columns]\npostcode = "pc"\nlocality = "town"'
    text += '\n[right.columns]\nlocality = "city"'
    mapping = load_mapping("m.toml", text)
    assert mapping.is_two_sided
    assert mapping.attributes == {"name", "locality"}
    assert side(mapping, None).attributes == {"name"}


def test_one_file_needs_its_ref_in_columns():
    text = '[columns]\nsurname = "s"\n[left.columns]\nref = "a"\n[right.columns]\nref = "b"'
    mapping = load_mapping("m.toml", text)
    assert side(mapping, "right").ref == ("b",)
    with pytest.raises(SettingsError, match=r"m.toml: \[columns\] has no column for ref"):
        side(mapping, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[columns]\nsurname = 's'",
            ["m.toml: key 'columns': ref is missing; add ref = \"…\", the column that says which"],
        ),
        ("[columns]\nref = 'id'", ["m.toml: key 'columns': nothing to compare; map at least one of given_names"]),
        ("", ["m.toml: key 'columns': ref is missing", "m.toml: key 'columns': nothing to compare"]),
        (
            "[columns]\nref = 'id'\nsurnam = 's'\nsurname = 's'",
            ["m.toml: unknown key 'columns.surnam'; did you mean 'surname'?"],
        ),
        ("contry = 'GB'\n[columns]\nref='id'\nsurname='s'", ["m.toml: unknown key 'contry'; did you mean 'country'?"]),
        (
            "[columns]\nref='id'\nfull_name='n'\nsurname='s'",
            ["m.toml: key 'columns.full_name': a name is full_name, or given_names and surname; leave one out"],
        ),
        ("country = 'Britain'\n[columns]\nref='id'\nsurname='s'", ["m.toml: key 'country': write a two-letter code"]),
        (
            "[columns]\nref=7\nsurname=[]",
            ["m.toml: key 'columns.ref': give the name", "m.toml: key 'columns.surname': give"],
        ),
        ("columns = 'id'", ["m.toml: key 'columns': make it a table"]),
        ("left = 1\n[columns]\nref='id'\nsurname='s'", ["m.toml: key 'left': make it a table"]),
        (
            "[columns]\nref='id'\nsurname='s'\n[left.extra_columns]\njob='j'",
            ["m.toml: key 'left.extra_columns.job': there is no such attribute in [extra]"],
        ),
        (
            "[columns]\nref='id'\nsurname='s'\n[left.colums]\nref='j'",
            ["m.toml: unknown key 'left.colums'; did you mean"],
        ),
    ],
)
def test_a_fault_names_file_key_and_remedy(text, expected):
    found = faults(text)
    assert len(found) == len(expected)
    for said, begin in zip(found, expected, strict=True):
        assert said.startswith(begin)


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("{ column = 'd', format = 'YYYYMMDD' }", "'D', 'Y' are no signs here; did you mean yyyyMMdd?"),
        (
            "{ column = 'd', format = 'dd.mm.yyyy' }",
            "format': it needs a day dd, a month MM or MMM and a year yyyy or yy; did you mean dd.MM.yyyy?",
        ),
        ("{ column = 'd', format = '%d/%m/%Y' }", "'Y', 'd', 'm' are no signs here; did you mean dd/MM/yyyy?"),
        ("{ column = 'd', format = 'd/M/yyyy' }", "did you mean dd/MM/yyyy?"),
        ("{ column = 'd', format = 'y-M-d' }", "did you mean yyyy-MM-dd?"),
        ("{ column = 'd', format = '%-d/%-m/%Y' }", "did you mean dd/MM/yyyy?"),
        ("{ column = 'd', format = 'DD-MON-YY' }", "'D', 'M', 'N', 'O', 'Y' are no signs here; write it as in"),
        ("{ column = 'd', format = 'dd/MM/yyyy hh:mm' }", "'h' is no sign here; write it as in"),
        ("{ column = 'd', format = 'yyyy-MM' }", "format': it needs a day dd"),
        ("{ column = 'd', format = 'dd/MM/yyyy dd' }", "format': a sign stands in it twice"),
        ("{ column = 'd', format = 8 }", "format': write it as in"),
        ("{ column = 'd', day = 'x' }", "date_of_birth': it has both 'column' and 'day'"),
        ("{ day = 'x', month = 'm' }", "date_of_birth': add 'column', or 'year'"),
        ("{ day = 'x', year = 'm' }", "month': missing; a day says nothing"),
        ("{ colum = 'x', year = 'm' }", "unknown key 'columns.date_of_birth.colum'; did you mean 'column'?"),
        ("{ year = 'm', format = 'yyyy' }", "format': a format belongs to a 'column'"),
        ("3", "date_of_birth': give the name of a column"),
        ("{ age = 'a' }", "age_as_of': missing; 'age' says nothing without it"),
        ("{ column = 'd', age_as_of = 'a' }", "age': missing; 'age_as_of' says nothing without it"),
        ("{ age = 3, age_as_of = 'a' }", "age': give the name of a column"),
        ("{ format = 'dd/MM/yyyy' }", "add 'column', or 'year' with 'month' and 'day', or 'age' with 'age_as_of'"),
    ],
)
def test_a_date_that_cannot_be_read_is_a_fault(born, expected):
    assert any(expected in fault for fault in faults(f"[columns]\nref='id'\ndate_of_birth = {born}"))


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ('"Job Title" = "text"', 'write job_title = { column = "Job Title", kind = "text" }'),
        ("job = 'fuzzy'", "key 'extra.job': its kind is \"text\""),
        ("job = { column = 'j' }", "key 'extra.job': its kind is"),
        ("job = { kind = 'text' }", "key 'extra.job.column': give the name"),
        ("surname = 'text'\nname = 'text'", "key 'extra.name': name is an attribute of [columns]"),
    ],
)
def test_a_further_attribute_at_fault_is_said(extra, expected):
    found = faults(f"[columns]\nref='id'\n[extra]\n{extra}")
    assert len(found) == 1
    assert expected in found[0]


def test_all_faults_come_at_once():
    found = faults(
        "country='X'\nwrong=1\n[columns]\nfull_name='n'\nsurname='s'\ndate_of_birth={format='Q'}\n[extra]\nA='text'"
    )
    assert len(found) == 8


PLAIN = "[columns]\nref='id'\nsurname='s'\n"


def test_clusters_have_the_forces_limit_and_contradictions_are_cut_unless_the_pair_is_strong_or_the_mapping_says_otherwise():
    assert load_mapping("m", PLAIN).clusters == ClusterSettings(max_records=500, contradictions="unless_strong")
    said = load_mapping("m", PLAIN + "[clusters]\nmax_records = 12\ncontradictions = 'always'").clusters
    assert said == ClusterSettings(max_records=12, contradictions="always")
    assert load_mapping("m", PLAIN + "[clusters]\ncontradictions = 'never'").clusters.contradictions == "never"


@pytest.mark.parametrize(
    ("clusters", "expected"),
    [
        ("clusters = 3\n" + PLAIN, "key 'clusters': make it a table, with one setting a line"),
        (PLAIN + "[clusters]\nmax_record = 3", "unknown key 'clusters.max_record'; did you mean 'max_records'?"),
        (PLAIN + "[clusters]\nmax_records = 1", "key 'clusters.max_records': write a whole number of 2 or more"),
        (PLAIN + "[clusters]\nmax_records = true", "key 'clusters.max_records': write a whole number of 2 or more"),
        (PLAIN + "[clusters]\nmax_records = '9'", "key 'clusters.max_records': write a whole number of 2 or more"),
        (
            PLAIN + "[clusters]\ncontradictions = true",
            "key 'clusters.contradictions': write \"unless_strong\" (records",
        ),
        (PLAIN + "[cluster]\nmax_records = 9", "unknown key 'cluster'; did you mean 'clusters'?"),
    ],
)
def test_a_setting_of_the_clusters_at_fault_is_said_with_what_may_be_written(clusters, expected):
    found = faults(clusters)
    assert len(found) == 1
    assert found[0].startswith(f"m.toml: {expected}")


def test_what_is_no_toml_is_said_with_its_line():
    assert faults("[columns\n")[0].startswith("m.toml: not valid TOML: ")


def test_a_byte_order_mark_is_no_fault():
    assert side(load_mapping("m", "\ufeff[columns]\nref='id'\nsurname='s'"), None).ref == ("id",)


@pytest.mark.parametrize(
    "text",
    [
        ISSUE,
        "[columns]\nref=['a', ' b ']\nfull_name='n'\ndate_of_birth='d'",
        "[columns]\nref='id'\ndate_of_birth={day='d',month='m',year='y',age='a',age_as_of=['s','t']}",
        "[columns]\nref='id'\n[extra]\nz='text'\na={column=['p','q'],kind='exact'}",
    ],
)
def test_of_a_mapping_without_a_fault_the_stated_columns_are_those_that_are_read(text):
    columns = side(load_mapping("m.toml", text), None)
    assert list(stated_columns(text, None).items()) == list(columns.keys.items())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[columns]\nref='id'\nsurnam='s'", {"ref": ("id",), "surname": ("s",)}),
        ("[columns]\nref='id'\nsurname='t'\nsurnam='s'", {"ref": ("id",), "surname": ("t",)}),
        ("[colums]\nref='id'\nwrong='x'", {"ref": ("id",)}),
        ("[columns]\nref=7\nfull_name='n'\nsurname='s'", {"surname": ("s",), "full_name": ("n",)}),
        ("[columns]\ndate_of_birth={colum='d', format='YYYY'}", {"date_of_birth": ("d",)}),
        ("[columns]\ndate_of_birth={column='d', day='x'}", {"date_of_birth": ("d",), "date_of_birth.day": ("x",)}),
        ("[columns]\ndate_of_birth=8\n[extra]\n'Job Title'='text'", {"extra.Job Title": ("Job Title",)}),
        (
            "[extra]\na='fuzzy'\nb={column='c'}\nd={kind='text'}\ne=3",
            {"extra.a": ("a",), "extra.b": ("c",), "extra.e": ("e",)},
        ),
        ("columns='id'\nextra=1", {}),
        ("[columns\n", {}),
        ("", {}),
    ],
)
def test_of_a_mapping_with_faults_every_column_is_stated_that_can_be_told(text, expected):
    faults(text)
    assert stated_columns(text, None) == expected


def test_a_side_with_faults_still_states_its_own_columns():
    text = "[columns]\nref='id'\nsurname='s'\n[left.colums]\nsurname='t'\n[left.extra_columns]\njob='j'\n[right]\ncolumns=1"
    faults(text)
    assert stated_columns(text, "left") == {"ref": ("id",), "surname": ("t",), "extra.job": ("j",)}
    assert stated_columns(text, "right") == {"ref": ("id",), "surname": ("s",)}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("wrong=1\n[columns]\nsurname='s'\n[left.columns]\nref='a'\n[right.columns]\nref='b'", "ref"),
        ("wrong=1\n[columns]\nref='i'\n[left.columns]\nsurname='a'\n[right.columns]\nsurname='b'", "any attribute"),
        ("wrong=1\n[columns]\nref='i'\nsurname='s'\n[left.columns]\nsurname='a'", None),
        ("wrong=1\n[columns]\nsurname='s'", None),
        ("[columns\n", None),
    ],
)
def test_a_mapping_with_faults_that_is_for_two_files_only_is_said_too(text, missing):
    said = f"m.toml: [columns] has no column for {missing}; one file is read by [columns] alone, add it there"
    assert one_file_faults("m.toml", text) == ([said] if missing else [])
