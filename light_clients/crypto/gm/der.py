"""The few ASN.1 forms of SM2, canonical alone: one encoding a value, none with a byte to spare."""

from hutong.light_clients.crypto.gm.refusals import GmMalformed

SEQUENCE, INTEGER, OCTET_STRING = 0x30, 0x02, 0x04
_SHORT, _ONE_BYTE, _TWO_BYTES = 0x80, 0x81, 0x82


def encode(tag: int, content: bytes) -> bytes:
    """One value of at most 65 535 bytes, its length in the shortest form."""
    size = len(content)
    if size < _SHORT:
        return bytes((tag, size)) + content
    if size <= 0xFF:
        return bytes((tag, _ONE_BYTE, size)) + content
    return bytes((tag, _TWO_BYTES)) + size.to_bytes(2, "big") + content


def encode_integer(value: int) -> bytes:
    """An integer from 0 on: no zero byte in front but the one that keeps it from being negative."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def decode(tag: int, data: bytes, field: str) -> tuple[bytes, bytes]:
    """Content of the value that `data` begins with, and what comes after it.

    Raises:
        GmMalformed: another tag, a length that is not the shortest form or of more than two bytes, or too little data.
    """
    if len(data) < 2 or data[0] != tag:
        raise GmMalformed(field, f"does not begin with the ASN.1 tag {tag:#04x}")
    size, at = data[1], 2
    if size in (_ONE_BYTE, _TWO_BYTES):
        at = 2 + size - _SHORT
        size = int.from_bytes(data[2:at], "big")
        if size < _SHORT or (at == 4 and size <= 0xFF):
            raise GmMalformed(field, "has an ASN.1 length that is not the shortest form")
    elif size > _TWO_BYTES or size == _SHORT:
        raise GmMalformed(field, "has an ASN.1 length of no definite or no short form")
    if len(data) < at + size:
        raise GmMalformed(field, "ends before its ASN.1 length")
    return data[at : at + size], data[at + size :]


def decode_integer(data: bytes, field: str, most_bytes: int) -> tuple[int, bytes]:
    """An integer from 0 on, of at most `most_bytes` bytes beside its sign, and what comes after it.

    Raises:
        GmMalformed: as `decode`; negative, empty, too long, or with a zero byte in front that it does not need.
    """
    content, rest = decode(INTEGER, data, field)
    if not content or content[0] & 0x80:
        raise GmMalformed(field, "is empty or negative")
    if len(content) > 1 and content[0] == 0 and not content[1] & 0x80:
        raise GmMalformed(field, "has a zero byte in front that it does not need")
    value = int.from_bytes(content, "big")
    if value.bit_length() > 8 * most_bytes:
        raise GmMalformed(field, f"has more than {most_bytes} bytes")
    return value, rest
