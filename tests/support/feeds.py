"""Raw feeds of a tiny force, written by hand: 6 employees, 26 person records, outcomes known.

Everyone here is made up. Who is whom (employee -> the person records that are hers or his):

* E1 Harpreet Kaur Sandhu, 14 High Street, Erdington: crime N1 (same), custody C1 (day and month swapped)
* E2 Muhammad Bilal Hussain, two assignments that agree: crime N2 (Mohammed Hussain, same home), intel I1/1
* E3 Seán O'Brien, flat 2 at 30 Church Lane: incident L1/1 (Sean Obrien, no date of birth), crime N3
  (on duty, PC 4512, station address)
* E4 Katarzyna Kowalska: crime N4 under her former name (alias 1 of N4), two versions of N4
* E5 Darren Smith: nobody; his twin's record is N5, a namesake's N6
* E6 Gareth Pugh: his two rows disagree on the date of birth, so he is refused

Refused on purpose: N7 (REX), N8 (organisation), crime nominal without a URN, an exact copy of N1, the
older version of N4, an involvement in a crime that is not there, an involvement of a person that is not
there, the involvement of N7, an alias of a nominal that is not there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linkage_spark.kit.frames import local_frame
from linkage_spark.settings.sources import feeds_of, load_sources

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CONF = Path(__file__).resolve().parents[2] / "conf"
Row = dict[str, Any]


def at(text: str) -> datetime:
    """'2024-05-13 10:00' as a UTC instant."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


HR_COLUMNS = (
    "PERSON_NUMBER,TITLE,FIRST_NAME,MIDDLE_NAMES,LAST_NAME,DATE_OF_BIRTH,ADDRESS_LINE_1,ADDRESS_LINE_2,"
    "ADDRESS_LINE_3,TOWN_OR_CITY,POSTAL_CODE,ASSIGNMENT_NUMBER,PERSON_TYPE,JOB,TEAM,START_DATE"
).split(",")
NOMINAL_COLUMNS = (
    "NOMINAL_URN,TITLE,FORENAME_1,FORENAME_2,SURNAME,DOB,NOMINAL_TYPE,FLAT_NO,HOUSE_NO,STREET,LOCALITY,TOWN,"
    "POSTCODE,UPRN,CREATED_AT,UPDATED_AT"
).split(",")
ALIAS_COLUMNS = (
    "NOMINAL_URN,ALIAS_SEQ,ALIAS_KIND,FORENAME_1,FORENAME_2,SURNAME,DOB,FLAT_NO,HOUSE_NO,STREET,LOCALITY,TOWN,POSTCODE"
).split(",")
OCCURRENCE_COLUMNS = (
    "CRIME_NO,OFFENCE_CODE,OFFENCE_TITLE,OCC_FROM,OCC_TO,REPORTED_AT,RECORDED_AT,UPDATED_AT,CLOSING_CODE,FLAGS,FREE_TEXT"
).split(",")
INVOLVEMENT_COLUMNS = "CRIME_NO,NOMINAL_URN,ROLE,OCCUPATION_DISCLOSED,UPDATED_AT".split(",")
LOCATION_COLUMNS = "CRIME_NO,LOC_SEQ,FLAT_NO,HOUSE_NO,STREET,LOCALITY,TOWN,POSTCODE,UPRN,LOC_TYPE".split(",")
CUSTODY_COLUMNS = (
    "CUSTODY_NO,DETAINEE_NAME,DETAINEE_DOB,ADDRESS,POSTCODE,ARRIVED_AT,RELEASED_AT,OFFENCE_CODE,"
    "OCCUPATION_DISCLOSED,UPDATED_AT"
).split(",")
REPORT_COLUMNS = (
    "REPORT_NO,GRADING_SCHEME,SOURCE_EVAL,INTEL_ASSESS,HANDLING,REPORT_DATE,UPDATED_AT,SANITISED_TEXT,MOPI_GROUP,"
    "REVIEW_DATE"
).split(",")
SUBJECT_COLUMNS = "REPORT_NO,SUBJECT_SEQ,SUBJECT_NAME,SUBJECT_DOB,SUBJECT_ADDRESS,SUBJECT_POSTCODE".split(",")
LOG_COLUMNS = (
    "LOG_NUMBER,LOG_DATE,OPEN_CODE,CLOSE_CODE,LOCATION_TEXT,LOCATION_POSTCODE,LOCATION_UPRN,LOCATION_KIND,UPDATED"
).split(",")
CALLER_COLUMNS = "LOG_NUMBER,PERSON_SEQ,PERSON_NAME,PERSON_DOB,PERSON_ADDRESS,PERSON_POSTCODE,PERSON_ROLE".split(",")

