"""Bytes ↔ values, by protobuf. Decoding accepts exactly what encoding writes (docs/spec/tendermint-client.md, rule T1).

Encoding writes what gogoproto writes for the stock types: non-nullable messages are always present, also when empty.
A missing one would be read as year 1 by Go and as 1970 by others, so decoding refuses it.
"""

from functools import lru_cache
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.interface import (
    MAX_CLIENT_MESSAGE_BYTES,
    MAX_CLIENT_STATE_BYTES,
    MAX_CONSENSUS_STATE_BYTES,
    NANOSECONDS_PER_SECOND,
    Height,
    MalformedInput,
)
from hutong.light_clients.proofs.ics23 import spec_from_message, spec_to_message
from hutong.light_clients.protobuf import cometbft_pb2, ibc_pb2
from hutong.light_clients.protobuf.canonical import parse_canonical
from hutong.light_clients.tendermint.types import (
    GO_ZERO_TIME_NS,
    MAX_INT64,
    MAX_SIGNATURE_BYTES,
    MAX_TIME_NS,
    MAX_VALIDATORS,
    REMEMBERED_KEYS,
    BlockId,
    BlockIdFlag,
    ClientState,
    Commit,
    CommitSig,
    ConsensusState,
    Header,
    KeyType,
    Misbehaviour,
    PartSetHeader,
    PublicKey,
    SignedHeader,
    TendermintHeader,
    TrustLevel,
    Upgrade,
    Validator,
    ValidatorSet,
)

ADDRESS_BYTES = 20
MAX_APP_HASH_BYTES = 256
"""CometBFT leaves the length to the application; SHA-256 roots have 32 bytes, the kvstore example 8."""
MAX_PROOF_SPECS = 8
MAX_UPGRADE_PATH_ELEMENTS = 8

MessageT = TypeVar("MessageT", bound=Message)

_KEY_TYPES = {key_type.value: key_type for key_type in KeyType}
_KEY_BYTES = {KeyType.ED25519: 32, KeyType.SECP256K1: 33}
_FLAGS = {int(flag): flag for flag in BlockIdFlag}


def _present(message: Message, name: str, field: str) -> None:
    if not message.HasField(name):
        raise MalformedInput(f"{field}.{name}", "is missing")


def _hash(value: bytes, field: str) -> bytes:
    if len(value) not in (0, HASH_BYTES):
        raise MalformedInput(field, "a hash has 32 bytes or none", got=value)
    return value


def decode_time(timestamp: Timestamp, field: str) -> int:
    """Nanoseconds since 1970, negative before it; `field` names the timestamp in errors.

    Raises:
        MalformedInput: `nanos` outside [0, 10^9), or a time outside the years 1 to 9999.
    """
    nanos = timestamp.nanos
    if not 0 <= nanos < NANOSECONDS_PER_SECOND:
        raise MalformedInput(f"{field}.nanos", "not in [0, 10^9)", got=nanos)
    time_ns: int = timestamp.seconds * NANOSECONDS_PER_SECOND + nanos
    if not GO_ZERO_TIME_NS <= time_ns <= MAX_TIME_NS:
        raise MalformedInput(f"{field}.seconds", "outside the years 1 to 9999", got=timestamp.seconds)
    return time_ns


def encode_time(time_ns: int, into: Timestamp) -> None:
    """Inverse of `decode_time`; `into` is written also where the time is 0, so that it is never left out."""
    into.SetInParent()
    into.seconds, into.nanos = divmod(time_ns, NANOSECONDS_PER_SECOND)


def _decode_duration(duration: Duration, field: str) -> int:
    if not -NANOSECONDS_PER_SECOND < duration.nanos < NANOSECONDS_PER_SECOND:
        raise MalformedInput(f"{field}.nanos", "not within one second", got=duration.nanos)
    if duration.seconds * duration.nanos < 0:
        raise MalformedInput(f"{field}.nanos", "sign differs from that of seconds", got=duration.nanos)
    duration_ns = duration.seconds * NANOSECONDS_PER_SECOND + duration.nanos
    if abs(duration_ns) > MAX_INT64:
        raise MalformedInput(f"{field}.seconds", "more than 292 years", got=duration.seconds)
    return duration_ns


