"""What an acceptance shows, for people and for a period's count."""

from dataclasses import dataclass
from typing import Any

from hutong.light_clients.interface import Height
from hutong.relay.archive.acceptance import Acceptance
from hutong.relay.services.identity.rules.acceptance.standing import Ground, Standing
from hutong.relay.services.identity.rules.organisations.issued import Judged


@dataclass(frozen=True, slots=True)
class Place:
    """Under which header of which hub the issuer's records stand. `time_s` is the header's, Unix seconds."""

    hub: str
    chain_id: str
    height: Height
    time_s: int
    issuer: bytes


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who accepted, a verifier by its name or a gate by chain and address, and the nonce, which it takes once."""

    audience: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """One acceptance of which every rule held.

    `judged` names list, index, key and digest as the issuer's log does (docs/spec/identity-records.md). `claims` are those
    that were shown; of a seal by the hashes of their names.
    """

    place: Place
    schema: bytes
    judged: Judged
    addressee: Addressee
    claims: dict[str, Any]
    standing: Standing

    @property
    def did(self) -> str:
        """The issuer's."""
        return f"did:hutong:{self.place.hub}:{self.place.issuer.hex()}"


def place_of(acceptance: Acceptance, ground: Ground) -> Place:
    """Where the records of an acceptance stand."""
    return Place(ground.hub, acceptance.chain.chain_id, acceptance.height, ground.time_s, acceptance.issuer)
