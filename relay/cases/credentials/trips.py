"""A day's trips under one ticket: each signed by its rider with a key of that day, told to the others in batches, and counted again.

A trip is the rider's address of the day (20 bytes), the operator that sold the ticket (1), when it was (4, seconds of the day)
and what it costs (4), then the rider's signature over these, the day and the operator that carried: 94 bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature
from web3 import Web3

OPERATORS = ("metro", "bus", "bikes")
CARRIED = (6, 3, 1)
"""How often each carries."""
SAID_BYTES, TRIP_BYTES, BATCH, TRIPS_A_RIDER, SECONDS_A_DAY = 29, 94, 100, 20, 86_400
Batches = list[list[bytes]]
"""Of each operator, those that it carried: `BATCH` trips a batch, the last one fewer."""


@dataclass(frozen=True)
class Day:
    """Days since 1970, and the riders' own secrets (32 bytes each), which no operator has."""

    number: int
    riders: tuple[bytes, ...]

    def key(self, rider: int) -> PrivateKey:
        """Of a rider on this day: another one every day."""
        return PrivateKey(bytes(Web3.keccak(self.riders[rider] + self.number.to_bytes(8, "big"))))

    def address(self, rider: int) -> bytes:
        """Of that key: the rider's id of the day."""
        return bytes(self.key(rider).public_key.to_canonical_address())

    def digest(self, carrier: int, said: bytes) -> bytes:
        """What a rider signs."""
        return bytes(Web3.keccak(b"one ticket" + self.number.to_bytes(8, "big") + bytes([carrier]) + said))

    def trip(self, rider: int, carrier: int, time_s: int, fare: int) -> bytes:
        """One of a rider's, who bought the ticket of the operator with the rider's number."""
        key = self.key(rider)
        said = key.public_key.to_canonical_address() + bytes([rider % len(OPERATORS)])
        said += time_s.to_bytes(4, "big") + fare.to_bytes(4, "big")
        return said + key.sign_msg_hash(self.digest(carrier, said)).to_bytes()

    def ridden(self, trips: int, seed: int) -> Batches:
        """So many trips, by a fixed seed."""
        random = Random(seed)  # noqa: S311 - a seed, not a secret
        carried: Batches = [[] for _ in OPERATORS]
        for number in range(trips):
            carrier = random.choices(range(len(OPERATORS)), CARRIED)[0]
            time_s, rider = number * SECONDS_A_DAY // trips, random.randrange(len(self.riders))
            carried[carrier].append(self.trip(rider, carrier, time_s, random.randint(100, 400)))
        return [[b"".join(of[at : at + BATCH]) for at in range(0, len(of), BATCH)] for of in carried]

    def count(self, told: Sequence[Sequence[bytes]]) -> tuple[list[list[int]], list[str]]:
        """What each operator is owed for the riders of each, and what is wrong with what was told."""
        owed, wrong, seen = [[0] * len(OPERATORS) for _ in told], [], set()
        for carrier, batches in enumerate(told):
            for trip in trips_of(batches):
                said, signature = trip[:SAID_BYTES], trip[SAID_BYTES:]
                if self.signer(carrier, said, signature) != said[:20]:
                    wrong.append("forged")
                elif (once := (carrier, said[:20], said[21:25])) in seen:
                    wrong.append("duplicate")
                else:
                    seen.add(once)
                    owed[carrier][said[20]] += int.from_bytes(said[25:29], "big")
        return owed, wrong

    def signer(self, carrier: int, said: bytes, signature: bytes) -> bytes:
        """Whose signature it is; empty where it is nobody's."""
        try:
            key = Signature(signature).recover_public_key_from_msg_hash(self.digest(carrier, said))
        except BadSignature:
            return b""
        return bytes(key.to_canonical_address())


def trips_of(batches: Sequence[bytes]) -> list[bytes]:
    """Of an operator, one by one."""
    return [batch[at : at + TRIP_BYTES] for batch in batches for at in range(0, len(batch), TRIP_BYTES)]


def nets(owed: Sequence[Sequence[int]]) -> list[int]:
    """What each operator gets (or pays, below zero): what others' riders owe it, less what its own owe to others."""
    return [sum(owed[one]) - sum(of[one] for of in owed) for one in range(len(owed))]
