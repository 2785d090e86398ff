"""Numbers of the Police National Computer and of the Criminal Records Office, in a table of their own.

They serve nominals only (000-13). Nothing that matches employees may import this module: an import contract in
``pyproject.toml`` holds that, and PERSON has no column for them.
"""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.types import BOOLEAN, LONG, STRING

PERSON_IDENTIFIER = TableContract(
    name="person_identifier",
    row="One number by which another register knows the person of one police record. For nominals only; never for employees.",
    key=("source_system", "person_ref", "kind", "identifier_raw"),
    fields=(
        Field("source_system", STRING, "SourceSystem that recorded the row.", required=True),
        Field("person_ref", STRING, "The source's own reference of the person record.", required=True),
        Field("kind", STRING, "IdentifierKind.", required=True),
        Field("identifier_raw", STRING, "The number as recorded, trimmed. Personal data.", required=True),
        Field(
            "identifier",
            STRING,
            "Its standard form: PNC id 'YYYY/NNNNNNNL', CRO number 'NNNNNN/YYL' or 'SFYY/NNNNNNL'; null when an issue speaks "
            "against it. Personal data.",
        ),
        Field("identifier_issue", STRING, "IdentifierIssue; null when nothing is wrong."),
        Field(
            "verified",
            BOOLEAN,
            "True where the source says that the number was verified; false where it says otherwise, or nothing.",
            required=True,
        ),
        Field(
            "source_version",
            LONG,
            "The source's own version: amended time in microseconds since 1970 UTC, or its sequence; 0 when the source has none.",
            required=True,
        ),
    ),
    unit=("source_system", "person_ref"),
)
