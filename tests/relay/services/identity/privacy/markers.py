"""Forty planted values of ten people, in every form in which they may come to stand somewhere, and the search for them."""

import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import quote

from hutong.light_clients.crypto import keccak256, sha256
from hutong.light_clients.crypto.gm import sm3


@dataclass(frozen=True)
class Person:
    """What a credential says of one."""

    given_name: str
    family_name: str
    document_number: str
    birth_date: str

    @property
    def claims(self) -> dict[str, object]:
        return {
            "given_name": self.given_name,
            "family_name": self.family_name,
            "document": {"number": self.document_number},
            "birth_date": self.birth_date,
            "age_over_18": True,
        }

    @property
    def markers(self) -> tuple[str, ...]:
        return (self.given_name, self.family_name, self.document_number, self.birth_date)


GIVEN = ("Wendelgard", "Ottokar-Emil", "Zo\u00eb-Magdalena", "\u6b27\u9633\u82e5\u66e6", "Aurelianus", "Philippine", "Leokadia-Ruth",
         "Bartholomeus", "Hieronyma", "Xanthippos")  # fmt: skip
FAMILY = ("Quendelbach", "Vorstermanns", "M\u00fchlenwinkel", "\u4e0a\u5b98\u6e05\u5ddd", "Trautvetter", "Zwickelmayr", "Oxenbridge",
          "Krummenacher", "Ypsilantis", "Dobrowolska")  # fmt: skip
PEOPLE = tuple(
    Person(given, family, f"PX{7_340_913 + 611_953 * at:08d}K{at}", f"19{31 + 3 * at}-{1 + at:02d}-{29 - at}")
    for at, (given, family) in enumerate(zip(GIVEN, FAMILY, strict=True))
)
MARKERS = tuple(marker for person in PEOPLE for marker in person.markers)


@cache
def forms(marker: str) -> dict[bytes, str]:
    """Every form, with its name: the text and its JSON, and its SHA-256, SM3 and keccak-256; each as bytes, in hexadecimal digits,
    and in base64 at each of the three places at which it may begin in a longer text."""
    text = marker.encode()
    found: dict[bytes, str] = {quote(marker).encode(): "URL"}
    digests = {"SHA-256": sha256(text), "SM3": sm3(text), "keccak-256": keccak256(text)}
    for name, data in {"text": text, "JSON": json.dumps(marker)[1:-1].encode(), **digests}.items():
        found |= {data: name, data.hex().encode(): f"hex of {name}", data.hex().upper().encode(): f"HEX of {name}"}
        for at in range(3):
            for encode in (b64encode, urlsafe_b64encode):
                found[inside(encode(bytes(at) + data), at, len(data))] = f"base64 of {name}"
    return found


def inside(encoded: bytes, before: int, size: int) -> bytes:
    """The characters that are the data's alone, whatever stands before and after it."""
    first, last = -(-8 * before // 6), 8 * (before + size) // 6
    return encoded[first:last]


PATTERNS = tuple((form, marker, name) for marker in MARKERS for form, name in forms(marker).items())


@dataclass(frozen=True)
class Hit:
    """`form` of `marker` stands in `where`."""

    where: str
    marker: str
    form: str


def search(where: str, data: bytes) -> list[Hit]:
    return [Hit(where, marker, name) for form, marker, name in PATTERNS if form in data]


@dataclass
class Places:
    """What was looked through, and what was found."""

    sizes: dict[str, int] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)

    def look(self, where: str, *parts: bytes) -> list[Hit]:
        data = b"\0".join(parts)
        self.sizes[where] = self.sizes.get(where, 0) + len(data)
        found = search(where, data)
        self.hits += found
        return found
