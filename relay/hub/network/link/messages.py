"""What peers of the hub's network say to each other."""

from dataclasses import dataclass
from typing import TypeAlias

from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
from hutong.light_clients.tendermint.types import Commit
from hutong.relay.hub.consensus.types import Proposal, Step, Vote

PROTOCOL_VERSION = 1


@dataclass(frozen=True, slots=True)
class Hello:
    """First on every connection, from both ends. `height` is that of the last block on disk."""

    version: int
    chain_id: str
    genesis_hash: bytes
    height: int
    consensus_address: bytes


@dataclass(frozen=True, slots=True)
class RoundVotes:
    """What a node has of one round; bit i of the bitmaps is validator i's vote."""

    round: int
    has_block: bool
    prevotes: int
    precommits: int


@dataclass(frozen=True, slots=True)
class Status:
    """Where a node stands, sent at every step and at an interval: who has what it lacks answers with that."""

    height: int
    round: int
    step: Step
    rounds: tuple[RoundVotes, ...]


@dataclass(frozen=True, slots=True)
class VoteMessage:
    vote: Vote


@dataclass(frozen=True, slots=True)
class ProposalMessage:
    """`block` is encoded: it is decoded only after the proposal's signature was found good."""

    proposal: Proposal
    block: bytes


@dataclass(frozen=True, slots=True)
class BlocksRequest:
    """Asks for `count` committed blocks from `first` on."""

    first: int
    count: int


@dataclass(frozen=True, slots=True)
class CommittedBlock:
    """A block with the commit that its sender stored for it."""

    height: int
    commit: Commit
    block: bytes


@dataclass(frozen=True, slots=True)
class Transactions:
    raw: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SkipMessage:
    """By which a block counts as empty; before that block where it is sent as a committed one."""

    certificate: SkipCertificate


Message: TypeAlias = (
    Hello | Status | VoteMessage | ProposalMessage | BlocksRequest | CommittedBlock | Transactions | SkipMessage
)
