"""The tables of the linkage: keys priced and refined, frequencies, links."""

from __future__ import annotations

from linkage_spark.kit.contract import Field, TableContract
from linkage_spark.tables.types import BOOLEAN, DOUBLE, INT, LONG, STRING

_EMPLOYEE_ID = Field("employee_id", STRING, "The employee.", required=True)
_SOURCE = Field("source_system", STRING, "System of the police person record.", required=True)
_PERSON_REF = Field("person_ref", STRING, "The police person record.", required=True)
_MODEL = Field("model_id", STRING, "The frozen model.", required=True)

RULE_PRICE = TableContract(
    name="rule_price",
    row="One blocking rule, priced from counts before the join and audited after it.",
    key=("model_id", "rule_id"),
    fields=(
        _MODEL,
        Field("rule_id", STRING, "The blocking rule.", required=True),
        Field("rule_no", INT, "0.., its bit in rule_mask.", required=True),
        Field("history_rows", LONG, "History rows that have a key under the rule.", required=True),
        Field("roster_rows", LONG, "Roster rows that have a key under the rule.", required=True),
        Field(
            "pairs_before_refinement",
            LONG,
            "Pairs the rule would propose if no key were refined.",
            required=True,
        ),
        Field("refined_keys", LONG, "Keys over the cap that take the second key.", required=True),
        Field(
            "pairs_refined_away",
            LONG,
            "Pairs that share a refined key but not its second key.",
            required=True,
        ),
        Field(
            "pairs_proposed",
            LONG,
            "Pairs the rule proposes after refinement, also proposed by others or not.",
            required=True,
        ),
        Field(
            "pairs_first",
            LONG,
            "Pairs for which this is the first rule; they add up to all candidate pairs.",
            required=True,
        ),
    ),
)

REFINED_KEY = TableContract(
    name="refined_key",
    row="One heavy key that takes a second key, frozen with the model.",
    key=("model_id", "rule_id", "key_hmac"),
    fields=(
        _MODEL,
        Field("rule_id", STRING, "The blocking rule.", required=True),
        Field(
            "key_hmac",
            STRING,
            "HMAC-SHA-256 of the key's values, which more records share than the rule's cap allows.",
            required=True,
        ),
        Field("history_rows", LONG, "History rows that bore the key when the list was made.", required=True),
    ),
)

BLOCKING_AUDIT = TableContract(
    name="blocking_audit",
    row="One refined key and what the refinement cost.",
    key=("model_id", "rule_id", "key_hmac"),
    fields=(
        _MODEL,
        Field("rule_id", STRING, "The blocking rule.", required=True),
        Field("key_hmac", STRING, "HMAC-SHA-256 of the key's values.", required=True),
        Field("history_rows", LONG, "History rows with the key.", required=True),
        Field("roster_rows", LONG, "Roster rows with the key.", required=True),
        Field("pairs_before", LONG, "Pairs the key would have proposed.", required=True),
    ),
)

FREQUENCY = TableContract(
    name="frequency",
    row="How often one value occurs among police person records, for values that enough persons bear.",
    key=("model_id", "attribute", "value"),
    fields=(
        _MODEL,
        Field(
            "attribute",
            STRING,
            "'given', 'surname', 'date_of_birth', 'postcode' or 'name' (the whole name).",
            required=True,
        ),
        Field("value", STRING, "The standard form of the value.", required=True),
        Field(
            "bearers",
            LONG,
            "Person records that bear it, of whole names the different dates of birth; at least the setting's minimum.",
            required=True,
        ),
        Field(
            "share",
            DOUBLE,
            "bearers over all person records with a value; the one share of all rarer values stands on the row value = '', which whole names do not have.",
            required=True,
        ),
    ),
)

ATTRIBUTES: tuple[str, ...] = ("name", "date_of_birth", "address")
"""The compared attributes, in the order in which levels and weights are shown."""