_TIMES = {
    "CREATED_AT,UPDATED_AT,OCC_FROM,OCC_TO,REPORTED_AT,RECORDED_AT": "timestamp",
    "ARRIVED_AT,RELEASED_AT,REPORT_DATE": "timestamp",
    "REVIEW_DATE": "date",
    "ALIAS_SEQ,LOC_SEQ,SUBJECT_SEQ": "int",
}
TYPES = {name: kind for names, kind in _TIMES.items() for name in names.split(",")}
"""Types of columns that are not text, in feeds that are not CSV."""


def _employee(no: str, first: str, middle: str, last: str, born: str, home: str, code: str, **others: str) -> Row:
    line_1, *more = home.split(", ")
    row = dict.fromkeys(HR_COLUMNS, "")
    row |= {"PERSON_NUMBER": no, "FIRST_NAME": first, "MIDDLE_NAMES": middle, "LAST_NAME": last}
    row |= {"DATE_OF_BIRTH": born, "ADDRESS_LINE_1": line_1, "ADDRESS_LINE_2": more[0] if more else ""}
    row |= {"TOWN_OR_CITY": "Birmingham", "POSTAL_CODE": code, "ASSIGNMENT_NUMBER": f"{no}-1"}
    row |= {
        "PERSON_TYPE": "Police Officer",
        "JOB": "Constable",
        "TEAM": "Response",
        "START_DATE": "01-SEP-2010",
    }
    return row | others


def _nominal(urn: str | None, first: str, second: str, last: str, born: str, home: str, **others: Any) -> Row:
    parts = dict.fromkeys(("FLAT_NO", "HOUSE_NO", "STREET", "TOWN", "POSTCODE"), "")
    parts |= dict(zip(parts, home.split("|"), strict=False))
    row: Row = dict.fromkeys(NOMINAL_COLUMNS, "")
    row |= {
        "NOMINAL_URN": urn,
        "FORENAME_1": first,
        "FORENAME_2": second,
        "SURNAME": last,
        "DOB": born,
        **parts,
    }
    row |= {
        "NOMINAL_TYPE": "PERSON",
        "CREATED_AT": at("2015-01-01 09:00"),
        "UPDATED_AT": at("2020-01-01 09:00"),
    }
    return row | others


def _involved(crime: str, urn: str, role: str, disclosed: str = "") -> Row:
    values = (crime, urn, role, disclosed, at("2020-02-01 09:00"))
    return dict(zip(INVOLVEMENT_COLUMNS, values, strict=True))


def _occurrence(number: str, occurred: str | None, **others: Any) -> Row:
    row: Row = dict.fromkeys(OCCURRENCE_COLUMNS)
    moment = at(occurred) if occurred else None
    row |= {
        "CRIME_NO": number,
        "OFFENCE_CODE": "008/06",
        "OFFENCE_TITLE": "Common assault",
        "OCC_FROM": moment,
    }
    row |= {
        "REPORTED_AT": moment,
        "RECORDED_AT": moment,
        "UPDATED_AT": at("2020-02-01 09:00"),
        "FREE_TEXT": "never read",
    }
    return row | others