def _encode_duration(duration_ns: int, into: Duration) -> None:
    into.SetInParent()
    sign = -1 if duration_ns < 0 else 1
    seconds, nanos = divmod(abs(duration_ns), NANOSECONDS_PER_SECOND)
    into.seconds, into.nanos = sign * seconds, sign * nanos


def _decode_height(height: ibc_pb2.Height) -> Height:
    return Height(height.revision_number, height.revision_height)


def _encode_height(height: Height, into: ibc_pb2.Height) -> None:
    into.SetInParent()
    into.revision_number, into.revision_height = height.revision_number, height.revision_height


def _within(field: str, error: MalformedInput) -> MalformedInput:
    """The error of an element, named from outside: names are only built where something is wrong."""
    return MalformedInput(f"{field}.{error.field}" if error.field else field, error.reason, error.got, error.expected)


def _decode_public_key(message: cometbft_pb2.PublicKey) -> PublicKey:
    which = message.WhichOneof("sum")
    if which is None:
        raise MalformedInput("pub_key", "holds neither an ed25519 nor a secp256k1 key")
    return _public_key(which, getattr(message, which))


@lru_cache(REMEMBERED_KEYS)
def _public_key(which: str, data: bytes) -> PublicKey:
    """One value for the same key in both sets of a header and in the headers after it."""
    key_type = _KEY_TYPES[which]
    if len(data) != _KEY_BYTES[key_type]:
        raise MalformedInput("pub_key", f"wrong length of an {key_type} key", len(data), _KEY_BYTES[key_type])
    return PublicKey(key_type, data)


def _decode_validator(message: cometbft_pb2.Validator) -> Validator:
    if not message.HasField("pub_key"):
        raise MalformedInput("pub_key", "is missing")
    address = message.address
    if len(address) != ADDRESS_BYTES:
        raise MalformedInput("address", "an address has 20 bytes", got=address)
    return Validator(address, _decode_public_key(message.pub_key), message.voting_power, message.proposer_priority)


def _encode_validator(validator: Validator, into: cometbft_pb2.Validator) -> None:
    into.address = validator.address
    setattr(into.pub_key, validator.public_key.key_type.value, validator.public_key.data)
    into.voting_power = validator.voting_power
    into.proposer_priority = validator.proposer_priority


def validator_set_from_message(message: cometbft_pb2.ValidatorSet, field: str) -> ValidatorSet:
    """At most `MAX_VALIDATORS`; a missing proposer is None here and refused by the predicates.

    Addresses are as transmitted and powers of any sign: `predicates.validator_set_is_sound` judges them.

    Raises:
        MalformedInput: too many, or a key or address of a wrong length (named by its index).
    """
    if len(message.validators) > MAX_VALIDATORS:
        raise MalformedInput(f"{field}.validators", f"more than {MAX_VALIDATORS}", got=len(message.validators))
    validators: list[Validator] = []
    for validator in message.validators:
        try:
            validators.append(_decode_validator(validator))
        except MalformedInput as error:
            raise _within(f"{field}.validators[{len(validators)}]", error) from None
    try:
        proposer = _decode_validator(message.proposer) if message.HasField("proposer") else None
    except MalformedInput as error:
        raise _within(f"{field}.proposer", error) from None
    return ValidatorSet(tuple(validators), proposer, message.total_voting_power)


def _encode_validator_set(validator_set: ValidatorSet, into: cometbft_pb2.ValidatorSet) -> None:
    into.SetInParent()
    for validator in validator_set.validators:
        _encode_validator(validator, into.validators.add())
    if validator_set.proposer is not None:
        _encode_validator(validator_set.proposer, into.proposer)
    into.total_voting_power = validator_set.claimed_total_voting_power


def block_id_from_message(message: cometbft_pb2.BlockID, field: str) -> BlockId:
    """Hash and part-set hash of 32 bytes or none; nothing else is judged.

    Raises:
        MalformedInput: no part-set header, or a hash of another length.
    """
    _present(message, "part_set_header", field)
    part_set_header = PartSetHeader(
        message.part_set_header.total, _hash(message.part_set_header.hash, f"{field}.part_set_header.hash")
    )
    return BlockId(_hash(message.hash, f"{field}.hash"), part_set_header)