LINK = TableContract(
    name="link",
    row="One employee and one police person record, reduced to their best pair of variants, with the evidence.",
    key=("employee_id", "source_system", "person_ref"),
    fields=(
        _EMPLOYEE_ID,
        _SOURCE,
        _PERSON_REF,
        Field("employee_variant_no", INT, "The employee's variant of the best pair.", required=True),
        Field("person_variant_no", INT, "The person's variant of the best pair.", required=True),
        _MODEL,
        Field("tier", STRING, "Tier of the link (Tier).", required=True),
        Field("policy_reason", STRING, "PolicyReason: the clause that decided the tier.", required=True),
        Field(
            "match_weight",
            DOUBLE,
            "log2 odds of a match, the sum of the weight_ columns over 1000.",
            required=True,
        ),
        Field(
            "match_weight_millibits",
            LONG,
            "The same as an integer of 1/1000 bit; the weight_ columns add up to it exactly.",
            required=True,
        ),
        Field("weight_prior", LONG, "Prior log2 odds, 1/1000 bit.", required=True),
        Field("weight_name", LONG, "Weight of the name level, 1/1000 bit.", required=True),
        Field(
            "weight_name_frequency",
            LONG,
            "Correction for how rare the agreeing name is, 1/1000 bit.",
            required=True,
        ),
        Field("weight_date_of_birth", LONG, "Weight of the date level, 1/1000 bit.", required=True),
        Field(
            "weight_date_of_birth_frequency",
            LONG,
            "Correction for how common the agreeing date is, 1/1000 bit.",
            required=True,
        ),
        Field("weight_address", LONG, "Weight of the address level, 1/1000 bit.", required=True),
        Field(
            "weight_address_frequency",
            LONG,
            "Correction for how many records share the postcode, 1/1000 bit.",
            required=True,
        ),
        Field("weight_household", LONG, "Household discount, never above 0, 1/1000 bit.", required=True),
        Field("level_name", STRING, "Comparison level of the name.", required=True),
        Field(
            "level_given",
            STRING,
            "Part level of the given names; 'missing' when either side has none.",
            required=True,
        ),
        Field(
            "level_surname",
            STRING,
            "Part level of the surname; 'missing' when either side has none.",
            required=True,
        ),
        Field("level_date_of_birth", STRING, "Comparison level of the date of birth.", required=True),
        Field("level_address", STRING, "Comparison level of the address.", required=True),
        Field("same_premises", BOOLEAN, "True when both addresses are the same dwelling.", required=True),
        Field(
            "twin_pattern",
            BOOLEAN,
            "Same surname, date of birth and premises, another forename.",
            required=True,
        ),
        Field(
            "sex_marked_conflict",
            BOOLEAN,
            "The names bear endings or parts marked for different sexes.",
            required=True,
        ),
        Field("rare_name", BOOLEAN, "The whole name is rarer than the setting's limit.", required=True),
        Field("rule_mask", LONG, "Blocking rules that propose the pair, one bit each.", required=True),
        Field(
            "rival_employee_id",
            STRING,
            "The strongest other employee for this person record; null when none.",
        ),
        Field("leader_margin_bits", DOUBLE, "match_weight less the rival's; null when there is no rival."),
        Field(
            "rival_posterior",
            DOUBLE,
            "Posterior of this pair beside its rivals: other employees for the record, records of the employee that contradict it; 0 to 1.",
            required=True,
        ),
        Field(
            "on_duty_sign",
            BOOLEAN,
            "Rank or collar number in the recorded name, or a station address.",
            required=True,
        ),
        Field("quality_name", STRING, "NameIssue of the police record; null when none."),
        Field("quality_date_of_birth", STRING, "DobIssue of the police record; null when none."),
        Field("quality_address", STRING, "AddressIssue of the police record; null when none."),
        Field(
            "evidence_fingerprint",
            STRING,
            "HMAC-SHA-256 of the compared values' standard forms; personal data.",
            required=True,
        ),
        Field(
            "explanation",
            STRING,
            "What agreed, what differed, how rare, what would change the answer; in plain English.",
            required=True,
        ),
    ),
)

LINK_WEIGHTS: tuple[str, ...] = tuple(name for name in LINK.names if name.startswith("weight_"))
"""The weights of LINK in 1/1000 bit; they add up to match_weight_millibits."""

LINKAGE: tuple[TableContract, ...] = (RULE_PRICE, REFINED_KEY, BLOCKING_AUDIT, FREQUENCY, LINK)