def raw_rows() -> dict[str, list[Row]]:
    """The feeds by ``source.feed`` as fresh dictionaries, to be changed by a test as it likes."""
    n1 = _nominal("N1", "HARPREET", "KAUR", "SANDHU", "1984-02-03", "|14|HIGH ST|BIRMINGHAM|B23 6AB")
    return {
        "hr.extract": [
            _employee("E1", "Harpreet", "Kaur", "Sandhu", "03-FEB-1984", "14 High Street, Erdington", "B23 6AB"),
            _employee("E2", "Muhammad", "Bilal", "Hussain", "21-JUN-1979", "7 Mill Lane, Aston", "B6 5AA"),
            _employee(
                *("E2", "Muhammad", "Bilal", "Hussain", "21-JUN-1979", "7 Mill Ln, Aston", "B65AA"),
                ASSIGNMENT_NUMBER="E2-2",
                JOB="Trainer",
                TEAM="Learning",
                START_DATE="01-APR-2018",
            ),
            _employee("E3", "Seán", "", "O'Brien", "17-MAR-1990", "Flat 2, 30 Church Lane", "B20 2AA"),
            _employee(
                *("E4", "Katarzyna", "", "Kowalska", "05-NOV-1988", "9 Rowan Rise", "DY1 1AA"),
                PERSON_TYPE="Special Constable",
            ),
            _employee("E5", "Darren", "", "Smith", "12-DEC-1992", "2 Park Road", "CV1 1AA", PERSON_TYPE="Agency"),
            _employee("E6", "Gareth", "", "Pugh", "30-JUL-1971", "55 Long Acre", "WV1 1AA"),
            _employee("E6", "Gareth", "", "Pugh", "30-JUL-1972", "55 Long Acre", "WV1 1AA", ASSIGNMENT_NUMBER="E6-2"),
        ],
        "crime.nominal": [
            n1,
            dict(n1),
            _nominal("N2", "MOHAMMED", "", "HUSSAIN", "1979-06-21", "|7|MILL LANE|BIRMINGHAM|B6 5AA"),
            _nominal("N3", "PC 4512", "", "OBRIEN", "", "||ASTON POLICE STATION|BIRMINGHAM|B6 5NN", TITLE="PC"),
            _nominal("N4", "KATARZYNA", "", "ZIELINSKA", "1988-11-05", "|9|ROWAN RISE|DUDLEY|DY1 1AA"),
            _nominal(
                *("N4", "KATARZYNA", "", "ZIELINSKA", "1988-11-06", "|9|ROWAN RISE|DUDLEY|DY1 1AA"),
                UPDATED_AT=at("2019-01-01 09:00"),
            ),
            _nominal("N5", "DEAN", "", "SMITH", "1992-12-12", "|2|PARK ROAD|COVENTRY|CV1 1AA"),
            _nominal("N6", "DARREN", "", "SMITH", "1992-12-12", "|81|STATION ROAD|SOLIHULL|B91 1AA"),
            _nominal("N7", "", "", "REX", "", "", NOMINAL_TYPE="REX"),
            _nominal("N8", "", "", "CORNER SHOP LTD", "", "", NOMINAL_TYPE="ORGANISATION"),
            _nominal(None, "NOBODY", "", "KEYLESS", "1980-05-05", ""),
            _nominal("N9", "UNKNOWN", "", "UNKNOWN", "1900-01-01", "", POSTCODE="ZZ99 3VZ"),
            _nominal("N10", "STANISŁAW", "", "WÓJCIK", "1970-01-02", "3|12|HIGH STREET|BIRMINGHAM|B23 6A"),
            _nominal("N11", "AMINA", "", "BEGUM", "1985-01-01", "|41A|GREEN LANE|BIRMINGHAM|B2O 2AA"),
            _nominal("N12", "JOHN", "PAUL", "MC DONALD", "not a date", "|5|THE GREEN|COVENTRY|CV1 1AB"),
        ],
        "crime.nominal_alias": [
            dict.fromkeys(ALIAS_COLUMNS, "")
            | {"NOMINAL_URN": "N4", "ALIAS_SEQ": 1, "ALIAS_KIND": "MAIDEN", "SURNAME": "KOWALSKA"},
            dict.fromkeys(ALIAS_COLUMNS, "")
            | {
                "NOMINAL_URN": "N1",
                "ALIAS_SEQ": 1,
                "ALIAS_KIND": "PREV ADDRESS",
                "HOUSE_NO": "3",
                "STREET": "OLD RD",
            }
            | {"POSTCODE": "B21 9AA"},
            dict.fromkeys(ALIAS_COLUMNS, "")
            | {"NOMINAL_URN": "N99", "ALIAS_SEQ": 1, "ALIAS_KIND": "ALIAS", "SURNAME": "ORPHAN"},
        ],
        "crime.occurrence": [
            _occurrence("20/1", "2020-01-31 23:30", FLAGS="DA|VAWG", CLOSING_CODE="18"),
            _occurrence("20/2", "2020-06-30 23:30"),
            _occurrence("20/3", None),
        ],
        "crime.involvement": [
            _involved("20/1", "N1", "VICTIM", "N"),
            _involved("20/1", "N2", "SUSPECT", "Y"),
            _involved("20/1", "N3", "witness"),
            _involved("20/1", "N7", "VICTIM"),
            _involved("20/2", "N4", "INTERPRETER"),
            _involved("20/2", "N5", "OFFENDER"),
            _involved("20/2", "N6", "DEFENDANT"),
            _involved("99/9", "N1", "VICTIM"),
            _involved("20/2", "N98", "VICTIM"),
        ],
        "crime.location": [
            dict.fromkeys(LOCATION_COLUMNS, "")
            | {
                "CRIME_NO": "20/1",
                "LOC_SEQ": 1,
                "HOUSE_NO": "14",
                "STREET": "HIGH STREET",
                "TOWN": "BIRMINGHAM",
            }
            | {"POSTCODE": "B23 6AB", "LOC_TYPE": "DWELLING"},
            dict.fromkeys(LOCATION_COLUMNS, "")
            | {"CRIME_NO": "20/2", "LOC_SEQ": 1, "STREET": "OUTSIDE 12 HIGH STREET", "LOC_TYPE": "STREET"},
        ],
        "custody.record": [
            _detained("C1", "SANDHU, Harpreet K", "02/03/1984", "14 High Street, Erdington, Birmingham", "B23 6AB"),
            _detained("C2", "BLOGGINS, Arthur", "31/02/1984", "NFA", ""),
        ],
        "intel.report": [_report("R1", "3x5x2", "2", "B", "P"), _report("R2", "5 X 5 X 5", "E", "4", "1")],
        "intel.subject": [
            _subject("R1", 1, "Mo Hussain", "1979", "7 Mill Lane, Birmingham", "B6 5AA"),
            _subject("R1", 2, "DOE-SMYTHE Jane", "", "", ""),
            _subject("R2", 1, "Smithy", "", "", ""),
            _subject("R9", 1, "Anna Nowhere", "", "HMP Birmingham, Winson Green Road", "B18 4AS"),
        ],
        "incident.log": [
            _log(
                "1-20240513",
                "2024-05-13 23:30:00",
                "Flat 2, 30 Church Lane, Birmingham",
                "B20 2AA",
                "DWELLING",
            ),
            _log(
                "2-20240114",
                "2024-01-14 23:30:00",
                "Junction of High Street and Station Road",
                "",
                "JUNCTION",
            ),
        ],
        "incident.person": [
            _caller("1-20240513", "1", "Sean Obrien", "", "Flat 2, 30 Church Lane", "B20 2AA", "CALLER"),
            _caller("1-20240513", "2", "A N Other", "", "", "", "OTHER"),
            _caller("2-20240114", "1", "Di Jones", "15/08/1966", "", "", "NEIGHBOUR"),
        ],
    }


