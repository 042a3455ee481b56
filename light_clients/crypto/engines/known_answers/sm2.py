"""SM2 signatures with the standard's identifier: the example of GB/T 32918.5-2017 (A.2), and what is refused."""

from hutong.light_clients.crypto.engines.engine import KnownAnswer
from hutong.light_clients.crypto.gm import FIELD_PRIME, ORDER

_X = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
_Y = "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
_MESSAGE = b"message digest"
_R = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
_S = "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _answers() -> tuple[KnownAnswer, ...]:
    key, r, s = bytes.fromhex(_X + _Y), bytes.fromhex(_R), bytes.fromhex(_S)
    x, y, zero = bytes.fromhex(_X), int(_Y, 16), bytes(32)
    refused = {
        "another message": (key, b"message digesu", r + s),
        "r = 0": (key, _MESSAGE, zero + s),
        "s = 0": (key, _MESSAGE, r + zero),
        "r = the order": (key, _MESSAGE, _word(ORDER) + s),
        "s = the order": (key, _MESSAGE, r + _word(ORDER)),
        "s negated": (key, _MESSAGE, r + _word(ORDER - int(_S, 16))),
        "r + s = the order": (key, _MESSAGE, r + _word(ORDER - int(_R, 16))),
        "halves swapped": (key, _MESSAGE, s + r),
        "the negative key": (x + _word(FIELD_PRIME - y), _MESSAGE, r + s),
        "y off the curve": (x + _word(y ^ 1), _MESSAGE, r + s),
        "a key of zeros": (bytes(64), _MESSAGE, r + s),
        "a signature of 63 bytes": (key, _MESSAGE, (r + s)[:63]),
    }
    return (
        KnownAnswer("GB/T 32918.5 A.2", (key, _MESSAGE, r + s), True),
        *(KnownAnswer(name, question, False) for name, question in refused.items()),
    )


VERIFY = _answers()
"""Of (x ‖ y, message, r ‖ s): whether it is by the key."""
