"""What the driver of consensus asks of what is around its validator: nobody (`Alone`), or peers."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
from hutong.light_clients.tendermint.types import Commit
from hutong.relay.hub.consensus.signing import DoubleSignRefused
from hutong.relay.hub.consensus.types import Equivocation, HeightStarted, Proposal, SignProposal, SignVote, Vote
from hutong.relay.hub.engine.block_signer import SignerAway

LookForSkip: TypeAlias = Callable[[], Awaitable[SkipCertificate | None]]
"""Looks into the home once."""

SKIP_POLL_S = 1.0
"""A certificate may also be put into the home."""


class Surroundings(Protocol):
    """Called by the driver alone, in its task. What is not a coroutine does not wait."""

    async def attend(self, due_at_s: float) -> bool:
        """There is no event: do one thing that came from outside, or wait for one.

        Args:
            due_at_s: when the next timer is due, in trio's time; infinity without one.

        Returns:
            False where the timer is next: because it is due, or because nothing else can come.
        """

    @property
    def patience(self) -> int:
        """Rounds by whose growth every timeout is longer, from 0."""

    def earliest_start_s(self) -> float:
        """Before this, in trio's time, the next height does not begin; minus infinity for no bound."""

    def why_none(self, event: HeightStarted, own_address: bytes) -> str | None:
        """Why no block of this height can ever be decided from here, as one sentence; None where one can."""

    async def rest(self, reason: str) -> None:
        """No block will come from here, for that reason; never returns."""

    def only_listens(self, height: int) -> None:
        """Nothing is signed at this height: what was signed there is not known any more."""

    def height_begins(self) -> None:
        """The first event of a height is about to be taken."""

    def stepped(self) -> None:
        """An event was taken: the driver's state may be another."""

    def equivocated(self, effect: Equivocation) -> None:
        """A validator signed two votes."""

    def voted(self, vote: Vote) -> None:
        """This validator signed a vote."""

    def proposed(self, proposal: Proposal, block: bytes) -> None:
        """This validator signed a proposal of that encoded block."""

    def not_signed(self, effect: SignVote | SignProposal, error: DoubleSignRefused | SignerAway) -> None:
        """The key did not sign. Raises `error` where the validator must not go on without that signature."""

    async def decided(self, height: int, commit: Commit) -> None:
        """A block is decided, and not yet on disk."""

    async def skip_certificate(
        self, height: int, block_hash: bytes, look: LookForSkip, *, promised: bool
    ) -> SkipCertificate | None:
        """A decided block has no certificate in this home, by which it would count as empty: wait for one to come.

        Args:
            look: whether it is in the home by now.
            promised: this validator's key promised not to execute the block.

        Returns:
            None where the block may be executed.
        """


def why_waiting_for_skip(height: int) -> str:
    """What the operator is told while a decided block of `height` waits for its certificate, as one sentence."""
    return (
        f"no block {height + 1}: this key signed that block {height} counts as empty, so it waits for the certificate"
        " (`hutong hub skip combine`, then `hutong hub skip apply`)"
    )