def _detained(number: str, name: str, born: str, home: str, code: str) -> Row:
    values = (number, name, born, home, code, at("2021-03-01 22:00"), at("2021-03-02 09:15"), "008/06", "N")
    return dict(zip(CUSTODY_COLUMNS, (*values, at("2021-03-02 10:00")), strict=True))


def _report(number: str, scheme: str, *grades: str) -> Row:
    moment = at("2022-08-01 12:00")
    values = (number, scheme, *grades, moment, moment, "never read", "2", date(2030, 8, 1))
    return dict(zip(REPORT_COLUMNS, values, strict=True))


def _subject(*values: Any) -> Row:
    return dict(zip(SUBJECT_COLUMNS, values, strict=True))


def _log(number: str, logged: str, place: str, code: str, kind: str) -> Row:
    values = (number, logged, "DOM", "CL1", place, code, "", kind, logged)
    return dict(zip(LOG_COLUMNS, values, strict=True))


def _caller(*values: str) -> Row:
    return dict(zip(CALLER_COLUMNS, values, strict=True))


COLUMNS: dict[str, list[str]] = {
    "hr.extract": HR_COLUMNS,
    "crime.nominal": NOMINAL_COLUMNS,
    "crime.nominal_alias": ALIAS_COLUMNS,
    "crime.occurrence": OCCURRENCE_COLUMNS,
    "crime.involvement": INVOLVEMENT_COLUMNS,
    "crime.location": LOCATION_COLUMNS,
    "custody.record": CUSTODY_COLUMNS,
    "intel.report": REPORT_COLUMNS,
    "intel.subject": SUBJECT_COLUMNS,
    "incident.log": LOG_COLUMNS,
    "incident.person": CALLER_COLUMNS,
}


def schema_of(key: str) -> str:
    """The DDL of one feed, as it lies in the estate."""
    csv = key.startswith(("hr.", "incident."))
    return ", ".join(f"`{name}` {'string' if csv else TYPES.get(name, 'string')}" for name in COLUMNS[key])


def raw_feeds(spark: SparkSession, rows: dict[str, list[Row]] | None = None) -> dict[str, DataFrame]:
    """The feeds as frames; ``rows`` replaces what raw_rows gives."""
    return {
        key: local_frame(spark, [tuple(row[name] for name in COLUMNS[key]) for row in listed], schema=schema_of(key))
        for key, listed in (rows or raw_rows()).items()
    }


def write_feeds(spark: SparkSession, root: Path, rows: dict[str, list[Row]] | None = None) -> Path:
    """The feeds as files under ``root``, in the formats that conf/sources names."""
    frames = raw_feeds(spark, rows)
    for feed in feeds_of(load_sources(CONF)):
        if feed.key not in frames:
            continue
        writer = frames[feed.key].coalesce(1).write.mode("overwrite").format(feed.format)
        if feed.format == "csv":
            writer = writer.option("header", "true").option("escape", '"')
        writer.option("delta.enableChangeDataFeed", True).save(str(root / str(feed.path)))
    return root
