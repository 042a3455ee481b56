"""Parity of known objects: SHA-256 over the parity shards, as a text book's arithmetic gives them (the first by klauspost too).

An object of a code has the bytes SHA-256(label ‖ BE8(i)) for i = 0, 1, …, label `hutong-rs-<data>-<parity>-<bytes>`.
"""

from hutong.light_clients.crypto.engines.engine import KnownAnswer
from hutong.light_clients.crypto.erasure import KNOWN_ANSWER
from hutong.light_clients.crypto.hashes import sha256

_PARITY = (
    (10, 4, 65_536, KNOWN_ANSWER),
    (20, 10, 2_620, "f0abd312feba27941af50374598c35548ebbf740afd78d910dcb42b9b193e22c"),
    (2, 1, 2, "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"),
    (4, 2, 1_000, "bebbeb353a6430bed9578875cffaf4325c280fae600a49022f501e04d26f5a3a"),
    (17, 3, 1_088, "436626744fbd5bd573e9f7ce63b40b5487a2cf4fa85f7123388da9eb06c2ab75"),
)
"""Data and parity shards, bytes of the object, the answer. Lengths of shards are whole and broken vectors of every width."""


def _object(data: int, parity: int, size: int) -> bytes:
    label = f"hutong-rs-{data}-{parity}-{size}".encode()
    return b"".join(sha256(label + number.to_bytes(8, "big")) for number in range(-(-size // 32)))[:size]


PARITY = tuple(
    KnownAnswer(
        f"{data} + {parity} shards of {size} bytes",
        (data, parity, _object(data, parity, size)),
        bytes.fromhex(answer),
    )
    for data, parity, size, answer in _PARITY
)
"""Of (data, parity, object): SHA-256 over the parity shards."""
