"""The surroundings of a validator that decides alone."""

from collections.abc import Callable
from dataclasses import dataclass

import trio

from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
from hutong.light_clients.tendermint.types import Commit
from hutong.relay.hub.consensus.signing import DoubleSignRefused
from hutong.relay.hub.consensus.types import Equivocation, HeightStarted, Proposal, SignProposal, SignVote, Vote
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.engine.standing import why_no_blocks
from hutong.relay.hub.engine.surroundings import SKIP_POLL_S, LookForSkip, why_waiting_for_skip
from hutong.relay.hub.engine.wal import WAL_FILE
from hutong.relay.hub.home.home import PROPOSAL_FILE


@dataclass(frozen=True, slots=True)
class Alone:
    """As `Surroundings`. `on_waiting` is told why no block comes, in one sentence; the rest of the node goes on then."""

    on_waiting: Callable[[str], None]

    async def attend(self, due_at_s: float) -> bool:
        """Only a timer brings an event."""
        return False

    @property
    def patience(self) -> int:
        """0: no message of others can be late."""
        return 0

    def earliest_start_s(self) -> float:
        """No bound."""
        return float("-inf")

    def why_none(self, event: HeightStarted, own_address: bytes) -> str | None:
        """A set that this key alone cannot decide for."""
        return why_no_blocks(event.validators, event.height, own_address)

    async def rest(self, reason: str) -> None:
        """Nothing is signed; others may still need the last blocks."""
        self.on_waiting(reason)
        await trio.sleep_forever()

    def only_listens(self, height: int) -> None:
        """There is nobody to listen to: the height is never decided."""
        self.on_waiting(
            f"no block {height}: this validator decided one, of which its log and its copy of the block are gone, so it signs no"
            f" other; put back {WAL_FILE} or {PROPOSAL_FILE} and start again"
        )

    def height_begins(self) -> None:
        """Nothing is kept from one height to the next."""

    def stepped(self) -> None:
        """Nobody is told."""

    def equivocated(self, effect: Equivocation) -> None:
        """Raises RuntimeError: its own votes are the only ones."""
        raise RuntimeError(f"validator {effect.first.validator_address.hex()} equivocated at one validator's hub")

    def voted(self, vote: Vote) -> None:
        """Nobody is told."""

    def proposed(self, proposal: Proposal, block: bytes) -> None:
        """Nobody is told."""

    def not_signed(self, effect: SignVote | SignProposal, error: DoubleSignRefused | SignerAway) -> None:
        """Raises `error`: without that signature no block is decided."""
        raise error

    async def decided(self, height: int, commit: Commit) -> None:
        """Its own signatures are on record."""

    async def skip_certificate(
        self, height: int, block_hash: bytes, look: LookForSkip, *, promised: bool
    ) -> SkipCertificate | None:
        """One comes by the operator's hand alone, and only a promise is worth the wait."""
        if not promised:
            return None
        self.on_waiting(why_waiting_for_skip(height))
        while True:
            await trio.sleep(SKIP_POLL_S)
            found = await look()
            if found is not None:
                return found
