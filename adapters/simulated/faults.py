"""What a lying, lagging or broken endpoint does, on demand and by seed."""

from dataclasses import dataclass, field
from random import Random

from hutong.adapters.interface import PacketEvent


@dataclass(slots=True)
class Faults:
    """Each number is a probability per call, drawn from `random`; all zero is an honest endpoint. Tests set them at
    will.

    `unavailable`: the call raises EndpointUnavailable.
    `lost_broadcast`: the pool says yes and forgets. `hidden_broadcast`: the pool takes it, the caller sees a failure.
    `hidden_events`, `corrupt_proofs`, `corrupt_headers`: per event, proof and header.
    `paused`: the router says that it is paused (what it refuses then is up to the test's apps).
    `forged_events` are mixed into every answer whose range holds them. `head_lag` hides that many newest blocks.
    """

    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - a seed, not a secret
    latency_s: float = 0.0
    unavailable: float = 0.0
    lost_broadcast: float = 0.0
    hidden_broadcast: float = 0.0
    hidden_events: float = 0.0
    corrupt_proofs: float = 0.0
    corrupt_headers: float = 0.0
    head_lag: int = 0
    forged_events: tuple[PacketEvent, ...] = ()
    claimed_chain_id: str | None = None
    paused: bool = False

    def strikes(self, probability: float) -> bool:
        """Draw once; a zero probability draws nothing, so that honest runs do not consume randomness."""
        return probability > 0 and self.random.random() < probability

    def corrupted(self, data: bytes, probability: float) -> bytes:
        """`data`, or with the given probability `data` with one bit turned."""
        if not data or not self.strikes(probability):
            return data
        position = self.random.randrange(len(data) * 8)
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        return bytes(flipped)
