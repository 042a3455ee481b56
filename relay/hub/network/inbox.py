"""What peers sent and the driver has yet to judge."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
from hutong.relay.hub.consensus.types import Proposal, Vote
from hutong.relay.hub.network.link.messages import CommittedBlock
from hutong.relay.hub.network.score import Offence

Judge: TypeAlias = Callable[[Offence | None, str], None]
"""Called once, with what the sender did wrong, if anything, in one sentence."""


@dataclass(frozen=True, slots=True)
class ReceivedVote:
    vote: Vote
    judge: Judge


@dataclass(frozen=True, slots=True)
class ReceivedProposal:
    proposal: Proposal
    block: bytes
    judge: Judge


@dataclass(frozen=True, slots=True)
class ReceivedBlock:
    message: CommittedBlock
    judge: Judge


@dataclass(frozen=True, slots=True)
class ReceivedSkip:
    certificate: SkipCertificate
    judge: Judge


Received: TypeAlias = ReceivedVote | ReceivedProposal | ReceivedBlock | ReceivedSkip
