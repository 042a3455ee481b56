"""Bitstring Status Lists out of the same statuses, and back (Bitstring Status List §3.1, §3.2, §4).

A Bitstring list counts bits from the most significant one of the first byte, and a status has its most significant bit first.
So a byte of one form is the byte of the other with its statuses in reverse order, whatever their width.
"""

import re
from functools import cache
from typing import Final

from hutong.light_clients.interface.errors import MalformedInput
from hutong.light_clients.interface.judge import rule
from hutong.relay.services.identity.rules.drafts import BITSTRING
from hutong.relay.services.identity.rules.jose import JsonValue, decode_base64url, encode_base64url
from hutong.relay.services.identity.rules.status.inflating import Wrapping, deflate, inflate
from hutong.relay.services.identity.rules.status.list_claims import MAX_COMPRESSED_BYTES
from hutong.relay.services.identity.rules.status.statuses import MAX_STATUS_BYTES, Statuses

MIN_BITSTRING_BITS: Final = 131_072
"""§3.1: in a shorter list one holder is easily told from the others."""
_BASE64URL_MULTIBASE: Final = "u"
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,15}")


@cache
def _reversed_statuses(bits: int) -> bytes:
    """By byte, the byte with its statuses of `bits` bits in reverse order; its own inverse."""
    mask = (1 << bits) - 1
    places = range(0, 8, bits)
    return bytes(sum((byte >> place & mask) << 8 - bits - place for place in places) for byte in range(256))


def encoded_list(statuses: Statuses) -> str:
    """The `encodedList` of a BitstringStatusList with `statuses`; equal statuses give equal text.

    Raises:
        MalformedInput: fewer bits than every such list must have.
    """
    _check_length(statuses.octets)
    mirrored = statuses.octets.translate(_reversed_statuses(statuses.bits))
    return _BASE64URL_MULTIBASE + encode_base64url(deflate(mirrored, Wrapping.GZIP))


@rule(BITSTRING + " §3.2")
def encoded_list_is_whole(value: JsonValue, bits: int) -> Statuses:
    """`encodedList` is multibase base64url of one gzip member, with at least `MIN_BITSTRING_BITS` bits within the bound.

    Raises:
        MalformedInput: anything else; nothing beyond the bound is ever inflated.
    """
    if not isinstance(value, str) or not value.startswith(_BASE64URL_MULTIBASE):
        raise MalformedInput("encodedList", "is not multibase base64url, which begins with u", got=value)
    compressed = decode_base64url(value[1:], "encodedList", MAX_COMPRESSED_BYTES)
    mirrored = inflate(compressed, "encodedList", MAX_STATUS_BYTES, Wrapping.GZIP)
    _check_length(mirrored)
    statuses = Statuses(bits, mirrored)
    return Statuses(bits, mirrored.translate(_reversed_statuses(statuses.bits)))


@rule(BITSTRING + " §2.1")
def status_list_index_well_formed(value: JsonValue) -> int:
    """`statusListIndex` is a whole number from 0 as text, written in the one way.

    Raises:
        MalformedInput: a JSON number, a sign, leading zeros, or more than 16 digits.
    """
    if not isinstance(value, str) or _INDEX.fullmatch(value) is None:
        raise MalformedInput("statusListIndex", "is not a whole number as text", got=value)
    return int(value)


def _check_length(octets: bytes) -> None:
    if len(octets) * 8 < MIN_BITSTRING_BITS:
        raise MalformedInput("encodedList", "too few bits", got=len(octets) * 8, expected=MIN_BITSTRING_BITS)
