"""What a dishonest validator would sign: a second block at a height that has one, made with real validator keys."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.tendermint.codec import encode_header
from hutong.light_clients.tendermint.hashing import header_hash, part_set_header, vote_sign_bytes
from hutong.light_clients.tendermint.types import (
    ABSENT_SIGNATURE,
    BlockId,
    BlockIdFlag,
    Commit,
    CommitSig,
    Header,
    SignedHeader,
    SignedMessageType,
    TendermintHeader,
    ValidatorSet,
)
from tests.light_clients.tendermint.simulated_chain import Signer

OTHER_STATE = sha256(b"a state that the chain never had").digest()


def sign_header(header: Header, validators: ValidatorSet, signers: Sequence[Signer]) -> SignedHeader:
    """A commit by those of `validators` whose keys are given; the others are absent."""
    keys = {signer.address: signer for signer in signers}
    block_id = BlockId(header_hash(header), part_set_header(encode_header(header)))
    entries = []
    for validator in validators.validators:
        signer = keys.get(validator.address)
        if signer is None:
            entries.append(ABSENT_SIGNATURE)
            continue
        time_ns = header.time_ns + NANOSECONDS_PER_SECOND
        precommit = SignedMessageType.PRECOMMIT
        sign_bytes = vote_sign_bytes(header.chain_id, precommit, header.height, 0, block_id, time_ns)
        entries.append(CommitSig(BlockIdFlag.COMMIT, validator.address, time_ns, signer.sign(sign_bytes)))
    return SignedHeader(header, Commit(header.height, 0, block_id, tuple(entries)))


def twin(update: TendermintHeader, signers: Sequence[Signer], **changes) -> TendermintHeader:
    """Another block at the height of a real one: by default only its state differs; `changes` are header fields."""
    header = replace(update.signed_header.header, **{"app_hash": OTHER_STATE, **changes})
    return replace(update, signed_header=sign_header(header, update.validator_set, signers))
