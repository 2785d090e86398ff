"""A reader remembers parts of names and addresses; what it has read before never changes what it reads next."""

from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_spark.standardise.addresses import AddressReader, read_address
from linkage_spark.standardise.names import NameReader, read_name
from tests.support.examples import examples

WORDS = st.sampled_from(
    [
        "DI",
        "Con",
        "PC 1234",
        "4512",
        "MIG_ERROR_Smith",
        "UNKNOWN",
        "O'Brien",
        "van der Berg",
        "Seán",
        "JÃ³zef",
        "-",
        "St",
    ]
    + ["Smith", "SMITH", "smith-jones", "John", "J", "Mc", "mr", "A N OTHER", ".", "not known"]
)
PART = st.none() | st.lists(WORDS, max_size=3).map(" ".join)
BOX = st.lists(WORDS, min_size=1, max_size=3).flatmap(
    lambda left: st.lists(WORDS, max_size=2).map(lambda right: ", ".join([" ".join(left), " ".join(right)]))
)
NAMES = st.one_of(
    st.tuples(PART, PART, PART, st.none(), st.just(False)), st.tuples(PART, st.none(), st.none(), BOX, st.booleans())
)

LINES = st.sampled_from(
    ["FLAT 2", "12", "041 A", "HIGH STREET", "14 Hospital Street", "Police Station", "Old Police Station Yard", "NFA"]
    + ["Birmingham", "B1 1AA", "THE COURT", "c/o", "West Midlands", "Magistrates Court", "St Johns Church", "12-14"]
)
FIELD = st.none() | LINES
ADDRESSES = st.tuples(
    *[FIELD] * 5,
    st.none() | st.lists(LINES, min_size=1, max_size=4).map(", ".join),
    st.sampled_from(["B1 1AA", "B11AA", "B1O 1AA", "xx", "", None]),
    st.sampled_from([None, "000123", "x"]),
    st.sampled_from([None, "dwelling"]),
)


@settings(max_examples=examples(150), deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=12))
def test_a_name_reads_the_same_whatever_was_read_before(reference, names):
    reader = NameReader(reference)
    for title, first, last, box, surname_first in [*names, *names]:
        alone = read_name(
            title=title, given=first, surname=last, box=box, surname_first=surname_first, reference=reference
        )
        assert reader.read(title, first, last, box, surname_first) == alone


@settings(max_examples=examples(150), deadline=None)
@given(addresses=st.lists(ADDRESSES, min_size=1, max_size=12))
def test_an_address_reads_the_same_whatever_was_read_before(reference, addresses):
    names = ("flat", "house", "street", "locality", "town", "box", "postcode", "uprn", "stated_kind")
    reader = AddressReader(reference)
    for address in [*addresses, *addresses]:
        alone = read_address(**dict(zip(names, address, strict=True)), reference=reference)
        assert reader.read(*address) == alone