def encode_block_id_into(block_id: BlockId, into: cometbft_pb2.BlockID) -> None:
    """Inverse of `block_id_from_message`; the part-set header is always written (gogoproto non-nullable)."""
    into.hash = block_id.hash
    into.part_set_header.SetInParent()
    into.part_set_header.total = block_id.part_set_header.total
    into.part_set_header.hash = block_id.part_set_header.hash


_HEADER_HASHES = (
    "last_commit_hash",
    "data_hash",
    "validators_hash",
    "next_validators_hash",
    "consensus_hash",
    "last_results_hash",
    "evidence_hash",
)


def header_from_message(message: cometbft_pb2.Header, field: str) -> Header:
    """A block header whose fields have legal sizes: hashes of 32 bytes or none, an app hash of at most 256.

    Chain id, version and height are as transmitted: `predicates.header_is_well_formed` judges them.

    Raises:
        MalformedInput: a part is missing, or a field has another size (named).
    """
    for name in ("version", "time", "last_block_id"):
        _present(message, name, field)
    if len(message.app_hash) > MAX_APP_HASH_BYTES:
        raise MalformedInput(f"{field}.app_hash", f"more than {MAX_APP_HASH_BYTES} bytes", got=len(message.app_hash))
    if len(message.proposer_address) not in (0, ADDRESS_BYTES):
        raise MalformedInput(f"{field}.proposer_address", "an address has 20 bytes", got=message.proposer_address)
    return Header(
        version_block=message.version.block,
        version_app=message.version.app,
        chain_id=message.chain_id,
        height=message.height,
        time_ns=decode_time(message.time, f"{field}.time"),
        last_block_id=block_id_from_message(message.last_block_id, f"{field}.last_block_id"),
        app_hash=message.app_hash,
        proposer_address=message.proposer_address,
        **{name: _hash(getattr(message, name), f"{field}.{name}") for name in _HEADER_HASHES},
    )


def _encode_header(header: Header, into: cometbft_pb2.Header) -> None:
    into.version.SetInParent()
    into.version.block, into.version.app = header.version_block, header.version_app
    into.chain_id = header.chain_id
    into.height = header.height
    encode_time(header.time_ns, into.time)
    into.last_block_id.SetInParent()
    encode_block_id_into(header.last_block_id, into.last_block_id)
    for name in _HEADER_HASHES:
        setattr(into, name, getattr(header, name))
    into.app_hash = header.app_hash
    into.proposer_address = header.proposer_address


def _decode_commit_sig(message: cometbft_pb2.CommitSig) -> CommitSig:
    if not message.HasField("timestamp"):
        raise MalformedInput("timestamp", "is missing")
    flag = _FLAGS.get(message.block_id_flag)
    if flag is None:
        raise MalformedInput("block_id_flag", "not absent, commit or nil", got=message.block_id_flag)
    timestamp_ns = decode_time(message.timestamp, "timestamp")
    address, signature = message.validator_address, message.signature
    if flag is BlockIdFlag.ABSENT:
        if address or signature or timestamp_ns != GO_ZERO_TIME_NS:
            raise MalformedInput("", "an absent entry carries no address, time or signature")
    else:
        if len(address) != ADDRESS_BYTES:
            raise MalformedInput("validator_address", "has 20 bytes", got=address)
        if not 0 < len(signature) <= MAX_SIGNATURE_BYTES:
            raise MalformedInput("signature", f"1 to {MAX_SIGNATURE_BYTES} bytes", got=len(signature))
    return CommitSig(flag, address, timestamp_ns, signature)


def _encode_commit_sig(commit_sig: CommitSig, into: cometbft_pb2.CommitSig) -> None:
    into.block_id_flag = commit_sig.block_id_flag
    into.validator_address = commit_sig.validator_address
    encode_time(commit_sig.timestamp_ns, into.timestamp)
    into.signature = commit_sig.signature


