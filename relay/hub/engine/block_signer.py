"""What consensus asks of the validator's key, wherever it is."""

from typing import Protocol

from hutong.relay.hub.consensus.signing import LastSigned
from hutong.relay.hub.consensus.types import Proposal, Vote


class SignerAway(Exception):
    """The key cannot be asked now: one sentence. Nothing was signed, or what was will be signed again in the same way."""


class BlockSigner(Protocol):
    """What the driver needs of the validator's key; blocking."""

    @property
    def record(self) -> LastSigned:
        """What the key has signed last, as it is on disk. A signer that was never reached yet may have an empty one."""

    def sign_vote(self, vote: Vote) -> Vote:
        """The vote with its signature, after the record of it is on disk.

        The time may be that of an earlier signature for the same vote. An address that is not this key's is not
        noticed.

        Raises:
            DoubleSignRefused: the key signed something else at that height, round and step, or something later.
            SignerAway: the key cannot be asked now.
            OSError: the record cannot be written; then there is no signature.
        """

    def sign_proposal(self, proposal: Proposal) -> Proposal:
        """The proposal with its signature, in everything as `sign_vote`.

        Raises:
            DoubleSignRefused, SignerAway, OSError: as `sign_vote`.
        """

    def passed(self, height: int) -> None:
        """The others decided `height`, and this key takes no part in it any more: nothing is signed up to it.

        Raises:
            OSError: the record cannot be written.
        """

    def save_proposal(self, height: int, block: bytes) -> None:
        """Keep the encoded block that is proposed at `height`, durably, before it is signed.

        It replaces that of any other height.

        Raises:
            OSError: it cannot be written.
        """

    def saved_proposal(self, height: int) -> bytes | None:
        """The encoded block kept for `height`, unchecked; None where none or another height's is kept."""
