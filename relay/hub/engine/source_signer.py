"""A validator's signatures by a key that is elsewhere: on record before the key is asked, and never asked for anything else.

What holds the key (a token, a stock signer) signs the same bytes with another signature each time, and whether it signed
before its answer was lost, nobody can tell. So the record first says what will be asked for, without its signature. From
then on nothing else is signed there; the same may be asked for again until its signature is on record, and is repeated
from there afterwards.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from hutong.light_clients.tendermint.skip_certificate import SkipSignature, SkipStatement
from hutong.light_clients.tendermint.types import KeyType, PublicKey
from hutong.relay.hub.consensus.signing import (
    DoubleSignRefused,
    Signed,
    SignedSkip,
    SkipRefused,
    next_signature,
    next_skip,
)
from hutong.relay.hub.consensus.types import Step
from hutong.relay.hub.engine.block_signer import SignerAway
from hutong.relay.hub.engine.signer import DocumentAt, RecordedSigner
from hutong.relay.keys.documents import (
    ConsensusProposal,
    ConsensusSkip,
    ConsensusVote,
    ConsensusVoteExtension,
    parse_consensus,
)
from hutong.relay.keys.errors import ForeignDocument
from hutong.relay.keys.sources.blocking import BlockingSource, DatedSignature, SourceAway, SourceRefuses

ASKED = b""
"""The signature on record of what was asked for, and may or may not have been signed."""


class SourceSigner(RecordedSigner):
    """Blocking. The source is asked only for what the record already holds."""

    def __init__(self, home: Path, source: BlockingSource, chain_id: str, *, signs_skips: bool) -> None:
        """`signs_skips` is False for a stock signer, which knows of no skips: they are refused before anything is promised."""
        super().__init__(home, PublicKey(KeyType.SECP256K1, source.public_key), chain_id)
        self.source = source
        self.is_connected = False
        """Whether the source answered the last request."""
        self._signs_skips = signs_skips

    @property
    def name(self) -> str:
        """What logs and `hutong hub status` call it."""
        return self.source.name

    def connect(self) -> None:
        """Ask whether the source would sign now.

        Raises:
            SignerAway: it would not, with the reason.
        """
        health = self.source.health()
        self.is_connected = health.ready
        if not health.ready:
            raise SignerAway(health.detail)

    def complete(self) -> None:
        """Ask for what a crash left without its signature; what the source refuses stays so, and all once it is away.

        Raises:
            OSError: the record cannot be written.
        """
        for entry in self.record.signed:
            if entry.signature == ASKED:
                try:
                    self._complete(entry, partial(_at, parse_consensus(entry.sign_bytes)))
                except (ForeignDocument, SourceRefuses):
                    continue  # the next one is another question
                except SourceAway:
                    return  # so it is for the others, each after a wait of its own

    def _sign(self, height: int, round_: int, step: Step, timestamp_ns: int, at: DocumentAt) -> Signed:
        record, asked = next_signature(
            self.record, height, round_, step, timestamp_ns, lambda time_ns: at(time_ns).preimage, lambda _: ASKED
        )
        if record != self.record:
            self._keep(record)
        if asked.signature != ASKED:
            return asked
        try:
            return self._complete(asked, at)
        except SourceAway as error:
            self.is_connected = False
            raise SignerAway(str(error)) from None
        except SourceRefuses as error:
            raise DoubleSignRefused(height, round_, step, str(error)) from None

    def _complete(self, asked: Signed, at: DocumentAt) -> Signed:
        made = self.source.sign(at(asked.timestamp_ns))
        self.is_connected = True
        signed = _dated(asked, made, at)
        entries = tuple(signed if entry == asked else entry for entry in self.record.signed)
        self._keep(replace(self.record, signed=entries))
        return signed

    def sign_skip(self, statement: SkipStatement) -> SkipSignature:
        """This key's signature that the block of `statement` counts as empty; the promise is on disk before it is asked for.

        Raises:
            SkipRefused: the statement is of another chain, contradicts what the key signed, or the source signs no skips.
            SignerAway: the source does not answer. The promise counts, as the signature may exist.
            OSError: the record cannot be written; then nothing was asked for.
        """
        if statement.chain_id != self._chain_id:
            raise SkipRefused(statement, f"this key signs for {self._chain_id}")
        if not self._signs_skips:
            raise SkipRefused(
                statement,
                f"{self.name} speaks CometBFT's signer protocol, which has no skips: not supported with this signer",
            )
        before = self.record
        record, skip = next_skip(before, statement, lambda: ASKED)
        if record != before:
            self._keep(record)
        if skip.signature == ASKED:
            try:
                made = self.source.sign(ConsensusSkip(statement))
            except SourceAway as error:
                raise SignerAway(str(error)) from None
            except SourceRefuses as error:
                self._keep(before)
                raise SkipRefused(statement, str(error)) from None
            skip = SignedSkip(statement, made.signature)
            self._keep(replace(self.record, skip=skip))
        return SkipSignature(self.public_key.data, skip.signature)

    def sign_extension(self, extension: ConsensusVoteExtension) -> bytes:
        """64 bytes, for CometBFT. It decides nothing, so it is on no record.

        Raises:
            SignerAway: the source gives none.
        """
        try:
            return self.source.sign(extension).signature
        except (SourceAway, SourceRefuses) as error:
            raise SignerAway(str(error)) from None


def _at(document: ConsensusVote | ConsensusProposal, timestamp_ns: int) -> ConsensusVote | ConsensusProposal:
    return replace(document, timestamp_ns=timestamp_ns)


def _dated(asked: Signed, made: DatedSignature, at: DocumentAt) -> Signed:
    if made.timestamp_ns == asked.timestamp_ns:
        return replace(asked, signature=made.signature)
    # It signed the same before it was this node's signer, and repeats that with its time, as CometBFT's own does.
    return Signed(asked.step, at(made.timestamp_ns).preimage, made.timestamp_ns, made.signature)