def commit_from_message(message: cometbft_pb2.Commit, field: str) -> Commit:
    """A commit of at most `MAX_VALIDATORS` entries; an absent one carries no address, time or signature.

    Raises:
        MalformedInput: too many entries, or one of another shape (named by its index).
    """
    _present(message, "block_id", field)
    if len(message.signatures) > MAX_VALIDATORS:
        raise MalformedInput(f"{field}.signatures", f"more than {MAX_VALIDATORS}", got=len(message.signatures))
    block_id = block_id_from_message(message.block_id, f"{field}.block_id")
    signatures: list[CommitSig] = []
    for commit_sig in message.signatures:
        try:
            signatures.append(_decode_commit_sig(commit_sig))
        except MalformedInput as error:
            raise _within(f"{field}.signatures[{len(signatures)}]", error) from None
    return Commit(message.height, message.round, block_id, tuple(signatures))


def _encode_commit(commit: Commit, into: cometbft_pb2.Commit) -> None:
    into.SetInParent()
    into.height, into.round = commit.height, commit.round
    into.block_id.SetInParent()
    encode_block_id_into(commit.block_id, into.block_id)
    for commit_sig in commit.signatures:
        _encode_commit_sig(commit_sig, into.signatures.add())


def _decode_signed_header(message: cometbft_pb2.SignedHeader, field: str) -> SignedHeader:
    _present(message, "header", field)
    _present(message, "commit", field)
    return SignedHeader(
        header_from_message(message.header, f"{field}.header"), commit_from_message(message.commit, f"{field}.commit")
    )


def _encode_signed_header(signed_header: SignedHeader, into: cometbft_pb2.SignedHeader) -> None:
    into.SetInParent()
    _encode_header(signed_header.header, into.header)
    _encode_commit(signed_header.commit, into.commit)


def _decode_update(message: ibc_pb2.TendermintHeader, field: str) -> TendermintHeader:
    for name in ("signed_header", "validator_set", "trusted_height", "trusted_validators"):
        _present(message, name, field)
    signed_header = _decode_signed_header(message.signed_header, f"{field}.signed_header")
    validator_set = validator_set_from_message(message.validator_set, f"{field}.validator_set")
    # The next block's trusted validators are its own: one value stands for both, where the messages are equal.
    trusted_validators = (
        validator_set
        if message.trusted_validators == message.validator_set
        else validator_set_from_message(message.trusted_validators, f"{field}.trusted_validators")
    )
    return TendermintHeader(signed_header, validator_set, _decode_height(message.trusted_height), trusted_validators)


def _encode_update(header: TendermintHeader, into: ibc_pb2.TendermintHeader) -> None:
    into.SetInParent()
    _encode_signed_header(header.signed_header, into.signed_header)
    _encode_validator_set(header.validator_set, into.validator_set)
    _encode_height(header.trusted_height, into.trusted_height)
    _encode_validator_set(header.trusted_validators, into.trusted_validators)


