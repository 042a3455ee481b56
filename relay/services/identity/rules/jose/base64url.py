"""base64url without padding, one text for each value.

Libraries drop padding, line ends and stray bits, so that a token has several spellings: what was hashed or blocked as one
text comes back as another. Here every other spelling is refused.
"""

from binascii import Error, a2b_base64, b2a_base64

from hutong.light_clients.interface.errors import MalformedInput

_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")
"""What standard base64 has and base64url has not becomes a character of neither; bytes of other characters stay what they are."""
_TO_URL = bytes.maketrans(b"+/", b"-_")
_LAST = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
"""By length modulo 4: the last characters that leave no bits over."""
_PADDING = (b"", b"", b"==", b"=")


def encode_base64url(data: bytes) -> str:
    """The one spelling of `data` (RFC 4648 §5, without padding as RFC 7515 §2 says)."""
    return b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode()


def decode_base64url(text: str, field: str, max_bytes: int, part: str = "") -> bytes:
    """The bytes that `text` spells; `field` with `part` after it names it in errors.

    Raises:
        MalformedInput: more than `max_bytes` bytes, padding, another character, a length that no bytes have, or bits
            set after the last byte.
    """
    if len(text) > (max_bytes * 4 + 2) // 3:
        raise MalformedInput(field + part, f"base64url of more than {max_bytes} bytes", got=len(text))
    over = len(text) % 4
    if over == 1:
        raise MalformedInput(field + part, "base64url of an impossible length", got=len(text))
    try:
        data = a2b_base64(text.encode().translate(_FROM_URL) + _PADDING[over], strict_mode=True)
    except (Error, UnicodeEncodeError) as error:
        reason = "base64url has no padding here" if "=" in text else "is not base64url"
        raise MalformedInput(field + part, reason, got=text) from error
    if over and text[-1] not in _LAST[over]:
        raise MalformedInput(field + part, "base64url with bits after the last byte", got=text)
    return data
