"""What a simulated chain offers so that the conformance suite can drive any `LightClient` through it.

Implement it beside the client's own tests and subclass the suite:

    class TestBftEvmConformance(LightClientConformance):
        make_harness = staticmethod(BftEvmHarness)

Heights are those of consensus states: the root of the state at `height` is what `prove(key, height)` is checked against.
A chain starts with a first block; block times are whole seconds and strictly increase.
"""

from dataclasses import dataclass
from typing import Protocol

from hutong.light_clients.interface import Height, LightClient


@dataclass(frozen=True)
class Proven:
    """`value` None: the proof shows absence."""

    proof: bytes
    path: tuple[bytes, ...]
    value: bytes | None


class Harness(Protocol):
    client: LightClient
    trusting_period_ns: int
    max_clock_drift_ns: int

    @property
    def latest_height(self) -> Height:
        """Of the newest block."""

    def time_ns(self, height: Height) -> int:
        """Of the block at `height`."""

    def advance(self, blocks: int = 1) -> Height:
        """Make blocks, each at least a second later, all signed by every validator; the new latest height."""

    def put(self, key: bytes, value: bytes) -> None:
        """Store 32 bytes under an ICS-24 key; proven at `latest_height` after `advance(2)`."""

    def replace_validators(self) -> None:
        """At most two blocks later none of the present validators signs any more (`SkippingConformance` only)."""

    def states(self, height: Height) -> tuple[bytes, bytes]:
        """Client state and consensus state to create a client at `height`."""

    def states_with_other_parameters(self, height: Height) -> tuple[bytes, bytes]:
        """As `states`, valid, but with an immutable parameter that differs (unfit as a substitute)."""

    def header(self, height: Height, trusted: Height) -> bytes:
        """The update message for the block at `height`, vouched for by the state at `trusted` where the client needs one."""

    def header_with_few_signatures(self, height: Height, trusted: Height) -> bytes:
        """As `header`, but signed by less than the chain's quorum."""

    def conflicting_header(self, height: Height, trusted: Height) -> bytes:
        """Another block at `height` with another state root, signed by the same validators (a fork)."""

    def header_with_time(self, height: Height, trusted: Height, time_ns: int) -> bytes:
        """Another block at `height` with that time, signed by the same validators."""

    def misbehaviour(self, height: Height, trusted: Height) -> bytes:
        """Evidence of a fork at `height`."""

    def harmless_misbehaviour(self, height: Height, trusted: Height) -> bytes:
        """Evidence made of one and the same block twice."""

    def prove(self, key: bytes, height: Height) -> Proven:
        """Existence or absence of `key` at the root of the consensus state at `height`."""
