"""Addresses in UK form: dwellings in streets, flats in buildings, postcodes that neighbours share.

A dwelling is a number; its address follows from the number alone, so any stage can write it.
"""

from __future__ import annotations

from dataclasses import dataclass

from linkage_spark.synthesis.chance import Weighted, mix

DWELLINGS_PER_STREET = 34
"""Two postcodes of 17 dwellings: a postcode holds 15 to 20 houses."""

_INWARD = "ABDEFGHJLNPQRSTUWXYZ"
_TOWNS = Weighted(
    ("Birmingham", "Coventry", "Wolverhampton", "Dudley", "Walsall", "Solihull", "West Bromwich"),
    (0.42, 0.14, 0.11, 0.10, 0.10, 0.06, 0.07),
)
_DISTRICTS = {
    "Birmingham": tuple(f"B{n}" for n in (*range(5, 39), 42, 43, 44, 45, 47)),
    "Coventry": tuple(f"CV{n}" for n in range(1, 8)),
    "Wolverhampton": tuple(f"WV{n}" for n in (1, 2, 3, 4, 6, 8, 10, 11, 14)),
    "Dudley": tuple(f"DY{n}" for n in range(1, 10)),
    "Walsall": tuple(f"WS{n}" for n in (1, 2, 3, 4, 5, 8, 9, 10)),
    "Solihull": ("B36", "B37", "B40", "B90", "B91", "B92", "B93", "B94"),
    "West Bromwich": ("B65", "B66", "B67", "B68", "B69", "B70", "B71"),
}
_LOCALITIES = {
    "Birmingham": (
        *(
            "Erdington",
            "Aston",
            "Handsworth",
            "Sparkhill",
            "Small Heath",
            "Selly Oak",
            "Northfield",
            "Kings Heath",
        ),
        *("Moseley", "Edgbaston", "Ladywood", "Perry Barr", "Alum Rock", "Yardley", "Hall Green", "Quinton"),
    ),
    "Coventry": ("Foleshill", "Tile Hill", "Radford", "Wyken", "Earlsdon", "Stoke"),
    "Wolverhampton": ("Penn", "Bilston", "Wednesfield", "Bushbury", "Tettenhall"),
    "Dudley": ("Netherton", "Sedgley", "Brierley Hill", "Kingswinford"),
    "Walsall": ("Bloxwich", "Darlaston", "Aldridge", "Pelsall"),
    "Solihull": ("Shirley", "Chelmsley Wood", "Knowle", "Olton"),
    "West Bromwich": ("Tipton", "Oldbury", "Great Barr", "Rowley Regis"),
}
_FIRST = (
    "Acacia Albert Alder Alma Anderton Ashfield Balfour Barn Beech Belgrave Berkeley Birchfield Bluebell Bradford Bramble Bridge Broad "
    "Brook Burlington Calder Canal Castle Cedar Chapel Cherry Chester Church Clarence Clifton Coleridge Copse Court Coventry Cromwell "
    "Dale Dawlish Derwent Devon Dove Drake Durham Earl Eastfield Edward Elm Exeter Fairfield Farm Fern Field Forest Fox Garden George "
    "Gladstone Glebe Gloucester Gordon Grange Green Grosvenor Grove Hadley Hall Hampton Harvest Hawthorn Hazel Heath Heron High Hill "
    "Holly Holmes Horton Ivy Jubilee Keats Kent King Kingsley Lancaster Larch Laurel Lime Linden Long Lower Maple Margaret Market "
    "Marlborough Meadow Milton Monument Moor Nelson New Newton Norfolk Northgate Oak Old Orchard Oxford Park Pear Perry Poplar Portland "
    "Priory Queen Railway Raven Rectory Regent Ridge River Rose Rowan Royal Rugby Russell Salisbury School Shaw Silver Somerset South "
    "Spencer Spring Stafford Stanley Station Sutton Sycamore Tamworth Tennyson Thistle Tower Upper Vale Vernon Vicarage Victoria Warwick "
    "Water Well Wellington West Wharf White Wilton Winchester Windmill Windsor Wood Worcester Wyndham York"
).split()
_SECOND = ("", "", "", "", "field", "bank", "side", "view", "mead", "hurst")
_TYPES = Weighted(
    (
        "Road",
        "Street",
        "Avenue",
        "Close",
        "Drive",
        "Lane",
        "Grove",
        "Crescent",
        "Court",
        "Way",
        "Gardens",
        "Place",
        "Terrace",
    ),
    (0.30, 0.16, 0.12, 0.10, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02, 0.02, 0.01, 0.01),
)


@dataclass(frozen=True)
class Address:
    """An address in parts; '' where there is none."""

    flat: str
    house: str
    street: str
    locality: str
    town: str
    postcode: str
    uprn: str

    @property
    def one_box(self) -> str:
        """As it is typed into one field, without the postcode."""
        first = " ".join(part for part in (self.house, self.street) if part)
        return ", ".join(part for part in (self.flat, first, self.locality, self.town) if part)


NOWHERE = Address("", "", "", "", "", "", "")


def street_of(dwelling: int) -> int:
    """The street of a dwelling."""
    return dwelling // DWELLINGS_PER_STREET


def dwelling_address(seed: int, dwelling: int) -> Address:
    """The address of a dwelling; the same number gives the same address."""
    street, place = divmod(dwelling, DWELLINGS_PER_STREET)
    drawn = mix(seed, 11, street)
    town = _TOWNS.at((drawn & 0xFFFF) / 65536)
    district = _DISTRICTS[town][(drawn >> 16) % len(_DISTRICTS[town])]
    locality = _LOCALITIES[town][(drawn >> 16) % len(_LOCALITIES[town])]
    first = _FIRST[(drawn >> 24) % len(_FIRST)]
    name = first + _SECOND[(drawn >> 34) % len(_SECOND)]
    kind = _TYPES.at(((drawn >> 40) & 0xFFFF) / 65536)
    half = mix(seed, 12, street, place // 17)
    unit = f"{_INWARD[(half >> 8) % 20]}{_INWARD[(half >> 16) % 20]}"
    own = mix(seed, 13, dwelling)
    flat, house = "", str(2 * (place % 17) + 1 + place // 17)
    if (drawn >> 56) % 7 == 0:
        flat, house = f"Flat {place % 17 + 1}", str(place // 17 * 40 + 2 + (drawn >> 50) % 37)
    elif own % 60 == 0:
        house += "A"
    elif own % 90 == 1:
        house = f"{_FIRST[(own >> 8) % len(_FIRST)]} Cottage"
    return Address(
        flat=flat,
        house=house,
        street=f"{name} {kind}",
        locality=locality if (own >> 20) % 3 else "",
        town=town,
        postcode=f"{district} {half % 10}{unit}",
        uprn=f"{990_000_000_000 + dwelling}",
    )


STATIONS: tuple[Address, ...] = tuple(
    Address("", f"{town} Police Station", street, "", town, postcode, "")
    for town, street, postcode in (
        ("Birmingham", "Colmore Circus", "B4 6NQ"),
        ("Coventry", "Little Park Street", "CV1 2JX"),
        ("Wolverhampton", "Bilston Street", "WV1 3AA"),
        ("Walsall", "Green Lane", "WS2 8HL"),
        ("West Bromwich", "Moor Street", "B70 7AQ"),
    )
)

PLACES: tuple[str, ...] = (
    *(
        "Junction of High Street and Station Road",
        "Outside the Bullring",
        "Car park, New Street",
        "Bus stop, Corporation Street",
    ),
    *("Canal towpath, Gas Street", "M6 junction 6", "Cannon Hill Park", "Shopping centre, Market Way"),
)
