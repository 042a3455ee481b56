"""Proposals as the hub's state holds them, so that nobody votes for another one than they mean
(docs/member/governing.md).
"""

from dataclasses import dataclass
from typing import Any

from hutong.adapters.hub.verified_state import VerifiedState
from hutong.adapters.interface import AdapterError
from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.ibc.governance_abi import PROPOSAL
from hutong.light_clients.interface.errors import shown

PROPOSAL_PREFIX = b"governance/proposal/"
MAX_RECORD_BYTES = 128 * 1024


@dataclass(eq=False)
class ProposalDiffers(AdapterError):
    """The state holds another proposal under this number than the one that is to be voted on."""

    number: int
    field: str
    got: Any
    expected: Any

    def __str__(self) -> str:
        return (
            f"proposal {self.number} is another one: its {self.field} is {shown(self.got)}, expected"
            f" {shown(self.expected)}; nothing was voted on, and an endpoint that named this number lies"
        )


@dataclass(eq=False)
class NoSuchProposal(AdapterError):
    """Proven: the state holds nothing under this number. `height`: after this block."""

    number: int
    height: int

    def __str__(self) -> str:
        return f"no such proposal: {self.number} is proven absent from the state after block {self.height}"


@dataclass(eq=False)
class NothingTrusted(AdapterError):
    """A vote is for a proposal that is read with a proof, and that begins with something that the operator trusts."""

    number: int

    def __str__(self) -> str:
        return (
            f"proposal {self.number} cannot be proven, so nothing is voted on: name the hub's genesis file as `genesis`"
            " in the configuration of the hub"
        )


@dataclass(frozen=True, slots=True)
class Content:
    """What an operator asks for."""

    account: str
    action: bytes
    title: str


@dataclass(frozen=True, slots=True)
class ProvenProposal:
    """A record is written once, so it stays what it is."""

    number: int
    public_key: bytes
    account: str
    proposed_s: int
    height: int
    expires_s: int
    title: str
    action: bytes


def proposal_key(number: int) -> bytes:
    """The proposal's key in the hub's state: the prefix and 8 bytes, big-endian."""
    return PROPOSAL_PREFIX + number.to_bytes(8, "big")


def decode_record(number: int, raw: bytes) -> ProvenProposal:
    """The record of a proposal as the hub's state stores it: ABI data of at most MAX_RECORD_BYTES.

    Raises:
        MalformedInput: any other bytes.
    """
    values = decode_canonical(PROPOSAL.types, raw, "proposal", MAX_RECORD_BYTES)
    return ProvenProposal(number=number, **PROPOSAL.named(values))


class ProvenProposals:
    """Reads under headers that follow from what the operator trusts."""

    def __init__(self, state: VerifiedState) -> None:
        self._state = state

    async def read(self, number: int, after_height: int) -> ProvenProposal:
        """The proposal as the state holds it after block `after_height`, or a later one, with its proof verified.

        Raises:
            NoSuchProposal: the state is proven to hold none of this number.
            VerificationError: the record is malformed, or what the endpoints serve does not follow from what is
                trusted.
            TrustTooOld, AdapterError: as `VerifiedState.get`.
        """
        raw = await self._state.get(proposal_key(number), after_height)
        if raw is None:
            raise NoSuchProposal(number, after_height)
        return decode_record(number, raw)

    async def require(self, number: int, content: Content, after_height: int) -> ProvenProposal:
        """As `read`, and its action, title and proposer are those of `content`.

        Raises:
            ProposalDiffers: the state holds another proposal under this number.
            As `read`.
        """
        found = await self.read(number, after_height)
        for field, got, expected in (
            ("action", found.action, content.action),
            ("title", found.title, content.title),
            ("proposer", found.account.lower(), content.account.lower()),
        ):
            if got != expected:
                raise ProposalDiffers(number, field, got, expected)
        return found