def _serialize(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def decode_tendermint_header(data: bytes) -> TendermintHeader:
    """An update: ibc.lightclients.tendermint.v1.Header, at most `MAX_CLIENT_MESSAGE_BYTES`.

    Raises:
        MalformedInput: not the canonical encoding, a part is missing, or a field is out of bounds.
    """
    message = parse_canonical(ibc_pb2.TendermintHeader, data, "header", MAX_CLIENT_MESSAGE_BYTES)
    return _decode_update(message, "header")


def encode_tendermint_header(header: TendermintHeader) -> bytes:
    """Inverse of `decode_tendermint_header`."""
    message = ibc_pb2.TendermintHeader()
    _encode_update(header, message)
    return _serialize(message)


def decode_misbehaviour(data: bytes) -> Misbehaviour:
    """Evidence: ibc.lightclients.tendermint.v1.Misbehaviour, at most `MAX_CLIENT_MESSAGE_BYTES` in all.

    Raises:
        MalformedInput: not the canonical encoding, a header is missing, or a field is out of bounds.
    """
    message = parse_canonical(ibc_pb2.TendermintMisbehaviour, data, "misbehaviour", MAX_CLIENT_MESSAGE_BYTES)
    for name in ("header_1", "header_2"):
        _present(message, name, "misbehaviour")
    return Misbehaviour(
        message.client_id,
        _decode_update(message.header_1, "misbehaviour.header_1"),
        _decode_update(message.header_2, "misbehaviour.header_2"),
    )


def encode_misbehaviour(misbehaviour: Misbehaviour) -> bytes:
    """Inverse of `decode_misbehaviour`."""
    message = ibc_pb2.TendermintMisbehaviour(client_id=misbehaviour.client_id)
    _encode_update(misbehaviour.header_1, message.header_1)
    _encode_update(misbehaviour.header_2, message.header_2)
    return _serialize(message)


def decode_client_state(data: bytes) -> ClientState:
    """ibc.lightclients.tendermint.v1.ClientState, well-formed; `predicates` judge whether it is sound.

    Raises:
        MalformedInput: not the canonical encoding, a part is missing, a duration of more than 292 years, more than
            `MAX_PROOF_SPECS` specs or `MAX_UPGRADE_PATH_ELEMENTS` elements of the upgrade path.
    """
    message = parse_canonical(ibc_pb2.TendermintClientState, data, "client_state", MAX_CLIENT_STATE_BYTES)
    for name in (
        "trust_level",
        "trusting_period",
        "unbonding_period",
        "max_clock_drift",
        "frozen_height",
        "latest_height",
    ):
        _present(message, name, "client_state")
    if len(message.proof_specs) > MAX_PROOF_SPECS:
        raise MalformedInput("client_state.proof_specs", f"more than {MAX_PROOF_SPECS}", got=len(message.proof_specs))
    if len(message.upgrade_path) > MAX_UPGRADE_PATH_ELEMENTS:
        raise MalformedInput(
            "client_state.upgrade_path", f"more than {MAX_UPGRADE_PATH_ELEMENTS}", got=len(message.upgrade_path)
        )
    return ClientState(
        chain_id=message.chain_id,
        trust_level=TrustLevel(message.trust_level.numerator, message.trust_level.denominator),
        trusting_period_ns=_decode_duration(message.trusting_period, "client_state.trusting_period"),
        unbonding_period_ns=_decode_duration(message.unbonding_period, "client_state.unbonding_period"),
        max_clock_drift_ns=_decode_duration(message.max_clock_drift, "client_state.max_clock_drift"),
        frozen_height=_decode_height(message.frozen_height),
        latest_height=_decode_height(message.latest_height),
        proof_specs=tuple(spec_from_message(spec) for spec in message.proof_specs),
        upgrade_path=tuple(message.upgrade_path),
        allow_update_after_expiry=message.allow_update_after_expiry,
        allow_update_after_misbehaviour=message.allow_update_after_misbehaviour,
    )


def encode_client_state(state: ClientState) -> bytes:
    """Inverse of `decode_client_state`."""
    message = ibc_pb2.TendermintClientState(
        chain_id=state.chain_id,
        trust_level=ibc_pb2.Fraction(numerator=state.trust_level.numerator, denominator=state.trust_level.denominator),
        proof_specs=[spec_to_message(spec) for spec in state.proof_specs],
        upgrade_path=state.upgrade_path,
        allow_update_after_expiry=state.allow_update_after_expiry,
        allow_update_after_misbehaviour=state.allow_update_after_misbehaviour,
    )
    _encode_duration(state.trusting_period_ns, message.trusting_period)
    _encode_duration(state.unbonding_period_ns, message.unbonding_period)
    _encode_duration(state.max_clock_drift_ns, message.max_clock_drift)
    _encode_height(state.frozen_height, message.frozen_height)
    _encode_height(state.latest_height, message.latest_height)
    return _serialize(message)


def decode_consensus_state(data: bytes) -> ConsensusState:
    """ibc.lightclients.tendermint.v1.ConsensusState, well-formed; `predicates` judge whether it is sound.

    Raises:
        MalformedInput: not the canonical encoding, a part is missing, or a root or hash of another size.
    """
    message = parse_canonical(ibc_pb2.TendermintConsensusState, data, "consensus_state", MAX_CONSENSUS_STATE_BYTES)
    for name in ("timestamp", "root"):
        _present(message, name, "consensus_state")
    if len(message.root.hash) > MAX_APP_HASH_BYTES:
        raise MalformedInput("consensus_state.root", f"more than {MAX_APP_HASH_BYTES} bytes", got=message.root.hash)
    return ConsensusState(
        decode_time(message.timestamp, "consensus_state.timestamp"),
        message.root.hash,
        _hash(message.next_validators_hash, "consensus_state.next_validators_hash"),
    )


def encode_consensus_state(state: ConsensusState) -> bytes:
    """Inverse of `decode_consensus_state`."""
    message = ibc_pb2.TendermintConsensusState(next_validators_hash=state.next_validators_hash)
    encode_time(state.timestamp_ns, message.timestamp)
    message.root.SetInParent()
    message.root.hash = state.root
    return _serialize(message)


def decode_upgrade(data: bytes) -> Upgrade:
    """Both states and their proofs, which are decoded where they are judged.

    Raises:
        MalformedInput: the message or one of the states is not canonical; the error's path begins `upgrade`.
    """
    message = parse_canonical(ibc_pb2.TendermintUpgrade, data, "upgrade", MAX_CLIENT_MESSAGE_BYTES)
    try:
        return Upgrade(
            decode_client_state(message.client_state),
            decode_consensus_state(message.consensus_state),
            message.proof_upgrade_client,
            message.proof_upgrade_consensus_state,
        )
    except MalformedInput as error:
        raise _within("upgrade", error) from None


def encode_upgrade(upgrade: Upgrade) -> bytes:
    """Inverse of `decode_upgrade`."""
    message = ibc_pb2.TendermintUpgrade(
        client_state=encode_client_state(upgrade.client_state),
        consensus_state=encode_consensus_state(upgrade.consensus_state),
        proof_upgrade_client=upgrade.client_proof,
        proof_upgrade_consensus_state=upgrade.consensus_proof,
    )
    return _serialize(message)


def encode_header(header: Header) -> bytes:
    """The block header alone, as blocks carry it."""
    message = cometbft_pb2.Header()
    _encode_header(header, message)
    return _serialize(message)


def decode_header(data: bytes) -> Header:
    """Inverse of `encode_header`.

    Raises:
        MalformedInput: as `header_from_message`, or not the canonical encoding.
    """
    return header_from_message(parse_canonical(cometbft_pb2.Header, data, "header", MAX_CLIENT_MESSAGE_BYTES), "header")


def encode_commit(commit: Commit) -> bytes:
    """The commit alone, as blocks carry the last one."""
    message = cometbft_pb2.Commit()
    _encode_commit(commit, message)
    return _serialize(message)


def decode_commit(data: bytes) -> Commit:
    """Inverse of `encode_commit`.

    Raises:
        MalformedInput: as `commit_from_message`, or not the canonical encoding.
    """
    return commit_from_message(parse_canonical(cometbft_pb2.Commit, data, "commit", MAX_CLIENT_MESSAGE_BYTES), "commit")


def encode_signed_header(signed_header: SignedHeader) -> bytes:
    """A header with its commit, as `/commit` and the update message carry them."""
    message = cometbft_pb2.SignedHeader()
    _encode_signed_header(signed_header, message)
    return _serialize(message)


def decode_signed_header(data: bytes) -> SignedHeader:
    """Inverse of `encode_signed_header`.

    Raises:
        MalformedInput: not the canonical encoding, or a part is missing or out of bounds.
    """
    return _decode_signed_header(
        parse_canonical(cometbft_pb2.SignedHeader, data, "signed_header", MAX_CLIENT_MESSAGE_BYTES), "signed_header"
    )


def encode_validator_set(validator_set: ValidatorSet) -> bytes:
    """cometbft.types.v1.ValidatorSet in the order given, with the claimed total power as it stands."""
    message = cometbft_pb2.ValidatorSet()
    _encode_validator_set(validator_set, message)
    return _serialize(message)


def decode_validator_set(data: bytes) -> ValidatorSet:
    """Inverse of `encode_validator_set`.

    Raises:
        MalformedInput: as `validator_set_from_message`, or not the canonical encoding.
    """
    return validator_set_from_message(
        parse_canonical(cometbft_pb2.ValidatorSet, data, "validator_set", MAX_CLIENT_MESSAGE_BYTES), "validator_set"
    )
