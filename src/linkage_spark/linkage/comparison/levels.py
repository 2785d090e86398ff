"""Codes of the levels of a part of a name, and what the modules that find them share."""

from __future__ import annotations

from linkage_spark.model.schema import MISSING, PART_LEVELS

DIFFER, INITIAL, FUZZY, TYPO, VARIANT, EXACT, MISSING_PART = range(7)
"""Part levels by code, weakest first; MISSING_PART when either side lacks the part."""

PART_NAMES: tuple[str, ...] = (*PART_LEVELS, MISSING)

GIVEN, SURNAME, CROSSED = "given", "surname", "crossed"
"""What two strings are: both given names, both surnames, or one of each."""

MOST_TOKENS = 8
"""Further tokens of a string are not compared."""

JUST_BELOW_FUZZY = 0.839
"""No Jaro-Winkler similarity below this makes a level, however a library rounds."""
