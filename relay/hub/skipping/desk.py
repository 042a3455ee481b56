"""What a running node knows of skips: which block it may not execute, and by which certificate a decided one counts as empty."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from hutong.light_clients.interface import PredicateFailed, VerificationError
from hutong.light_clients.tendermint.skip_certificate import SkipCertificate, skip_is_about
from hutong.relay.hub.application.skipped_blocks import SkippedBlocks
from hutong.relay.hub.consensus.signing import LastSigned, skip_forbids
from hutong.relay.hub.skipping.files import SkipFiles
from hutong.relay.telemetry import get_logger

SIGNATURE_FALSE = "skip_signatures_hold"
"""The one rule that a certificate breaks whatever the state of its judge is."""

_log = get_logger("consensus")


class Chain(Protocol):
    """The ledger or the machine under CometBFT."""

    @property
    def skips(self) -> SkippedBlocks:
        """Certificates in the chain's state, and the rules by which a new one is judged."""

    @property
    def height(self) -> int:
        """Of the newest block whose state is on disk."""


class SkipDesk:
    """Of one home. Blocking; several threads may offer at once, since what they write is the same file with the same sense."""

    def __init__(self, home: Path, chain: Chain, record: Callable[[], LastSigned]) -> None:
        self._files = SkipFiles(home)
        self._chain = chain
        self._record = record
        self._newest: tuple[int, SkipCertificate | None] = (-1, None)
        self.executed_here: SkipCertificate | None = None
        """A certificate of the newest block, which was executed here: the node must start again."""

    def certificate(self, height: int, block_hash: bytes) -> SkipCertificate | None:
        """The home's certificate of the block that follows the newest state; None where there is none that holds.

        It is judged by that state. One that does not hold is logged and left where it is.

        Raises:
            UnusableHome: the file of that height cannot be read.
            StateDamaged: the root of the newest state is not stored.
        """
        found = self._files.load(height)
        if found is None:
            return None
        try:
            skip_is_about(found, self._chain.skips.statement(height, block_hash))
            self._chain.skips.check(found)
        except VerificationError as error:
            _log.warning("a skip certificate is not used", height=height, reason=f"{self._files.path(height)}: {error}")
            return None
        return found

    def forbids(self, height: int, block_hash: bytes) -> bool:
        """Whether this key promised not to execute the block with this hash, which follows the newest state.

        Raises:
            SkipRefused: it signed the skip of another block or state of that height.
            StateDamaged: the root of the newest state is not stored.
        """
        record = self._record()
        if record.skip is None or record.skip.statement.height != height:
            return False
        return skip_forbids(record, self._chain.skips.statement(height, block_hash))

    def bound_above(self, height: int) -> bool:
        """Whether this key may not vote on the block after `height`, the newest here.

        It signed that this one counts as empty, and the others went on over the executed state.
        """
        skip = self._record().skip
        return skip is not None and skip.statement.height == height and self._chain.skips.certificate(height) is None

    def newest(self) -> SkipCertificate | None:
        """A certificate for peers that lack it; None where there is none.

        Of the block that follows the newest state, else of that state's own block, else of the one before.

        Raises:
            UnusableHome: a file of those heights cannot be read.
        """
        height = self._chain.height
        if self._newest[0] != height:
            self._newest = height, self._found_near(height)
        return self._newest[1]

    def _found_near(self, newest: int) -> SkipCertificate | None:
        for height in (newest + 1, newest, newest - 1):
            found = None if height < 1 else self._known(height)
            if found is not None:
                return found
        return None

    def _known(self, height: int) -> SkipCertificate | None:
        """What the chain has, or the home."""
        return self._chain.skips.certificate(height) or self._files.load(height)

    def offer(self, certificate: SkipCertificate) -> bool:
        """Take what a peer or a block brought, durably; whether it is of use here and new.

        Raises:
            PredicateFailed: `skip_signatures_hold` alone, since nobody honest passes that on; any other rule gives
                False.
            UnusableHome: a file of that height is there and cannot be read.
            OSError: it cannot be written.
        """
        statement = certificate.statement
        if self._known(statement.height) is not None:
            return False
        try:
            self._chain.skips.check(certificate)
        except PredicateFailed as error:
            if error.predicate == SIGNATURE_FALSE:
                raise
            return False
        self._files.keep(certificate)
        self._newest = (-1, None)
        if statement.height == self._chain.height:
            self.executed_here = certificate
        _log.warning(
            "a block counts as empty",
            height=statement.height,
            reason=f"more than two thirds signed the skip of {statement}",
        )
        return True
