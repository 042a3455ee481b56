"""Shares of RFC 9591's example (appendix E.3, 2 of 3), and what is not fixed by its commitments."""

from hutong.light_clients.crypto.engines.engine import KnownAnswer

_COMMITMENTS = bytes.fromhex(
    "e2a62f39eede11269e3bd5a7d97554f5ca384f9f6d3dd9c3c0d05083c7254f57"  # the group's public key, printed there
    "4262ec299d418d5dcc99136fb3d0dd60e0052230819c61e406378bb2ab16520e"  # of its coefficient, by the tests' own ristretto255
)
_SHARES = tuple(
    bytes.fromhex(value)
    for value in (
        "5c3430d391552f6e60ecdc093ff9f6f4488756aa6cebdbad75a768010b8f830e",
        "b06fc5eac20b4f6e1b271d9df2343d843e1e1fb03c4cbb673f2872d459ce6f01",
        "f17e505f0e2581c6acfe54d3846a622834b5e7b50cad9a2109a97ba7a80d5c04",
    )
)
_ORDER = 2**252 + 27742317777372353535851937790883648493
_ABOVE = (int.from_bytes(_SHARES[1], "little") + _ORDER).to_bytes(32, "little")
_ONE_MORE = (int.from_bytes(_SHARES[0], "little") + 1).to_bytes(32, "little")

VERIFY = (
    *(
        KnownAnswer(f"RFC 9591, holder {at + 1}", (_COMMITMENTS, at + 1, share), True)
        for at, share in enumerate(_SHARES)
    ),
    KnownAnswer("the share of another holder", (_COMMITMENTS, 2, _SHARES[0]), False),
    KnownAnswer("one more", (_COMMITMENTS, 1, _ONE_MORE), False),
    KnownAnswer("the same number above the order", (_COMMITMENTS, 2, _ABOVE), False),
    # at holder 1 both orders have one sum
    KnownAnswer("commitments exchanged", (_COMMITMENTS[32:] + _COMMITMENTS[:32], 2, _SHARES[1]), False),
    KnownAnswer("a neutral commitment", (_COMMITMENTS[:32] + bytes(32), 1, _SHARES[0]), False),
    KnownAnswer("no point", (b"\xff" * 32 + _COMMITMENTS[32:], 1, _SHARES[0]), False),
    KnownAnswer("one commitment", (_COMMITMENTS[:32], 1, _SHARES[0]), False),
    KnownAnswer("holder 0", (_COMMITMENTS, 0, _SHARES[0]), False),
)
"""Of (commitments, holder, share): whether the share is the one that the commitments fix."""
