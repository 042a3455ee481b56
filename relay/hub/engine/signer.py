"""A validator's signatures, with the last-signed record on disk before any of them leaves."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from hutong.light_clients.tendermint.hashing import sign_digest
from hutong.light_clients.tendermint.skip_certificate import (
    SkipSignature,
    SkipStatement,
    skip_digest,
)
from hutong.light_clients.tendermint.types import KeyType, PublicKey, SignedMessageType
from hutong.relay.base.durable_files import write_durably
from hutong.relay.hub.consensus.signing import (
    LastSigned,
    Signed,
    SkipRefused,
    above,
    next_signature,
    next_skip,
)
from hutong.relay.hub.consensus.types import Proposal, Step, Vote
from hutong.relay.hub.home.home import LAST_SIGNED_FILE, PROPOSAL_FILE, ValidatorKey
from hutong.relay.hub.home.last_signed import encode_last_signed, load_record
from hutong.relay.keys.documents import ConsensusProposal, ConsensusVote, ConsensusVoteExtension

DocumentAt: TypeAlias = Callable[[int], ConsensusVote | ConsensusProposal]
"""The vote or proposal with a time, nanoseconds since 1970."""


class SavedProposal:
    """The block that a node proposes at a height, in its home: after a crash the same one must be proposed again."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def save_proposal(self, height: int, block: bytes) -> None:
        """Keep the encoded block durably, before it is signed; it replaces that of any other height.

        Raises:
            OSError: it cannot be written; what was there is unchanged.
        """
        write_durably(self._home / PROPOSAL_FILE, height.to_bytes(8, "big") + block)

    def saved_proposal(self, height: int) -> bytes | None:
        """The encoded block saved for `height`, unchecked; None where there is none, or one of another height.

        Raises:
            OSError: the file is there and cannot be read.
        """
        try:
            data = (self._home / PROPOSAL_FILE).read_bytes()
        except FileNotFoundError:
            return None
        return data[8:] if int.from_bytes(data[:8], "big") == height else None


class RecordedSigner(SavedProposal):
    """A key whose last-signed record is in a home. Blocking: every new signature waits for the disk. One process per key."""

    def __init__(self, home: Path, public_key: PublicKey, chain_id: str) -> None:
        super().__init__(home)
        self._chain_id = chain_id
        self.public_key = public_key
        self.record = load_record(home)

    def sign_vote(self, vote: Vote) -> Vote:
        """The vote with its signature, after the record is on disk.

        Its time may be that of an earlier signature for the same vote.

        The vote's address is not compared with the key.

        Raises:
            DoubleSignRefused: the key signed something else at that height, round and step, or something later.
            OSError: the record cannot be written; then no signature is returned.
        """
        step = Step(int(Step.PREVOTE) if vote.message_type == 1 else int(Step.PRECOMMIT))

        def at(timestamp_ns: int) -> ConsensusVote:
            return ConsensusVote(
                self._chain_id,
                SignedMessageType(vote.message_type),
                vote.height,
                vote.round,
                vote.block_id,
                timestamp_ns,
            )

        signed = self._sign(vote.height, vote.round, step, vote.timestamp_ns, at)
        return replace(vote, timestamp_ns=signed.timestamp_ns, signature=signed.signature)

    def sign_proposal(self, proposal: Proposal) -> Proposal:
        """The proposal with its signature, in everything as `sign_vote`.

        Raises:
            DoubleSignRefused, OSError: as `sign_vote`.
        """

        def at(timestamp_ns: int) -> ConsensusProposal:
            return ConsensusProposal(
                self._chain_id, proposal.height, proposal.round, proposal.pol_round, proposal.block_id, timestamp_ns
            )

        signed = self._sign(proposal.height, proposal.round, Step.PROPOSE, proposal.timestamp_ns, at)
        return replace(proposal, timestamp_ns=signed.timestamp_ns, signature=signed.signature)

    def _sign(self, height: int, round_: int, step: Step, timestamp_ns: int, at: DocumentAt) -> Signed:
        raise NotImplementedError

    def sign_skip(self, statement: SkipStatement) -> SkipSignature:
        """This key's signature that the block of `statement` counts as empty; the record is on disk before.

        Raises:
            SkipRefused: the statement is of another chain, or contradicts what the key signed.
            SignerAway: the key cannot be asked now.
            OSError: the record cannot be written; then no signature is returned.
        """
        raise NotImplementedError

    def sign_extension(self, extension: ConsensusVoteExtension) -> bytes:
        """64 bytes, for CometBFT. It decides nothing, so it is on no record. Raises SignerAway."""
        raise NotImplementedError

    def passed(self, height: int) -> None:
        """The others decided `height`: nothing is signed up to it any more, so that the record never seems rolled back.

        Raises:
            OSError: the record cannot be written.
        """
        record = above(self.record, height)
        if record != self.record:
            self._keep(record)

    def _keep(self, record: LastSigned) -> None:
        write_durably(self._home / LAST_SIGNED_FILE, encode_last_signed(record))
        self.record = record

    def close(self) -> None:
        """Nothing is open."""


class FileSigner(RecordedSigner):
    """The key is in this process: signed, put on record, and then let out.

    A record that comes from a key elsewhere may say what was asked for, without its signature: then these bytes are signed,
    and no others.
    """

    def __init__(self, home: Path, key: ValidatorKey, chain_id: str) -> None:
        super().__init__(home, key.public_key, chain_id)
        self._key = key

    def _sign(self, height: int, round_: int, step: Step, timestamp_ns: int, at: DocumentAt) -> Signed:
        record, signed = next_signature(
            self.record,
            height,
            round_,
            step,
            timestamp_ns,
            lambda time_ns: at(time_ns).preimage,
            self._signature_over,
        )
        if not signed.signature:
            asked, signed = signed, replace(signed, signature=self._signature_over(signed.sign_bytes))
            record = replace(record, signed=tuple(signed if entry == asked else entry for entry in record.signed))
        if record != self.record:
            self._keep(record)
        return signed

    def _signature_over(self, sign_bytes: bytes) -> bytes:
        return self._key.sign(sign_digest(KeyType.SECP256K1, sign_bytes))

    def sign_skip(self, statement: SkipStatement) -> SkipSignature:
        """This key's signature that the block of `statement` counts as empty; the record is on disk before.

        Raises:
            SkipRefused: the statement is of another chain, or contradicts what the key signed.
            OSError: the record cannot be written; then no signature is returned.
        """
        if statement.chain_id != self._chain_id:
            raise SkipRefused(statement, f"this key signs for {self._chain_id}")
        record, signed = next_skip(self.record, statement, lambda: self._key.sign(skip_digest(statement)))
        if not signed.signature:
            signed = replace(signed, signature=self._key.sign(skip_digest(statement)))
            record = replace(record, skip=signed)
        if record != self.record:
            self._keep(record)
        return SkipSignature(self.public_key.data, signed.signature)

    def sign_extension(self, extension: ConsensusVoteExtension) -> bytes:
        """64 bytes, for CometBFT. It decides nothing, so it is on no record."""
        return self._key.sign(extension.digest)
